"""Takes a snapshot: a resolved estate, the seeds and the components' facts in, every row that they mean out.

Pure: the same inputs give the same snapshot on any machine (given the same redaction key). Handed the previous snapshot, it
makes again only the stacks that changed, and the result equals a snapshot taken from nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.cost.rates import Rate
from catalog.indexer import codeowners as code_owners
from catalog.indexer import component_rows, context, organization_rows, owners, remote_state, services, stack_rows
from catalog.indexer.codeowners import CodeOwners
from catalog.indexer.component_facts import ComponentFacts
from catalog.indexer.context import Mappings, Place
from catalog.indexer.documents import Writer
from catalog.indexer.measurements import Measurement
from catalog.indexer.organization_rows import OrganizationRows
from catalog.indexer.owners import Authorities
from catalog.indexer.ownership import Teams
from catalog.indexer.redaction import Redactor, safe
from catalog.indexer.seed_values import KpiSeed, Seeds, currency_of
from catalog.indexer.services import ServiceRows
from catalog.indexer.stack_rows import Position, Source, StackPart, Surroundings, fingerprint
from catalog.stacks import governance
from catalog.stacks.resolved import ResolvedDependency, ResolvedEstate, ResolvedManifest, ResolvedStack, WorkflowManifest
from catalog.store.rows import DiagnosticRow, ManifestRow, WorkflowRow
from catalog.values import Diagnostic, global_id

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The estate that is read: its name, its organisation, those that are other estates' own, and how values are redacted.

    `claims` tells that its seeds are its own, so that it speaks for the organisations that they name.
    """

    estate: str
    organization: str
    redaction_key: bytes = field(repr=False)
    secret_keys: str
    foreign: frozenset[str] = frozenset()
    claims: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Every row of an estate at one moment, by id, without the moment: no run, no time, no position.

    `hash` covers all of it. `broken` and `broken_instances` are the resolver's: what they name keeps its last good version.
    `unread` are seed files without a good version: what they once said stays. `allocation` and `rates` of None: what
    holds stays. `spoken_for` are the ids of organisations that the
    seeds name: only these lose what the seeds no longer say. `pending` says that an engine was missing: some
    component's code could not be read yet, or some template not rendered.
    """

    estate: str
    organization: OrganizationRows
    manifests: Mapping[str, Any]
    imports: Mapping[str, tuple[str, ...]]  # manifest id → ids of what it imports, in order
    components: Mapping[str, Any]
    component_estimates: Mapping[str, Any]  # by the estimate's id
    workflows: Mapping[str, Any]
    parts: Mapping[str, StackPart]  # by the stack's id
    services: ServiceRows
    kpis: tuple[KpiSeed, ...]
    measurements: tuple[Measurement, ...]
    allocation: Mapping[str, Any] | None
    rates: tuple[Rate, ...] | None
    diagnostics: Mapping[str, Any]
    broken: frozenset[str]
    broken_instances: frozenset[tuple[str, str, str]]
    unread: frozenset[str]
    spoken_for: frozenset[str]
    pending: bool
    hash: str
    made_from: Any = field(compare=False, repr=False)

    @property
    def instance_count(self) -> int:
        """How many component instances there are, abstract ones included."""
        return sum(len(part.instances) for part in self.parts.values())


def take(
    resolved: ResolvedEstate,
    seeds: Seeds,
    components: Mapping[tuple[str, str], ComponentFacts],
    subject: Subject,
    *,
    codeowners: CodeOwners = code_owners.NONE,
    registered: Collection[tuple[str, str]] = (),
    diagnostics: Sequence[Diagnostic] = (),
    previous: Snapshot | None = None,
    progress: Progress | None = None,
    on_part: Callable[[StackPart], None] | None = None,
) -> Snapshot:
    """Take the snapshot; `diagnostics` are the reader's own, beside those of the resolver, the seeds and the components.

    `codeowners` is what the repository's CODEOWNERS says of the estate's files. `on_part` is called with each stack's part as soon
    as it is made.
    """
    linked = remote_state.linked(resolved, components, previous.made_from[4] if previous is not None else None)
    resolved = linked.estate
    accounts, declared = owners.accounts(resolved, previous.made_from[3] if previous is not None else {})
    inputs = (seeds, components, subject, codeowners, accounts)
    reusable = previous is not None and previous.made_from[0] == inputs
    teams = previous.made_from[1] if previous is not None and reusable else Teams(seeds.teams)
    authorities = Authorities(
        teams=teams, default_teams=organization_rows.default_teams(seeds), codeowners=codeowners, accounts=accounts
    )
    around = _surroundings(resolved, seeds, components, subject, authorities)
    parts = _parts(around, seeds, subject, previous.parts if previous is not None and reusable else {}, progress, on_part)
    answers = component_rows.said(parts.values())
    made = [
        component_rows.make(around, subject.organization, facts, answers.get(around.component_ids[key]))
        for key, facts in components.items()
    ]
    estimates = {row.id: row for _, row in made if row is not None}
    component_table = {row.id: row for row, _ in made}
    service_rows = services.make(seeds, teams, subject.foreign)
    workflows, workflow_diagnostics = _workflows(resolved.workflows, subject.estate, around.writer)
    used: set[str] = set().union(*(part.owners for part in parts.values()))
    others = {row.owner_id for row in service_rows.services.values()} | {row.maintainer_id for row in component_table.values()}
    organization = organization_rows.make(
        (subject.estate, subject.organization),
        seeds,
        (part.place for part in parts.values()),
        teams,
        used | others,
        claims=subject.claims,
    )
    manifests = _manifests(resolved, subject.estate, previous.made_from[2] if previous is not None else {})
    snapshot = Snapshot(
        estate=subject.estate,
        organization=organization,
        manifests={row.id: row for _, row, _ in manifests.values()},
        imports={row.id: imported for _, row, imported in manifests.values()},
        components=component_table,
        component_estimates=estimates,
        workflows=workflows,
        parts=parts,
        services=service_rows,
        kpis=seeds.kpis,
        measurements=seeds.measurements,
        allocation=_said(seeds.allocation, {}, "allocation.yaml", seeds, subject),
        rates=_said(seeds.rates, (), "rates.csv", seeds, subject),
        diagnostics=_diagnostics(
            subject.estate,
            (
                *resolved.diagnostics,
                *seeds.diagnostics,
                *diagnostics,
                *services.clashes(seeds, [item for item in registered if item[0] not in subject.foreign]),
                *workflow_diagnostics,
                *(item for facts in components.values() for item in facts.diagnostics),
                *component_rows.strangers(around, subject.organization, components.values()),
                *(item for part in parts.values() for item in part.diagnostics),
            ),
        ),
        broken=resolved.broken,
        broken_instances=resolved.broken_instances,
        unread=seeds.unread,
        spoken_for=frozenset(global_id("Organization", name) for name in seeds.spoken_for),
        pending=any(facts.code.pending for facts in components.values()),
        hash="",
        made_from=(inputs, teams, manifests, declared, linked),
    )
    return replace(snapshot, hash=_hash(snapshot))


def _surroundings(
    resolved: ResolvedEstate,
    seeds: Seeds,
    components: Mapping[tuple[str, str], ComponentFacts],
    subject: Subject,
    authorities: Authorities,
) -> Surroundings:
    organizations = {item.name for item in seeds.organizations}
    return Surroundings(
        estate=subject.estate,
        currencies={name: currency_of(seeds, name) for name in organizations},
        authorities=authorities,
        components=components,
        component_ids={key: component_rows.identity(subject.estate, key) for key in components},
        writer=Writer(Redactor(subject.redaction_key, subject.secret_keys)),
        resolved=resolved,
    )


def _parts(
    around: Surroundings,
    seeds: Seeds,
    subject: Subject,
    previous: Mapping[str, StackPart],
    progress: Progress | None,
    on_part: Callable[[StackPart], None] | None,
) -> dict[str, StackPart]:
    """The parts of all stacks, those of `previous` where nothing they are made from changed."""
    mappings = Mappings(seeds.mappings)
    names = {manifest.path: manifest.name for manifest in around.resolved.manifests}
    edges: dict[str, list[ResolvedDependency]] = {}
    for edge in around.resolved.dependencies:
        edges.setdefault(edge.source[0], []).append(edge)
    parts = {}
    unresolved: dict[str, list[Any]] = {}
    for key, texts in around.resolved.unresolved_dependencies.items():
        unresolved.setdefault(key[0], []).append((key, texts))
    total = len(around.resolved.stacks)
    for done, stack in enumerate(around.resolved.stacks, start=1):
        identity = global_id("Stack", subject.estate, stack.name)
        dependencies = tuple(edges.get(stack.name, ()))
        known = previous.get(identity)
        source = (stack, dependencies, unresolved.get(stack.name, []), lost_of(stack, around.resolved.broken_instances))
        if known is None or not _is_same(known.made_from, source):
            place = place_of(stack, names.get(stack.manifest, ""), mappings, subject.organization)
            known = stack_rows.make(source, place, _position(place, stack, subject.estate), around)
        parts[identity] = known
        if on_part is not None:
            on_part(known)
        if progress is not None and (done % 50 == 0 or done == total):
            progress(done, total, "stacks")
    return parts


def _is_same(known: Source, source: Source) -> bool:
    # An incremental reading hands over the very stack it kept: comparing deeply would cost more than it saves.
    return known[0] is source[0] and known[1:] == source[1:]


def lost_of(stack: ResolvedStack, lost: frozenset[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """The instances of a stack that were lost alone."""
    return sorted(entry for entry in lost if entry[0] == stack.manifest) if lost else []


def place_of(stack: ResolvedStack, manifest: str, mappings: Mappings, organization: str) -> Place:
    """Where a stack is, by its context and the tenant mapping."""
    variables = [found for instance in stack.instances if isinstance(found := instance.sections.get("vars"), Mapping)]
    agreed = context.agreed(stack.vars, variables)
    return context.derive(agreed, stack=stack.name, fallback=organization, mapping=mappings.of(manifest=manifest, stack=stack.name))


def _position(place: Place, stack: ResolvedStack, estate: str) -> Position:
    return Position(
        organization_id=global_id("Organization", place.organization),
        tenant_id=organization_rows.tenant_id(place, estate),
        environment_id=organization_rows.environment_id(place, estate),
        manifest_id=global_id("Manifest", estate, stack.manifest),
    )


# What each manifest became, by path: the manifest, its row, the ids of its imports.
MadeManifests = dict[str, tuple[ResolvedManifest, Any, tuple[str, ...]]]


def _manifests(resolved: ResolvedEstate, estate: str, known: MadeManifests) -> MadeManifests:
    """The rows of all manifests, those of the last reading where a manifest is the same and no file came or went."""
    paths = {manifest.path for manifest in resolved.manifests}
    if paths != known.keys():
        known = {}
    made = {}
    for manifest in resolved.manifests:
        before = known.get(manifest.path)
        if before is None or before[0] is not manifest:
            imported = tuple(global_id("Manifest", estate, path) for path in dict.fromkeys(manifest.imports) if path in paths)
            before = manifest, _manifest(manifest, imported, estate), imported
        made[manifest.path] = before
    return made


def _manifest(manifest: ResolvedManifest, imported: tuple[str, ...], estate: str) -> Any:
    return ManifestRow(
        id=global_id("Manifest", estate, manifest.path),
        estate_id=global_id("Estate", estate),
        path=safe(manifest.path),
        content_hash=fingerprint((manifest.content_hash, imported, manifest.top_level)),
        top_level=manifest.top_level,
        removed_at=None,
    )


def _workflows(workflows: Iterable[WorkflowManifest], estate: str, writer: Writer) -> tuple[dict[str, Any], list[Diagnostic]]:
    rows: dict[str, Any] = {}
    diagnostics: list[Diagnostic] = []
    for workflow in workflows:
        read = governance.parse(workflow.document, workflow.location)
        diagnostics += read.diagnostics
        parameters = workflow.document.get("parameters")
        steps = [
            {
                "name": step.name,
                "kind": step.kind,
                "tool": step.tool,
                "command": step.command,
                "stack": step.stack,
                "options": dict(step.options),
            }
            for step in read.steps
        ]
        row = WorkflowRow(
            id=global_id("Workflow", estate, workflow.file, workflow.name),
            estate_id=global_id("Estate", estate),
            name=safe(workflow.name),
            file=safe(workflow.file),
            description=workflow.description and safe(workflow.description),
            governed=read.governed,
            parameters=writer.text(parameters if isinstance(parameters, dict) else {}),
            steps=writer.text(steps),
            content_hash="",
        )
        rows[row.id] = row._replace(content_hash=fingerprint(row))
    return rows, diagnostics


def _diagnostics(estate: str, found: Iterable[Diagnostic]) -> dict[str, Any]:
    """Rows by id; the line is no part of the id, so what says the same of the same is one, at its first place."""
    rows: dict[str, Any] = {}
    for item in found:
        location = item.location
        file = safe(location.file) if location else None
        message = safe(item.message)
        identity = global_id("Diagnostic", estate, item.code, file or "", item.stack or "", item.component or "", message)
        if identity not in rows:
            rows[identity] = DiagnosticRow(
                id=identity,
                estate_id=global_id("Estate", estate),
                run_id=None,
                severity=item.severity.value,
                code=item.code,
                message=message,
                hint=item.hint and safe(item.hint),
                file=file,
                line=location.line if location else None,
                column=location.column if location else None,
                stack_id=global_id("Stack", estate, item.stack) if item.stack is not None else None,
                component_name=item.component and safe(item.component),
                since=None,
            )
    return rows


def _said(value: Any, nothing: Any, file: str, seeds: Seeds, subject: Subject) -> Any:
    """What seeds say of everybody's money; without a file it is nothing where the seeds are the catalog's, else None: others may say."""
    is_silent = value is None and not subject.claims and file not in seeds.unread
    return nothing if is_silent else value


def _hash(snapshot: Snapshot) -> str:
    organization = snapshot.organization
    tables = (
        organization.organizations, organization.tenants, organization.teams, organization.people, organization.environments,
        snapshot.manifests, snapshot.component_estimates, snapshot.services.services, snapshot.services.components,
        snapshot.services.estimates, snapshot.diagnostics,
    )  # fmt: skip
    hashed = (
        [sorted(table.items()) for table in tables],
        sorted(
            (identity, row.content_hash) for table in (snapshot.components, snapshot.workflows) for identity, row in table.items()
        ),
        sorted((identity, part.content_hash) for identity, part in snapshot.parts.items()),
        sorted(snapshot.broken),
        sorted(snapshot.broken_instances),
        sorted(snapshot.unread),
        (*snapshot.kpis, *snapshot.measurements),
        (snapshot.allocation, snapshot.rates),
    )
    return fingerprint(hashed)
