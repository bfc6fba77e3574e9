"""Puts resolved stack files together into one estate: names that clash, edges between instances, and what is told of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import is_
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import provenance, validation
from catalog.stacks.atmos_config import COMPONENT_TYPES, AtmosConfig
from catalog.stacks.dependencies import Declared, Key, Targets
from catalog.stacks.findings import Findings, ordered
from catalog.stacks.manifests import Manifest, Manifests
from catalog.stacks.merging import EMPTY
from catalog.stacks.resolved import (
    ProvenanceEntry,
    ResolvedDependency,
    ResolvedEstate,
    ResolvedInstance,
    ResolvedManifest,
    ResolvedStack,
    WorkflowManifest,
)
from catalog.stacks.stack_files import StackFile, renamed
from catalog.values import Diagnostic, Severity, SourceLocation

_PER_MANIFEST = ("atmos_manifest", "atmos_stack_file")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """One instance in its final stack, with the stack file that gave it and its number there."""

    instance: ResolvedInstance
    source: StackFile
    number: int

    @property
    def key(self) -> Key:
        """The instance's natural key."""
        return self.instance.stack, self.instance.type, self.instance.name


def assemble(
    config: AtmosConfig,
    manifests: Manifests,
    stacks: Mapping[str, StackFile],
    workflows: tuple[WorkflowManifest, ...],
    findings: Findings,
    *,
    memory: object,
    previous: ResolvedEstate | None = None,
) -> ResolvedEstate:
    """Return the whole estate; `memory` is handed through for the next, incremental reading.

    Stacks that are what they were in the previous reading are the same objects again.
    """
    placed = _placed(stacks, findings)
    edges, unresolved, missing = _edges(placed.values())
    read = manifests.read_paths()
    return ResolvedEstate(
        stacks=_stacks(placed.values(), previous),
        manifests=_manifests(manifests, stacks),
        dependencies=edges,
        unresolved_dependencies=unresolved,
        workflows=workflows,
        diagnostics=ordered(
            (
                *findings.diagnostics,
                *(note for item in read.values() if isinstance(item, Manifest) for note in item.diagnostics),
                *(note for stack in stacks.values() for note in stack.diagnostics),
                *missing,
            )
        ),
        broken=frozenset(stack.file for stack in stacks.values() if stack.error is not None),
        broken_instances=frozenset((stack.file, *lost) for stack in stacks.values() for lost in stack.lost),
        component_base_paths={kind: base for kind in COMPONENT_TYPES if (base := config.component_base_path(kind))},
        provenance=_Provenance(placed),
        empty_stacks=tuple(_empty_names(config, stacks.values())),
        memory=memory,
    )


def _placed(stacks: Mapping[str, StackFile], findings: Findings) -> dict[Key, Placed]:
    """Give each instance its place.

    Of two that are alike the last manifest's stays; where two differ, lenient reading names both stacks by their manifests.
    """
    placed: dict[Key, Placed] = {}
    clashes: dict[tuple[str, str], Key] = {}
    for source in stacks.values():
        for number, instance in enumerate(source.instances):
            key = (instance.stack, instance.type, instance.name)
            other = placed.get(key)
            if other is not None and not findings.strict and not _are_alike(other.instance, instance):
                clashes.setdefault((other.source.path, instance.stack), key)
                clashes.setdefault((source.path, instance.stack), key)
            placed[key] = Placed(instance=instance, source=source, number=number)
    return _renamed(stacks, clashes, findings) if clashes else placed


def _are_alike(one: ResolvedInstance, other: ResolvedInstance) -> bool:
    """Abstract components are never deployed, so that copies of them may differ."""
    if one.abstract and other.abstract:
        return True
    keys = one.sections.keys() | other.sections.keys()
    return all(one.sections.get(key) == other.sections.get(key) for key in keys if key not in _PER_MANIFEST)


def _renamed(stacks: Mapping[str, StackFile], clashes: Mapping[tuple[str, str], Key], findings: Findings) -> dict[Key, Placed]:
    for (path, stack), key in clashes.items():
        source = stacks[path]
        others = [stacks[other].name for other, name in clashes if name == stack]
        error = validation.duplicate(key[2], stack, others)
        findings.note(
            Severity.WARNING,
            error.code,
            error.message.partition("\n")[0],
            hint=f"The stack is named by its manifest, '{source.name}'.",
            location=SourceLocation(file=source.file, line=1),
        )
    placed: dict[Key, Placed] = {}
    for source in stacks.values():
        for number, found in enumerate(source.instances):
            instance = renamed(found, source.name) if (source.path, found.stack) in clashes else found
            place = Placed(instance=instance, source=source, number=number)
            placed[place.key] = place
    return placed


def _stacks(placed: Iterable[Placed], previous: ResolvedEstate | None) -> tuple[ResolvedStack, ...]:
    by_name: dict[str, list[Placed]] = {}
    for place in placed:
        by_name.setdefault(place.instance.stack, []).append(place)
    known = {stack.name: stack for stack in previous.stacks} if previous else {}
    return tuple(_stack(name, by_name[name], known.get(name)) for name in sorted(by_name))


def _stack(name: str, places: list[Placed], known: ResolvedStack | None) -> ResolvedStack:
    source = min((place.source for place in places), key=lambda stack: stack.path)
    instances = tuple(sorted((place.instance for place in places), key=lambda item: (item.type, item.name)))
    roots = {section: source.root(section) for section in ("vars", "settings", "metadata")}
    if (
        known is not None
        and known.manifest == source.file
        and len(known.instances) == len(instances)
        and all(map(is_, known.instances, instances))
        and all(getattr(known, section) is root for section, root in roots.items())
    ):
        return known
    return ResolvedStack(name=name, manifest=source.file, instances=instances, **roots)


def _edges(
    placed: Iterable[Placed],
) -> tuple[tuple[ResolvedDependency, ...], dict[Key, tuple[str, ...]], list[Diagnostic]]:
    places = list(placed)
    targets = Targets((place.key, place.instance.sections) for place in places)
    edges: list[ResolvedDependency] = []
    unresolved: dict[Key, tuple[str, ...]] = {}
    missing: list[Diagnostic] = []
    for place in places:
        for declared in place.source.declared[place.number]:
            found = targets.find(place.key, place.instance.sections.get("vars") or EMPTY, declared)
            location = _declared_location(place, declared)
            edges += [
                ResolvedDependency(source=place.key, target=target, kind="DECLARED", via=declared.via, location=location)
                for target in found
            ]
            if not found:
                unresolved[place.key] = (*unresolved.get(place.key, ()), declared.text)
                missing += _missing(place, declared, location)
    return tuple(edges), unresolved, missing


def _missing(place: Placed, declared: Declared, location: SourceLocation | None) -> Iterator[Diagnostic]:
    if "{{" not in declared.text:
        yield Diagnostic(
            severity=Severity.WARNING,
            code="DEPENDENCY",
            message=f"{place.instance.name} depends on {declared.text}, which the estate doesn't define",
            hint=f"Correct or remove {declared.via}.",
            location=location,
            stack=place.instance.stack,
            component=place.instance.name,
        )


def _declared_location(place: Placed, declared: Declared) -> SourceLocation | None:
    """Where a declaration is written: the component's own manifest, else a base's, else where the component is."""
    merged, built = place.source.merged, place.source.built[place.number]
    for name in (built.name, *built.chain.names):
        mention = merged.mentions.get((built.type, name)) if merged else None
        found = mention.location(("components", built.type, name, *declared.path)) if mention else None
        if found is not None:
            return found
    return place.instance.location


def _manifests(manifests: Manifests, stacks: Mapping[str, StackFile]) -> tuple[ResolvedManifest, ...]:
    found = (item for item in manifests.read_paths().values() if isinstance(item, Manifest))
    return tuple(
        ResolvedManifest(
            path=manifest.file,
            name=manifest.name,
            content_hash=manifest.content_hash,
            top_level=manifest.path in stacks,
            imports=tuple(manifests.relative_to_estate(path) for path in imported_paths(manifests, manifest)),
        )
        for manifest in sorted(found, key=lambda item: item.file)
    )


def imported_paths(manifests: Manifests, manifest: Manifest) -> list[str]:
    """Every tree path that a manifest's imports mean, in order; imports that mean nothing are left out."""
    paths: list[str] = []
    for wanted in manifest.imports:
        try:
            paths += manifests.resolver.find(wanted, manifest.relative, manifest.path)
        except EstateError:
            continue
    return paths


def _empty_names(config: AtmosConfig, stacks: Iterable[StackFile]) -> Iterator[str]:
    """Names of manifests without components, where a name can be told without any."""
    for stack in stacks:
        if stack.error is None and not stack.instances and not stack.lost:
            name = stack.merged.value.get("name") if stack.merged else None
            if isinstance(name, str) and name:
                yield name
            elif not config.name_template and not config.name_pattern:
                yield stack.name


class _Provenance:
    """Answers (stack, type, name, path): who set the value, the last word first."""

    def __init__(self, placed: Mapping[Key, Placed]) -> None:
        self._placed = placed

    def __call__(self, stack: str, kind: str, name: str, path: str) -> Sequence[ProvenanceEntry]:
        place = self._placed.get((stack, kind, name))
        if place is None or place.source.merged is None:
            return ()
        entry: Any = place.instance.sections
        return provenance.trace(place.source.merged, place.source.built[place.number], entry, path)
