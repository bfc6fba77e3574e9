"""Asks the remotes of estates where their branches are, and for a run of the indexer when that is news.

However many workers poll, one of them asks at a time: whoever takes a remote first moves its next time on. A remote that fails is
asked again later each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random

from catalog.config import Config
from catalog.errors import CatalogError
from catalog.indexer import estates
from catalog.records import Estate, IndexRunState
from catalog.store import remotes, run_queue
from catalog.store.database import Database
from catalog.store.run_queue import Latest

_log = logging.getLogger(__name__)

_LOOK = 1.0  # seconds between looks for remotes that are due
_LONGEST = 900.0  # seconds between attempts at a remote that fails
_SPREAD = 0.1  # so far, up or down, waits are from even, so that remotes aren't asked all at once
_RETRY = 10  # intervals until a revision whose run failed is tried again
_LEASE = 120.0  # seconds that asking may take before another worker tries


async def poll(database: Database, config: Config, shutdown: asyncio.Event) -> None:
    """Poll until `shutdown` is set."""
    while not shutdown.is_set():
        try:
            async with database.session() as session:
                due = await remotes.take_due(session, _LEASE)
                await session.commit()
            await asyncio.gather(*(_ask(database, config, estate, failures) for estate, failures in due))
        except CatalogError as error:
            _log.warning("%s", error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(shutdown.wait(), _LOOK)


async def _ask(database: Database, config: Config, estate: Estate, failures: int) -> None:
    interval = float(estate.poll or 0)
    try:
        tip = await asyncio.to_thread(estates.repository(config, estate).remote_head)
    except CatalogError as error:
        _log.warning("the remote of %s can't be asked (%d times now): %s", estate.name, failures + 1, error)
        async with database.transaction() as connection:
            await remotes.failed(connection, estate.id, str(error), wait(interval, failures + 1))
        return
    async with database.transaction() as connection:
        await remotes.answered(connection, estate.id, tip, wait(interval, 0))
        if is_news(await run_queue.latest_run(connection, estate.id), tip, interval):
            await run_queue.ask(connection, estate.id)


def wait(interval: float, failures: int) -> float:
    """Seconds until a remote is asked again: about the interval, twice as long after each failure, up to a quarter of an hour."""
    longer = min(interval * 2.0 ** min(failures, 20), max(_LONGEST, interval)) if failures else interval
    return longer * random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311 — spreads, guards nothing


def is_news(latest: Latest | None, tip: str, interval: float) -> bool:
    """Whether a branch at `tip` calls for a run, given the latest one; what failed there is tried again only after a while."""
    if latest is None or latest.revision != tip:
        return True
    return latest.state is IndexRunState.FAILED and latest.seconds > _RETRY * interval
