"""Everything that can be read, by name: the sources, where an operation starts, and which source an id's prefix names."""

from __future__ import annotations

from dataclasses import replace

from catalog.store.compile.source import Source, ToMany
from catalog.store.compile.sources import (
    access,
    as_of,
    budget,
    cost,
    estate,
    faceted,
    governance,
    imports,
    kpi,
    live,
    organization,
    provisioning,
    rates,
    report,
    scorecard,
    search,
    stack,
)
from catalog.values import ID_PREFIXES

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        *estate.SOURCES,
        *stack.SOURCES,
        *organization.SOURCES,
        *scorecard.SOURCES,
        *cost.SOURCES,
        *budget.SOURCES,
        *report.SOURCES,
        *kpi.SOURCES,
        *provisioning.SOURCES,
        *access.SOURCES,
        *as_of.SOURCES,
        *search.SOURCES,
        *rates.SOURCES,
        *live.SOURCES,
        *faceted.SOURCES,
        *governance.SOURCES,
        *imports.SOURCES,
    )
}

# Where look-ups are ambiguous, the label tells the candidates apart.
_ESTATE_NAME = "(select x.name from estate x where x.id = {a}.estate_id)"
_ORGANIZATION_NAME = "(select x.name from organization x where x.id = {a}.organization_id)"
ROOTS: dict[str, ToMany] = {
    "estates": ToMany(target="estate"),
    "organizations": ToMany(target="organization"),
    "tenants": ToMany(target="tenant", label=_ORGANIZATION_NAME),
    "environments": ToMany(
        target="environment",
        label="concat_ws('/', (select x.name from organization x where x.id = {a}.organization_id),"
        " (select x.name from tenant x where x.id = {a}.tenant_id and not x.hidden), {a}.account, {a}.name, {a}.region)",
    ),
    "teams": ToMany(target="team", label=_ORGANIZATION_NAME),
    "services": ToMany(target="service", label=_ORGANIZATION_NAME),
    "service_instances": ToMany(target="service_instance"),
    "components": ToMany(target="component", label=f"{_ESTATE_NAME} || ': ' || {{a}}.path"),
    "stacks": ToMany(target="stack", label=_ESTATE_NAME),
    "component_instances": ToMany(target="component_instance", label=_ESTATE_NAME),
    "stacks_as_of": replace(as_of.STACKS, label=_ESTATE_NAME),
    "component_instances_as_of": replace(as_of.INSTANCES, label=_ESTATE_NAME),
    "workflows": ToMany(target="workflow"),
    "diagnostics": ToMany(target="diagnostic"),
    "changes": ToMany(target="change"),
    "provisioning_requests": ToMany(target="provisioning_request", label="{a}.id"),
    "charges": ToMany(target="charge"),
    "kpis": kpi.KPIS,
    "policies": ToMany(target="policy"),
    "audit_log": ToMany(target="audit_event", tie=()),
    "principals": ToMany(target="principal"),
    "access_tokens": ToMany(target="access_token"),
    "search": search.HITS,
    **live.ROOTS,
}

# Kinds whose source has another name than the kind, in snake case.
BY_PREFIX: dict[str, str] = {
    prefix: "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind).lstrip("_")
    for kind, prefix in ID_PREFIXES.items()
}

__all__ = ["BY_PREFIX", "ROOTS", "SOURCES"]
