"""`catalog serve` and `catalog worker`: the two processes of an installation, each on its own."""

from __future__ import annotations

import asyncio
import sys

import click

from catalog.cli import opening, running, settings


@click.command()
def serve() -> None:
    """Serve the graph and the pages.

    Listens on CATALOG_HOST (127.0.0.1) and CATALOG_PORT (8000); any number of these may serve one database.
    """
    running.run(_serve(), serves=True)


async def _serve() -> None:
    from catalog.web import server  # noqa: PLC0415

    config = settings.read()
    listener = server.bind(config.host, config.port)
    try:
        from catalog.store.database import Database  # noqa: PLC0415
        from catalog.web import app  # noqa: PLC0415

        shutdown = running.shutdown_on_signals()
        database = await Database.open(config, application="catalog web")
        try:
            click.echo(f"serving http://{config.host}:{config.port}/", err=True)
            await server.serve(app.create(database, config), listener, shutdown)
        finally:
            await database.close()
    finally:
        listener.close()


@click.command()
@click.option("--while-stdin-is-open", "tied", is_flag=True, hidden=True, help="End as soon as whoever started it is gone.")
def worker(*, tied: bool) -> None:
    """Take jobs from the queue: index runs and requests.

    Any number of workers may share one database. On SIGTERM it claims nothing more and finishes what it has.
    """
    running.run(_worker(tied=tied))


async def _worker(*, tied: bool) -> None:
    from catalog import worker as room  # noqa: PLC0415

    config = settings.read()
    shutdown = running.shutdown_on_signals()
    watching = asyncio.create_task(_shut_when_stdin_ends(shutdown)) if tied else None
    try:
        async with opening.opened(config, "catalog worker") as database:
            await room.run(database, config, shutdown, environment=settings.environment())
    finally:
        if watching:
            watching.cancel()


async def _shut_when_stdin_ends(shutdown: asyncio.Event) -> None:
    """The pipe on stdin breaks when the parent ends, however it ended: `kill -9` of `catalog up` leaves no worker behind."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    shutdown.set()
