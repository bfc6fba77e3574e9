"""Lets a first load pass the secondary indexes of tables by and builds them when everything is there.

Building an index at once costs a fraction of bringing it up to date row by row, and takes several processors. The indexes are told to
take no rows (`pg_index.indisready`), not dropped: dropping one would keep readers from the table until the load ends, and would put its
definition into our hands. Others go on using them meanwhile, for what they see of the tables is what there was before. Each index is
held against readers only while it is built. Undone with the transaction, as everything else in it.
"""

from __future__ import annotations

from collections.abc import Collection

import asyncpg
from sqlmodel import SQLModel

from catalog.store import tables

# What stands in the way of wrong rows, unique indexes and those of constraints, takes every row.
_SECONDARY = """
select i.indexrelid::regclass::text from pg_index i where i.indrelid = any($1::text[]::regclass[]) and i.indisready
    and not i.indisunique and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
order by 1
"""
_BUILDING = """
set local maintenance_work_mem = '128MB';
set local max_parallel_maintenance_workers = 2;
"""


async def are_allowed(connection: asyncpg.Connection, record: type[SQLModel]) -> bool:
    """Whether a table holds nothing at all and the server's user may put indexes off."""
    allowed: bool = await connection.fetchval(
        f"select current_setting('is_superuser') = 'on' and not exists (select from {tables.of(record).quoted})"
    )
    return allowed


async def put_off(connection: asyncpg.Connection, records: Collection[type[SQLModel]]) -> list[str]:
    """Let the secondary indexes of tables take no more rows of this transaction; tells which, for `build`, which must follow."""
    names = [tables.of(record).quoted for record in records]
    indexes = [row[0] for row in await connection.fetch(_SECONDARY, names)]
    # Neither taking rows nor asked for any, as long as the transaction runs.
    await connection.execute(
        "update pg_index set indisready = false, indisvalid = false where indexrelid = any($1::text[]::regclass[])", indexes
    )
    return indexes


async def build(connection: asyncpg.Connection, indexes: Collection[str]) -> None:
    """Build what was put off, so that everything is as if it had never been."""
    if indexes:
        await connection.execute(_BUILDING)
    for name in indexes:
        await connection.execute(f"reindex index {name}")
