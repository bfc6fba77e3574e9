"""What stacks are made of: stacks, components and component instances."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from catalog.graph import apply_orders, enums, names
from catalog.graph import provenance as origins
from catalog.graph.apply_orders import ApplyOrder
from catalog.graph.costs import CURRENCY
from catalog.graph.declarations import Argument, column, computed, items, one, page, reads_from
from catalog.graph.filters import ChargeWhere, ComponentInstanceWhere
from catalog.graph.nodes import (
    ComponentInstanceConnection,
    Connection,
    DependencyConnection,
    Node,
    ServiceConnection,
    SourceLocation,
)
from catalog.graph.orders import ComponentInstanceOrder
from catalog.graph.periods import PERIOD
from catalog.graph.provenance import Provenance

_KIND = Argument(type=enums.DependencyKind | None, description="Only those known in this way.", path=("edge_kind",))


def _transitive(relation: str) -> Argument:
    return Argument(
        type=bool | None,
        description="Also what is reached in several steps, each instance once, the nearest first; its edge is the last step of one of"
        " the shortest ways. Nothing is reached through what the viewer may not see, nor through edges of another kind.",
        default=False,
        instead=relation,
    )


@strawberry.type(description="An owner with its evidence.")
class Ownership:
    team: names.TeamType = one("team", "The team that owns it.")
    source: enums.OwnershipSource = column("source", "What says so.")
    value: str | None = column("value", "The words that say so.")
    location: SourceLocation | None = one("location", "Where they stand.")


@strawberry.type(description="Why nobody owns something.")
class Unowned:
    reason: enums.UnownedReason = column("reason", "What is wrong.")
    source: enums.OwnershipSource | None = column("source", "What names somebody unknown.")
    value: str | None = column("value", "The words that name somebody unknown.")
    location: SourceLocation | None = one("location", "Where they stand.")


@reads_from("ownership_coverage")
@strawberry.type(description="How much of what the viewer may see has an owner.")
class OwnershipCoverage:
    total: int = column("total", "How many there are.")
    owned: int = column("owned", "How many have an owner.")
    unowned: int = column("unowned", "How many have none.")
    sources: list[names.OwnershipCountType] = items(
        "sources", "How many have their owner from which source, in order of precedence."
    )
    reasons: list[names.UnownedCountType] = items("reasons", "Why how many have none: the most frequent 100.")


@reads_from("ownership_count")
@strawberry.type(description="How many have their owner from one source.")
class OwnershipCount:
    source: enums.OwnershipSource = column("source", "What names the owners.")
    count: int = column("count", "How many.")


@reads_from("unowned_count")
@strawberry.type(description="How many have no owner for one reason.")
class UnownedCount:
    reason: enums.UnownedReason = column("reason", "What is wrong.")
    source: enums.OwnershipSource | None = column("source", "What names somebody unknown.")
    value: str | None = column("value", "The words that name somebody unknown.")
    count: int = column("count", "How many.")


@reads_from("stack")
@strawberry.type(description="One stack: where component instances live.")
class Stack(Node):
    name: str = column("name", "Its name.")
    estate: names.EstateType = one("estate", "Its estate.")
    manifest: names.ManifestType = one("manifest", "The manifest that defines it.")
    organization: names.OrganizationType | None = one("organization", "Its organisation.")
    tenant: names.TenantType | None = one("tenant", "Its tenant, where it names one.")
    environment: names.EnvironmentType | None = one("environment", "Its environment.")
    namespace: str | None = column("namespace", "The namespace of its context.")
    account: str | None = column("account", "The account of its context.")
    stage: str | None = column("stage", "The stage of its context.")
    region: str | None = column("region", "The region of its context.")
    labels: JSON = column("labels", "Its labels, a map of texts.")
    tags: list[str] = column("tags", "Its tags.")
    vars: JSON = column("vars", "The variables of the stack itself, secrets redacted.")
    ownership: Ownership | None = one("ownership", "Who owns it, and what says so.")
    unowned: Unowned | None = one("unowned", "Why nobody owns it; null where somebody does.")
    state: enums.FreshnessState = column("state", "Whether it is what Git says now.")
    instances: ComponentInstanceConnection = page(
        "instances", "Its component instances.", where=ComponentInstanceWhere, order_by=ComponentInstanceOrder
    )
    cost: names.CostSummaryType | None = one("cost", "What its instances cost.", period=PERIOD, currency=CURRENCY)
    apply_order: ApplyOrder = computed(
        apply_orders.apply_order, "Dependency levels: what may be applied side by side.", weight=apply_orders.WEIGHT
    )


@reads_from("component")
@strawberry.type(description="A root module, such as components/terraform/vpc.")
class Component(Node):
    name: str = column("name", "Its name.")
    type: enums.ComponentType = column("type", "Its type.")
    estate: names.EstateType = one("estate", "Its estate.")
    path: str = column("path", "Where its code lies, relative to the estate.")
    title: str | None = column("title", "Its title.")
    description: str | None = column("description", "What it is for.")
    category: str | None = column("category", "Its category.")
    category_derived: bool = column("category_derived", "Whether the category was derived from its name and its providers.")
    provisioning_time: int | None = column("provisioning_time", "Seconds, read from text such as `5 minutes`.")
    cost_estimate: names.CostEstimateType | None = one("cost_estimate", "Per month, read from text such as `$50/month`.")
    maturity: enums.Maturity | None = column("maturity", "How settled it is.")
    maintainer: names.TeamType | None = one("maintainer", "The team that maintains it.")
    readme: str | None = column("readme", "Its README, as written.")
    source: str | None = column("source", "Where it was vendored from.")
    version: str | None = column("version", "The version that was vendored.")
    inputs: list[names.ComponentInputType] = items("inputs", "Its variables.")
    outputs: list[names.ComponentOutputType] = items("outputs", "Its outputs.")
    providers: list[names.ProviderRequirementType] = items("providers", "The providers that it requires.")
    modules: list[names.ModuleCallType] = items("modules", "The modules that it calls.")
    required_version: str | None = column("required_version", "Which versions of Terraform it takes, as written.")
    input_schema: JSON = column("input_schema", "JSON Schema 2020-12 of the variables, for self-service forms.")
    instances: ComponentInstanceConnection = page("instances", "Where it is configured.", where=ComponentInstanceWhere)
    services: ServiceConnection = page("services", "The services that it is a part of.")


@reads_from("component_input")
@strawberry.type(description="A variable of a component.")
class ComponentInput:
    name: str = column("name", "Its name.")
    type: str = column("type", "Its type constraint, as written.")
    description: str | None = column("description", "What it is for.")
    default: JSON | None = column("default", "Its default; null when it has none, or when that is null.")
    required: bool = column("required", "Whether it has no default.")
    sensitive: bool = column("sensitive", "Whether Terraform hides its value.")
    nullable: bool = column("nullable", "Whether it may be null.")
    deprecated: str | None = column("deprecated", "What its author says to those who still set it; null where it isn't deprecated.")
    validations: list[names.InputValidationType] = items("validations", "What its value is held to.")


@reads_from("input_validation")
@strawberry.type(description="A rule that the value of a variable is held to.")
class InputValidation:
    condition: str = column("condition", "The condition, as written.")
    error_message: str = column("error_message", "What is said when it doesn't hold.")


@reads_from("component_output")
@strawberry.type(description="An output of a component.")
class ComponentOutput:
    name: str = column("name", "Its name.")
    description: str | None = column("description", "What it says.")
    sensitive: bool = column("sensitive", "Whether Terraform hides its value.")
    deprecated: str | None = column(
        "deprecated", "What its author says to those who still read it; null where it isn't deprecated."
    )


@reads_from("provider_requirement")
@strawberry.type(description="A provider that a component requires.")
class ProviderRequirement:
    name: str = column("name", "Its local name.")
    source: str | None = column("source", "Its address, such as `hashicorp/aws`.")
    version: str | None = column("version", "Its version constraint.")


@reads_from("module_call")
@strawberry.type(description="A call of another module from a component's code.")
class ModuleCall:
    name: str = column("name", "Its name in the code.")
    source: str | None = column("source", "Where the module comes from; null where that isn't a plain text.")
    version: str | None = column("version", "Its version constraint.")


def _section(name: str, description: str) -> JSON:
    made: JSON = column(f"config.{name}", description)
    return made


@reads_from("component_instance")
@strawberry.type(description="A component as configured in one stack: what `atmos describe component` shows, secrets redacted.")
class ComponentInstance(Node):
    name: str = column("name", "Its name.")
    type: enums.ComponentType = column("type", "Its type.")
    stack: names.StackType = one("stack", "Its stack.")
    component: names.ComponentType | None = one("component", "The component whose code it uses; null where there is no code.")
    abstract: bool = column("abstract", "Whether it is only there to be inherited from.")
    enabled: bool = column("enabled", "Whether it is enabled.")
    locked: bool = column("locked", "Whether its metadata lock it against changes.")
    state: enums.FreshnessState = column("state", "Whether it is what Git says now.")
    inherits: list[str] = column("inherits", "The components that it inherits from, in order.")
    workspace: str | None = column("workspace", "Its Terraform workspace.")
    backend_type: str | None = column("backend_type", "The type of its Terraform backend.")
    vars: JSON = _section("vars", "Its variables.")
    settings: JSON = _section("settings", "Its settings.")
    env: JSON = _section("env", "The environment variables of its commands.")
    metadata: JSON = _section("metadata", "Its metadata.")
    backend: JSON = _section("backend", "Its backend's configuration.")
    providers: JSON = _section("providers", "Its providers' configuration.")
    overrides: JSON = _section("overrides", "The overrides that were applied.")
    config: JSON = _section("document", "The whole resolved section.")
    provenance: list[Provenance] = computed(
        origins.provenance,
        "Which file and line set the value at `path` and what it overrode, last first: at the revision that the instance is shown as of,"
        " of a directory as it lies there now. Files that the viewer may not see are left out.",
        weight=origins.WEIGHT,
        path=origins.PATH,
    )
    ownership: Ownership | None = one("ownership", "Who owns it, and what says so.")
    unowned: Unowned | None = one("unowned", "Why nobody owns it; null where somebody does.")
    depends_on: DependencyConnection = page(
        "depends_on", "What it depends on.", kind=_KIND, transitive=_transitive("all_depends_on")
    )
    dependents: DependencyConnection = page(
        "dependents", "What depends on it.", kind=_KIND, transitive=_transitive("all_dependents")
    )
    hidden_dependencies: int = column("hidden_dependencies", "How many neighbours the viewer may not see.")
    unresolved_dependencies: list[str] = column(
        "unresolved_dependencies", "Edges whose target is computed when templates run, as written."
    )
    cost_estimate: names.CostEstimateType | None = one("cost_estimate", "What it is expected to cost.")
    cost: names.CostSummaryType | None = one(
        "cost", "The same as a sum, to compare with other sums.", period=PERIOD, currency=CURRENCY
    )
    cost_history: Connection[names.CostEstimateType] = page(
        "cost_history",
        "What its estimate was, the latest first: once for each time that it became another one in its estate's branch.",
    )
    charges: Connection[names.ChargeType] = page("charges", "What was charged for it, the latest first.", where=ChargeWhere)
    policy_evaluations: Connection[names.PolicyEvaluationType] = page(
        "policy_evaluations", "What policies said of it, the latest first."
    )
    drift: enums.DriftState = column("drift", "Whether reality still matches what was applied.")
    locked_by: names.ProvisioningRequestType | None = one("locked_by", "The request under way that holds it.")
    history: Connection[names.ChangeType] = page("history", "What changed in it, the latest first.")
    requests: Connection[names.ProvisioningRequestType] = page("requests", "The requests about it, the latest first.")
    changed_at: datetime = column("changed_at", "When its configuration last changed.")
