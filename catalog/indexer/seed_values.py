"""What seeds say, as frozen values with the places they are written at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalog.cost.money import Estimate
from catalog.cost.rates import Rate
from catalog.indexer.measurements import Measurement
from catalog.values import Diagnostic, SourceLocation

DEFAULT_CURRENCY = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class EstateSeed:
    """An estate to register: `path` (relative to the seeds) or `url`, and how to read it.

    `poll` is how many seconds lie between looks at its remote, None for never. `credentials` and `webhook_secret` are references: to
    the token for its remote, and to the secret that its Git host signs deliveries with.
    """

    name: str
    organization: str
    path: str | None
    url: str | None
    managed: bool
    include: tuple[str, ...]
    ref: str
    directory: str
    config_path: str | None
    executor: str
    removal_limit: int
    workflows: dict[str, dict[str, str]]
    web_url: str | None
    credentials: str | None
    poll: int | None
    webhook_secret: str | None
    location: SourceLocation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSeed:
    """An organisation: its currency and, as a slug, the team that owns what nobody else does, with where that is written."""

    name: str
    title: str | None
    currency: str
    default_team: str | None
    location: SourceLocation | None
    default_team_location: SourceLocation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSeed:
    """A tenant; `budget` is money a month."""

    name: str
    organization: str
    title: str | None
    budget: Estimate | None
    location: SourceLocation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSeed:
    """A member of a team."""

    name: str
    email: str | None
    role: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSeed:
    """A team; `aliases` are e-mail addresses and handles that name it too, `budget` is money a month."""

    slug: str
    organization: str
    title: str
    email: str | None
    chat: str | None
    cost_center: str | None
    platform: bool
    budget: Estimate | None
    aliases: tuple[str, ...]
    members: tuple[MemberSeed, ...]
    location: SourceLocation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalSeed:
    """Somebody who may sign in, with one grant."""

    email: str
    name: str
    kind: str
    role: str
    teams: tuple[str, ...]
    tenants: tuple[str, ...]
    members: tuple[str, ...]
    location: SourceLocation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantMapping:
    """What the organisation says about the stacks that `atmos_stack` names: a manifest or stack name, or a glob of either.

    `location` is where its team is written, if it names one.
    """

    atmos_stack: str
    organization: str | None
    tenant: str | None
    team: str | None
    environment: str | None
    region: str | None
    location: SourceLocation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePart:
    """One component of a service, by name, with the role it plays."""

    name: str
    layer: str
    role: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSeed:
    """An offering. `cost` is None where nothing readable is stated; `cost_problem` says why, if something is."""

    slug: str
    organization: str
    title: str
    description: str | None
    category: str | None
    owner: str | None
    lifecycle: str
    lifecycle_stated: bool
    tier: int | None
    cost: Estimate | None
    cost_problem: str | None
    cost_location: SourceLocation | None
    provisioning_time: int | None
    budget: Estimate | None
    public: bool
    tags: tuple[str, ...]
    links: tuple[dict[str, str], ...]
    parts: tuple[ServicePart, ...]
    location: SourceLocation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiSeed:
    """What is said of a measure; None where nothing is. `direction` is the better one: UP or DOWN."""

    name: str
    title: str | None
    description: str | None
    unit: str | None
    population: str | None
    direction: str | None
    baseline: Decimal | None
    target: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """All that the seeds say; `broken` names the files that can't be read, `unread` those of them without a last good version.

    `allocation` (a document of `cost.allocation`) and `rates` are None where no file says any. `borrowed` are organisations that others
    speak for: what is said of these here is what the catalog knows of them.
    """

    estates: tuple[EstateSeed, ...] = ()
    organizations: tuple[OrganizationSeed, ...] = ()
    teams: tuple[TeamSeed, ...] = ()
    principals: tuple[PrincipalSeed, ...] = ()
    mappings: tuple[TenantMapping, ...] = ()
    tenants: tuple[TenantSeed, ...] = ()
    services: tuple[ServiceSeed, ...] = ()
    kpis: tuple[KpiSeed, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    allocation: Mapping[str, Any] | None = None
    rates: tuple[Rate, ...] | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    broken: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    borrowed: frozenset[str] = frozenset()

    @property
    def spoken_for(self) -> frozenset[str]:
        """The organisations that these seeds name and speak for."""
        said = {item.name for item in self.organizations} | {item.organization for item in self.teams}
        return frozenset((said | {item.organization for item in self.services}) - self.borrowed)


NONE = Seeds()


def currency_of(seeds: Seeds, organization: str) -> str:
    """The currency of an organisation, USD when the seeds don't say."""
    return next((item.currency for item in seeds.organizations if item.name == organization), DEFAULT_CURRENCY)
