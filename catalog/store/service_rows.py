"""Rows of services as people change them: which service a slug means, which teams may own it, and writing one with its parts.

The caller's transaction; what follows from what is written, `store.services` tells.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from catalog import records
from catalog.errors import Conflict
from catalog.store import jobs, services, snapshots, tables
from catalog.store.rows import ServiceComponentRow, ServiceRow
from catalog.store.services import Unsettled

# Longer than any run writes at a time but a first one of a large estate.
_PATIENCE = "8s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A service: its row, its organisation's name, its parts in order, and tenant and team of each place where it runs."""

    row: Any
    organization: str
    parts: tuple[Any, ...]
    places: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A team that may own services."""

    team_id: str
    organization_id: str
    organization: str


async def writing(session: AsyncSession) -> asyncpg.Connection:
    """Return the session's connection with the lock that all writers of services take; raises Conflict when it isn't to be had."""
    connection = await jobs.driver(session)
    await connection.execute(f"set local lock_timeout = '{_PATIENCE}'")
    try:
        await snapshots.lock(connection)
    except asyncpg.LockNotAvailableError as error:
        raise Conflict("an index run is writing just now", code="BUSY", hint="try again in a moment") from error
    return connection


async def find(connection: asyncpg.Connection, slug: str, organization: str | None) -> list[Found]:
    """Return the services of a slug, of one organisation or of all."""
    names = dict(
        map(
            tuple,
            await connection.fetch(
                "select v.id, o.name from service v join organization o on o.id = v.organization_id"
                " where v.slug = $1 and ($2::text is null or o.name = $2)",
                slug,
                organization,
            ),
        )
    )
    rows = [_row(row) for row in await tables.rows(connection, records.Service, "id", names)]
    parts = [
        ServiceComponentRow(*row)
        for row in await tables.rows(connection, records.ServiceComponent, "service_id", names, more="order by 1, 2")
    ]
    places = await connection.fetch(
        "select service_id, tenant_id, team_id from service_instance where service_id = any($1::text[])", list(names)
    )
    return [
        Found(
            row=row,
            organization=names[row.id],
            parts=tuple(part for part in parts if part.service_id == row.id),
            places=tuple((place["tenant_id"], place["team_id"]) for place in places if place["service_id"] == row.id),
        )
        for row in sorted(rows, key=lambda row: names[row.id])
    ]


def _row(found: Any) -> Any:
    """A row as the indexer has it: sessions read JSON as values, rows hold its text."""
    row = ServiceRow(*found)
    documents = {name: getattr(row, name) for name in tables.of(records.Service).documents}
    written = {name: json.dumps(value, ensure_ascii=False) for name, value in documents.items() if isinstance(value, (list, dict))}
    return row._replace(**written)


async def owners(connection: asyncpg.Connection, slug: str, organization: str | None) -> list[Owner]:
    """Return the teams of a slug, of one organisation or of all."""
    rows = await connection.fetch(
        """select t.id as team_id, o.id as organization_id, o.name as organization
        from team t join organization o on o.id = t.organization_id
        where t.slug = $1 and ($2::text is null or o.name = $2) order by o.name""",
        slug,
        organization,
    )
    return [Owner(**row) for row in rows]


async def write(connection: asyncpg.Connection, row: Any, parts: Sequence[Any] | None) -> None:
    """Write a service, and its parts unless they stay as they are, and tell what follows from that."""
    await tables.upsert(connection, records.Service, [row], keep=("computed_cost_estimate_id",))
    if parts is not None:
        await tables.delete(connection, records.ServiceComponent, [row.id], column="service_id")
        await tables.insert(connection, records.ServiceComponent, parts)
    await services.settle(connection, Unsettled(services=frozenset({row.id})))


def parts_of(service_id: str, given: Iterable[tuple[str, str, str | None]]) -> list[Any]:
    """Return the rows of parts: (name, layer, role) each, in their order."""
    return [
        ServiceComponentRow(service_id=service_id, ordinal=ordinal, name=name, layer=layer, role=role, component_id=None)
        for ordinal, (name, layer, role) in enumerate(given)
    ]
