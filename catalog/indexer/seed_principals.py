"""Registers the principals of `teams.yaml`: names of teams and tenants to ids, then to `access`.

Teams and organisations of the seeds are written where they are missing, so that memberships hold before the first index. A principal
that can't be understood is told and left as it was; the others are written.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from catalog import access
from catalog.access.seeding import Seeded
from catalog.errors import CatalogError, Invalid
from catalog.indexer import organization_rows
from catalog.indexer.seed_values import PrincipalSeed, Seeds
from catalog.records import PrincipalKind, Role
from catalog.store import access as stored
from catalog.store.database import Database
from catalog.values import global_id

_log = logging.getLogger(__name__)
Names = Sequence[tuple[str, str, str]]  # (organisation, name, id)


async def register(database: Database, said: Seeds) -> None:
    """Write the principals of seeds that could be read, in one transaction."""
    if "teams.yaml" in said.broken:
        return
    async with database.session() as session:
        if said.principals:
            organizations, teams = organization_rows.seeded(said)
            await stored.have_teams(session, organizations, teams)
        known_teams = await stored.team_names(session)
        tenants = {(organization, name): identity for organization, name, identity in await stored.tenant_names(session)}
        tenants |= {(item.organization, item.name): global_id("Tenant", item.organization, item.name) for item in said.tenants}
        known_tenants = [(organization, name, identity) for (organization, name), identity in tenants.items()]
        understood = list(_understood(said, known_teams, known_tenants))
        released = await access.seeding.settle(session, understood)
        await session.commit()
    for address in released:
        _log.warning("%s is no longer among the principals of the seeds and keeps what it may", address)


def _understood(said: Seeds, teams: Names, tenants: Names) -> Iterable[Seeded]:
    for seed in said.principals:
        try:
            yield _seeded(seed, said, teams, tenants)
        except CatalogError as error:
            _log.warning("%s: the principal %s is left out: %s", seed.location, seed.email, error.message)


def _seeded(seed: PrincipalSeed, said: Seeds, teams: Names, tenants: Names) -> Seeded:
    return Seeded(
        email=access.principals.normal(seed.email),
        name=seed.name,
        kind=PrincipalKind(seed.kind),
        role=Role(seed.role),
        teams=tuple(access.names.resolve("team", seed.teams, teams)) or None,
        tenants=tuple(_tenant(name, said, tenants) for name in seed.tenants) or None,
        members=tuple(access.names.resolve("team", seed.members, teams)),
    )


def _tenant(name: str, said: Seeds, known: Names) -> str:
    """The id of a tenant that is known, or that will be once an estate with it is indexed."""
    if any(name in {own, f"{organization}/{own}"} for organization, own, _ in known):
        return access.names.resolve("tenant", [name], known)[0]
    organization, _, own = name.rpartition("/")
    if not organization and len(said.organizations) == 1:
        organization = said.organizations[0].name
    if not organization:
        raise Invalid(f"no tenant {name!r} is known", hint="write organization/name: there is not exactly one organization")
    return global_id("Tenant", organization, own)
