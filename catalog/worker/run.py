"""One worker process: jobs from the queue, and every few seconds a look at the rows for requests that nobody advances.

    index_estate     {estate, revision?}   → indexer
    advance_request  {request_id}          → provisioning

The first look, at the start, is what takes over from workers that died: it finds their RUNNING steps.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from catalog import executors
from catalog.config import Config
from catalog.engines import hcl
from catalog.engines.template import Engine
from catalog.errors import CatalogError
from catalog.indexer import redaction
from catalog.indexer import run as indexing
from catalog.indexer.reading import Memory
from catalog.notifications import AppriseChannel, Channel
from catalog.provisioning import advance
from catalog.provisioning.context import Context
from catalog.store import jobs
from catalog.store import requests as rows
from catalog.store.database import Database

_log = logging.getLogger(__name__)

_LOOK = 5.0  # seconds between looks at the rows: NOTIFY wakes, this guarantees
_TOGETHER = 4  # requests advanced at a time by one worker

Progress = Callable[[int, int, str], None]
Reindex = Callable[[str, str | None], Awaitable[None]]


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
    context = Context(
        database=database,
        config=config,
        executor_for=lambda name: executors.choose(name, environment),
        reindex=_indexer(database, config, progress),
        channel=channel or AppriseChannel(),
        redaction_key=await asyncio.to_thread(redaction.read_key, config.redaction_key_file),
    )
    handlers = {"index_estate": _index(context), "advance_request": _advance(context)}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(jobs.consume(database, handlers, shutdown))
        tasks.create_task(_look_now_and_then(context, shutdown))


def _indexer(database: Database, config: Config, progress: Progress | None) -> Reindex:
    """Return what indexes an estate: with one memory, so that reading again costs what changed, and with the engine it needs."""
    memory, templates = Memory(), Engine(config.cache)

    async def reindex(estate: str, revision: str | None) -> None:
        engine = await asyncio.to_thread(hcl.open_prepared, config.cache)
        report = await indexing.index(
            database, config, estate, revision=revision, progress=progress, engine=engine, templates=templates, memory=memory
        )
        if report.error is not None:
            raise report.error
        if report.held_reason is not None:
            _log.warning("the index of %s is held: %s", estate, report.held_reason)

    return reindex


def _index(context: Context) -> jobs.Handler:
    async def handle(payload: dict[str, Any]) -> None:
        await context.reindex(payload["estate"], payload.get("revision"))

    return handle


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


def _forget(taken: set[str], request_id: str, _: asyncio.Task[None]) -> None:
    taken.discard(request_id)


async def _due(context: Context) -> list[str]:
    try:
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
