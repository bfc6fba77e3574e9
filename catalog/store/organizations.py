"""The organisation's rows as they stand: organisations, tenants, teams, people, environments and services."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from catalog import records
from catalog.store import services as service_rows
from catalog.store import tables
from catalog.store.rows import OrganizationRow, PersonRow, TeamRow


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
    """Fetch what some organisations hold, services of these ids beside theirs, and where the estate's stacks are.

    Organisations that the estate's own seeds spoke for are among them.
    """
    known = await _by_id(connection, records.Service, "organization_id", organizations)
    known |= await _by_id(connection, records.Service, "id", set(services) - known.keys())
    teams = await _by_id(connection, records.Team, "organization_id", organizations)
    places = await connection.fetch("select id, environment_id from stack where estate_id = $1", estate_id)
    return OrganizationNow(
        organizations={
            **await _by_id(connection, records.Organization, "id", organizations),
            **await _by_id(connection, records.Organization, "seeds_estate_id", [estate_id]),
        },
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
class Known:
    """Rows of organisations, with the teams that seeds define and their people."""

    organizations: tuple[Any, ...] = ()
    teams: tuple[Any, ...] = ()
    people: tuple[Any, ...] = ()


_NOTHING = Known()


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where an estate belongs: its organisation's name, and those that are other estates' and not its own.

    `registered` are services that people registered anywhere: (organisation, slug) each. `speakers` are the organisations that other
    estates' own seeds speak for, with the estate's name; `known` is what the catalog knows of those, as these seeds said it.
    """

    organization: str
    foreign: frozenset[str] = frozenset()
    registered: frozenset[tuple[str, str]] = frozenset()
    speakers: Mapping[str, str] = field(default_factory=dict)
    known: Known = _NOTHING


async def home(connection: asyncpg.Connection, estate_id: str) -> Home:
    """Tell where an estate belongs."""
    rows = await connection.fetch(
        "select e.id, e.name, o.name as organization, o.seeds_estate_id as speaker from estate e"
        " join organization o on o.id = e.organization_id order by e.name"
    )
    own = next(row["organization"] for row in rows if row["id"] == estate_id)
    speakers = await _speakers(connection, estate_id, own, rows)
    return Home(
        organization=own,
        foreign=frozenset(row["organization"] for row in rows if row["organization"] != own),
        registered=await service_rows.registered(connection),
        speakers=speakers,
        known=await _known(connection, speakers),
    )


async def _speakers(connection: asyncpg.Connection, estate_id: str, own: str, estates: Sequence[Any]) -> dict[str, str]:
    """The organisations that other estates speak for, each with that estate's name."""
    names = {row["id"]: row["name"] for row in estates}
    homes: dict[str, list[str]] = {}
    for row in estates:
        homes.setdefault(row["organization"], []).append(row["id"])
    claimed = await connection.fetch(
        "select name, seeds_estate_id from organization where seeds_estate_id = any($1::text[])", list(names)
    )
    claims: dict[str, str] = {row["name"]: row["seeds_estate_id"] for row in claimed}
    found = {}
    for organization in sorted({*homes, *claims}):
        at_home, claim = homes.get(organization, []), claims.get(organization)
        # An estate whose own organisation it is comes before any other; of several the one that spoke first.
        if claim is None or (at_home and claim not in at_home):
            claim = estate_id if organization == own else at_home[0]
        if claim != estate_id:
            found[organization] = names[claim]
    return found


async def _known(connection: asyncpg.Connection, speakers: Mapping[str, str]) -> Known:
    organizations = [OrganizationRow(*row) for row in await tables.rows(connection, records.Organization, "name", speakers)]
    everyone = await tables.rows(connection, records.Team, "organization_id", [row.id for row in organizations])
    teams = [row for row in (TeamRow(*row) for row in everyone) if row.file is not None]
    people = [PersonRow(*row) for row in await tables.rows(connection, records.Person, "team_id", [row.id for row in teams])]
    return Known(organizations=_sorted(organizations), teams=_sorted(teams), people=_sorted(people))


def _sorted(rows: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(rows, key=lambda row: row.id))
