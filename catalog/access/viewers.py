"""Remember whom tokens belong to for as long as nobody changed who may what.

Looking a token up costs a tenth of a millisecond, a good part of a small query. Triggers on the tables of access tell every
process on the channel `catalog_access` when a token is revoked or a principal, a grant or a membership changes; then everything is
forgotten. While that can't be heard nothing is remembered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from catalog.access import tokens
from catalog.records import Scope
from catalog.store import notify
from catalog.store.database import Database

_CHANNEL = "catalog_access"
_LONGEST = 60.0  # seconds: a token's use is noted once a minute, so it is looked up as often
_MOST = 10_000


class Viewers:
    """The viewers that one process remembers, inside `hearing`; outside it every token is looked up."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[bytes, tuple[Scope, float]] = {}
        self._hears = False
        self._changes = 0
        self.on_change: Callable[[], None] = lambda: None  # called when somebody may see more or less than before

    async def authenticate(self, secret: str) -> Scope:
        """Return the scope of a token's principal, as `tokens.authenticate` does; raises Unauthenticated."""
        key = tokens.hashed(secret)
        known = self._known.get(key)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        changes = self._changes
        admission = await tokens.admit(self._database, secret)
        # What was read before a change was heard of is not worth remembering.
        if self._hears and changes == self._changes:
            if len(self._known) >= _MOST:
                self._known.clear()
            lifetime = _LONGEST if admission.left is None else min(_LONGEST, admission.left)
            self._known[key] = (admission.scope, time.monotonic() + lifetime)
        return admission.scope

    @asynccontextmanager
    async def hearing(self) -> AsyncIterator[None]:
        """Hear of changes, and so remember, until the block ends."""
        following = asyncio.create_task(notify.follow(self._database, _CHANNEL, heard=self._forget, connected=self._connected))
        try:
            yield
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    def _connected(self, hears: bool) -> None:
        self._hears = hears
        self._forget()

    def _forget(self, _message: str = "") -> None:
        self._changes += 1
        self._known.clear()
        self.on_change()
