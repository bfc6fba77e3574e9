"""Waking who waits for events: one LISTEN for all waiters of a process, and the places in the sequences of events.

Rows are the truth: a waiter reads what stands behind its place, then waits. A message may be lost and a connection too, so that
waiters are woken whenever something may have been missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

from catalog.store import notify
from catalog.store.database import Database

CHANNEL = "catalog_live"
RUNS = "runs"
CHANGES = "changes"

# The last number of a sequence; a sequence of requests is one for each of them.
_RUNS = "select coalesce(max(sequence), 0)::int8 from index_run_event"
_CHANGES = "select coalesce(max(number), 0) from change"
_REQUEST = "select catalog_last_event($1)::int8"


def of_request(request_id: str) -> str:
    """The topic of a request's events."""
    return f"request:{request_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which sequence: that of a topic, and for a request's its id."""

    topic: str
    request_id: str | None = None


async def last(database: Database, place: Place) -> int:
    """The last number of a sequence, 0 before the first; read where events are written."""
    async with database.connection() as connection:
        if place.request_id is not None:
            found = await connection.fetchval(_REQUEST, place.request_id)
        else:
            found = await connection.fetchval(_RUNS if place.topic == RUNS else _CHANGES)
    return int(found)


class Bell:
    """Rings for one waiter."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the waiter, now or as soon as it waits."""
        self._rung.set()

    def silence(self) -> None:
        """Forget what rang so far: what it told of is read now."""
        self._rung.clear()

    async def wait(self, seconds: float) -> None:
        """Return when it rings, or after so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)


class Bells:
    """The bells of one process. They ring inside `hearing`; outside it who waits looks by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bells: dict[str, set[Bell]] = {}

    @contextmanager
    def bell(self, topic: str) -> Iterator[Bell]:
        """A bell that rings when there are events of a topic, or when some may have been missed, as long as the block lasts."""
        bell = Bell()
        others = self._bells.setdefault(topic, set())
        others.add(bell)
        try:
            yield bell
        finally:
            others.discard(bell)
            if not others and self._bells.get(topic) is others:
                del self._bells[topic]

    def ring_all(self) -> None:
        """Wake everybody: something that concerns all has changed, or something may have been missed."""
        for bells in self._bells.values():
            for bell in bells:
                bell.ring()

    @asynccontextmanager
    async def hearing(self) -> AsyncIterator[None]:
        """Listen until the block ends."""
        following = asyncio.create_task(
            notify.follow(self._database, CHANNEL, heard=self._heard, connected=lambda _: self.ring_all())
        )
        try:
            yield
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    def _heard(self, topic: str) -> None:
        for bell in self._bells.get(topic, ()):
            bell.ring()
