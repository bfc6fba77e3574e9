"""The statements of access: who a token belongs to, principals with their grants and memberships, tokens.

Secrets never come here, only their hashes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from catalog.records import AccessToken, Grant, Organization, Principal, Team, TeamMember, Tenant
from catalog.store.database import Database

# One round trip for everything a request needs to know of its viewer; bounded by keys whatever the token.
_VIEWER = """
select json_build_object(
    'principal', json_build_object('id', p.id, 'name', p.name, 'email', p.email, 'kind', p.kind),
    'disabled', p.disabled_at is not null,
    'grants', coalesce((select json_agg(json_build_object('role', g.role, 'teams', g.teams, 'tenants', g.tenants) order by g.id)
                        from principal_grant g where g.principal_id = p.id), '[]'),
    'member_of', coalesce((select json_agg(m.team_id) from team_member m where m.principal_id = p.id), '[]'){more})::text
from {source}
"""
_BY_TOKEN = _VIEWER.format(
    more=""", 'token', json_build_object('id', t.id, 'kind', t.kind, 'revoked', t.revoked_at is not null,
        'left', extract(epoch from t.expires_at - now()),
        'stale', t.last_used_at is null or t.last_used_at < now() - interval '1 minute')""",
    source="access_token t join principal p on p.id = t.principal_id where t.hash = $1",
)
_BY_ID = _VIEWER.format(more="", source="principal p where p.id = $1")

# Spending the link and making the session are one statement: of two browsers that open a link at once, one gets in.
_REDEEM = """
with spent as (
    update access_token set revoked_at = now(), last_used_at = now()
    where hash = $1 and kind = 'LINK' and revoked_at is null and expires_at > now()
      and exists (select from principal p where p.id = principal_id and p.disabled_at is null)
    returning principal_id
)
insert into access_token (id, principal_id, kind, name, prefix, hash, created_at, expires_at)
select $2, principal_id, 'SESSION', 'browser', $3, $4, now(), $5 from spent
returning id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedToken:
    """A token as lists show it, with its principal's e-mail address."""

    token: AccessToken
    email: str


# ── viewers ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def viewer_by_token(database: Database, token_hash: bytes) -> dict[str, Any] | None:
    """Return the principal, grants and memberships behind a token's hash, and the token's condition; None for an unknown one."""
    return await _viewer(database, _BY_TOKEN, token_hash)


async def viewer_by_id(database: Database, principal_id: str) -> dict[str, Any] | None:
    """Return a principal with grants and memberships; None for an unknown id."""
    return await _viewer(database, _BY_ID, principal_id)


async def _viewer(database: Database, sql: str, key: object) -> dict[str, Any] | None:
    rows = await database.primary_reader.fetch_rows(sql, [key], generic=True, key="the viewer")
    return json.loads(rows[0][0]) if rows else None


async def touch(database: Database, token_id: str) -> None:
    """Note that a token was used, at most once a minute however many ask."""
    async with database.connection() as connection:
        await connection.execute(
            "update access_token set last_used_at = now()"
            " where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')",
            token_id,
        )


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def redeem(
    database: Database, link_hash: bytes, *, token_id: str, prefix: str, token_hash: bytes, expires_at: datetime
) -> bool:
    """Spend a sign-in link and make the session token it gives; False when the link doesn't hold."""
    async with database.connection() as connection:
        return await connection.fetchval(_REDEEM, link_hash, token_id, prefix, token_hash, expires_at) is not None


async def revoke_session(database: Database, token_hash: bytes) -> None:
    """Revoke a browser's session token; any other token stays."""
    async with database.connection() as connection:
        await connection.execute(
            "update access_token set revoked_at = now() where hash = $1 and kind = 'SESSION' and revoked_at is null", token_hash
        )


async def tokens(session: AsyncSession, *, email: str | None) -> list[ListedToken]:
    """Return the tokens of everybody or of one principal, oldest first."""
    query = select(AccessToken, col(Principal.email)).join(Principal, col(Principal.id) == col(AccessToken.principal_id))
    if email is not None:
        query = query.where(col(Principal.email) == email)
    rows = await session.execute(query.order_by(col(AccessToken.created_at), col(AccessToken.id)))
    return [ListedToken(token=token, email=owner) for token, owner in rows]


async def tokens_with_prefix(session: AsyncSession, prefix: str) -> list[AccessToken]:
    """Return the tokens in force whose shown beginning is this."""
    query = select(AccessToken).where(col(AccessToken.prefix) == prefix, col(AccessToken.revoked_at).is_(None))
    return list(await session.scalars(query))


async def revoke(session: AsyncSession, token_id: str) -> bool:
    """Revoke a token for good and return whether it was in force until now."""
    in_force = (col(AccessToken.id) == token_id, col(AccessToken.revoked_at).is_(None))
    revoked = update(AccessToken).where(*in_force).values(revoked_at=func.now()).returning(col(AccessToken.id))
    return await session.scalar(revoked) is not None


# ── principals ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def principal(session: AsyncSession, email: str) -> Principal | None:
    """Return the principal of that e-mail address."""
    return (await session.scalars(select(Principal).where(col(Principal.email) == email))).one_or_none()


async def emails(session: AsyncSession) -> list[str]:
    """Return every principal's e-mail address."""
    return list(await session.scalars(select(col(Principal.email)).order_by(col(Principal.email))))


async def put_principal(session: AsyncSession, given: Principal, *, rename: bool, enable: bool = True) -> Principal:
    """Write a principal, or the kind of the one that has its e-mail address; return what is stored.

    `rename` gives that one the name too, `enable` lets its tokens hold again.
    """
    row = given.model_dump()
    kept = {"kind": given.kind} | ({"name": given.name} if rename else {}) | ({"disabled_at": None} if enable else {})
    await session.execute(insert(Principal).values(row).on_conflict_do_update(index_elements=["email"], set_=kept))
    query = select(Principal).where(col(Principal.email) == given.email).execution_options(populate_existing=True)
    return (await session.scalars(query)).one()


async def replace_grants(session: AsyncSession, principal_id: str, grants: Iterable[Grant]) -> None:
    """Let a principal have exactly these grants."""
    await session.execute(delete(Grant).where(col(Grant.principal_id) == principal_id))
    session.add_all(grants)
    await session.flush()


async def seeded_grants(session: AsyncSession, principal_id: str) -> list[Grant]:
    """The grants that the seeds give a principal."""
    query = select(Grant).where(col(Grant.principal_id) == principal_id, col(Grant.seeded)).order_by(col(Grant.id))
    return list(await session.scalars(query))


async def replace_seeded_grants(session: AsyncSession, principal_id: str, grants: Iterable[Grant]) -> None:
    """Let exactly these be the grants that the seeds give a principal; what else it has stays."""
    await session.execute(delete(Grant).where(col(Grant.principal_id) == principal_id, col(Grant.seeded)))
    session.add_all(grants)
    await session.flush()


async def release_seeded(session: AsyncSession, kept: Iterable[str]) -> list[str]:
    """Leave the grants of principals whom the seeds no longer name to the commands; return those principals' addresses."""
    gone = select(col(Grant.principal_id)).where(col(Grant.seeded), col(Grant.principal_id).not_in(list(kept)))
    query = select(col(Principal.email)).where(col(Principal.id).in_(gone)).order_by(col(Principal.email))
    released = list(await session.scalars(query))
    if released:
        ids = select(col(Principal.id)).where(col(Principal.email).in_(released))
        await session.execute(update(Grant).where(col(Grant.seeded), col(Grant.principal_id).in_(ids)).values(seeded=False))
    return released


async def have_teams(session: AsyncSession, organizations: Iterable[dict[str, Any]], teams: Iterable[dict[str, Any]]) -> None:
    """Write organisations and teams that are not there yet."""
    for record, rows in ((Organization, list(organizations)), (Team, list(teams))):
        if rows:
            await session.execute(insert(record).values(rows).on_conflict_do_nothing())


async def join_teams(session: AsyncSession, principal_id: str, team_ids: Sequence[str]) -> None:
    """Make a principal a member of these teams, besides those it is in already."""
    if team_ids:
        rows = [{"principal_id": principal_id, "team_id": team_id} for team_id in team_ids]
        await session.execute(insert(TeamMember).values(rows).on_conflict_do_nothing())


async def disable(session: AsyncSession, principal_id: str) -> None:
    """Let none of a principal's tokens hold any longer."""
    await session.execute(update(Principal).where(col(Principal.id) == principal_id).values(disabled_at=func.now()))


async def team_names(session: AsyncSession) -> list[tuple[str, str, str]]:
    """Return (organisation, slug, id) of every team."""
    query = select(col(Organization.name), col(Team.slug), col(Team.id)).join(
        Team, col(Team.organization_id) == col(Organization.id)
    )
    return [(organization, slug, team_id) for organization, slug, team_id in await session.execute(query)]


async def tenant_names(session: AsyncSession) -> list[tuple[str, str, str]]:
    """Return (organisation, name, id) of every tenant that is shown: what lies in a hidden one needs a grant without tenants."""
    query = (
        select(col(Organization.name), col(Tenant.name), col(Tenant.id))
        .join(Tenant, col(Tenant.organization_id) == col(Organization.id))
        .where(~col(Tenant.hidden))
    )
    return [(organization, name, tenant_id) for organization, name, tenant_id in await session.execute(query)]
