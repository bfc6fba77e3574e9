"""Turns service seeds into rows: what a service is. Where it runs and what its parts cost follows from the rows: `store.services`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.indexer.estimate_rows import estimate_row
from catalog.indexer.metadata import Cost
from catalog.indexer.ownership import Teams
from catalog.indexer.redaction import json_text, safe
from catalog.indexer.seed_values import Seeds, ServiceSeed
from catalog.records import CostSource, ServiceSource
from catalog.store.rows import ServiceComponentRow, ServiceRow
from catalog.values import Diagnostic, Severity, global_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRows:
    """All rows of all services.

    `named` are the ids of every service that the seeds define. Those of an organisation that is another estate's own have their rows
    from there, and only run here.
    """

    named: frozenset[str]
    services: Mapping[str, Any]
    components: Mapping[str, tuple[Any, ...]]  # by the service's id
    estimates: Mapping[str, Any]  # as stated, by their own id


def make(seeds: Seeds, teams: Teams, foreign: Collection[str]) -> ServiceRows:
    """Make the rows of every service that the seeds define; `foreign` are organisations that are other estates' own."""
    services, components, estimates = {}, {}, {}
    defaults = {item.name: item.default_team for item in seeds.organizations}
    for seed in seeds.services:
        if seed.organization not in foreign:
            identity = _identity(seed)
            stated = _stated(seed, identity)
            if stated is not None:
                estimates[stated.id] = stated
            services[identity] = _row(seed, identity, _owner(seed, defaults.get(seed.organization), teams), stated)
            components[identity] = _parts(seed, identity)
    return ServiceRows(
        named=frozenset(map(_identity, seeds.services)), services=services, components=components, estimates=estimates
    )


def clashes(seeds: Seeds, registered: Collection[tuple[str, str]]) -> Iterator[Diagnostic]:
    """Complain about each service that the seeds define and people registered too, (organisation, slug) each."""
    for seed in seeds.services:
        if (seed.organization, seed.slug) in registered:
            yield Diagnostic(
                severity=Severity.WARNING,
                code="SERVICE_CLASH",
                message=f"service {seed.slug} of {seed.organization} is registered in the catalog too: what is written here counts",
                hint="take it out of the seeds and the registered one counts again, or retire that one for good (retireService)",
                location=seed.location,
            )


def _identity(seed: ServiceSeed) -> str:
    return global_id("Service", seed.organization, seed.slug)


def _parts(seed: ServiceSeed, identity: str) -> tuple[Any, ...]:
    return tuple(
        ServiceComponentRow(
            service_id=identity, ordinal=ordinal, name=safe(part.name), layer=part.layer, role=part.role and safe(part.role),
            component_id=None,
        )
        for ordinal, part in enumerate(seed.parts)
    )  # fmt: skip


def _owner(seed: ServiceSeed, default: str | None, teams: Teams) -> tuple[str, str] | None:
    named = seed.owner or default
    return teams.find_or_make(seed.organization, named) if named else None


def _row(seed: ServiceSeed, identity: str, owner: tuple[str, str] | None, stated: Any) -> Any:
    location, budget = seed.location, seed.budget
    return ServiceRow(
        id=identity,
        organization_id=global_id("Organization", seed.organization),
        slug=seed.slug,
        title=safe(seed.title),
        description=seed.description and safe(seed.description),
        category=seed.category,
        lifecycle=seed.lifecycle,
        lifecycle_stated=seed.lifecycle_stated,
        tier=seed.tier,
        version=1,
        owner_id=None if owner is None else global_id("Team", *owner),
        cost_estimate_id=None if stated is None else stated.id,
        computed_cost_estimate_id=None,
        provisioning_time=seed.provisioning_time,
        budget=budget.amount if budget else None,
        budget_currency=budget.currency if budget and budget.amount is not None else None,
        tags=list(seed.tags),
        links=json_text(list(seed.links)),
        public=seed.public,
        source=ServiceSource.SEEDS.value,
        file=location.file if location else None,
        line=location.line if location else None,
        changed_at=None,
        changed_by_id=None,
        change_reason=None,
        overridden=None,
    )


def _stated(seed: ServiceSeed, identity: str) -> Any:
    if seed.cost is None and seed.cost_problem is None:
        return None
    cost = Cost(estimate=seed.cost, problem=seed.cost_problem, source=CostSource.SERVICE)
    return estimate_row("Service", identity, cost, seed.cost_location)
