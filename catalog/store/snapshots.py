"""What the indexer asks of Postgres: what is there now, hash by hash, and the steps that bring it to the next snapshot.

Reading starts with one hash a stack and descends only where it differs; writing is a list of steps, each one or two statements,
performed in one transaction behind one lock, so that writers of the organisation's rows never meet.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import asyncpg
from sqlmodel import SQLModel

from catalog import records
from catalog.store import history, loading, tables

# Writers of snapshots, whatever their estate, queue here: organisations, teams and documents are everybody's.
_WRITERS = 0x696E6478  # "indx"

# A step that is empty is not performed; these are all there are.
Row = Any


@dataclass(frozen=True, slots=True)
class Upsert:
    """Insert rows or update those that are there, all but the columns to keep."""

    record: type[SQLModel]
    rows: Sequence[Row]
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Insert:
    """Insert rows that are surely not there yet."""

    record: type[SQLModel]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class InsertMissing:
    """Insert the rows that are not there yet."""

    record: type[SQLModel]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace all rows of some owners (the values of the rows' first column) by these."""

    record: type[SQLModel]
    owners: Collection[str]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete rows by a column's values; `unreferenced` spares those that something still points at."""

    record: type[SQLModel]
    keys: Collection[str]
    column: str | None = None
    unreferenced: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Give rows another freshness state; REMOVED comes with its moment."""

    record: type[SQLModel]
    keys: Collection[str]
    state: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """Note since when components or manifests are gone."""

    record: type[SQLModel]
    keys: Collection[str]
    at: datetime


@dataclass(frozen=True, slots=True)
class CutEdges:
    """Delete dependencies, each (source, target, via)."""

    edges: Collection[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class CloseVersions:
    """End what instances or stacks were on a branch at a position, while their rows still say it."""

    kind: history.Kind
    keys: Collection[str]
    ref: str
    number: int


@dataclass(frozen=True, slots=True)
class BeginVersions:
    """Say of instances that from a position of a line on they are what their rows say."""

    keys: Collection[str]
    ref: str
    number: int


class Told(NamedTuple):
    """A change of an instance, with its id; everything else is what the instance's row says. `values` is JSON."""

    id: str
    kind: str
    instance_id: str
    previous_id: str | None = None
    values: str = "[]"


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell what a run changed in instances that are written already; `stacks` are the names of theirs, where these aren't yet."""

    changes: Sequence[Told]
    run_id: str
    author: str | None
    revision: str | None
    at: datetime
    stacks: Mapping[str, str] | None = None


Step = Upsert | Insert | InsertMissing | Replace | Delete | Mark | Remove | CutEdges | CloseVersions | BeginVersions | Tell

# Tables of which many rows are written at once, with those into which their keys are sure: what an instance refers to is written
# just before it, and versions and changes are made from its row. Triggers on them must be enabled ALWAYS.
LOADED: dict[type[SQLModel], tuple[type[SQLModel], ...]] = {
    records.CostEstimate: (),
    records.ComponentInstance: (records.Configuration, records.CostEstimate),
    records.Dependency: (),
    records.InstanceVersion: (records.ComponentInstance, records.Configuration),
    records.Change: (records.ComponentInstance,),
}

# Rows of the organisation, and manifests of removed stacks, go only when nothing points at them any more.
_REFERENCES: dict[type[SQLModel], tuple[tuple[str, str, str], ...]] = {
    records.Team: (
        ("component_instance", "team_id", ""),
        ("stack", "team_id", ""),
        ("environment", "team_id", ""),
        ("service", "owner_id", ""),
        ("service_instance", "team_id", ""),
        ("component", "maintainer_id", ""),
        ("provisioning_request", "team_id", ""),
        ("team_member", "team_id", ""),
    ),
    records.Tenant: (
        ("stack", "tenant_id", ""),
        ("environment", "tenant_id", ""),
        ("change", "tenant_id", ""),
        ("provisioning_request", "tenant_id", ""),
    ),
    records.Environment: (
        ("stack", "environment_id", "and r.state <> 'REMOVED'"),
        ("service_instance", "environment_id", "and r.registered_by_id is not null"),
    ),
    records.Manifest: (("stack", "manifest_id", ""),),
}


async def lock(connection: asyncpg.Connection) -> None:
    """Wait until this transaction is the only one that writes a snapshot; what it sorts and joins may be large."""
    await connection.execute("select pg_advisory_xact_lock($1)", _WRITERS)
    await connection.execute("set local work_mem = '64MB'")


async def perform(connection: asyncpg.Connection, step: Step) -> None:
    """Perform one step."""
    match step:
        case Upsert():
            async with loading.together(
                connection, step.record, len(step.rows) if step.record in LOADED else 0, LOADED.get(step.record, ())
            ):
                await tables.upsert(connection, step.record, step.rows, keep=step.keep)
        case Insert():
            await tables.insert(connection, step.record, step.rows)
        case InsertMissing():
            await tables.insert_missing(connection, step.record, step.rows)
        case BeginVersions():
            async with loading.together(connection, records.InstanceVersion, len(step.keys), LOADED[records.InstanceVersion]):
                await history.begin(connection, step.keys, step.ref, step.number)
        case Tell():
            async with loading.together(connection, records.Change, len(step.changes), LOADED[records.Change]):
                await _tell(connection, step)
        case Replace():
            await tables.delete(connection, step.record, step.owners, column=tables.of(step.record).columns[0])
            async with loading.together(connection, step.record, len(step.rows)):
                await tables.insert(connection, step.record, step.rows)
        case Delete():
            await _delete(connection, step)
        case Mark():
            await _mark(connection, step)
        case Remove():
            name = tables.of(step.record).quoted
            await connection.execute(f"update {name} set removed_at = $2 where id = any($1::text[])", list(step.keys), step.at)
        case CutEdges():
            await _cut(connection, step.edges)
        case CloseVersions():
            await history.close(connection, step.kind, step.keys, step.ref, step.number)


def is_empty(step: Step) -> bool:
    """Whether a step has nothing to do."""
    match step:
        case Upsert() | Insert() | InsertMissing():
            return not step.rows
        case Replace():
            return not step.owners
        case Tell():
            return not step.changes
        case CutEdges():
            return not step.edges
        case _:
            return not step.keys


async def _delete(connection: asyncpg.Connection, step: Delete) -> None:
    if not step.unreferenced:
        await tables.delete(connection, step.record, step.keys, column=step.column)
        return
    references = " or ".join(
        f"exists (select from {table} r where r.{column} = t.id {condition})"
        for table, column, condition in _REFERENCES[step.record]
    )
    name = tables.of(step.record).quoted
    await connection.execute(f"delete from {name} t where t.id = any($1::text[]) and not ({references})", sorted(step.keys))


async def _mark(connection: asyncpg.Connection, step: Mark) -> None:
    name = tables.of(step.record).quoted
    statement = f"update {name} set state = $2, removed_at = $3 where id = any($1::text[])"
    await connection.execute(statement, sorted(step.keys), step.state, step.at)


async def _tell(connection: asyncpg.Connection, step: Tell) -> None:
    named = "stack s" if step.stacks is None else "unnest($10::text[], $11::text[]) as s(id, name)"
    names = () if step.stacks is None else (list(step.stacks), list(step.stacks.values()))
    await connection.execute(
        f"""insert into "change" (id, estate_id, run_id, tenant_id, kind, instance_id, previous_id, stack_name, component_type,
            component_name, values, author, revision, at)
        select x.id, i.estate_id, $1, i.tenant_id, x.kind, i.id, x.previous_id, s.name, i.type, i.name, x.values::jsonb, $2, $3, $4
        from unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::text[]) as x(id, kind, instance_id, previous_id, values)
        join component_instance i on i.id = x.instance_id join {named} on s.id = i.stack_id""",
        step.run_id,
        step.author,
        step.revision,
        step.at,
        *map(list, zip(*step.changes, strict=True)),
        *names,
    )


async def _cut(connection: asyncpg.Connection, edges: Collection[tuple[str, str, str]]) -> None:
    sources, targets, ways = (list(part) for part in zip(*sorted(edges), strict=True))
    await connection.execute(
        """delete from dependency d using unnest($1::text[], $2::text[], $3::text[]) as gone(source_id, target_id, via)
        where d.source_id = gone.source_id and d.target_id = gone.target_id and d.via = gone.via""",
        sources,
        targets,
        ways,
    )


# ─── what is there now ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class StackNow:
    """A stack as it stands: the hash of everything in it, its state and its manifest's path."""

    content_hash: str
    state: str
    manifest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """An estate as it stands, without its instances: hashes by id. Diagnostics are whole rows."""

    stacks: Mapping[str, StackNow]
    components: Mapping[str, tuple[str, bool]]  # hash, whether it is removed
    manifests: Mapping[str, str]
    workflows: Mapping[str, str]
    diagnostics: Mapping[str, Row]


class InstanceNow(NamedTuple):
    """An instance as it stands."""

    stack_id: str
    stack_name: str
    tenant_id: str
    type: str
    name: str
    content_hash: str
    config_hash: str
    state: str
    changed_at: datetime
    component_id: str | None
    abstract: bool
    enabled: bool
    currency: str | None
    monthly: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What some stacks hold: hashes of their own rows, instances by id, and edges from these by (source, target, via)."""

    stacks: Mapping[str, str]
    instances: Mapping[str, InstanceNow]
    edges: Mapping[tuple[str, str, str], Row]


async def outline(connection: asyncpg.Connection, estate_id: str) -> Outline:
    """Fetch an estate's hashes."""
    stacks = await connection.fetch(
        """select s.id, s.content_hash, s.state, m.path
        from stack s join manifest m on m.id = s.manifest_id where s.estate_id = $1""",
        estate_id,
    )
    components = await connection.fetch(
        "select id, content_hash, removed_at is not null from component where estate_id = $1", estate_id
    )
    return Outline(
        stacks={row[0]: StackNow(content_hash=row[1], state=row[2], manifest=row[3]) for row in stacks},
        components={row[0]: (row[1], row[2]) for row in components},
        manifests=await _hashes(connection, "manifest", estate_id, "and removed_at is null"),
        workflows=await _hashes(connection, "workflow", estate_id),
        diagnostics={row[0]: row for row in await tables.rows(connection, records.DiagnosticRecord, "estate_id", [estate_id])},
    )


async def _hashes(connection: asyncpg.Connection, table: str, estate_id: str, more: str = "") -> dict[str, str]:
    rows = await connection.fetch(f"select id, content_hash from {table} where estate_id = $1 {more}", estate_id)
    return dict(map(tuple, rows))


async def details(connection: asyncpg.Connection, stack_ids: Collection[str]) -> Details:
    """Fetch what some stacks hold."""
    if not stack_ids:
        return Details(stacks={}, instances={}, edges={})
    keys = sorted(stack_ids)
    stacks = await connection.fetch("select id, row_hash from stack where id = any($1::text[]) and state <> 'REMOVED'", keys)
    instances = await connection.fetch(
        """select i.id, i.stack_id, s.name as stack_name, i.tenant_id, i.type, i.name, i.content_hash, i.config_hash, i.state,
        i.changed_at, i.component_id, i.abstract, i.enabled, i.currency, i.monthly
        from component_instance i join stack s on s.id = i.stack_id where i.stack_id = any($1::text[])""",
        keys,
    )
    found = {row[0]: InstanceNow(*row[1:]) for row in instances}
    edges = await tables.rows(connection, records.Dependency, "source_id", found)
    return Details(stacks=dict(map(tuple, stacks)), instances=found, edges={(row[0], row[1], row[2]): row for row in edges})


async def documents(connection: asyncpg.Connection, hashes: Iterable[str]) -> dict[str, Any]:
    """Fetch resolved sections by hash."""
    wanted = sorted(set(hashes))
    found = await connection.fetch("select hash, document from config where hash = any($1::text[])", wanted) if wanted else []
    return {row[0]: json.loads(row[1]) for row in found}


async def prove(connection: asyncpg.Connection) -> None:
    """Prove the foreign keys of instances, and of what hangs on them, that this transaction wrote without look-ups."""
    for record, sure in LOADED.items():
        await loading.prove(connection, (record,), sure)


async def is_unknown(connection: asyncpg.Connection, estate_id: str) -> bool:
    """Whether the catalog holds nothing of an estate."""
    found: bool = await connection.fetchval("select not exists (select from stack where estate_id = $1)", estate_id)
    return found


async def live_instances(connection: asyncpg.Connection, estate_id: str) -> int:
    """Count the instances of an estate that are not removed."""
    count = await connection.fetchval(
        "select count(*) from component_instance where estate_id = $1 and state <> 'REMOVED'", estate_id
    )
    return int(count)


async def whole(
    connection: asyncpg.Connection, record: type[SQLModel], column: str, keys: Iterable[str], more: str = ""
) -> list[Row]:
    """Fetch whole rows by a column's values."""
    return await tables.rows(connection, record, column, sorted(set(keys)), more=more)
