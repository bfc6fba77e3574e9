"""Computes the steps for the organisation's rows: what the seeds say and what places mean, against what the catalog holds.

These tables are small and everybody's, so they are compared row by row. What the seeds don't speak for is never taken back: only
organisations that they name lose teams and services, and only when the file that says so could be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlmodel import SQLModel

from catalog import records
from catalog.indexer.snapshot import Snapshot
from catalog.records import ServiceSource
from catalog.store import tables
from catalog.store.organizations import OrganizationNow
from catalog.store.rows import ServiceInstanceComponentRow
from catalog.store.snapshots import Delete, Replace, Step, Upsert


def before(snapshot: Snapshot, now: OrganizationNow) -> list[Step]:
    """The steps that go before the estate's own rows, which refer to these."""
    said = snapshot.organization
    return [
        _upsert(records.Organization, said.organizations, now.organizations),
        _upsert(records.Tenant, said.tenants, now.tenants),
        _upsert(records.Team, said.teams, now.teams),
        _upsert(records.Person, said.people, now.people),
        _upsert(records.Environment, said.environments, now.environments),
    ]


def after(snapshot: Snapshot, now: OrganizationNow) -> list[Step]:
    """The steps that follow the estate's own rows: services, which refer to them, and what is no longer said."""
    said = snapshot.services
    running = {key: row for key, (row, _) in said.instances.items()}
    parts = {key: rows for key, rows in said.components.items() if _parts_differ(rows, now.service_parts.get(key, ()))}
    members = {key: found for key, (_, found) in said.instances.items() if found != now.members.get(key, ())}
    return [
        _upsert(records.CostEstimate, said.estimates, now.estimates),
        _upsert(records.Service, said.services, now.services, keep=("version",)),
        Replace(records.ServiceComponent, parts.keys(), [row for rows in parts.values() for row in rows]),
        _upsert(records.ServiceInstance, running, now.service_instances, keep=("registered_by_id",)),
        Replace(
            records.ServiceInstanceComponent,
            members.keys(),
            [
                ServiceInstanceComponentRow(service_instance_id=key, instance_id=found)
                for key, ids in members.items()
                for found in ids
            ],
        ),
        *_taken_back(snapshot, now),
    ]


def _upsert(record: type[SQLModel], said: Mapping[str, Any], now: Mapping[str, Any], keep: tuple[str, ...] = ()) -> Upsert:
    differing = [row for key, row in said.items() if (known := now.get(key)) is None or not _same(record, row, known, keep)]
    return Upsert(record, differing, keep=keep)


def _same(record: type[SQLModel], row: Any, known: Any, keep: tuple[str, ...]) -> bool:
    columns = tables.of(record).columns
    kept = {name: known[columns.index(name)] for name in keep}
    return tables.same(record, row._replace(**kept), known)


def _parts_differ(said: tuple[Any, ...], now: tuple[Any, ...]) -> bool:
    return [tuple(row) for row in said] != [tuple(row) for row in now]


def _taken_back(snapshot: Snapshot, now: OrganizationNow) -> list[Step]:
    said, services = snapshot.organization, snapshot.services
    spoken = snapshot.spoken_for
    teams, offers = "teams.yaml" not in snapshot.unread, "services.yaml" not in snapshot.unread
    return [
        Delete(records.ServiceInstance, _gone(now.service_instances, services.instances, lambda row: row[-1] is None)),
        Delete(
            records.Service, _gone(now.services, services.services, lambda row: offers and _is_seeded(row) and row[1] in spoken)
        ),
        Delete(records.CostEstimate, [key for key in now.estimates if key not in services.estimates and offers]),
        Delete(records.Person, _gone(now.people, said.people, lambda _: teams)),
        Delete(records.Environment, _gone(now.environments, said.environments), unreferenced=True),
        Delete(records.Team, _gone(now.teams, said.teams, lambda row: teams and row[1] in spoken), unreferenced=True),
        Delete(records.Tenant, _gone(now.tenants, said.tenants), unreferenced=True),
    ]


def _gone(now: Mapping[str, Any], said: Mapping[str, Any], admits: Callable[[Any], bool] = lambda _: True) -> list[str]:
    return [key for key, row in now.items() if key not in said and admits(row)]


def _is_seeded(row: Any) -> bool:
    return bool(row[tables.of(records.Service).columns.index("source")] == ServiceSource.SEEDS)
