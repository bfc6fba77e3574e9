"""Turns one resolved stack into rows: the stack, its instances with their documents and costs, its dependencies, its diagnostics.

Pure, and the unit of everything incremental: a part is made again only when its stack, its place, the seeds or its components'
facts changed; its `content_hash` covers every row in it, so that equal hashes mean nothing to write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from catalog.indexer import metadata
from catalog.indexer.component_facts import ComponentFacts
from catalog.indexer.context import Place
from catalog.indexer.documents import Document, Writer
from catalog.indexer.estimate_rows import estimate_row
from catalog.indexer.metadata import Complaint, Cost, Facts
from catalog.indexer.owners import Authorities, StackOwners
from catalog.indexer.ownership import Teams
from catalog.indexer.redaction import safe
from catalog.records import ComponentType, CostStatus, DriftState, FreshnessState
from catalog.stacks.resolved import ResolvedDependency, ResolvedEstate, ResolvedInstance, ResolvedStack
from catalog.store.rows import ComponentInstanceRow, DependencyRow, StackRow
from catalog.values import Diagnostic, Severity, SourceLocation, global_id

Key = tuple[str, str, str]  # stack, component type as Atmos spells it, name
# What a part is made of: the stack, its edges, what of its edges is unresolved, and the instances of it that were lost alone.
Source = tuple[ResolvedStack, tuple[ResolvedDependency, ...], list[Any], list[tuple[str, str, str]]]
Fact = tuple[str, str | None, int | None, Cost | None, str | None]  # component id, category, seconds, cost, description


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPart:
    """The rows of one stack, and what the rest of a snapshot is made of, gathered once.

    `facts` are what its instances say of each component, `owners` the ids of the teams that own something in it.
    """

    stack: Any
    place: Place
    environment_id: str | None
    instances: Mapping[str, Any]  # by id
    documents: Mapping[str, Document]  # by configuration hash
    estimates: Mapping[str, Any]  # by the id of the instance
    dependencies: tuple[Any, ...]
    diagnostics: tuple[Diagnostic, ...]
    facts: frozenset[Fact]
    owners: frozenset[str]
    content_hash: str
    made_from: Any = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a stack's rows depend on besides the stack: the estate, its components, what names owners, and the writer of documents."""

    estate: str
    currencies: Mapping[str, str]  # organisation → currency
    authorities: Authorities
    components: Mapping[tuple[str, str], ComponentFacts]  # (type, path)
    component_ids: Mapping[tuple[str, str], str]
    writer: Writer
    resolved: ResolvedEstate
    alike: dict[Any, Any] = field(default_factory=dict, repr=False)
    facts: dict[tuple[int, str], tuple[Any, Facts]] = field(default_factory=dict, repr=False)  # by metadata and currency

    @property
    def teams(self) -> Teams:
        """The teams that there are."""
        return self.authorities.teams

    def same(self, value: Any) -> Any:
        """The one object for all equal values: most stacks say the same, and then it is read once."""
        return self.alike.setdefault(value, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Ids that a stack's rows refer to."""

    organization_id: str
    tenant_id: str
    environment_id: str | None
    manifest_id: str


@lru_cache(maxsize=1024)
def kind_of(component_type: str) -> str:
    """The component type as the records keep it."""
    upper = component_type.upper()
    return upper if upper in ComponentType.__members__ else ComponentType.CUSTOM


def instance_id(estate: str, key: Key) -> str:
    """The global id of an instance by its natural key."""
    stack, component_type, name = key
    return global_id("ComponentInstance", estate, stack, kind_of(component_type), name)


def component_path(instance: ResolvedInstance, base_paths: Mapping[str, str]) -> str | None:
    """Where an instance's component lies, relative to the estate; None where its type has no directory."""
    about = instance.sections.get("component_info")
    path = about.get("component_path") if isinstance(about, Mapping) else None
    if isinstance(path, str) and path:
        return path
    base = base_paths.get(instance.type)
    return f"{base.rstrip('/')}/{instance.component}" if base else None


def make(source: Source, place: Place, position: Position, around: Surroundings) -> StackPart:
    """Make the rows of one stack."""
    stack, dependencies, _, lost = source
    maker = _Maker(stack, place, position, around)
    for instance in stack.instances:
        maker.add(instance)
    edges = tuple(
        sorted(_edges(dependencies, around.estate, maker.instances), key=lambda row: (row.source_id, row.target_id, row.via))
    )
    row = maker.stack_row()
    row = row._replace(row_hash=fingerprint(tuple(row)))
    instances = _hashed(maker.instances, maker.estimates, edges)
    covered = (tuple(row), sorted((key, item.content_hash) for key, item in instances.items()), lost)
    content_hash = fingerprint(covered)
    return StackPart(
        stack=row._replace(content_hash=content_hash),
        place=place,
        environment_id=position.environment_id,
        instances=instances,
        documents=maker.documents,
        estimates=maker.estimates,
        dependencies=edges,
        diagnostics=maker.complaints(),
        facts=around.same(frozenset(maker.facts)),
        owners=frozenset(item.team_id for item in (row, *maker.instances.values()) if item.team_id is not None),
        content_hash=content_hash,
        made_from=source,
    )


def fingerprint(value: Any) -> str:
    """The hash of rows: 128 bits over their printed form, which is the same on every machine."""
    return hashlib.blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _hashed(instances: Mapping[str, Any], estimates: Mapping[str, Any], edges: Iterable[Any]) -> dict[str, Any]:
    """Rows with their hashes, which cover estimate and dependencies too: a version of an instance is all of these."""
    leaving: dict[str, list[Any]] = {}
    for edge in edges:
        leaving.setdefault(edge.source_id, []).append(tuple(edge))
    hashed = {}
    for key, row in instances.items():
        # As a plain tuple, which is printed much faster than a named one.
        values = tuple(row)
        content_hash = fingerprint((values, tuple(estimates.get(key, ())), leaving.get(key)))
        hashed[key] = ComponentInstanceRow._make((*values[:_CONTENT_HASH], content_hash, *values[_CONTENT_HASH + 1 :]))
    return hashed


_CONTENT_HASH = ComponentInstanceRow._fields.index("content_hash")
# Looked up once: an enumeration's value costs a call each time.
_FRESH, _UNKNOWN, _UNSEEN = FreshnessState.FRESH.value, CostStatus.UNKNOWN.value, DriftState.UNKNOWN.value


def _edges(dependencies: Iterable[ResolvedDependency], estate: str, known: Mapping[str, Any]) -> Iterator[Any]:
    seen = set()
    for edge in dependencies:
        source, target = instance_id(estate, edge.source), instance_id(estate, edge.target)
        if source in known and (source, target, edge.via) not in seen:
            seen.add((source, target, edge.via))
            file, line, column = _spot(edge.location)
            yield DependencyRow(
                source_id=source, target_id=target, via=edge.via, kind=edge.kind, file=file, line=line, column=column
            )


# The layers of provenance in which an instance speaks for itself; in the others something speaks for it.
_OWN_LAYERS = frozenset(("component", "overrides"))


class _Maker:
    """Collects the rows of one stack. Mutable while the stack is walked, gone afterwards."""

    def __init__(self, stack: ResolvedStack, place: Place, position: Position, around: Surroundings) -> None:
        self._stack, self._place, self._position, self._around = stack, place, position, around
        self._id = global_id("Stack", around.estate, stack.name)
        self._estate_id = global_id("Estate", around.estate)
        self._currency = around.currencies.get(place.organization, "USD")
        self._owners = StackOwners(stack, place, around.authorities, around.resolved)
        self.instances: dict[str, Any] = {}
        self.documents: dict[str, Document] = {}
        self.estimates: dict[str, Any] = {}
        self.diagnostics: list[Diagnostic] = []
        self.facts: set[Fact] = set()
        self._complained: set[tuple[str, SourceLocation | None]] = set()

    def stack_row(self) -> Any:
        """The stack's own row, its hash still empty."""
        stack, place = self._stack, self._place
        redacted = self._around.writer.text
        replaced = self._around.writer.replaced
        row = StackRow(
            id=self._id,
            estate_id=self._estate_id,
            tenant_id=self._position.tenant_id,
            organization_id=self._position.organization_id,
            environment_id=self._position.environment_id,
            manifest_id=self._position.manifest_id,
            name=safe(stack.name),
            namespace=place.namespace,
            account=place.account,
            stage=place.stage,
            region=place.region,
            labels=redacted(labels(stack.vars, stack.metadata)),
            tags=_texts(stack.metadata.get("tags")),
            vars=redacted(stack.vars),
            state=FreshnessState.FRESH.value,
            **self._owners.of_stack(),
            row_hash="",
            content_hash="",
            removed_at=None,
        )
        self._note_replaced(replaced, None, SourceLocation(file=stack.manifest))
        return row

    def add(self, instance: ResolvedInstance) -> None:
        """Add one instance with its document, cost and diagnostics."""
        identity = instance_id(self._around.estate, (instance.stack, instance.type, instance.name))
        if identity in self.instances:
            message = f"{instance.type} {instance.name} clashes with another custom component of that name and is left out"
            complaint = Complaint(severity=Severity.ERROR, code="COMPONENT_CLASH", message=message)
            self._report(complaint, instance, instance.location)
            return
        path = component_path(instance, self._around.resolved.component_base_paths)
        component = self._around.components.get((kind_of(instance.type), path or ""))
        config_hash = self._document(instance, component)
        facts = self._facts_of(instance)
        cost = facts.cost or (component.cost if component else None)
        estimate = self._estimate(identity, instance, cost)
        self._note_facts(instance, facts, component)
        file, line, _ = _spot(instance.location)
        row = ComponentInstanceRow(
            id=identity,
            estate_id=self._estate_id,
            tenant_id=self._position.tenant_id,
            stack_id=self._id,
            component_id=self._around.component_ids.get((kind_of(instance.type), path or "")),
            type=kind_of(instance.type),
            name=safe(instance.name),
            abstract=instance.abstract,
            enabled=instance.enabled,
            locked=instance.locked,
            state=_FRESH,
            inherits=[safe(base) for base in instance.bases],
            workspace=_text(instance.sections.get("workspace")),
            backend_type=_text(instance.sections.get("backend_type")),
            labels=self._around.writer.text(self._labels(instance)),
            unresolved_dependencies=self._unresolved(instance),
            config_hash=config_hash,
            **self._owners.of_instance(instance, path),
            cost_estimate_id=None if estimate is None else estimate.id,
            cost_status=_UNKNOWN if estimate is None else estimate.status,
            monthly=None if estimate is None else estimate.monthly,
            currency=None if estimate is None else estimate.currency,
            drift=_UNSEEN,
            file=file,
            line=line,
            changed_at=None,
            content_hash="",
            removed_at=None,
        )
        self.instances[identity] = row

    def _document(self, instance: ResolvedInstance, component: ComponentFacts | None) -> str:
        writer = self._around.writer
        replaced = writer.replaced
        document, text = writer.document(instance.sections, component.code.sensitive if component else ())
        self._note_replaced(replaced, instance, instance.location)
        config_hash = hashlib.sha256(text.encode()).hexdigest()
        self.documents[config_hash] = document
        return config_hash

    def complaints(self) -> tuple[Diagnostic, ...]:
        """What is objectionable about the stack, its instances and their owners."""
        return (*self.diagnostics, *self._owners.diagnostics)

    def _note_replaced(self, before: int, instance: ResolvedInstance | None, location: SourceLocation | None) -> None:
        count = self._around.writer.replaced - before
        if count:
            message = f"{count} value{'s' if count > 1 else ''} that JSON or Postgres can't hold were replaced"
            self._report(Complaint(severity=Severity.WARNING, code="UNSTORABLE_VALUE", message=message), instance, location)

    def _labels(self, instance: ResolvedInstance) -> dict[str, Any]:
        variables, about = instance.sections.get("vars"), instance.sections.get("metadata")
        return labels(variables if isinstance(variables, Mapping) else {}, about if isinstance(about, Mapping) else {})

    def _unresolved(self, instance: ResolvedInstance) -> list[str]:
        return list(self._around.resolved.unresolved_dependencies.get((instance.stack, instance.type, instance.name), ()))

    def _estimate(self, identity: str, instance: ResolvedInstance, cost: Cost | None) -> Any:
        if cost is None:
            return None
        location = cost.location or self._spot_of(instance, cost.path)
        row = estimate_row("ComponentInstance", identity, cost, location)
        self.estimates[identity] = row
        return row

    def _note_facts(self, instance: ResolvedInstance, facts: Facts, component: ComponentFacts | None) -> None:
        for complaint in facts.complaints:
            location = self._spot_of(instance, complaint.path) or instance.location
            # One line of a shared file is one complaint, however many instances of this stack inherit it.
            if (complaint.message, location) not in self._complained:
                self._complained.add((complaint.message, location))
                self._report(complaint, instance, location)
        if component is not None and not instance.abstract:
            cost = facts.cost
            unplaced = cost and Cost(estimate=cost.estimate, problem=None, source=cost.source)
            described = None if "description" in component.code.sensitive else metadata.described(instance.sections)
            identity = self._around.component_ids[component.type, component.path]
            self.facts.add((identity, facts.category, facts.time, unplaced, described))

    def _facts_of(self, instance: ResolvedInstance) -> Facts:
        """What the instance's metadata says: read once for all instances that share it, unless it depends on who says it."""
        about = instance.sections.get("metadata")
        known = self._around.facts.get((id(about), self._currency))
        if known is None:
            asked: list[str] = []

            def own(path: str) -> bool:
                asked.append(path)
                return self._says(instance, path)

            known = about, metadata.read(about, self._currency, own)
            if not asked:
                self._around.facts[id(about), self._currency] = known
        return known[1]

    def _says(self, instance: ResolvedInstance, path: str) -> bool:
        """Whether the instance says the value at a path itself."""
        entries = self._around.resolved.provenance(instance.stack, instance.type, instance.name, path)
        return bool(entries) and entries[0].layer in _OWN_LAYERS

    def _report(self, complaint: Complaint, instance: ResolvedInstance | None, location: SourceLocation | None) -> None:
        self.diagnostics.append(
            Diagnostic(
                severity=complaint.severity,
                code=complaint.code,
                message=complaint.message,
                hint=complaint.hint,
                location=location,
                stack=self._stack.name,
                component=instance.name if instance else None,
            )
        )

    def _spot_of(self, instance: ResolvedInstance, path: str | None) -> SourceLocation | None:
        return None if path is None else self._around.resolved.origin(instance.stack, instance.type, instance.name, path)


def labels(variables: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
    """What selectors select on: `vars.tags`, over these `metadata.labels`; texts only."""
    found: dict[str, Any] = {}
    for container in (variables.get("tags"), about.get("labels")):
        if isinstance(container, Mapping):
            for key, value in container.items():
                if isinstance(value, str):
                    found[str(key)] = value
    return found


def _spot(location: SourceLocation | None) -> tuple[str | None, int | None, int | None]:
    return (None, None, None) if location is None else (safe(location.file), location.line, location.column)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: Any) -> list[str]:
    return [safe(item) for item in value if isinstance(item, str)] if isinstance(value, list) else []
