"""Records of governed provisioning: requests, their steps, log lines, approvals, and replayable mutations. Rows are the state."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKeyConstraint, Identity, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from catalog.records import columns


class ProvisioningAction(StrEnum):
    """What a request asks for."""

    PROVISION_SERVICE = "PROVISION_SERVICE"
    ONBOARD_ENVIRONMENT = "ONBOARD_ENVIRONMENT"
    APPLY_COMPONENT = "APPLY_COMPONENT"
    DESTROY_COMPONENT = "DESTROY_COMPONENT"
    DECOMMISSION_SERVICE = "DECOMMISSION_SERVICE"
    RUN_WORKFLOW = "RUN_WORKFLOW"


class RequestState(StrEnum):
    """Where a request is; the moves between states are a table in `provisioning`."""

    PENDING = "PENDING"
    PREVIEWING = "PREVIEWING"
    PLANNING = "PLANNING"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    APPROVED = "APPROVED"
    PROVISIONING = "PROVISIONING"
    APPLY_UNKNOWN = "APPLY_UNKNOWN"
    DEPLOYING = "DEPLOYING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    DENIED = "DENIED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


# Once here, a request moves no more; everything else is active and holds its target.
FINAL_STATES = (
    RequestState.SUCCEEDED,
    RequestState.FAILED,
    RequestState.DENIED,
    RequestState.REJECTED,
    RequestState.EXPIRED,
    RequestState.CANCELLED,
)


class StepKind(StrEnum):
    """What a step of a workflow does."""

    COST_ANALYSIS = "COST_ANALYSIS"
    POLICY_CHECK = "POLICY_CHECK"
    PLAN = "PLAN"
    APPROVAL_GATE = "APPROVAL_GATE"
    PROVISION = "PROVISION"
    DEPLOY = "DEPLOY"
    REGISTER = "REGISTER"
    NOTIFY = "NOTIFY"
    ATMOS = "ATMOS"
    SHELL = "SHELL"


class StepState(StrEnum):
    """Where a step is. RUNNING is written before the effect, the outcome after it."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"


class ApprovalDecision(StrEnum):
    """What an approver said."""

    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class LogStream(StrEnum):
    """Where a log line came from."""

    STDOUT = "STDOUT"
    STDERR = "STDERR"
    SYSTEM = "SYSTEM"


_FINAL = ", ".join(f"'{state}'" for state in FINAL_STATES)


class ProvisioningRequest(SQLModel, table=True):
    """A request from preview to re-index; `target` names what it holds: one active request per target."""

    __tablename__ = "provisioning_request"

    id: str = columns.identity()
    number: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), unique=True, nullable=False))
    estate_id: str = columns.reference("estate.id")
    tenant_id: str = columns.reference("tenant.id")
    action: str = columns.text()
    state: str = columns.text()
    workflow_id: str | None = columns.reference("workflow.id", nullable=True, ondelete="SET NULL")
    service_id: str | None = columns.reference("service.id", nullable=True, ondelete="SET NULL")
    environment_id: str | None = columns.reference("environment.id", nullable=True, ondelete="SET NULL")
    instance_id: str | None = columns.reference("component_instance.id", nullable=True, ondelete="SET NULL")
    stack_name: str | None = columns.text(nullable=True)
    component_type: str | None = columns.text(nullable=True)
    component_name: str | None = columns.text(nullable=True)
    target: str = columns.text()
    team_id: str = columns.reference("team.id")
    requester_id: str = columns.reference("principal.id")
    justification: str | None = columns.text(nullable=True)
    parameters: dict[str, Any] = columns.json()
    executor: str = columns.text()
    preview: dict[str, Any] | None = columns.json(nullable=True)
    plan: dict[str, Any] | None = columns.json(nullable=True)
    digest: str | None = columns.text(nullable=True)  # what an approval must name
    base_revision: str | None = columns.text(nullable=True)
    commit: str | None = columns.text(nullable=True)
    branch: str | None = columns.text(nullable=True)
    pull_request_url: str | None = columns.text(nullable=True)
    required_approvals: int = Field(default=0, nullable=False)
    may_approve: list[str] = columns.texts()
    expires_at: datetime | None = columns.time(nullable=True)
    created_at: datetime = columns.time()
    updated_at: datetime = columns.time()
    finished_at: datetime | None = columns.time(nullable=True)

    __table_args__ = (
        UniqueConstraint("id", "requester_id"),
        columns.one_of("action", ProvisioningAction),
        columns.one_of("state", RequestState),
        Index("provisioning_request_active", "estate_id", "target", unique=True, postgresql_where=sql(f"state not in ({_FINAL})")),
        Index("provisioning_request_latest", sql("created_at desc"), "id"),
    )


class RequestStep(SQLModel, table=True):
    """One step of a request. `intent` is what a running effect will do and who does it (host, pid, start time)."""

    __tablename__ = "request_step"

    request_id: str = Field(sa_type=columns.C_TEXT, foreign_key="provisioning_request.id", primary_key=True, ondelete="CASCADE")
    ordinal: int = Field(primary_key=True)
    name: str = columns.text()
    kind: str = columns.text()
    tool: str | None = columns.text(nullable=True)
    options: dict[str, Any] = columns.json()
    state: str = columns.text()
    attempt: int = Field(default=0, nullable=False)
    intent: dict[str, Any] | None = columns.json(nullable=True)
    started_at: datetime | None = columns.time(nullable=True)
    finished_at: datetime | None = columns.time(nullable=True)
    summary: str | None = columns.text(nullable=True)
    result: dict[str, Any] | None = columns.json(nullable=True)
    error: str | None = columns.text(nullable=True)
    hint: str | None = columns.text(nullable=True)

    __table_args__ = (
        columns.one_of("kind", StepKind),
        columns.one_of("state", StepState),
        Index("request_step_running", "request_id", unique=True, postgresql_where=sql("state = 'RUNNING'")),
    )


class StepLog(SQLModel, table=True):
    """One line of a step's log; the sequence counts within the request, other events of it included."""

    __tablename__ = "step_log"

    request_id: str = Field(sa_type=columns.C_TEXT, foreign_key="provisioning_request.id", primary_key=True, ondelete="CASCADE")
    sequence: int = Field(primary_key=True)
    ordinal: int = Field(nullable=False)
    at: datetime = columns.time()
    stream: str = columns.text()
    text: str = columns.text()

    __table_args__ = (columns.one_of("stream", LogStream), Index("step_log_of_step", "request_id", "ordinal", "sequence"))


class ProvisioningEventKind(StrEnum):
    """What an event of a request is about."""

    STATE = "STATE"
    STEP = "STEP"
    LOG = "LOG"
    APPROVAL = "APPROVAL"


class RequestEvent(SQLModel, table=True):
    """That something about a request has changed; its log lines are events too, in the same sequence, and stand in `step_log`."""

    __tablename__ = "request_event"

    request_id: str = Field(sa_type=columns.C_TEXT, foreign_key="provisioning_request.id", primary_key=True, ondelete="CASCADE")
    sequence: int = Field(primary_key=True)
    at: datetime = columns.time()
    kind: str = columns.text()
    ordinal: int | None = Field(default=None, nullable=True)  # of the step

    __table_args__ = (columns.one_of("kind", ProvisioningEventKind),)


class Approval(SQLModel, table=True):
    """A decision on exactly the content that `digest` names. Requester and approver differ, by constraint."""

    id: int | None = Field(default=None, primary_key=True)
    request_id: str = columns.text(index=True)
    requester_id: str = columns.text()
    principal_id: str = columns.reference("principal.id")
    decision: str = columns.text()
    comment: str | None = columns.text(nullable=True)
    digest: str = columns.text()
    void: bool = Field(default=False, nullable=False)
    at: datetime = columns.time()

    __table_args__ = (
        # The pair proves that requester_id really is the request's requester.
        ForeignKeyConstraint(
            ["request_id", "requester_id"], ["provisioning_request.id", "provisioning_request.requester_id"], ondelete="CASCADE"
        ),
        CheckConstraint("principal_id <> requester_id", name="approver_is_not_requester"),
        columns.one_of("decision", ApprovalDecision),
        Index("approval_once", "request_id", "principal_id", unique=True, postgresql_where=sql("not void")),
    )


class Idempotency(SQLModel, table=True):
    """A mutation that ran under a key: a replay returns `payload`, the same key with another body is a conflict."""

    principal_id: str = Field(sa_type=columns.C_TEXT, foreign_key="principal.id", primary_key=True, ondelete="CASCADE")
    mutation: str = Field(sa_type=columns.C_TEXT, primary_key=True)
    key: str = Field(sa_type=columns.C_TEXT, primary_key=True)
    body_hash: str = columns.text()
    payload: dict[str, Any] | None = columns.json(nullable=True)
    created_at: datetime = columns.time(index=True)
