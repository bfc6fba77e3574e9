"""Computes the steps for services: what the seeds define against what the catalog holds of it.

A service has one source. What people registered is never touched, unless the seeds define it too: then the seeds win, the registered
definition is put aside, and it counts again when the seeds name it no more. Where services run and what their parts cost follows
from the rows afterwards: see `store.services`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from catalog import records
from catalog.indexer.redaction import json_text
from catalog.indexer.snapshot import Snapshot
from catalog.records import ServiceSource
from catalog.store import services, tables
from catalog.store.organizations import OrganizationNow
from catalog.store.rows import ServiceComponentRow, ServiceRow
from catalog.store.snapshots import Delete, Replace, Step, Upsert

# Columns that the seeds don't speak for, and so don't differ in.
_KEPT = ("version", "computed_cost_estimate_id", "overridden")
_PART = ("ordinal", "name", "layer", "role")
# What a person defines by registering a service; the rest of its row is told by others.
_DEFINED = (
    "title", "description", "category", "lifecycle", "lifecycle_stated", "tier", "owner_id", "tags", "public", "changed_by_id",
    "change_reason",
)  # fmt: skip


def steps(snapshot: Snapshot, now: OrganizationNow) -> list[Step]:
    """The steps that bring services to what the seeds say, but not yet what follows from that."""
    said = snapshot.services
    known = {key: ServiceRow(*row) for key, row in now.services.items()}
    differing = [key for key, row in said.services.items() if _differs(row, said.components[key], known.get(key), now)]
    written = {key: _succeeding(said.services[key], known.get(key), now) for key in differing}
    dropped = _dropped(snapshot, known)
    restored = {key: _restored(known[key], now, snapshot) for key in dropped if known[key].overridden is not None}
    parts = {key: said.components[key] for key in differing} | {key: found for key, (_, found) in restored.items()}
    estimates = [
        row for key, row in said.estimates.items() if key not in now.estimates or not _same_estimate(row, now.estimates[key])
    ]
    deleted = frozenset(dropped) - restored.keys()
    return [
        Upsert(records.CostEstimate, estimates),
        Upsert(records.Service, [*written.values(), *(row for row, _ in restored.values())], keep=("computed_cost_estimate_id",)),
        Replace(records.ServiceComponent, parts.keys(), [row for found in parts.values() for row in found]),
        Delete(records.Service, deleted),
        Delete(records.CostEstimate, _unstated(said.services.keys() | restored.keys(), deleted, said.estimates, now.estimates)),
    ]


def written(steps_: Iterable[Step]) -> frozenset[str]:
    """The services that steps write."""
    return frozenset(row.id for step in steps_ if isinstance(step, Upsert) and step.record is records.Service for row in step.rows)


def _differs(row: Any, parts: tuple[Any, ...], known: Any, now: OrganizationNow) -> bool:
    if known is None:
        return True
    kept = {name: getattr(known, name) for name in _KEPT}
    if not tables.same(records.Service, row._replace(**kept), known):
        return True
    before = [ServiceComponentRow(*part) for part in now.service_parts.get(row.id, ())]
    return [_shown(part) for part in parts] != [_shown(part) for part in before]


def _shown(part: Any) -> dict[str, Any]:
    return {name: getattr(part, name) for name in _PART}


def _same_estimate(row: Any, known: Any) -> bool:
    return tables.same(records.CostEstimate, row, known)


def _succeeding(row: Any, known: Any, now: OrganizationNow) -> Any:
    """The row that replaces a service's; what was registered under its slug is put aside.

    The version stays: it counts what people change here. What the seeds say has its versions in Git, and a catalog that read every
    commit holds the same as one that read the last.
    """
    if known is None:
        return row
    overridden = known.overridden if known.source == ServiceSource.SEEDS else _definition(known, now.service_parts.get(row.id, ()))
    return row._replace(version=known.version, overridden=overridden)


def _definition(known: Any, parts: Iterable[Any]) -> str:
    said = {name: getattr(known, name) for name in _DEFINED} | {"links": json.loads(known.links)}
    said["changed_at"] = known.changed_at.isoformat() if known.changed_at else None
    return json_text({"service": said, "components": [_shown(ServiceComponentRow(*part)) for part in parts]})


def _dropped(snapshot: Snapshot, known: Mapping[str, Any]) -> list[str]:
    """Services that the seeds defined and name no more, where they speak for the organisation and could be read."""
    if "services.yaml" in snapshot.unread:
        return []
    return [
        key
        for key, row in known.items()
        if key not in snapshot.services.named and row.source == ServiceSource.SEEDS and row.organization_id in snapshot.spoken_for
    ]


def _restored(known: Any, now: OrganizationNow, snapshot: Snapshot) -> tuple[Any, tuple[Any, ...]]:
    """A registered service as it was before the seeds defined it, and its parts."""
    stored = json.loads(known.overridden)
    said = dict(stored["service"])
    teams = now.teams.keys() | snapshot.organization.teams.keys()
    blank = ServiceRow(*(None for _ in ServiceRow._fields))
    row = blank._replace(
        id=known.id,
        organization_id=known.organization_id,
        slug=known.slug,
        version=known.version + 1,
        source=ServiceSource.CATALOG.value,
        links=json_text(said.pop("links")),
        changed_at=_moment(said.pop("changed_at")),
        **said,
    )
    if row.owner_id not in teams:
        row = row._replace(owner_id=None)
    return row, tuple(ServiceComponentRow(service_id=known.id, component_id=None, **part) for part in stored["components"])


def _moment(written_: str | None) -> datetime | None:
    return None if written_ is None else datetime.fromisoformat(written_)


def _unstated(living: Iterable[str], deleted: frozenset[str], said: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """Estimates that nobody states any more; those of deleted services go whatever they are."""
    alive = set(living)
    subject = tables.of(records.CostEstimate).columns.index("subject_id")
    return [
        key
        for key, row in known.items()
        if row[subject] in deleted or (row[subject] in alive and key not in said and key != services.computed_id(row[subject]))
    ]
