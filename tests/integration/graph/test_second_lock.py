"""Two locks, told apart and compared: the rules that compiled statements carry, and the policies of the tables."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import graph_walks
import pytest
import pytest_asyncio
from graph_past import Reader, Store
from graph_reference import TABLES
from graphql import GraphQLObjectType, is_introspection_type

from catalog import records
from catalog.graph import declarations
from catalog.graph.compiler import declaration, source_of
from catalog.graph.execution import Graph
from catalog.store import locked
from catalog.store.compile import SOURCES
from catalog.store.compile.source import ToOne, everyone

# Rows that no viewer is shown through the second lock, and why.
UNREAD = {
    "idempotency": "answers kept for a replay",
    "policy_bundle": "the whole text of policies: what is shown of it is a policy",
    "policy_input": "what policies judged: nothing of it is shown",
    "policy_run": "how far policies have judged: the catalog's own",
    "report_role": "roles of the database",
    "search_entry": "texts of all tenants: search is compiled alone",
    "search_word": "words of all tenants",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def store(graph, database) -> Store:
    """Every row, in memory."""
    return await Store.load(database)


async def test_every_table_is_locked(graph, database) -> None:
    """A table has a policy, or nobody but the catalog itself reads it."""
    async with database.connection() as connection:
        found = await connection.fetch(
            """select c.relname as name, c.relrowsecurity as locked,
                 exists (select from pg_policy p where p.polrelid = c.oid) as ruled,
                 has_any_column_privilege('catalog_viewer', c.oid, 'select') as read,
                 has_table_privilege('catalog_viewer', c.oid, 'insert, update, delete, truncate') as written
               from pg_class c where c.relname = any($1) and c.relnamespace = current_schema()::regnamespace""",
            list(records.metadata.tables),
        )
    assert {row["name"] for row in found} == set(records.metadata.tables)
    assert [row["name"] for row in found if not row["locked"] or row["written"]] == []
    assert {row["name"] for row in found if not row["read"]} == set(UNREAD)
    assert [row["name"] for row in found if row["read"] and not row["ruled"]] == []


async def test_the_role_has_no_way_around_its_policies(graph, database) -> None:
    """It can't log in, owns no table and isn't let past row-level security."""
    async with database.connection() as connection:
        role = await connection.fetchrow("select * from pg_roles where rolname = 'catalog_viewer'")
        owned = await connection.fetchval(
            "select count(*) from pg_class where relkind in ('r', 'p') and relowner = 'catalog_viewer'::regrole"
        )
    assert not any(role[name] for name in ("rolsuper", "rolbypassrls", "rolcanlogin", "rolcreaterole", "rolcreatedb"))
    assert owned == 0


@pytest.mark.parametrize("table", sorted(set(TABLES) - set(UNREAD)))
async def test_a_policy_shows_the_rows_that_the_rule_shows(table, graph, world, store, database) -> None:
    """Table by table and viewer by viewer, the policy admits what the reference's rule does."""
    judged = 0
    for name, scope in world.viewers().items():
        reader = Reader(store, scope)
        rule = OF_TABLE.get(table, lambda reader, row: reader.sees(row))
        expected = sorted(_key(table, row.data) for row in store.rows[TABLES[table]] if rule(reader, row))
        async with locked.reading(database, scope) as connection:
            shown = ", ".join(f'"{column}"' for column in _columns(table))
            found = sorted(_key(table, row) for row in await connection.fetch(f'select {shown} from "{table}"'))
        assert found == expected, name
        judged += len(expected)
    assert judged, "nobody sees anything: the table has no rows to judge by"


def _columns(table: str) -> list[str]:
    keys = [column.name for column in records.metadata.tables[table].primary_key]
    return keys or list(records.metadata.tables[table].columns.keys())


def _key(table, row) -> str:
    return json.dumps([str(row[column]) for column in _columns(table)])


def _through(source: str, column: str):
    """Rows that are seen with the one that a column names."""
    return lambda reader, row: reader.sees(next(one for one in reader.store.rows[source] if one["id"] == row[column]))


def _both(*rules):
    return lambda reader, row: all(rule(reader, row) for rule in rules)


def _own(reader, row) -> bool:
    return reader.scope.is_admin or row["principal_id"] == reader.scope.principal_id


# What the graph shows only below something else follows that.
OF_TABLE = {
    "person": _through("team", "team_id"),
    "approval": _through("provisioning_request", "request_id"),
    "request_step": _through("provisioning_request", "request_id"),
    "step_log": _through("provisioning_request", "request_id"),
    "service_component": _through("service", "service_id"),
    "service_instance_component": _through("component_instance", "instance_id"),
    "estate_remote": _through("estate", "estate_id"),
    "application": _through("service_instance", "service_instance_id"),
    "manifest_import": _through("manifest", "manifest_id"),
    "dependency": _both(_through("component_instance", "source_id"), _through("component_instance", "target_id")),
    "cost_item": _through("cost_estimate", "estimate_id"),
    "principal_grant": _own,
    "team_member": _own,
    "exchange_rate": lambda reader, _row: bool(reader.scope.grants),
    "kpi_point": lambda reader, _row: bool(reader.scope.grants),
    "config": lambda reader, row: (
        reader.all or any(reader.sees(one) for one in reader.store.where("component_instance", config_hash=row["hash"]))
    ),
}


# ── every field, both ways ───────────────────────────────────────────────────────────────────────────────────────────────

WALKS = graph_walks.connections()
# What is told of rows out of sight on purpose: how many there are, or that there are some. The second lock knows nothing of them.
OF_HIDDEN = frozenset({"ComponentInstance.hiddenDependencies", "CostSummary.partial"})
# What needs files, or is worked out by a function that brings rules of its own.
COMPUTED = frozenset({"ComponentInstance.provenance", "Stack.applyOrder"})
# What is summed over rows in sight, but found through rows (a stack, a service instance) that others may own.
THROUGH_OTHERS = frozenset(
    {"ComponentInstance.cost", "ServiceInstance.cost", "Environment.cost", "Service.cost", "Service.scorecard"}
)
# Lists that the second lock doesn't open at all, and why.
CLOSED = {
    "Query.search": "entries hold texts of all tenants",
    "Query.accessTokens": "a list reads whole rows, and by what a token is known is nobody's to read",
    "ComponentInstance.costHistory": "a version is judged by who owned it then, not by who sees it now",
}


def _names_above() -> frozenset[str]:
    """Fields that show what a row stands in. Whoever sees a row sees those names; the second lock judges each row by itself."""
    return frozenset(
        f"{kind.name}.{name}"
        for kind in graph_walks.SCHEMA.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind)
        for name, made in kind.fields.items()
        if isinstance(read := declaration(made), declarations.One)
        and isinstance(
            edge := SOURCES[source].relations.get(read.relation) if (source := source_of(kind)) in SOURCES else None, ToOne
        )
        and edge.proven
        and edge.rows is None
    )


LEFT_OUT = OF_HIDDEN | COMPUTED | THROUGH_OTHERS | _names_above()


class LockedReader:
    """Answers compiled statements as a reader does, under the second lock alone."""

    def __init__(self, database) -> None:
        self._database = database
        self.scope: records.Scope

    async def fetch_text(self, sql, arguments=(), **_options) -> bytes:
        async with locked.reading(self._database, self.scope) as connection:
            return (await connection.fetchval(sql, *arguments)).encode()


class LockedDatabase:
    """A database of which compiled statements are read under the second lock alone."""

    def __init__(self, database) -> None:
        self.reader = self.primary_reader = LockedReader(database)


@pytest.fixture(scope="module")
def unruled(graph, database, config) -> Graph:
    """A graph whose statements carry no rule at all: whatever it leaves out, the policies leave out."""
    open_sources = {name: replace(source, visible=everyone, by_tenant=False) for name, source in SOURCES.items()}
    return Graph(LockedDatabase(database), config, sources=open_sources)


@pytest_asyncio.fixture(loop_scope="session")
async def names_above(request, graph, database) -> AsyncIterator[None]:
    """Show what rows take from things above them, where the list isn't one of these: the currency, and who asked."""
    listed = {source_of(graph_walks.shown_by(kind.fields[field])) for kind, field in WALKS[request.param].steps}
    is_report = any(field == "costReport" for _, field in WALKS[request.param].steps)  # in the currency of organisations in sight
    opened = [] if is_report else sorted({"organization", "principal"} - listed)
    async with database.connection() as connection:
        for table in opened:
            await connection.execute(f"create policy name_above on {table} for select to catalog_viewer using (true)")
        yield
        for table in opened:
            await connection.execute(f"drop policy name_above on {table}")


@pytest.mark.parametrize(
    ("name", "names_above"), [(name, name) for name in sorted(set(WALKS) - set(CLOSED))], indirect=["names_above"]
)
@pytest.mark.usefixtures("names_above")
async def test_both_locks_show_the_same(name, graph, unruled, world) -> None:
    """Every field of every list, asked by every viewer: rules without policies answer as policies without rules do."""
    kind, field = WALKS[name].steps[-1]
    shown = graph_walks.selection(graph_walks.shown_by(kind.fields[field]), left_out=LEFT_OUT)
    document = WALKS[name].document(shown, pages="first: 20", outer="first: 5")
    for viewer, scope in world.viewers().items():
        unruled.database.reader.scope = scope
        first, second = [await one.execute(document, None, None, scope) for one in (graph, unruled)]
        assert json.loads(second.body) == json.loads(first.body), viewer
