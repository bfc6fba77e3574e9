"""Reading under the second lock: as the role `catalog_viewer`, which sees what one viewer sees, whatever a statement forgets.

For what reads on behalf of a viewer and isn't compiled. The rules are policies of the tables (0001_visibility.sql), not predicates of
the statement. Who looks is told to the transaction and forgotten with it, so that this holds behind a pooler too.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.records import Scope
from catalog.store.database import Database

ROLE = "catalog_viewer"
# One statement, so that a role without a viewer, or a viewer without the role, is never seen.
_LOOK = "select set_config('catalog.viewer', {viewer}, true), set_config('role', '" + ROLE + "', true)"
_FORGET = "select set_config('role', 'none', true), set_config('catalog.viewer', '', true)"


def viewer(scope: Scope) -> str:
    """What the policies are told of a viewer."""
    grants = [{"role": grant.role, "teams": _listed(grant.teams), "tenants": _listed(grant.tenants)} for grant in scope.grants]
    return json.dumps({"me": scope.principal_id, "grants": grants, "member_of": sorted(scope.member_of)})


@asynccontextmanager
async def reading(database: Database, scope: Scope) -> AsyncIterator[asyncpg.Connection]:
    """Lend a raw connection, inside a transaction, that can only read, and only what a viewer sees."""
    async with database.transaction() as connection:
        await connection.execute(_LOOK.format(viewer="$1"), viewer(scope))
        yield connection


@asynccontextmanager
async def looking(session: AsyncSession, scope: Scope) -> AsyncIterator[None]:
    """Let the statements of a session see what a viewer sees, and write nothing, as long as the block lasts."""
    await session.flush()
    await session.execute(text(_LOOK.format(viewer=":viewer")), {"viewer": viewer(scope)})
    # Should the block fail in the database, the role goes with the transaction.
    yield
    await session.execute(text(_FORGET))


async def seen(session: AsyncSession, scope: Scope, table: str, ids: Iterable[str]) -> frozenset[str]:
    """Return which of some ids a viewer sees rows of; `table` is a name of ours, never a client's."""
    async with looking(session, scope):
        found = await session.scalars(text(f'select id from "{table}" where id = any(:ids)'), {"ids": list(ids)})
    return frozenset(found)


async def fetch_text(database: Database, scope: Scope, sql: str, arguments: Sequence[Any]) -> str:
    """Return the single text value of a compiled statement's single row, read under both locks, where it is written."""
    async with reading(database, scope) as connection:
        value: str = await connection.fetchval(sql, *arguments)
        return value


def _listed(ids: frozenset[str] | None) -> list[str] | None:
    return None if ids is None else sorted(ids)
