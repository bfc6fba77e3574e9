"""Computes the steps for the organisation's rows: what the seeds say and what places mean, against what the catalog holds.

These tables are small and everybody's, so they are compared row by row. What the seeds don't speak for is never taken back: only
organisations that they name lose teams and services, and only when the file that says so could be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlmodel import SQLModel

from catalog import records
from catalog.indexer import service_difference
from catalog.indexer.difference import Comparison
from catalog.indexer.snapshot import Snapshot
from catalog.store import tables
from catalog.store.organizations import OrganizationNow
from catalog.store.rows import OrganizationRow, TeamRow
from catalog.store.services import Unsettled
from catalog.store.snapshots import Delete, Step, Upsert
from catalog.values import global_id


def before(snapshot: Snapshot, now: OrganizationNow) -> list[Step]:
    """The steps that go before the estate's own rows, which refer to these."""
    said = snapshot.organization
    # Where the seeds don't speak for an organisation, what others said of it and its tenants stays.
    organizations = {
        key: row for key, row in said.organizations.items() if key in snapshot.spoken_for or key not in now.organizations
    }
    organizations |= _released(snapshot, now)
    tenants = {
        key: row for key, row in said.tenants.items() if row.organization_id in snapshot.spoken_for or key not in now.tenants
    }
    return [
        _upsert(records.Organization, organizations, now.organizations),
        _upsert(records.Tenant, tenants, now.tenants),
        _upsert(records.Team, {key: row for key, row in said.teams.items() if _counts(row, snapshot, now)}, now.teams),
        _upsert(records.Person, said.people, now.people),
        _upsert(records.Environment, said.environments, now.environments),
    ]


def _counts(team: Any, snapshot: Snapshot, now: OrganizationNow) -> bool:
    """A team that only a tag names is made once, and never over what others' seeds, or a file that is broken now, said of it."""
    readable = team.organization_id in snapshot.spoken_for and "teams.yaml" not in snapshot.unread
    return team.file is not None or readable or team.id not in now.teams


def _released(snapshot: Snapshot, now: OrganizationNow) -> dict[str, Any]:
    """The organisations that the estate's own seeds spoke for and no longer do: another estate's may."""
    estate = global_id("Estate", snapshot.estate)
    if snapshot.unread:
        return {}
    rows = {key: OrganizationRow(*row) for key, row in now.organizations.items() if key not in snapshot.spoken_for}
    return {key: row._replace(seeds_estate_id=None) for key, row in rows.items() if row.seeds_estate_id == estate}


def after(snapshot: Snapshot, now: OrganizationNow) -> list[Step]:
    """The steps that follow the estate's own rows: services, and what is no longer said."""
    return [*service_difference.steps(snapshot, now), *_taken_back(snapshot, now)]


def _upsert(record: type[SQLModel], said: Mapping[str, Any], now: Mapping[str, Any]) -> Upsert:
    return Upsert(record, [row for key, row in said.items() if key not in now or not tables.same(record, row, now[key])])


def _taken_back(snapshot: Snapshot, now: OrganizationNow) -> list[Step]:
    said, spoken = snapshot.organization, snapshot.spoken_for
    teams = "teams.yaml" not in snapshot.unread
    return [
        Delete(
            records.Person,
            [key for key, row in now.people.items() if teams and key not in said.people and _speaks(snapshot, now, row)],
        ),
        Delete(records.Environment, now.environments.keys() - said.environments.keys(), unreferenced=True),
        Delete(
            records.Team,
            [key for key, row in now.teams.items() if teams and key not in said.teams and (row[1] in spoken or _is_made(row))],
            unreferenced=True,
        ),
        Delete(records.Tenant, now.tenants.keys() - said.tenants.keys(), unreferenced=True),
    ]


def _is_made(team: Any) -> bool:
    """Whether only estates name a team: it goes with the last that does."""
    return TeamRow(*team).file is None


def _speaks(snapshot: Snapshot, now: OrganizationNow, person: Any) -> bool:
    """Whether the seeds speak for the organisation of a person's team."""
    return now.teams[person[1]][1] in snapshot.spoken_for


def unsettled(comparison: Comparison, now: OrganizationNow, steps: Iterable[Step]) -> Unsettled:
    """What services have to be told about again after these steps: themselves, places whose parts changed, and what costs otherwise."""
    parts, components = comparison.snapshot.components, comparison.now.components
    differing = {key for key, row in parts.items() if components.get(key) != (row.content_hash, False)}
    gone = {key for key, (_, removed) in components.items() if key not in parts and not removed}
    environments, names = _changed_instances(comparison, now)
    return Unsettled(
        services=service_difference.written(steps),
        components=frozenset(differing | gone),
        environments=frozenset(environments),
        names=frozenset(names | {parts[key].name for key in differing}),
    )


_ROLE = ("component_id", "abstract", "enabled", "tenant_id")  # what makes an instance a part of services, beside its name and place
_PRICE = ("currency", "monthly")


def _changed_instances(comparison: Comparison, now: OrganizationNow) -> tuple[set[str], set[str]]:
    """Environments in which instances came, went or became another's parts, and names of instances that did or cost otherwise."""
    found, rows, held = comparison.found, comparison.rows, comparison.details.instances
    parts = comparison.snapshot.parts
    stacks, names = set(), set()
    for key in (*found.added, *found.removed):
        about = rows.get(key) or held[key]
        stacks.add(about.stack_id)
        names.add(about.name)
    for key in (*found.changed, *found.touched):
        row, before = rows[key], held[key]
        moved = any(getattr(row, name) != getattr(before, name) for name in _ROLE)
        if moved:
            stacks.add(row.stack_id)
        if moved or any(getattr(row, name) != getattr(before, name) for name in _PRICE):
            names.add(row.name)
    after = {key: parts[key].environment_id for key in comparison.outlined.touched & parts.keys()}
    stacks |= {key for key, place in after.items() if place != now.places.get(key)}
    return {place for key in stacks for place in (now.places.get(key), after.get(key)) if place is not None}, names
