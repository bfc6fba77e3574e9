"""Search: what is found, in which order, by whom; and that it follows whatever is written."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from types import SimpleNamespace

import graph_operations
import graph_world
import pytest
import pytest_asyncio
from graph_reference import Store
from test_differential import Differences

from catalog import records
from catalog.config import Config
from catalog.graph.execution import Graph
from catalog.records import SYSTEM
from catalog.store import migrations
from catalog.store.compile import SOURCES
from catalog.store.compile.source import everyone
from catalog.store.database import Database
from catalog.values import global_id

KINDS = ("SERVICE", "COMPONENT", "COMPONENT_INSTANCE", "STACK", "TEAM", "ENVIRONMENT", "PROVISIONING_REQUEST", "WORKFLOW")
DOCUMENT = """query Search($query: String!, $kinds: [SearchKind!], $first: Int, $after: String, $last: Int, $before: String) {
  search(query: $query, kinds: $kinds, first: $first, after: $after, last: $last, before: $before) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { score highlight node { __typename ... on Node { id } } } } } }"""
COUNT = "query Count($query: String!, $kinds: [SearchKind!]) { search(query: $query, kinds: $kinds) { totalCount } }"
ODD = "aé\"'\\&|!:*()<->%_ \t\n«»\u2028💥\x01ß1-/v p c$"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def store(graph, database) -> Store:
    """Every row, in memory."""
    return await Store.load(database)


async def search(graph, viewer, query, **given):
    """The answer to a search."""
    response = await graph.execute(DOCUMENT, {"query": query, **given}, None, viewer)
    answer = json.loads(response.body)
    assert response.ok, answer
    return answer["data"]["search"]


def found(answer):
    """What an answer shows, one word each."""
    return [edge["node"]["highlight"].replace("«", "").replace("»", "") for edge in answer["edges"]]


@pytest.mark.parametrize("query", graph_operations.SEARCHES)
async def test_every_viewer_finds_what_a_plain_search_of_all_rows_finds(query, graph, world, store) -> None:
    """Hits, order, scores, highlights and counts are those of asking each visible thing whether it answers."""
    differences = Differences(graph, store, world.viewers())
    asked = [{"query": query, "first": 100}, *({"query": query, "kinds": [kind], "first": 100} for kind in KINDS)]
    told = [
        different
        for given in asked
        for viewer in differences.viewers
        if (different := await differences.compare(DOCUMENT, given, viewer))
    ]
    assert not told, "\n\n".join(told[:3])
    assert differences.ran == len(asked) * len(differences.viewers)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_kind_without_its_rule_of_visibility_is_noticed(kind, graph, database, config, world, store) -> None:
    """Were a kind's rows shown to everybody, both hits and the bare count would tell."""
    name = kind.lower()
    planted = Graph(database, config, sources=SOURCES | {name: replace(SOURCES[name], visible=everyone)})
    leaking = Differences(planted, store, world.viewers())
    words = ("vpc", "shop", "web", "dev", "plat", "apply", "core", "main", "vault", "ops", "unused", "globex")
    for document in (DOCUMENT, COUNT):
        told = [
            await leaking.compare(document, {"query": word, "kinds": [kind]}, viewer)
            for word in words
            for viewer in leaking.viewers
        ]
        assert any(told), document


@pytest.mark.parametrize("size", [1, 3, 7])
@pytest.mark.parametrize("viewer", ["admin", "plat", "pair"])
@pytest.mark.parametrize("query", ["vpc", "c", "dev plat", "p"])
async def test_pages_forward_and_backward_are_the_list(query, viewer, size, graph, world) -> None:
    """Page after page, from either end, shows every hit once, in the same order."""
    scope = world.viewers()[viewer]
    whole = await search(graph, scope, query, first=100)
    ids = [edge["node"]["node"]["id"] for edge in whole["edges"]]
    assert whole["totalCount"] == len(ids) == len(set(ids))
    for size_of, cursor_of, end, more in (
        ("first", "after", "endCursor", "hasNextPage"),
        ("last", "before", "startCursor", "hasPreviousPage"),
    ):
        pages, cursor = [], None
        while True:
            page = await search(graph, scope, query, **{size_of: size, cursor_of: cursor})
            assert page["totalCount"] == len(ids)
            shown = [edge["node"]["node"]["id"] for edge in page["edges"]]
            pages = [*pages, *shown] if size_of == "first" else [*shown, *pages]
            cursor = page["pageInfo"][end]
            if not page["pageInfo"][more]:
                break
        assert pages == ids


async def test_a_cursor_belongs_to_its_words_and_kinds(graph, world) -> None:
    """A cursor of another query or of other kinds is refused."""
    viewer = world.viewers()["admin"]
    cursor = (await search(graph, viewer, "vpc", first=1))["pageInfo"]["endCursor"]
    for given in ({"query": "rds"}, {"query": "vpc", "kinds": ["STACK"]}):
        response = await graph.execute(DOCUMENT, {**given, "first": 1, "after": cursor}, None, viewer)
        assert response.is_request_error


async def test_no_input_is_an_error(graph, world) -> None:
    """Whatever is typed is answered: operators, quotes, control characters, letters of any kind, texts without end."""
    rnd, viewer = random.Random(5), world.viewers()["admin"]
    texts = ["".join(rnd.choices(ODD, k=rnd.randint(1, 30))) for _ in range(300)]
    for text in (*texts, '"', '""', '" "', "a" * 5_000, "a b " * 2_000, '"a ' * 1_000, "\ud7ff", "İ", "ﷺ" * 900):
        await search(graph, viewer, text, first=3)
    assert (await search(graph, viewer, " - ", first=3))["totalCount"] == 0


def service(slug, title, description=None):
    """A public service of acme."""
    return records.Service(
        id=global_id("Service", "acme", slug),
        organization_id=global_id("Organization", "acme"),
        slug=slug,
        title=title,
        description=description,
        lifecycle="PRODUCTION",
        tags=[],
        public=True,
        source="SEEDS",
    )


@pytest_asyncio.fixture(loop_scope="session")
async def other(fresh_database):
    """A world of a test's own, to write in: `world`, `graph`, `add(rows)`, `write(statement)`, `count(query, kind)`."""
    world = graph_world.World()
    await graph_world.load(fresh_database, world)
    graph = Graph(fresh_database, fresh_database.config)

    async def add(*rows):
        async with fresh_database.session() as session:
            session.add_all(rows)
            await session.commit()

    async def write(statement):
        async with fresh_database.connection() as connection:
            await connection.execute(statement)

    async def find(query, kind=None, viewer="admin"):
        return await search(graph, world.viewers()[viewer], query, kinds=kind and [kind])

    async def count(query, kind, viewer="admin"):
        return (await find(query, kind, viewer))["totalCount"]

    return SimpleNamespace(world=world, add=add, write=write, find=find, count=count, database=fresh_database)


async def test_better_answers_come_first(other) -> None:
    """The exact name, then names that begin so, then those that have the word, then texts that have it, then misspelled ones."""
    await other.add(
        service("grafana-cloud", "Hosted"),
        service("zz-text", "Text", "runs Grafana"),
        service("my-grafana", "Mine"),
        service("gradana", "Wrong"),
        service("grafana", "The one"),
    )
    answer = await other.find("Grafana")
    assert found(answer) == ["The one (grafana)", "Hosted (grafana-cloud)", "Mine (my-grafana)", "runs Grafana", "Wrong (gradana)"]
    scores = [edge["node"]["score"] for edge in answer["edges"]]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1


READINGS = {
    "letters of any size": ("GRAFANA", True),
    "accents": ("gráfâna", True),
    "a beginning": ("graf", True),
    "an end": ("fana", False),
    "one letter wrong": ("grafena", True),
    "two letters exchanged": ("garfana", True),
    "a letter left out": ("grafna", True),
    "a short word is not guessed at": ("clod", False),
    "words in any order": ("cloud grafana", True),
    "every word must be there": ("grafana moon", False),
    "a name as it is written": ("grafana-cloud", True),
    "a name with other separators": ("Grafana_Cloud", True),
    "a phrase": ('"grafana cloud"', True),
    "a phrase the other way round": ('"cloud grafana"', False),
    "a phrase is no beginning": ('"grafana clo"', False),
    "a phrase and a word": ('"the pictures" graf', True),
    "a quote that is not closed": ('"grafana', True),
}


@pytest.mark.parametrize(("query", "expected"), READINGS.values(), ids=READINGS)
async def test_queries_are_read_as_people_mean_them(query, expected, grafana) -> None:
    """Each way to write a query finds the service or doesn't."""
    assert (await grafana.count(query, "SERVICE") == 1) is expected


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def grafana(new_database, tmp_path_factory):
    """A catalog with one service."""
    database = await Database.open(Config(home=tmp_path_factory.mktemp("grafana"), database_url=await new_database()))
    async with database.session() as session:
        session.add(records.Organization(id=global_id("Organization", "acme"), name="acme", currency="USD"))
        await session.flush()
        session.add(service("grafana-cloud", "Hosted", "For the pictures"))
        await session.commit()
    graph = Graph(database, database.config)

    async def count(query, kind):
        return (await search(graph, SYSTEM, query, kinds=[kind]))["totalCount"]

    yield SimpleNamespace(count=count)
    await database.close()


async def test_search_follows_every_write(other) -> None:
    """What is inserted, changed, removed or deleted, by whichever statement, is found, or not, at once."""
    teams = sum(isinstance(row, records.Team) for row in other.world.rows)
    assert await other.count("lighthouse", "TEAM") == 0
    await other.write("update team set title = 'Lighthouse keepers'")
    assert await other.count("lighthouse", "TEAM") == teams
    await other.write("update team set title = slug")
    assert await other.count("lighthouse", "TEAM") == 0

    before = await other.count("vpc", "COMPONENT_INSTANCE")
    await other.write(
        "update component_instance set removed_at = now() where id = (select min(id) from component_instance"
        " where name = 'vpc' and removed_at is null)"
    )
    assert await other.count("vpc", "COMPONENT_INSTANCE") == before - 1
    await other.write("update stack set removed_at = now() where name = 'twin'")
    assert await other.count("twin", "STACK") == 0

    await other.write("update component set description = 'Lighthouses' where name in ('eks', 'gone')")
    assert await other.count("lighthouse", "COMPONENT") == 2  # of eks; what was removed is not found
    await other.write("update provisioning_request set justification = 'for the lighthouse' where number = 1")
    assert await other.count("lighthouse", "PROVISIONING_REQUEST") == 1
    assert await other.count("apply", "WORKFLOW") == 2
    await other.write("delete from workflow where name = 'apply'")
    assert await other.count("apply", "WORKFLOW") == 0


async def test_a_stack_that_moves_takes_its_instances_along(other) -> None:
    """When a stack gets another tenant, viewers of that one find its instances, and viewers of the former one no longer."""
    plat, main = (other.world.tenants[name] for name in ("plat", "main"))
    stack = next(row for row in other.world.stacks if row.tenant_id == plat and row.removed_at is None)
    kept = next(row for row in other.world.instances if row.stack_id == stack.id and row.removed_at is None)
    await other.add(
        records.ComponentInstance(
            **kept.model_dump(exclude={"id", "name", "cost_estimate_id"}),
            id=global_id("ComponentInstance", "wanderer"),
            name="wanderer",
        )
    )
    seen = []
    for _ in range(2):
        seen.append([await other.count("wanderer", "COMPONENT_INSTANCE", viewer) for viewer in ("plat", "main")])
        await other.write(f"update stack set tenant_id = '{main}' where id = '{stack.id}'")
    assert seen == [[1, 0], [0, 1]]


async def test_what_says_the_same_is_not_written_again(other) -> None:
    """Writing a row without changing its words leaves its entry alone: writing costs what has changed."""
    entries = "select string_agg(ctid::text || xmin, ' ' order by kind, key) from search_entry"
    async with other.database.connection() as connection:
        before = await connection.fetchval(entries)
        for table in (
            "service",
            "stack",
            "component",
            "team",
            "environment",
            "workflow",
            "provisioning_request",
            "component_instance",
        ):
            await connection.execute(f"update {table} set id = id")
        assert await connection.fetchval(entries) == before


async def test_without_trigrams_everything_but_misspelling_is_found(other, caplog) -> None:
    """A server without pg_trgm is told of in the log; words and their beginnings are found as ever."""
    await other.add(service("grafana", "The one"))
    await other.write("drop extension pg_trgm cascade")
    await migrations.upgrade(other.database)
    assert "pg_trgm" in caplog.text
    assert await other.count("graf", "SERVICE") == 1
    assert await other.count("grafena", "SERVICE") == 0
    await other.add(service("prometheus", "Another"))
    assert await other.count("prom", "SERVICE") == 1


async def test_a_search_is_one_statement_planned_once(graph, world) -> None:
    """Rows are found within a window, whoever asks for what: one plan serves all."""
    for viewer in world.viewers().values():
        statement, _ = await graph.statement(DOCUMENT, {"query": "a"}, None, viewer)
        assert statement.generic
