"""Imports a file of costs: reads it as it streams by, writes what can be taken and tells of what can't, in one transaction of the caller's.

    async with database.session() as session:
        report = await imports.take(session, Source(...))
        await session.commit()

A file counts as a whole or not at all: what is cut off, damaged or of another kind raises, and nothing has changed. A single row that
doesn't hold is refused, with its number, its column and the reason, and the others are taken. What a file says of a billing period takes
the place of what the file of the same name said of it before; importing a file twice changes nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from heapq import merge
from itertools import islice
from pathlib import Path
from pickle import Pickler, Unpickler
from typing import IO, Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from catalog import values
from catalog.cost import allocating, estimates, files, focus, infracost, opencost, parquet
from catalog.cost.charges import Charge, Read, Rejected
from catalog.cost.money import CURRENCIES
from catalog.errors import Ambiguous, Invalid, NotFound
from catalog.records import CostFormat, CostSource
from catalog.store import budget_alerts, charges, jobs, kpis, snapshots
from catalog.store import estimates as rows
from catalog.store.rows import CostEstimateRow, CostImportRow, CostItemRow

_LOT = 1000  # rows that are read at once, in a thread: others have their turn meanwhile
_LONGEST_NAME = 200
_MOST_TIMES = 100_000
_PERIOD = Charge._fields.index("period_start")
_IN_MEMORY = 1 << 20  # bytes of refusals; more of them go to a file

Progress = Callable[[int, int, str], None]
"""Told of bytes read, bytes in all and what is being done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file to import. Corrections come under the same `name`; `currency` is that of formats that don't say one."""

    path: Path
    name: str
    format: CostFormat
    currency: str = "USD"
    principal_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of an import: every row was accepted or refused. `totals` are effective costs, or costs a month, by currency."""

    id: str
    name: str
    rows: int
    accepted: int
    replaced: int
    rejected: int
    totals: tuple[tuple[str, Decimal], ...] = ()


@dataclass(slots=True)
class _Refusals:
    """Rows that were not taken, in memory while they are few, in a file while they are many."""

    count: int = 0
    _file: Any = field(default_factory=lambda: tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 — `close`

    def add(self, refusal: charges.Refusal) -> None:
        Pickler(self._file).dump(refusal)
        self.count += 1

    def all(self) -> Iterator[charges.Refusal]:
        self._file.seek(0)
        with suppress(EOFError):
            while True:
                yield Unpickler(self._file).load()  # noqa: S301 — a file of this process's own

    def close(self) -> None:
        self._file.close()


async def take(session: AsyncSession, source: Source, progress: Progress = lambda *_: None) -> Report:
    """Import a file; the caller commits. Raises Invalid, for what can't be read as a whole, and Unavailable."""
    if not 0 < len(source.name) <= _LONGEST_NAME or not source.name.isprintable():
        raise Invalid(f"a file has a name of 1 to {_LONGEST_NAME} characters", path=("name",))
    if source.currency not in CURRENCIES:
        raise Invalid(f"{source.currency!r} is no currency of ISO 4217", path=("currency",))
    connection = await jobs.driver(session)
    refusals = _Refusals()
    try:
        with files.opened(source.path) as file:
            taking = _take_estimates if source.format is CostFormat.INFRACOST else _take_charges
            return await taking(connection, source, file, refusals, progress)
    finally:
        refusals.close()


async def _take_charges(
    connection: asyncpg.Connection, source: Source, file: IO[bytes], refusals: _Refusals, progress: Progress
) -> Report:
    taken = await charges.stage(connection, _staged(source, file, refusals, progress))
    read = taken + refusals.count
    progress(0, 0, "comparing")
    import_id, about = await _begin(connection, source, read)
    # Whoever writes allocations holds this lock first: a run of the indexer may move what this file takes away.
    await snapshots.lock(connection)
    doubles = await charges.refuse_doubles(connection, source.name)
    settled = await charges.settle(connection, source.name, import_id)
    progress(0, 0, "allocating")
    await allocating.allocate(connection, settled.batches)
    await kpis.measure(connection, about.imported_at)
    await charges.record(connection, about._replace(accepted=settled.accepted, replaced=settled.replaced))
    rejected = await charges.refuse(connection, import_id, merge(refusals.all(), doubles, key=lambda one: one[0]))
    await budget_alerts.tell(connection, settled.batches)
    return Report(
        id=import_id,
        name=source.name,
        rows=read,
        accepted=settled.accepted,
        replaced=settled.replaced,
        rejected=rejected,
        totals=settled.totals,
    )


async def _begin(connection: asyncpg.Connection, source: Source, read: int) -> tuple[str, Any]:
    now = datetime.now(UTC)
    said = f"{source.name}\x1f{now.isoformat()}\x1f{source.principal_id}"
    import_id = f"imp_{hashlib.blake2b(said.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"
    about = CostImportRow(
        id=import_id,
        file=source.name,
        format=source.format.value,
        imported_at=now,
        principal_id=source.principal_id,
        rows=read,
        accepted=0,
        replaced=0,
    )
    await charges.record(connection, about)
    return import_id, about


async def _staged(source: Source, file: IO[bytes], refusals: _Refusals, progress: Progress) -> AsyncIterator[bytes]:
    """The rows to stage, lot by lot; what can't be taken goes to the refusals."""
    total = source.path.stat().st_size
    lots = _lots(_READERS[source.format](file, source.currency), _Batches(source.name), refusals)
    while (lot := await asyncio.to_thread(next, lots, None)) is not None:
        yield lot
        progress(min(file.tell(), total), total, "reading")


def _lots(found: Iterator[Read | Rejected], batches: _Batches, refusals: _Refusals) -> Iterator[bytes]:
    times = _Times()
    while read := list(islice(found, _LOT)):
        taken = []
        for one in read:
            if isinstance(one, Rejected):
                refusals.add((one.row, one.column, one.reason))
            else:
                charge = one.charge
                first, last = times[charge.billing_period_start], times[charge.billing_period_end]
                begins, ends = times[charge.period_start], times[charge.period_end]
                between = charge[3:_PERIOD]
                taken.append(
                    (one.row, charge.id, batches[charge[1:3]], first, last, *between, begins, ends, *charge[_PERIOD + 2 :])
                )
        yield charges.packed(taken)


class _Times(dict[datetime, str]):
    """Times as text: a file says few of them over and over, and writing one takes as long as the rest of a row."""

    def __missing__(self, time: datetime) -> str:
        if len(self) > _MOST_TIMES:
            self.clear()
        self[time] = text = str(time)
        return text


class _Batches(dict[tuple[datetime, datetime], str]):
    """The ids of a file's batches by billing period."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def __missing__(self, period: tuple[datetime, datetime]) -> str:
        self[period] = found = charges.batch_id(self._name, *period)
        return found


def _csv(file: IO[bytes], _currency: str) -> Iterator[Read | Rejected]:
    return focus.read_csv(files.lines(file))


def _parquet(file: IO[bytes], _currency: str) -> Iterator[Read | Rejected]:
    return parquet.read(file)


def _opencost(file: IO[bytes], currency: str) -> Iterator[Read | Rejected]:
    return opencost.read(files.whole(file), currency)


_READERS: dict[CostFormat, Callable[[IO[bytes], str], Iterator[Read | Rejected]]] = {
    CostFormat.FOCUS_CSV: _csv,
    CostFormat.FOCUS_PARQUET: _parquet,
    CostFormat.OPENCOST: _opencost,
}


async def rejected(session: AsyncSession, report: Report) -> AsyncIterator[charges.Refusal]:
    """The rows that an import of this transaction did not take, in the order of the file."""
    connection = await jobs.driver(session)
    async for refusal in charges.refused(connection, report.id):
        yield refusal


# ── estimates ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _take_estimates(
    connection: asyncpg.Connection, source: Source, file: IO[bytes], refusals: _Refusals, progress: Progress
) -> Report:
    document = await asyncio.to_thread(lambda: infracost.read(files.whole(file)))
    progress(0, 0, "matching")
    import_id, about = await _begin(connection, source, len(document.projects))
    found = _matched(document, await rows.instances(connection), refusals)
    made_at = document.made_at or about.imported_at
    dated = "" if document.made_at is None else made_at.isoformat()
    written = [_rows(instance, estimated, CostSource.INFRACOST, made_at, dated) for instance, estimated in found.items()]
    replaced = await rows.write(
        connection, [row for row, _ in written], [item for _, items in written for item in items], dated=bool(dated)
    )
    await charges.record(connection, about._replace(accepted=len(written), replaced=replaced))
    rejected = await charges.refuse(connection, import_id, refusals.all())
    totals: dict[str, Decimal] = {}
    for row, _ in written:
        if row.monthly is not None:
            totals[row.currency] = totals.get(row.currency, Decimal(0)) + row.monthly
    return Report(
        id=import_id,
        name=source.name,
        rows=len(document.projects),
        accepted=len(written),
        replaced=replaced,
        rejected=rejected,
        totals=tuple(sorted(totals.items())),
    )


def _matched(document: infracost.Document, instances: list[rows.Instance], refusals: _Refusals) -> dict[str, estimates.Estimated]:
    """The estimates by instance; projects that are none, or the same as an earlier one, are refused."""
    candidates = [estimates.Candidate(id=i.id, stack=i.stack, name=i.name, path=i.path, workspace=i.workspace) for i in instances]
    found: dict[str, estimates.Estimated] = {}
    taken_by: dict[str, int] = {}
    for one in document.projects:
        if isinstance(one, Rejected):
            refusals.add((one.row, one.column, one.reason))
            continue
        matched = estimates.match(one.project, candidates)
        if isinstance(matched, str):
            refusals.add((one.row, "name", matched))
        elif matched.id in found:
            refusals.add((one.row, "name", f"project {taken_by[matched.id]} is of {matched.stack}-{matched.name} already"))
        else:
            found[matched.id], taken_by[matched.id] = one.estimated, one.row
    return found


def _rows(
    instance_id: str, estimated: estimates.Estimated, source: CostSource, made_at: datetime, dated: str
) -> tuple[Any, list[Any]]:
    """The row of an estimate and those of its items. Its id is its content's: what says the same again is the same one."""
    content = [[item.name, item.monthly_quantity, item.monthly] for item in estimated.items]
    said = values.digest([estimated.currency, estimated.monthly, estimated.unsupported, content, dated])
    identity = values.global_id("CostEstimate", instance_id, source.value, said)
    row = CostEstimateRow(
        id=identity,
        subject_kind="ComponentInstance",
        subject_id=instance_id,
        status=estimated.status.value,
        currency=estimated.currency,
        monthly=estimated.monthly,
        low=None,
        high=None,
        reason=estimated.reason,
        unsupported=list(estimated.unsupported),
        source=source.value,
        file=None,
        line=None,
        estimated_at=made_at,
        superseded_at=None,
    )
    items = [
        CostItemRow(
            estimate_id=identity,
            ordinal=ordinal,
            name=item.name,
            resource_type=item.resource_type,
            unit=item.unit,
            monthly_quantity=item.monthly_quantity,
            monthly=item.monthly,
            currency=estimated.currency,
        )
        for ordinal, item in enumerate(estimated.items)
    ]
    return row, items


async def keep(session: AsyncSession, stack: str, component: str, estimated: estimates.Estimated) -> None:
    """Keep what a price book says of an instance's plan as its estimate; the caller commits. Raises NotFound and Ambiguous."""
    connection = await jobs.driver(session)
    found = [one for one in await rows.instances(connection) if (one.stack, one.name) == (stack, component)]
    if not found:
        raise NotFound(f"there is no instance {component} in {stack}", hint="`catalog get instances` lists them")
    if len(found) > 1:
        raise Ambiguous(f"several estates have a stack {stack}", candidates=tuple(one.id for one in found))
    row, items = _rows(found[0].id, estimated, CostSource.PRICE_BOOK, datetime.now(UTC), "")
    await rows.write(connection, [row], items, dated=False)
