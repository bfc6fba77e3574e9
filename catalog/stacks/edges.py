"""Resolves declared dependencies into edges between instances of the estate, each with the place where it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from catalog.stacks import cycles
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
    """The edges that leave one stack's instances, what resolved to nothing, and what people should know of both."""

    found: tuple[ResolvedDependency, ...] = ()
    unresolved: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[Diagnostic, ...] = ()


def is_local(places: Places) -> bool:
    """Tell whether no dependency of the stack's instances looks into another stack."""
    return not any(
        wanted.stack
        or wanted.context
        or (wanted.slug and not in_stack(place.instance.stack, places, wanted.component, _key(place)))
        for place in places.values()
        for wanted in place.declared
    )


def _key(place: Place) -> Key:
    return (place.instance.stack, place.instance.type, place.instance.name)


class Targets:
    """Finds the instances that declarations mean, in all stacks; what only few declarations ask for is worked out on demand."""

    def __init__(self, stacks: Mapping[str, Places]) -> None:
        self._stacks = stacks

    def find(self, source: Key, variables: Mapping[str, Any], wanted: Declared) -> list[Key]:
        """Return the instances that a declaration leaving its stack means, the source itself left out."""
        if wanted.stack:
            stack = wanted.stack if wanted.stack in self._stacks else self._manifests.get(wanted.stack, "")
            return in_stack(stack, self._stacks.get(stack, {}), wanted.component, source)
        if wanted.slug:
            return [key for key in self._of_slug(wanted) if key != source]
        asked = {**{token: variables.get(token) for token in TOKENS}, **dict(wanted.context)}
        return [key for key, entry in self._by_name.get(wanted.component, ()) if key != source and _fits(entry, asked)]

    def _of_slug(self, wanted: Declared) -> list[Key]:
        """The instances that one word for stack and component means; a key of a store may have a prefix before it."""
        words = wanted.slug.split("-")
        starts = range(len(words)) if wanted.tentative else (0,)
        return next((found for start in starts if (found := self._slugs.get("-".join(words[start:])))), [])

    @cached_property
    def _slugs(self) -> Mapping[str, list[Key]]:
        found: dict[str, list[Key]] = {}
        for stack, places in self._stacks.items():
            for kind, name in places:
                found.setdefault(f"{stack}-{name}".replace("/", "-"), []).append((stack, kind, name))
        return found

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
    notes: list[Diagnostic] = []
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
                notes += _missing(place, wanted, location)
            if wanted.path[0] == "depends_on":
                notes.append(_dropped(wanted, location))
    return Edges(found=tuple(found), unresolved=unresolved, notes=(*dict.fromkeys(notes), *cycles.within(found)))


def _answers(key: Key, places: Places, place: Place, wanted: Declared, targets: Targets | None) -> list[Key]:
    """The instances that a declaration means: those of the kind it names or of the source's own, where there is a choice."""
    if wanted.is_templated:
        return []
    found = [] if wanted.stack or wanted.context else in_stack(key[0], places, wanted.component, key)
    if not found and (wanted.stack or wanted.context or wanted.slug):
        assert targets is not None
        found = targets.find(key, place.instance.sections.get("vars") or EMPTY, wanted)
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


def _dropped(wanted: Declared, location: SourceLocation | None) -> Diagnostic:
    return Diagnostic(
        severity=Severity.INFO,
        code="DEPENDENCY_DROPPED",
        message="Atmos drops a `depends_on` that stands beside a component's sections; the catalog reads it",
        hint=f"Write `dependencies: {{components: [{{component: {wanted.component}}}]}}`.",
        location=location,
    )


def _missing(place: Place, wanted: Declared, location: SourceLocation | None) -> Iterator[Diagnostic]:
    if not wanted.is_templated and not wanted.tentative:
        yield Diagnostic(
            severity=Severity.WARNING,
            code="DEPENDENCY",
            message=f"{place.instance.name} depends on {wanted.text}, which the estate doesn't define",
            hint=f"Correct or remove {wanted.via}.",
            location=location,
            stack=place.instance.stack,
            component=place.instance.name,
        )
