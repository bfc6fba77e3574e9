"""The queue: jobs say what to look at, rows say what to do. pgqueuer's tables in our own Postgres.

A job is put in the same transaction as the rows it is about, wakes a worker within milliseconds by NOTIFY, and is delivered at
least once: when its worker dies (kill -9), another gets it after the heartbeat limit. So handlers must bear a second delivery, and
whatever may not happen twice is guarded by rows. Attempts that killed their worker are not counted here; steps count their own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.store.database import Database

Handler = Callable[[dict[str, Any]], Awaitable[None]]

# A waiting job is locked while it stands in for another: the worker skips it until the rows that both are about are committed.
_WAITING = """
select id from pgqueuer where entrypoint = $1 and status = 'queued' and headers ->> 'dedupe' = $2 and execute_after <= now()
order by id limit 1 for update
"""
# As pgqueuer itself puts jobs, without the half second that its import takes: only workers need the rest of it.
_ENQUEUE = """
with job as (
    insert into pgqueuer (priority, entrypoint, payload, headers, status, execute_after)
    values (0, $1, $2, $3::jsonb, 'queued', now() + $4) returning id, entrypoint, priority
)
insert into pgqueuer_log (job_id, status, entrypoint, priority) select id, 'queued', entrypoint, priority from job
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much is worked on at a time, and when a worker counts as dead.

    At most `at_once` (two or more) jobs run in this process, and at most `limits[kind]` of a kind in all processes together. A job
    whose process shows no sign of life for `heartbeat` goes to another.
    """

    at_once: int = 4
    limits: Mapping[str, int] = field(default_factory=dict)
    heartbeat: timedelta = timedelta(seconds=15)


_ORDINARY = Pace()


async def enqueue(
    connection: asyncpg.Connection | AsyncSession,
    kind: str,
    payload: dict[str, Any],
    *,
    dedupe: str | None = None,
    after: timedelta = timedelta(0),
) -> None:
    """Put a job into the caller's transaction: it exists when, and only if, that commits.

    With `dedupe`, a job of that key that waits already is enough; one that is being worked on is not, since it may have read
    the rows before they changed. `after` holds the job back for a while.
    """
    raw = await driver(connection)
    if dedupe is not None and after == timedelta(0) and await raw.fetchval(_WAITING, kind, dedupe) is not None:
        return
    headers = None if dedupe is None else json.dumps({"dedupe": dedupe})
    await raw.execute(_ENQUEUE, kind, json.dumps(payload).encode(), headers, after)


async def consume(database: Database, handlers: Mapping[str, Handler], shutdown: asyncio.Event, *, pace: Pace = _ORDINARY) -> None:
    """Hand jobs to the handler of their kind until `shutdown` is set, then finish those begun and return.

    A handler's error is logged and the job tried again, five times in all, later each time. When the database goes away this waits
    until it is back.
    """
    from catalog.store import consumer  # noqa: PLC0415  (pgqueuer takes half a second to import, and only workers need it)

    await consumer.consume(database, handlers, shutdown, pace)


async def driver(connection: asyncpg.Connection | AsyncSession) -> asyncpg.Connection:
    """Return the driver's connection of a session, inside the session's transaction; a driver's connection as it is."""
    if not isinstance(connection, AsyncSession):
        return connection
    own = await connection.connection()
    # The transaction begins in Postgres with the first statement that goes through SQLAlchemy.
    await own.exec_driver_sql("select 1")
    return (await own.get_raw_connection()).driver_connection
