"""Services: what a developer can ask for, and where it runs."""

import strawberry
from strawberry.scalars import JSON

from catalog.graph import enums, names
from catalog.graph.costs import CURRENCY
from catalog.graph.declarations import Argument, column, items, one, page, reads_from
from catalog.graph.filters import ServiceInstanceWhere
from catalog.graph.nodes import ComponentInstanceConnection, Connection, Money, Node, SourceLocation
from catalog.graph.periods import PERIOD

_LAYER = Argument(type=enums.ServiceLayer | None, description="Only those of this layer.", path=("layer",))


@reads_from("service")
@strawberry.type(description="An offering: what a developer can ask for.")
class Service(Node):
    slug: str = column("slug", "Its short name.")
    title: str = column("title", "Its title.")
    description: str | None = column("description", "What it is for.")
    category: str | None = column("category", "Its category.")
    lifecycle: enums.Lifecycle = column("lifecycle", "Where it is in its life.")
    tier: int | None = column("tier", "How critical it is: 1 is the most.")
    version: int = column(
        "version", "Counts what people changed of it here, for `expectedVersion`; what the seeds say doesn't count."
    )
    location: SourceLocation | None = one("location", "Where the seeds define it; null for a registered one.")
    organization: names.OrganizationType | None = one("organization", "Its organisation.")
    owner: names.TeamType | None = one("owner", "The team that owns it.")
    cost_estimate: names.CostEstimateType | None = one("cost_estimate", "What it costs, as stated in the seeds.")
    computed_cost_estimate: names.CostEstimateType | None = one("computed_cost_estimate", "What it costs, as the sum of its parts.")
    provisioning_time: int | None = column("provisioning_time", "Seconds until it is there.")
    tags: list[str] = column("tags", "Its tags.")
    links: list[names.LinkType] = items("links", "Where to read more.")
    components: list[names.ServiceComponentType] = items("components", "Its parts, in order.", layer=_LAYER)
    instances: Connection[names.ServiceInstanceType] = page("instances", "Where it runs.", where=ServiceInstanceWhere)
    request_schema: JSON = column(
        "request_schema",
        "JSON Schema of what a request for it may set: for each of its parts, by name, the variables of that component.",
    )
    budget: Money | None = one("budget", "What it may cost a month; for its team and for admins.")
    budget_status: names.BudgetStatusType | None = one(
        "budget_status", "How its budget stands; null where the viewer may see none.", period=PERIOD
    )
    cost: names.CostSummaryType | None = one("cost", "What its instances cost.", period=PERIOD, currency=CURRENCY)
    scorecard: names.ScorecardType = one("scorecard", "What speaks for it, over what the viewer may see.")


@reads_from("scorecard")
@strawberry.type(description="What speaks for a service or a team, as checks that are passed or not.")
class Scorecard:
    score: float = column("score", "The share of its checks that are passed, from 0 to 1.")
    checks: list[names.ScorecardCheckType] = items("checks", "The checks that apply: of what isn't known yet there is none.")


@reads_from("scorecard_check")
@strawberry.type(description="One check of a scorecard.")
class ScorecardCheck:
    name: str = column("name", "Its name, the same for good.")
    title: str = column("title", "What it asks, for people.")
    passed: bool = column("passed", "Whether that holds.")
    detail: str | None = column("detail", "What was found.")


@reads_from("link")
@strawberry.type(description="A link to read more.")
class Link:
    title: str = column("title", "What it leads to.")
    url: str = column("url", "Where it leads.")


@reads_from("service_component")
@strawberry.type(description="One part of a service.")
class ServiceComponent:
    name: str = column("name", "The component's name.")
    layer: enums.ServiceLayer = column("layer", "Which half of the service it belongs to.")
    role: str | None = column("role", "What it does there.")
    component: names.ComponentType | None = one("component", "The component, where an estate has it.")


@reads_from("service_instance")
@strawberry.type(description="A service running in an environment: matched from the estate, or registered by a request.")
class ServiceInstance(Node):
    name: str = column("name", "Its name.")
    service: names.ServiceType = one("service", "Its service.")
    environment: names.EnvironmentType = one("environment", "Where it runs.")
    team: names.TeamType | None = one("team", "The team that runs it.")
    state: enums.ServiceInstanceState = column("state", "Whether all its parts are there.")
    component_instances: ComponentInstanceConnection = page("component_instances", "What it is made of.")
    missing_components: list[str] = column("missing", "The parts that are not there.")
    applications: list[names.ApplicationType] = items("applications", "The Argo CD Applications that it runs as.")
    registered_by: names.ProvisioningRequestType | None = one("registered_by", "The request that registered it.")
    cost: names.CostSummaryType | None = one("cost", "What its instances cost.", period=PERIOD, currency=CURRENCY)
