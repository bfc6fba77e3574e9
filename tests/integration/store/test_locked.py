"""The second lock where the catalog isn't a superuser, behind roles of dashboards, and against who pretends."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio

from catalog.config import Config
from catalog.records import ANONYMOUS, SYSTEM, GrantScope, PrincipalKind, Role, Scope
from catalog.store import locked, migrations
from catalog.store.database import Database

_ROWS = """
insert into organization (id, name, title, currency) values ('org_1', 'acme', 'Acme', 'USD');
insert into tenant (id, organization_id, name, hidden) values ('ten_1', 'org_1', 'one', false), ('ten_2', 'org_1', 'two', false);
insert into environment (id, organization_id, tenant_id, name, kind)
  values ('env_1', 'org_1', 'ten_1', 'dev', 'DEVELOPMENT'), ('env_2', 'org_1', 'ten_2', 'dev', 'DEVELOPMENT');
insert into principal (id, name, email, kind, created_at) values ('pri_1', 'one', 'one@acme.test', 'SERVICE', now());
insert into principal_grant (principal_id, role, tenants, seeded) values ('pri_1', 'VIEWER', '{ten_1}', false);
"""
_SHOWN = "select id from environment order by id"
ONE = Scope(
    principal_id="pri_1",
    name="one",
    email="one@acme.test",
    kind=PrincipalKind.SERVICE,
    grants=(GrantScope(role=Role.VIEWER, teams=None, tenants=frozenset({"ten_1"})),),
)


def _as(url: str, user: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:secret@{parts.netloc.rpartition('@')[2]}"))


@pytest_asyncio.fixture(loop_scope="session")
async def owned(new_database, tmp_path) -> Database:
    """A database whose owner may make roles and nothing more."""
    url, name = await new_database(migrated=False), f"owner_{uuid.uuid4().hex[:8]}"
    admin = await asyncpg.connect(url)
    await admin.execute(
        f"create role {name} login password 'secret' createrole; alter schema public owner to {name};"
        f" alter database {await admin.fetchval('select current_database()')} owner to {name}"
    )
    if await admin.fetchval("select exists (select from pg_roles where rolname = 'catalog_viewer')"):
        await admin.execute(f"grant catalog_viewer to {name} with admin option")
    for role in ("catalog_report",):
        if await admin.fetchval("select exists (select from pg_roles where rolname = $1)", role):
            await admin.execute(f"grant {role} to {name} with admin option")
    database = await Database.open(Config(home=tmp_path, database_url=_as(url, name)))
    await migrations.upgrade(database)
    async with database.connection() as connection:
        await connection.execute(_ROWS)
    yield database
    await database.close()
    await admin.close()


async def _seen(database, scope) -> list[str]:
    async with locked.reading(database, scope) as connection:
        return [row["id"] for row in await connection.fetch(_SHOWN)]


async def test_an_owner_without_privileges_reads_for_viewers(owned) -> None:
    """Rows follow the viewer of the transaction; the next one on the same connection begins with none."""
    assert await _seen(owned, SYSTEM) == ["env_1", "env_2"]
    assert await _seen(owned, ONE) == ["env_1"]
    assert await _seen(owned, ANONYMOUS) == []
    async with owned.connection() as connection:
        assert len(await connection.fetch(_SHOWN)) == 2
        assert await connection.fetchval("select current_setting('catalog.viewer', true)") in ("", None)


async def test_nothing_is_written_through_the_lock(owned) -> None:
    """The role only reads, and can't make itself another."""
    for statement in (
        "update environment set name = 'x'",
        "delete from environment",
        "insert into policy_bundle values ('x', '{}')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with locked.reading(owned, SYSTEM) as connection:
                await connection.execute(statement)


async def test_who_has_the_role_without_being_the_catalog_sees_nothing_whatever_it_says(owned) -> None:
    """Only a role that is bound to a principal sees rows, and those of that principal, not of whom it names."""
    name = f"dashboard_{uuid.uuid4().hex[:8]}"
    async with owned.connection() as connection:
        await connection.execute(f"create role {name} login password 'secret'; grant catalog_viewer to {name}")
    outside = await asyncpg.connect(_as(owned.config.database_url, name))
    try:
        await outside.execute("set role catalog_viewer")
        await outside.fetchval("select set_config('catalog.viewer', $1, false)", locked.viewer(SYSTEM))
        assert await outside.fetch(_SHOWN) == []
        async with owned.connection() as connection:
            await connection.execute("insert into report_role (name, principal_id) values ($1, 'pri_1')", name)
        assert [row["id"] for row in await outside.fetch(_SHOWN)] == ["env_1"]
        async with owned.connection() as connection:
            await connection.execute("update principal set disabled_at = now() where id = 'pri_1'")
        assert await outside.fetch(_SHOWN) == []
    finally:
        await outside.close()
