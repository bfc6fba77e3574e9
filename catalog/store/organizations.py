"""The organisation's rows as they stand: organisations, tenants, teams, people, environments, services and where these run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from catalog import records
from catalog.store import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A component instance that a service instance is made of, with the names it answers to and the manifest of its stack."""

    instance_id: str
    estate_id: str
    name: str
    component: str | None
    manifest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationNow:
    """Rows by their ids; parts of services, and instances that make up service instances, by their owner's id."""

    organizations: Mapping[str, Any]
    tenants: Mapping[str, Any]
    teams: Mapping[str, Any]
    people: Mapping[str, Any]
    environments: Mapping[str, Any]
    services: Mapping[str, Any]
    service_parts: Mapping[str, tuple[Any, ...]]
    service_instances: Mapping[str, Any]
    members: Mapping[str, tuple[Member, ...]]
    estimates: Mapping[str, Any]


async def now(
    connection: asyncpg.Connection,
    estate_id: str,
    *,
    organizations: Collection[str],
    services: Collection[str],
    environments: Iterable[str],
) -> OrganizationNow:
    """Fetch what some organisations hold, services of these ids beside theirs, and what runs where the estate was or will be."""
    known = await _by_id(connection, records.Service, "organization_id", organizations)
    known |= await _by_id(connection, records.Service, "id", set(services) - known.keys())
    teams = await _by_id(connection, records.Team, "organization_id", organizations)
    before = [row[0] for row in await connection.fetch("select distinct environment_id from stack where estate_id = $1", estate_id)]
    running = await _by_id(connection, records.ServiceInstance, "environment_id", {*environments, *filter(None, before)})
    return OrganizationNow(
        organizations=await _by_id(connection, records.Organization, "id", organizations),
        tenants=await _by_id(connection, records.Tenant, "organization_id", organizations),
        teams=teams,
        people=await _by_id(connection, records.Person, "team_id", teams),
        environments=await _by_id(connection, records.Environment, "organization_id", organizations),
        services=known,
        service_parts=_grouped(await tables.rows(connection, records.ServiceComponent, "service_id", known, more="order by 1, 2")),
        service_instances=running,
        members=await _members(connection, running),
        estimates=await _by_id(connection, records.CostEstimate, "subject_id", known),
    )


async def _members(connection: asyncpg.Connection, service_instances: Iterable[str]) -> dict[str, tuple[Member, ...]]:
    """What service instances are made of, removed instances left out."""
    rows = await connection.fetch(
        """select p.service_instance_id, i.id as instance_id, i.estate_id, i.name, c.name as component, m.path as manifest
        from service_instance_component p join component_instance i on i.id = p.instance_id and i.state <> 'REMOVED'
        join stack s on s.id = i.stack_id join manifest m on m.id = s.manifest_id left join component c on c.id = i.component_id
        where p.service_instance_id = any($1::text[]) order by 1, 2""",
        list(service_instances),
    )
    found: dict[str, list[Member]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(Member(**{name: value for name, value in row.items() if name != "service_instance_id"}))
    return {key: tuple(members) for key, members in found.items()}


async def _by_id(connection: asyncpg.Connection, record: Any, column: str, keys: Iterable[str]) -> dict[str, Any]:
    return {row[0]: row for row in await tables.rows(connection, record, column, keys)}


def _grouped(rows: Iterable[Any]) -> dict[str, tuple[Any, ...]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return {key: tuple(group) for key, group in found.items()}


async def home(connection: asyncpg.Connection, estate_id: str) -> tuple[str, frozenset[str]]:
    """The name of an estate's organisation, and of those that are other estates' and not its own."""
    rows = await connection.fetch("select e.id, o.name from estate e join organization o on o.id = e.organization_id")
    own = next(name for identity, name in rows if identity == estate_id)
    return own, frozenset(name for _, name in rows if name != own)
