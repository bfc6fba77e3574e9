"""A real Postgres for the suite: one server a session, one fresh, migrated, empty database a test module.

By default the embedded server of the wheel. `CATALOG_TEST_POSTGRES` names the directory of another version's `initdb` and `postgres`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from catalog.config import Config
from catalog.store import embedded, migrations
from catalog.store.database import Database


@pytest.fixture(scope="session")
def programs() -> Path | None:
    """The server programs to test with; None: those of the wheel."""
    directory = os.environ.get("CATALOG_TEST_POSTGRES")
    return Path(directory) if directory else None


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home for a test that starts a server of its own: anybody may walk through it, as through a home in the world."""
    directory = Path(tempfile.mkdtemp(prefix="catalog-test-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def server(programs: Path | None) -> Iterator[embedded.EmbeddedServer]:
    """The one server of the session."""
    home = Path(tempfile.mkdtemp(prefix="catalog-test-"))
    home.chmod(0o755)
    running = embedded.start(home, programs=programs)
    yield running
    running.close()
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def database_url(server: embedded.EmbeddedServer) -> Callable[[str], str]:
    """Return the URL of one of the session server's databases."""
    return lambda name: server.url.replace("/postgres?", f"/{name}?")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(server: embedded.EmbeddedServer, database_url: Callable[[str], str]) -> str:
    """The name of a migrated database that the others are copied from."""
    name = "catalog_template"
    await _execute(server.url, f"create database {name}")
    database = await Database.open(Config(home=server.place, database_url=database_url(name)))
    await migrations.upgrade(database)
    await database.close()
    return name


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def new_database(
    server: embedded.EmbeddedServer, template: str, database_url: Callable[[str], str]
) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Make another database and return its URL: `await new_database()` is migrated, `await new_database(migrated=False)` is bare."""
    made: list[str] = []

    async def make(*, migrated: bool = True) -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        await _execute(server.url, f"create database {name} template {template if migrated else 'template0'}")
        made.append(name)
        return database_url(name)

    yield make
    for name in made:
        await _execute(server.url, f"drop database {name} with (force)")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def config(new_database: Callable[..., Awaitable[str]], tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The configuration of a process with a home and a migrated database of its own."""
    return Config(home=tmp_path_factory.mktemp("home"), database_url=await new_database())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(config: Config) -> AsyncIterator[Database]:
    """An open, migrated database, empty at the start of each test module and shared by its tests."""
    opened = await Database.open(config)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def fresh_database(new_database: Callable[..., Awaitable[str]], tmp_path: Path) -> AsyncIterator[Database]:
    """As `database`, for one test alone."""
    opened = await Database.open(Config(home=tmp_path, database_url=await new_database()))
    yield opened
    await opened.close()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
