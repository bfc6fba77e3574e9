"""Search: what is found, in which order, by whom; and that it follows whatever is written."""

from __future__ import annotations

import json

import graph_operations
import pytest
import pytest_asyncio
from graph_reference import Store
from test_differential import Differences

KINDS = ("SERVICE", "COMPONENT", "COMPONENT_INSTANCE", "STACK", "TEAM", "ENVIRONMENT", "PROVISIONING_REQUEST", "WORKFLOW")
DOCUMENT = """query Search($query: String!, $kinds: [SearchKind!], $first: Int, $after: String, $last: Int, $before: String) {
  search(query: $query, kinds: $kinds, first: $first, after: $after, last: $last, before: $before) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { score highlight node { __typename ... on Node { id } ... on Stack { name } } } } } }"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def store(graph, database) -> Store:
    """Every row, in memory."""
    return await Store.load(database)


@pytest.mark.parametrize("query", graph_operations.SEARCHES)
async def test_every_viewer_finds_what_a_plain_search_of_all_rows_finds(query, graph, world, store) -> None:
    """Hits, order, scores, highlights and counts are those of asking each visible thing whether it answers."""
    differences = Differences(graph, store, world.viewers())
    asked = [{"query": query, "first": 100}, *({"query": query, "kinds": [kind], "first": 100} for kind in KINDS)]
    found = [
        told for given in asked for viewer in differences.viewers if (told := await differences.compare(DOCUMENT, given, viewer))
    ]
    assert not found, "\n\n".join(found[:3])
    assert differences.ran == len(asked) * len(differences.viewers)
