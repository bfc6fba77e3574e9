"""Puts resolved stack files together into one estate: names that clash, edges between instances, and what is told of the rest.

The work is cut into parts, one a stack. A part that is made of the same stack files as in the previous reading is that part again,
down to the same objects, so that putting an estate together after an edit costs what the edit touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from catalog.stacks import cycles, foreign, provenance, validation
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.components import Built
from catalog.stacks.decoding import COMPONENT_TYPES
from catalog.stacks.edges import Edges, Place, Targets, edges_of, is_local
from catalog.stacks.findings import Findings, ordered
from catalog.stacks.manifests import Manifests, Merged
from catalog.stacks.resolved import (
    ProvenanceEntry,
    ResolvedEstate,
    ResolvedInstance,
    ResolvedManifest,
    ResolvedStack,
    WorkflowManifest,
)
from catalog.stacks.stack_files import StackFile, renamed
from catalog.values import Severity, SourceLocation

_PER_MANIFEST = ("atmos_manifest", "atmos_stack_file")

# A stack file's claim on a stack: the file, and the name that its instances gave themselves.
Claim = tuple[StackFile, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """One stack: the claims that make it, its instances by (type, name), and its edges where none leaves the stack."""

    claims: tuple[Claim, ...]
    stack: ResolvedStack
    places: Mapping[tuple[str, str], Place] = field(repr=False)
    edges: Edges | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assembly:
    """What an assembled estate keeps for the next: the reading it was made of, its parts by stack name, its manifests by path."""

    reading: Any = field(repr=False)
    parts: Mapping[str, Part] = field(repr=False)
    manifests: Mapping[str, ResolvedManifest] = field(repr=False)


def assemble(
    config: AtmosConfig,
    manifests: Manifests,
    stacks: Mapping[str, StackFile],
    workflows: tuple[WorkflowManifest, ...],
    findings: Findings,
    *,
    reading: object,
    previous: ResolvedEstate | None = None,
) -> ResolvedEstate:
    """Return the whole estate; stacks that are what they were in the previous reading are the same objects again."""
    old: Assembly | None = previous.memory if previous is not None else None
    parts = _parts(stacks, findings, old)
    edges = _all_edges(parts)
    leaving = {part.stack.name: item.found for part, item in zip(parts.values(), edges, strict=True) if part.edges is None}
    told = _manifests(manifests, stacks, old)
    read = manifests.read_paths()
    told_by = _Provenance(parts)
    notes = chain(
        findings.diagnostics,
        (note for items in read.values() if isinstance(items, tuple) for item in items for note in item.diagnostics),
        (note for stack in stacks.values() for note in stack.diagnostics),
        (note for item in edges for note in item.notes),
        cycles.between(leaving),
    )
    return ResolvedEstate(
        stacks=tuple(part.stack for part in parts.values()),
        manifests=tuple(sorted(told.values(), key=lambda item: item.path)),
        dependencies=tuple(chain.from_iterable(item.found for item in edges)),
        unresolved_dependencies={key: texts for item in edges for key, texts in item.unresolved.items()},
        workflows=workflows,
        diagnostics=ordered(notes if findings.strict else foreign.told(_foreign(manifests, config), notes)),
        broken=frozenset(stack.file for stack in stacks.values() if stack.error is not None),
        broken_instances=frozenset((stack.file, *lost) for stack in stacks.values() for lost in stack.lost),
        component_base_paths={kind: base for kind in COMPONENT_TYPES if (base := config.component_base_path(kind))},
        provenance=told_by,
        origin=told_by.origin,
        empty_stacks=tuple(_empty_names(config, stacks)),
        config=config,
        memory=Assembly(reading=reading, parts=parts, manifests=told),
    )


def _foreign(manifests: Manifests, config: AtmosConfig) -> dict[str, str]:
    """What each file that was read and is no manifest looks like, by its path in the estate."""
    looks = foreign.Foreign(manifests.files, config.stacks_path)
    found: dict[str, str] = {}
    for path, read in manifests.read_paths().items():
        kind = looks.kind(path, read[0].value if isinstance(read, tuple) else None)
        if kind is not None:
            found[manifests.relative_to_estate(path)] = kind
    return found


def _parts(stacks: Mapping[str, StackFile], findings: Findings, old: Assembly | None) -> dict[str, Part]:
    claims: dict[str, list[Claim]] = {}
    for source in stacks.values():
        for name in source.names:
            claims.setdefault(name, []).append((source, name))
    if not findings.strict:
        for name in [name for name, found in claims.items() if len(found) > 1]:
            _settle(name, claims, findings)
    known = old.parts if old is not None else {}
    return {name: _part(name, tuple(claims[name]), known.get(name)) for name in sorted(claims)}


def _settle(name: str, claims: dict[str, list[Claim]], findings: Findings) -> None:
    """Where files define one component of a stack differently, give each of them a stack of its own, named by its manifest."""
    first: dict[tuple[str, str], tuple[StackFile, ResolvedInstance]] = {}
    clashing: dict[StackFile, tuple[str, str]] = {}
    for source, _ in claims[name]:
        for instance in source.instances:
            if instance.stack == name:
                key = (instance.type, instance.name)
                other, same = first.setdefault(key, (source, instance))
                if other is not source and not _are_alike(same, instance):
                    clashing.setdefault(other, key)
                    clashing.setdefault(source, key)
    for source, key in clashing.items():
        error = validation.duplicate(key[1], name, [other.name for other in clashing])
        findings.note(
            Severity.WARNING,
            error.code,
            error.message.partition("\n")[0],
            hint=f"The stack is named by its manifest, '{source.name}'.",
            location=SourceLocation(file=source.file, line=1),
        )
        claims.setdefault(source.name, []).append((source, name))
    claims[name] = [claim for claim in claims[name] if claim[0] not in clashing]
    if not claims[name]:
        del claims[name]


def _are_alike(one: ResolvedInstance, other: ResolvedInstance) -> bool:
    """Abstract components are never deployed, so that copies of them may differ; a real one stands before them."""
    if one.abstract or other.abstract:
        return True
    keys = one.sections.keys() | other.sections.keys()
    return all(one.sections.get(key) == other.sections.get(key) for key in keys if key not in _PER_MANIFEST)


def _part(name: str, claims: tuple[Claim, ...], known: Part | None) -> Part:
    # Stack files compare by identity: equal claims are the very same files.
    if known is not None and known.claims == claims:
        return known
    places: dict[tuple[str, str], Place] = {}
    for source, named in claims:
        for number, found in enumerate(source.instances):
            if found.stack == named:
                instance = found if named == name else renamed(found, name)
                former = places.get((found.type, found.name))
                if former is not None and found.abstract and not former.instance.abstract:
                    continue
                places[found.type, found.name] = Place(instance=instance, source=source, number=number)
    source = min((claim[0] for claim in claims), key=lambda file: file.path)
    stack = ResolvedStack(
        name=name,
        manifest=source.file,
        vars=source.root("vars"),
        settings=source.root("settings"),
        metadata=source.root("metadata"),
        instances=tuple(places[key].instance for key in sorted(places)),
    )
    return Part(claims=claims, stack=stack, places=places, edges=edges_of(places, None) if is_local(places) else None)


def _all_edges(parts: Mapping[str, Part]) -> list[Edges]:
    targets = Targets({name: part.places for name, part in parts.items()})
    return [part.edges if part.edges is not None else edges_of(part.places, targets) for part in parts.values()]


def _manifests(manifests: Manifests, stacks: Mapping[str, StackFile], old: Assembly | None) -> dict[str, ResolvedManifest]:
    known = old.manifests if old is not None else {}
    imports = manifests.imports_of()
    result: dict[str, ResolvedManifest] = {}
    for path, found in manifests.read_paths().items():
        if isinstance(found, tuple):
            told = ResolvedManifest(
                path=found[0].file,
                name=found[0].name,
                content_hash=found[0].content_hash,
                top_level=path in stacks,
                imports=tuple(map(manifests.relative_to_estate, imports.get(path, ()))),
            )
            result[path] = known[path] if path in known and known[path] == told else told
    return result


def _empty_names(config: AtmosConfig, stacks: Mapping[str, StackFile]) -> Iterator[str]:
    """Names of manifests without components, where a name can be told without any."""
    for stack in stacks.values():
        if stack.error is None and not stack.instances and not stack.lost:
            name = stack.merged.value.get("name") if stack.merged else None
            if isinstance(name, str) and name:
                yield name
            elif not config.name_template and not config.name_pattern:
                yield stack.name


class _Provenance:
    """Answers (stack, type, name, path): who set the value, the last word first."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._parts = parts

    def __call__(self, stack: str, kind: str, name: str, path: str) -> Sequence[ProvenanceEntry]:
        found = self._found(stack, kind, name)
        return () if found is None else provenance.trace(*found, path)

    def origin(self, stack: str, kind: str, name: str, path: str) -> SourceLocation | None:
        """Where the last word is written."""
        found = self._found(stack, kind, name)
        return None if found is None else provenance.origin(*found, path)

    def _found(self, stack: str, kind: str, name: str) -> tuple[Merged, Built, Any] | None:
        part = self._parts.get(stack)
        place = part.places.get((kind, name)) if part is not None else None
        if place is None or place.source.merged is None:
            return None
        return place.source.merged, place.source.built[place.number], place.instance.sections
