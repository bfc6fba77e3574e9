"""Runs of the indexer as rows, and the lock that keeps two runs of one estate apart."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from catalog.errors import Conflict
from catalog.records import IndexRunState
from catalog.store.database import Database
from catalog.values import global_id

INTERRUPTED = "the indexer was interrupted"
LOCKS = 0x696E6478  # "indx": the family of the locks, the estate's name makes the other half


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A run that begins: what it reads, at which position."""

    id: str
    estate_id: str
    ref: str
    number: int
    revision: str | None
    author: str | None
    committed_at: datetime | None
    started_at: datetime
    backfill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a run ended, with what it counted.

    `snapshot_hash` is set when the catalog now holds that snapshot, `inputs_hash` when reading the same again would give it again;
    `removal_digest` says what a held run would remove.
    """

    state: IndexRunState
    finished_at: datetime
    manifests: int = 0
    stacks: int = 0
    component_instances: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    held_reason: str | None = None
    removal_digest: str | None = None
    error: str | None = None
    snapshot_hash: str | None = None
    inputs_hash: str | None = None
    pending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """The last run that succeeded at telling the present: what the catalog holds."""

    id: str
    ref: str
    number: int
    revision: str | None
    snapshot_hash: str | None
    inputs_hash: str | None
    pending: bool
    manifests: int
    stacks: int
    component_instances: int


def new_id() -> str:
    """The id of another run: reading an estate again is another run, so nothing natural names it."""
    return global_id("IndexRun", uuid.uuid4().hex)


@asynccontextmanager
async def alone(database: Database, estate_id: str) -> AsyncIterator[asyncpg.Connection]:
    """Hold an estate's lock while it is read and written: a second run waits here. Lends the connection that holds it."""
    async with _of_its_own(database) as connection:
        await connection.execute("select pg_advisory_lock($1, hashtext($2))", LOCKS, estate_id)
        try:
            yield connection
        finally:
            if not connection.is_closed():
                await connection.execute("select pg_advisory_unlock($1, hashtext($2))", LOCKS, estate_id)


@asynccontextmanager
async def _of_its_own(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection that stays the same session: behind a pooler, where each statement may meet another one, a direct one."""
    if not database.config.database_pooled:
        async with database.connection() as connection:
            yield connection
        return
    connection = await database.direct_connection()
    try:
        yield connection
    finally:
        await connection.close()


async def require_open(connection: asyncpg.Connection, run_id: str) -> None:
    """Raise Conflict when a queued run has been done meanwhile: a job may be delivered twice."""
    state = await connection.fetchval("select state from index_run where id = $1", run_id)
    if state in {IndexRunState.SUCCEEDED, IndexRunState.HELD}:
        raise Conflict(f"the run {run_id} is {state} already")


async def begin(connection: asyncpg.Connection, run: Begun) -> None:
    """Write that a run begins (a queued one becomes it); runs of the estate whose process died have failed."""
    await connection.execute(
        "update index_run set state = 'FAILED', finished_at = $2, error = $3 where estate_id = $1 and state = 'RUNNING'",
        run.estate_id,
        run.started_at,
        INTERRUPTED,
    )
    await connection.execute(
        """insert into index_run (id, estate_id, ref, number, revision, author, committed_at, state, started_at,
            backfill, manifests, stacks, component_instances, added, changed, removed, unchanged)
        values ($1, $2, $3, $4, $5, $6, $7, 'RUNNING', $8, $9, 0, 0, 0, 0, 0, 0, 0)
        on conflict (id) do update set ref = excluded.ref, number = excluded.number, revision = excluded.revision,
            author = excluded.author, committed_at = excluded.committed_at, state = 'RUNNING', started_at = excluded.started_at,
            backfill = excluded.backfill, finished_at = null, error = null, held_reason = null""",
        run.id,
        run.estate_id,
        run.ref,
        run.number,
        run.revision,
        run.author,
        run.committed_at,
        run.started_at,
        run.backfill,
    )


# What was held is moot once the estate's present has been read: at most the latest held run waits for a decision.
_SETTLE = """
update index_run h set state = 'FAILED', error = 'the estate has been read since' from index_run r
where r.id = $1 and not r.backfill and h.estate_id = r.estate_id and h.state = 'HELD'
"""


async def finish(connection: asyncpg.Connection, run_id: str, end: Finished) -> None:
    """Write how a run ended."""
    await connection.execute(
        """update index_run set state = $2, finished_at = $3, manifests = $4, stacks = $5, component_instances = $6, added = $7,
        changed = $8, removed = $9, unchanged = $10, held_reason = $11, error = $12, snapshot_hash = $13, removal_digest = $14,
        inputs_hash = $15, pending = $16
        where id = $1""",
        run_id,
        end.state.value,
        end.finished_at,
        end.manifests,
        end.stacks,
        end.component_instances,
        end.added,
        end.changed,
        end.removed,
        end.unchanged,
        end.held_reason,
        end.error,
        end.snapshot_hash,
        end.removal_digest,
        end.inputs_hash,
        end.pending,
    )
    if end.state is IndexRunState.SUCCEEDED:
        await connection.execute(_SETTLE, run_id)


async def confirmed(connection: asyncpg.Connection, run_id: str) -> str | None:
    """The digest of what a person let a held run remove; None when nobody did."""
    found: str | None = await connection.fetchval("select confirmed_digest from index_run where id = $1", run_id)
    return found


async def diagnostics(connection: asyncpg.Connection, estate_id: str) -> dict[str, int]:
    """Count what the catalog knows to be objectionable in an estate, by severity."""
    rows = await connection.fetch("select severity, count(*) from diagnostic where estate_id = $1 group by severity", estate_id)
    return dict(map(tuple, rows))


async def last(connection: asyncpg.Connection, estate_id: str) -> Last | None:
    """The last run of an estate that succeeded at telling the present."""
    row = await connection.fetchrow(
        """select id, ref, number, revision, snapshot_hash, inputs_hash, pending, manifests, stacks, component_instances from index_run
        where estate_id = $1 and state = 'SUCCEEDED' and not backfill order by started_at desc, id limit 1""",
        estate_id,
    )
    return None if row is None else Last(**dict(row))


async def highest(connection: asyncpg.Connection, estate_id: str) -> int:
    """The highest position that a run of an estate has read; 0 before the first."""
    return int(await connection.fetchval("select coalesce(max(number), 0) from index_run where estate_id = $1", estate_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The positions of a line around another one that are known: the last up to it, with its snapshot, and the next beyond it."""

    before: int | None
    snapshot_hash: str | None
    after: int | None


async def neighbours(connection: asyncpg.Connection, estate_id: str, ref: str, number: int) -> Neighbours:
    """Find the known positions around a position, which itself counts as the last up to it when it is known."""
    row = await connection.fetchrow(
        """select number, snapshot_hash from index_run where estate_id = $1 and ref = $2 and state = 'SUCCEEDED' and number <= $3
        order by number desc, started_at desc, id limit 1""",
        estate_id,
        ref,
        number,
    )
    after = await connection.fetchval(
        "select min(number) from index_run where estate_id = $1 and ref = $2 and state = 'SUCCEEDED' and number > $3",
        estate_id,
        ref,
        number,
    )
    return Neighbours(before=row and row["number"], snapshot_hash=row and row["snapshot_hash"], after=after)


async def at(connection: asyncpg.Connection, estate_id: str, ref: str, number: int) -> asyncpg.Record | None:
    """The last run that succeeded at a position: id, revision, author, committed_at, started_at."""
    return await connection.fetchrow(
        """select id, revision, author, committed_at, started_at from index_run
        where estate_id = $1 and ref = $2 and number = $3 and state = 'SUCCEEDED' order by started_at desc, id limit 1""",
        estate_id,
        ref,
        number,
    )


async def revisions(connection: asyncpg.Connection, estate_id: str, ref: str) -> dict[int, str]:
    """The revisions that runs on a line have read, by number."""
    rows = await connection.fetch(
        """select distinct number, revision from index_run
        where estate_id = $1 and ref = $2 and state = 'SUCCEEDED' and revision is not null""",
        estate_id,
        ref,
    )
    return dict(map(tuple, rows))
