"""Run the compiled read statements: SQL text and parameters in, the response's bytes out.

Two pools, since one kind of plan does not serve all: statements that are provably bounded run on generic plans (planned once for
any parameters), the rest on custom plans (planned for these parameters). Statements are named and kept per connection, at most
128 of them (about 0.2 MB each in the server). Connections are handed out last in, first out, without the reset round trip: the
session is read-only and nothing is ever set in it. Text columns arrive as bytes, undecoded, ready for the socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import asyncpg

from catalog import errors
from catalog.store import connecting

_TIMEOUT = "3s"
_GENERIC = {"plan_cache_mode": "force_generic_plan"}
_CUSTOM = {"plan_cache_mode": "force_custom_plan"}
_READ_ONLY = {"default_transaction_read_only": "on", "statement_timeout": _TIMEOUT}

# Of a list that is read as a whole: for one batch of it, and for a reader that doesn't take it.
_PATIENCE = "60s"
_STREAMING = f"set local statement_timeout = '{_PATIENCE}'; set local idle_in_transaction_session_timeout = '{_PATIENCE}'"

Connect = Callable[[Mapping[str, str]], Awaitable[asyncpg.Connection]]


class Reader:
    """The two pools of read connections of one process."""

    def __init__(self, address: connecting.Address, connect: Connect, *, size: int = 8) -> None:
        self._address = address
        self._custom = _Pool(connect, {**_READ_ONLY, **_CUSTOM}, size)
        # Behind a pooler nothing is named and nothing is set: there is only one kind of connection.
        self._generic = self._custom if address.pooled else _Pool(connect, {**_READ_ONLY, **_GENERIC}, size)

    async def fetch_text(self, sql: str, arguments: Sequence[Any] = (), *, generic: bool, key: str = "") -> bytes:
        """Return the single text value of a statement's single row, as UTF-8.

        `generic` says that the statement is bounded whatever its parameters; `key` names it in errors. A lost connection is tried
        once more. Raises Unavailable (code TIMEOUT when the statement took longer than three seconds).
        """
        rows = await self.fetch_rows(sql, arguments, generic=generic, key=key)
        value: bytes = rows[0][0]
        return value

    async def fetch_rows(self, sql: str, arguments: Sequence[Any] = (), *, generic: bool, key: str = "") -> list[asyncpg.Record]:
        """Return the rows of a statement; text values are bytes. Errors as in `fetch_text`."""
        pool = self._generic if generic else self._custom
        try:
            return await self._fetch(pool, sql, arguments)
        except asyncpg.QueryCanceledError as error:
            raise errors.Unavailable(
                f"the database did not answer {key or 'the query'} within {_TIMEOUT}", code="TIMEOUT", hint="ask for less at once"
            ) from error

    async def _fetch(self, pool: _Pool, sql: str, arguments: Sequence[Any]) -> list[asyncpg.Record]:
        try:
            return await pool.fetch(sql, arguments)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError) as error:
            if not connecting.is_lost(error):
                raise
        pool.forget()  # what lay idle is as old as the lost one
        with connecting.translating(self._address):
            return await pool.fetch(sql, arguments)

    async def stream(self, sql: str, arguments: Sequence[Any] = (), *, size: int, key: str = "") -> AsyncGenerator[list[bytes]]:
        """Yield the texts of a statement's rows, so many at a time, on a connection of its own; close the iterator to give it back.

        All of them are of one moment, however long they take. Memory holds two batches: the next is read while one is used. Raises
        Unavailable as `fetch_text` does, and when whoever reads has paused for too long.
        """
        with connecting.translating(self._address):
            connection = await self._custom.open()
            try:
                # Set within the transaction, which is all that a pooler leaves to us.
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    await connection.execute(_STREAMING)
                    cursor = await connection.cursor(sql, *arguments)
                    async with aclosing(_ahead(cursor, size)) as batches:
                        async for rows in batches:
                            yield [row[0] for row in rows]
            except asyncpg.QueryCanceledError as error:
                message = f"the database did not answer {key or 'the query'} within {_PATIENCE}"
                raise errors.Unavailable(message, code="TIMEOUT", hint="ask for less at once") from error
            finally:
                connection.terminate()  # nothing was written, and a cursor in the middle has nothing to finish

    @asynccontextmanager
    async def connection(self, *, generic: bool) -> AsyncIterator[asyncpg.Connection]:
        """Lend one read connection, for EXPLAIN and for looking at its statements."""
        pool = self._generic if generic else self._custom
        async with pool.connection() as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._custom.close()
        await self._generic.close()


async def _ahead(cursor: Any, size: int) -> AsyncGenerator[list[asyncpg.Record]]:
    """Yield a cursor's rows, so many at a time, and fetch the next ones meanwhile."""
    coming = asyncio.create_task(cursor.fetch(size))
    try:
        while rows := await coming:
            coming = asyncio.create_task(cursor.fetch(size))
            yield rows
    finally:
        # The connection must be at rest for whatever comes after.
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


class _Pool:
    """Connections that are taken from the top of a pile and put back there."""

    def __init__(self, connect: Connect, settings: Mapping[str, str], size: int) -> None:
        self._connect = connect
        self._settings = settings
        self._idle: list[asyncpg.Connection] = []
        self._free = asyncio.Semaphore(size)

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> list[asyncpg.Record]:
        # The hot path: as `connection` below, without the cost of a context manager.
        async with self._free:
            connection = self._take() or await self.open()
            try:
                rows: list[asyncpg.Record] = await connection.fetch(sql, *arguments)
            except BaseException as error:
                self._put_back(connection, error)
                raise
            self._idle.append(connection)
            return rows

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        async with self._free:
            connection = self._take() or await self.open()
            try:
                yield connection
            except BaseException as error:
                self._put_back(connection, error)
                raise
            self._idle.append(connection)

    def forget(self) -> None:
        while self._idle:
            self._idle.pop().terminate()

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()

    def _take(self) -> asyncpg.Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    def _put_back(self, connection: asyncpg.Connection, error: BaseException) -> None:
        """Keep a connection on which Postgres reported an error; throw one away that was cancelled or broke in the middle.

        What the server still sends on such a one must not reach the next reader.
        """
        if isinstance(error, asyncpg.PostgresError):
            self._idle.append(connection)
        else:
            connection.terminate()

    async def open(self) -> asyncpg.Connection:
        """Open a connection that the pool doesn't count."""
        connection = await self._connect(self._settings)
        await connection.set_type_codec("text", schema="pg_catalog", encoder=_encoded, decoder=bytes, format="binary")
        return connection


def _encoded(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
