"""`catalog migrate`: bring the database to this version."""

from __future__ import annotations

import click

from catalog.cli import running, settings


@click.command()
def migrate() -> None:
    """Bring the database to this version's migrations.

    Opens CATALOG_DATABASE_URL, else the embedded Postgres below CATALOG_HOME. Running it again changes nothing.
    """
    running.run(_migrate())


async def _migrate() -> None:
    from catalog.store import migrations  # noqa: PLC0415
    from catalog.store.database import Database  # noqa: PLC0415

    database = await Database.open(settings.read(), application="catalog migrate")
    try:
        await migrations.upgrade(database)
    finally:
        await database.close()
    click.echo("the database is at this version's migrations", err=True)
