"""Where a position stands to what the catalog holds: whether it is the present, the past or aside, and on which line."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import asyncpg

from catalog.config import Config
from catalog.indexer import sources
from catalog.indexer.sources import Position, Standing
from catalog.records import Estate
from catalog.store import index_runs
from catalog.store.index_runs import Last


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a position goes on from what the catalog holds: its standing, its line, and where the line parted from the last one read.

    `fork` is the last position that both have, None where the line goes on as it was.
    """

    standing: Standing
    ref: str
    fork: int | None = None

    def goes_on(self, last: Last) -> bool:
        """Whether the present stays on the line that was read last."""
        return self.standing is Standing.PRESENT and self.fork is None and last.ref == self.ref


async def chart(connection: asyncpg.Connection, estate: Estate, config: Config, position: Position, last: Last | None) -> Course:
    """Find how a position goes on from the last run that told the present."""
    same = last if last is not None and last.ref == position.ref else None
    line = await asyncio.to_thread(sources.line, estate, config, position, same.number if same else position.number or 0)
    if line is None or position.number is None:
        return Course(standing=Standing.PRESENT, ref=position.ref)
    if not line.holds(position.revision, position.number):
        return Course(standing=Standing.ASIDE, ref=str(position.revision))
    if same is not None and line.holds(same.revision, same.number):
        standing = Standing.PAST if position.number < same.number else Standing.PRESENT
        return Course(standing=standing, ref=position.ref)
    fork = None
    if same is not None:
        whole = await asyncio.to_thread(sources.line, estate, config, position)
        known = await index_runs.revisions(connection, estate.id, position.ref)
        fork = max((number for number, revision in known.items() if whole and whole.holds(revision, number)), default=0)
    return Course(standing=Standing.PRESENT, ref=position.ref, fork=fork)
