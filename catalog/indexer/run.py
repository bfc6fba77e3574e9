"""Runs the indexer on an estate: find the position, read it, compare with the catalog, write in one transaction, report.

Two runs of one estate never overlap: the second waits for the first. A run that fails, or would remove more than the estate's
limit, leaves everything as it was; a run that finds nothing new writes only that it ran.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import asyncpg

from catalog.config import Config
from catalog.cost import allocating
from catalog.engines import hcl
from catalog.engines.template import Engine
from catalog.errors import Ambiguous, CatalogError, Invalid, NotFound
from catalog.indexer import backfill, courses, difference, estates, inputs, kpi_rows, organization_difference, reading, sources
from catalog.indexer.backfill import Told
from catalog.indexer.courses import Course
from catalog.indexer.difference import Comparing, Comparison, Instances, Moment
from catalog.indexer.documents import Document, pieces
from catalog.indexer.first_load import FirstLoad
from catalog.indexer.reading import Memory
from catalog.indexer.snapshot import Progress, Snapshot
from catalog.indexer.sources import Standing
from catalog.records import Estate, IndexRunState
from catalog.store import allocations, estimates, history, index_runs, loading, organizations, rates, services, snapshots
from catalog.store.database import Database
from catalog.store.index_runs import Begun, Finished, Last
from catalog.store.snapshots import Details, Step
from catalog.values import digest

# So many documents are compared at once: an edit that reaches all instances must not need the memory of all of them twice.
_DOCUMENTS = 2000
# So much of a revision names the line that a rewritten branch left.
_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """How a run went: its state, what it read and what that changed. `diagnostics` counts what the estate has now, by severity.

    `unread` says that code or a template awaits its engine: index again when it is ready. `wrote`: something differed. `backfill`:
    an earlier position, or one that the branch never was at, was told; the present is as it was.
    """

    run_id: str
    estate: str
    state: IndexRunState
    revision: str | None
    number: int
    manifests: int = 0
    stacks: int = 0
    component_instances: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    diagnostics: Mapping[str, int] = field(default_factory=dict)
    held_reason: str | None = None
    error: CatalogError | None = None
    unread: bool = False
    wrote: bool = False
    backfill: bool = False
    seconds: float = 0.0


async def index(
    database: Database,
    config: Config,
    estate: str | None = None,
    *,
    revision: str | None = None,
    progress: Progress | None = None,
    engine: hcl.HclEngine | None = None,
    templates: Engine | None = None,
    memory: Memory | None = None,
    run_id: str | None = None,
    confirmed: bool = False,
) -> RunReport:
    """Index one registered estate (None: the only one) at what its branch is at, or at a revision.

    A revision that the branch has left behind is put into the history, one that it never was at becomes a line of its own; the present
    stays. A long-lived process hands in one `memory` each time, so that reading again costs what changed. `run_id` is that of a queued
    run; `confirmed` lets the run remove more than the estate's limit. `progress` is called from another thread. Raises NotFound,
    Ambiguous, Conflict for a queued run that is done, and Unavailable when the estate's position or the database can't be had; what
    goes wrong later the report tells.
    """
    chosen = await _choose(database, estate)
    memory = memory if memory is not None else Memory()
    async with index_runs.alone(database, chosen.id) as connection:
        if run_id is not None:
            await index_runs.require_open(connection, run_id)
        position = await asyncio.to_thread(sources.locate, chosen, config, revision)
        last = await index_runs.last(connection, chosen.id)
        course = await courses.chart(connection, chosen, config, position, last)
        began = datetime.now(UTC)
        begun = Begun(
            id=run_id or index_runs.new_id(),
            estate_id=chosen.id,
            ref=course.ref,
            number=position.number or await index_runs.highest(connection, chosen.id) + 1,
            revision=position.revision,
            author=position.author,
            committed_at=position.committed_at,
            started_at=began,
            backfill=course.standing is not Standing.PRESENT,
        )
        await index_runs.begin(connection, begun)
        report = _Reporter(chosen, begun, connection)
        try:
            home = await organizations.home(connection, chosen.id)
            report.inputs_hash = await asyncio.to_thread(
                inputs.fingerprint, chosen, home, config, position, engine=engine, templates=templates
            )
            if (
                last is not None
                and report.inputs_hash is not None
                and last.inputs_hash == report.inputs_hash
                and course.goes_on(last)
            ):
                return await report.unread(last)
            read = partial(
                reading.read,
                chosen,
                home,
                config,
                position,
                memory=memory,
                engine=engine,
                templates=templates,
                progress=progress,
                past=begun.backfill,
            )
            if last is None and not begun.backfill and await _is_first_load(connection, chosen):
                return await _write_first(connection, chosen, read, begun, report)
            older = memory.documents(chosen.id)
            taken = await asyncio.to_thread(read)
            if begun.backfill:
                return await _tell(connection, taken, begun, report)
            return await _write(
                connection, chosen, taken, begun, report, last=last, course=course, older=older, confirmed=confirmed
            )
        except CatalogError as error:
            return await report.failed(error)
        except Exception as error:
            await report.failed(CatalogError(f"{type(error).__name__}: {error}"))
            raise


async def index_range(
    database: Database,
    config: Config,
    estate: str | None,
    since: str,
    until: str | None = None,
    *,
    progress: Progress | None = None,
    engine: hcl.HclEngine | None = None,
    templates: Engine | None = None,
    memory: Memory | None = None,
) -> AsyncIterator[RunReport]:
    """Index every revision of an estate's branch after one and up to another (default: its tip), the earliest first.

    Revisions that were read already are not read again. Raises what `index` raises, NotFound for an unknown revision, and Invalid for
    an estate without history or revisions that the branch was never at.
    """
    chosen = await _choose(database, estate)
    if chosen.kind == estates.DIRECTORY:
        raise Invalid(f"the estate {chosen.name} is a plain directory and has no history", hint="register its Git repository")
    memory = memory if memory is not None else Memory()
    async with database.connection() as connection:
        known = set((await index_runs.revisions(connection, chosen.id, chosen.ref)).values())
    for revision in await asyncio.to_thread(sources.between, chosen, config, since, until):
        if revision not in known:
            yield await index(
                database,
                config,
                chosen.name,
                revision=revision,
                progress=progress,
                engine=engine,
                templates=templates,
                memory=memory,
            )


async def _choose(database: Database, name: str | None) -> Estate:
    if name is not None:
        return await estates.find(database, name)
    known = await estates.registered(database)
    if not known:
        raise NotFound("no estate is registered", hint="write seeds/estates.yaml, or index a directory or URL")
    if len(known) > 1:
        raise Ambiguous("there are several estates", candidates=tuple(item.name for item in known), hint="name one of them")
    return known[0]


async def _tell(connection: asyncpg.Connection, taken: Snapshot, begun: Begun, report: _Reporter) -> RunReport:
    """Write what was read into the past, or onto a line aside."""
    around = await index_runs.neighbours(connection, begun.estate_id, begun.ref, begun.number)
    if around.snapshot_hash == taken.hash:
        return await report.succeeded(taken, None)
    async with connection.transaction():
        await snapshots.lock(connection)
        aside = begun.ref == begun.revision
        told = await backfill.tell(connection, taken, _moment(begun), around.after, with_changes=not aside)
        return await report.succeeded(taken, told)


async def _is_first_load(connection: asyncpg.Connection, estate: Estate) -> bool:
    return await loading.is_allowed(connection) and await snapshots.is_unknown(connection, estate.id)


async def _write_first(
    connection: asyncpg.Connection, estate: Estate, read: Callable[..., Snapshot], begun: Begun, report: _Reporter
) -> RunReport:
    """Read an estate of which nothing is known and write it at the same time."""
    async with connection.transaction():
        await snapshots.lock(connection)
        await loading.leave_out(connection)
        load = FirstLoad(connection, _moment(begun))
        taken = await load.during(partial(read, on_part=load.offer))
        now = await snapshots.outline(connection, estate.id)
        outlined = difference.outline(taken, now)
        nothing = Details(instances={}, edges={}, stacks={})
        found = difference.instances(taken, outlined, nothing)
        comparison = Comparison(
            snapshot=taken, outlined=outlined, now=now, details=nothing, found=found, moment=_moment(begun), loaded=True
        )
        await _perform(connection, estate, comparison, {})
        await load.prove()
        return await report.succeeded(taken, _told(found))


async def _write(
    connection: asyncpg.Connection,
    estate: Estate,
    taken: Snapshot,
    begun: Begun,
    report: _Reporter,
    *,
    last: Last | None,
    course: Course,
    older: MutableMapping[str, Mapping[str, Document]],
    confirmed: bool,
) -> RunReport:
    moved = last is not None and not course.goes_on(last)
    if last is not None and not moved and last.snapshot_hash == taken.hash:
        return await report.succeeded(taken, None)
    async with connection.transaction():
        await snapshots.lock(connection)
        now = await snapshots.outline(connection, estate.id)
        outlined = difference.outline(taken, now)
        details = await snapshots.details(connection, outlined.touched)
        found = difference.instances(taken, outlined, details)
        reason = None if confirmed else await _held(connection, estate, begun.id, found)
        if reason is not None:
            return await report.held(taken, found, reason)
        if last is not None and course.fork is not None:
            aside = f"{last.ref}@{(last.revision or '')[:_SHOWN]}"
            await history.fork(connection, estate.id, last.ref, course.fork, aside, begun.id)
        elif last is not None and moved:
            await history.leave(connection, estate.id, last.ref)
        comparison = Comparison(snapshot=taken, outlined=outlined, now=now, details=details, found=found, moment=_moment(begun))
        await _perform(connection, estate, comparison, older)
        if moved:
            await history.begin_line(connection, estate.id, begun.ref, begun.number)
        return await report.succeeded(taken, _told(found))


def _told(found: Instances) -> Told:
    return Told(added=len(found.added), changed=len(found.changed), removed=len(found.removed))


def _moment(begun: Begun) -> Moment:
    return Moment(
        run_id=begun.id,
        at=begun.started_at,
        ref=begun.ref,
        number=begun.number,
        revision=begun.revision,
        author=begun.author,
        committed_at=begun.committed_at,
    )


async def _held(connection: asyncpg.Connection, estate: Estate, run_id: str, found: Instances) -> str | None:
    """Why the run must not remove what it would: more than the estate's limit is gone, and nobody has confirmed just that."""
    if not found.removed:
        return None
    live = await snapshots.live_instances(connection, estate.id)
    if len(found.removed) * 100 <= live * estate.removal_limit:
        return None
    if await index_runs.confirmed(connection, run_id) == _removal_digest(found):
        return None
    return f"{len(found.removed)} of {live} component instances would be removed, more than the limit of {estate.removal_limit} %"


def _removal_digest(found: Instances) -> str:
    return digest(sorted(found.removed))


@asynccontextmanager
async def _comparing(
    connection: asyncpg.Connection, comparison: Comparison, older: MutableMapping[str, Mapping[str, Document]]
) -> AsyncIterator[Awaitable[Comparison]]:
    """Compare documents while the block writes: those before are told by the last snapshot where this process took it.

    What it doesn't remember the catalog tells first. What the block awaits is the comparison with what documents told.
    """
    comparing = Comparing(comparison)
    known = comparing.claim(older)
    hashes = sorted(comparing.needed - known.keys())
    for start in range(0, len(hashes), _DOCUMENTS):
        for key, sections in (await snapshots.documents(connection, hashes[start : start + _DOCUMENTS])).items():
            comparing.add(key, pieces(sections))

    def compare() -> Comparison:
        comparing.add_all(known)
        return comparing.done()

    # Few are compared here at once: a thread would cost more.
    done = asyncio.ensure_future(asyncio.to_thread(compare) if len(known) > _DOCUMENTS else _at_once(compare))
    try:
        yield done
    finally:
        await asyncio.wait([done])


async def _at_once(compare: Callable[[], Comparison]) -> Comparison:
    return compare()


async def _perform(
    connection: asyncpg.Connection,
    estate: Estate,
    comparison: Comparison,
    older: MutableMapping[str, Mapping[str, Document]],
) -> None:
    taken = comparison.snapshot
    around = await organizations.now(
        connection,
        estate.id,
        organizations=taken.organization.organizations,
        services=taken.services.named,
    )
    following = organization_difference.after(taken, around)
    async with _comparing(connection, comparison, older) as compared:
        await _perform_all(connection, (*organization_difference.before(taken, around), *difference.steps(comparison)))
        comparison = await compared
    await _perform_all(connection, (*difference.telling(comparison), *following))
    found = comparison.found
    await estimates.prefer(connection, (*found.added, *found.changed, *found.touched))
    await services.settle(connection, organization_difference.unsettled(comparison, around, following))
    await _settle_costs(connection, taken)
    await kpi_rows.settle(connection, taken.kpis, taken.measurements, comparison.moment.at)


async def _perform_all(connection: asyncpg.Connection, steps: Iterable[Step]) -> None:
    for step in steps:
        if not snapshots.is_empty(step):
            await snapshots.perform(connection, step)


async def _settle_costs(connection: asyncpg.Connection, taken: Snapshot) -> None:
    """Keep what the seeds say of money, and allocate again what lands elsewhere now."""
    if taken.rates is not None:
        await rates.write(connection, [(one.base, one.currency, one.day, one.rate) for one in taken.rates])
    if taken.allocation is not None:
        await allocations.write_rules(connection, dict(taken.allocation))
    await allocating.settle(connection)


class _Reporter:
    """Ends a run: writes how it went and says so."""

    def __init__(self, estate: Estate, begun: Begun, connection: asyncpg.Connection) -> None:
        self._estate, self._begun, self._connection = estate, begun, connection
        self.inputs_hash: str | None = None

    async def unread(self, last: Last) -> RunReport:
        """What would be read is what was read last, to the letter."""
        told = await index_runs.diagnostics(self._connection, self._estate.id)
        counts = {
            "manifests": last.manifests,
            "stacks": last.stacks,
            "component_instances": last.component_instances,
            "unchanged": last.component_instances,
        }
        return await self._end(
            IndexRunState.SUCCEEDED, counts, snapshot_hash=last.snapshot_hash, diagnostics=told, is_pending=last.pending
        )

    async def succeeded(self, taken: Snapshot, told: Told | None) -> RunReport:
        """The catalog holds the snapshot now; `told` of None: it did before."""
        counts = _counts(taken, told)
        return await self._end(IndexRunState.SUCCEEDED, counts, snapshot_hash=taken.hash, taken=taken, wrote=told is not None)

    async def held(self, taken: Snapshot, found: Instances, reason: str) -> RunReport:
        """Nothing was written, since too much would be removed."""
        counts = _counts(taken, _told(found))
        return await self._end(IndexRunState.HELD, counts, held_reason=reason, removal_digest=_removal_digest(found), taken=taken)

    async def failed(self, error: CatalogError) -> RunReport:
        """Nothing was written, since something went wrong."""
        return await self._end(IndexRunState.FAILED, {}, error=error)

    async def _end(
        self,
        state: IndexRunState,
        counts: Mapping[str, int],
        *,
        taken: Snapshot | None = None,
        held_reason: str | None = None,
        removal_digest: str | None = None,
        error: CatalogError | None = None,
        snapshot_hash: str | None = None,
        diagnostics: Mapping[str, int] | None = None,
        is_pending: bool = False,
        wrote: bool = False,
    ) -> RunReport:
        ended = datetime.now(UTC)
        if taken is not None:
            is_pending = taken.pending
            diagnostics = Counter(row.severity for row in taken.diagnostics.values())
        end = Finished(
            state=state,
            finished_at=ended,
            **counts,
            held_reason=held_reason,
            removal_digest=removal_digest,
            error=None if error is None else str(error),
            snapshot_hash=snapshot_hash,
            inputs_hash=None if snapshot_hash is None else self.inputs_hash,
            pending=is_pending,
        )
        await index_runs.finish(self._connection, self._begun.id, end)
        return RunReport(
            run_id=self._begun.id,
            estate=self._estate.name,
            state=state,
            revision=self._begun.revision,
            number=self._begun.number,
            **counts,
            diagnostics=diagnostics or {},
            held_reason=held_reason,
            error=error,
            unread=is_pending,
            wrote=wrote,
            backfill=self._begun.backfill,
            seconds=(ended - self._begun.started_at).total_seconds(),
        )


def _counts(taken: Snapshot, told: Told | None) -> dict[str, int]:
    total = taken.instance_count
    added, changed, removed = (told.added, told.changed, told.removed) if told else (0, 0, 0)
    return {
        "manifests": len(taken.manifests),
        "stacks": len(taken.parts),
        "component_instances": total,
        "added": added,
        "changed": changed,
        "removed": removed,
        "unchanged": total - added - changed,
    }
