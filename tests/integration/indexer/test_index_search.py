"""What an index writes is found by words in the same moment, and what it removes no longer."""

from __future__ import annotations

import json

from catalog.graph.execution import Graph
from catalog.records import SYSTEM

DOCUMENT = """query Search($query: String!) { search(query: $query, first: 100) { totalCount nodes { node {
  __typename ... on Stack { name } ... on Component { name } ... on ComponentInstance { name stack { name } }
  ... on Service { slug } ... on Team { slug } ... on Environment { name } ... on Workflow { name } } } } }"""


async def found(catalog, query):
    """What is found: each thing's type and the names that tell it."""
    graph = Graph(catalog.database, catalog.config)
    answer = json.loads((await graph.execute(DOCUMENT, {"query": query}, None, SYSTEM)).body)["data"]["search"]
    things = [hit["node"] for hit in answer["nodes"]]
    assert answer["totalCount"] == len(things)
    return [(thing["__typename"], thing.get("slug") or thing["name"], (thing.get("stack") or {}).get("name")) for thing in things]


async def test_an_index_is_searched_as_soon_as_it_is_there(catalog, place):
    """Every kind of thing that a run writes is found by its name, instances by name and stack."""
    assert await found(catalog, "vpc") == []
    await catalog.index(place.path)
    vpc = await found(catalog, "vpc")
    assert vpc[0] == ("Component", "vpc", None)
    assert ("ComponentInstance", "vpc", "plat-dev") in vpc
    assert await found(catalog, "prod vpc") == [("ComponentInstance", "vpc", "plat-prod")]
    assert ("Service", "shop", None) in await found(catalog, "shop")
    assert ("Team", "platform", None) in await found(catalog, "platfrom")
    assert ("Workflow", "plan", None) in await found(catalog, "plan")
    assert ("Environment", "dev", None) in await found(catalog, "dev")


async def test_what_a_run_removes_or_adds_is_found_accordingly(catalog, place, files):
    """A stack that went away is found no longer, nor are its instances; a new instance is."""
    await catalog.index(place.path)
    place.remove("stacks/orgs/prod.yaml")
    place.write({"stacks/orgs/dev.yaml": files["stacks/orgs/dev.yaml"].replace("    eks:", "    bastion: {vars: {}}\n    eks:")})
    await catalog.index(place.path, confirmed=True)
    assert await found(catalog, "prod vpc") == []
    assert "plat-prod" not in [name for _, name, _ in await found(catalog, "plat")]
    assert ("ComponentInstance", "bastion", "plat-dev") in await found(catalog, "bastion")
