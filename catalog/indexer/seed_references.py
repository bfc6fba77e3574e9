"""Checks what seeds say of each other: teams that are named as owners and that `teams.yaml` doesn't define.

Such a name makes a team, as it does in an estate's tags; in seeds it is rather a slip, so it is told with its line and the nearest name.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from catalog.indexer.ownership import Teams
from catalog.indexer.seed_values import Seeds
from catalog.values import Diagnostic, Severity, SourceLocation

Named = tuple[str, str, str, SourceLocation | None]  # organisation, team, what names it, where


def check(seeds: Seeds) -> Iterator[Diagnostic]:
    """Complain about each name of a team that no seed defines, where the organisation's teams are defined at all."""
    teams = Teams(seeds.teams)
    slugs: dict[str, list[str]] = {}
    for team in seeds.teams:
        slugs.setdefault(team.organization, []).append(team.slug)
    for organization, name, what, location in _named(seeds, list(slugs)):
        if organization in slugs and teams.find(organization, name) is None:
            close = difflib.get_close_matches(name, slugs[organization], n=1)
            yield Diagnostic(
                severity=Severity.WARNING,
                code="SEED_TEAM_UNKNOWN",
                message=f"{what} names the team {name}, which teams.yaml doesn't define for {organization}",
                hint=f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(slugs[organization]))}",
                location=location,
            )


def _named(seeds: Seeds, organizations: list[str]) -> Iterator[Named]:
    for item in seeds.organizations:
        if item.default_team is not None:
            yield item.name, item.default_team, f"the organization {item.name}", item.default_team_location
    for service in seeds.services:
        if service.owner is not None:
            yield service.organization, service.owner, f"the service {service.slug}", service.location
    for mapping in seeds.mappings:
        # Without an organisation of its own a mapping is about one that the stack's context names.
        organization = mapping.organization or (organizations[0] if len(organizations) == 1 else "")
        if mapping.team is not None:
            yield organization, mapping.team, f"the mapping of {mapping.atmos_stack}", mapping.location
