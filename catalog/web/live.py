"""What both ways of subscribing share: how many subscriptions a viewer may have, and who asks at each moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from catalog import errors
from catalog.access.viewers import Viewers
from catalog.graph import faults
from catalog.graph.faults import Rejected
from catalog.records import Scope
from catalog.store.database import Database
from catalog.store.live import Bells

PER_VIEWER = 20
PER_CONNECTION = 10
PATIENCE = 30.0  # seconds that a client may take to take an event


class Live:
    """The subscriptions of one process: woken inside `hearing`, counted by viewer."""

    def __init__(self, database: Database, viewers: Viewers) -> None:
        self.bells = Bells(database)
        self._viewers = viewers
        self._open: Counter[str | None] = Counter()
        viewers.on_change = self.bells.ring_all

    @asynccontextmanager
    async def hearing(self) -> AsyncIterator[None]:
        """Wake who waits for events, until the block ends."""
        async with self.bells.hearing():
            yield

    @contextmanager
    def admitted(self, scope: Scope) -> Iterator[None]:
        """Count a subscription of a viewer as long as the block lasts; raises Rejected for one too many."""
        who = scope.principal_id
        if self._open[who] >= PER_VIEWER:
            raise too_many(f"{PER_VIEWER} subscriptions are open", PER_VIEWER)
        self._open[who] += 1
        try:
            yield
        finally:
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]

    async def viewer(self, secret: str) -> Scope:
        """Return whose token it is, by what holds now; raises Unauthenticated for one that was revoked or has ended."""
        return await self._viewers.authenticate(secret)


def too_many(what: str, limit: int) -> Rejected:
    """The refusal of a subscription beyond a limit."""
    return Rejected(faults.error("TOO_MANY_SUBSCRIPTIONS", f"{what} already, that is the most", limit=limit))


def as_rejected(error: errors.CatalogError) -> Rejected:
    """An expected failure as the errors of an operation."""
    return Rejected(faults.error(error.code, error.message, **({"hint": error.hint} if error.hint else {})))
