"""How far the instances of estates were judged by policies, what is to be judged, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from catalog import values
from catalog.records import DecisionPoint
from catalog.store.policies import Judgement, storable

# Estates whose last successful index run was not judged yet.
_BEHIND = """
select e.id, e.name, r.id as run_id, r.revision, r.snapshot_hash, p.snapshot_hash as judged_snapshot, p.bundle_digest
from estate e
cross join lateral (select id, revision, snapshot_hash from index_run r where r.estate_id = e.id and r.state = 'SUCCEEDED'
    and r.ref = e.ref order by r.finished_at desc, r.id desc limit 1) r
left join policy_run p on p.estate_id = e.id
where p.run_id is distinct from r.id order by e.name
"""
_SUBJECTS = """
select i.id, i.tenant_id, s.name as stack, i.name, lower(i.type) as type, t.slug as team,
    coalesce(c.document->'vars', '{}')::text as vars, coalesce(c.document->'settings', '{}')::text as settings,
    coalesce(c.document->'metadata', '{}')::text as metadata
from component_instance i join stack s on s.id = i.stack_id join config c on c.hash = i.config_hash
left join team t on t.id = i.team_id
where i.estate_id = $1 and i.id > $2 and i.state = 'FRESH' and i.enabled and not i.abstract order by i.id limit $3
"""
_JUDGED = """
select distinct on (e.instance_id) e.instance_id, e.input_digest, e.bundle_digest from policy_evaluation e
where e.instance_id = any($1::text[]) and e.point = 'INDEX' order by e.instance_id, e.evaluated_at desc, e.id desc
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """An estate with an index run that was not judged: the run, and what was judged last."""

    estate_id: str
    estate: str
    run_id: str
    revision: str | None
    snapshot_hash: str | None
    judged_snapshot: str | None
    bundle_digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An instance as policies judge it; its sections are as they are stored, without secrets."""

    id: str
    tenant_id: str
    stack: str
    name: str
    type: str
    team: str | None
    vars: Any = field(repr=False)
    settings: Any = field(repr=False)
    metadata: Any = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What the policies say of one instance: the document that they judged, its digest, and a judgement each."""

    subject: Subject
    document: dict[str, Any] = field(repr=False)
    digest: str
    judgements: Sequence[Judgement]
    milliseconds: float


async def behind(connection: asyncpg.Connection) -> list[Behind]:
    """Return the estates of which an index run has not been judged yet."""
    found = await connection.fetch(_BEHIND)
    return [
        Behind(
            estate_id=row["id"],
            estate=row["name"],
            run_id=row["run_id"],
            revision=row["revision"],
            snapshot_hash=row["snapshot_hash"],
            judged_snapshot=row["judged_snapshot"],
            bundle_digest=row["bundle_digest"],
        )
        for row in found
    ]


async def subjects(connection: asyncpg.Connection, estate_id: str, after: str, limit: int) -> list[Subject]:
    """Return instances to judge in the order of their ids: those that could be applied."""
    found = await connection.fetch(_SUBJECTS, estate_id, after, limit)
    return [
        Subject(**{name: json.loads(value) if name in {"vars", "settings", "metadata"} else value for name, value in row.items()})
        for row in found
    ]


async def judged(connection: asyncpg.Connection, ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return of instances that were judged the digests of what was judged last, and by what."""
    found = await connection.fetch(_JUDGED, list(ids))
    return {row["instance_id"]: (row["input_digest"], row["bundle_digest"]) for row in found}


async def write(
    connection: asyncpg.Connection, estate: Behind, bundle: tuple[str, dict[str, Any]], found: Sequence[Verdicts], at: datetime
) -> None:
    """Write what a bundle (its digest and content) says of some instances; only inside a transaction."""
    digest, content = bundle
    await connection.execute(
        "insert into policy_bundle (digest, content) values ($1, $2::jsonb) on conflict do nothing",
        digest,
        json.dumps(storable(content)),
    )
    await connection.executemany(
        "insert into policy_input (digest, document) values ($1, $2::jsonb) on conflict do nothing",
        [(one.digest, json.dumps(one.document)) for one in found],
    )
    await connection.executemany(
        """insert into policy_evaluation (id, tenant_id, policy_id, point, passed, message, instance_id, input_digest, bundle_digest,
        milliseconds, evaluated_at) values ($1, $2, $3, 'INDEX', $4, $5, $6, $7, $8, $9, $10)""",
        [
            (
                values.global_id("PolicyEvaluation", one.subject.id, said.package, str(DecisionPoint.INDEX), at.isoformat()),
                one.subject.tenant_id,
                values.global_id("Policy", estate.estate, said.package, said.name),
                said.passed,
                said.message,
                one.subject.id,
                one.digest,
                digest,
                one.milliseconds,
                at,
            )
            for one in found
            for said in one.judgements
        ],
    )


async def declare(connection: asyncpg.Connection, estate: Behind, policies: Sequence[Judgement]) -> None:
    """Write which policies an estate has; those that decided something stay when they are gone from it."""
    ids = [values.global_id("Policy", estate.estate, one.package, one.name) for one in policies]
    await connection.executemany(
        """insert into policy (id, estate_id, package, name, title, description, severity, source)
        values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (estate_id, package, name) do update
        set title = excluded.title, description = excluded.description, severity = excluded.severity, source = excluded.source""",
        [
            (key, estate.estate_id, one.package, one.name, one.title, one.description, str(one.severity), one.source)
            for key, one in zip(ids, policies, strict=True)
        ],
    )
    await connection.execute(
        """delete from policy p where p.estate_id = $1 and p.id <> all($2::text[])
        and not exists (select from policy_evaluation e where e.policy_id = p.id)""",
        estate.estate_id,
        ids,
    )


async def done(connection: asyncpg.Connection, estate: Behind, bundle_digest: str | None) -> None:
    """Note that an index run was judged."""
    await connection.execute(
        """insert into policy_run (estate_id, run_id, snapshot_hash, bundle_digest) values ($1, $2, $3, $4)
        on conflict (estate_id) do update set run_id = excluded.run_id, snapshot_hash = excluded.snapshot_hash,
        bundle_digest = excluded.bundle_digest""",
        estate.estate_id,
        estate.run_id,
        estate.snapshot_hash,
        bundle_digest,
    )


async def alone(connection: asyncpg.Connection, estate_id: str) -> bool:
    """Whether this transaction is the only one that judges an estate; it stays so until its end."""
    locked: bool = await connection.fetchval("select pg_try_advisory_xact_lock(hashtextextended('judge:' || $1, 0))", estate_id)
    return locked
