"""Bring a database's schema to the one this version of the catalog needs; Alembic's versions lie in `versions/`.

The first version is plain SQL, drawn from the records by `python -m catalog.store.migrations.draft`, and creates pgqueuer's tables
too. A test holds the migrated schema and the records equal. Expand first, contract in a later release.
"""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from catalog.store.database import Database

_DIRECTORY = Path(__file__).parent
_log = logging.getLogger("catalog.store")
# Any number will do, so long as it is ours: two processes must not migrate at once.
_LOCK = 7261839450218377


async def upgrade(database: Database) -> None:
    """Migrate to the newest version, in one transaction; others that start to migrate meanwhile wait and find nothing to do."""
    async with database.engine.connect() as connection:
        await connection.execute(text(f"select pg_advisory_xact_lock({_LOCK})"))
        await connection.run_sync(_upgrade)
        trigrams = await connection.scalar(text("select to_regoperator('%(text,text)') is not null"))
        await connection.commit()
    if not trigrams:
        _log.warning("the database has no pg_trgm: search finds words and their beginnings, but forgives no misspelling")


async def revision(database: Database) -> str | None:
    """Return the version the database is at; None for one that was never migrated."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(_revision)


async def is_current(database: Database) -> bool:
    """Whether the database is at the version this catalog needs."""
    return await revision(database) == newest()


def newest() -> str | None:
    """Return the newest version there is."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(_DIRECTORY).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
