"""The application served for real, on a socket, with the world of the graph's tests behind it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from catalog.web import app, server

sys.path.insert(0, str(Path(__file__).parent.parent / "graph"))


@asynccontextmanager
async def _serving(database, config):
    listener, shutdown = server.bind("127.0.0.1", 0), asyncio.Event()
    application = app.create(database, config)
    serving = asyncio.create_task(server.serve(application, listener, shutdown))
    host, port = listener.getsockname()
    try:
        yield f"{host}:{port}", application
    finally:
        shutdown.set()
        await serving


@pytest.fixture(scope="session")
def serving():
    """Serve a database for as long as a block lasts: gives `host:port` and the application."""
    return _serving


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(database, config):
    """The address of the module's database, served."""
    async with _serving(database, config) as (address, _):
        yield address
