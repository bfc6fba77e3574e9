"""The log of a running step: lines come in one by one, rows go out in batches, followers are woken by each."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from catalog.records import LogStream
from catalog.store import requests as rows
from catalog.store.database import Database

_PAUSE = 0.2  # seconds between batches: quick enough to watch, seldom enough for a chatty program
_BATCH = 500
_LONGEST = 8_000  # characters of one line


class StepLog:
    """A sink for the lines of one step; use it as a context, which writes what is left at its end."""

    def __init__(self, database: Database, request_id: str, ordinal: int) -> None:
        self._database, self._request_id, self._ordinal = database, request_id, ordinal
        self._lines: list[tuple[datetime, str, str]] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, stream: str, text: str) -> None:
        """Take text of a stream (STDOUT, STDERR, SYSTEM), line by line."""
        now = datetime.now(UTC)
        for line in text.rstrip("\n").split("\n"):
            self._lines.append((now, str(LogStream(stream)), line[:_LONGEST]))

    async def say(self, text: str) -> None:
        """Take a line of our own."""
        await self(LogStream.SYSTEM, text)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._write_now_and_then())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.flush()

    async def flush(self) -> None:
        """Write everything taken so far."""
        while self._lines:
            batch, self._lines = self._lines[:_BATCH], self._lines[_BATCH:]
            await rows.append_log(self._database, self._request_id, self._ordinal, batch)

    async def _write_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            # A batch that began is finished: cancelling in the middle would lose its lines or write them twice.
            await asyncio.shield(self.flush())
