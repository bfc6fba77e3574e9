"""The enums of the graph: those of the records, each value described, and the orders that lists offer."""

from enum import Enum, StrEnum

import strawberry

from catalog.provisioning.requests import UnknownOutcome
from catalog.records import (
    ApprovalDecision,
    ChangeKind,
    ComponentType,
    CostSource,
    CostStatus,
    DependencyKind,
    DriftState,
    EnvironmentKind,
    FreshnessState,
    IndexRunState,
    KpiDirection,
    Lifecycle,
    LogStream,
    Maturity,
    OwnershipSource,
    PrincipalKind,
    ProvisioningAction,
    ProvisioningEventKind,
    RequestState,
    Role,
    SearchKind,
    ServiceInstanceState,
    ServiceLayer,
    StepKind,
    StepState,
    UnownedReason,
)
from catalog.values import Severity


def described(cls: type[Enum], description: str, **members: str) -> None:
    """Make an enum of the records one of the graph, with a description for each value."""
    made = strawberry.enum(cls, description=description)
    for member in made.__strawberry_definition__.values:  # type: ignore[attr-defined]
        member.description = members[member.name]


described(
    Severity,
    "How bad a diagnostic is.",
    ERROR="Something is lost: it could not be read.",
    WARNING="It was read, and may surprise.",
    INFO="It only informs.",
)
described(
    IndexRunState,
    "Where a run of the indexer is.",
    QUEUED="It waits for a worker.",
    RUNNING="It reads the estate.",
    HELD="It would remove more than the estate's limit and waits to be confirmed.",
    SUCCEEDED="Its rows are in.",
    FAILED="It could not be finished; the rows of the run before stand.",
)
described(
    ChangeKind,
    "What happened to an instance between two runs.",
    ADDED="It is new.",
    CHANGED="Its resolved configuration differs.",
    REMOVED="It is gone.",
    RENAMED="It goes on under another name.",
)
described(
    FreshnessState,
    "Whether a row is what Git says now.",
    FRESH="As of the last run.",
    STALE="Its manifest is broken; this is the last good version.",
    REMOVED="It is gone from the estate.",
)
described(
    ComponentType,
    "The kind of component, as Atmos names them.",
    TERRAFORM="A Terraform or OpenTofu root module.",
    HELMFILE="A Helmfile.",
    PACKER="A Packer template.",
    KUBERNETES="Kubernetes manifests.",
    HELM="A Helm chart.",
    ANSIBLE="An Ansible playbook.",
    CUSTOM="Anything else that the estate defines.",
)
described(
    EnvironmentKind,
    "What an environment is for, read from its stage.",
    DEVELOPMENT="Where changes are made.",
    TEST="Where changes are tried.",
    STAGING="Where changes are rehearsed.",
    PRODUCTION="Where customers are.",
    SHARED="What the others share: networks, audit, artifacts.",
    OTHER="None of the known kinds.",
)
described(
    Maturity,
    "How settled a component is.",
    EXPERIMENTAL="It may change any day.",
    BETA="It is nearly settled.",
    STABLE="It is settled.",
    DEPRECATED="It will go away.",
)
described(
    Lifecycle,
    "Where a service is in its life.",
    EXPERIMENTAL="Early, without promises.",
    PRODUCTION="Offered and supported.",
    DEPRECATED="Still there, not for anything new.",
    RETIRED="No longer offered.",
)
described(
    ServiceLayer,
    "Which half of a service a component belongs to.",
    INFRASTRUCTURE="What it stands on.",
    APPLICATION="What runs there.",
)
described(
    ServiceInstanceState,
    "Whether a service's parts are all there in an environment.",
    COMPLETE="Every part is there.",
    PARTIAL="Some parts are missing.",
    PROVISIONING="A request is building it.",
    FAILED="The last request for it failed.",
    DECOMMISSIONED="It was taken down.",
)
described(
    UnownedReason,
    "Why nobody owns something.",
    NO_EVIDENCE="Nothing names an owner.",
    UNKNOWN_OWNER="What is written as owner is nobody whom the seeds know.",
)
described(
    OwnershipSource,
    "The evidence for an owner, in order of precedence.",
    INSTANCE_METADATA="The instance's own metadata.",
    STACK_METADATA="The stack's metadata.",
    TAG="A tag among the variables.",
    REVIEWERS="The reviewers in the settings.",
    LABEL="A label in the settings.",
    CODEOWNERS="A CODEOWNERS rule for the manifest or the component.",
    TENANT_MAPPING="The tenant mapping of the seeds.",
    CODEOWNERS_WILDCARD="A CODEOWNERS rule for everything: weak.",
    ORGANIZATION_DEFAULT="The organisation's default team.",
)
described(
    DependencyKind,
    "How a dependency is known.",
    DECLARED="It is written down.",
    INFERRED="It is read from the arguments of a look-up.",
)
described(
    CostStatus,
    "What is known of a cost.",
    KNOWN="A number.",
    PARTIAL="A range, or a number for a part of it.",
    UNKNOWN="Nothing: never zero.",
)
described(
    CostSource,
    "Where an estimate comes from, in order of precedence.",
    INFRACOST="Infracost's breakdown.",
    PRICE_BOOK="The price book on a plan.",
    INSTANCE_METADATA="The instance's metadata.",
    COMPONENT_METADATA="The component's metadata.",
    REGISTRY="The module registry.",
    SERVICE="The service's statement in the seeds.",
    BAND="A cost category: a range.",
)
described(
    DriftState,
    "Whether reality still matches what was applied.",
    UNKNOWN="Nobody has looked.",
    IN_SYNC="It matches.",
    DRIFTED="It differs.",
)
described(
    ProvisioningAction,
    "What a request asks for.",
    PROVISION_SERVICE="A service in an environment.",
    ONBOARD_ENVIRONMENT="A new environment.",
    APPLY_COMPONENT="A component with other variables.",
    DESTROY_COMPONENT="A component taken down.",
    DECOMMISSION_SERVICE="A service taken down in an environment.",
    RUN_WORKFLOW="A workflow of the estate.",
)
described(
    RequestState,
    "Where a request is.",
    PENDING="It was asked for.",
    PREVIEWING="What it would mean is being computed.",
    PLANNING="What terraform would do is being planned.",
    AWAITING_APPROVAL="It waits for people.",
    APPROVED="It may go on.",
    PROVISIONING="It is being applied.",
    APPLY_UNKNOWN="It was interrupted while applying: nobody knows yet how far it came.",
    DEPLOYING="What runs on it is being deployed.",
    SUCCEEDED="It is done.",
    FAILED="It could not be done; the steps say why.",
    DENIED="A policy or a budget denied it.",
    REJECTED="An approver rejected it.",
    EXPIRED="Nobody decided in time.",
    CANCELLED="It was called off.",
)
described(
    StepKind,
    "What a step of a workflow does.",
    COST_ANALYSIS="It estimates what the change costs.",
    POLICY_CHECK="It asks the policies.",
    PLAN="It plans what terraform would do.",
    APPROVAL_GATE="It waits for approval.",
    PROVISION="It commits and applies.",
    DEPLOY="It deploys applications.",
    REGISTER="It registers the service.",
    NOTIFY="It tells people.",
    ATMOS="It runs an Atmos command.",
    SHELL="It runs a shell command.",
)
described(
    StepState,
    "Where a step is.",
    PENDING="Its turn has not come.",
    RUNNING="It runs; its intent is written down.",
    WAITING="It waits for people or another system.",
    SUCCEEDED="It is done.",
    FAILED="It failed.",
    SKIPPED="It does not apply to this action.",
    CANCELLED="It was called off.",
    UNKNOWN="It was interrupted: its effect is not known.",
)
described(
    ApprovalDecision,
    "What an approver said.",
    APPROVED="Yes, to exactly this content.",
    REJECTED="No.",
)
described(
    LogStream,
    "Where a log line came from.",
    STDOUT="The program's output.",
    STDERR="The program's errors.",
    SYSTEM="The catalog itself.",
)
described(
    ProvisioningEventKind,
    "What an event of a request is about.",
    STATE="The request entered another state.",
    STEP="A step entered another state, or began anew.",
    LOG="A line was said.",
    APPROVAL="Somebody decided, or a decision no longer counts.",
)
described(PrincipalKind, "Who acts.", PERSON="A human being.", SERVICE="A program.")
described(
    Role,
    "Each includes those before it; nobody decides on a request of their own.",
    VIEWER="May look.",
    REQUESTER="May ask for changes.",
    APPROVER="May decide about requests of others.",
    ADMIN="May do everything.",
)
described(
    SearchKind,
    "A kind of thing that is searched.",
    SERVICE="Services: by slug, title, description, category and tags.",
    COMPONENT="Components: by name, title, description and category.",
    COMPONENT_INSTANCE="Component instances: by name, and by their stack for some of the words.",
    STACK="Stacks: by name, context, tags and labels.",
    TEAM="Teams: by slug, title and cost centre.",
    ENVIRONMENT="Environments: by name, tenant, account, stage, region and kind.",
    PROVISIONING_REQUEST="Requests: by number, component, stack, action, requester and justification.",
    WORKFLOW="Workflows: by name, description and file.",
)


class OrderDirection(StrEnum):
    """Ascending or descending."""

    ASC = "ASC"
    DESC = "DESC"


described(
    OrderDirection,
    "Which way a list runs.",
    ASC="From the least to the greatest.",
    DESC="From the greatest to the least; what is not known comes last either way.",
)

described(
    KpiDirection,
    "Which way a measure is better.",
    HIGHER_IS_BETTER="Up.",
    LOWER_IS_BETTER="Down.",
)


class CostDimension(StrEnum):
    """What costs are grouped by."""

    ORGANIZATION = "ORGANIZATION"
    TENANT = "TENANT"
    TEAM = "TEAM"
    SERVICE = "SERVICE"
    ENVIRONMENT = "ENVIRONMENT"
    ACCOUNT = "ACCOUNT"
    REGION = "REGION"
    STACK = "STACK"
    COMPONENT = "COMPONENT"
    CATEGORY = "CATEGORY"
    COST_CENTER = "COST_CENTER"
    MONTH = "MONTH"


described(
    CostDimension,
    "What costs are grouped by.",
    ORGANIZATION="Organisations.",
    TENANT="Tenants.",
    TEAM="Owning teams.",
    SERVICE="Services.",
    ENVIRONMENT="Environments.",
    ACCOUNT="Accounts, by name.",
    REGION="Regions, by name.",
    STACK="Stacks.",
    COMPONENT="Components.",
    CATEGORY="Categories of components.",
    COST_CENTER="Cost centres of the owning teams.",
    MONTH="Months: an estimate stands in each of them.",
)


class CostFormat(StrEnum):
    """What costs are imported from."""

    INFRACOST = "INFRACOST"
    FOCUS_CSV = "FOCUS_CSV"
    FOCUS_PARQUET = "FOCUS_PARQUET"
    OPENCOST = "OPENCOST"


described(
    CostFormat,
    "What costs are imported from.",
    INFRACOST="The JSON output of Infracost: estimates.",
    FOCUS_CSV="Charges in the columns of FOCUS, as CSV.",
    FOCUS_PARQUET="Charges in the columns of FOCUS, as Parquet.",
    OPENCOST="Allocations of OpenCost.",
)

described(
    UnknownOutcome,
    "What a person found out about a request of unknown outcome.",
    APPLIED="What was approved is there: the request goes on behind the step.",
    NOT_APPLIED="Nothing of it is there: the step plans anew, and asks again unless that is the approved plan.",
    ABANDON="It is given up: the request fails.",
)

__all__ = [
    "ApprovalDecision",
    "ChangeKind",
    "ComponentType",
    "CostDimension",
    "CostFormat",
    "CostSource",
    "CostStatus",
    "DependencyKind",
    "DriftState",
    "EnvironmentKind",
    "FreshnessState",
    "IndexRunState",
    "KpiDirection",
    "Lifecycle",
    "LogStream",
    "Maturity",
    "OrderDirection",
    "OwnershipSource",
    "PrincipalKind",
    "ProvisioningAction",
    "ProvisioningEventKind",
    "RequestState",
    "Role",
    "SearchKind",
    "ServiceInstanceState",
    "ServiceLayer",
    "Severity",
    "StepKind",
    "StepState",
    "UnknownOutcome",
    "UnownedReason",
    "described",
]
