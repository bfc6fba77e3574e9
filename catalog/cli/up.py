"""`catalog up`: everything on one machine, with the example estate; what `make up` runs.

Order: claim home and port, then the database, its migrations, the local admin, the web (not ready yet), the worker, the first
index. Only then is /readyz 200 and the sign-in link printed. A second start finds an index and is ready at once; it lets the worker
look for what has changed.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from catalog import errors
from catalog.cli import attendant, claim, progress, running, settings
from catalog.config import Config

if TYPE_CHECKING:
    from catalog.indexer.run import RunReport
    from catalog.store.database import Database


@click.command()
def up() -> None:
    """Start database, web and worker on the example estate.

    Everything it writes lies below CATALOG_HOME (.catalog). Listens on CATALOG_PORT (8000); uses CATALOG_DATABASE_URL instead of
    the embedded Postgres when it is set. Ctrl-C stops it; the data stay for the next start.
    """
    running.run(_up(), serves=True)


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
    filling = asyncio.create_task(_fill(config, database, steps))
    serving = asyncio.create_task(server.serve(app.create(database, config), listener, shutdown))
    attending = asyncio.create_task(worker.keep_running())
    stopping = asyncio.create_task(shutdown.wait())
    try:
        await _until_stopped(stopping, {filling, serving, attending})
    finally:
        shutdown.set()
        progress.say("stopping")
        filling.cancel()
        await worker.stop()
        await asyncio.gather(filling, serving, attending, stopping, return_exceptions=True)


async def _until_stopped(stopping: asyncio.Task[Any], tasks: set[asyncio.Task[None]]) -> None:
    """Wait until we are asked to stop; a task that fails before ends everything with its error."""
    waiting: set[asyncio.Task[Any]] = {*tasks, stopping}
    while not stopping.done():
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _fill(config: Config, database: Database, steps: progress.Steps) -> None:
    """See that every estate of the seeds has an index, say that the catalog is ready, and read again what may have changed."""
    from catalog.engines import cache  # noqa: PLC0415
    from catalog.indexer import estates, run  # noqa: PLC0415
    from catalog.store import readiness  # noqa: PLC0415

    # Some seconds of processor time, once a machine: they must not delay the first answer.
    compiling = cache.compile_in_background(("hcl", "template", "yq", "rego"), config.cache)
    try:
        names = await estates.register_seeds(database, config)
        stale = [name for name in names if await readiness.is_indexed(database, name)]
        unread = False
        for name in names:
            if name not in stale:
                with progress.Bar() as bar:
                    report = await run.index(database, config, name, progress=bar)
                steps.done(_summary(report))
                unread = unread or report.unread
        if (await readiness.read(database)).indexed:
            await _welcome(config, database, steps)
        else:
            progress.say("not ready: no estate has been indexed; `catalog index DIR` reads one")
        await _charges(config, database, steps)
        if compiling:
            await asyncio.to_thread(compiling.wait)
        await _read_again(database, names if unread else stale)
    finally:
        if compiling and compiling.poll() is None:
            compiling.kill()
            compiling.wait()


def _summary(report: RunReport) -> str:
    """One line on a run: what it read, or why it didn't."""
    if report.state == "SUCCEEDED":
        found = sum(report.diagnostics.values())
        return f"{report.estate}: {report.stacks} stacks, {report.component_instances} instances, {found} diagnostics"
    return f"{report.estate} could not be indexed: {report.error or report.held_reason}"


async def _charges(config: Config, database: Database, steps: progress.Steps) -> None:
    """Import what the seeds bring of charges; that it can't be had stops nothing else."""
    from catalog.cli import seed_costs  # noqa: PLC0415

    reports, problems = await seed_costs.bring(config, database)
    for report in reports:
        steps.done(f"{report.name}: {report.accepted} charges")
    for problem in problems:
        progress.say(problem)


async def _read_again(database: Database, names: Sequence[str]) -> None:
    """Let the worker index these estates."""
    from catalog.store import lookups, run_queue  # noqa: PLC0415

    async with database.session() as session:
        for name in names:
            estate_id = await lookups.estate_id(session, name)
            if estate_id is not None:
                await run_queue.ask(session, estate_id)
        await session.commit()


async def _welcome(config: Config, database: Database, steps: progress.Steps) -> None:
    """Say where everything is, with a link that signs a browser in once."""
    from catalog.access import principals, tokens  # noqa: PLC0415

    async with database.session() as session:
        secret = await tokens.sign_in_link(session, principals.LOCAL_ADMIN)
        await session.commit()
    lines = (
        f"ready after {steps.total:.1f} s; Ctrl-C stops it",
        f"  catalog   {config.url}/",
        f"  graph     {config.url}/graphql",
        f"  token     {config.token_file} ({principals.LOCAL_ADMIN})",
        f"  applies   {_executor()}",
        f"  sign in   {config.url}/sign-in?token={secret} (once, within ten minutes)",
    )
    click.echo("\n".join(lines))


def _executor() -> str:
    """What carries out changes here."""
    found = next(filter(None, map(shutil.which, ("terraform", "tofu"))), None)
    return found or "dry runs only: neither terraform nor tofu is on PATH"


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
