"""Principals that the seeds define: made with the grant that is written there, which nobody but the seeds changes.

A principal whom the seeds no longer name keeps what it may until somebody says otherwise: nobody is shut out silently. One that was
disabled stays so. Tokens are never made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from catalog.access import principals
from catalog.records import Grant, Principal, PrincipalKind, Role
from catalog.store import access
from catalog.values import global_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """A principal as the seeds have it: its grant's teams and tenants as ids (None: all), the ids of the teams that it is in."""

    email: str
    name: str
    kind: PrincipalKind
    role: Role
    teams: tuple[str, ...] | None
    tenants: tuple[str, ...] | None
    members: tuple[str, ...]


async def settle(session: AsyncSession, seeded: Sequence[Seeded]) -> list[str]:
    """Write all principals of the seeds; return the addresses of those whom the seeds defined before and don't now.

    The caller commits. Raises Invalid for what isn't an e-mail address.
    """
    kept = [await _put(session, item) for item in seeded]
    return await access.release_seeded(session, kept)


async def _put(session: AsyncSession, item: Seeded) -> str:
    address = principals.normal(item.email)
    given = Principal(
        id=global_id("Principal", address), name=item.name, email=address, kind=item.kind, created_at=datetime.now(UTC)
    )
    stored = await access.put_principal(session, given, rename=True, enable=False)
    wanted = (item.role.value, _sorted(item.teams), _sorted(item.tenants))
    present = [
        (grant.role, _sorted(grant.teams), _sorted(grant.tenants)) for grant in await access.seeded_grants(session, stored.id)
    ]
    if present != [wanted]:
        role, teams, tenants = wanted
        grant = Grant(principal_id=stored.id, role=role, teams=teams, tenants=tenants, seeded=True)
        await access.replace_seeded_grants(session, stored.id, [grant])
    await access.join_teams(session, stored.id, item.members)
    return stored.id


def _sorted(ids: Sequence[str] | None) -> list[str] | None:
    return None if ids is None else sorted(ids)
