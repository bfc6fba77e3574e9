"""Tells the past: puts what an estate was at an earlier position, or on a line aside, into the history, and leaves the present alone.

What never lived since gets a row that is marked as removed, so that its versions have something to hang on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from catalog import records
from catalog.indexer import changes
from catalog.indexer.difference import Moment
from catalog.indexer.documents import text_of
from catalog.indexer.redaction import json_text
from catalog.indexer.snapshot import Snapshot
from catalog.indexer.stack_rows import kind_of
from catalog.records import ChangeKind, FreshnessState
from catalog.store import history, index_runs, snapshots, tables
from catalog.store.history import Boundary, Span
from catalog.store.rows import ChangeRow, ConfigurationRow, InstanceVersionRow, StackVersionRow
from catalog.values import global_id

# So many documents are compared at once.
_DOCUMENTS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How many instances were added, changed and removed at the position, against the one before it."""

    added: int
    changed: int
    removed: int


async def tell(
    connection: asyncpg.Connection, snapshot: Snapshot, moment: Moment, until: int | None, *, with_changes: bool = True
) -> Told:
    """Write what a position was; `until` is the next known position of its line, whose changes are told anew.

    Call it in the transaction that holds the writers' lock.
    """
    estate_id = global_id("Estate", snapshot.estate)
    span = Span(ref=moment.ref, number=moment.number, until=until)
    await _write_stacks(connection, snapshot, estate_id, span, moment)
    await _write_instances(connection, snapshot, estate_id, span, moment)
    if not with_changes:
        return Told(added=len(_instances(snapshot)), changed=0, removed=0)
    told = await _tell_changes(connection, estate_id, moment)
    if until is not None:
        await _tell_changes_at(connection, estate_id, moment.ref, until)
    return told


def _instances(snapshot: Snapshot) -> dict[str, Any]:
    return {key: row for part in snapshot.parts.values() for key, row in part.instances.items()}


async def _write_stacks(connection: asyncpg.Connection, snapshot: Snapshot, estate_id: str, span: Span, moment: Moment) -> None:
    before = await history.state(connection, history.STACKS, estate_id, span.ref, span.number)
    wanted = {key: part.stack for key, part in snapshot.parts.items()}
    differing = {key: row for key, row in wanted.items() if before.get(key) != row.row_hash}
    gone = before.keys() - wanted.keys()
    if gone and snapshot.broken:
        paths = await history.known_stacks(connection, gone)
        gone = {key for key in gone if paths.get(key) not in snapshot.broken}
    await _have_stacks(connection, snapshot, differing.values(), moment)
    versions = [
        StackVersionRow(
            stack_id=key,
            ref=span.ref,
            from_number=span.number,
            to_number=span.until,
            content_hash=row.row_hash,
            row=_as_json(records.Stack, row),
        )
        for key, row in differing.items()
    ]
    ended = gone | (differing.keys() & before.keys())
    await history.insert_past(connection, history.STACKS, span, ended=ended, versions=versions)


async def _write_instances(connection: asyncpg.Connection, snapshot: Snapshot, estate_id: str, span: Span, moment: Moment) -> None:
    before = await history.state(connection, history.INSTANCES, estate_id, span.ref, span.number)
    wanted = _instances(snapshot)
    differing = {key: row for key, row in wanted.items() if before.get(key) != row.content_hash}
    gone = await _gone(connection, snapshot, before.keys() - wanted.keys())
    touched = [part for part in snapshot.parts.values() if not differing.keys().isdisjoint(part.instances)]
    documents = {key: document for part in touched for key, document in part.documents.items()}
    hashes = sorted({row.config_hash for row in differing.values()})
    await tables.insert_missing(
        connection, records.Configuration, [ConfigurationRow(hash=key, document=text_of(documents[key])) for key in hashes]
    )
    await _have_instances(connection, differing.values(), moment)
    estimates = {key: row for part in touched for key, row in part.estimates.items()}
    edges: dict[str, list[Any]] = {}
    for part in touched:
        for edge in part.dependencies:
            if edge.source_id in differing:
                edges.setdefault(edge.source_id, []).append(edge)
    versions = [
        InstanceVersionRow(
            instance_id=key,
            ref=span.ref,
            from_number=span.number,
            to_number=span.until,
            content_hash=row.content_hash,
            config_hash=row.config_hash,
            row=_as_json(records.ComponentInstance, row._replace(changed_at=moment.happened_at)),
            estimate=None if key not in estimates else _as_json(records.CostEstimate, estimates[key]),
            edges="[" + ",".join(_as_json(records.Dependency, edge) for edge in edges.get(key, ())) + "]",
        )
        for key, row in differing.items()
    ]
    ended = gone | (differing.keys() & before.keys())
    await history.insert_past(connection, history.INSTANCES, span, ended=ended, versions=versions)


async def _gone(connection: asyncpg.Connection, snapshot: Snapshot, missing: Iterable[str]) -> set[str]:
    """Of what is missing, that which no broken manifest hides: what is hidden keeps its last good version."""
    gone = set(missing)
    if gone and (snapshot.broken or snapshot.broken_instances):
        lost = {(manifest, kind_of(kind), name) for manifest, kind, name in snapshot.broken_instances}
        for key, known in (await history.known_instances(connection, gone)).items():
            if known.manifest in snapshot.broken or (known.manifest, known.type, known.name) in lost:
                gone.discard(key)
    return gone


def _as_json(record: Any, row: Any) -> str:
    """A row as Postgres' to_jsonb writes it; columns that hold JSON are JSON text already, and amounts are numbers of ten decimals."""
    table = tables.of(record)
    members = (
        f"{json.dumps(name)}:{value if name in table.documents and value is not None else _written(value)}"
        for name, value in zip(table.columns, row, strict=True)
    )
    return "{" + ",".join(members) + "}"


def _written(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:.10f}"
    return json.dumps(value.isoformat() if isinstance(value, datetime) else value)


# ─── rows for what doesn't live now ─────────────────────────────────────────────────────────────────────────────────────


async def _have_stacks(connection: asyncpg.Connection, snapshot: Snapshot, stacks: Iterable[Any], moment: Moment) -> None:
    rows = list(stacks)
    organization = snapshot.organization
    wanted = {row.tenant_id for row in rows}
    homes = {row.organization_id for row in rows}
    gone = {key: snapshot.manifests[key]._replace(removed_at=moment.at) for key in {row.manifest_id for row in rows}}
    for record, found, keys in (
        (records.Organization, organization.organizations, homes),
        (records.Tenant, organization.tenants, wanted),
        (records.Manifest, gone, gone.keys()),
    ):
        await tables.insert_missing(connection, record, [found[key] for key in sorted(keys) if key in found])
    teams = await tables.present(connection, records.Team, {row.team_id for row in rows} - {None})
    environments = await tables.present(connection, records.Environment, {row.environment_id for row in rows} - {None})
    removed = [
        row._replace(
            state=FreshnessState.REMOVED.value,
            removed_at=moment.at,
            team_id=row.team_id if row.team_id in teams else None,
            environment_id=row.environment_id if row.environment_id in environments else None,
        )
        for row in rows
    ]
    await tables.insert_missing(connection, records.Stack, removed)


async def _have_instances(connection: asyncpg.Connection, instances: Iterable[Any], moment: Moment) -> None:
    rows = list(instances)
    teams = await tables.present(connection, records.Team, {row.team_id for row in rows} - {None})
    components = await tables.present(connection, records.Component, {row.component_id for row in rows} - {None})
    removed = [
        row._replace(
            state=FreshnessState.REMOVED.value,
            removed_at=moment.at,
            changed_at=moment.happened_at,
            team_id=row.team_id if row.team_id in teams else None,
            component_id=row.component_id if row.component_id in components else None,
            cost_estimate_id=None,
        )
        for row in rows
    ]
    await tables.insert_missing(connection, records.ComponentInstance, removed)


# ─── changes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _tell_changes_at(connection: asyncpg.Connection, estate_id: str, ref: str, number: int) -> None:
    """Tell anew what changed at a known position, since another one is now known before it."""
    run = await index_runs.at(connection, estate_id, ref, number)
    if run is not None:
        moment = Moment(
            run_id=run["id"],
            at=run["started_at"],
            ref=ref,
            number=number,
            revision=run["revision"],
            author=run["author"],
            committed_at=run["committed_at"],
        )
        await _tell_changes(connection, estate_id, moment)


async def _tell_changes(connection: asyncpg.Connection, estate_id: str, moment: Moment) -> Told:
    found = await history.boundaries(connection, estate_id, moment.ref, moment.number)
    added = [item for item in found if item.before is None]
    removed = [item for item in found if item.after is None]
    changed = [item for item in found if item.before is not None and item.after is not None]
    heirs = await _heirs(connection, added, removed)
    values = await _values(connection, changed)
    inherited = set(heirs.values())
    rows = [
        _change(estate_id, moment, ChangeKind.RENAMED if key in heirs else ChangeKind.ADDED, item, previous=heirs.get(key))
        for item in added
        for key in (item.instance_id,)
    ]
    rows += [_change(estate_id, moment, ChangeKind.CHANGED, item, values=values[item.instance_id]) for item in changed]
    rows += [_change(estate_id, moment, ChangeKind.REMOVED, item) for item in removed if item.instance_id not in inherited]
    await history.replace_changes(connection, estate_id, moment.ref, moment.number, rows)
    return Told(added=len(added), changed=len(changed), removed=len(removed))


def _change(
    estate_id: str, moment: Moment, kind: ChangeKind, about: Boundary, *, previous: str | None = None, values: str = "[]"
) -> Any:
    return ChangeRow(
        id=global_id("Change", moment.run_id, about.instance_id),
        estate_id=estate_id,
        run_id=moment.run_id,
        tenant_id=about.tenant_id,
        kind=kind.value,
        instance_id=about.instance_id,
        previous_id=previous,
        stack_name=about.stack_name,
        component_type=about.type,
        component_name=about.name,
        values=values,
        author=moment.author,
        revision=moment.revision,
        at=moment.happened_at,
    )


async def _values(connection: asyncpg.Connection, changed: list[Boundary]) -> dict[str, str]:
    found = {}
    for start in range(0, len(changed), _DOCUMENTS):
        some = changed[start : start + _DOCUMENTS]
        hashes = {key for item in some for key in (item.before, item.after) if key is not None}
        documents = await snapshots.documents(connection, hashes)
        for item in some:
            found[item.instance_id] = json_text(changes.values(documents[str(item.before)], documents[str(item.after)]))
    return found


async def _heirs(connection: asyncpg.Connection, added: list[Boundary], removed: list[Boundary]) -> dict[str, str]:
    """Which of the added are removed ones under another name."""
    if not added or not removed:
        return {}
    hashes: Mapping[str, str | None] = {item.instance_id: item.after or item.before for item in (*added, *removed)}
    documents = await snapshots.documents(connection, {key for key in hashes.values() if key is not None})
    essences = {key: changes.essence(documents[str(config_hash)]) for key, config_hash in hashes.items()}
    return changes.renames(
        [(item.instance_id, (item.stack_id, item.type, item.name)) for item in added],
        [(item.instance_id, (item.stack_id, item.type, item.name)) for item in removed],
        essences,
    )
