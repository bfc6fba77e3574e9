"""Turns seeds and the stacks' places into rows of the organisation: organisations, tenants, teams, people, environments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.indexer.context import Place
from catalog.indexer.ownership import Evidence, Teams
from catalog.indexer.redaction import safe
from catalog.indexer.regions import region_of
from catalog.indexer.seed_values import Seeds, TeamSeed, currency_of
from catalog.records import OwnershipSource
from catalog.store.rows import EnvironmentRow, OrganizationRow, PersonRow, TeamRow, TenantRow
from catalog.values import global_id


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRows:
    """Rows by their ids."""

    organizations: Mapping[str, Any]
    tenants: Mapping[str, Any]
    teams: Mapping[str, Any]
    people: Mapping[str, Any]
    environments: Mapping[str, Any]


def tenant_key(place: Place, estate: str) -> tuple[str, str]:
    """The natural key of a place's tenant; the estate's hidden one where it names none."""
    return place.organization, place.tenant if place.tenant is not None else f"\x00{estate}"


def tenant_id(place: Place, estate: str) -> str:
    """The global id of a place's tenant."""
    return global_id("Tenant", *tenant_key(place, estate))


def environment_id(place: Place, estate: str) -> str | None:
    """The global id of a place's environment; None where none can be told."""
    if place.environment is None:
        return None
    organization, tenant = tenant_key(place, estate)
    return global_id("Environment", organization, tenant, place.account or "", place.environment, place.region or "")


def default_teams(seeds: Seeds) -> dict[str, Evidence]:
    """What names the team that owns what nobody else does, for each organisation that has one."""
    return {
        item.name: Evidence(
            source=OwnershipSource.ORGANIZATION_DEFAULT,
            value=item.default_team,
            location=item.default_team_location or item.location,
        )
        for item in seeds.organizations
        if item.default_team is not None
    }


def make(
    home: tuple[str, str], seeds: Seeds, places: Iterable[Place], teams: Teams, used: Iterable[str], *, claims: bool = False
) -> OrganizationRows:
    """Make the rows; `home` is the estate and its organisation. `claims`: these seeds are the estate's own.

    `used` are ids of teams that own something: of those that nobody seeded, only these are kept.
    """
    estate, organization = home
    speaker = global_id("Estate", estate) if claims else None
    named = {*seeds.spoken_for, organization}
    tenants: dict[str, Any] = {}
    environments: dict[str, Any] = {}
    for place in places:
        named.add(place.organization)
        tenant = _tenant(place, estate, seeds)
        tenants.setdefault(tenant.id, tenant)
        environment = _environment(place, estate, teams)
        if environment is not None:
            environments.setdefault(environment.id, environment)
    wanted = set(used) | {row.team_id for row in environments.values() if row.team_id}
    known = {global_id("Team", seed.organization, seed.slug) for seed in seeds.teams}
    mine = [seed for seed in seeds.teams if seed.organization not in seeds.borrowed]
    team_rows = {row.id: row for row in map(_team, mine)}
    for (owner, slug), title in teams.made.items():
        identity = global_id("Team", owner, slug)
        if identity in wanted and identity not in known:
            named.add(owner)
            team_rows[identity] = _made_team(identity, owner, slug, title)
    return OrganizationRows(
        organizations={row.id: row for row in (_organization(name, seeds, speaker) for name in sorted(named))},
        tenants=tenants,
        teams=team_rows,
        people={row.id: row for team in mine for row in _people(team)},
        environments=environments,
    )


def seeded(seeds: Seeds) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The organisations and teams of seeds as columns by name, for writing them before anything is indexed."""
    names = sorted({item.organization for item in seeds.teams})
    return (
        [_organization(name, seeds, None)._asdict() for name in names],
        [_team(seed)._asdict() for seed in seeds.teams],
    )


def _organization(name: str, seeds: Seeds, speaker: str | None) -> Any:
    seed = next((item for item in seeds.organizations if item.name == name), None)
    default = seed.default_team if seed else None
    return OrganizationRow(
        id=global_id("Organization", name),
        name=name,
        title=seed.title if seed else None,
        currency=currency_of(seeds, name),
        default_team_id=global_id("Team", name, default) if default else None,
        seeds_estate_id=speaker if name in seeds.spoken_for else None,
    )


def _tenant(place: Place, estate: str, seeds: Seeds) -> Any:
    named = (item for item in seeds.tenants if (item.organization, item.name) == (place.organization, place.tenant))
    seed = next(named, None)
    budget = seed.budget if seed else None
    return TenantRow(
        id=tenant_id(place, estate),
        organization_id=global_id("Organization", place.organization),
        name=place.tenant if place.tenant is not None else estate,
        title=safe(seed.title) if seed and seed.title is not None else None,
        hidden=place.tenant is None,
        budget=budget.amount if budget else None,
        budget_currency=budget.currency if budget else None,
    )


def _environment(place: Place, estate: str, teams: Teams) -> Any:
    identity = environment_id(place, estate)
    if identity is None:
        return None
    team = teams.find_or_make(place.organization, place.team) if place.team else None
    return EnvironmentRow(
        id=identity,
        organization_id=global_id("Organization", place.organization),
        tenant_id=tenant_id(place, estate),
        name=place.environment,
        kind=place.kind.value,
        account=place.account,
        # A stage that is a region's code says nothing about the stage.
        stage=None if place.stage is None or region_of(place.stage) else place.stage,
        region=place.region,
        team_id=None if team is None else global_id("Team", *team),
    )


def _team(seed: TeamSeed) -> Any:
    return TeamRow(
        id=global_id("Team", seed.organization, seed.slug),
        organization_id=global_id("Organization", seed.organization),
        slug=seed.slug,
        title=safe(seed.title),
        email=seed.email,
        chat=seed.chat,
        cost_center=seed.cost_center,
        platform=seed.platform,
        budget=seed.budget.amount if seed.budget else None,
        budget_currency=seed.budget.currency if seed.budget else None,
        aliases=list(seed.aliases),
        file=seed.location.file if seed.location else None,
        line=seed.location.line if seed.location else None,
    )


def _made_team(identity: str, organization: str, slug: str, title: str) -> Any:
    return TeamRow(
        id=identity,
        organization_id=global_id("Organization", organization),
        slug=slug,
        title=title,
        email=None,
        chat=None,
        cost_center=None,
        platform=False,
        budget=None,
        budget_currency=None,
        aliases=[],
        file=None,
        line=None,
    )


def _people(seed: TeamSeed) -> Iterable[Any]:
    team_id = global_id("Team", seed.organization, seed.slug)
    for member in seed.members:
        # People have no global id of their own: they are found through their team.
        identity = f"{team_id}:{member.email or member.name}"
        yield PersonRow(id=identity, team_id=team_id, name=safe(member.name), email=member.email, role=member.role)
