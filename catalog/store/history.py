"""Versions as rows: what instances and stacks were at each position of a line, which is a branch or a revision that lies aside.

A version that holds now is told by the rows themselves (`row` is null); what they say is copied into it when it ends. Versions of
the past, and of lines that nobody follows any more, hold their rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlmodel import SQLModel

from catalog import records
from catalog.store import tables

# What the rows of an instance say now, written into its versions that only pointed at them.
_KEEP_INSTANCES = """
update instance_version v set row = to_jsonb(i),
    estimate = (select to_jsonb(c) from cost_estimate c where c.id = i.cost_estimate_id),
    edges = coalesce((select jsonb_agg(to_jsonb(d) order by d.target_id, d.via) from dependency d where d.source_id = i.id), '[]')
from component_instance i where i.id = v.instance_id and v.row is null
"""
_KEEP_STACKS = "update stack_version v set row = to_jsonb(s) from stack s where s.id = v.stack_id and v.row is null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of versions: its record, the column that names the subject, the subject's table, and how to keep what rows say."""

    record: type[SQLModel]
    key: str
    subject: str
    keep: str

    @property
    def table(self) -> str:
        """The table's name."""
        return tables.of(self.record).name


INSTANCES = Kind(record=records.InstanceVersion, key="instance_id", subject="component_instance", keep=_KEEP_INSTANCES)
STACKS = Kind(record=records.StackVersion, key="stack_id", subject="stack", keep=_KEEP_STACKS)
KINDS = (INSTANCES, STACKS)


async def close(connection: asyncpg.Connection, kind: Kind, keys: Collection[str], ref: str, number: int) -> None:
    """End what things were on a line at a position, keeping what their rows say; a version that began there is replaced."""
    wanted = sorted(keys)
    await connection.execute(
        f"delete from {kind.table} where {kind.key} = any($1::text[]) and ref = $2 and from_number >= $3", wanted, ref, number
    )
    # Both at once: each update writes the whole version again.
    ending = kind.keep.replace(" set row = ", " set to_number = $3, row = ", 1)
    await connection.execute(
        f"{ending} and v.{kind.key} = any($1::text[]) and v.ref = $2 and v.to_number is null", wanted, ref, number
    )
    await connection.execute(
        f"""update {kind.table} set to_number = $3 where {kind.key} = any($1::text[]) and ref = $2
        and (to_number is null or to_number > $3)""",
        wanted,
        ref,
        number,
    )


async def begin(connection: asyncpg.Connection, keys: Collection[str], ref: str, number: int) -> None:
    """Say of instances that from a position of a line on they are what their rows say."""
    await connection.execute(
        """insert into instance_version (instance_id, ref, from_number, content_hash, config_hash)
        select i.id, $2, $3, i.content_hash, i.config_hash from component_instance i where i.id = any($1::text[])
        on conflict (instance_id, ref, from_number) do update set to_number = null, content_hash = excluded.content_hash,
            config_hash = excluded.config_hash, row = null, estimate = null, edges = null""",
        sorted(keys),
        ref,
        number,
    )


# ─── lines ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def leave(connection: asyncpg.Connection, estate_id: str, ref: str) -> None:
    """Keep what the rows say in the versions of a line that is no longer the present one."""
    for kind in KINDS:
        await connection.execute(f"{kind.keep} and v.ref = $2 and {_of_estate(kind, 'v')}", estate_id, ref)


async def fork(connection: asyncpg.Connection, estate_id: str, ref: str, fork_number: int, aside: str, run_id: str) -> None:
    """Put what a rewritten branch had beyond a position onto a line of its own, with the runs that read it: all but the one at hand.

    What held at the fork holds on the branch until the next position says otherwise.
    """
    await leave(connection, estate_id, ref)
    await connection.execute(
        "update index_run set ref = $4 where estate_id = $1 and ref = $2 and number > $3 and id <> $5",
        estate_id,
        ref,
        fork_number,
        aside,
        run_id,
    )
    for kind in KINDS:
        copied = ", ".join(f'"{name}"' for name in tables.of(kind.record).columns[4:])
        await connection.execute(
            f"""insert into {kind.table} ({kind.key}, ref, from_number, to_number, {copied})
            select v.{kind.key}, $4, $3 + 1, v.to_number, {copied} from {kind.table} v
            where v.ref = $2 and v.from_number <= $3 and (v.to_number is null or v.to_number > $3 + 1) and {_of_estate(kind, "v")}""",
            estate_id,
            ref,
            fork_number,
            aside,
        )
        await connection.execute(
            f"update {kind.table} v set ref = $4 where v.ref = $2 and v.from_number > $3 and {_of_estate(kind, 'v')}",
            estate_id,
            ref,
            fork_number,
            aside,
        )
        await connection.execute(
            f"""update {kind.table} v set to_number = $3 + 1 where v.ref = $2 and v.to_number > $3 + 1
            and {_of_estate(kind, "v")}""",
            estate_id,
            ref,
            fork_number,
        )


async def begin_line(connection: asyncpg.Connection, estate_id: str, ref: str, number: int) -> None:
    """Say of everything that lives that it is what its row says from a position on, where the line doesn't say so yet.

    For the first position after the present moved to another branch, or to a rewritten one; from then on only differences are written.
    """
    for kind in KINDS:
        old = f"v.ref = $2 and v.row is not null and {_of_estate(kind, 'v')}"
        await connection.execute(f"delete from {kind.table} v where v.from_number >= $3 and {old}", estate_id, ref, number)
        await connection.execute(
            f"update {kind.table} v set to_number = $3 where (v.to_number is null or v.to_number > $3) and {old}",
            estate_id,
            ref,
            number,
        )
    lives = "x.estate_id = $1 and x.state <> 'REMOVED'"
    told = "not exists (select from {table} v where v.{key} = x.id and v.ref = $2 and v.to_number is null)"
    await connection.execute(
        f"""insert into instance_version (instance_id, ref, from_number, content_hash, config_hash)
        select x.id, $2, $3, x.content_hash, x.config_hash from component_instance x
        where {lives} and {told.format(table="instance_version", key="instance_id")}""",
        estate_id,
        ref,
        number,
    )
    await connection.execute(
        f"""insert into stack_version (stack_id, ref, from_number, content_hash)
        select x.id, $2, $3, x.row_hash from stack x where {lives} and {told.format(table="stack_version", key="stack_id")}""",
        estate_id,
        ref,
        number,
    )


# ─── the past ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def state(connection: asyncpg.Connection, kind: Kind, estate_id: str, ref: str, number: int) -> dict[str, str]:
    """What a line holds at a position: content hashes by the ids of their subjects."""
    rows = await connection.fetch(
        f"""select v.{kind.key}, v.content_hash from {kind.table} v where v.ref = $2 and v.from_number <= $3
        and (v.to_number is null or v.to_number > $3) and {_of_estate(kind, "v")}""",
        estate_id,
        ref,
        number,
    )
    return dict(map(tuple, rows))


async def insert_past(
    connection: asyncpg.Connection,
    kind: Kind,
    span: Span,
    *,
    ended: Collection[str],
    versions: Sequence[Any],
) -> None:
    """Put what things were at a position between two others into their history: what ended there, and rows of what began.

    What an ended version said beyond the next position it goes on saying there. A version that begins at the next position and says
    the same begins earlier instead of being written twice.
    """
    keys = sorted(ended)
    await connection.execute(f"{kind.keep} and v.{kind.key} = any($1::text[]) and v.ref = $2", keys, span.ref)
    if span.until is not None:
        await _resume(connection, kind, span, keys)
    covering = f"{kind.key} = any($1::text[]) and ref = $2 and (to_number is null or to_number > $3)"
    await connection.execute(f"delete from {kind.table} where {covering} and from_number = $3", keys, span.ref, span.number)
    await connection.execute(
        f"update {kind.table} set to_number = $3 where {covering} and from_number < $3", keys, span.ref, span.number
    )
    earlier = await _begin_earlier(connection, kind, span, {row[0]: row.content_hash for row in versions})
    await tables.insert(connection, kind.record, [row for row in versions if row[0] not in earlier])


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A position of a line, and the next one that is known."""

    ref: str
    number: int
    until: int | None


async def _resume(connection: asyncpg.Connection, kind: Kind, span: Span, keys: Sequence[str]) -> None:
    told = [f'"{name}"' for name in tables.of(kind.record).columns[4:]]
    # The version ends before its continuation begins: only one may hold without end.
    await connection.execute(
        f"""with covering as (select {kind.key} as id, from_number, to_number from {kind.table}
            where {kind.key} = any($1::text[]) and ref = $2 and from_number <= $3 and (to_number is null or to_number > $4)),
        ended as (update {kind.table} v set to_number = $4 from covering c
            where v.{kind.key} = c.id and v.ref = $2 and v.from_number = c.from_number
            returning c.id, c.to_number, {", ".join(f"v.{name}" for name in told)})
        insert into {kind.table} ({kind.key}, ref, from_number, to_number, {", ".join(told)})
        select id, $2, $4, to_number, {", ".join(told)} from ended""",
        keys,
        span.ref,
        span.number,
        span.until,
    )


async def _begin_earlier(connection: asyncpg.Connection, kind: Kind, span: Span, hashes: Mapping[str, str]) -> set[str]:
    if span.until is None:
        return set()
    moved = await connection.fetch(
        f"""update {kind.table} v set from_number = $2 from unnest($4::text[], $5::text[]) as x(id, content_hash)
        where v.{kind.key} = x.id and v.ref = $1 and v.from_number = $3 and v.content_hash = x.content_hash returning x.id""",
        span.ref,
        span.number,
        span.until,
        list(hashes),
        list(hashes.values()),
    )
    return {row[0] for row in moved}


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """An instance whose version ended, began or both at a position, with the hashes of its documents before and after."""

    instance_id: str
    stack_id: str
    stack_name: str
    tenant_id: str
    type: str
    name: str
    before: str | None
    after: str | None


async def boundaries(connection: asyncpg.Connection, estate_id: str, ref: str, number: int) -> list[Boundary]:
    """Fetch what changed at a position of a line, in a stable order."""
    rows = await connection.fetch(
        """with began as (select v.instance_id, v.config_hash from instance_version v where v.ref = $2 and v.from_number = $3),
        ended as (select v.instance_id, v.config_hash from instance_version v where v.ref = $2 and v.to_number = $3)
        select i.id as instance_id, i.stack_id, s.name as stack_name, i.tenant_id, i.type, i.name, e.config_hash as before,
            b.config_hash as after
        from began b full join ended e on e.instance_id = b.instance_id
        join component_instance i on i.id = coalesce(b.instance_id, e.instance_id) join stack s on s.id = i.stack_id
        where i.estate_id = $1 and b.config_hash is distinct from e.config_hash order by i.id""",
        estate_id,
        ref,
        number,
    )
    return [Boundary(**dict(row)) for row in rows]


async def replace_changes(connection: asyncpg.Connection, estate_id: str, ref: str, number: int, rows: Sequence[Any]) -> None:
    """Replace what the runs at a position said they changed."""
    await connection.execute(
        """delete from "change" c using index_run r
        where r.id = c.run_id and r.estate_id = $1 and r.ref = $2 and r.number = $3""",
        estate_id,
        ref,
        number,
    )
    await tables.insert(connection, records.Change, rows)


def _of_estate(kind: Kind, alias: str) -> str:
    return f"exists (select from {kind.subject} x where x.id = {alias}.{kind.key} and x.estate_id = $1)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Where an instance that the catalog knows was last seen."""

    manifest: str
    type: str
    name: str


async def known_instances(connection: asyncpg.Connection, keys: Collection[str]) -> dict[str, Known]:
    """Fetch where instances were last seen, by id."""
    rows = await connection.fetch(
        """select i.id, m.path as manifest, i.type, i.name from component_instance i join stack s on s.id = i.stack_id
        join manifest m on m.id = s.manifest_id where i.id = any($1::text[])""",
        sorted(keys),
    )
    return {row["id"]: Known(manifest=row["manifest"], type=row["type"], name=row["name"]) for row in rows}


async def known_stacks(connection: asyncpg.Connection, keys: Collection[str]) -> dict[str, str]:
    """Fetch the manifests that stacks were last made of, by the stack's id."""
    rows = await connection.fetch(
        "select s.id, m.path from stack s join manifest m on m.id = s.manifest_id where s.id = any($1::text[])", sorted(keys)
    )
    return dict(map(tuple, rows))
