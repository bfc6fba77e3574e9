"""Runs of the indexer before and beside their work: asked for, held until somebody decides, left behind by a process that died.

Rows say what is to be done, a job only that somebody should look. Whoever wants an estate read asks here: a command, a webhook, the
poller, a request that has committed. One run waits for an estate and a revision at a time, and answers all who ask meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.errors import Conflict, NotFound
from catalog.records import IndexRunState
from catalog.store import index_runs, jobs

JOB = "index_estate"
# What no longer needs work. A failed run may be tried again: its job says so.
DONE = frozenset({IndexRunState.SUCCEEDED, IndexRunState.HELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A run that somebody asked for: `revision` of None is wherever the branch is."""

    id: str
    estate: str
    state: IndexRunState
    revision: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """What became of the latest run of an estate's own branch."""

    state: IndexRunState
    revision: str | None
    seconds: float  # since it began


_ASK = """
insert into index_run (id, estate_id, ref, number, state, asked, started_at, backfill,
    manifests, stacks, component_instances, added, changed, removed, unchanged)
select $1, e.id, e.ref, 0, 'QUEUED', $3, now(), false, 0, 0, 0, 0, 0, 0, 0 from estate e where e.id = $2
on conflict (estate_id, (coalesce(asked, ''))) where state = 'QUEUED' and confirmed_digest is null do nothing
returning id
"""
# The run is locked while it stands in for another: it doesn't begin before what both are about is committed.
_WAITING = """
select id from index_run
where estate_id = $1 and coalesce(asked, '') = coalesce($2, '') and state = 'QUEUED' and confirmed_digest is null for update
"""


async def ask(connection: asyncpg.Connection | AsyncSession, estate_id: str, revision: str | None = None) -> str:
    """Ask for a run in the caller's transaction and return its id: a new one's, or that of one that waits for the same already.

    The estate must be there. Without `revision` the run reads whatever the branch is at when its turn has come.
    """
    raw = await jobs.driver(connection)
    while True:
        made = await raw.fetchval(_ASK, index_runs.new_id(), estate_id, revision)
        if made is not None:
            await _wake(raw, made)
            return str(made)
        waiting = await raw.fetchval(_WAITING, estate_id, revision)
        if waiting is not None:
            return str(waiting)


async def ask_for_news(connection: asyncpg.Connection | AsyncSession, estate_id: str, revision: str | None) -> str | None:
    """Ask for a run unless the latest one has read, or is reading, the revision that the branch is said to be at."""
    latest = await latest_run(connection, estate_id)
    if latest is not None and latest.revision == revision and latest.state is not IndexRunState.FAILED:
        return None
    return await ask(connection, estate_id)


async def latest_run(connection: asyncpg.Connection | AsyncSession, estate_id: str) -> Latest | None:
    """What became of the latest run of the estate's own branch; runs that only told the past don't count."""
    raw = await jobs.driver(connection)
    row = await raw.fetchrow(
        """select r.state, r.revision, extract(epoch from now() - r.started_at)::float8 as seconds
        from index_run r join estate e on e.id = r.estate_id
        where r.estate_id = $1 and r.ref = e.ref and not r.backfill and r.state <> 'QUEUED'
        order by r.started_at desc, r.id limit 1""",
        estate_id,
    )
    return None if row is None else Latest(state=IndexRunState(row["state"]), revision=row["revision"], seconds=row["seconds"])


async def find(connection: asyncpg.Connection, run_id: str) -> Asked | None:
    """The run of that id, None when there is none."""
    row = await connection.fetchrow(
        """select r.id, e.name as estate, r.state, r.asked as revision
        from index_run r join estate e on e.id = r.estate_id where r.id = $1""",
        run_id,
    )
    return None if row is None else Asked(**{**dict(row), "state": IndexRunState(row["state"])})


async def fail(connection: asyncpg.Connection, run_id: str, error: str) -> None:
    """Write that a run could not begin, and why."""
    await connection.execute(
        "update index_run set state = 'FAILED', finished_at = now(), error = $2 where id = $1 and state = 'QUEUED'", run_id, error
    )


# ── held runs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def confirm(session: AsyncSession, run_id: str, by: str) -> bool:
    """Let a held run remove exactly what it was held for, and queue it again; return whether it was held. The caller commits.

    It reads the estate as it is by then: if something else would go, it is held again. Doing so twice is doing it once. Raises
    NotFound, and Conflict when there is nothing to confirm.
    """
    raw = await jobs.driver(session)
    queued = await raw.fetchval(
        """update index_run set state = 'QUEUED', confirmed_digest = removal_digest, decided_by = $2, finished_at = null
        where id = $1 and state = 'HELD' returning id""",
        run_id,
        by,
    )
    if queued is not None:
        await _wake(raw, run_id)
        return True
    found = await _decided(raw, run_id)
    if found["confirmed_digest"] is None or found["state"] == IndexRunState.FAILED:
        raise _not_held(run_id, found["state"])
    return False


async def refuse(session: AsyncSession, run_id: str, by: str, reason: str | None) -> bool:
    """Let a held run fail: nothing is removed; return whether it was held. The caller commits.

    Doing so twice is doing it once. Raises NotFound, and Conflict when there is nothing to refuse.
    """
    raw = await jobs.driver(session)
    said = f"refused by {by}" + (f": {reason}" if reason else "")
    refused = await raw.fetchval(
        """update index_run set state = 'FAILED', error = $2, decided_by = $3, finished_at = now()
        where id = $1 and state = 'HELD' returning id""",
        run_id,
        said,
        by,
    )
    if refused is not None:
        return True
    found = await _decided(raw, run_id)
    if found["state"] != IndexRunState.FAILED or found["held_reason"] is None:
        raise _not_held(run_id, found["state"])
    return False


async def _decided(raw: asyncpg.Connection, run_id: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = await raw.fetchrow(
        "select state, confirmed_digest, held_reason from index_run where id = $1", run_id
    )
    if found is None:
        raise NotFound(f"there is no run {run_id}", hint="`catalog get runs` lists them", path=("id",))
    return found


def _not_held(run_id: str, state: str) -> Conflict:
    return Conflict(f"the run {run_id} is {state}, not held", hint="only a run that is HELD waits for a decision", path=("id",))


# ── what a dead process left behind ──────────────────────────────────────────────────────────────────────────────────────


async def repair(connection: asyncpg.Connection) -> int:
    """Let runs fail whose process died, and give a job to what was asked for and has none; return how many there were.

    Whoever runs holds the estate's lock, so a RUNNING run of an estate whose lock is free has nobody. Was it a job's, another worker
    may begin it at once.
    """
    async with connection.transaction():
        dead = await connection.fetch(
            """with running as materialized (select id, estate_id from index_run where state = 'RUNNING')
            update index_run r set state = 'FAILED', finished_at = now(), error = $3 from running
            where r.id = running.id and r.state = 'RUNNING' and pg_try_advisory_xact_lock($1, hashtext(running.estate_id))
            returning r.id, exists (select 1 from pgqueuer q where q.entrypoint = $2 and q.headers ->> 'dedupe' = 'run:' || r.id)
                as asked""",
            index_runs.LOCKS,
            JOB,
            index_runs.INTERRUPTED,
        )
        for row in dead:
            if row["asked"]:
                await _wake(connection, row["id"])
    async with connection.transaction():
        lost = await connection.fetch(
            """select r.id from index_run r where r.state = 'QUEUED' and not exists (
                select 1 from pgqueuer q
                where q.entrypoint = $1 and q.status in ('queued', 'picked') and q.headers ->> 'dedupe' = 'run:' || r.id)
            for update skip locked""",
            JOB,
        )
        for row in lost:
            await _wake(connection, row["id"])
    return len(dead) + len(lost)


async def _wake(raw: asyncpg.Connection, run_id: str) -> None:
    await jobs.enqueue(raw, JOB, {"run_id": run_id}, dedupe=f"run:{run_id}")
