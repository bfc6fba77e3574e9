"""LISTEN and NOTIFY: a message wakes whoever listens at that moment; it may be lost, so listeners look for themselves too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import asyncpg
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from catalog import errors
from catalog.store.database import Database

_RECONNECT = 1.0  # seconds between attempts to reach a database that is away


async def send(connection: asyncpg.Connection | AsyncSession, channel: str, payload: str = "") -> None:
    """Tell the listeners of a channel, when the caller's transaction commits. A payload has 8,000 bytes at most."""
    if isinstance(connection, AsyncSession):
        await connection.execute(select(func.pg_notify(channel, payload)))
    else:
        await connection.execute("select pg_notify($1, $2)", channel, payload)


async def listen(database: Database, channel: str, *, every: float | None = None) -> AsyncGenerator[str | None, None]:
    """Yield each message of a channel as it comes, on a connection of its own, until the caller stops.

    Yields None when it has just begun to listen (again), since something may have been missed until then, and when nothing came for
    `every` seconds: look for yourself. Wrap it in `contextlib.aclosing`, so that the connection ends with the loop.
    """
    while True:
        try:
            connection = await database.direct_connection()
        except errors.Unavailable:
            await asyncio.sleep(_RECONNECT)
            continue
        messages: asyncio.Queue[str | None] = asyncio.Queue()
        gone = asyncio.Event()
        connection.add_termination_listener(lambda _, gone=gone, messages=messages: (gone.set(), messages.put_nowait(None)))
        try:
            await connection.add_listener(channel, lambda *message, messages=messages: messages.put_nowait(message[-1]))
            yield None
            while not gone.is_set():
                try:
                    message = await asyncio.wait_for(messages.get(), every)
                except TimeoutError:
                    message = None
                if not gone.is_set():
                    yield message
        except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, ConnectionError):
            continue
        finally:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                await connection.close(timeout=5)
