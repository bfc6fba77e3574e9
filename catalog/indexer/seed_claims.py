"""Decides whose seeds speak for an organisation, where estates bring seeds of their own.

An organisation that is some estate's own is spoken for by such an estate: by the one that did so first, where several are. What other
estates' seeds say of it doesn't count, with a diagnostic; they read what the catalog knows of its teams instead. Seeds that the
whole catalog reads (`CATALOG_SEEDS`) are everybody's and speak for all that they name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from catalog.cost.money import Estimate
from catalog.indexer.seed_values import MemberSeed, OrganizationSeed, Seeds, ServiceSeed, TeamSeed, TenantSeed
from catalog.store.organizations import Home
from catalog.values import Diagnostic, Severity


def settle(said: Seeds, home: Home) -> Seeds:
    """What counts of an estate's own seeds: without organisations that others speak for, with what the catalog knows of these."""
    others = home.speakers.keys()
    kept = replace(
        said,
        organizations=tuple(item for item in said.organizations if item.name not in others),
        teams=tuple(item for item in said.teams if item.organization not in others),
        tenants=tuple(item for item in said.tenants if item.organization not in others),
        services=tuple(item for item in said.services if item.organization not in others),
        # Who may use the catalog is not for an estate's repository to say.
        principals=(),
        diagnostics=(*said.diagnostics, *_ignored(said, home), *_unauthorised(said)),
    )
    known = home.known
    names = {row.id: row.name for row in known.organizations}
    slugs = {row.id: row.slug for row in known.teams}
    members: dict[str, list[MemberSeed]] = {}
    for person in known.people:
        members.setdefault(person.team_id, []).append(MemberSeed(name=person.name, email=person.email, role=person.role))
    return replace(
        kept,
        organizations=(*kept.organizations, *(_organization(row, slugs) for row in known.organizations)),
        teams=(*kept.teams, *(_team(row, names[row.organization_id], members.get(row.id, [])) for row in known.teams)),
        borrowed=frozenset(names.values()),
    )


def _organization(row: Any, slugs: dict[str, str]) -> OrganizationSeed:
    default = slugs.get(row.default_team_id)
    return OrganizationSeed(name=row.name, title=row.title, currency=row.currency, default_team=default, location=None)


def _team(row: Any, organization: str, members: list[MemberSeed]) -> TeamSeed:
    return TeamSeed(
        slug=row.slug,
        organization=organization,
        title=row.title,
        email=row.email,
        chat=row.chat,
        cost_center=row.cost_center,
        platform=row.platform,
        budget=None if row.budget is None else Estimate(currency=row.budget_currency, amount=row.budget),
        aliases=tuple(row.aliases),
        members=tuple(members),
        location=None,
    )


def _ignored(said: Seeds, home: Home) -> Iterator[Diagnostic]:
    """One warning for each organisation and file whose word doesn't count."""
    entries: tuple[TeamSeed | TenantSeed | ServiceSeed, ...] = (*said.teams, *said.tenants, *said.services)
    named = [(item.name, item.location) for item in said.organizations]
    named += [(item.organization, item.location) for item in entries]
    told = set()
    for organization, location in named:
        speaker = home.speakers.get(organization)
        file = location.file if location else None
        if speaker is not None and (organization, file) not in told:
            told.add((organization, file))
            yield Diagnostic(
                severity=Severity.WARNING,
                code="SEEDS_FOREIGN",
                message=f"what is said here of organization {organization} doesn't count: the estate {speaker} speaks for it",
                hint="say it there, or let all estates read the same seeds (CATALOG_SEEDS)",
                location=location,
            )


def _unauthorised(said: Seeds) -> Iterator[Diagnostic]:
    if said.principals:
        yield Diagnostic(
            severity=Severity.WARNING,
            code="SEEDS_PRINCIPALS",
            message="principals in an estate's own seeds don't count: its repository can't say who may use the catalog",
            hint="name them in the catalog's seeds (CATALOG_SEEDS), or add them with `catalog principal add`",
            location=said.principals[0].location,
        )
