"""How each seed file is read: an entry in, the seeds with what it says out. Structural faults raise `Invalid` with a place."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from catalog.config import is_reference
from catalog.cost import rates
from catalog.cost.money import CURRENCIES
from catalog.errors import Invalid
from catalog.indexer import seed_allocation
from catalog.indexer.seed_reader import Entry
from catalog.indexer.seed_values import (
    DEFAULT_CURRENCY,
    EstateSeed,
    KpiSeed,
    MemberSeed,
    OrganizationSeed,
    PrincipalSeed,
    Seeds,
    ServicePart,
    ServiceSeed,
    TeamSeed,
    TenantMapping,
    TenantSeed,
    currency_of,
)
from catalog.records import Lifecycle, PrincipalKind, ProvisioningAction, Role, ServiceLayer
from catalog.values import SourceLocation

DEFAULT_REMOVAL_LIMIT = 20
DEFAULT_POLL = 60  # seconds

Reader = Callable[[Entry, Seeds], Seeds]


def _teams(entry: Entry, seeds: Seeds) -> Seeds:
    organizations = tuple(_organization(item) for item in entry.entries("organizations"))
    seeds = replace(seeds, organizations=organizations)
    teams = tuple(_team(item, seeds) for item in entry.entries("teams"))
    principals = tuple(_principal(item) for item in entry.entries("principals"))
    _unique([(f"organisation {item.name}", item.location) for item in organizations])
    _unique([(f"team {item.organization}/{item.slug}", item.location) for item in teams])
    return replace(seeds, teams=teams, principals=principals)


def _organization(entry: Entry) -> OrganizationSeed:
    currency = entry.text("currency") or DEFAULT_CURRENCY
    if currency not in CURRENCIES:
        raise entry.invalid("currency", "an ISO 4217 code")
    organization = OrganizationSeed(
        name=entry.required("name"),
        title=entry.text("title"),
        currency=currency,
        default_team=entry.text("default_team"),
        location=entry.location,
        default_team_location=entry.place("default_team"),
    )
    entry.finish()
    return organization


def _team(entry: Entry, seeds: Seeds) -> TeamSeed:
    organization = _organization_of(entry, seeds)
    slug = entry.required("slug")
    team = TeamSeed(
        slug=slug,
        organization=organization,
        title=entry.text("title") or slug,
        email=entry.text("email"),
        chat=entry.text("chat"),
        cost_center=entry.text("cost_center"),
        platform=entry.flag("platform", default=False),
        budget=entry.budget(currency_of(seeds, organization)),
        aliases=entry.texts("aliases"),
        members=tuple(_member(item) for item in entry.entries("members")),
        location=entry.location,
    )
    entry.finish()
    return team


def _member(entry: Entry) -> MemberSeed:
    member = MemberSeed(name=entry.required("name"), email=entry.text("email"), role=entry.text("role"))
    entry.finish()
    return member


def _principal(entry: Entry) -> PrincipalSeed:
    email = entry.required("email")
    principal = PrincipalSeed(
        email=email,
        name=entry.text("name") or email,
        kind=entry.choice("kind", PrincipalKind, PrincipalKind.PERSON),
        role=entry.choice("role", Role, Role.VIEWER),
        teams=entry.texts("teams"),
        tenants=entry.texts("tenants"),
        members=entry.texts("members"),
        location=entry.location,
    )
    entry.finish()
    return principal


def _tenants(entry: Entry, seeds: Seeds) -> Seeds:
    mappings = tuple(_mapping(item) for item in entry.entries("tenant_mapping"))
    tenants = tuple(_tenant(item, seeds) for item in entry.entries("tenants"))
    _unique([(f"tenant {item.organization}/{item.name}", item.location) for item in tenants])
    return replace(seeds, mappings=mappings, tenants=tenants)


def _tenant(entry: Entry, seeds: Seeds) -> TenantSeed:
    organization = _organization_of(entry, seeds)
    tenant = TenantSeed(
        name=entry.required("name"),
        organization=organization,
        title=entry.text("title"),
        budget=entry.budget(currency_of(seeds, organization)),
        location=entry.location,
    )
    entry.finish()
    return tenant


def _mapping(entry: Entry) -> TenantMapping:
    context = entry.below("idp_context")
    said = {key: context.text(key) if context else None for key in ("organization", "tenant", "team", "environment", "region")}
    location = context.place("team") if context and said["team"] is not None else entry.location
    mapping = TenantMapping(atmos_stack=entry.required("atmos_stack"), location=location, **said)
    if context:
        context.finish()
    entry.finish()
    return mapping


def _services(entry: Entry, seeds: Seeds) -> Seeds:
    return replace(seeds, services=tuple(_service(slug, item, seeds) for slug, item in entry.named("services")))


def _service(slug: str, entry: Entry, seeds: Seeds) -> ServiceSeed:
    organization = _organization_of(entry, seeds)
    cost = entry.money("cost_estimate", currency_of(seeds, organization))
    stated = entry.get("cost_estimate")
    service = ServiceSeed(
        slug=slug,
        organization=organization,
        title=entry.text("name") or slug,
        description=entry.text("description"),
        category=entry.text("category"),
        owner=entry.text("owner"),
        lifecycle=entry.choice("lifecycle", Lifecycle, Lifecycle.PRODUCTION),
        lifecycle_stated=(entry.text("lifecycle") or "").upper() in list(Lifecycle),
        tier=entry.whole("tier"),
        cost=cost,
        cost_problem=f"{stated!r} can't be read as money" if cost is None and stated is not None else None,
        cost_location=entry.place("cost_estimate"),
        provisioning_time=entry.duration("provisioning_time"),
        budget=entry.budget(currency_of(seeds, organization)),
        public=entry.choice("visibility", ("PUBLIC", "TEAM"), "PUBLIC") == "PUBLIC",
        tags=entry.texts("tags"),
        links=tuple(_link(item) for item in entry.entries("links")),
        parts=_parts(entry),
        location=entry.location,
    )
    entry.finish()
    return service


def _link(entry: Entry) -> dict[str, str]:
    url = entry.required("url")
    link = {"title": entry.text("title") or url, "url": url}
    entry.finish()
    return link


def _parts(entry: Entry) -> tuple[ServicePart, ...]:
    layers = entry.below("components")
    if layers is None:
        return ()
    parts = [
        part
        for layer in ServiceLayer
        for number, item in enumerate(layers.listed(layer.lower()))
        for part in [_part(item, layer, layers, f"{layer.lower()}[{number}]")]
    ]
    layers.finish()
    return tuple(parts)


# "vpc (networking foundation)": a component's name and the role it plays in the service.
_NOTATION = re.compile(r"\s*(?P<name>[^\s()]+)\s*(?:\((?P<role>.*)\)\s*)?")


def _part(item: Any, layer: str, layers: Entry, shown: str) -> ServicePart:
    if isinstance(item, dict) and isinstance(item.get("name"), str):
        role = item.get("role")
        return ServicePart(name=item["name"], layer=layer, role=None if role is None else str(role))
    match = _NOTATION.fullmatch(item) if isinstance(item, str) else None
    if match is None:
        raise Invalid(
            f"components.{shown} is neither a component's name nor `name (role)`",
            code="SEED_SHAPE",
            location=layers.place(shown.split("[", maxsplit=1)[0]),
        )
    return ServicePart(name=match["name"], layer=layer, role=(match["role"] or "").strip() or None)


def _estates(entry: Entry, seeds: Seeds) -> Seeds:
    estates = tuple(_estate(item) for item in entry.entries("estates"))
    _unique([(f"estate {item.name}", item.location) for item in estates])
    return replace(seeds, estates=estates)


def _estate(entry: Entry) -> EstateSeed:
    name = entry.required("name")
    path, url = entry.text("path"), entry.text("url")
    if (path is None) == (url is None):
        raise Invalid(f"estate {name} needs either a path or a url", code="SEED_SHAPE", location=entry.location)
    limit = entry.whole("removal_limit")
    if limit is not None and not 0 <= limit <= 100:
        raise entry.invalid("removal_limit", "a percentage from 0 to 100")
    estate = EstateSeed(
        name=name,
        organization=entry.text("organization") or name,
        path=path,
        url=url,
        managed=entry.flag("managed", default=False),
        include=entry.texts("include"),
        ref=entry.text("ref") or "main",
        directory=entry.text("directory") or ".",
        config_path=entry.text("config_path"),
        executor=entry.text("executor") or "terraform",
        removal_limit=DEFAULT_REMOVAL_LIMIT if limit is None else limit,
        workflows=dict(_workflow(action, item) for action, item in entry.named("workflows")),
        web_url=entry.text("web_url"),
        credentials=_reference(entry, "credentials"),
        poll=_poll(entry),
        webhook_secret=_reference(entry, "webhook_secret"),
        location=entry.location,
    )
    entry.finish()
    return estate


def _poll(entry: Entry) -> int | None:
    """How often the remote is asked; `off` (which YAML may read as false) is never."""
    if entry.get("poll") in (False, "off", "never"):
        return None
    return max(entry.duration("poll") or DEFAULT_POLL, 1)


def _reference(entry: Entry, key: str) -> str | None:
    """A reference to a secret, as `{$ref: env:NAME}`; a literal is refused and not repeated."""
    below = entry.below(key)
    if below is None:
        return None
    reference = below.required("$ref")
    if not is_reference(reference):
        raise below.invalid("$ref", "env:NAME or file:/PATH")
    below.finish()
    return reference


def _workflow(action: str, entry: Entry) -> tuple[str, dict[str, str]]:
    if action not in list(ProvisioningAction):
        raise Invalid(f"{action} is no action", code="SEED_SHAPE", location=entry.location, hint=", ".join(ProvisioningAction))
    chosen = {"file": entry.required("file"), "name": entry.required("name")}
    entry.finish()
    return action, chosen


def _kpis(entry: Entry, seeds: Seeds) -> Seeds:
    return replace(seeds, kpis=tuple(_kpi(name, item) for name, item in entry.named("kpis")))


def _allocation(entry: Entry, seeds: Seeds) -> Seeds:
    return replace(seeds, allocation=seed_allocation.read(entry))


def _kpi(name: str, entry: Entry) -> KpiSeed:
    direction = entry.text("direction")
    kpi = KpiSeed(
        name=name,
        title=entry.text("title"),
        description=entry.text("description"),
        unit=entry.text("unit"),
        population=entry.text("population"),
        direction=None if direction is None else entry.choice("direction", ("UP", "DOWN"), "UP"),
        baseline=entry.number("baseline"),
        target=entry.number("target"),
    )
    entry.finish()
    return kpi


def _organization_of(entry: Entry, seeds: Seeds) -> str:
    """The organisation that an entry names, else the only one there is."""
    named = entry.text("organization")
    if named is not None:
        return named
    if len(seeds.organizations) == 1:
        return seeds.organizations[0].name
    raise Invalid(
        "no organization is named and there is not exactly one",
        code="SEED_SHAPE",
        location=entry.location,
        hint="name one of those in teams.yaml",
    )


def _unique(named: list[tuple[str, SourceLocation | None]]) -> None:
    seen: set[str] = set()
    for name, location in named:
        if name in seen:
            raise Invalid(f"{name} is written twice", code="SEED_SHAPE", location=location)
        seen.add(name)


# In this order: services and tenants name organisations, which teams.yaml defines.
FILES: dict[str, Reader] = {
    "teams.yaml": _teams,
    "tenants.yaml": _tenants,
    "services.yaml": _services,
    "estates.yaml": _estates,
    "kpis.yaml": _kpis,
    "allocation.yaml": _allocation,
}


def _rates(content: bytes, shown: str, seeds: Seeds) -> Seeds:
    return replace(seeds, rates=rates.read(content, shown))


# Files that are no YAML.
TABLES: dict[str, Callable[[bytes, str, Seeds], Seeds]] = {"rates.csv": _rates}
