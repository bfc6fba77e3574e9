"""What polling knows of estates' remotes, as rows: when each is asked next, and what it said."""

from __future__ import annotations

import asyncpg
from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from catalog.records import Estate

# Whoever moves the time on has taken the remote; one that another worker is just taking is left to it.
_TAKE = text(
    """
    insert into estate_remote (estate_id, next_at, failures)
    select e.id, now() + :lease * interval '1 second', 0 from estate e
    left join estate_remote r on r.estate_id = e.id
    where e.poll is not null and e.url is not null and coalesce(r.next_at, '-infinity') <= now()
    on conflict (estate_id) do update set next_at = excluded.next_at where estate_remote.next_at <= now()
    returning estate_id, failures
    """
).bindparams(bindparam("lease"))


async def take_due(session: AsyncSession, lease: float) -> list[tuple[Estate, int]]:
    """Take the remotes that are due, each for `lease` seconds: the estates, and how often each has failed in a row. The caller commits."""
    taken = {row.estate_id: row.failures for row in await session.execute(_TAKE, {"lease": lease})}
    if not taken:
        return []
    found = await session.scalars(select(Estate).where(col(Estate.id).in_(taken)).order_by(Estate.name))
    return [(estate, taken[estate.id]) for estate in found]


async def answered(connection: asyncpg.Connection, estate_id: str, revision: str, wait: float) -> None:
    """Write where a remote's branch is; it is asked again after `wait` seconds."""
    await connection.execute(
        """update estate_remote set asked_at = now(), revision = $2, failures = 0, error = null,
        next_at = now() + $3 * interval '1 second' where estate_id = $1""",
        estate_id,
        revision,
        wait,
    )


async def failed(connection: asyncpg.Connection, estate_id: str, error: str, wait: float) -> None:
    """Write that a remote didn't answer, and why; it is asked again after `wait` seconds."""
    await connection.execute(
        """update estate_remote set asked_at = now(), failures = failures + 1, error = $2,
        next_at = now() + $3 * interval '1 second' where estate_id = $1""",
        estate_id,
        error,
        wait,
    )
