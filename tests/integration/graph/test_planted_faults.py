"""A rule of visibility left out anywhere is noticed: each fault is planted in the sources, and the reference must tell the difference."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import pytest_asyncio
from graph_past import Store
from test_as_of import PastDifferences
from test_differential import Differences, harvest

from catalog.graph.execution import Graph
from catalog.store import instances
from catalog.store.compile import SOURCES
from catalog.store.compile.source import ToMany, ToOne, everyone

MOST = 2_500  # operations until a fault counts as unnoticed
# Shown in the payload of a mutation alone, which only admins may call: no question reaches them.
OF_IMPORTS = {"cost_import", "rejected_row"}
RULED = sorted(name for name, source in SOURCES.items() if source.visible is not everyone and name not in {"config", *OF_IMPORTS})
STACKS = ("core-00-staging", "plat-01-staging", "core-03-dev", "plat-04-dev", "core-06-prod")


def _then(field: str) -> str:
    """A question about what some stacks were."""
    asked = [field % (stack, run) for stack in STACKS for run in ("run_0000", "run_0001")]
    return f"{{ {' '.join(f'a{number}: {one}' for number, one in enumerate(asked))} }}"


# One of each kind of edge, and a question that walks along it.
EDGES = {
    ("allocation", "team"): "{ charges(first: 100) { nodes { allocations { team { id } } } } }",
    ("allocation", "environment"): "{ charges(first: 100) { nodes { allocations { environment { id } } } } }",
    ("allocation", "instance"): "{ charges(first: 100) { nodes { allocations { instance { id } } } } }",
    ("charge", "allocations"): "{ charges(first: 100) { nodes { id allocations { rule } } } }",
    ("stack", "environment"): "{ stacks(first: 50) { nodes { environment { id } } } }",
    ("service_component", "component"): "{ services(first: 50) { nodes { components { component { id } } } } }",
    ("service_instance", "registered_by"): "{ serviceInstances(first: 50) { nodes { registeredBy { id } } } }",
    ("provisioning_request", "environment"): "{ provisioningRequests(first: 50) { nodes { environment { id } } } }",
    ("stack", "instances"): "{ stacks(first: 50) { nodes { instances(first: 50) { totalCount nodes { id } } } } }",
    ("team", "services"): "{ teams(first: 50) { nodes { services(first: 50) { totalCount } } } }",
    ("component_instance", "depends_on"): "{ componentInstances(first: 100) { nodes { dependsOn(first: 9) { totalCount } } } }",
    ("stack_as_of", "instances"): _then('stack(name: "%s", asOf: {run: "%s"}) { instances { totalCount nodes { id } } }'),
    ("component_instance_as_of", "depends_on"): _then(
        'stack(name: "%s", asOf: {run: "%s"}) { instances { nodes { dependsOn(first: 9) { totalCount } } } }'
    ),
    ("component_instance_as_of", "dependents"): _then(
        'stack(name: "%s", asOf: {run: "%s"}) { instances { nodes { dependents(first: 9) { nodes { id } } } } }'
    ),
    (
        "service_instance",
        "component_instances",
    ): "{ serviceInstances(first: 50) { nodes { componentInstances { nodes { id } } } } }",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def store(graph, database) -> Store:
    """Every row, in memory."""
    return await Store.load(database)


async def is_noticed(sources, database, config, world, store, *, past: bool = False) -> bool:
    """Whether some operation shows a difference."""
    planted = Graph(database, config, sources=sources)
    differences = PastDifferences(planted, store, world) if past else Differences(planted, store, world.viewers())
    await harvest(differences)
    for seed in range(MOST):
        if await differences.differ(seed):
            return True
    return False


@pytest.mark.parametrize("name", RULED)
async def test_a_source_without_its_rule_is_noticed(name, graph, database, config, world, store) -> None:
    """Rows of a source that lost its rule show up in lists, counts, look-ups, filters or nodes."""
    planted = SOURCES | {name: replace(SOURCES[name], visible=everyone)}
    assert await is_noticed(planted, database, config, world, store, past=name.endswith("_as_of"))


@pytest.mark.parametrize(("edge", "document"), EDGES.items(), ids=lambda value: ".".join(value) if isinstance(value, tuple) else "")
async def test_an_edge_without_its_rule_is_noticed(edge, document, graph, database, config, world, store) -> None:
    """Rows behind an edge that skips the rule of its target show up for some viewer."""
    name, relation = edge
    followed = SOURCES[name].relations[relation]
    assert isinstance(followed, (ToOne, ToMany))
    relations = dict(SOURCES[name].relations) | {relation: replace(followed, proven=True)}
    planted = Graph(database, config, sources=SOURCES | {name: replace(SOURCES[name], relations=relations)})
    whole = Differences(graph, store, world.viewers())
    leaking = Differences(planted, store, world.viewers())
    assert [await whole.compare(document, {}, viewer) for viewer in whole.viewers] == [None] * len(whole.viewers)
    assert any([await leaking.compare(document, {}, viewer) for viewer in leaking.viewers])


async def test_what_was_removed_is_noticed_in_lists(graph, database, config, world, store) -> None:
    """Lists that show removed rows are told apart."""
    planted = SOURCES | {"component_instance": replace(SOURCES["component_instance"], current="true")}
    assert await is_noticed(planted, database, config, world, store)


async def test_a_required_edge_that_leads_nowhere_is_an_error_and_its_null_climbs(graph, database, config, world) -> None:
    """Should a row that can't be missing ever be out of sight, the answer says where, and nothing half-known is left standing."""
    stack = SOURCES["component_instance"].relations["stack"]
    assert isinstance(stack, ToOne)
    relations = dict(SOURCES["component_instance"].relations) | {"stack": replace(stack, on="false")}
    planted = Graph(
        database, config, sources=SOURCES | {"component_instance": replace(SOURCES["component_instance"], relations=relations)}
    )
    document = """{ viewer { name } stack(name: "core-00-prod") { instances(first: 1) { nodes { stack { name } } } } }"""
    name = next(row.name for row in world.stacks if row.removed_at is None and row.name != "twin")
    response = await planted.execute(document.replace("core-00-prod", name), None, None, world.viewers()["admin"])
    answer = json.loads(response.body)
    assert answer["data"] == {"viewer": {"name": "admin"}, "stack": None}
    assert answer["errors"][0]["path"] == ["stack", "instances", "nodes", 0, "stack"]
    assert answer["errors"][0]["message"] == "Cannot return null for non-nullable field ComponentInstance.stack."


@pytest.mark.parametrize("relation", ["all_depends_on", "all_dependents"])
async def test_a_walk_without_its_rule_is_noticed(relation, graph, database, config, world, store) -> None:
    """What is reached through rows out of sight shows up for some viewer."""
    followed = SOURCES["component_instance"].relations[relation]
    assert isinstance(followed, ToMany)
    assert followed.walk is not None
    open_walk = replace(followed, walk=followed.walk.replace("{sees_component_instance_i}", "true"))
    relations = dict(SOURCES["component_instance"].relations) | {relation: open_walk}
    planted = Graph(
        database, config, sources=SOURCES | {"component_instance": replace(SOURCES["component_instance"], relations=relations)}
    )
    field = "dependsOn" if relation == "all_depends_on" else "dependents"
    document = f"{{ componentInstances(first: 100) {{ nodes {{ {field}(first: 9, transitive: true) {{ totalCount }} }} }} }}"
    whole = Differences(graph, store, world.viewers())
    leaking = Differences(planted, store, world.viewers())
    assert [await whole.compare(document, {}, viewer) for viewer in whole.viewers] == [None] * len(whole.viewers)
    assert any([await leaking.compare(document, {}, viewer) for viewer in leaking.viewers])


async def test_an_order_without_its_rule_is_noticed(graph, database, config, world, store, monkeypatch) -> None:
    """Instances out of sight that find their way into an order show up for some viewer."""
    document = "{ stacks(first: 50) { nodes { name applyOrder { cycles levels { id } } } } }"
    whole = Differences(graph, store, world.viewers())
    assert [await whole.compare(document, {}, viewer) for viewer in whole.viewers] == [None] * len(whole.viewers)
    monkeypatch.setattr(instances, "_DEPLOYED", instances._DEPLOYED.replace("{sees_component_instance_i}", "true"))
    assert any([await whole.compare(document, {}, viewer) for viewer in whole.viewers])
