"""The organisation's rows as they stand: organisations, tenants, teams, people, environments, services and where these run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from catalog import records
from catalog.store import tables


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
    members: Mapping[str, tuple[str, ...]]
    estimates: Mapping[str, Any]


async def now(
    connection: asyncpg.Connection, estate_id: str, *, organizations: Collection[str], services: Collection[str]
) -> OrganizationNow:
    """Fetch what some organisations hold, services of these ids beside theirs, and the service instances where the estate is."""
    known = await _by_id(connection, records.Service, "organization_id", organizations)
    known |= await _by_id(connection, records.Service, "id", set(services) - known.keys())
    teams = await _by_id(connection, records.Team, "organization_id", organizations)
    environments = await _by_id(connection, records.Environment, "organization_id", organizations)
    mine = [row[0] for row in await connection.fetch("select distinct environment_id from stack where estate_id = $1", estate_id)]
    running = await _by_id(connection, records.ServiceInstance, "environment_id", filter(None, mine))
    running |= await _by_id(connection, records.ServiceInstance, "service_id", services)
    return OrganizationNow(
        organizations=await _by_id(connection, records.Organization, "id", organizations),
        tenants=await _by_id(connection, records.Tenant, "organization_id", organizations),
        teams=teams,
        people=await _by_id(connection, records.Person, "team_id", teams),
        environments=environments,
        services=known,
        service_parts=_grouped(await tables.rows(connection, records.ServiceComponent, "service_id", known, more="order by 1, 2")),
        service_instances=running,
        members={
            key: tuple(row[1] for row in rows)
            for key, rows in _grouped(
                await tables.rows(
                    connection, records.ServiceInstanceComponent, "service_instance_id", running, more="order by 1, 2"
                )
            ).items()
        },
        estimates=await _by_id(connection, records.CostEstimate, "subject_id", known),
    )


async def _by_id(connection: asyncpg.Connection, record: Any, column: str, keys: Iterable[str]) -> dict[str, Any]:
    return {row[0]: row for row in await tables.rows(connection, record, column, keys)}


def _grouped(rows: Iterable[Any]) -> dict[str, tuple[Any, ...]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return {key: tuple(group) for key, group in found.items()}


async def name_of(connection: asyncpg.Connection, organization_id: str) -> str:
    """The name of an organisation by its id."""
    return str(await connection.fetchval("select name from organization where id = $1", organization_id))
