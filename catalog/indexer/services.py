"""Turns service seeds into rows and finds where each service runs.

A service runs in an environment that holds at least half of its parts as deployable instances: all of them make it COMPLETE,
fewer PARTIAL, with the missing ones named. A part's name means an instance of that name, else an instance of the physical
component of that name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalog.cost.money import Estimate
from catalog.indexer.estimate_rows import estimate_row
from catalog.indexer.metadata import Cost
from catalog.indexer.ownership import Teams
from catalog.indexer.redaction import json_text, safe
from catalog.indexer.seed_values import Seeds, ServiceSeed
from catalog.indexer.stack_rows import StackPart
from catalog.records import CostSource, CostStatus, ServiceInstanceState, ServiceSource
from catalog.store.rows import ServiceComponentRow, ServiceInstanceRow, ServiceRow
from catalog.values import global_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRows:
    """All rows of all services. `instances` maps an id to its row and the component instances it consists of.

    `named` are the ids of every service that the seeds define. Those of an organisation that is another estate's own have their rows
    from there, and only run here.
    """

    named: frozenset[str]
    services: Mapping[str, Any]
    components: Mapping[str, tuple[Any, ...]]  # by the service's id
    estimates: Mapping[str, Any]  # by their own id
    instances: Mapping[str, tuple[Any, tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the estate knows of names: the component behind an instance's or component's name, and what a component costs."""

    component_of: Mapping[str, str]  # name → component id
    estimate_of: Mapping[str, Any]  # component id → its estimate's row
    costs_of_name: Mapping[str, set[tuple[str | None, Decimal | None]]]  # instance name → what instances of that name cost


def make(seeds: Seeds, parts: Sequence[StackPart], known: Known, teams: Teams, foreign: Collection[str]) -> ServiceRows:
    """Make the rows of every service that the seeds define; `foreign` are organisations that are other estates' own."""
    services, components, estimates, instances = {}, {}, {}, {}
    environments = _environments(parts, {part.name for seed in seeds.services for part in seed.parts})
    defaults = {item.name: item.default_team for item in seeds.organizations}
    for seed in seeds.services:
        identity = global_id("Service", seed.organization, seed.slug)
        owner = _owner(seed, defaults.get(seed.organization), teams)
        if seed.organization not in foreign:
            stated = _stated(seed, identity)
            computed = _computed(seed, identity, known)
            estimates.update({row.id: row for row in (stated, computed) if row is not None})
            services[identity] = _row(seed, identity, owner, stated, computed)
            components[identity] = _parts(seed, identity, known)
        for environment in environments.values():
            found = _running(seed, identity, owner, environment)
            if found is not None:
                instances[found[0].id] = found
    return ServiceRows(
        named=frozenset(global_id("Service", seed.organization, seed.slug) for seed in seeds.services),
        services=services,
        components=components,
        estimates=estimates,
        instances=instances,
    )


def _parts(seed: ServiceSeed, identity: str, known: Known) -> tuple[Any, ...]:
    return tuple(
        ServiceComponentRow(
            service_id=identity,
            ordinal=ordinal,
            name=part.name,
            layer=part.layer,
            role=part.role,
            component_id=known.component_of.get(part.name),
        )
        for ordinal, part in enumerate(seed.parts)
    )


def _owner(seed: ServiceSeed, default: str | None, teams: Teams) -> tuple[str, str] | None:
    named = seed.owner or default
    return teams.find_or_make(seed.organization, named) if named else None


def _row(seed: ServiceSeed, identity: str, owner: tuple[str, str] | None, stated: Any, computed: Any) -> Any:
    location = seed.location
    return ServiceRow(
        id=identity,
        organization_id=global_id("Organization", seed.organization),
        slug=seed.slug,
        title=safe(seed.title),
        description=seed.description and safe(seed.description),
        category=seed.category,
        lifecycle=seed.lifecycle,
        tier=seed.tier,
        version=1,
        owner_id=None if owner is None else global_id("Team", *owner),
        cost_estimate_id=None if stated is None else stated.id,
        computed_cost_estimate_id=None if computed is None else computed.id,
        provisioning_time=seed.provisioning_time,
        tags=list(seed.tags),
        links=json_text(list(seed.links)),
        public=seed.public,
        source=ServiceSource.SEEDS.value,
        file=location.file if location else None,
        line=location.line if location else None,
    )


def _stated(seed: ServiceSeed, identity: str) -> Any:
    if seed.cost is None and seed.cost_problem is None:
        return None
    cost = Cost(estimate=seed.cost, problem=seed.cost_problem, source=CostSource.SERVICE)
    return estimate_row("Service", identity, cost, seed.cost_location)


def _computed(seed: ServiceSeed, identity: str, known: Known) -> Any:
    """The sum of what the parts cost; what is unknown is named, never counted as zero."""
    if not seed.parts:
        return None
    priced, unknown = {}, []
    for number, part in enumerate(seed.parts):
        estimate = _of_part(part.name, known)
        if estimate is None:
            unknown.append(part.name)
        else:
            priced[number] = estimate
    currencies = {estimate.currency for estimate in priced.values()}
    row_id = global_id("CostEstimate", identity, "computed")
    if len(currencies) != 1:
        reason = "its parts are priced in several currencies" if currencies else "no part's cost is known"
        cost = Cost(estimate=None, problem=reason, source=CostSource.COMPONENT_METADATA)
        return estimate_row("Service", identity, cost, None, identity=row_id)._replace(unsupported=unknown)
    total = sum((estimate.amount for estimate in priced.values() if estimate.amount is not None), Decimal(0))
    row: Any = estimate_row(
        "Service",
        identity,
        Cost(estimate=Estimate(currency=currencies.pop(), amount=total), problem=None, source=CostSource.COMPONENT_METADATA),
        None,
        identity=row_id,
    )
    if unknown:
        row = row._replace(status=CostStatus.PARTIAL.value, unsupported=unknown, reason=f"unknown: {', '.join(unknown)}")
    return row


def _of_part(name: str, known: Known) -> Estimate | None:
    """What one part costs: what the instances of its name agree on, else its component's own estimate, if that is a number."""
    named = known.costs_of_name.get(name, set())
    if len(named) == 1:
        currency, amount = next(iter(named))
        if currency is not None and amount is not None:
            return Estimate(currency=currency, amount=amount)
    row = known.estimate_of.get(known.component_of.get(name, ""))
    return None if row is None or row.monthly is None else Estimate(currency=row.currency, amount=row.monthly)


@dataclass(slots=True)
class _Environment:
    """What deployable instances an environment holds, by instance name and by physical component."""

    id: str
    name: str
    tenant_id: str
    organization_id: str
    by_name: dict[str, list[str]]
    by_component: dict[str, list[str]]


def _environments(parts: Iterable[StackPart], names: set[str]) -> dict[str, _Environment]:
    """What the environments hold of these names."""
    found: dict[str, _Environment] = {}
    for part in parts:
        if not names or part.environment_id is None or part.place.environment is None:
            continue
        environment = found.get(part.environment_id)
        if environment is None:
            environment = found[part.environment_id] = _Environment(
                id=part.environment_id,
                name=part.place.environment,
                tenant_id=part.stack.tenant_id,
                organization_id=part.stack.organization_id,
                by_name={},
                by_component={},
            )
        for name in part.by_name.keys() & names:
            environment.by_name.setdefault(name, []).append(part.by_name[name])
        for name in part.by_component.keys() & names:
            environment.by_component.setdefault(name, []).extend(part.by_component[name])
    return found


def _running(
    seed: ServiceSeed, service_id: str, owner: tuple[str, str] | None, environment: _Environment
) -> tuple[Any, tuple[str, ...]] | None:
    if environment.organization_id != global_id("Organization", seed.organization) or not seed.parts:
        return None
    names = list(dict.fromkeys(part.name for part in seed.parts))
    matched = {name: environment.by_name.get(name) or environment.by_component.get(name) for name in names}
    missing = [name for name in names if not matched[name]]
    if len(missing) * 2 > len(names):
        return None
    state = ServiceInstanceState.PARTIAL if missing else ServiceInstanceState.COMPLETE
    row = ServiceInstanceRow(
        id=global_id("ServiceInstance", seed.organization, seed.slug, environment.id),
        tenant_id=environment.tenant_id,
        service_id=service_id,
        environment_id=environment.id,
        name=f"{seed.slug}-{environment.name}",
        team_id=None if owner is None else global_id("Team", *owner),
        state=state.value,
        missing=missing,
        registered_by_id=None,
    )
    return row, tuple(sorted({identity for found in matched.values() for identity in found or ()}))
