"""The organisation's rows as they stand: organisations, tenants, teams, people, environments and services."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from catalog import records
from catalog.store import services as service_rows
from catalog.store import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationNow:
    """Rows by their ids; parts of services by the service's id. `places` are the environments of the estate's stacks, by the stack's."""

    organizations: Mapping[str, Any]
    tenants: Mapping[str, Any]
    teams: Mapping[str, Any]
    people: Mapping[str, Any]
    environments: Mapping[str, Any]
    services: Mapping[str, Any]
    service_parts: Mapping[str, tuple[Any, ...]]
    estimates: Mapping[str, Any]
    places: Mapping[str, str | None]


async def now(
    connection: asyncpg.Connection,
    estate_id: str,
    *,
    organizations: Collection[str],
    services: Collection[str],
) -> OrganizationNow:
    """Fetch what some organisations hold, services of these ids beside theirs, and where the estate's stacks are."""
    known = await _by_id(connection, records.Service, "organization_id", organizations)
    known |= await _by_id(connection, records.Service, "id", set(services) - known.keys())
    teams = await _by_id(connection, records.Team, "organization_id", organizations)
    places = await connection.fetch("select id, environment_id from stack where estate_id = $1", estate_id)
    return OrganizationNow(
        organizations=await _by_id(connection, records.Organization, "id", organizations),
        tenants=await _by_id(connection, records.Tenant, "organization_id", organizations),
        teams=teams,
        people=await _by_id(connection, records.Person, "team_id", teams),
        environments=await _by_id(connection, records.Environment, "organization_id", organizations),
        services=known,
        service_parts=_grouped(await tables.rows(connection, records.ServiceComponent, "service_id", known, more="order by 1, 2")),
        estimates=await _by_id(connection, records.CostEstimate, "subject_id", known),
        places={row[0]: row[1] for row in places},
    )


async def _by_id(connection: asyncpg.Connection, record: Any, column: str, keys: Iterable[str]) -> dict[str, Any]:
    return {row[0]: row for row in await tables.rows(connection, record, column, keys)}


def _grouped(rows: Iterable[Any]) -> dict[str, tuple[Any, ...]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return {key: tuple(group) for key, group in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where an estate belongs: its organisation's name, and those that are other estates' and not its own.

    `registered` are services that people registered anywhere: (organisation, slug) each.
    """

    organization: str
    foreign: frozenset[str] = frozenset()
    registered: frozenset[tuple[str, str]] = frozenset()


async def home(connection: asyncpg.Connection, estate_id: str) -> Home:
    """Tell where an estate belongs."""
    rows = await connection.fetch("select e.id, o.name from estate e join organization o on o.id = e.organization_id")
    own = next(name for identity, name in rows if identity == estate_id)
    foreign = frozenset(name for _, name in rows if name != own)
    return Home(organization=own, foreign=foreign, registered=await service_rows.registered(connection))
