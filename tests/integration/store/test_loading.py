import asyncpg
import pytest

from catalog import records
from catalog.store import loading, snapshots, tables
from catalog.store.database import Database
from catalog.store.rows import ConfigurationRow, OrganizationRow, TenantRow
from catalog.values import global_id

ROWS = loading.MANY


def organization(name):
    values = dict.fromkeys(OrganizationRow._fields)
    return OrganizationRow(**{**values, "id": global_id("Organization", name), "name": name, "title": name, "currency": "USD"})


def tenant(organization_name, name):
    values = dict.fromkeys(TenantRow._fields)
    known = {"id": global_id("Tenant", organization_name, name), "organization_id": global_id("Organization", organization_name)}
    return TenantRow(**{**values, **known, "name": name, "hidden": False})


async def load(database: Database, rows):
    async with database.transaction() as connection, loading.together(connection, records.Tenant, len(rows)):
        await tables.insert(connection, records.Tenant, rows)


async def test_references_of_many_rows_are_proven_together(database):
    """Rows that refer to what is there are kept; one among thousands that refers to nothing undoes them all."""
    async with database.transaction() as connection:
        await tables.insert(connection, records.Organization, [organization("acme")])

    await load(database, [tenant("acme", f"t{number}") for number in range(ROWS)])
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await load(database, [tenant("acme" if number else "nobody", f"u{number}") for number in range(ROWS)])

    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from tenant") == ROWS


async def test_look_ups_are_back_after_many_rows(database):
    """What follows a load in its transaction is looked up row by row as ever."""
    async with database.transaction() as connection:
        async with loading.together(connection, records.Configuration, ROWS):
            await tables.insert(connection, records.Configuration, [ConfigurationRow(hash="0", document="{}")])

        with pytest.raises(asyncpg.ForeignKeyViolationError):
            async with connection.transaction():
                await tables.insert(connection, records.Tenant, [tenant("nobody", "alone")])


async def test_many_rows_that_are_there_are_updated(database):
    """Many rows at once are inserted where they are new, and updated in all but the columns to keep where they are not."""
    async with database.transaction() as connection:
        await tables.insert(connection, records.Organization, [organization("globex")])
        before = [tenant("globex", f"v{number}") for number in range(300)]
        await tables.upsert(connection, records.Tenant, before)
        after = [tenant("globex", f"v{number}")._replace(hidden=True, name=f"w{number}") for number in range(600)]
        await tables.upsert(connection, records.Tenant, after, keep=("name",))

        found = await connection.fetch("select name, hidden from tenant where organization_id = $1", before[0].organization_id)

    assert sorted(map(tuple, found)) == sorted([(f"v{n}", True) for n in range(300)] + [(f"w{n}", True) for n in range(300, 600)])


async def test_no_trigger_is_left_out_when_many_rows_are_written(database):
    """Every trigger on the tables that are written in bulk, and on those their triggers write, fires for bulk writers too."""
    written = [*(tables.of(record).name for record in snapshots.LOADED), "search_entry"]
    async with database.connection() as connection:
        ordinary = await connection.fetch(
            """select tgrelid::regclass::text, tgname from pg_trigger
            where not tgisinternal and tgenabled <> 'A' and tgrelid::regclass::text = any($1::text[])""",
            written,
        )

    assert [tuple(row) for row in ordinary] == []
