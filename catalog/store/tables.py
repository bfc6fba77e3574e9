"""Writes rows of `store.rows` in bulk: one statement for a few, COPY for many. The SQL is made from the records' own tables.

A few rows travel as one JSON parameter that Postgres unfolds itself, so that a statement's text depends on its table only and is
prepared once; many rows travel by binary COPY, which is about three times as fast.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import asyncpg
from sqlalchemy import ARRAY, BigInteger, Boolean, DateTime, Integer, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import SQLModel

# From here on COPY is cheaper than JSON; below, its extra round trip is not worth it.
_MANY = 200
_CHUNK = 2000
# Rows that are made only when they are asked for, such as documents, are asked for in batches.
_BATCH = 5000

_TYPES: tuple[tuple[type, str], ...] = (
    (ARRAY, "text[]"),
    (Boolean, "boolean"),
    (BigInteger, "bigint"),
    (Integer, "integer"),
    (Numeric, "numeric"),
    (DateTime, "timestamptz"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as SQL sees it: its quoted name and columns in the order of its rows, but for those that Postgres numbers itself."""

    name: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    types: tuple[str, ...]
    documents: frozenset[str]  # columns that hold JSON

    @property
    def quoted(self) -> str:
        """The name as it stands in SQL."""
        return f'"{self.name}"'


@lru_cache
def of(record: type[SQLModel]) -> Table:
    """Describe a record's table."""
    table = record.__table__  # type: ignore[attr-defined]
    columns = [column for column in table.columns if column.identity is None]
    return Table(
        name=table.name,
        columns=tuple(column.name for column in columns),
        keys=tuple(column.name for column in table.primary_key),
        types=tuple(_type(column.type) for column in columns),
        documents=frozenset(column.name for column in columns if isinstance(column.type, JSONB)),
    )


def _type(kind: Any) -> str:
    return next((name for known, name in _TYPES if isinstance(kind, known)), "text")


async def insert(connection: asyncpg.Connection, record: type[SQLModel], rows: Sequence[Any]) -> None:
    """Insert rows that are not there yet."""
    table = of(record)
    if len(rows) >= _MANY:
        await connection.copy_records_to_table(table.name, records=rows, columns=table.columns)
    elif rows:
        await connection.execute(f"insert into {table.quoted} ({_columns(table)}) {_unfolded(table)}", _folded(table, rows))


async def upsert(
    connection: asyncpg.Connection, record: type[SQLModel], rows: Sequence[Any], *, keep: Collection[str] = ()
) -> None:
    """Insert rows, or update those that are there, all but the columns to `keep`."""
    table = of(record)
    if len(rows) >= _MANY and len(table.keys) == 1:
        there = await present(connection, record, [row[0] for row in rows])
        await insert(connection, record, [row for row in rows if row[0] not in there])
        rows = [row for row in rows if row[0] in there]
        if len(rows) >= _MANY:
            await _replace(connection, record, rows, keep)
            return
    updated = [name for name in table.columns if name not in table.keys and name not in keep]
    assignments = ", ".join(f'"{name}" = excluded."{name}"' for name in updated)
    action = f"do update set {assignments}" if assignments else "do nothing"
    statement = f"insert into {table.quoted} ({_columns(table)}) {_unfolded(table)} on conflict ({_quoted(table.keys)}) {action}"
    for start in range(0, len(rows), _CHUNK):
        await connection.execute(statement, _folded(table, rows[start : start + _CHUNK]))


async def _replace(connection: asyncpg.Connection, record: type[SQLModel], rows: Sequence[Any], keep: Collection[str]) -> None:
    """Update those of many rows that differ: they come by COPY into a table of the transaction's own, which is then joined."""
    table = of(record)
    coming = f'"coming_{table.name}"'
    await connection.execute(f"create temp table {coming} (like {table.quoted}) on commit drop")
    await connection.copy_records_to_table(coming.strip('"'), records=rows, columns=table.columns)
    names = [name for name in table.columns if name not in table.keys and name not in keep]
    updated = ", ".join(f'"{name}" = n."{name}"' for name in names)
    one, other = (", ".join(f'{alias}."{name}"' for name in names) for alias in "tn")
    key = table.keys[0]
    await connection.execute(
        f"""update {table.quoted} t set {updated} from {coming} n
        where t."{key}" = n."{key}" and ({one}) is distinct from ({other})"""
    )
    await connection.execute(f"drop table {coming}")


async def insert_missing(connection: asyncpg.Connection, record: type[SQLModel], rows: Sequence[Any]) -> None:
    """Insert the rows whose key (their first column) is not there yet."""
    for start in range(0, len(rows), _BATCH):
        some = rows[start : start + _BATCH]
        there = await present(connection, record, [row[0] for row in some])
        await insert(connection, record, [row for row in some if row[0] not in there])


async def present(connection: asyncpg.Connection, record: type[SQLModel], keys: Collection[str]) -> set[str]:
    """Tell which of some keys a table holds. Many of them are looked for in the caller's transaction."""
    table, wanted = of(record), list(keys)
    key = table.keys[0]
    if len(wanted) < _MANY:
        statement = f'select "{key}" from {table.quoted} where "{key}" = any($1::text[])'
        return {found[0] for found in await connection.fetch(statement, wanted)}
    if not await connection.fetchval(f"select exists (select from {table.quoted})"):
        return set()
    # One look into the index for each key, said so: a table that is being filled has no statistics that would tell the planner.
    statement = f"""select x.key from unnest($1::text[]) as x(key)
        cross join lateral (select from {table.quoted} t where t."{key}" = x.key limit 1) there"""
    await connection.execute("set local enable_seqscan = off")
    there = {found[0] for found in await connection.fetch(statement, wanted)}
    await connection.execute("set local enable_seqscan = on")
    return there


async def delete(
    connection: asyncpg.Connection, record: type[SQLModel], keys: Collection[str], *, column: str | None = None
) -> None:
    """Delete the rows whose key (or another column) is one of these."""
    if keys:
        table = of(record)
        await connection.execute(f'delete from {table.quoted} where "{column or table.keys[0]}" = any($1::text[])', sorted(keys))


async def rows(
    connection: asyncpg.Connection, record: type[SQLModel], column: str, keys: Iterable[str], *, more: str = ""
) -> list[Any]:
    """Fetch whole rows by a column's values, as tuples in the order of the columns, JSON as text; `more` narrows further."""
    wanted = list(keys)
    if not wanted:
        return []
    table = of(record)
    statement = f'select {_columns(table)} from {table.quoted} where "{column}" = any($1::text[]) {more}'
    return [tuple(found.values()) for found in await connection.fetch(statement, wanted)]


def same(record: type[SQLModel], one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether two rows say the same; JSON is compared by value, since Postgres keeps its own spelling."""
    documents = of(record).documents
    return all(
        mine == theirs or (name in documents and mine is not None and theirs is not None and json.loads(mine) == json.loads(theirs))
        for name, mine, theirs in zip(of(record).columns, one, other, strict=True)
    )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _columns(table: Table) -> str:
    return _quoted(table.columns)


def _unfolded(table: Table) -> str:
    """The rows of the one parameter: JSON documents travel inside it as text."""
    selected = ", ".join(f'x."{name}"::jsonb' if name in table.documents else f'x."{name}"' for name in table.columns)
    typed = ", ".join(f'"{name}" {kind}' for name, kind in zip(table.columns, table.types, strict=True))
    return f"select {selected} from jsonb_to_recordset($1::jsonb) as x({typed})"


def _folded(table: Table, rows: Iterable[Any]) -> str:
    return json.dumps([dict(zip(table.columns, row, strict=True)) for row in rows], default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a row")
