"""Container and emulator components: no table of sections; every key inherits and merges alike."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.errors import EstateError
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.roots import RootLayers

# Metadata that is each component's own.
_PER_COMPONENT = ("type", "inherits", "component")


def build(kind: str, entries: Map, roots: RootLayers) -> Iterator[tuple[str, Map | EstateError]]:
    """Yield each component's name with its entry, or with the error that keeps it from being built."""
    for name, entry in entries.items():
        if not isinstance(entry, dict):
            words = f"invalid component map type: custom component '{name}' in type '{kind}' must be a map"
            yield name, EstateError(words, code="SECTION", path=("components", kind, name))
        elif not isinstance(entry.get("metadata", EMPTY), dict):
            words = f"invalid component metadata section: 'components.{kind}.{name}.metadata' in the file '{roots.stack}'"
            yield name, EstateError(words, code="SECTION", path=("components", kind, name, "metadata"))
        else:
            yield name, _built(kind, name, entry, entries, roots)


def _built(kind: str, name: str, entry: Map, entries: Map, roots: RootLayers) -> Map:
    result = dict(_inherited(entry, entries, roots, ()))
    for section in ("vars", "settings", "env"):
        own = result.get(section)
        value = {**roots.root(section), **(own if isinstance(own, dict) else EMPTY)}
        if value or section == "vars":
            result[section] = value
    metadata = roots.memo.merge(roots.metadata(), result.get("metadata") or EMPTY)
    if metadata:
        result["metadata"] = metadata
    return result | {"component": name, "component_type": kind}


def _inherited(entry: Map, entries: Map, roots: RootLayers, path: tuple[str, ...]) -> Map:
    """The bases in order below the entry; unknown bases and circles are passed over, as Atmos does here."""
    listed = entry.get("metadata", EMPTY).get("inherits")
    merged = EMPTY
    for base in listed if isinstance(listed, list) else ():
        found = entries.get(base) if isinstance(base, str) and base not in path else None
        if isinstance(found, dict) and isinstance(found.get("metadata", EMPTY), dict):
            merged = roots.memo.merge(merged, _handed_on(_inherited(found, entries, roots, (*path, base))), roots.strategy)
    return roots.memo.merge(merged, entry, roots.strategy)


def _handed_on(base: Map) -> Map:
    kept = {key: value for key, value in base.get("metadata", EMPTY).items() if key not in _PER_COMPONENT}
    rest = {key: value for key, value in base.items() if key != "metadata"}
    return {**rest, "metadata": kept} if kept else rest
