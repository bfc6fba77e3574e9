"""Two locks, told apart and compared: the rules that compiled statements carry, and the policies of the tables."""

from __future__ import annotations

import json

import pytest
import pytest_asyncio
from graph_past import Reader, Store
from graph_reference import TABLES

from catalog import records
from catalog.store import locked

# Rows that no viewer is shown through the second lock, and why.
UNREAD = {
    "estate_remote": "the catalog's own note of when to look at a remote again",
    "idempotency": "answers kept for a replay",
    "policy_bundle": "the whole text of policies: what is shown of it is a policy",
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
    """It can't log in, owns nothing and isn't let past row-level security."""
    async with database.connection() as connection:
        role = await connection.fetchrow("select * from pg_roles where rolname = 'catalog_viewer'")
        owned = await connection.fetchval("select count(*) from pg_class where relowner = 'catalog_viewer'::regrole")
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
    "service_instance_component": _both(
        _through("service_instance", "service_instance_id"), _through("component_instance", "instance_id")
    ),
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
