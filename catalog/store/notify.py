"""LISTEN and NOTIFY: a message wakes whoever listens at that moment; it may be lost, so listeners look for themselves too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
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


async def follow(database: Database, channel: str, *, heard: Callable[[str], None], connected: Callable[[bool], None]) -> None:
    """Call `heard` for each message of a channel as it comes, on a connection of its own, until cancelled.

    `connected(True)` when listening has begun (again), `connected(False)` the moment that the connection is lost.
    """
    while True:
        try:
            connection = await database.direct_connection()
        except errors.Unavailable:
            await asyncio.sleep(_RECONNECT)
            continue
        lost = asyncio.Event()

        def ended(_: object, lost: asyncio.Event = lost) -> None:
            lost.set()
            connected(False)

        connection.add_termination_listener(ended)
        try:
            await connection.add_listener(channel, lambda *message: heard(message[-1]))
            connected(True)
            await lost.wait()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError):
            await asyncio.sleep(_RECONNECT)
        finally:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                await connection.close(timeout=5)


async def listen(database: Database, channel: str, *, every: float | None = None) -> AsyncGenerator[str | None, None]:
    """Yield each message of a channel as it comes, until the caller stops.

    Yields None when listening has begun or was interrupted, since something may have been missed, and when nothing came for `every`
    seconds: look for yourself. Wrap it in `contextlib.aclosing`, so that the connection ends with the loop.
    """
    messages: asyncio.Queue[str | None] = asyncio.Queue()
    following = asyncio.create_task(
        follow(database, channel, heard=messages.put_nowait, connected=lambda _: messages.put_nowait(None))
    )
    try:
        while True:
            try:
                yield await asyncio.wait_for(messages.get(), every)
            except TimeoutError:
                yield None
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
