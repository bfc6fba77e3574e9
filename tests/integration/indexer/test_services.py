"""Services against what runs: where they are, which parts are missing, what they cost; seeds and registered ones side by side."""

import json
from pathlib import Path

import jsonschema
import pytest

from catalog.access import principals
from catalog.errors import Conflict
from catalog.graph.execution import Graph
from catalog.provisioning import services
from catalog.provisioning.services import Definition, Link, Part
from catalog.records import SYSTEM, Role

ROOT = Path(__file__).resolve().parents[3]

RUNNING = """select i.name, i.state, i.missing, (select count(*) from service_instance_component c where c.service_instance_id = i.id)
    from service_instance i order by 1"""
SERVICE = "select slug, title, source, version, lifecycle, overridden is not null from service order by 1"
PARTS = (
    "select p.name, c.path from service_component p left join component c on c.id = p.component_id order by p.service_id, p.ordinal"
)
COMPUTED = """select v.slug, e.status, e.monthly, e.unsupported from service v
    join cost_estimate e on e.id = v.computed_cost_estimate_id order by 1"""
CLASHES = "select code, severity, file, line from diagnostic where code = 'SERVICE_CLASH'"
SEEDS = "services:\n  shop:\n    cost_estimate: $200\n    components: {infrastructure: [vpc (network), eks]}\n"


@pytest.fixture
async def scope(catalog):
    """Somebody who may register services for every team."""
    async with catalog.database.session() as session:
        made = await principals.add(session, "ada@acme.example", Role.REQUESTER)
        await session.commit()
    return await principals.scope_of(catalog.database, made.id)


@pytest.fixture
def register(catalog, scope):
    """Register a service of the platform team, made of parts by name."""

    async def call(slug, *parts, key=None, **more):
        given = Definition(
            slug=slug,
            title=more.pop("title", slug),
            owner="platform",
            components=tuple(Part(name=name, layer="INFRASTRUCTURE") for name in parts),
            **more,
        )
        return await services.register(catalog.database, scope, given, idempotency_key=key or slug)

    return call


async def test_a_service_runs_where_at_least_half_of_its_parts_are(catalog, place):
    """COMPLETE with all parts, PARTIAL with the missing ones named in their order, nowhere below half."""
    place.write({"seeds/services.yaml": "services:\n  a: {components: {infrastructure: [vpc, eks]}}\n  b: {components: {application: [z, eks, vpc, y]}}\n  c: {components: {infrastructure: [x, y, eks]}}\n  none: {}\n"})  # fmt: skip
    await catalog.index(place.path)
    assert await catalog.ask(RUNNING) == [
        ("a-dev", "COMPLETE", [], 2),
        ("a-prod", "PARTIAL", ["eks"], 1),
        ("b-dev", "PARTIAL", ["z", "y"], 2),
    ]


async def test_a_part_is_an_instance_by_name_and_else_whatever_is_made_of_that_component(catalog, place, files):
    """Abstract and disabled instances are no parts; where nothing has the name, every instance of the component of that name is."""
    place.write(
        {
            "stacks/orgs/prod.yaml": files["stacks/orgs/prod.yaml"]
            + "components:\n  terraform:\n"
            + "    eks: {metadata: {type: abstract}, vars: {size: x}}\n    eks-a: {metadata: {component: eks}, vars: {size: x}}\n"
            + "    eks-b: {metadata: {component: eks}, vars: {size: x}}\n    far: {metadata: {component: elsewhere}, vars: {a: 1}}\n"
            + "    vpc: {metadata: {enabled: false}}\n",
            "seeds/services.yaml": "services:\n  a: {components: {infrastructure: [eks]}}\n  b: {components: {infrastructure: [vpc]}}\n"
            "  c: {components: {infrastructure: [elsewhere]}}\n",
        }
    )
    await catalog.index(place.path)
    assert await catalog.ask(RUNNING) == [
        ("a-dev", "COMPLETE", [], 1),
        ("a-prod", "COMPLETE", [], 2),
        ("b-dev", "COMPLETE", [], 1),
        ("c-prod", "COMPLETE", [], 1),
    ]
    assert await catalog.ask(PARTS) != []


async def test_a_service_costs_the_sum_of_its_parts(catalog, place):
    """What is unknown is named, never counted as zero; an edit of one part's cost is an edit of the sum."""
    place.write({"seeds/services.yaml": "services:\n  a: {components: {infrastructure: [vpc]}}\n  b: {components: {infrastructure: [vpc, eks]}}\n  c: {components: {infrastructure: [magic]}}\n"})  # fmt: skip
    await catalog.index(place.path)
    assert await catalog.ask(COMPUTED) == [("a", "KNOWN", 50, []), ("b", "PARTIAL", 50, ["eks"]), ("c", "UNKNOWN", None, ["magic"])]

    vpc = (place.path / "stacks/catalog/vpc.yaml").read_text()
    place.write({"stacks/catalog/vpc.yaml": vpc.replace("$50", "$70")})
    await catalog.index(place.path)
    assert [row[2] for row in await catalog.ask(COMPUTED)] == [70, 70, None]

    # Where the instances don't agree, the component's own estimate is what counts, and it is a range: no number.
    place.write({"stacks/orgs/prod.yaml": (place.path / "stacks/orgs/prod.yaml").read_text() + "components: {terraform: {vpc: {metadata: {custom: {cost_estimate: $90}}}}}\n"})  # fmt: skip
    await catalog.index(place.path)
    assert [row[1:3] for row in await catalog.ask(COMPUTED)] == [("UNKNOWN", None)] * 3


async def test_costs_of_several_currencies_have_no_sum(catalog, place, files):
    """Nothing is converted in silence."""
    dev = files["stacks/orgs/dev.yaml"].replace("    eks:\n", "    eks:\n      metadata: {custom: {cost_estimate: €10}}\n")
    place.write({"stacks/orgs/dev.yaml": dev})
    await catalog.index(place.path)
    assert await catalog.ask(COMPUTED) == [("shop", "UNKNOWN", None, [])]
    assert await catalog.ask("select reason from cost_estimate where subject_kind = 'Service' and status = 'UNKNOWN'") == [
        ("its parts are priced in several currencies",)
    ]


async def test_parts_follow_components_that_come_and_go(catalog, place):
    """A part names its component while the estate has it."""
    place.write({"seeds/services.yaml": "services:\n  a: {components: {infrastructure: [vpc, extra]}}\n"})
    await catalog.index(place.path)
    assert await catalog.ask(PARTS) == [("vpc", "components/terraform/vpc"), ("extra", None)]
    place.write({"components/terraform/extra/main.tf": ""})
    await catalog.index(place.path)
    assert await catalog.ask(PARTS) == [("vpc", "components/terraform/vpc"), ("extra", "components/terraform/extra")]
    place.remove("components/terraform/extra/main.tf")
    await catalog.index(place.path)
    assert await catalog.ask(PARTS) == [("vpc", "components/terraform/vpc"), ("extra", None)]


async def test_a_seed_replaces_a_service_and_its_parts_as_wholes(catalog, place):
    """However often it changed, what is there is what a first reading would give; the version counts what people change here."""
    shown = (
        "select title, tier, tags, version, category from service",
        "select name, role, layer from service_component order by ordinal",
    )
    await catalog.index(place.path)
    before = [await catalog.ask(text) for text in shown]
    changed = SEEDS.replace("(network), eks", "(net), x, y") + "    tier: 1\n    tags: [a]\n    category: c\n    name: Shop\n"
    place.write({"seeds/services.yaml": changed})
    await catalog.index(place.path)
    assert await catalog.ask(shown[0]) == [("Shop", 1, ["a"], 1, "c")]
    assert [row[0] for row in await catalog.ask(shown[1])] == ["vpc", "x", "y"]
    place.write({"seeds/services.yaml": SEEDS})
    await catalog.index(place.path)
    assert [await catalog.ask(text) for text in shown] == before


async def test_a_registered_service_runs_at_once_and_follows_what_is_indexed(catalog, place, files, register):
    """Registering matches, links and prices; later runs keep where it runs up to date and leave its definition alone."""
    await catalog.index(place.path)
    await register("till", "eks", "vpc", description="Takes money")
    before = await catalog.ask(
        "select title, description, tags, links, owner_id, version, changed_at from service where slug = 'till'"
    )
    assert [row for row in await catalog.ask(RUNNING) if row[0].startswith("till")] == [
        ("till-dev", "COMPLETE", [], 2),
        ("till-prod", "PARTIAL", ["eks"], 1),
    ]
    assert ("till", "PARTIAL", 50, ["eks"]) in await catalog.ask(COMPUTED)

    place.write({"stacks/orgs/prod.yaml": files["stacks/orgs/prod.yaml"] + "components: {terraform: {eks: {vars: {size: x}}}}\n"})
    place.write({"seeds/services.yaml": "services: {}\n"})
    await catalog.index(place.path)
    assert await catalog.ask(RUNNING) == [("till-dev", "COMPLETE", [], 2), ("till-prod", "COMPLETE", [], 2)]
    assert await catalog.ask("select title, description, tags, links, owner_id, version, changed_at from service") == before

    place.remove("stacks/orgs/prod.yaml")
    assert (await catalog.index(place.path, confirmed=True)).error is None
    assert await catalog.ask(RUNNING) == [("till-dev", "COMPLETE", [], 2)]


async def test_seeds_win_over_a_registered_service_which_comes_back_when_they_are_silent(catalog, place, register, scope):
    """A clash loses nothing: a diagnostic names file and line, and the registered definition counts again afterwards."""
    place.write({"seeds/services.yaml": "services: {}\n"})
    await catalog.index(place.path)
    await register("shop", "eks", title="Ours", tags=("a",), links=(Link(title="T", url="https://x.test"),), tier=3)
    shown = "select title, tags, links, tier, owner_id, public, changed_by_id, changed_at from service"
    ours = await catalog.ask(shown)

    for _ in range(2):
        place.write({"seeds/services.yaml": SEEDS, "seeds/kpis.yaml": f"# {_}\n"})
        await catalog.index(place.path)
        assert await catalog.ask(SERVICE) == [("shop", "shop", "SEEDS", 1, "PRODUCTION", True)]
        assert await catalog.ask(CLASHES) == [("SERVICE_CLASH", "WARNING", "seeds/services.yaml", 2)]
        assert await catalog.ask(PARTS) == [("vpc", "components/terraform/vpc"), ("eks", "components/terraform/eks")]
    with pytest.raises(Conflict, match=r"seeds/services.yaml:2") as refused:
        await services.update(catalog.database, scope, "shop", {"title": "Still ours"})
    assert refused.value.code == "DEFINED_IN_SEEDS"

    place.write({"seeds/services.yaml": "services: {other: {}}\n"})
    await catalog.index(place.path)
    assert await catalog.ask(CLASHES) == []
    assert (await catalog.ask(SERVICE))[1] == ("shop", "Ours", "CATALOG", 2, "PRODUCTION", False)
    assert (await catalog.ask(shown + " where slug = 'shop'")) == ours
    assert await catalog.ask("select count(*) from cost_estimate where subject_kind = 'Service'") == [(1,)]
    assert await catalog.ask(RUNNING) == [("shop-dev", "COMPLETE", [], 1)]


async def test_a_registration_that_the_seeds_override_can_be_given_up(catalog, place, register, scope):
    """Retiring it leaves the seeds' service as it is and ends the complaint with the next run; then there is nothing to retire."""
    place.write({"seeds/services.yaml": "services: {}\n"})
    await catalog.index(place.path)
    await register("shop")
    place.write({"seeds/services.yaml": SEEDS})
    await catalog.index(place.path)
    await services.retire(catalog.database, scope, "shop")
    assert await catalog.ask(SERVICE) == [("shop", "shop", "SEEDS", 1, "PRODUCTION", False)]
    await catalog.index(place.path)
    assert await catalog.ask(CLASHES) == []
    with pytest.raises(Conflict, match="defined in the seeds"):
        await services.retire(catalog.database, scope, "shop")


async def test_an_instance_that_a_request_registered_stays_its_own(catalog, place):
    """Its parts follow the estate; that it is being made is the request's to say, and so is whether it is there at all."""
    await catalog.index(place.path)
    async with catalog.database.connection() as connection:
        await connection.execute(
            "update service_instance set registered_by_id = 'req_1', state = 'PROVISIONING' where name = 'shop-prod'"
        )
    place.write({"stacks/orgs/prod.yaml": (place.path / "stacks/orgs/prod.yaml").read_text() + "components: {terraform: {eks: {vars: {size: x}}}}\n"})  # fmt: skip
    await catalog.index(place.path)
    assert (await catalog.ask(RUNNING))[1] == ("shop-prod", "PROVISIONING", [], 2)
    place.write({"seeds/services.yaml": SEEDS.replace("[vpc (network), eks]", "[x, y, z]")})
    await catalog.index(place.path)
    assert [row[:2] for row in await catalog.ask(RUNNING)] == [("shop-prod", "PROVISIONING")]


async def test_a_moved_stack_takes_its_services_along(catalog, place):
    """When only the mapping changes, the old environment loses the service and the new one gets it."""
    await catalog.index(place.path)
    place.write({"seeds/tenants.yaml": "tenant_mapping: {atmos_stack: plat-dev, idp_context: {environment: sandbox}}\n"})
    await catalog.index(place.path)
    assert [row[0] for row in await catalog.ask(RUNNING)] == ["shop-prod", "shop-sandbox"]


async def test_budgets_and_lifecycles_of_seeds(catalog, place):
    """A budget is money a month; whether a lifecycle was said is remembered."""
    place.write({"seeds/services.yaml": "services:\n  a: {budget: $1200/year, lifecycle: production}\n  b: {}\n"})
    await catalog.index(place.path)
    assert await catalog.ask("select slug, budget, budget_currency, lifecycle, lifecycle_stated from service order by 1") == [
        ("a", 100, "USD", "PRODUCTION", True),
        ("b", None, None, "PRODUCTION", False),
    ]


async def test_settling_again_writes_nothing(catalog, place, register):
    """An unchanged estate with registered services is read without a row written but the run's."""
    await catalog.index(place.path)
    await register("till", "eks", "vpc")
    before = await catalog.rows()
    await catalog.index(place.path)
    assert {row[0] for row in await catalog.rows() ^ before} == {"index_run", "index_run_event"}


async def test_what_a_request_may_set_is_a_schema_that_the_estate_itself_fulfils(catalog, hcl_engine):
    """Of each service of the example estate: a valid schema, with its parts' variables, that what runs there holds to."""
    await catalog.index(ROOT, name="fnx", engine=hcl_engine)
    document = """{ services(first: 50) { nodes { slug requestSchema scorecard { score checks { name passed } } components { name component { name } }
      instances { nodes { componentInstances(first: 50) { nodes { name vars } } } } } } }"""
    answer = json.loads((await Graph(catalog.database, catalog.config).execute(document, None, None, SYSTEM)).body)
    services_shown = answer["data"]["services"]["nodes"]
    assert len(services_shown) == 9
    judged = 0
    for service in services_shown:
        schema = service["requestSchema"]
        jsonschema.Draft202012Validator.check_schema(schema)
        assert set(schema["properties"]) == {part["name"] for part in service["components"] if part["component"]}
        assert not any("required" in part or "$schema" in part for part in schema["properties"].values())
        for place in service["instances"]["nodes"]:
            given = {
                one["name"]: one["vars"] for one in place["componentInstances"]["nodes"] if one["name"] in schema["properties"]
            }
            declared = {
                name: {key: value for key, value in variables.items() if key in schema["properties"][name]["properties"]}
                for name, variables in given.items()
            }
            jsonschema.validate(declared, schema)
            judged += len(declared)
    assert judged > 20
    unknown = {"vpc": {"no_such_variable": 1}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(unknown, next(one["requestSchema"] for one in services_shown if one["slug"] == "orders"))
