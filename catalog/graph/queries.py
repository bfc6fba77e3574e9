"""Where reading starts: look-ups by id and by human reference, and lists. Look-ups give null when nothing answers."""

import strawberry

from catalog.graph import enums, names
from catalog.graph import filters as where
from catalog.graph import orders as order
from catalog.graph.affected import affected
from catalog.graph.as_of import AS_OF
from catalog.graph.declarations import Argument, by_id, items, lookup, page, report, told
from catalog.graph.mutations import PreviewProvisioningPayload, preview_provisioning
from catalog.graph.nodes import ComponentInstanceConnection, Connection, Node, ServiceConnection, StackConnection
from catalog.graph.periods import PERIOD, PeriodInput
from catalog.graph.rate_limits import RateLimit
from catalog.graph.replaying import replay_decision
from catalog.graph.scalars import CurrencyCode


def _text(description: str, *path: str) -> Argument:
    return Argument(type=str, description=description, path=path)


def _perhaps(description: str, *path: str) -> Argument:
    return Argument(type=str | None, description=description, path=path)


_ORGANIZATION = _perhaps("Its organisation's name; needed when several have one of that name.", "organization", "name")
_ESTATE = _perhaps("Its estate's name; needed when several have one of that name.", "estate", "name")
_TYPE = Argument(
    type=enums.ComponentType | None,
    description="The component's type.",
    default=enums.ComponentType.TERRAFORM,
    path=("type",),
)


@strawberry.type(
    description="Look-ups by human reference give null when absent; when several estates or organisations match, an error with code"
    " AMBIGUOUS names the candidates. With `asOf` they also find what was removed since. Lists leave out what was removed."
)
class Query:
    rate_limit: RateLimit = told(
        "What this operation costs, and what the viewer may still ask for, in points.",
        dry_run=Argument(
            type=bool | None,
            description="Show the price alone: nothing else of the operation is read, answered or paid for.",
            default=False,
        ),
    )
    viewer: names.PrincipalType | None = by_id("Who asks; null for nobody known.")
    node: Node | None = by_id(
        "The thing with a global id; null when there is none, or when the viewer may not see it.",
        id=Argument(type=strawberry.ID, description="Its global id."),
    )
    nodes: list[Node | None] = by_id(
        "The things with global ids, in their order; null where there is none, or where the viewer may not see it.",
        ids=Argument(type=list[strawberry.ID], description="Their global ids, 100 at most."),
    )

    estate: names.EstateType | None = lookup("estates", "The estate of that name.", name=_text("Its name.", "name"))
    estates: Connection[names.EstateType] = page("estates", "The estates.")
    organization: names.OrganizationType | None = lookup(
        "organizations", "The organisation of that name.", name=_text("Its name.", "name")
    )
    organizations: Connection[names.OrganizationType] = page("organizations", "The organisations.")
    tenant: names.TenantType | None = lookup(
        "tenants", "The tenant of that name.", name=_text("Its name.", "name"), organization=_ORGANIZATION
    )
    tenants: Connection[names.TenantType] = page("tenants", "The tenants.", where=where.TenantWhere)
    environment: names.EnvironmentType | None = lookup(
        "environments",
        "The environment of that name.",
        name=_text("Its name.", "name"),
        organization=_ORGANIZATION,
        tenant=_perhaps("Its tenant's name.", "tenant", "name"),
        account=_perhaps("Its account.", "account"),
        region=_perhaps("Its region.", "region"),
    )
    environments: Connection[names.EnvironmentType] = page(
        "environments", "The environments.", where=where.EnvironmentWhere, order_by=order.EnvironmentOrder
    )
    team: names.TeamType | None = lookup(
        "teams", "The team of that slug.", slug=_text("Its slug.", "slug"), organization=_ORGANIZATION
    )
    teams: Connection[names.TeamType] = page("teams", "The teams.", where=where.TeamWhere, order_by=order.TeamOrder)
    service: names.ServiceType | None = lookup(
        "services", "The service of that slug.", slug=_text("Its slug.", "slug"), organization=_ORGANIZATION
    )
    services: ServiceConnection = page("services", "The services.", where=where.ServiceWhere, order_by=order.ServiceOrder)
    service_instances: Connection[names.ServiceInstanceType] = page(
        "service_instances", "The services that run somewhere.", where=where.ServiceInstanceWhere
    )
    component: names.ComponentType | None = lookup(
        "components", "The component of that name.", name=_text("Its name.", "name"), type=_TYPE, estate=_ESTATE
    )
    components: Connection[names.ComponentType] = page(
        "components", "The components.", where=where.ComponentWhere, order_by=order.ComponentOrder
    )
    stack: names.StackType | None = lookup(
        "stacks", "The stack of that name.", past="stacks_as_of", name=_text("Its name.", "name"), estate=_ESTATE, as_of=AS_OF
    )
    stacks: StackConnection = page("stacks", "The stacks.", where=where.StackWhere, order_by=order.StackOrder)
    component_instance: names.ComponentInstanceType | None = lookup(
        "component_instances",
        "The component instance of that name in a stack.",
        past="component_instances_as_of",
        stack=_text("Its stack's name.", "stack", "name"),
        component=_text("Its name.", "name"),
        type=_TYPE,
        estate=_ESTATE,
        as_of=AS_OF,
    )
    component_instances: ComponentInstanceConnection = page(
        "component_instances",
        "The component instances.",
        where=where.ComponentInstanceWhere,
        order_by=order.ComponentInstanceOrder,
    )
    workflows: Connection[names.WorkflowType] = page("workflows", "The workflows.", where=where.WorkflowWhere)
    policies: Connection[names.PolicyType] = page("policies", "The policies.")
    audit_log: Connection[names.AuditEventType] = page(
        "audit_log", "What people did, the latest first: for admins all of it, for others their own.", where=where.AuditWhere
    )
    diagnostics: Connection[names.DiagnosticType] = page(
        "diagnostics", "What the last runs could not read or found objectionable.", where=where.DiagnosticWhere
    )
    changes: Connection[names.ChangeType] = page(
        "changes", "What runs changed, instance by instance, the latest first.", where=where.ChangeWhere
    )
    provisioning_request: names.ProvisioningRequestType | None = lookup(
        "provisioning_requests",
        "The request with an id or a number; one of both must be given.",
        id=Argument(type=strawberry.ID | None, description="Its global id.", path=("id",)),
        number=Argument(type=int | None, description="Its number.", path=("number",)),
    )
    provisioning_requests: Connection[names.ProvisioningRequestType] = page(
        "provisioning_requests",
        "The requests, the latest first.",
        where=where.ProvisioningRequestWhere,
        order_by=order.ProvisioningRequestOrder,
    )
    affected: Connection[names.AffectedInstanceType] = strawberry.field(
        resolver=affected,
        description="Which instances differ between two revisions of an estate, as `atmos describe affected` says; those in sight."
        " Nothing is fetched: both revisions are in the repository that the catalog keeps.",
    )
    preview_provisioning: PreviewProvisioningPayload = strawberry.field(
        resolver=preview_provisioning,
        description="Show what a request would do: nothing is written, nothing is executed.",
    )
    replay_decision: names.PolicyVerdictType | None = strawberry.field(
        resolver=replay_decision,
        description="What the policy of an evaluation says to the same input at the same moment: every message of it as one text.",
    )
    search: Connection[names.SearchHitType] = page(
        "search",
        "What answers to some words, best first: a name that is what was asked, one that begins with it, one that has all the words;"
        " then what has them in its name and text together; then what has words that are written much alike. Each word must be there,"
        " as a word or as the beginning of one; words in double quotes must stand there as they are, one after the other. An instance"
        " is found by its own name, and by its stack's for some of the words. The first 20 words count.",
        query=Argument(type=str, description="The words; without any, nothing is found."),
        kinds=Argument(type=list[enums.SearchKind] | None, description="Which kinds of things: all unless given."),
    )
    cost_report: names.CostReportType = report(
        "What the costs that the viewer may see come to, grouped: today's estimates of instances, and what was charged.",
        where=where.CostWhere,
        group_by=Argument(type=list[enums.CostDimension], description="By what, in this order: one to four, each once."),
        period=PERIOD,
        currency=Argument(
            type=CurrencyCode | None,
            description="In which currency: that of most organisations in sight unless given, USD where there is none.",
        ),
    )
    charges: Connection[names.ChargeType] = page("charges", "What was charged, the latest first.", where=where.ChargeWhere)
    kpis: list[names.KpiType] = items(
        "kpis",
        "What the platform is measured by, in the order of the seeds.",
        period=Argument(type=PeriodInput | None, description="Which months: all unless given."),
    )
    principals: Connection[names.PrincipalType] = page("principals", "Who acts: oneself, and for admins everybody.")
    access_tokens: Connection[names.AccessTokenType] = page(
        "access_tokens", "One's own tokens, and for admins everybody's, the latest first."
    )
