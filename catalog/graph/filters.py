"""The filters of lists: one grammar for all.

Absent: no condition. `eq: null`: is null; any other operator with null: no condition. `in: []` and `or: []` match nothing. `not` and
`ne` are two-valued: what is unknown is not equal.
"""

from datetime import datetime
from decimal import Decimal
from typing import Optional

import strawberry
from strawberry.scalars import JSON

from catalog.graph import enums
from catalog.graph.declarations import Kind, filters, given
from catalog.graph.periods import PeriodInput

_AND = "All of these hold; of none: true."
_OR = "Some of these hold; of none: false."
_NOT = "This does not hold."


@strawberry.input(description="A condition on a text.")
class StringFilter:
    eq: str | None = given("Equals; null: is null.")
    ne: str | None = given("Differs, or is null.")
    in_: list[str] | None = given("Is one of; of none: nothing matches.", name="in")
    contains: str | None = given("Contains, whatever the case of its letters from a to z.")
    starts_with: str | None = given("Starts with.")
    is_null: bool | None = given("True: is null; false: is not.")


@strawberry.input(description="A condition on a whole number.")
class IntFilter:
    eq: int | None = given("Equals; null: is null.")
    in_: list[int] | None = given("Is one of; of none: nothing matches.", name="in")
    gt: int | None = given("Is greater.")
    gte: int | None = given("Is greater or equal.")
    lt: int | None = given("Is less.")
    lte: int | None = given("Is less or equal.")
    is_null: bool | None = given("True: is null; false: is not.")


@strawberry.input(description="A condition on an exact number.")
class DecimalFilter:
    eq: Decimal | None = given("Equals; null: is null.")
    gt: Decimal | None = given("Is greater.")
    gte: Decimal | None = given("Is greater or equal.")
    lt: Decimal | None = given("Is less.")
    lte: Decimal | None = given("Is less or equal.")
    is_null: bool | None = given("True: is null; false: is not.")


@strawberry.input(description="A condition on a moment.")
class TimeFilter:
    gt: datetime | None = given("Is later.")
    gte: datetime | None = given("Is later or the same.")
    lt: datetime | None = given("Is earlier.")
    lte: datetime | None = given("Is earlier or the same.")
    is_null: bool | None = given("True: is null; false: is not.")


@strawberry.input(description="A condition on a value inside a JSON document. Redacted values match nothing.")
class JsonFilter:
    path: str = given("Where, as in `ingress[0].port`.", default=strawberry.UNSET)
    eq: JSON | None = given("Equals.")
    is_null: bool | None = given("True: is absent or null; false: is there.")


def _text(description: str, column: str, *path: str) -> StringFilter | None:
    made: StringFilter | None = filters(Kind.TEXT, description, column, path)
    return made


@strawberry.input(description="Which tenants.")
class TenantWhere:
    and_: list["TenantWhere"] | None = given(_AND, name="and")
    or_: list["TenantWhere"] | None = given(_OR, name="or")
    not_: Optional["TenantWhere"] = given(_NOT, name="not")
    name: StringFilter | None = _text("Its name.", "name")
    organization: StringFilter | None = _text("Its organisation's name.", "name", "organization")


@strawberry.input(description="Which teams.")
class TeamWhere:
    and_: list["TeamWhere"] | None = given(_AND, name="and")
    or_: list["TeamWhere"] | None = given(_OR, name="or")
    not_: Optional["TeamWhere"] = given(_NOT, name="not")
    slug: StringFilter | None = _text("Its slug.", "slug")
    organization: StringFilter | None = _text("Its organisation's name.", "name", "organization")
    cost_center: StringFilter | None = _text("Its cost centre.", "cost_center")
    platform: bool | None = filters(Kind.FLAG, "Whether it is a platform team.", "platform")


@strawberry.input(description="Which environments.")
class EnvironmentWhere:
    and_: list["EnvironmentWhere"] | None = given(_AND, name="and")
    or_: list["EnvironmentWhere"] | None = given(_OR, name="or")
    not_: Optional["EnvironmentWhere"] = given(_NOT, name="not")
    name: StringFilter | None = _text("Its name.", "name")
    kind: list[enums.EnvironmentKind] | None = filters(Kind.ONE_OF, "What it is for.", "kind")
    tenant: TenantWhere | None = filters(Kind.NESTED, "Its tenant.", path=("tenant",))
    account: StringFilter | None = _text("Its account.", "account")
    stage: StringFilter | None = _text("Its stage.", "stage")
    region: StringFilter | None = _text("Its region.", "region")
    team: TeamWhere | None = filters(Kind.NESTED, "Its owning team.", path=("team",))


@strawberry.input(description="Which services.")
class ServiceWhere:
    and_: list["ServiceWhere"] | None = given(_AND, name="and")
    or_: list["ServiceWhere"] | None = given(_OR, name="or")
    not_: Optional["ServiceWhere"] = given(_NOT, name="not")
    slug: StringFilter | None = _text("Its slug.", "slug")
    title: StringFilter | None = _text("Its title.", "title")
    category: StringFilter | None = _text("Its category.", "category")
    lifecycle: list[enums.Lifecycle] | None = filters(Kind.ONE_OF, "Where it is in its life.", "lifecycle")
    tier: IntFilter | None = filters(Kind.NUMBER, "Its tier.", "tier")
    tag: str | None = filters(Kind.HAS, "One of its tags.", "tags")
    owner: TeamWhere | None = filters(Kind.NESTED, "Its owning team.", path=("owner",))
    has_owner: bool | None = filters(Kind.PRESENCE, "Whether it has an owner.", "owner_id")
    component: StringFilter | None = _text("The name of one of its components.", "name", "components")


@strawberry.input(description="Which service instances.")
class ServiceInstanceWhere:
    and_: list["ServiceInstanceWhere"] | None = given(_AND, name="and")
    or_: list["ServiceInstanceWhere"] | None = given(_OR, name="or")
    not_: Optional["ServiceInstanceWhere"] = given(_NOT, name="not")
    name: StringFilter | None = _text("Its name.", "name")
    service: ServiceWhere | None = filters(Kind.NESTED, "Its service.", path=("service",))
    environment: EnvironmentWhere | None = filters(Kind.NESTED, "Its environment.", path=("environment",))
    team: TeamWhere | None = filters(Kind.NESTED, "Its team.", path=("team",))
    state: list[enums.ServiceInstanceState] | None = filters(Kind.ONE_OF, "Its state.", "state")


@strawberry.input(description="Which components.")
class ComponentWhere:
    and_: list["ComponentWhere"] | None = given(_AND, name="and")
    or_: list["ComponentWhere"] | None = given(_OR, name="or")
    not_: Optional["ComponentWhere"] = given(_NOT, name="not")
    name: StringFilter | None = _text("Its name.", "name")
    type: list[enums.ComponentType] | None = filters(Kind.ONE_OF, "Its type.", "type")
    category: StringFilter | None = _text("Its category.", "category")
    maturity: list[enums.Maturity] | None = filters(Kind.ONE_OF, "How settled it is.", "maturity")
    estate: StringFilter | None = _text("Its estate's name.", "name", "estate")


@strawberry.input(description="Which stacks.")
class StackWhere:
    and_: list["StackWhere"] | None = given(_AND, name="and")
    or_: list["StackWhere"] | None = given(_OR, name="or")
    not_: Optional["StackWhere"] = given(_NOT, name="not")
    name: StringFilter | None = _text("Its name.", "name")
    estate: StringFilter | None = _text("Its estate's name.", "name", "estate")
    tenant: TenantWhere | None = filters(Kind.NESTED, "Its tenant.", path=("tenant",))
    environment: EnvironmentWhere | None = filters(Kind.NESTED, "Its environment.", path=("environment",))
    account: StringFilter | None = _text("Its account.", "account")
    stage: StringFilter | None = _text("Its stage.", "stage")
    region: StringFilter | None = _text("Its region.", "region")
    team: TeamWhere | None = filters(Kind.NESTED, "Its owning team.", path=("team",))
    has_owner: bool | None = filters(Kind.PRESENCE, "Whether it has an owner.", "team_id")
    labels: str | None = filters(Kind.SELECTOR, "A label selector, such as `tier=web,!legacy,region in (eu, us)`.", "labels")
    tag: str | None = filters(Kind.HAS, "One of its tags.", "tags")


@strawberry.input(description="Which component instances.")
class ComponentInstanceWhere:
    and_: list["ComponentInstanceWhere"] | None = given(_AND, name="and")
    or_: list["ComponentInstanceWhere"] | None = given(_OR, name="or")
    not_: Optional["ComponentInstanceWhere"] = given(_NOT, name="not")
    name: StringFilter | None = _text("Its name.", "name")
    type: list[enums.ComponentType] | None = filters(Kind.ONE_OF, "Its type.", "type")
    enabled: bool | None = filters(Kind.FLAG, "Whether it is enabled.", "enabled")
    abstract: bool | None = filters(Kind.FLAG, "Whether it is abstract.", "abstract")
    locked: bool | None = filters(Kind.FLAG, "Whether it is locked in its metadata.", "locked")
    state: list[enums.FreshnessState] | None = filters(Kind.ONE_OF, "Whether it is what Git says now.", "state")
    component: ComponentWhere | None = filters(Kind.NESTED, "Its component.", path=("component",))
    stack: StackWhere | None = filters(Kind.NESTED, "Its stack.", path=("stack",))
    team: TeamWhere | None = filters(Kind.NESTED, "Its owning team.", path=("team",))
    has_owner: bool | None = filters(Kind.PRESENCE, "Whether it has an owner.", "team_id")
    labels: str | None = filters(Kind.SELECTOR, "A label selector, such as `tier=web,!legacy,region in (eu, us)`.", "labels")
    var: JsonFilter | None = filters(Kind.JSON, "One of its variables.", "vars", ("config",))
    setting: JsonFilter | None = filters(Kind.JSON, "One of its settings.", "settings", ("config",))
    cost_status: list[enums.CostStatus] | None = filters(Kind.ONE_OF, "What is known of its cost.", "cost_status")
    monthly_cost: DecimalFilter | None = filters(Kind.NUMBER, "Its cost a month, in its own currency.", "monthly")
    drift: list[enums.DriftState] | None = filters(Kind.ONE_OF, "Whether reality still matches.", "drift")
    changed_at: TimeFilter | None = filters(Kind.NUMBER, "When it last changed.", "changed_at")


@strawberry.input(description="Which workflows.")
class WorkflowWhere:
    and_: list["WorkflowWhere"] | None = given(_AND, name="and")
    or_: list["WorkflowWhere"] | None = given(_OR, name="or")
    not_: Optional["WorkflowWhere"] = given(_NOT, name="not")
    name: StringFilter | None = _text("Its name.", "name")
    file: StringFilter | None = _text("Its file.", "file")
    governed: bool | None = filters(Kind.FLAG, "Whether it is governed.", "governed")
    estate: StringFilter | None = _text("Its estate's name.", "name", "estate")


@strawberry.input(description="Which diagnostics.")
class DiagnosticWhere:
    and_: list["DiagnosticWhere"] | None = given(_AND, name="and")
    or_: list["DiagnosticWhere"] | None = given(_OR, name="or")
    not_: Optional["DiagnosticWhere"] = given(_NOT, name="not")
    severity: list[enums.Severity] | None = filters(Kind.ONE_OF, "How bad it is.", "severity")
    code: StringFilter | None = _text("Its code.", "code")
    file: StringFilter | None = _text("The file it is about.", "file")
    estate: StringFilter | None = _text("Its estate's name.", "name", "estate")


@strawberry.input(description="Which changes.")
class ChangeWhere:
    and_: list["ChangeWhere"] | None = given(_AND, name="and")
    or_: list["ChangeWhere"] | None = given(_OR, name="or")
    not_: Optional["ChangeWhere"] = given(_NOT, name="not")
    kind: list[enums.ChangeKind] | None = filters(Kind.ONE_OF, "What happened.", "kind")
    estate: StringFilter | None = _text("Its estate's name.", "name", "estate")
    stack: StringFilter | None = _text("The stack's name.", "stack_name")
    component: StringFilter | None = _text("The component instance's name.", "component_name")
    path: StringFilter | None = _text("The path of one of the values that changed.", "path", "values")
    at: TimeFilter | None = filters(Kind.NUMBER, "When.", "at")
    revision: StringFilter | None = _text("The Git revision.", "revision")


@strawberry.input(description="Which provisioning requests.")
class ProvisioningRequestWhere:
    and_: list["ProvisioningRequestWhere"] | None = given(_AND, name="and")
    or_: list["ProvisioningRequestWhere"] | None = given(_OR, name="or")
    not_: Optional["ProvisioningRequestWhere"] = given(_NOT, name="not")
    state: list[enums.RequestState] | None = filters(Kind.ONE_OF, "Where it is.", "state")
    action: list[enums.ProvisioningAction] | None = filters(Kind.ONE_OF, "What it asks for.", "action")
    team: TeamWhere | None = filters(Kind.NESTED, "The team it was asked for.", path=("team",))
    service: ServiceWhere | None = filters(Kind.NESTED, "The service it is about.", path=("service",))
    requester: StringFilter | None = _text("The name of who asked.", "name", "principal")
    created_at: TimeFilter | None = filters(Kind.NUMBER, "When it was asked for.", "created_at")
    stuck: bool | None = filters(
        Kind.FLAG,
        "Whether it should move by itself and nothing was heard of it for ten minutes, or its outcome is unknown.",
        "stuck",
    )
    mine: bool | None = filters(Kind.FLAG, "Whether the viewer asked for it.", "mine")
    awaiting_my_decision: bool | None = filters(Kind.FLAG, "Whether it waits for approval and the viewer may decide.", "decidable")


@strawberry.input(description="Which charges.")
class ChargeWhere:
    and_: list["ChargeWhere"] | None = given(_AND, name="and")
    or_: list["ChargeWhere"] | None = given(_OR, name="or")
    not_: Optional["ChargeWhere"] = given(_NOT, name="not")
    period: PeriodInput | None = filters(Kind.PERIOD, "Those that began in these months.", "period_start")
    provider: StringFilter | None = _text("Who billed it.", "provider")
    service_name: StringFilter | None = _text("The provider's service.", "service_name")
    resource_id: StringFilter | None = _text("The provider's id of the resource.", "resource_id")
    tag: JsonFilter | None = filters(Kind.JSON, "One of its tags.", "tags")
    allocated: bool | None = filters(Kind.FLAG, "Whether some of it landed somewhere.", "allocated")
    team: TeamWhere | None = filters(Kind.NESTED, "The team that pays for some of it.", path=("allocations", "team"))


@strawberry.input(description="Which costs: by the names of what they belong to.")
class CostWhere:
    and_: list["CostWhere"] | None = given(_AND, name="and")
    or_: list["CostWhere"] | None = given(_OR, name="or")
    not_: Optional["CostWhere"] = given(_NOT, name="not")
    organization: StringFilter | None = _text("The organisation's name.", "name", "organization")
    tenant: StringFilter | None = _text("The tenant's name.", "name", "tenant")
    team: StringFilter | None = _text("The owning team's slug.", "slug", "team")
    service: StringFilter | None = _text("The service's slug.", "slug", "service")
    environment: StringFilter | None = _text("The environment's name.", "name", "environment")
    account: StringFilter | None = _text("The account.", "account")
    region: StringFilter | None = _text("The region.", "region")
    category: StringFilter | None = _text("The component's category.", "category", "component")


@strawberry.input(description="Which audit events.")
class AuditWhere:
    and_: list["AuditWhere"] | None = given(_AND, name="and")
    or_: list["AuditWhere"] | None = given(_OR, name="or")
    not_: Optional["AuditWhere"] = given(_NOT, name="not")
    actor: StringFilter | None = _text("The name of who did it.", "actor")
    action: StringFilter | None = _text("What was done.", "action")
    subject: strawberry.ID | None = filters(Kind.IS, "What it was done to.", "subject_id")
    at: TimeFilter | None = filters(Kind.NUMBER, "When.", "at")
