"""Facets: how many rows of a list have which value, held against the reference, and within what the viewer may see."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import pytest_asyncio
from graph_past import Store
from test_differential import Differences

from catalog.graph.execution import Graph
from catalog.graph.facets import ComponentInstanceFacet, ServiceFacet, StackFacet
from catalog.store.compile import SOURCES

LISTS = {"componentInstances": ComponentInstanceFacet, "services": ServiceFacet, "stacks": StackFacet}
EVERY = [(name, str(by)) for name, known in LISTS.items() for by in known]
WHERE = {
    "componentInstances": '{name: {in: ["vpc", "eks"]}}',
    "services": '{slug: {ne: "shop"}}',
    "stacks": '{stage: {ne: "dev"}}',
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def store(graph, database) -> Store:
    """Every row, in memory."""
    return await Store.load(database)


@pytest.mark.parametrize(("name", "by"), EVERY)
async def test_facets_count_the_whole_list_that_the_viewer_sees(name, by, graph, world, store) -> None:
    """By whatever a list can be counted, whoever asks: filtered or not, values, things and numbers are the list's own."""
    shown = f"first: 1, where: {WHERE[name]}"
    facets = f"facets(by: {by}, limit: 100) {{ value count node {{ id __typename }} }}"
    document = f"{{ all: {name}(first: 0) {{ {facets} }} some: {name}({shown}) {{ totalCount nodes {{ id }} {facets} }} }}"
    both = Differences(graph, store, world.viewers())
    assert [await both.compare(document, {}, viewer) for viewer in both.viewers] == [None] * len(both.viewers)


@pytest.mark.parametrize(("name", "by"), [(name, by) for name, by in EVERY if by != "TAG"])
async def test_facets_add_up_to_the_total(name, by, graph, world) -> None:
    """Every row is counted exactly once, so that the numbers add up to the total count."""
    document = f"{{ list: {name}(first: 0) {{ totalCount facets(by: {by}, limit: 100) {{ count }} }} }}"
    for scope in world.viewers().values():
        answer = json.loads((await graph.execute(document, None, None, scope)).body)["data"]["list"]
        assert sum(one["count"] for one in answer["facets"]) == answer["totalCount"]


@pytest.mark.parametrize(
    ("source", "by", "name"), [("stack", "environment", "stacks"), ("component_instance", "environment", "componentInstances")]
)
async def test_a_facet_without_its_rule_is_noticed(source, by, name, graph, database, config, world, store) -> None:
    """Names of things out of sight show up for some viewer when a facet forgets their rule."""
    facet = SOURCES[source].facets[by]
    assert "{sees_environment_t}" in facet.join
    leaking = {**SOURCES[source].facets, by: replace(facet, join=facet.join.replace("{sees_environment_t}", "true"))}
    planted = Graph(database, config, sources=SOURCES | {source: replace(SOURCES[source], facets=leaking)})
    document = f"{{ {name}(first: 0) {{ facets(by: {by.upper()}, limit: 100) {{ value count }} }} }}"
    whole, open_ = (Differences(one, store, world.viewers()) for one in (graph, planted))
    assert [await whole.compare(document, {}, viewer) for viewer in whole.viewers] == [None] * len(whole.viewers)
    assert any([await open_.compare(document, {}, viewer) for viewer in open_.viewers])


@pytest.mark.parametrize("limit", [-1, 101])
async def test_a_limit_beyond_reason_is_refused(limit, graph, world) -> None:
    """How many values a facet has at most is said, and nothing is read for more."""
    document = f"{{ stacks {{ facets(by: STAGE, limit: {limit}) {{ count }} }} }}"
    response = await graph.execute(document, None, None, world.viewers()["admin"])
    assert response.is_request_error
    assert response.code == "BAD_USER_INPUT"


async def test_facets_are_weighed(graph, world) -> None:
    """What hangs on the things of a facet counts for the size of an operation."""
    document = """{ stacks { facets(by: TEAM, limit: 100) { node { ... on Team { instances(first: 100) { nodes {
        requests(first: 100) { nodes { id } } } } } } } } }"""
    response = await graph.execute(document, None, None, world.viewers()["admin"])
    assert response.code == "TOO_MANY_NODES"


async def test_two_ways_of_counting_cannot_share_a_key(graph, world) -> None:
    """Facets of one key must ask for the same, as all of GraphQL's fields."""
    document = "{ stacks { facets(by: TEAM) { count } facets(by: STAGE) { count } } }"
    response = await graph.execute(document, None, None, world.viewers()["admin"])
    assert response.code == "GRAPHQL_VALIDATION_FAILED"
