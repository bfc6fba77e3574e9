"""What `atmos describe stacks` and `describe component` print, from a resolved estate, and the text in which it is printed."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import config_sources, encoding, json_text, scalars
from catalog.stacks.integrations import Integrations
from catalog.stacks.json_text import Record
from catalog.stacks.merging import Map
from catalog.stacks.resolved import ProvenanceEntry, ResolvedEstate, ResolvedInstance, ResolvedStack

# What `describe component` shows unless told otherwise: the sections that a manifest can define.
SCHEMA_KEYS = (
    "backend",
    "component",
    "dependencies",
    "env",
    "hooks",
    "imports",
    "metadata",
    "overrides",
    "providers",
    "settings",
    "vars",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """The instances that `describe stacks` is asked for; an empty one asks for all.

    `stack` is a stack's name or its manifest's; `components` also takes every instance of a physical component.
    """

    stack: str | None = None
    components: Collection[str] = ()
    component_types: Collection[str] = ()

    def takes(self, instance: ResolvedInstance) -> bool:
        """Tell whether an instance is asked for."""
        return (
            (self.stack is None or self.stack in (instance.stack, instance.sections.get("atmos_stack_file")))
            and (not self.component_types or instance.type in self.component_types)
            and (not self.components or instance.name in self.components or instance.component in self.components)
        )


def stacks(
    resolved: ResolvedEstate,
    wanted: Filter = Filter(),
    *,
    sections: Collection[str] = (),
    include_empty_stacks: bool = False,
) -> Map:
    """Return what `describe stacks` prints: stack → components → type → name → entry."""
    result: Map = {}
    if include_empty_stacks:
        result = {name: {"components": {}} for name in resolved.empty_stacks if wanted.stack in (None, name)}
    for instance in filter(wanted.takes, _instances(resolved.stacks)):
        entry = {key: value for key, value in instance.sections.items() if key in sections} if sections else instance.sections
        if entry:
            below = result.setdefault(instance.stack, {"components": {}})["components"]
            below.setdefault(instance.type, {})[instance.name] = entry
    return result


def component(
    resolved: ResolvedEstate, integrations: Integrations, name: str, stack: str, *, kind: str | None = None
) -> ResolvedInstance:
    """Return an instance with the whole entry that `describe component` tells; raises EstateError in Atmos' words.

    Only this component is evaluated, and its templates see the keys that only this command adds.
    """
    assert resolved.describe is not None
    raw: list[ResolvedInstance] = []

    def more(found: ResolvedInstance) -> Map:
        raw.append(found)
        return {"imports": imports(resolved, found), **integrations.names(found, is_described=True)}

    found = resolved.describe(name, stack, kind, more=more)
    told = config_sources.sources(resolved, raw[0], asked(resolved, raw[0]))
    last, every = config_sources.deps(told, str(found.sections["atmos_stack_file"]))
    return replace(
        found, sections={**found.sections, "sources": told, "deps": last, "deps_all": every, "component_type": found.type}
    )


def asked(resolved: ResolvedEstate, instance: ResolvedInstance) -> Callable[[str], Sequence[ProvenanceEntry]]:
    """Return who answers where the values of an instance come from, whatever name it was asked for by."""
    stack = next(
        (
            each.stack
            for each in _instances(resolved.stacks)
            if (each.manifest, each.type, each.name) == (instance.manifest, instance.type, instance.name)
        ),
        instance.stack,
    )
    return lambda path: resolved.provenance(stack, instance.type, instance.name, path)


def schema_keys(sections: Mapping[str, Any]) -> Map:
    """Return those sections that a manifest can define."""
    return {key: value for key, value in sections.items() if key in SCHEMA_KEYS}


def _instances(found: Sequence[ResolvedStack]) -> Iterator[ResolvedInstance]:
    return (instance for stack in found for instance in stack.instances)


def imports(resolved: ResolvedEstate, instance: ResolvedInstance) -> list[str]:
    """Return the names of every manifest that an instance's one imports, directly or not."""
    known = {manifest.path: manifest for manifest in resolved.manifests}
    names: set[str] = set()
    waiting = list(known[instance.manifest].imports) if instance.manifest in known else []
    while waiting:
        manifest = known.get(waiting.pop())
        if manifest is not None and manifest.name not in names:
            names.add(manifest.name)
            waiting += manifest.imports
    return sorted(names)


def to_json(value: Any) -> str:
    """Return the JSON text that Atmos prints: two spaces, sorted keys, no trailing `.0`, a line end.

    Raises EstateError for infinities and NaN, which JSON can't hold.
    """
    return "".join(json_text.pieces(value))


def to_yaml(value: Any) -> str:
    """Return the YAML text that Atmos prints."""
    return encoding.encode(filled(value))


def filled(value: Any) -> Any:
    """Return a result with the empty lists and maps that YAML shows where a structure of Atmos has nothing, and JSON shows null."""
    if isinstance(value, list) and value and isinstance(value[0], Record):
        return [filled(item) for item in value]
    if isinstance(value, Record):
        empty: dict[str, Any] = {"dependents": [], "settings": {}}
        return Record({name: empty.get(name) if item is None else filled(item) for name, item in value.items()})
    return _with_inheritance(value, 4)


def _with_inheritance(value: Any, depth: int) -> Any:
    """The same for the entries in a map of stacks, or for one entry."""
    if type(value) is not dict:
        return value
    if "atmos_component" in value:
        return {**value, "inheritance": []} if value.get("inheritance", ...) is None else value
    return {key: _with_inheritance(item, depth - 1) for key, item in value.items()} if depth else value


def printable(value: Any) -> Any:
    """Return a value as JSON holds it, with its maps in the order in which they are printed."""
    if isinstance(value, Record):
        return {key: printable(item) for key, item in value.items()}
    if isinstance(value, dict):
        return {key: printable(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [printable(item) for item in value]
    if isinstance(value, float):
        if math.isinf(value) or math.isnan(value):
            raise EstateError(f"json: unsupported value: {scalars.go_float(value)}", code="VALUE")
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    if isinstance(value, scalars.Timestamp):
        return encoding.moment(value)
    return value
