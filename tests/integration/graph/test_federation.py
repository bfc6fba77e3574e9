"""What a gateway of Apollo Federation asks: the subgraph itself, and things by representations."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from catalog.graph import federation
from catalog.graph.execution import Graph

ENTITIES = """query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename
    ... on Team { slug services(first: 2) { totalCount } }
    ... on Stack { name }
    ... on ComponentInstance { name stack { name } }
  }
}"""
FOUND = """{
  teams(first: 3) { nodes { __typename id slug services(first: 2) { totalCount } } }
  stacks(first: 3) { nodes { __typename id name } }
  componentInstances(first: 3) { nodes { __typename id name stack { name } } }
}"""


@pytest.fixture(scope="module")
def federated(graph, database, config) -> Graph:
    """The graph of the same database, of a process that answers gateways."""
    return Graph(database, replace(config, federation=True))


async def ask(graph, viewer, document, **variables):
    """The answer's data and errors."""
    answer = json.loads((await graph.execute(document, variables, None, viewer)).body)
    return answer.get("data"), answer.get("errors")


async def things(graph, viewer) -> list[dict]:
    """Some things that a viewer sees, of three types in turn."""
    data, errors = await ask(graph, viewer, FOUND)
    assert errors is None
    return [row for rows in zip(*(page["nodes"] for page in data.values()), strict=True) for row in rows]


def representation(thing: dict) -> dict:
    return {"__typename": thing["__typename"], "id": thing["id"]}


async def test_things_are_found_by_their_representations(federated, world) -> None:
    """Each is what lists show of it, in the order in which they were asked for, whatever their types."""
    viewer = world.viewers()["admin"]
    wanted = await things(federated, viewer)
    data, errors = await ask(federated, viewer, ENTITIES, representations=[representation(thing) for thing in wanted])
    assert errors is None
    assert data["_entities"] == [{name: value for name, value in thing.items() if name != "id"} for thing in wanted]


async def test_nothing_is_told_of_what_is_out_of_sight_or_of_another_type(federated, world) -> None:
    """What the viewer may not see, what there isn't, and a type that the id isn't of are null, each alike."""
    admin, other = world.viewers()["admin"], world.viewers()["main"]
    every, _ = await ask(federated, admin, "{ stacks(first: 100) { nodes { __typename id name } } }")
    seen, _ = await ask(federated, other, "{ stacks(first: 100) { nodes { id } } }")
    hidden = [row for row in every["stacks"]["nodes"] if row["id"] not in {one["id"] for one in seen["stacks"]["nodes"]}]
    assert hidden
    asked = [
        representation(hidden[0]),
        {"__typename": "Stack", "id": "stk_00"},
        {"__typename": "Team", "id": every["stacks"]["nodes"][0]["id"]},
        {"__typename": "Nothing", "id": every["stacks"]["nodes"][0]["id"]},
    ]
    assert await ask(federated, other, ENTITIES, representations=asked) == ({"_entities": [None] * 4}, None)
    found, _ = await ask(federated, admin, ENTITIES, representations=asked)
    assert found["_entities"] == [{"__typename": "Stack", "name": hidden[0]["name"]}, None, None, None]


@pytest.mark.parametrize(
    "given", [["tea_1"], [{"id": "tea_1"}], [{"__typename": "Team"}], [{"__typename": "Team", "id": 1}], [{}] * 1001]
)
async def test_what_is_no_representation_is_refused(federated, world, given) -> None:
    """An object without type and key, or more of them than are allowed, refuses the operation before anything is read."""
    data, errors = await ask(federated, world.viewers()["admin"], ENTITIES, representations=given)
    assert data is None
    assert errors[0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_the_subgraph_is_shown_to_who_may_see_the_schema(federated, graph, world) -> None:
    """A gateway that is signed in reads what it composes; nobody known does, and other processes have no such field."""
    document = "{ _service { sdl } }"
    assert await ask(federated, world.viewers()["nothing"], "{ __typename }") == ({"__typename": "Query"}, None)
    assert await ask(federated, world.viewers()["plat"], document) == ({"_service": {"sdl": federation.sdl()}}, None)
    _, errors = await ask(federated, world.viewers()["anonymous"], document)
    assert errors[0]["extensions"]["code"] == "INTROSPECTION_OFF"
    _, errors = await ask(graph, world.viewers()["admin"], document)
    assert errors[0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
