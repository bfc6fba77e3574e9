"""Governed provisioning: requests, their steps and logs, what they would do, and who decides."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from catalog.graph import enums, names
from catalog.graph.declarations import column, items, one, page, reads_from
from catalog.graph.nodes import Connection, Money, Node


@reads_from("provisioning_request")
@strawberry.type(description="A request from preview to re-index.")
class ProvisioningRequest(Node):
    number: int = column("number", "Its number, counted up.")
    action: enums.ProvisioningAction = column("action", "What it asks for.")
    state: enums.RequestState = column("state", "Where it is.")
    workflow: names.WorkflowType | None = one("workflow", "Its workflow; null: the built-in plan, approval, provision.")
    estate: names.EstateType = one("estate", "The estate that it changes.")
    service: names.ServiceType | None = one("service", "The service that it is about.")
    environment: names.EnvironmentType | None = one("environment", "The environment that it is about.")
    stack_name: str | None = column("stack_name", "The stack that it is about.")
    component_type: enums.ComponentType | None = column("component_type", "The type of the component that it is about.")
    component_name: str | None = column("component_name", "The component instance that it is about.")
    team: names.TeamType = one("team", "The team that it is made for.")
    requester: str = column("requester", "The name of who asked.")
    justification: str | None = column("justification", "Why.")
    parameters: JSON = column("parameters", "What is to be set. Secret parameters are references, never values.")
    created_at: datetime = column("created_at", "When it was asked for.")
    updated_at: datetime = column("updated_at", "When it last moved.")
    finished_at: datetime | None = column("finished_at", "When it came to its end.")
    lead_time: int | None = column("lead_time", "Seconds from asking to the end.")
    preview: names.ProvisioningPreviewType | None = one("preview", "What it was seen to do when it was asked for.")
    plan: names.ProvisioningPlanType | None = one("plan", "What terraform would do.")
    approvals: list[names.ApprovalType] = items("approvals", "What approvers said, in order.")
    required_approvals: int = column("required_approvals", "How many approvals its gate needs.")
    may_approve: list[str] = column("may_approve", "Who may decide.")
    expires_at: datetime | None = column("expires_at", "Until when it waits for a decision.")
    steps: list[names.RequestStepType] = items("steps", "Its steps, in order.")
    service_instance: names.ServiceInstanceType | None = one("service_instance", "The service instance that it registered.")
    commit: str | None = column("commit", "The commit that says what is wanted.")
    branch: str | None = column("branch", "The branch that was pushed.")
    pull_request_url: str | None = column("pull_request_url", "The pull request that was opened.")
    policy_evaluations: Connection[names.PolicyEvaluationType] = page(
        "policy_evaluations", "What policies said of it, the latest first."
    )
    audit: Connection[names.AuditEventType] = page(
        "audit", "What people did about it, the latest first; for admins, and one's own."
    )


@reads_from("request_step")
@strawberry.type(description="One step of a request.")
class RequestStep:
    name: str = column("name", "Its name.")
    kind: enums.StepKind = column("kind", "What it does.")
    tool: str | None = column("tool", "The tool that does it.")
    state: enums.StepState = column("state", "Where it is.")
    attempt: int = column("attempt", "How often it was begun.")
    started_at: datetime | None = column("started_at", "When it began.")
    finished_at: datetime | None = column("finished_at", "When it ended.")
    summary: str | None = column("summary", "What came of it, in a line.")
    result: JSON | None = column("result", "What came of it.")
    error: str | None = column("error", "Why it failed.")
    hint: str | None = column("hint", "What to do.")
    log: Connection[names.LogLineType] = page("log", "What was said meanwhile.")


@reads_from("log_line")
@strawberry.type(description="One line of a step's log.")
class LogLine:
    sequence: int = column("sequence", "Counts within the request.")
    at: datetime = column("at", "When.")
    stream: enums.LogStream = column("stream", "Where it came from.")
    text: str = column("text", "The line, secrets starred.")


@reads_from("approval")
@strawberry.type(description="A decision. It holds for exactly the content that it names.")
class Approval:
    decision: enums.ApprovalDecision = column("decision", "Yes or no.")
    by: str = column("by", "The name of who decided.")
    comment: str | None = column("comment", "What they said.")
    at: datetime = column("at", "When.")
    digest: str = column("digest", "The digest of what they saw.")
    void: bool = column("void", "Whether it no longer counts, since what they saw has changed.")


@reads_from("preview_document")
@strawberry.type(
    description="What a request would do, computed on an overlay of the estate: nothing is written, nothing is executed."
)
class ProvisioningPreview:
    digest: str = column("digest", "Names exactly this content.")
    files: list[names.RenderedFileType] = items("files", "The files that would be written.")
    affected: Connection[names.AffectedInstanceType] = page("affected", "The instances that would differ.")
    cost_before: Money | None = one("cost_before", "What they cost a month now.")
    cost_after: Money | None = one("cost_after", "What they would cost a month.")
    cost_delta: Money | None = one("cost_delta", "The difference.")
    unknown_instances: int = column("unknown_instances", "How many of them have no known cost.")
    budget: names.BudgetStatusType | None = one(
        "budget", "How this month's budget of the team stands on whose behalf it is; null where the viewer may see none."
    )
    verdicts: list[names.PolicyVerdictType] = items("verdicts", "What the policies say.")
    requires_approval: bool = column("requires_approval", "Whether somebody must approve.")
    may_approve: list[str] = column("may_approve", "Who may.")


@reads_from("rendered_file")
@strawberry.type(description="A file as it would be written.")
class RenderedFile:
    path: str = column("path", "Its path in the repository.")
    content: str = column("content", "What it would hold, secrets starred.")
    diff: str = column("diff", "The difference, in the unified format.")


@reads_from("affected_instance")
@strawberry.type(description="An instance that would differ, and why.")
class AffectedInstance:
    instance: names.ComponentInstanceType | None = one("instance", "The instance, where it exists and may be seen.")
    stack_name: str = column("stack_name", "The stack's name.")
    component_type: enums.ComponentType = column("component_type", "The component's type.")
    component_name: str = column("component_name", "The instance's name.")
    deleted: bool = column("deleted", "Whether it would be gone.")
    reasons: list[str] = column("reasons", "Why, in Atmos' words.")
    dependents: int = column("dependents", "How many instances depend on it, directly or not.")


@reads_from("policy_verdict")
@strawberry.type(description="A verdict that is not stored: previews write nothing.")
class PolicyVerdict:
    policy: str = column("policy", "The policy's name.")
    passed: bool = column("passed", "Whether it passed.")
    severity: enums.Severity = column("severity", "How bad a failure is.")
    message: str | None = column("message", "What it says.")


@strawberry.type(
    description="What terraform would do, canonical and redacted; levels that need outputs of earlier ones carry bounds instead."
)
class ProvisioningPlan:
    digest: str = column("digest", "Names exactly this content.")
    levels: list[names.PlanLevelType] = items("levels", "What may be applied side by side, in order.")
    create: int = column("create", "How many resources would be created.")
    update: int = column("update", "How many resources would be updated in place.")
    replace: int = column("replace", "How many resources would be replaced.")
    delete: int = column("delete", "How many resources would be deleted.")
    cost_delta: Money | None = one("cost_delta", "The difference a month.")
    cost_ceiling: Money | None = one("cost_ceiling", "What it may cost a month at most.")


@reads_from("plan_level")
@strawberry.type(description="Instances that are applied side by side.")
class PlanLevel:
    instances: list[str] = column("instances", "Their names.")
    planned: bool = column("planned", "Whether they could be planned; else there are bounds.")
    resource_types: list[str] = column("resource_types", "The types of resources concerned.")
    changes: JSON = column("changes", "The changes: address, action, before, after; sensitive values as keyed hashes.")
    bounds: JSON | None = column("bounds", "What the plan must stay within when it can be made.")
