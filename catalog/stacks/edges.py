"""Resolves declared dependencies into edges between instances of the estate, each with the place where it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from catalog.stacks.dependencies import Declared, Key
from catalog.stacks.merging import EMPTY
from catalog.stacks.naming import TOKENS, context_of
from catalog.stacks.resolved import ResolvedDependency, ResolvedInstance
from catalog.stacks.stack_files import StackFile
from catalog.values import Diagnostic, Severity, SourceLocation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """One instance in its final stack, with the stack file that gave it and its number there."""

    instance: ResolvedInstance
    source: StackFile = field(repr=False)
    number: int

    @property
    def declared(self) -> tuple[Declared, ...]:
        """The instance's dependencies as written."""
        return self.source.declared[self.number]


Places = Mapping[tuple[str, str], Place]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edges:
    """The edges that leave one stack's instances, what resolved to nothing, and the diagnostics of that."""

    found: tuple[ResolvedDependency, ...] = ()
    unresolved: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    missing: tuple[Diagnostic, ...] = ()


def is_local(places: Places) -> bool:
    """Tell whether no dependency of the stack's instances looks into another stack."""
    return not any(wanted.stack or wanted.context for place in places.values() for wanted in place.declared)


class Targets:
    """Finds the instances that declarations mean, in all stacks; what only few declarations ask for is worked out on demand."""

    def __init__(self, stacks: Mapping[str, Places]) -> None:
        self._stacks = stacks

    def find(self, source: Key, variables: Mapping[str, Any], wanted: Declared) -> list[Key]:
        """Return the instances that a declaration leaving its stack means, the source itself left out."""
        if wanted.stack:
            stack = wanted.stack if wanted.stack in self._stacks else self._manifests.get(wanted.stack, "")
            return in_stack(stack, self._stacks.get(stack, {}), wanted.component, source)
        asked = {**{token: variables.get(token) for token in TOKENS}, **dict(wanted.context)}
        return [key for key, entry in self._by_name.get(wanted.component, ()) if key != source and _fits(entry, asked)]

    @cached_property
    def _manifests(self) -> Mapping[str, str]:
        """Stacks by the names of their manifests, by which Atmos also reaches them."""
        return {place.source.name: stack for stack, places in self._stacks.items() for place in places.values()}

    @cached_property
    def _by_name(self) -> Mapping[str, list[tuple[Key, Mapping[str, Any]]]]:
        found: dict[str, list[tuple[Key, Mapping[str, Any]]]] = {}
        for stack, places in self._stacks.items():
            for (kind, name), place in places.items():
                found.setdefault(name, []).append(((stack, kind, name), place.instance.sections))
        return found


def in_stack(stack: str, places: Places, name: str, source: Key) -> list[Key]:
    """Return the instances of that name in one stack, whatever their type; Spacelift also writes `stack-component`."""
    for written in (name, name.removeprefix(stack + "-")):
        keys = [(stack, kind, written) for kind in _kinds(places) if (kind, written) in places and (stack, kind, written) != source]
        if keys:
            return keys
    return []


def _kinds(places: Places) -> list[str]:
    return sorted({kind for kind, _ in places})


def _fits(entry: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    context = context_of(entry.get("vars"))
    return all(asked[token] == context.get(token) for token in TOKENS)


def edges_of(places: Places, targets: Targets | None) -> Edges:
    """Return the edges of one stack's instances; `targets` is needed where a declaration looks into another stack."""
    found: list[ResolvedDependency] = []
    unresolved: dict[Key, tuple[str, ...]] = {}
    missing: list[Diagnostic] = []
    for (kind, name), place in places.items():
        key = (place.instance.stack, kind, name)
        for wanted in place.declared:
            location = _location(place, wanted)
            answers = _answers(key, places, place, wanted, targets)
            found += [
                ResolvedDependency(
                    source=key,
                    target=target,
                    kind="INFERRED" if wanted.is_inferred else "DECLARED",
                    via=wanted.via,
                    location=location,
                )
                for target in answers
            ]
            if not answers:
                unresolved[key] = (*unresolved.get(key, ()), wanted.text)
                missing += _missing(place, wanted, location)
    return Edges(found=tuple(found), unresolved=unresolved, missing=tuple(missing))


def _answers(key: Key, places: Places, place: Place, wanted: Declared, targets: Targets | None) -> list[Key]:
    """The instances that a declaration means: those of the kind it names or of the source's own, where there is a choice."""
    if wanted.is_templated:
        return []
    if wanted.stack or wanted.context:
        assert targets is not None
        found = targets.find(key, place.instance.sections.get("vars") or EMPTY, wanted)
    else:
        found = in_stack(key[0], places, wanted.component, key)
    kinds = {target[1] for target in found}
    preferred = next((kind for kind in (wanted.kind, key[1]) if kind in kinds), None)
    return [target for target in found if preferred in (None, target[1])]


def _location(place: Place, wanted: Declared) -> SourceLocation | None:
    """Where a declaration is written: the component's own manifest, else a base's, else where the component is."""
    merged, built = place.source.merged, place.source.built[place.number]
    for name in (built.name, *built.chain.names):
        mention = merged.mentions.get((built.type, name)) if merged else None
        found = mention.location(("components", built.type, name, *wanted.path)) if mention else None
        if found is not None:
            return found
    return place.instance.location


def _missing(place: Place, wanted: Declared, location: SourceLocation | None) -> Iterator[Diagnostic]:
    if not wanted.is_templated:
        yield Diagnostic(
            severity=Severity.WARNING,
            code="DEPENDENCY",
            message=f"{place.instance.name} depends on {wanted.text}, which the estate doesn't define",
            hint=f"Correct or remove {wanted.via}.",
            location=location,
            stack=place.instance.stack,
            component=place.instance.name,
        )
