"""What Git says about estates: runs of the indexer, diagnostics, changes, manifests and workflows."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from catalog.graph import enums, names
from catalog.graph.declarations import column, items, one, page, reads_from
from catalog.graph.filters import DiagnosticWhere
from catalog.graph.nodes import Connection, Node, SourceLocation, StackConnection


@reads_from("estate")
@strawberry.type(description="One Atmos configuration in one Git repository (or read-only directory).")
class Estate(Node):
    name: str = column("name", "Its name.")
    repository: str | None = column("repository", "Where it is cloned from, or the directory it is read from.")
    ref: str | None = column("ref", "The branch that is indexed.")
    directory: str | None = column("directory", "Where in the repository the estate lies.")
    revision: str | None = column("revision", "The revision of the last good run.")
    indexed_at: datetime | None = column("indexed_at", "When the last good run ended.")
    writable: bool = column("writable", "Whether requests can change it; a plain directory is read-only.")
    read_only_reason: str | None = column("read_only_reason", "Why requests can't change it; null when they can.")
    remote_asked_at: datetime | None = column("remote_asked_at", "When its remote was last polled; null when nobody does.")
    remote_revision: str | None = column("remote_revision", "Where its branch was in the remote by then.")
    remote_error: str | None = column("remote_error", "Why the remote could not be asked the last time.")
    last_run: names.IndexRunType | None = one("last_run", "The last run, whatever became of it.")
    runs: Connection[names.IndexRunType] = page("runs", "Its runs, the latest first.")
    diagnostics: Connection[names.DiagnosticType] = page(
        "diagnostics", "What the last run could not read or found objectionable.", where=DiagnosticWhere
    )
    manifests: Connection[names.ManifestType] = page("manifests", "The YAML files below its stacks directory.")
    stack_ownership: names.OwnershipCoverageType = one("stack_ownership", "How many of its stacks have an owner.")
    instance_ownership: names.OwnershipCoverageType = one(
        "instance_ownership", "How many of its component instances, but for abstract ones, have an owner."
    )


@reads_from("index_run")
@strawberry.type(description="One reading of an estate.")
class IndexRun(Node):
    estate: names.EstateType = one("estate", "The estate that was read.")
    ref: str = column("ref", "The branch that it was read from; for a revision that the branch never was at, that revision.")
    number: int = column(
        "number", "How many commits led there by first parents, or how often a directory was read; 0 while queued."
    )
    revision: str | None = column("revision", "The revision that was read; none for a directory.")
    asked_revision: str | None = column(
        "asked", "The revision that it was asked for; none: wherever the branch is when its turn comes."
    )
    author: str | None = column("author", "Who made that revision.")
    committed_at: datetime | None = column("committed_at", "When that revision was committed.")
    state: enums.IndexRunState = column("state", "Where it is.")
    started_at: datetime = column("started_at", "When it began; while queued, when it was asked for.")
    finished_at: datetime | None = column("finished_at", "When it ended.")
    manifests: int = column("manifests", "How many manifests it read.")
    stacks: int = column("stacks", "How many stacks it found.")
    component_instances: int = column("component_instances", "How many component instances it found.")
    added: int = column("added", "How many instances are new.")
    changed: int = column("changed", "How many instances differ.")
    removed: int = column("removed", "How many instances are gone.")
    unchanged: int = column("unchanged", "How many instances are as they were.")
    held_reason: str | None = column(
        "held_reason", "Set when it would remove more than the estate's limit: nothing is removed until it is confirmed."
    )
    decided_by: str | None = column("decided_by", "Who confirmed or refused what it was held for.")
    error: str | None = column("error", "Why it failed.")
    backfill: bool = column("backfill", "Whether it told the past only: what is present stayed as it was.")
    diagnostics: Connection[names.DiagnosticType] = page(
        "diagnostics", "What this run was the first to find.", where=DiagnosticWhere
    )
    changes: Connection[names.ChangeType] = page("changes", "What it changed, instance by instance.")


@reads_from("diagnostic")
@strawberry.type(description="What could not be read or is objectionable. A broken manifest never hides the rest.")
class Diagnostic(Node):
    severity: enums.Severity = column("severity", "How bad it is.")
    code: str = column("code", "What kind of thing it is; stable.")
    message: str = column("message", "What happened.")
    hint: str | None = column("hint", "What to do.")
    location: SourceLocation | None = one("location", "Where.")
    stack: names.StackType | None = one("stack", "The stack that it harms.")
    component_name: str | None = column("component_name", "The component that it harms.")
    since: datetime = column("since", "When it was first seen.")
    docs_url: str | None = column("docs_url", "Where its code is explained, relative to where the catalog is served.")


@reads_from("change")
@strawberry.type(description="What one run changed in one instance.")
class Change(Node):
    kind: enums.ChangeKind = column("kind", "What happened.")
    run: names.IndexRunType = one("run", "The run that saw it.")
    instance: names.ComponentInstanceType | None = one("instance", "The instance, while it is known.")
    previous: names.ComponentInstanceType | None = one("previous", "The instance that was renamed.")
    stack_name: str = column("stack_name", "The stack's name.")
    component_type: enums.ComponentType = column("component_type", "The component's type.")
    component_name: str = column("component_name", "The instance's name.")
    values: Connection[names.ValueChangeType] = page("values", "The values that differ.")
    author: str | None = column("author", "Who committed it.")
    revision: str | None = column("revision", "The revision in which it was seen.")
    at: datetime = column("at", "When it was committed, else indexed.")


@reads_from("value_change")
@strawberry.type(description="One value before and after. Redacted values are equal exactly when their secrets are.")
class ValueChange:
    path: str = column("path", "Where in the resolved sections.")
    before: JSON | None = column("before", "The value before; null when there was none.")
    after: JSON | None = column("after", "The value after; null when there is none.")


@reads_from("manifest")
@strawberry.type(description="One YAML file below the stacks directory of an estate.")
class Manifest(Node):
    path: str = column("path", "Path relative to the estate.")
    estate: names.EstateType = one("estate", "Its estate.")
    imports: Connection[names.ManifestType] = page("imports", "The manifests that it imports, in order.")
    imported_by: Connection[names.ManifestType] = page("imported_by", "The manifests that import it.")
    stacks: StackConnection = page("stacks", "The stacks made of it, directly or by imports.")


@reads_from("workflow")
@strawberry.type(description="One workflow of an estate: ordinary Atmos steps, or steps under governance.")
class Workflow(Node):
    name: str = column("name", "Its name.")
    estate: names.EstateType = one("estate", "Its estate.")
    file: str = column("file", "The file that defines it.")
    description: str | None = column("description", "What it is for.")
    governed: bool = column("governed", "Whether a step names a governance tool.")
    parameters: JSON = column("parameters", "JSON Schema of the parameters that it takes.")
    steps: list[names.WorkflowStepType] = items("steps", "Its steps, in order.")


@reads_from("workflow_step")
@strawberry.type(description="One step of a workflow.")
class WorkflowStep:
    name: str = column("name", "Its name.")
    kind: enums.StepKind = column("kind", "What it does.")
    tool: str | None = column("tool", "The tool that does it.")
    command: str | None = column("command", "The command that it runs.")
    stack: str | None = column("stack", "The stack that it runs on.")
