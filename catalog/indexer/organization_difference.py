"""Computes the steps for the organisation's rows: what the seeds say and what places mean, against what the catalog holds.

These tables are small and everybody's, so they are compared row by row. What the seeds don't speak for is never taken back: only
organisations that they name lose teams and services, and only when the file that says so could be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlmodel import SQLModel

from catalog import records
from catalog.indexer.snapshot import Snapshot
from catalog.records import ServiceInstanceState, ServiceSource
from catalog.store import tables
from catalog.store.organizations import Member, OrganizationNow
from catalog.store.rows import ServiceInstanceComponentRow
from catalog.store.snapshots import Delete, Outline, Replace, Step, Upsert
from catalog.values import global_id


def before(snapshot: Snapshot, now: OrganizationNow) -> list[Step]:
    """The steps that go before the estate's own rows, which refer to these."""
    said = snapshot.organization
    # Where the seeds don't speak for an organisation, what others said of it and its tenants stays.
    organizations = {
        key: row for key, row in said.organizations.items() if key in snapshot.spoken_for or key not in now.organizations
    }
    tenants = {
        key: row for key, row in said.tenants.items() if row.organization_id in snapshot.spoken_for or key not in now.tenants
    }
    return [
        _upsert(records.Organization, organizations, now.organizations),
        _upsert(records.Tenant, tenants, now.tenants),
        _upsert(records.Team, said.teams, now.teams),
        _upsert(records.Person, said.people, now.people),
        _upsert(records.Environment, said.environments, now.environments),
    ]


def after(snapshot: Snapshot, estate: Outline, now: OrganizationNow) -> list[Step]:
    """The steps that follow the estate's own rows: services, which refer to them, and what is no longer said."""
    said = snapshot.services
    parts = {key: _with_foreign(rows, now.service_parts.get(key, ()), estate) for key, rows in said.components.items()}
    differing = {
        key: rows for key, rows in parts.items() if list(map(tuple, rows)) != list(map(tuple, now.service_parts.get(key, ())))
    }
    running = _running(snapshot, now)
    members = {key: ids for key, (_, ids) in running.items() if ids != tuple(item.instance_id for item in now.members.get(key, ()))}
    linked = [
        ServiceInstanceComponentRow(service_instance_id=key, instance_id=found) for key, ids in members.items() for found in ids
    ]
    return [
        _upsert(records.CostEstimate, said.estimates, now.estimates),
        _upsert(records.Service, said.services, now.services, keep=("version",)),
        Replace(records.ServiceComponent, differing.keys(), [row for rows in differing.values() for row in rows]),
        _upsert(
            records.ServiceInstance,
            {key: row for key, (row, _) in running.items()},
            now.service_instances,
            keep=("registered_by_id",),
        ),
        Replace(records.ServiceInstanceComponent, members.keys(), linked),
        *_taken_back(snapshot, now),
    ]


def _with_foreign(rows: tuple[Any, ...], known: tuple[Any, ...], estate: Outline) -> tuple[Any, ...]:
    """The parts of a service; a component that only another estate has is still the part's."""
    at = tables.of(records.ServiceComponent).columns.index("component_id")
    elsewhere = {row[1]: row[at] for row in known if row[at] is not None and row[at] not in estate.components}
    return tuple(row if row.component_id is not None else row._replace(component_id=elsewhere.get(row.ordinal)) for row in rows)


def _running(snapshot: Snapshot, now: OrganizationNow) -> dict[str, tuple[Any, tuple[str, ...]]]:
    """The service instances that this estate gives, together with what other estates and its own broken manifests hold there."""
    known = snapshot.services.services.keys() | now.services.keys()
    result = {}
    for key, (row, ids) in snapshot.services.instances.items():
        if row.service_id in known:
            others = _others(snapshot, now.members.get(key, ()))
            there = {name for item in others for name in (item.name, item.component)}
            missing = [name for name in row.missing if name not in there]
            state = ServiceInstanceState.PARTIAL if missing else ServiceInstanceState.COMPLETE
            everyone = tuple(sorted({*ids, *(item.instance_id for item in others)}))
            result[key] = row._replace(missing=missing, state=state.value), everyone
    return result


def _others(snapshot: Snapshot, members: tuple[Member, ...]) -> list[Member]:
    """Those of the members whose word isn't this snapshot's: other estates' instances, and the last good ones of broken manifests."""
    estate = global_id("Estate", snapshot.estate)
    return [item for item in members if item.estate_id != estate or item.manifest in snapshot.broken]


def _upsert(record: type[SQLModel], said: Mapping[str, Any], now: Mapping[str, Any], keep: tuple[str, ...] = ()) -> Upsert:
    differing = [row for key, row in said.items() if (known := now.get(key)) is None or not _same(record, row, known, keep)]
    return Upsert(record, differing, keep=keep)


def _same(record: type[SQLModel], row: Any, known: Any, keep: tuple[str, ...]) -> bool:
    columns = tables.of(record).columns
    kept = {name: known[columns.index(name)] for name in keep}
    return tables.same(record, row._replace(**kept), known)


def _taken_back(snapshot: Snapshot, now: OrganizationNow) -> list[Step]:
    said, services = snapshot.organization, snapshot.services
    spoken = snapshot.spoken_for
    teams, offers = "teams.yaml" not in snapshot.unread, "services.yaml" not in snapshot.unread
    retired = [
        key for key, row in now.services.items() if offers and key not in services.named and _is_seeded(row) and row[1] in spoken
    ]
    mine = services.services.keys() | set(retired)
    idle = [
        key
        for key, row in now.service_instances.items()
        if offers and key not in services.instances and _is_idle(row, snapshot, now.members.get(key, ()))
    ]
    return [
        Delete(records.ServiceInstance, idle),
        Delete(records.Service, retired),
        Delete(
            records.CostEstimate, [key for key, row in now.estimates.items() if row[2] in mine and key not in services.estimates]
        ),
        Delete(
            records.Person,
            [key for key, row in now.people.items() if teams and key not in said.people and _speaks(snapshot, now, row)],
        ),
        Delete(records.Environment, now.environments.keys() - said.environments.keys(), unreferenced=True),
        Delete(
            records.Team,
            [key for key, row in now.teams.items() if teams and key not in said.teams and row[1] in spoken],
            unreferenced=True,
        ),
        Delete(records.Tenant, now.tenants.keys() - said.tenants.keys(), unreferenced=True),
    ]


def _speaks(snapshot: Snapshot, now: OrganizationNow, person: Any) -> bool:
    """Whether the seeds speak for the organisation of a person's team."""
    return now.teams[person[1]][1] in snapshot.spoken_for


def _is_idle(row: Any, snapshot: Snapshot, members: tuple[Member, ...]) -> bool:
    """Whether a service that the seeds define no longer runs there; what a request registered is the request's."""
    columns = tables.of(records.ServiceInstance).columns
    registered, service = row[columns.index("registered_by_id")], row[columns.index("service_id")]
    return registered is None and service in snapshot.services.named and not _others(snapshot, members)


def _is_seeded(row: Any) -> bool:
    return bool(row[tables.of(records.Service).columns.index("source")] == ServiceSource.SEEDS)
