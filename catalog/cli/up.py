"""`catalog up`: everything on one machine, with the example estate; what `make up` runs.

Order: claim home and port, then the database, its migrations, the local admin, the web (not ready yet), the worker, the first
index. Only then is /readyz 200 and the sign-in link printed. A second start finds an index and is ready at once; it lets the worker
look for what has changed.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import click

from catalog import errors
from catalog.cli import attendant, claim, progress, running, settings
from catalog.config import Config

if TYPE_CHECKING:
    from catalog.store.database import Database


@click.command()
def up() -> None:
    """Start database, web and worker on the example estate.

    Everything it writes lies below CATALOG_HOME (.catalog). Listens on CATALOG_PORT (8000); uses CATALOG_DATABASE_URL instead of
    the embedded Postgres when it is set. Ctrl-C stops it; the data stay for the next start.
    """
    running.run(_up())


async def _up() -> None:
    config = settings.read()
    with claim.claimed(config) as listener:
        shutdown = running.shutdown_on_signals()
        steps = progress.Steps()
        progress.say(f"starting in {config.home}")
        database = await _database(config)
        try:
            steps.done("database")
            await _run(config, database, listener, shutdown, steps)
        finally:
            await database.close()
    progress.say("stopped")


async def _database(config: Config) -> Database:
    """Open the database; while it starts in a thread of its own, import what the web will need."""
    from catalog.store.database import Database  # noqa: PLC0415

    opening = asyncio.create_task(Database.open(config, application="catalog up"))
    await asyncio.sleep(0)
    import catalog.web.app  # noqa: F401, PLC0415

    return await opening


async def _run(config: Config, database: Database, listener: socket.socket, shutdown: asyncio.Event, steps: progress.Steps) -> None:
    from catalog.store import migrations  # noqa: PLC0415
    from catalog.web import app, server  # noqa: PLC0415

    await migrations.upgrade(database)
    steps.done("migrations")
    await _admin(config, database)
    worker = attendant.Attendant(_environment(config))
    tasks = [
        asyncio.create_task(server.serve(app.create(database, config), listener, shutdown)),
        asyncio.create_task(worker.keep_running()),
        asyncio.create_task(_fill(config, database, steps)),
    ]
    stopping = asyncio.create_task(shutdown.wait())
    try:
        await _first_failure(tasks, stopping)
    finally:
        shutdown.set()
        progress.say("stopping")
        await worker.stop()
        tasks[2].cancel()
        await asyncio.gather(*tasks, stopping, return_exceptions=True)


async def _first_failure(tasks: list[asyncio.Task[None]], stopping: asyncio.Task[bool]) -> None:
    """Wait until we are asked to stop; a task that fails before ends everything with its error."""
    waiting: set[asyncio.Task[None] | asyncio.Task[bool]] = {*tasks, stopping}
    while not stopping.done():
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _fill(config: Config, database: Database, steps: progress.Steps) -> None:
    """See that there is an index, then say that the catalog is ready."""


def _environment(config: Config) -> dict[str, str]:
    """What the worker is started with: ours, with what we have settled on."""
    settled = {"CATALOG_HOME": str(config.home)} | ({"CATALOG_SEEDS": str(config.seeds)} if config.seeds else {})
    return settings.environment() | settled


async def _admin(config: Config, database: Database) -> None:
    """See that the token file holds a token of the local admin."""
    from catalog.access import principals, tokens  # noqa: PLC0415

    try:
        await tokens.authenticate(database, config.token_file.read_text(encoding="utf-8").strip())
    except (OSError, errors.Unauthenticated):
        async with database.session() as session:
            admin = await principals.local_admin(session)
            secret = await tokens.create(session, admin.email, name="catalog up")
            await session.commit()
        claim.write_secret(config.token_file, secret)
