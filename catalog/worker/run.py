"""One worker process: jobs from the queue, and every few seconds a look at the rows for requests that nobody advances.

    index_estate     {run_id}        → indexer
    advance_request  {request_id}    → provisioning

The first look, at the start, is what takes over from workers that died: it finds their RUNNING steps and runs. Beside, remotes are
polled (polling.py), and what index runs wrote is judged by the policies of the estates.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

from catalog import executors
from catalog.config import Config
from catalog.engines import hcl, rego
from catalog.engines.template import Engine
from catalog.errors import CatalogError, Conflict, Unavailable
from catalog.indexer import compliance, redaction
from catalog.indexer import run as indexing
from catalog.indexer.reading import Memory
from catalog.notifications import AppriseChannel, Channel
from catalog.provisioning import advance
from catalog.provisioning.context import Context
from catalog.store import jobs, run_queue
from catalog.store import requests as rows
from catalog.store.database import Database
from catalog.worker import polling

_log = logging.getLogger(__name__)

_LOOK = 5.0  # seconds between looks at the rows: NOTIFY wakes, this guarantees
_TOGETHER = 4  # requests advanced at a time by one worker

Progress = Callable[[int, int, str], None]


class Index(Protocol):
    """Indexes estates, with what this process keeps between runs."""

    def __call__(self, estate: str, revision: str | None, run_id: str | None = None) -> Awaitable[None]:
        """Index an estate at a revision (None: where its branch is), as the queued run of that id if there is one."""


async def run(
    database: Database,
    config: Config,
    shutdown: asyncio.Event,
    progress: Progress | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    channel: Channel | None = None,
) -> None:
    """Work until `shutdown` is set, then claim nothing more, finish what has begun and return.

    `progress` is told how far indexing is; `environment` is the process' own, for the programs that executors start.
    """
    index = _indexer(database, config, progress)
    context = Context(
        database=database,
        config=config,
        executor_for=lambda name: executors.choose(name, environment),
        reindex=index,
        channel=channel or AppriseChannel(),
        redaction_key=await asyncio.to_thread(redaction.read_key, config.redaction_key_file),
    )
    handlers = {run_queue.JOB: _index(database, index), "advance_request": _advance(context)}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(jobs.consume(database, handlers, shutdown))
        tasks.create_task(_look_now_and_then(context, shutdown))
        tasks.create_task(polling.poll(database, config, shutdown))
        tasks.create_task(_judge_now_and_then(database, config, shutdown))


def _indexer(database: Database, config: Config, progress: Progress | None) -> Index:
    """Return what indexes an estate: with one memory, so that reading again costs what changed, and with the engine it needs."""
    memory, templates = Memory(), Engine(config.cache)

    async def index(estate: str, revision: str | None, run_id: str | None = None) -> None:
        engine = await asyncio.to_thread(hcl.open_prepared, config.cache)
        report = await indexing.index(
            database,
            config,
            estate,
            revision=revision,
            progress=progress,
            engine=engine,
            templates=templates,
            memory=memory,
            run_id=run_id,
        )
        if report.error is not None:
            raise report.error
        if report.held_reason is not None:
            _log.warning("the index of %s is held (run %s): %s", estate, report.run_id, report.held_reason)

    return index


def _index(database: Database, index: Index) -> jobs.Handler:
    async def handle(payload: dict[str, Any]) -> None:
        run_id = payload["run_id"]
        async with database.connection() as connection:
            asked = await run_queue.find(connection, run_id)
        if asked is None or asked.state in run_queue.DONE:
            return
        try:
            await index(asked.estate, asked.revision, run_id)
        except Conflict as error:
            _log.info("%s", error)  # another delivery of this job was faster
        except Unavailable as error:
            await _fail(database, run_id, error)
            raise  # what doesn't answer may do so later
        except CatalogError as error:
            await _fail(database, run_id, error)
            _log.warning("the index of %s failed (run %s): %s", asked.estate, run_id, error)

    return handle


async def _fail(database: Database, run_id: str, error: CatalogError) -> None:
    """Write what kept a run from beginning; one that had begun has said so itself."""
    async with database.connection() as connection:
        await run_queue.fail(connection, run_id, str(error))


def _advance(context: Context) -> jobs.Handler:
    async def handle(payload: dict[str, Any]) -> None:
        await advance.advance(context, payload["request_id"])

    return handle


async def _look_now_and_then(context: Context, shutdown: asyncio.Event) -> None:
    """Advance what is due, a few requests at a time, whoever forgot to say so."""
    places = asyncio.Semaphore(_TOGETHER)
    taken: set[str] = set()
    async with asyncio.TaskGroup() as tasks:
        while not shutdown.is_set():
            for request_id in await _due(context):
                if request_id not in context.active | taken:
                    taken.add(request_id)
                    task = tasks.create_task(_advance_quietly(context, request_id, places, shutdown))
                    task.add_done_callback(partial(_forget, taken, request_id))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(shutdown.wait(), _LOOK)


async def _judge_now_and_then(database: Database, config: Config, shutdown: asyncio.Event) -> None:
    """Judge instances by the policies of their estates, behind each index run."""
    engine = rego.RegoEngine(config.cache)
    while not shutdown.is_set():
        try:
            await compliance.judge_all(database, config, engine)
        except CatalogError as error:
            _log.warning("%s", error)
        except Exception:  # noqa: BLE001 — the next look tries again
            _log.exception("instances could not be judged")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(shutdown.wait(), _LOOK)


def _forget(taken: set[str], request_id: str, _: asyncio.Task[None]) -> None:
    taken.discard(request_id)


async def _due(context: Context) -> list[str]:
    """The requests that nobody advances; runs that nobody works on are seen to on the way."""
    try:
        async with context.database.connection() as connection:
            await run_queue.repair(connection)
        async with context.database.session() as session:
            return await rows.due(session)
    except CatalogError as error:
        _log.warning("%s", error)
        return []


async def _advance_quietly(context: Context, request_id: str, places: asyncio.Semaphore, shutdown: asyncio.Event) -> None:
    """Advance one request; what goes wrong is logged, and the next look tries again."""
    async with places:
        if shutdown.is_set():
            return
        try:
            await advance.advance(context, request_id)
        except CatalogError as error:
            _log.warning("request %s could not be advanced: %s", request_id, error)
        except Exception:  # noqa: BLE001 — one request's trouble is not the others'
            _log.exception("request %s could not be advanced", request_id)
