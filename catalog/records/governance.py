"""Records of governance: policies and their verdicts, what people did in one chain, and the applications that Argo CD runs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, Double, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from catalog.records import columns
from catalog.values import Severity


class DecisionPoint(StrEnum):
    """When a policy is asked."""

    REQUEST = "REQUEST"
    PLAN = "PLAN"
    APPROVAL = "APPROVAL"
    APPLY = "APPLY"
    INDEX = "INDEX"


class ApplicationHealth(StrEnum):
    """How an application is, as Argo CD says."""

    HEALTHY = "HEALTHY"
    PROGRESSING = "PROGRESSING"
    DEGRADED = "DEGRADED"
    MISSING = "MISSING"
    UNKNOWN = "UNKNOWN"


class Policy(SQLModel, table=True):
    """A policy of an estate; `source` is its text."""

    id: str = columns.identity()
    estate_id: str = columns.reference("estate.id")
    package: str = columns.text()
    name: str = columns.text()
    title: str | None = columns.text(nullable=True)
    description: str | None = columns.text(nullable=True)
    severity: str = columns.text()
    source: str = columns.text()

    __table_args__ = (UniqueConstraint("estate_id", "package", "name"), columns.one_of("severity", Severity))


class PolicyBundle(SQLModel, table=True):
    """All policies that were asked together, by the digest of what they say: `files` and `data` of Rego, or `rules`."""

    __tablename__ = "policy_bundle"

    digest: str = Field(sa_type=columns.C_TEXT, primary_key=True)
    content: dict[str, Any] = columns.json()


class PolicyInput(SQLModel, table=True):
    """What was judged, by its digest: many policies judge one document, and judge it again when they change. Without its moment."""

    __tablename__ = "policy_input"

    digest: str = Field(sa_type=columns.C_TEXT, primary_key=True)
    document: dict[str, Any] = columns.json()


class PolicyRun(SQLModel, table=True):
    """Up to which index run an estate's instances were judged, of what content, and by which policies (None: there were none)."""

    __tablename__ = "policy_run"

    estate_id: str = Field(sa_type=columns.C_TEXT, primary_key=True, foreign_key="estate.id", ondelete="CASCADE")
    run_id: str = columns.text()
    snapshot_hash: str | None = columns.text(nullable=True)
    bundle_digest: str | None = columns.text(nullable=True)


class PolicyEvaluation(SQLModel, table=True):
    """One verdict, with what is needed to replay it: the document that was judged, and the bundle that judged."""

    __tablename__ = "policy_evaluation"

    id: str = columns.identity()
    tenant_id: str = columns.reference("tenant.id")
    policy_id: str = columns.reference("policy.id")
    point: str = columns.text()
    passed: bool = Field(nullable=False)
    message: str | None = columns.text(nullable=True)
    instance_id: str | None = columns.reference("component_instance.id", nullable=True)
    request_id: str | None = columns.reference("provisioning_request.id", nullable=True)
    input_digest: str = columns.reference("policy_input.digest", ondelete=None)
    bundle_digest: str = columns.reference("policy_bundle.digest", ondelete=None)
    milliseconds: float = Field(sa_column=Column(Double, nullable=False))
    evaluated_at: datetime = columns.time()

    __table_args__ = (columns.one_of("point", DecisionPoint), Index("policy_evaluation_latest", "evaluated_at", "id"))


class AuditEvent(SQLModel, table=True):
    """What somebody did. Rows are chained: `hash` covers the row and the hash before; a trigger writes both, and nothing changes one.

    Sequence, id, time and hashes are the trigger's (versions/0001_audit.sql); an insert leaves them out.
    """

    __tablename__ = "audit_event"

    sequence: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    id: str = columns.text(unique=True)
    at: datetime = columns.time(index=True)
    actor_id: str | None = columns.text(nullable=True, index=True)  # no reference: what was done outlives who did it
    actor: str = columns.text()
    action: str = columns.text()
    subject_id: str | None = columns.text(nullable=True, index=True)
    detail: dict[str, Any] = columns.json()
    previous_hash: str = columns.text()
    hash: str = columns.text()


class Application(SQLModel, table=True):
    """An Argo CD Application that a service instance runs as."""

    id: int | None = Field(default=None, primary_key=True)
    service_instance_id: str = columns.reference("service_instance.id")
    name: str = columns.text()
    cluster: str = columns.text()
    namespace: str | None = columns.text(nullable=True)
    repository: str | None = columns.text(nullable=True)
    path: str | None = columns.text(nullable=True)
    revision: str | None = columns.text(nullable=True)
    health: str = columns.text()
    manifest: dict[str, Any] = columns.json()

    __table_args__ = (UniqueConstraint("service_instance_id", "cluster", "name"), columns.one_of("health", ApplicationHealth))
