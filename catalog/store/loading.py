"""Writes many rows at once, their foreign keys proven for all of them together instead of row by row.

Postgres looks up each reference of each row that is written: at a hundred thousand instances that costs more than writing them. Where
the server lets its user say so (the embedded one does), these look-ups are left out inside `together`, and one look for each foreign
key afterwards proves what they would have: every row that this transaction wrote refers to a row, which stays there until it ends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import ForeignKeyConstraint
from sqlmodel import SQLModel

from catalog.store import tables

# From so many rows on the proof is cheaper than the look-ups.
MANY = 2000


@asynccontextmanager
async def together(
    connection: asyncpg.Connection, record: type[SQLModel], rows: int, sure: Collection[type[SQLModel]] = ()
) -> AsyncIterator[None]:
    """Insert rows of a table, or update them, inside; nothing is deleted there. Only inside a transaction.

    Triggers that aren't meant for replicas don't fire meanwhile. Raises ForeignKeyViolationError when a row refers to nothing; `sure`
    is as in `prove`.
    """
    if rows < MANY or not await is_allowed(connection):
        yield
        return
    await leave_out(connection)
    yield
    await resume(connection)
    await prove(connection, (record,), sure)


async def is_allowed(connection: asyncpg.Connection) -> bool:
    """Whether the server lets us leave out its look-ups, and they aren't left out already."""
    allowed: bool = await connection.fetchval(
        "select current_setting('is_superuser') = 'on' and current_setting('session_replication_role') <> 'replica'"
    )
    return allowed


async def leave_out(connection: asyncpg.Connection) -> None:
    """Leave out the look-ups of this transaction from now on."""
    await connection.execute("set local session_replication_role = replica")


async def resume(connection: asyncpg.Connection) -> None:
    """Let the server look up references again."""
    await connection.execute("set local session_replication_role = origin")


async def prove(connection: asyncpg.Connection, records: Collection[type[SQLModel]], sure: Collection[type[SQLModel]] = ()) -> None:
    """Prove the foreign keys of the rows that this transaction wrote into some tables; raises ForeignKeyViolationError.

    Keys into tables that are `sure` are left out: the rows were written together with what they refer to, or copied from it.
    """
    known = {tables.of(record).name for record in sure}
    for record in records:
        for constraint in record.__table__.foreign_key_constraints:  # type: ignore[attr-defined]
            if constraint.referred_table.name not in known:
                await _prove(connection, constraint)


async def _prove(connection: asyncpg.Connection, constraint: ForeignKeyConstraint) -> None:
    """See that what the transaction's rows refer to is there, and lock it, as the look-ups would."""
    table, referred = constraint.table.name, constraint.referred_table.name
    pairs = [(element.parent.name, element.column.name) for element in constraint.elements]
    mine = ", ".join(f't."{name}"' for name, _ in pairs)
    given = " and ".join(f't."{name}" is not null' for name, _ in pairs)
    same = " and ".join(f't."{name}" = r."{other}"' for name, other in pairs)
    wanted = f'(select distinct {mine} from "{table}" t where t.xmin = pg_current_xact_id()::xid and {given})'
    theirs = ", ".join(f'r."{other}"' for _, other in pairs)
    await connection.execute(f'select from "{referred}" r where ({theirs}) in {wanted} for key share of r')
    if await connection.fetchval(
        f'select exists (select from {wanted} t where not exists (select from "{referred}" r where {same}))'
    ):
        raise asyncpg.ForeignKeyViolationError(f'a row of "{table}" violates {constraint.name}')
