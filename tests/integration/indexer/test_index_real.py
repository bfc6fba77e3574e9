"""Estates that were not written for these tests: the example estate, two public ones, and one with every kind of fault."""

import json
from pathlib import Path

import pytest

from catalog.records import IndexRunState

ROOT = Path(__file__).resolve().parents[3]


async def test_the_example_estate_has_no_diagnostics(catalog):
    """The example estate indexes without a diagnostic: every stack and service has an owner, every component a category, cost and time."""
    report = await catalog.index(ROOT, name="fnx")

    assert await catalog.ask("select code, message, file, line from diagnostic") == []
    assert (report.state, report.error) == (IndexRunState.SUCCEEDED, None)
    assert report.stacks >= 8
    for nobody in ("stack where team_id is null", "service where owner_id is null or cost_estimate_id is null",
                   "component where category is null or category_derived or provisioning_time is null or cost_estimate_id is null"):  # fmt: skip
        assert await catalog.ask(f"select * from {nobody}") == []
    assert await catalog.ask("select count(*) from component") == [(17,)]
    development = await catalog.ask(
        "select e.name, e.kind, t.slug from stack s join environment e on e.id = s.environment_id join team t on t.id = s.team_id where s.name = 'plat-testenv-01-dev'"
    )
    assert development == [("development", "DEVELOPMENT", "platform")]


@pytest.mark.shared
async def test_tf_atmos_is_read_where_atmos_refuses_it(catalog, shared):
    """Every component instance that the real Atmos finds in the patched estate is there, unpatched, in the stack of its manifest."""
    golden = json.loads((shared / "parity/real/golden/tf-atmos.patched.json").read_text())
    expected = {
        (instance["atmos_manifest"], kind, name)
        for stack in golden["stacks"].values()
        for kind, instances in stack["components"].items()
        for name, instance in instances.items()
    }

    report = await catalog.index(shared / "parity/real/tf-atmos")

    assert report.state is IndexRunState.SUCCEEDED
    rows = await catalog.ask(
        """select m.path, lower(i.type), i.name from component_instance i join stack s on s.id = i.stack_id
        join manifest m on m.id = s.manifest_id where i.state = 'FRESH'"""
    )
    found = {(path.removeprefix("stacks/").removesuffix(".yaml"), kind, name) for path, kind, name in rows}
    assert expected <= found
    assert report.diagnostics
    assert await catalog.ask("select 1 from diagnostic where file is null") == []


@pytest.mark.shared
@pytest.mark.parametrize(("configuration", "broken"), [("aws", True), ("azure", False), ("gcp", False)])
async def test_each_configuration_of_the_accelerator_is_an_estate(catalog, shared, configuration, broken):
    """Each of the three configurations gives the instances that the real Atmos gives; what can't be read is reported with file and line."""
    name = f"accelerator-{configuration}{'.patched' if broken else ''}"
    golden = json.loads((shared / f"parity/real/golden/{name}.json").read_text())
    expected = {
        (stack, kind, name)
        for stack, about in golden["stacks"].items()
        for kind, found in about["components"].items()
        for name in found
    }

    report = await catalog.index(shared / "parity/real/accelerator", config_path=f"config/{configuration}")

    rows = await catalog.ask("select s.name, lower(i.type), i.name from component_instance i join stack s on s.id = i.stack_id")
    assert (report.state, set(rows)) == (IndexRunState.SUCCEEDED, expected)
    errors = await catalog.ask("select file, line from diagnostic where severity = 'ERROR'")
    assert bool(errors) is broken
    assert all(file and line for file, line in errors)


FAULTS = {
    "stacks/orgs/malformed.yaml": "vars: {stage: a\n  b: [\n",
    "stacks/orgs/missing.yaml": "import: [orgs/_defaults, catalog/nowhere]\nvars: {stage: missing}\n",
    "stacks/orgs/cycle.yaml": "import: [catalog/one]\nvars: {tenant: plat, stage: cycle}\n",
    "stacks/catalog/one.yaml": "import: [catalog/two]\n",
    "stacks/catalog/two.yaml": "import: [catalog/one]\n",
}


async def test_faults_harm_only_themselves(catalog, place):
    """One malformed manifest, one missing import and one import cycle: the rest is indexed, each fault has its file and line."""
    place.write(FAULTS)

    report = await catalog.index(place.path)

    assert report.state is IndexRunState.SUCCEEDED
    stacks = await catalog.ask("select name from stack order by 1")
    assert {("plat-dev",), ("plat-prod",)} <= set(stacks)
    errors = await catalog.ask("select distinct file, line is not null from diagnostic where severity = 'ERROR'")
    assert {("stacks/orgs/malformed.yaml", True), ("stacks/orgs/missing.yaml", True)} <= set(errors)
    assert any(file in ("stacks/catalog/one.yaml", "stacks/catalog/two.yaml", "stacks/orgs/cycle.yaml") for file, _ in errors)
    assert all(placed for _, placed in errors)


async def test_faults_keep_what_was_good(catalog, place, files):
    """When good manifests break, each in its own way, what they held stays, STALE, beside the rest."""
    good = "import: [orgs/_defaults, catalog/vpc]\nvars: {tenant: plat, stage: NAME}\n"
    place.write({name: good.replace("NAME", Path(name).stem) for name in FAULTS if "/orgs/" in name})
    await catalog.index(place.path)
    place.write(FAULTS)

    report = await catalog.index(place.path)

    assert (report.state, report.removed) == (IndexRunState.SUCCEEDED, 0)
    states = dict(await catalog.ask("select name, state from stack"))
    assert {name: states[name] for name in ("plat-dev", "plat-prod")} == {"plat-dev": "FRESH", "plat-prod": "FRESH"}
    assert {states[f"plat-{name}"] for name in ("malformed", "missing", "cycle")} == {"STALE"}
    assert await catalog.ask("select count(*) from component_instance where state = 'STALE'") == [(3,)]
    place.write({name: good.replace("NAME", Path(name).stem) for name in FAULTS if "/orgs/" in name})
    place.write({"stacks/catalog/two.yaml": "{}\n"})
    assert (await catalog.index(place.path)).diagnostics == {"WARNING": 1}  # a password stands in the open
    assert await catalog.ask("select distinct state from component_instance") == [("FRESH",)]
