"""Dependencies over any number of steps, and the order in which stacks may be applied, against plain graph libraries."""

from __future__ import annotations

import asyncio
import graphlib
import json
import random
from dataclasses import replace

import graph_world
import networkx as nx
import pytest
import pytest_asyncio

from catalog import records
from catalog.graph.apply_orders import MOST
from catalog.graph.execution import Graph
from catalog.records import SYSTEM, GrantScope, PrincipalKind, Role, Scope
from catalog.store.compile import SOURCES
from catalog.values import global_id

TENANTS = ("open", "closed")
ESTATE, ORGANIZATION = global_id("Estate", "e"), global_id("Organization", "o")
# Seeds of random graphs: sparse and dense ones, with and without rings, many with several ways of the same length.
GRAPHS = [
    (seed, size, edges)
    for seed, (size, edges) in enumerate([(6, 5), (8, 20), (12, 14), (20, 30), (20, 90), (30, 40), (40, 60)] * 3)
]
LIMITED = Scope(
    principal_id=None,
    name="limited",
    email=None,
    kind=PrincipalKind.PERSON,
    grants=(GrantScope(role=Role.VIEWER, teams=None, tenants=frozenset({global_id("Tenant", "o", "open")})),),
    member_of=frozenset(),
)


class Made:
    """A random graph of instances in two stacks, one of each tenant, as rows and as a networkx graph."""

    def __init__(self, seed: int, size: int, edges: int, *, within: bool = False) -> None:
        rnd = random.Random(seed)
        self.prefix = f"g{seed}{'w' if within else ''}"
        self.tenant_of = {self.id(number): "open" if within or rnd.random() < 0.7 else "closed" for number in range(size)}
        self.kind_of: dict[tuple[str, str], set[str]] = {}
        self.removed = {self.id(number) for number in range(size) if rnd.random() < 0.1}
        pairs = {(rnd.randrange(size), rnd.randrange(size)) for _ in range(edges)}
        for source, target in sorted(pairs):
            if source != target:
                kinds = self.kind_of.setdefault((self.id(source), self.id(target)), set())
                kinds.add(rnd.choice(("DECLARED", "INFERRED")))
                kinds |= {"DECLARED"} if rnd.random() < 0.2 else set()

    def id(self, number: int) -> str:
        """The id of an instance."""
        return global_id("ComponentInstance", self.prefix, str(number))

    def graph(self, *, sees: bool, kind: str | None = None) -> nx.DiGraph:
        """What a viewer may walk."""
        graph = nx.DiGraph()
        nodes = [one for one, tenant in self.tenant_of.items() if one not in self.removed and (sees or tenant == "open")]
        graph.add_nodes_from(nodes)
        graph.add_edges_from(
            pair for pair, kinds in self.kind_of.items() if set(pair) <= set(nodes) and (kind is None or kind in kinds)
        )
        return graph

    def rows(self):
        """The rows, in the order of their keys."""
        for tenant in TENANTS:
            yield stack(self.prefix, tenant)
        for number, (identity, tenant) in enumerate(self.tenant_of.items()):
            yield instance(identity, f"c{number:03}", self.prefix, tenant, removed=identity in self.removed)
        for (source, target), kinds in self.kind_of.items():
            for kind in kinds:
                yield records.Dependency(source_id=source, target_id=target, via=kind.lower(), kind=kind)


def stack(prefix: str, tenant: str) -> records.Stack:
    """A stack of a tenant."""
    return records.Stack(
        id=global_id("Stack", prefix, tenant),
        estate_id=ESTATE,
        tenant_id=global_id("Tenant", "o", tenant),
        organization_id=ORGANIZATION,
        manifest_id=global_id("Manifest", "e", "m"),
        name=f"{prefix}-{tenant}",
        labels={},
        tags=[],
        vars={},
        state="FRESH",
        content_hash="h",
        row_hash="h",
    )


def instance(identity: str, name: str, prefix: str, tenant: str, *, removed: bool = False) -> records.ComponentInstance:
    """An instance of that stack."""
    return records.ComponentInstance(
        id=identity,
        estate_id=ESTATE,
        tenant_id=global_id("Tenant", "o", tenant),
        stack_id=global_id("Stack", prefix, tenant),
        type="TERRAFORM",
        name=name,
        abstract=False,
        enabled=True,
        locked=False,
        state="REMOVED" if removed else "FRESH",
        inherits=[],
        labels={},
        unresolved_dependencies=[],
        config_hash="c",
        cost_status="UNKNOWN",
        changed_at=graph_world.EPOCH,
        content_hash="h",
        row_hash="h",
        removed_at=graph_world.EPOCH if removed else None,
    )


def beginning():
    """What every row hangs on."""
    yield records.Organization(id=ORGANIZATION, name="o", currency="USD")
    for tenant in TENANTS:
        yield records.Tenant(id=global_id("Tenant", "o", tenant), organization_id=ORGANIZATION, name=tenant, hidden=False)
    yield records.Estate(
        id=ESTATE, name="e", organization_id=ORGANIZATION, kind="directory", path="/e", ref="main", directory=".",
        writable=False, executor="terraform", removal_limit=50,
    )  # fmt: skip
    yield records.Manifest(
        id=global_id("Manifest", "e", "m"), estate_id=ESTATE, path="stacks/m.yaml", content_hash="h", top_level=True
    )
    yield records.Configuration(hash="c", document={})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def graph(database, config) -> Graph:
    """The graph of a database with all the random graphs and a stack too large to be shown whole."""
    made = [Made(*given) for given in GRAPHS] + [Made(*given, within=True) for given in GRAPHS]
    async with database.session() as session:
        for listed in (beginning(), *(one.rows() for one in made), large()):
            for row in listed:
                session.add(row)
                await session.flush()
        await session.commit()
    return Graph(database, config)


def large():
    """A stack with more instances than an order shows, one after the other in pairs."""
    yield stack("large", "open")
    for number in range(MOST + 3):
        yield instance(global_id("ComponentInstance", "large", str(number)), f"c{number:05}", "large", "open")


async def ask(graph, scope, document, **variables):
    """The data of an answer without errors."""
    response = await graph.execute(document, variables, None, scope)
    answer = json.loads(response.body)
    assert "errors" not in answer, answer
    return answer["data"]


EVERYTHING = """query($id: ID!, $after: String, $kind: DependencyKind) { node(id: $id) { ... on ComponentInstance {
  %s(first: 7, after: $after, kind: $kind, transitive: true) {
    totalCount pageInfo { hasNextPage endCursor } edges { depth kind via node { id name } } } } } }"""


async def reached(graph, scope, identity, field, kind):
    """All that is reached from an instance, page by page: (depth, name, id), and the total that the pages tell."""
    found, after = [], None
    while True:
        data = await ask(graph, scope, EVERYTHING % field, id=identity, after=after, kind=kind)
        if data["node"] is None:
            return None, 0
        page = data["node"][field]
        found += page["edges"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found, page["totalCount"]


@pytest.mark.parametrize("given", GRAPHS, ids=str)
async def test_what_is_reached_is_what_a_graph_library_reaches(given, graph) -> None:
    """Each instance once at its least depth, in the order of depth and name, for either direction, each kind, and for whoever looks."""
    made = Made(*given)
    for scope, sees in ((SYSTEM, True), (LIMITED, False)):
        for kind in (None, "DECLARED"):
            known = made.graph(sees=sees, kind=kind)
            for field, walked in (("dependsOn", known), ("dependents", known.reverse())):
                for identity in list(known)[::3]:
                    found, total = await reached(graph, scope, identity, field, kind)
                    depths = nx.single_source_shortest_path_length(walked, identity)
                    del depths[identity]
                    assert {edge["node"]["id"]: edge["depth"] for edge in found} == depths
                    assert [(edge["depth"], edge["node"]["name"]) for edge in found] == sorted(
                        (edge["depth"], edge["node"]["name"]) for edge in found
                    )
                    assert total == len(depths)
                    assert kind is None or all(edge["kind"] == kind for edge in found)


ORDER = "query($name: String!) { stack(name: $name) { applyOrder { truncated cycles levels { id } } } }"


@pytest.mark.parametrize("given", GRAPHS, ids=str)
async def test_levels_are_those_of_pythons_own_sorter(given, graph) -> None:
    """As far as rings allow; every ring that is told is one, and each knot of the graph is told once."""
    made = Made(*given, within=True)
    known = made.graph(sees=True)
    sorter = graphlib.TopologicalSorter({one: set(known.successors(one)) for one in known})
    try:
        sorter.prepare()
    except graphlib.CycleError:
        assert not nx.is_directed_acyclic_graph(known)
    levels = []
    while ready := sorter.get_ready():
        levels.append(set(ready))
        sorter.done(*ready)
    order = (await ask(graph, SYSTEM, ORDER, name=f"{made.prefix}-open"))["stack"]["applyOrder"]
    assert [{one["id"] for one in level} for level in order["levels"]] == levels
    assert not order["truncated"]
    knots = [knot for knot in nx.strongly_connected_components(known) if len(knot) > 1]
    ids = {f"c{number:03}": identity for number, identity in enumerate(made.tenant_of)}
    rings = [[ids[name] for name in ring] for ring in order["cycles"]]
    assert len(rings) == len(knots)
    for ring in rings:
        assert all(known.has_edge(one, other) for one, other in zip(ring, [*ring[1:], ring[0]], strict=True))
        assert sum(set(ring) <= knot for knot in knots) == 1


async def test_an_order_shows_a_thousand_instances_and_says_so(graph) -> None:
    """The rest is left out, and the answer tells."""
    order = (await ask(graph, SYSTEM, ORDER, name="large-open"))["stack"]["applyOrder"]
    assert order["truncated"]
    assert sum(map(len, order["levels"])) == MOST


async def test_orders_of_a_page_take_three_statements(graph, database) -> None:
    """The page, the orders of all its stacks, and what is shown of all their instances: however many stacks and levels there are."""
    asked = []
    original = database.reader.fetch_rows

    async def counting(*arguments, **options):
        asked.append(arguments[0])
        return await original(*arguments, **options)

    database.reader.fetch_rows = counting
    try:
        data = await ask(graph, SYSTEM, "{ stacks(first: 15) { nodes { name applyOrder { levels { name stack { name } } } } } }")
    finally:
        del database.reader.fetch_rows
    assert len(asked) == 3
    for stack in data["stacks"]["nodes"]:
        assert all(one["stack"]["name"] == stack["name"] for level in stack["applyOrder"]["levels"] for one in level)


async def test_orders_below_orders_are_answered(graph) -> None:
    """A computed field stands below a computed field, under several keys, with everything that fields may do."""
    data = await ask(
        graph,
        SYSTEM,
        """query($name: String!, $no: Boolean!) { stack(name: $name) { first: applyOrder { __typename levels { ...on Node { id } } }
        applyOrder { truncated @include(if: $no) levels { name stack { applyOrder { cycles again: levels { id } } } } } } }""",
        name="g0w-open",
        no=False,
    )
    stack = data["stack"]
    assert stack["first"]["__typename"] == "ApplyOrder"
    assert "truncated" not in stack["applyOrder"]
    inner = stack["applyOrder"]["levels"][0][0]["stack"]["applyOrder"]
    assert inner["again"] == stack["first"]["levels"]
    assert list(stack) == ["first", "applyOrder"]


async def test_many_asking_at_once_get_their_own(graph) -> None:
    """Runs of one plan share nothing."""
    names = [f"g{seed}w-open" for seed in range(8)] * 2
    answers = await asyncio.gather(
        *(
            ask(graph, SYSTEM, "query($n: String!) { stack(name: $n) { name applyOrder { levels { stack { name } } } } }", n=name)
            for name in names
        )
    )
    for name, data in zip(names, answers, strict=True):
        assert data["stack"]["name"] == name
        assert all(one["stack"]["name"] == name for level in data["stack"]["applyOrder"]["levels"] for one in level)


async def test_a_null_climbs_out_of_a_computed_value(graph, database, config) -> None:
    """What must be there and isn't takes away what holds it, up to the nearest place that may be null, and says where it was."""
    followed = SOURCES["component_instance"]
    broken = replace(followed, relations=dict(followed.relations) | {"stack": replace(followed.relations["stack"], on="false")})
    planted = Graph(database, config, sources=SOURCES | {"component_instance": broken})
    document = '{ viewer { id } stack(name: "g0w-open") { name applyOrder { levels { name stack { name } } } } }'
    response = await planted.execute(document, {}, None, SYSTEM)
    answer = json.loads(response.body)
    assert answer["data"] == {"viewer": None, "stack": None}
    first = answer["errors"][0]
    assert first["path"] == ["stack", "applyOrder", "levels", 0, 0, "stack"]
    assert first["message"] == "Cannot return null for non-nullable field ComponentInstance.stack."


REFUSED = {
    "BAD_USER_INPUT": '{ stack(name: "g0w-open") { applyOrder { levels { dependsOn(after: "nonsense") { totalCount } } } } }',
    "TOO_MANY_NODES": "{ stacks(first: 100) { nodes { applyOrder { levels { dependsOn(first: 100) { nodes { id } } } } } } }",
}


@pytest.mark.parametrize(("code", "document"), REFUSED.items(), ids=REFUSED)
async def test_what_is_wrong_below_a_computed_field_is_refused_before_anything_runs(code, document, graph) -> None:
    """Cursors are checked and rows are counted there too."""
    response = await graph.execute(document, {}, None, SYSTEM)
    assert response.is_request_error
    assert response.code == code


async def test_plans_with_computed_fields_serve_other_values(graph) -> None:
    """Values of variables below a computed field are those of the run."""
    document = """query($name: String!, $first: Int) { stack(name: $name) { applyOrder { levels { id dependsOn(first: $first) { nodes { id } } } } } }"""
    shown = []
    for first in (100, 0, 1):
        data = await ask(graph, SYSTEM, document, name="g5w-open", first=first)
        found = [one for level in data["stack"]["applyOrder"]["levels"] for one in level]
        shown.append({one["id"]: len(one["dependsOn"]["nodes"]) for one in found})
    whole, none, one = shown
    assert max(whole.values()) > 1
    assert set(none.values()) == {0}
    assert one == {identity: min(count, 1) for identity, count in whole.items()}
