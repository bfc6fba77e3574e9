"""The database as commands open it: at this version's migrations, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from catalog import errors
from catalog.config import Config

if TYPE_CHECKING:
    from catalog.store.database import Database


@asynccontextmanager
async def opened(config: Config, application: str) -> AsyncIterator[Database]:
    """Open the database and close it again.

    The embedded one, which nobody else looks after, is migrated where it must be; for a server's, which is somebody's decision,
    raises Unavailable.
    """
    from catalog.store import migrations  # noqa: PLC0415
    from catalog.store.database import Database  # noqa: PLC0415

    database = await Database.open(config, application=application)
    try:
        if not await migrations.is_current(database):
            if config.database_url is not None:
                raise errors.Unavailable("the database is not at this version's migrations", hint="run `catalog migrate`")
            await migrations.upgrade(database)
        yield database
    finally:
        await database.close()
