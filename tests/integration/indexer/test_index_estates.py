"""Several estates in one catalog: none takes back what another one, or nobody's broken file, said."""

from dataclasses import replace

import pytest

from catalog.indexer import estates, run

OTHER = {
    "atmos.yaml": 'base_path: "."\ncomponents: {terraform: {base_path: components/terraform}}\nstacks: {base_path: stacks, included_paths: ["*"], name_pattern: "{tenant}-{stage}"}\n',
    "stacks/one.yaml": "vars: {tenant: other, stage: dev}\ncomponents: {terraform: {vpc: {vars: {a: 1}}}}\n",
}
SERVICES = "select s.slug, count(p.component_id), (select count(*) from service_instance i where i.service_id = s.id) from service s left join service_component p on p.service_id = s.id group by s.id order by 1"


@pytest.fixture
async def home(catalog, place):
    """The small estate, registered by seeds that the whole catalog reads, and indexed."""
    place.write({"seeds/estates.yaml": "estates: [{name: shop, organization: acme, path: '..'}]\n"})
    catalog.config = replace(catalog.config, seeds=place.path / "seeds")
    await estates.register_seeds(catalog.database, catalog.config)
    await run.index(catalog.database, catalog.config, "shop")
    return place


async def test_another_estate_leaves_services_and_people_alone(catalog, home, tmp_path):
    """Indexing an estate of another organisation changes nothing of what the seeds say of the first one's."""
    for name, text in OTHER.items():
        (tmp_path / "other" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "other" / name).write_text(text)
    before = await catalog.ask(SERVICES)
    people = await catalog.ask("select * from person")

    report = await catalog.index(tmp_path / "other")

    assert (report.error, report.added) == (None, 1)
    assert await catalog.ask(SERVICES) == before == [("shop", 2, 2)]
    assert await catalog.ask("select * from person") == people != []
    again = [await run.index(catalog.database, catalog.config, name) for name in ("shop", "other")]
    assert [item.wrote for item in again] == [False, False]


async def test_two_estates_in_one_environment_make_one_service_together(catalog, home, tmp_path):
    """A service whose parts lie in two estates of one environment is COMPLETE there, whichever is indexed last."""
    files = {
        **OTHER,
        "stacks/one.yaml": "vars: {namespace: acme, tenant: plat, stage: prod, region: eu-west-2}\ncomponents: {terraform: {eks: {vars: {a: 1}}}}\n",
    }
    for name, text in files.items():
        (tmp_path / "other" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "other" / name).write_text(text)
    shown = "select i.state, i.missing, count(*) from service_instance i join service_instance_component c on c.service_instance_id = i.id where i.name = 'shop-prod' group by i.id"
    assert await catalog.ask(shown) == [("PARTIAL", ["eks"], 1)]

    await catalog.index(tmp_path / "other")
    assert await catalog.ask(shown) == [("COMPLETE", [], 2)]

    home.write({"stacks/catalog/vpc.yaml": (home.path / "stacks/catalog/vpc.yaml").read_text().replace("$50", "$60")})
    await run.index(catalog.database, catalog.config, "shop")
    assert await catalog.ask(shown) == [("COMPLETE", [], 2)]


async def test_a_broken_manifest_keeps_the_services_that_run_in_its_stack(catalog, home, files):
    """What ran in the stack of a manifest that broke still runs there: the last good instances are its parts."""
    before = await catalog.ask("select * from service_instance order by id")
    home.write({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"] + "  broken: [\n"})

    await run.index(catalog.database, catalog.config, "shop")

    assert await catalog.ask("select * from service_instance order by id") == before
    assert await catalog.ask("select count(*) from environment") == [(2,)]
