"""What the organisation says: organisations, tenants, environments, teams and people."""

import strawberry

from catalog.graph import enums, names
from catalog.graph.costs import CURRENCY
from catalog.graph.declarations import column, items, one, page, reads_from
from catalog.graph.filters import ComponentInstanceWhere, ServiceWhere, StackWhere
from catalog.graph.nodes import (
    ComponentInstanceConnection,
    Connection,
    Money,
    Node,
    ServiceConnection,
    SourceLocation,
    StackConnection,
)
from catalog.graph.periods import PERIOD
from catalog.graph.scalars import CurrencyCode


@reads_from("organization")
@strawberry.type(description="An organisation: the root of tenants, teams and money.")
class Organization(Node):
    name: str = column("name", "Its name.")
    title: str | None = column("title", "Its title.")
    currency: CurrencyCode = column("currency", "The currency of its sums.")
    tenants: Connection[names.TenantType] = page("tenants", "Its tenants.")
    teams: Connection[names.TeamType] = page("teams", "Its teams.")


@reads_from("tenant")
@strawberry.type(description="A tenant of an organisation.")
class Tenant(Node):
    name: str = column("name", "Its name.")
    title: str | None = column("title", "Its title.")
    organization: names.OrganizationType | None = one("organization", "Its organisation.")
    stacks: StackConnection = page("stacks", "Its stacks.", where=StackWhere)
    budget: Money | None = one("budget", "What it may spend a month, for its own viewers and for admins.")
    budget_status: names.BudgetStatusType | None = one(
        "budget_status", "How its budget stands; null where the viewer may see none.", period=PERIOD
    )
    cost: names.CostSummaryType | None = one("cost", "What its instances cost.", period=PERIOD, currency=CURRENCY)


@reads_from("environment")
@strawberry.type(
    description="Where things run: tenant, account, stage and region, derived from stack context and the tenant mapping."
)
class Environment(Node):
    name: str = column("name", "Its name.")
    kind: enums.EnvironmentKind = column("kind", "What it is for.")
    organization: names.OrganizationType | None = one("organization", "Its organisation.")
    tenant: names.TenantType | None = one("tenant", "Its tenant, where it has one.")
    account: str | None = column("account", "Its account.")
    stage: str | None = column("stage", "Its stage.")
    region: str | None = column("region", "Its region.")
    team: names.TeamType | None = one("team", "The team that owns it.")
    stacks: StackConnection = page("stacks", "The stacks that describe it.")
    service_instances: Connection[names.ServiceInstanceType] = page("service_instances", "The services that run in it.")
    cost: names.CostSummaryType | None = one("cost", "What its instances cost.", period=PERIOD, currency=CURRENCY)


@reads_from("team")
@strawberry.type(description="A team that owns things and pays for them.")
class Team(Node):
    slug: str = column("slug", "Its short name.")
    title: str = column("title", "Its title.")
    email: str | None = column("email", "Where to write to it.")
    chat: str | None = column("chat", "Where to talk to it.")
    cost_center: str | None = column("cost_center", "The cost centre that pays.")
    platform: bool = column("platform", "Whether it builds the platform for the others.")
    location: SourceLocation | None = one("location", "Where the seeds define it; null for a team that only estates name.")
    members: list[names.PersonType] = items("members", "Who is in it.")
    organization: names.OrganizationType | None = one("organization", "Its organisation.")
    budget: Money | None = one("budget", "What it may spend a month, for its own viewers and for admins.")
    budget_status: names.BudgetStatusType | None = one(
        "budget_status", "How its budget stands; null where the viewer may see none.", period=PERIOD
    )
    services: ServiceConnection = page("services", "The services that it owns.", where=ServiceWhere)
    stacks: StackConnection = page("stacks", "The stacks that it owns.")
    instances: ComponentInstanceConnection = page(
        "instances", "The component instances that it owns.", where=ComponentInstanceWhere
    )
    cost: names.CostSummaryType | None = one("cost", "What its instances cost.", period=PERIOD, currency=CURRENCY)
    requests: Connection[names.ProvisioningRequestType] = page("requests", "The requests made for it, the latest first.")
    scorecard: names.ScorecardType = one("scorecard", "What speaks for it, over what the viewer may see.")


@reads_from("person")
@strawberry.type(description="A member of a team.")
class Person:
    name: str = column("name", "Their name.")
    email: str | None = column("email", "Their e-mail address, for their own team and for admins.")
    role: str | None = column("role", "What they do in the team.")
