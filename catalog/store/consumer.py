"""The worker's end of the queue, on pgqueuer: dequeue, heartbeat, retry and good order at the end. `jobs` is the door to it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cache

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import DBSettings, QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.domain.types import Channel

from catalog import errors
from catalog.store import connecting
from catalog.store.database import Database
from catalog.store.jobs import Handler, Pace

_log = logging.getLogger("catalog.jobs")
_CHANNEL = "ch_pgqueuer"
_POLL = timedelta(seconds=5)  # NOTIFY wakes, this guarantees; jobs of the dead are found by it too
_ATTEMPTS = 5
_LONGEST_DELAY = 60  # seconds between attempts
_RECONNECT = 1.0  # seconds between attempts to reach a database that is away


async def consume(database: Database, handlers: Mapping[str, Handler], shutdown: asyncio.Event, pace: Pace) -> None:
    """As `jobs.consume` says; this is where it happens."""
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
