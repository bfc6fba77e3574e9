"""What people do with services: register, update, retire. Each use-case is one transaction: scope in, the service's id out.

A service has one source. What the seeds define changes there: here it is a Conflict that names file and line. Who may change one is
who may ask for changes of all that its team owns: a grant of REQUESTER or more that admits the team and names no tenants, since a
service belongs to no tenant. A service that changes hands needs that for both teams.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from catalog import values
from catalog.errors import Ambiguous, Conflict, Forbidden, NotFound, Unauthenticated
from catalog.provisioning import service_rules
from catalog.records import Lifecycle, Role, Scope, ServiceSource
from catalog.store import audit, locked, requests, service_rows
from catalog.store.database import Database
from catalog.store.rows import ServiceRow
from catalog.store.service_rows import Found, Owner
from catalog.values import SourceLocation

_MUTATION = "registerService"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link to read more."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A component of a service, by name, with its layer and its role."""

    name: str
    layer: str
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What registering a service says of it. `lifecycle` of None: nobody said, which counts as PRODUCTION."""

    slug: str
    title: str
    owner: str
    organization: str | None = None
    description: str | None = None
    category: str | None = None
    lifecycle: str | None = None
    tier: int | None = None
    tags: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    components: tuple[Part, ...] = ()


async def register(database: Database, scope: Scope, given: Definition, *, idempotency_key: str) -> str:
    """Register a service, or return the one that the same key registered.

    Raises Invalid; NotFound or Ambiguous for the owner; Forbidden; Conflict when the slug is taken or the key was used otherwise.
    """
    principal_id = _principal(scope)
    said = asdict(given)
    service_rules.check({"idempotencyKey": idempotency_key}, service_rules.NAMES)
    service_rules.check(said, service_rules.DEFINITION)
    owner_of_key = {"principal_id": principal_id, "mutation": _MUTATION, "key": idempotency_key}
    async with database.session() as session:
        replayed = await requests.claim(session, **owner_of_key, body_hash=values.digest(said))
        if replayed is not None:
            return str(replayed.get("id"))
        connection = await service_rows.writing(session)
        owner = _owner(scope, given.owner, await service_rows.owners(connection, given.owner, given.organization))
        for found in await service_rows.find(connection, given.slug, owner.organization):
            raise _taken(scope, found)
        row = _registered(given, owner, principal_id)
        await service_rows.write(connection, row, service_rows.parts_of(row.id, _parts(said["components"])))
        await requests.keep(session, **owner_of_key, payload={"id": row.id})
        await audit.record(session, scope, _MUTATION, row.id, {"slug": row.slug, "owner": given.owner})
        await session.commit()
    return str(row.id)


async def update(
    database: Database,
    scope: Scope,
    slug: str,
    changes: Mapping[str, Any],
    *,
    organization: str | None = None,
    expected_version: int | None = None,
) -> str:
    """Change what `changes` names of a registered service: attributes of `Definition` and their new values.

    None clears what may be empty. What changes nothing is done already, whatever version was expected. Raises as `register` does,
    and Conflict for what the seeds define and for another version than expected.
    """
    principal_id = _principal(scope)
    service_rules.check({"slug": slug, "organization": organization}, service_rules.NAMES)
    service_rules.check(changes, service_rules.CHANGES)
    async with database.session() as session:
        connection = await service_rows.writing(session)
        named = await service_rows.find(connection, slug, organization)
        in_sight = await locked.seen(session, scope, "service", [one.row.id for one in named])
        found = _one(scope, slug, [one for one in named if one.row.id in in_sight])
        _may(scope, found)
        _registered_here(found)
        new = dict(changes)
        if "owner" in new:
            named = new.pop("owner")
            new["owner_id"] = _owner(scope, named, await service_rows.owners(connection, named, found.organization)).team_id
        row, parts = _changed(found, new)
        if row == found.row and parts is None:
            return str(found.row.id)
        if expected_version is not None and expected_version != found.row.version:
            raise Conflict(
                f"service {slug} is at version {found.row.version}, not {expected_version}",
                code="VERSION_CHANGED",
                hint="look at it again, then change what it is now",
                path=("expectedVersion",),
            )
        written = _next(row, found, principal_id)
        await service_rows.write(connection, written, parts)
        told = {"slug": written.slug, "version": written.version, "changed": sorted(changes)}
        await audit.record(session, scope, "updateService", written.id, told)
        await session.commit()
    return str(found.row.id)


async def retire(database: Database, scope: Scope, slug: str, *, organization: str | None = None, reason: str | None = None) -> str:
    """Retire a registered service; retiring it again changes nothing. It stays, with lifecycle RETIRED, and so does what runs.

    Of a service that the seeds define and somebody registered too, the registered definition is given up. Raises as `update` does.
    """
    principal_id = _principal(scope)
    service_rules.check({"slug": slug, "organization": organization, "reason": reason}, service_rules.NAMES)
    async with database.session() as session:
        connection = await service_rows.writing(session)
        named = await service_rows.find(connection, slug, organization)
        in_sight = await locked.seen(session, scope, "service", [one.row.id for one in named])
        found = _one(scope, slug, [one for one in named if one.row.id in in_sight])
        _may(scope, found)
        if found.row.overridden is not None:
            row = found.row._replace(overridden=None)
        else:
            _registered_here(found)
            if found.row.lifecycle == Lifecycle.RETIRED:
                return str(found.row.id)
            retired = found.row._replace(lifecycle=Lifecycle.RETIRED.value, lifecycle_stated=True)
            row = _next(retired, found, principal_id, reason)
        await service_rows.write(connection, row, None)
        await audit.record(session, scope, "retireService", row.id, {"slug": row.slug, "reason": reason})
        await session.commit()
    return str(found.row.id)


# ── who may, and which one ───────────────────────────────────────────────────────────────────────────────────────────────


def _principal(scope: Scope) -> str:
    if scope.principal_id is None:
        raise Unauthenticated("sign in first", hint="send a token: Authorization: Bearer atc_…")
    return scope.principal_id


def _owner(scope: Scope, slug: str, teams: Sequence[Owner]) -> Owner:
    """The team of that slug that the viewer may act for; one they may not is Forbidden, whether or not it is there."""
    admitted = [team for team in teams if scope.admits_team(Role.REQUESTER, team.team_id)]
    if len(admitted) > 1:
        raise Ambiguous(
            f"several organisations have a team {slug}",
            candidates=tuple(team.organization for team in admitted),
            hint="say which organization",
            path=("organization",),
        )
    if admitted:
        return admitted[0]
    if not teams and scope.is_unrestricted:
        raise NotFound(f"there is no team {slug}", hint="`catalog get teams` lists them", path=("owner",))
    raise _forbidden(f"you may not change services of team {slug}")


def _one(scope: Scope, slug: str, found: Sequence[Found]) -> Found:
    seen = [one for one in found if _sees(scope, one)]
    if not seen:
        raise NotFound(f"there is no service {slug}", hint="`catalog get services` lists them", path=("slug",))
    if len(seen) > 1:
        raise Ambiguous(
            f"several organisations have a service {slug}",
            candidates=tuple(one.organization for one in seen),
            hint="say which organization",
            path=("organization",),
        )
    return seen[0]


def _sees(scope: Scope, found: Found) -> bool:
    """A service is public, or one of its instances is visible."""
    if scope.is_unrestricted or (scope.grants and found.row.public):
        return True
    return any(scope.admits(Role.VIEWER, tenant_id=tenant, team_id=team) for tenant, team in found.places)


def _may(scope: Scope, found: Found) -> None:
    if not scope.admits_team(Role.REQUESTER, found.row.owner_id):
        raise _forbidden(f"you may not change service {found.row.slug}")


def _forbidden(message: str) -> Forbidden:
    return Forbidden(message, hint="ask an admin for a requester grant that admits its team and names no tenants")


def _registered_here(found: Found) -> None:
    if found.row.source == ServiceSource.SEEDS:
        raise _defined_in_seeds(found.row)


def _taken(scope: Scope, found: Found) -> Conflict:
    if found.row.source == ServiceSource.SEEDS and _sees(scope, found):
        return _defined_in_seeds(found.row)
    return Conflict(
        f"{found.organization} has a service {found.row.slug} already",
        code="SLUG_TAKEN",
        hint="choose another slug, or update that one",
        path=("slug",),
    )


def _defined_in_seeds(row: Any) -> Conflict:
    place = SourceLocation(file=row.file, line=row.line) if row.file else None
    return Conflict(
        f"service {row.slug} is defined in the seeds" + (f" ({place})" if place else ""),
        code="DEFINED_IN_SEEDS",
        hint="change it there",
        location=place,
        path=("slug",),
    )


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _registered(given: Definition, owner: Owner, principal_id: str) -> Any:
    return ServiceRow(
        id=values.global_id("Service", owner.organization, given.slug),
        organization_id=owner.organization_id,
        slug=given.slug,
        title=given.title,
        description=given.description,
        category=given.category,
        lifecycle=given.lifecycle or Lifecycle.PRODUCTION.value,
        lifecycle_stated=given.lifecycle is not None,
        tier=given.tier,
        version=1,
        owner_id=owner.team_id,
        cost_estimate_id=None,
        computed_cost_estimate_id=None,
        provisioning_time=None,
        budget=None,
        budget_currency=None,
        tags=list(given.tags),
        links=_links(given.links),
        public=True,
        source=ServiceSource.CATALOG.value,
        file=None,
        line=None,
        changed_at=datetime.now(UTC),
        changed_by_id=principal_id,
        change_reason=None,
        overridden=None,
    )


def _links(links: Sequence[Link]) -> str:
    return json.dumps([asdict(link) for link in links], ensure_ascii=False)


def _parts(components: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str | None]]:
    return [(part["name"], part["layer"], part["role"]) for part in components]


def _changed(found: Found, changes: Mapping[str, Any]) -> tuple[Any, list[Any] | None]:
    """The row with the changes, and its new parts, None where they stay."""
    new = dict(changes)
    row, parts = found.row, None
    if "components" in new:
        given = _parts([asdict(part) for part in new.pop("components") or ()])
        if given != [(part.name, part.layer, part.role) for part in found.parts]:
            parts = service_rows.parts_of(row.id, given)
    if "links" in new:
        links = _links(new.pop("links") or ())
        if json.loads(links) != json.loads(row.links):
            row = row._replace(links=links)
    if "tags" in new:
        row = row._replace(tags=list(new.pop("tags") or ()))
    if "lifecycle" in new:
        row = row._replace(lifecycle_stated=True)
    return row._replace(**new), parts


def _next(row: Any, found: Found, principal_id: str, reason: str | None = None) -> Any:
    return row._replace(
        version=found.row.version + 1, changed_at=datetime.now(UTC), changed_by_id=principal_id, change_reason=reason
    )
