"""Writes the charges of a file: staged by COPY, then put in the place of what the file said of the same billing periods before.

A charge's id is the hash of its content, so what a file says again is left as it is, with its allocations; only what differs is written.
A row that stands twice in a file, or in another file already, is not taken a second time. All of it is one transaction of the caller's.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import AsyncIterable, AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog import records
from catalog.store import loading, tables

_LOCK = 0x636F737473  # of those who write charges: "costs"
_COLUMNS = tables.of(records.Charge).columns

STAGED = ("row", *_COLUMNS)
Refusal = tuple[int, str | None, str]  # row, column and reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of the staged rows: how many were taken, how many of these took a place, and the batches that were written."""

    accepted: int
    replaced: int
    batches: tuple[str, ...]
    totals: tuple[tuple[str, Any], ...]  # currency and effective cost of what was taken


def packed(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows (`STAGED`) as CSV, which is half the work of COPY's binary form: amounts travel as the text that they came as.

    What is None is an empty cell, so no text is empty. Call it in a thread: it takes a while.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


async def stage(connection: asyncpg.Connection, lots: AsyncIterable[bytes]) -> int:
    """Write `packed` rows into a table of this transaction's own as they come, and return how many there were."""
    await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
    await connection.execute("set local work_mem = '64MB'")
    await connection.execute(
        'create temp table coming_charge (like charge) on commit drop; alter table coming_charge add column "row" int not null'
    )
    copied: str = await connection.copy_to_table("coming_charge", source=lots, columns=STAGED, format="csv")
    await connection.execute("analyze coming_charge")
    return int(copied.rsplit(" ", 1)[-1])


async def refuse_doubles(connection: asyncpg.Connection, file: str) -> list[Refusal]:
    """Take out of the staged rows those that stand twice, here or in another file, and say which."""
    twice = await connection.fetch(
        """delete from coming_charge c using (select id, min("row") as first from coming_charge group by id having count(*) > 1) d
        where c.id = d.id and c."row" <> d.first returning c."row", d.first"""
    )
    elsewhere = await _elsewhere(connection, file)
    refused = [(row, None, f"the row says the same as row {first}") for row, first in twice]
    refused += [(row, None, f"the charge was imported from {other} already") for row, other in elsewhere]
    return sorted(refused, key=lambda one: one[0])


async def _elsewhere(connection: asyncpg.Connection, file: str) -> list[asyncpg.Record]:
    if not await connection.fetchval("select exists (select from charge_batch where file <> $1)", file):
        return []
    # One look into the index for each row, said so: statistics lag behind a table that a million rows come to at a time.
    await connection.execute("set local enable_seqscan = off")
    found: list[asyncpg.Record] = await connection.fetch(
        """delete from coming_charge c using (
            select x.id, there.file from coming_charge x cross join lateral (
                select b.file from charge h join charge_batch b on b.id = h.batch_id where h.id = x.id and b.file <> $1 limit 1
            ) there
        ) d where d.id = c.id returning c."row", d.file""",
        file,
    )
    await connection.execute("set local enable_seqscan = on")
    return found


async def settle(connection: asyncpg.Connection, file: str, import_id: str) -> Settled:
    """Put the staged rows in the place of what the file said of their billing periods before."""
    periods = await connection.fetch(
        "select batch_id, min(billing_period_start), min(billing_period_end), count(*) as rows from coming_charge group by 1 order by 1"
    )
    ids = [period["batch_id"] for period in periods]
    before = dict(
        map(tuple, await connection.fetch("select batch_id, count(*) from charge where batch_id = any($1::text[]) group by 1", ids))
    )
    await connection.executemany(
        """insert into charge_batch (id, file, import_id, billing_period_start, billing_period_end) values ($1, $2, $3, $4, $5)
        on conflict (id) do update set import_id = excluded.import_id""",
        [(period[0], file, import_id, period[1], period[2]) for period in periods],
    )
    totals = await connection.fetch("select currency, sum(effective) from coming_charge group by 1 order by 1")
    if before:
        await _replace(connection, ids)
    await _insert(connection)
    return Settled(
        accepted=sum(period["rows"] for period in periods),
        replaced=sum(min(period["rows"], before.get(period["batch_id"], 0)) for period in periods),
        batches=tuple(ids),
        totals=tuple(map(tuple, totals)),
    )


async def is_known(session: AsyncSession, file: str) -> bool:
    """Whether a file of this name was ever imported."""
    found = await session.scalar(text("select exists (select from cost_import where file = :file)"), {"file": file})
    return bool(found)


def batch_id(file: str, first: datetime, last: datetime) -> str:
    """The id of what a file says of a billing period."""
    said = "\x1f".join((file, first.astimezone(UTC).isoformat(), last.astimezone(UTC).isoformat()))
    return f"bat_{hashlib.blake2b(said.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


async def _replace(connection: asyncpg.Connection, batches: Collection[str]) -> None:
    """Delete what the file doesn't say any more, and leave of the staged rows those that it says anew."""
    # What is compared is of the size of the import on both sides, whatever statistics make of it.
    await connection.execute("set local enable_nestloop = off")
    await connection.execute(
        """create temp table gone_charge on commit drop as select h.id from charge h
        where h.batch_id = any($1::text[]) and not exists (select from coming_charge c where c.id = h.id)""",
        batches,
    )
    await connection.execute(
        "delete from coming_charge c using charge h where h.batch_id = any($1::text[]) and h.id = c.id", batches
    )
    await connection.execute("set local enable_nestloop = on")
    await connection.execute("analyze gone_charge")
    gone = await connection.fetchval("select count(*) from gone_charge")
    if gone:
        await _remove(connection, gone)


async def _remove(connection: asyncpg.Connection, gone: int) -> None:
    """Delete charges that are gone: allocations first and at once, since a cascade would delete them one by one."""
    await connection.execute("delete from allocation a using gone_charge g where a.charge_id = g.id")
    is_quick = gone >= loading.MANY and await loading.is_allowed(connection)
    if is_quick:
        await loading.leave_out(connection)
    await connection.execute("delete from charge h using gone_charge g where h.id = g.id")
    if is_quick:
        await loading.resume(connection)


async def _insert(connection: asyncpg.Connection) -> None:
    fresh = await connection.fetchval("select count(*) from coming_charge")
    names = ", ".join(f'"{name}"' for name in _COLUMNS)
    # Whatever batch they refer to was written a moment ago.
    async with loading.together(connection, records.Charge, fresh, (records.ChargeBatch,)):
        await connection.execute(f"insert into charge ({names}) select {names} from coming_charge")


# ── imports and what they refused ────────────────────────────────────────────────────────────────────────────────────────────


async def record(connection: asyncpg.Connection, row: Any) -> None:
    """Write an import, or what has become of it meanwhile."""
    await tables.upsert(connection, records.CostImport, [row])


async def refuse(connection: asyncpg.Connection, import_id: str, refusals: Iterable[Refusal]) -> int:
    """Write the rows that were not taken, in the order of their numbers, and return how many there are."""
    columns = ("import_id", "ordinal", "row", "column", "reason")
    numbered = ((import_id, ordinal, *refusal) for ordinal, refusal in enumerate(refusals))
    copied: str = await connection.copy_records_to_table("rejected_row", records=numbered, columns=columns)
    return int(copied.rsplit(" ", 1)[-1])


async def refused(connection: asyncpg.Connection, import_id: str) -> AsyncIterator[Refusal]:
    """The rows that an import did not take, as they are fetched. Only inside a transaction."""
    statement = 'select "row", "column", reason from rejected_row where import_id = $1 order by ordinal'
    async for row in connection.cursor(statement, import_id, prefetch=1000):
        yield tuple(row)
