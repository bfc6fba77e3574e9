"""`describe dependents`: which instances depend on one, from a resolved estate, as Atmos tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import declarations
from catalog.stacks.declarations import Wanted
from catalog.stacks.files import join
from catalog.stacks.integrations import Integrations
from catalog.stacks.json_text import Record
from catalog.stacks.merging import Map
from catalog.stacks.naming import TOKENS
from catalog.stacks.resolved import ResolvedEstate, ResolvedInstance

_WITH_CODE = ("terraform", "helmfile", "packer")

Meant = str | tuple[str, ...]  # a stack, or the tokens of a context


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """One declaration: who declares it, and the declaring instance's context."""

    instance: ResolvedInstance
    context: Map
    wanted: Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependents:
    """Answers who depends on an instance, for one estate; its declarations are read once.

    `only_in_stack` names the one stack whose instances may be dependents. Made by `of`.
    """

    estate: ResolvedEstate = field(repr=False)
    integrations: Integrations
    include_settings: bool
    places: Mapping[tuple[str, Meant], list[_Place]] = field(repr=False)
    records: dict[tuple[str, str, str], Map] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        estate: ResolvedEstate,
        integrations: Integrations,
        *,
        include_settings: bool = False,
        only_in_stack: str | None = None,
        lenient: bool = False,
    ) -> Dependents:
        """Read the declarations of an estate; raises EstateError for a context variable of a wrong type, unless lenient."""
        places: dict[tuple[str, Meant], list[_Place]] = {}
        for instance in _deployed(estate, only_in_stack):
            for place in _declared(instance, lenient=lenient):
                places.setdefault((place.wanted.component, _meant(place)), []).append(place)
        return cls(estate=estate, integrations=integrations, include_settings=include_settings, places=places)

    def describe(self, component: str, stack: str) -> list[Map]:
        """Return what `describe dependents` prints; raises NotFound for an unknown component.

        A stack that is named by its manifest's path is all that Atmos then reads, and dependencies don't name it so.
        """
        assert self.estate.describe is not None
        instance = self.estate.describe(component, stack)
        is_path = not any(each.name == stack for each in self.estate.stacks)
        found = self._of(instance, component, stack)
        return [self._record(place.instance) for place in found if not is_path or place.instance.manifest == instance.manifest]

    def all_of(self, instance: ResolvedInstance) -> list[Map]:
        """Return the dependents of an instance with theirs, and theirs in turn; raises EstateError where they go in a circle."""
        return self._tree(instance, ())

    def _tree(self, instance: ResolvedInstance, above: tuple[tuple[str, str], ...]) -> list[Map]:
        key = (instance.stack, instance.name)
        if key in above:
            return []
        found = self._of(instance, instance.name, instance.stack)
        return [
            Record({**self._record(place.instance), "dependents": self._tree(place.instance, (*above, key))}) for place in found
        ]

    def _of(self, instance: ResolvedInstance, name: str, stack: str) -> list[_Place]:
        if not isinstance(instance.sections.get("vars"), dict):
            return []
        context = declarations.context(instance.sections["vars"])
        places = chain(self.places.get((name, stack), ()), self.places.get((name, _tokens(context)), ()))
        return sorted((place for place in places if place.instance.name != name and _is_meant(place, context)), key=_order)

    def _record(self, instance: ResolvedInstance) -> Map:
        key = (instance.stack, instance.type, instance.name)
        known = self.records.get(key)
        if known is None:
            known = self.records[key] = self._made(instance)
        return known

    def _made(self, instance: ResolvedInstance) -> Map:
        context = declarations.context(instance.sections["vars"])
        settings = instance.sections.get("settings")
        return Record(
            {
                "component": instance.name,
                "component_type": instance.type,
                "component_path": code_path(self.estate, instance, instance.type),
                **{token: context[token] for token in TOKENS if context.get(token)},
                "stack": instance.stack,
                "stack_slug": slug(instance),
                **self.integrations.known_names(instance),
                "dependents": None,
                "included_in_dependents": False,
                "settings": settings if self.include_settings else None,
            }
        )


def _deployed(estate: ResolvedEstate, only_in_stack: str | None) -> Iterator[ResolvedInstance]:
    for stack in estate.stacks:
        for instance in stack.instances:
            is_wanted = only_in_stack is None or only_in_stack in (stack.name, instance.sections.get("atmos_stack_file"))
            if is_wanted and not instance.abstract and instance.enabled and isinstance(instance.sections.get("vars"), dict):
                yield instance


def _declared(instance: ResolvedInstance, *, lenient: bool) -> Iterator[_Place]:
    wanted = declarations.components(instance.sections)
    if not wanted and lenient:
        return
    context = _context(instance, lenient=lenient)
    if context is not None:
        for each in wanted:
            yield _Place(instance=instance, context=context, wanted=each)


def _context(instance: ResolvedInstance, *, lenient: bool) -> Map | None:
    try:
        return declarations.context(instance.sections["vars"])
    except EstateError:
        if lenient:
            return None
        raise


def _meant(place: _Place) -> Meant:
    """The stack whose component a declaration can mean, or the context that the component must have, in whatever stack."""
    wanted = place.wanted
    if wanted.stack:
        return wanted.stack
    if wanted.context is None or not any(map(wanted.context.get, TOKENS)):
        return place.instance.stack
    return _expected(place, wanted.context)


def _is_meant(place: _Place, context: Map) -> bool:
    """Tell whether a declaration that means a component by its stack or context means the one with that context."""
    return place.wanted.context is None or _expected(place, place.wanted.context) == _tokens(context)


def _expected(place: _Place, wanted: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(wanted.get(token) or place.context.get(token, "") for token in TOKENS)


def _tokens(context: Map) -> tuple[str, ...]:
    return tuple(context.get(token, "") for token in TOKENS)


def _order(place: _Place) -> tuple[str, str, str, str]:
    instance = place.instance
    return slug(instance), instance.name, instance.stack, instance.type


def slug(instance: ResolvedInstance) -> str:
    """Return the one word that names an instance: its stack and its name."""
    return f"{instance.stack}-{instance.name.replace('/', '-')}"


def code_path(estate: ResolvedEstate, instance: ResolvedInstance, kind: str) -> str:
    """Return where an instance's code lies, as Atmos prints it: relative to where it is run; empty for other types."""
    if kind not in _WITH_CODE:
        return ""
    written: Any = estate.config.get("base_path", otherwise="") if estate.config else ""
    folder = instance.sections.get("component")
    name = folder if isinstance(folder, str) and folder else instance.name
    return join(str(written), estate.component_base_paths.get(kind, ""), name)
