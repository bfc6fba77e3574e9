"""The migrated schema is the records' schema, however many processes migrate."""

from __future__ import annotations

import asyncio

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from catalog import records
from catalog.config import Config
from catalog.store import migrations
from catalog.store.database import Database
from catalog.store.migrations import draft


def test_the_first_version_is_drawn_from_the_records():
    """The SQL file of the first version is what the records say today; `python -m catalog.store.migrations.draft` writes it anew."""
    assert draft.TARGET.read_text(encoding="utf-8") == draft.text()


async def test_the_migrated_schema_equals_the_records(database):
    """Alembic finds no difference between a migrated database and the records."""

    def compare(connection):
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "compare_server_default": True, "include_object": _is_ours},
        )
        return compare_metadata(context, records.metadata)

    async with database.engine.connect() as connection:
        assert await connection.run_sync(compare) == []


async def test_every_constraint_has_the_name_the_records_give(database):
    """Conflicts are recognised by constraint name, so the names in Postgres are those of the records."""
    expected = {
        (table.name, constraint.name)
        for table in records.metadata.sorted_tables
        for constraint in table.constraints
        if constraint.name
    }
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select conrelid::regclass::text as t, conname as c from pg_constraint"
            " where connamespace = 'public'::regnamespace and contype in ('p', 'u', 'f', 'c')"
        )
    found = {(row["t"], row["c"]) for row in rows if not row["t"].startswith(("pgqueuer", "alembic"))}
    assert found == expected


async def test_two_processes_migrate_at_once(new_database, tmp_path):
    """Two that start to migrate an empty database at the same time both succeed, and it is migrated once."""
    config = Config(home=tmp_path, database_url=await new_database(migrated=False))
    first, second = await Database.open(config), await Database.open(config)
    assert not await migrations.is_current(first)
    await asyncio.gather(migrations.upgrade(first), migrations.upgrade(second))
    assert await migrations.is_current(second)
    assert await migrations.revision(first) == migrations.newest()
    await first.close()
    await second.close()


def _is_ours(_object, name, kind, _reflected, _compared):
    # The index of trigrams is there where the server has trigrams.
    return not (kind == "table" and (name.startswith("pgqueuer") or name == "alembic_version")) and name != "search_word_trigrams"
