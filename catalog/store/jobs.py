"""The queue: jobs say what to look at, rows say what to do. pgqueuer's tables in our own Postgres.

A job is put in the same transaction as the rows it is about, wakes a worker within milliseconds by NOTIFY, and is delivered at
least once: when its worker dies (kill -9), another gets it after the heartbeat limit. So handlers must bear a second delivery, and
whatever may not happen twice is guarded by rows. Attempts that killed their worker are not counted here; steps count their own.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import DBSettings, QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.domain.types import Channel
from sqlalchemy.ext.asyncio import AsyncSession

from catalog import errors
from catalog.store import connecting
from catalog.store.database import Database

Handler = Callable[[dict[str, Any]], Awaitable[None]]

_log = logging.getLogger("catalog.jobs")
_CHANNEL = "ch_pgqueuer"
_POLL = timedelta(seconds=5)  # NOTIFY wakes, this guarantees; jobs of the dead are found by it too
_ATTEMPTS = 5
_LONGEST_DELAY = 60  # seconds between attempts
_RECONNECT = 1.0  # seconds between attempts to reach a database that is away
# A waiting job is locked while it stands in for another: the worker skips it until the rows that both are about are committed.
_WAITING = """
select id from pgqueuer where entrypoint = $1 and status = 'queued' and headers ->> 'dedupe' = $2 order by id limit 1 for update
"""


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
    raw = await _raw(connection) if isinstance(connection, AsyncSession) else connection
    if dedupe is not None and after == timedelta(0) and await raw.fetchval(_WAITING, kind, dedupe) is not None:
        return
    headers = None if dedupe is None else {"dedupe": dedupe}
    await _queries(raw).enqueue(kind, json.dumps(payload).encode(), execute_after=after, headers=headers)


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


async def consume(database: Database, handlers: Mapping[str, Handler], shutdown: asyncio.Event, *, pace: Pace = _ORDINARY) -> None:
    """Hand jobs to the handler of their kind until `shutdown` is set, then finish those begun and return.

    A handler's error is logged and the job tried again, five times in all, later each time. When the database goes away this waits
    until it is back.
    """
    while not shutdown.is_set():
        try:
            connection = await database.direct_connection()
        except errors.Unavailable as error:
            _log.warning("%s", error)
            await _pause(shutdown)
            continue
        try:
            await _consume(connection, handlers, shutdown, pace)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError) as error:
            if not connecting.is_lost(error):
                raise
            _log.warning("the queue's connection was lost: %s", error)
            await _pause(shutdown)
        finally:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                await connection.close(timeout=5)


async def _consume(connection: asyncpg.Connection, handlers: Mapping[str, Handler], shutdown: asyncio.Event, pace: Pace) -> None:
    manager = QueueManager(_queries(connection), channel=Channel(_CHANNEL))
    for kind, handler in handlers.items():
        manager.entrypoint(kind, concurrency_limit=pace.limits.get(kind, 0), accepts_context=False)(_entry(handler))
    # An idle manager would notice a closed connection only at its next poll.
    connection.add_termination_listener(lambda _: manager.shutdown.set())
    passing_on = asyncio.create_task(_pass_on(shutdown, manager.shutdown))
    try:
        await manager.run(
            dequeue_timeout=min(_POLL, pace.heartbeat),
            batch_size=1,
            max_concurrent_tasks=max(pace.at_once, 2),
            heartbeat_timeout=pace.heartbeat,
        )
    finally:
        passing_on.cancel()


def _entry(handler: Handler) -> Callable[[Job], Awaitable[None]]:
    async def entry(job: Job) -> None:
        payload = json.loads(job.payload or b"{}")
        try:
            await handler(payload)
        except Exception as error:
            if job.attempts + 1 >= _ATTEMPTS:
                raise  # pgqueuer logs it and keeps the traceback in pgqueuer_log
            delay = min(2**job.attempts, _LONGEST_DELAY)
            _log.warning("%s %s failed, to be tried again in %d s: %s", job.entrypoint, payload, delay, error, exc_info=error)
            raise RetryRequested(timedelta(seconds=delay), str(error)) from error

    return entry


async def _raw(session: AsyncSession) -> asyncpg.Connection:
    """Return the driver's connection of a session, inside the session's transaction."""
    connection = await session.connection()
    # The transaction begins in Postgres with the first statement that goes through SQLAlchemy.
    await connection.exec_driver_sql("select 1")
    return (await connection.get_raw_connection()).driver_connection


def _queries(connection: asyncpg.Connection) -> Queries:
    settings = _settings()
    return Queries(
        AsyncpgDriver(connection),
        qbe=QueryBuilderEnvironment(settings),
        qbq=_builder(),
        qbs=QuerySchedulerBuilder(settings),
    )


@cache
def _builder() -> QueryQueueBuilder:
    return QueryQueueBuilder(_settings())


@cache
def _settings() -> DBSettings:
    """Return pgqueuer's names as the migration made them: by itself it would read variables as common as CHANNEL or TRIGGER."""
    return DBSettings(
        prefix="",
        db_schema=None,
        channel=Channel(_CHANNEL),
        function="fn_pgqueuer_changed",
        statistics_table="pgqueuer_statistics",
        queue_status_type="pgqueuer_status",
        queue_table="pgqueuer",
        queue_table_log="pgqueuer_log",
        trigger="tg_pgqueuer_changed",
        schedules_table="pgqueuer_schedules",
    )


async def _pass_on(shutdown: asyncio.Event, to: asyncio.Event) -> None:
    await shutdown.wait()
    to.set()


async def _pause(shutdown: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(shutdown.wait(), _RECONNECT)
