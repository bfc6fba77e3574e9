"""The floor: hand-written statements through Starlette, which return the response's text. No document, viewer, limit or error.

PEER_DATABASE_URL and PEER_PORT say where; PEER_STATEMENTS is a JSON file {path: [statement, values]}.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

_SIZE = 8
_STATEMENTS = json.loads(Path(os.environ["PEER_STATEMENTS"]).read_text())


class Pool:
    """Connections taken from the top of a pile: the warmest one first, and no statement to reset it."""

    def __init__(self) -> None:
        self.idle: list[asyncpg.Connection] = []
        self.free = asyncio.Semaphore(_SIZE)

    async def fetch(self, sql: str, values) -> bytes:
        async with self.free:
            connection = self.idle.pop() if self.idle else await self._open()
            rows = await connection.fetch(sql, *values)
            self.idle.append(connection)
            return rows[0][0]

    async def _open(self) -> asyncpg.Connection:
        settings = {"jit": "off", "plan_cache_mode": "force_generic_plan", "timezone": "UTC"}
        connection = await asyncpg.connect(
            os.environ["PEER_DATABASE_URL"],
            server_settings=settings,
            statement_cache_size=128,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
        )
        await connection.set_type_codec("text", schema="pg_catalog", encoder=str.encode, decoder=bytes, format="binary")
        return connection


def _value(written):
    return dt.date.fromisoformat(written[5:]) if isinstance(written, str) and written.startswith("date:") else written


def _route(path: str) -> Route:
    sql, written = _STATEMENTS[path]
    values = [_value(each) for each in written]

    async def answer(request) -> Response:
        json.loads(await request.body())
        return Response(b'{"data":' + await request.app.state.pool.fetch(sql, values) + b"}", media_type="application/json")

    return Route(f"/{path}", answer, methods=["POST"])


@asynccontextmanager
async def _lifespan(app):
    app.state.pool = Pool()
    yield


app = Starlette(routes=[_route(path) for path in _STATEMENTS], lifespan=_lifespan)
if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PEER_PORT"]), log_level="warning", access_log=False)
