"""People and programs: adding them with a grant, and turning one into the `Scope` of a viewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from catalog import errors
from catalog.access import names
from catalog.records import Grant, GrantScope, Principal, PrincipalKind, Role, Scope
from catalog.store import access
from catalog.store.database import Database
from catalog.values import global_id

LOCAL_ADMIN = "admin@localhost"


async def add(
    session: AsyncSession,
    email: str,
    role: Role,
    *,
    name: str | None = None,
    kind: PrincipalKind = PrincipalKind.PERSON,
    teams: Sequence[str] = (),
    tenants: Sequence[str] = (),
    members: Sequence[str] = (),
) -> Principal:
    """Add a principal with one grant, limited to the named teams and tenants (none named: all), and a member of `members`.

    Adding an e-mail address again replaces its grant, enables it, and keeps its memberships. The caller commits. Raises Invalid for
    what isn't an e-mail address, NotFound or Ambiguous for a team or tenant, Conflict for a principal that the seeds define.
    """
    address = normal(email)
    if await access.seeded_grants(session, global_id("Principal", address)):
        raise errors.Conflict(
            f"the seeds say what {address} may", hint="change it among the principals of seeds/teams.yaml", path=("email",)
        )
    known_teams = await access.team_names(session) if teams or members else []
    known_tenants = await access.tenant_names(session) if tenants else []
    grant_teams, grant_tenants = names.resolve("team", teams, known_teams), names.resolve("tenant", tenants, known_tenants)
    joined = names.resolve("team", members, known_teams)
    given = Principal(
        id=global_id("Principal", address),
        name=name or address.partition("@")[0],
        email=address,
        kind=kind,
        created_at=datetime.now(UTC),
    )
    stored = await access.put_principal(session, given, rename=name is not None)
    grant = Grant(principal_id=stored.id, role=role, teams=grant_teams or None, tenants=grant_tenants or None)
    await access.replace_grants(session, stored.id, [grant])
    await access.join_teams(session, stored.id, joined)
    return stored


async def local_admin(session: AsyncSession) -> Principal:
    """Return the administrator of this machine, made the first time; the caller commits."""
    return await add(session, LOCAL_ADMIN, Role.ADMIN, name="Local admin")


async def disable(session: AsyncSession, email: str) -> None:
    """Let a principal's tokens hold no longer; the caller commits. Raises NotFound."""
    await access.disable(session, (await find(session, email)).id)


async def find(session: AsyncSession, email: str) -> Principal:
    """Return the principal of an e-mail address; raises NotFound with what was perhaps meant."""
    found = await access.principal(session, normal(email))
    if found is None:
        hint = names.did_you_mean(email, await access.emails(session)) or "add it with `catalog principal add`"
        raise errors.NotFound(f"there is no principal {email!r}", hint=hint, path=("email",))
    return found


async def scope_of(database: Database, principal_id: str) -> Scope:
    """Return a principal's scope, for work on its behalf; raises NotFound for an unknown or disabled one."""
    viewer = await access.viewer_by_id(database, principal_id)
    if viewer is None or viewer["disabled"]:
        raise errors.NotFound("that principal is not there any more")
    return scope(viewer)


def scope(viewer: Mapping[str, Any]) -> Scope:
    """Turn what `store.access` says of a viewer into a scope."""
    principal = viewer["principal"]
    return Scope(
        principal_id=principal["id"],
        name=principal["name"],
        email=principal["email"],
        kind=PrincipalKind(principal["kind"]),
        grants=tuple(
            GrantScope(role=Role(grant["role"]), teams=_limit(grant["teams"]), tenants=_limit(grant["tenants"]))
            for grant in viewer["grants"]
        ),
        member_of=frozenset(viewer["member_of"]),
    )


def normal(email: str) -> str:
    """Return the one spelling of an e-mail address; raises Invalid for what isn't one."""
    address = email.strip().lower()
    local, _, domain = address.rpartition("@")
    if not local or not domain or any(sign.isspace() for sign in address):
        raise errors.Invalid(f"{email!r} is not an e-mail address", hint="as in ada@example.org", path=("email",))
    return address


def _limit(ids: list[str] | None) -> frozenset[str] | None:
    return None if ids is None else frozenset(ids)
