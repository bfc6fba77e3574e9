"""Records of what Git says: estates, runs of the indexer, manifests, stacks, components, instances and their history."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Identity, Index, Label, UniqueConstraint, literal_column
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from catalog.records import columns
from catalog.values import Severity


class IndexRunState(StrEnum):
    """Where a run of the indexer is."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    HELD = "HELD"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class FreshnessState(StrEnum):
    """FRESH as of the last run, STALE when its manifest is broken and this is the last good version, REMOVED when it is gone."""

    FRESH = "FRESH"
    STALE = "STALE"
    REMOVED = "REMOVED"


class ComponentType(StrEnum):
    """The kind of component, as Atmos names them; anything else is CUSTOM."""

    TERRAFORM = "TERRAFORM"
    HELMFILE = "HELMFILE"
    PACKER = "PACKER"
    KUBERNETES = "KUBERNETES"
    HELM = "HELM"
    ANSIBLE = "ANSIBLE"
    CUSTOM = "CUSTOM"


class ChangeKind(StrEnum):
    """What happened to an instance between two runs."""

    ADDED = "ADDED"
    CHANGED = "CHANGED"
    REMOVED = "REMOVED"
    RENAMED = "RENAMED"


class DependencyKind(StrEnum):
    """Whether an edge is written down or read from a lookup's arguments."""

    DECLARED = "DECLARED"
    INFERRED = "INFERRED"


class OwnershipSource(StrEnum):
    """The evidence for an owner, in order of precedence."""

    INSTANCE_METADATA = "INSTANCE_METADATA"
    STACK_METADATA = "STACK_METADATA"
    TAG = "TAG"
    REVIEWERS = "REVIEWERS"
    LABEL = "LABEL"
    CODEOWNERS = "CODEOWNERS"
    TENANT_MAPPING = "TENANT_MAPPING"
    CODEOWNERS_WILDCARD = "CODEOWNERS_WILDCARD"
    ORGANIZATION_DEFAULT = "ORGANIZATION_DEFAULT"


class UnownedReason(StrEnum):
    """Why nobody owns something: nothing names an owner, or what does names nobody whom the seeds know."""

    NO_EVIDENCE = "NO_EVIDENCE"
    UNKNOWN_OWNER = "UNKNOWN_OWNER"


class Maturity(StrEnum):
    """How settled a component is."""

    EXPERIMENTAL = "EXPERIMENTAL"
    BETA = "BETA"
    STABLE = "STABLE"
    DEPRECATED = "DEPRECATED"


class DriftState(StrEnum):
    """Whether reality still matches what was applied."""

    UNKNOWN = "UNKNOWN"
    IN_SYNC = "IN_SYNC"
    DRIFTED = "DRIFTED"


class Estate(SQLModel, table=True):
    """One Atmos configuration in one Git repository or read-only directory. What changes with each run is read from `index_run`."""

    id: str = columns.identity()
    name: str = columns.text(unique=True)
    organization_id: str = columns.reference("organization.id")
    kind: str = columns.text()  # git | directory
    url: str | None = columns.text(nullable=True)  # where it is cloned from; null for a managed repository born here or a directory
    path: str | None = columns.text(nullable=True)  # absolute path of the directory, or of the managed bare repository
    ref: str = columns.text()  # branch; for a directory `-`
    directory: str = columns.text()  # where atmos.yaml's estate lies inside the repository; `.` is its root
    config_path: str | None = columns.text(nullable=True)  # directory of atmos.yaml when it isn't `directory`
    writable: bool = Field(nullable=False)
    executor: str = columns.text()  # terraform | dry_run | …
    workflows: dict[str, Any] = columns.json()  # ProvisioningAction -> {file, name}
    removal_limit: int = Field(nullable=False)  # percent of instances that one run may remove unheld
    web_url: str | None = columns.text(nullable=True)  # template of links into the Git host: {revision} {path} {line}
    poll: int | None = Field(default=None)  # seconds between looks at the remote; null: nobody looks
    webhook_secret: str | None = columns.text(nullable=True)  # a reference to it, env:NAME or file:PATH; never shown
    credentials: str | None = columns.text(nullable=True)  # a reference to the token for its remote; never shown

    __table_args__ = (columns.one_of("kind", ("git", "directory")),)


class EstateRemote(SQLModel, table=True):
    """What polling knows of an estate's remote: where its branch was when it last answered, and when it is asked again."""

    __tablename__ = "estate_remote"

    estate_id: str = Field(sa_type=columns.C_TEXT, foreign_key="estate.id", primary_key=True, ondelete="CASCADE")
    next_at: datetime = columns.time()  # whoever asks moves this on first, so that one worker asks at a time
    asked_at: datetime | None = columns.time(nullable=True)
    revision: str | None = columns.text(nullable=True)
    failures: int = Field(default=0, nullable=False)  # in a row; each doubles the wait
    error: str | None = columns.text(nullable=True)


class IndexRun(SQLModel, table=True):
    """One reading of an estate at one position: (estate, ref, first-parent number), with commit time and index time."""

    __tablename__ = "index_run"

    id: str = columns.identity()
    estate_id: str = columns.reference("estate.id")
    ref: str = columns.text()
    number: int = Field(nullable=False)  # first-parent number of the revision; for directories one more each run
    revision: str | None = columns.text(nullable=True)
    author: str | None = columns.text(nullable=True)
    committed_at: datetime | None = columns.time(nullable=True)
    state: str = columns.text()
    started_at: datetime = columns.time()
    finished_at: datetime | None = columns.time(nullable=True)
    manifests: int = Field(default=0, nullable=False)
    stacks: int = Field(default=0, nullable=False)
    component_instances: int = Field(default=0, nullable=False)
    added: int = Field(default=0, nullable=False)
    changed: int = Field(default=0, nullable=False)
    removed: int = Field(default=0, nullable=False)
    unchanged: int = Field(default=0, nullable=False)
    held_reason: str | None = columns.text(nullable=True)
    error: str | None = columns.text(nullable=True)
    snapshot_hash: str | None = columns.text(nullable=True)  # equal to the last run's: nothing to write
    inputs_hash: str | None = columns.text(nullable=True)  # of what was read: equal to the last run's, nothing to read
    # An engine was missing that code or a template waits for.
    pending: bool = Field(default=False, nullable=False, sa_column_kwargs={"server_default": sql("false")})
    asked: str | None = columns.text(nullable=True)  # the revision that it was queued for; null: wherever the branch is by then
    removal_digest: str | None = columns.text(nullable=True)  # of a held run: the ids of what it would remove
    confirmed_digest: str | None = columns.text(nullable=True)  # what a person let it remove
    decided_by: str | None = columns.text(nullable=True)  # who confirmed or refused it
    backfill: bool = Field(default=False, nullable=False)  # it told the past only; what is present stayed as it was

    __table_args__ = (
        columns.one_of("state", IndexRunState),
        Index("index_run_latest", "estate_id", sql("started_at desc"), "id"),
        Index("index_run_position", "estate_id", "ref", "number"),
        Index("index_run_revision", "estate_id", "revision"),
        # One run waits for an estate and a revision at a time, whoever asks.
        Index(
            "index_run_waiting",
            "estate_id",
            sql("coalesce(asked, '')"),
            unique=True,
            postgresql_where=sql("state = 'QUEUED' and confirmed_digest is null"),
        ),
    )


class IndexRunEvent(SQLModel, table=True):
    """That a run entered a state, or how far it has come: `done` of `total` stacks. The sequence counts over all runs."""

    __tablename__ = "index_run_event"

    sequence: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    run_id: str = columns.reference("index_run.id")
    at: datetime = columns.time()
    done: int = Field(nullable=False)
    total: int | None = Field(default=None, nullable=True)


class Manifest(SQLModel, table=True):
    """One YAML file below the stacks directory."""

    id: str = columns.identity()
    estate_id: str = columns.reference("estate.id")
    path: str = columns.text()
    content_hash: str = columns.text()
    top_level: bool = Field(nullable=False)
    removed_at: datetime | None = columns.time(nullable=True)  # gone, but stacks of the past were made of it

    __table_args__ = (UniqueConstraint("estate_id", "path"),)


class ManifestImport(SQLModel, table=True):
    """One import of one manifest by another, in import order."""

    __tablename__ = "manifest_import"

    manifest_id: str = Field(sa_type=columns.C_TEXT, foreign_key="manifest.id", primary_key=True, ondelete="CASCADE")
    ordinal: int = Field(primary_key=True)
    imported_id: str = columns.reference("manifest.id")


class Stack(SQLModel, table=True):
    """One stack: where component instances live. Its tenant is never null, so that composite keys prove visibility."""

    id: str = columns.identity()
    estate_id: str = columns.reference("estate.id")
    tenant_id: str = columns.reference("tenant.id")
    organization_id: str = columns.reference("organization.id")
    environment_id: str | None = columns.reference("environment.id", nullable=True, ondelete="SET NULL")
    manifest_id: str = columns.reference("manifest.id")
    name: str = columns.text()
    namespace: str | None = columns.text(nullable=True)
    account: str | None = columns.text(nullable=True, index=True)
    stage: str | None = columns.text(nullable=True, index=True)
    region: str | None = columns.text(nullable=True, index=True)
    labels: dict[str, Any] = columns.json()
    tags: list[str] = columns.texts()
    vars: dict[str, Any] = columns.json()
    state: str = columns.text()
    team_id: str | None = columns.reference("team.id", nullable=True, ondelete="SET NULL")
    owner_source: str | None = columns.text(nullable=True)
    owner_value: str | None = columns.text(nullable=True)
    owner_file: str | None = columns.text(nullable=True)
    owner_line: int | None = Field(default=None)
    row_hash: str = columns.text()  # of this row
    content_hash: str = columns.text()  # of this row and all of the stack's instances: what differs is written, nothing else
    removed_at: datetime | None = columns.time(nullable=True)

    __table_args__ = (
        UniqueConstraint("estate_id", "name"),
        UniqueConstraint("tenant_id", "id"),
        columns.one_of("state", FreshnessState),
        Index("stack_by_tenant_name", "tenant_id", "name", "id"),
        Index("stack_by_name", "name", "id"),
        Index("stack_labels", "labels", postgresql_using="gin", postgresql_ops={"labels": "jsonb_path_ops"}),
    )


class Component(SQLModel, table=True):
    """A root module of an estate, such as `components/terraform/vpc`, with what its code and metadata say."""

    id: str = columns.identity()
    estate_id: str = columns.reference("estate.id")
    type: str = columns.text()
    name: str = columns.text(index=True)
    path: str = columns.text()
    title: str | None = columns.text(nullable=True)
    description: str | None = columns.text(nullable=True)
    category: str | None = columns.text(nullable=True, index=True)
    category_derived: bool = Field(default=False, nullable=False)
    provisioning_time: int | None = Field(default=None)  # seconds
    cost_estimate_id: str | None = columns.reference("cost_estimate.id", nullable=True, ondelete="SET NULL")
    maturity: str | None = columns.text(nullable=True)
    maintainer_id: str | None = columns.reference("team.id", nullable=True, ondelete="SET NULL")
    readme: str | None = columns.text(nullable=True)
    source: str | None = columns.text(nullable=True)
    version: str | None = columns.text(nullable=True)
    inputs: list[Any] = Field(sa_type=JSONB, nullable=False, default_factory=list)
    outputs: list[Any] = Field(sa_type=JSONB, nullable=False, default_factory=list)
    providers: list[Any] = Field(sa_type=JSONB, nullable=False, default_factory=list)
    modules: list[Any] = Field(sa_type=JSONB, nullable=False, default_factory=list)
    required_version: str | None = columns.text(nullable=True)  # of Terraform itself
    input_schema: dict[str, Any] = columns.json()
    source_hash: str | None = columns.text(nullable=True)  # of every file of its directory
    content_hash: str = columns.text()
    removed_at: datetime | None = columns.time(nullable=True)

    __table_args__ = (UniqueConstraint("estate_id", "type", "path"), columns.one_of("type", ComponentType))


def _path_index(section: str) -> Index:
    expression: Label[Any] = literal_column(f"(document -> '{section}')").label(section)
    return Index(f"config_{section}", expression, postgresql_using="gin", postgresql_ops={section: "jsonb_path_ops"})


class Configuration(SQLModel, table=True):
    """A resolved section, content-addressed: equal instances share one document; secrets are redacted in it."""

    __tablename__ = "config"

    hash: str = Field(sa_type=columns.C_TEXT, primary_key=True)
    document: dict[str, Any] = columns.json()

    __table_args__ = (
        _path_index("vars"),
        _path_index("settings"),
        # Most documents are of some thousand bytes: they lie uncompressed in their rows, which is quicker to write and to read.
        {"postgresql_with": {"toast_tuple_target": 8160}},
    )


class ComponentInstance(SQLModel, table=True):
    """A component as configured in one stack: the narrow current row; the wide document hangs on `config_hash`."""

    __tablename__ = "component_instance"

    id: str = columns.identity()
    estate_id: str = columns.reference("estate.id")
    tenant_id: str = columns.text()
    stack_id: str = columns.text()
    component_id: str | None = columns.reference("component.id", nullable=True, index=False, ondelete="SET NULL")
    type: str = columns.text()
    name: str = columns.text()
    abstract: bool = Field(nullable=False)
    enabled: bool = Field(nullable=False)
    locked: bool = Field(nullable=False)
    state: str = columns.text()
    inherits: list[str] = columns.texts()
    workspace: str | None = columns.text(nullable=True)
    backend_type: str | None = columns.text(nullable=True)
    labels: dict[str, Any] = columns.json()
    unresolved_dependencies: list[str] = columns.texts()
    config_hash: str = columns.reference("config.hash", ondelete=None)
    team_id: str | None = columns.reference(
        "team.id", nullable=True, ondelete="SET NULL", index=False
    )  # the first column of an index below
    owner_source: str | None = columns.text(nullable=True)
    owner_value: str | None = columns.text(nullable=True)
    owner_file: str | None = columns.text(nullable=True)
    owner_line: int | None = Field(default=None)
    cost_estimate_id: str | None = columns.reference("cost_estimate.id", nullable=True, ondelete="SET NULL")
    cost_status: str = columns.text()  # KNOWN | PARTIAL | UNKNOWN, copied from the estimate for filters and sums
    monthly: Decimal | None = columns.amount()  # copied from the estimate
    currency: str | None = columns.text(nullable=True)
    drift: str = Field(default=DriftState.UNKNOWN, sa_type=columns.C_TEXT, nullable=False)
    file: str | None = columns.text(nullable=True)
    line: int | None = Field(default=None)
    changed_at: datetime = columns.time()
    content_hash: str = columns.text()
    removed_at: datetime | None = columns.time(nullable=True)

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "stack_id"], ["stack.tenant_id", "stack.id"], ondelete="CASCADE", onupdate="CASCADE"),
        UniqueConstraint("stack_id", "type", "name"),
        UniqueConstraint("tenant_id", "id"),
        columns.one_of("type", ComponentType),
        columns.one_of("state", FreshnessState),
        columns.one_of("drift", DriftState),
        Index("component_instance_by_tenant_name", "tenant_id", "name", "id"),
        Index("component_instance_by_name", "name", "id"),
        Index("component_instance_by_stack_name", "stack_id", "name", "id"),
        Index("component_instance_by_component_name", "component_id", "name", "id"),
        # Whether a viewer sees a component: some instance of it in their tenants.
        Index("component_instance_by_component_tenant", "component_id", "tenant_id"),
        Index("component_instance_by_team_name", "team_id", "name", "id"),
        Index("component_instance_by_changed_at", "changed_at", "id"),
        Index("component_instance_labels", "labels", postgresql_using="gin", postgresql_ops={"labels": "jsonb_path_ops"}),
        # What few instances are and many ask for.
        Index("component_instance_drifted", "name", "id", postgresql_where=sql("drift = 'DRIFTED'")),
        Index("component_instance_locked", "name", "id", postgresql_where=sql("locked")),
    )


_TARGETS: Label[Any] = literal_column("(jsonb_path_query_array(edges, '$[*].target_id'))").label("targets")


class InstanceVersion(SQLModel, table=True):
    """The range of positions of a ref in which an instance's row had one content; `to_number` of null still holds.

    `row`, `estimate` and `edges` are what the rows of the instance, of its cost estimate and of its dependencies were. They are null
    while the version is the present one: then those rows themselves say it.
    """

    __tablename__ = "instance_version"

    instance_id: str = Field(sa_type=columns.C_TEXT, foreign_key="component_instance.id", primary_key=True, ondelete="CASCADE")
    ref: str = Field(sa_type=columns.C_TEXT, primary_key=True)
    from_number: int = Field(primary_key=True)
    to_number: int | None = Field(default=None)  # the first position in which it no longer held
    content_hash: str = columns.text()
    config_hash: str = columns.reference("config.hash", ondelete=None)
    row: dict[str, Any] | None = columns.json(nullable=True)
    estimate: dict[str, Any] | None = columns.json(nullable=True)
    edges: list[Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True), nullable=True)

    __table_args__ = (
        Index("instance_version_current", "instance_id", "ref", unique=True, postgresql_where=sql("to_number is null")),
        # Which instances depended on one, for dependents as they were: the targets alone, a seventh of what the edges say.
        Index(
            "instance_version_targets",
            _TARGETS,
            postgresql_using="gin",
            postgresql_ops={"targets": "jsonb_path_ops"},
            postgresql_where=sql("edges is not null"),
        ),
    )


class StackVersion(SQLModel, table=True):
    """The range of positions of a ref in which a stack's row had one content; `row` is null while the stack's own row says it."""

    __tablename__ = "stack_version"

    stack_id: str = Field(sa_type=columns.C_TEXT, foreign_key="stack.id", primary_key=True, ondelete="CASCADE")
    ref: str = Field(sa_type=columns.C_TEXT, primary_key=True)
    from_number: int = Field(primary_key=True)
    to_number: int | None = Field(default=None)
    content_hash: str = columns.text()
    row: dict[str, Any] | None = columns.json(nullable=True)

    __table_args__ = (Index("stack_version_current", "stack_id", "ref", unique=True, postgresql_where=sql("to_number is null")),)


class Dependency(SQLModel, table=True):
    """One edge: the instance `source_id` depends on `target_id`."""

    source_id: str = Field(sa_type=columns.C_TEXT, foreign_key="component_instance.id", primary_key=True, ondelete="CASCADE")
    target_id: str = Field(sa_type=columns.C_TEXT, foreign_key="component_instance.id", primary_key=True, ondelete="CASCADE")
    via: str = Field(sa_type=columns.C_TEXT, primary_key=True)
    kind: str = columns.text()
    file: str | None = columns.text(nullable=True)
    line: int | None = Field(default=None)
    column: int | None = Field(default=None)

    __table_args__ = (columns.one_of("kind", DependencyKind), Index("dependency_by_target", "target_id", "source_id"))


class DiagnosticRecord(SQLModel, table=True):
    """What the last run could not read or found objectionable; `since` is when it was first seen."""

    __tablename__ = "diagnostic"

    id: str = columns.identity()
    estate_id: str = columns.reference("estate.id")
    run_id: str = columns.reference("index_run.id")  # the run that first saw it
    severity: str = columns.text()
    code: str = columns.text(index=True)
    message: str = columns.text()
    hint: str | None = columns.text(nullable=True)
    file: str | None = columns.text(nullable=True)
    line: int | None = Field(default=None)
    column: int | None = Field(default=None)
    stack_id: str | None = columns.reference("stack.id", nullable=True)
    component_name: str | None = columns.text(nullable=True)
    since: datetime = columns.time()

    __table_args__ = (columns.one_of("severity", Severity), Index("diagnostic_order", "estate_id", "file", "line", "id"))


class Change(SQLModel, table=True):
    """What one run changed in one instance; `values` is a list of {path, before, after}, redacted as the documents are.

    Numbers ascend in the order of the commits, since snapshots are written one after the other: who has read up to a number missed none.
    """

    id: str = columns.identity()
    estate_id: str = columns.reference("estate.id")
    run_id: str = columns.reference("index_run.id")
    tenant_id: str = columns.reference("tenant.id")
    kind: str = columns.text()
    instance_id: str | None = columns.reference("component_instance.id", nullable=True, ondelete="SET NULL")
    previous_id: str | None = columns.reference("component_instance.id", nullable=True, ondelete="SET NULL")
    stack_name: str = columns.text()
    component_type: str = columns.text()
    component_name: str = columns.text()
    values: list[Any] = Field(sa_type=JSONB, nullable=False, default_factory=list)
    author: str | None = columns.text(nullable=True)
    revision: str | None = columns.text(nullable=True)
    at: datetime = columns.time()
    number: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), unique=True, nullable=False))

    __table_args__ = (columns.one_of("kind", ChangeKind), Index("change_latest", sql("at desc"), "id"))


class Workflow(SQLModel, table=True):
    """One workflow of one workflow file; governed when a step names a governance tool.

    `steps` is a list of {name, kind, tool, command, stack, options}.
    """

    id: str = columns.identity()
    estate_id: str = columns.reference("estate.id")
    name: str = columns.text()
    file: str = columns.text()
    description: str | None = columns.text(nullable=True)
    governed: bool = Field(nullable=False)
    parameters: dict[str, Any] = columns.json()
    steps: list[Any] = Field(sa_type=JSONB, nullable=False, default_factory=list)
    content_hash: str = columns.text()

    __table_args__ = (UniqueConstraint("estate_id", "file", "name"), Index("workflow_order", "name", "file", "id"))
