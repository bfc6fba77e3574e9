"""The database of one process: sessions of records, raw connections, the reader of compiled statements.

    async with database.session() as session:        SQLAlchemy; the caller commits
    async with database.connection() as connection:  raw asyncpg, each statement its own transaction
    async with database.transaction() as connection: raw asyncpg, committed at the end
    await database.reader.fetch_text(…)              compiled reads

JSON travels as text on raw connections and as values in sessions. When Postgres doesn't answer, each of them raises Unavailable,
and works again when it does. An embedded server that was killed is started again by the next connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from catalog import errors
from catalog.config import Config
from catalog.store import connecting, embedded
from catalog.store.reader import Reader

_SESSIONS = 5  # kept; as many again in a rush
_RAW = 8
_READERS = 8


class Database:
    """The connections of one process to its Postgres. Open it with `Database.open`, close it with `close`."""

    def __init__(self, config: Config, server: embedded.EmbeddedServer | None, url: str, application: str) -> None:
        self.config = config
        self._server = server
        self._starting = asyncio.Lock()
        self._address = connecting.address(url, application=application, pooled=config.database_pooled)
        direct = config.database_direct_url or url
        self._direct = connecting.address(direct, application=application)
        read = connecting.address(config.database_read_url or url, application=application, pooled=config.database_pooled)
        self.engine = self._make_engine()
        self._pool = asyncpg.create_pool(min_size=0, max_size=_RAW, connect=self._connect_raw)
        self.reader = Reader(read, partial(self._connect, read), size=_READERS)
        # What must not lag behind a write (who a token belongs to) is read where it is written.
        on_replica = read.url != self._address.url
        self.primary_reader = Reader(self._address, partial(self._connect, self._address)) if on_replica else self.reader

    @classmethod
    async def open(cls, config: Config, *, application: str = "catalog") -> Database:
        """Connect to the configured server, or start (or attach to) the embedded one; raises Unavailable.

        `application` is what the server's own lists of sessions show.
        """
        server = None if config.database_url else await asyncio.to_thread(embedded.start, config.home)
        url = config.database_url or (server.url if server else "")
        try:
            database = cls(config, server, url, application)
            await database.ping()
        except BaseException:
            if server:
                await asyncio.to_thread(server.close)
            raise
        return database

    async def close(self) -> None:
        """Close every connection; the last user of an embedded server stops it."""
        await self.reader.close()
        await self.primary_reader.close()
        await self.engine.dispose()
        await self._pool.close()
        if self._server:
            await asyncio.to_thread(self._server.close)

    @property
    def listen_dsn(self) -> str:
        """The URL of a direct connection, past any pooler: LISTEN needs one."""
        return self._direct.url

    async def ping(self) -> None:
        """Return when the database answers; raises Unavailable when it doesn't."""
        async with self.connection() as connection:
            await connection.fetchval("select 1")

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """Lend a session; what isn't committed inside is rolled back at the end."""
        with connecting.translating(self._address):
            async with AsyncSession(self.engine, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """Lend a raw connection; each statement commits by itself."""
        with connecting.translating(self._address):
            async with self._acquired() as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """Lend a raw connection inside a transaction, committed at the end, rolled back by any error."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def direct_connection(self) -> asyncpg.Connection:
        """Open a connection of the caller's own, past any pooler: for LISTEN and for the queue. The caller closes it."""
        return await self._connect(self._direct, {})

    @asynccontextmanager
    async def _acquired(self) -> AsyncIterator[asyncpg.Connection]:
        await self._pool  # opens it the first time, harmless later
        connection = await self._pool.acquire()
        try:
            yield connection
        finally:
            await self._pool.release(connection)

    def _make_engine(self) -> AsyncEngine:
        async def connect(*_: Any, **__: Any) -> asyncpg.Connection:
            return await self._connect(self._address, {})

        # A pre-ping costs one round trip and spares a session a connection that died while idle.
        nameless = "?prepared_statement_cache_size=0" if self._address.pooled else ""
        return create_async_engine(
            f"postgresql+asyncpg://{nameless}",
            async_creator=connect,
            pool_size=_SESSIONS,
            max_overflow=_SESSIONS,
            pool_pre_ping=True,
        )

    async def _connect_raw(self, *_: Any, **__: Any) -> asyncpg.Connection:
        return await self._connect(self._address, {})

    async def _connect(self, address: connecting.Address, settings: Mapping[str, str]) -> asyncpg.Connection:
        try:
            return await connecting.connect(address, settings=settings)
        except errors.Unavailable:
            if self._server is None:
                raise
        await self._revive()
        return await connecting.connect(address, settings=settings)

    async def _revive(self) -> None:
        """Start the embedded server again when it was killed; our share of it stays the one we hold."""
        async with self._starting:
            again = await asyncio.to_thread(embedded.start, self.config.home)
            await asyncio.to_thread(again.close)
