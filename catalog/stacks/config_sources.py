"""The `sources` and `deps` of `describe component`: which manifests say a word on each variable, setting and backend key.

Atmos tells them from the highest priority to the lowest, as written, before templates and functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.resolved import ProvenanceEntry, ResolvedEstate, ResolvedInstance

_SECTIONS = ("vars", "env", "settings", "backend")

# Who set the value at a path of an instance's entry, the last word first.
Asked = Callable[[str], Sequence[ProvenanceEntry]]


def sources(resolved: ResolvedEstate, raw: ResolvedInstance, asked: Asked) -> Map:
    """Return every key of these sections with who sets it; `raw` is the instance before it is evaluated."""
    names = {manifest.path: manifest.name for manifest in resolved.manifests}
    return {section: dict(_items(raw, section, names, asked)) for section in _SECTIONS}


def _items(raw: ResolvedInstance, section: str, names: dict[str, str], asked: Asked) -> Iterator[tuple[str, Map]]:
    values = raw.sections.get(section)
    for key, value in (values if isinstance(values, dict) else EMPTY).items():
        if section == "env" and value is None:
            continue
        said = [entry for entry in asked(f"{section}.{key}") if entry.location is not None and entry.layer != "overrides"]
        told: dict[tuple[str, str, str | None], Map] = {}
        for entry in sorted(said, key=lambda entry: _order(entry, raw, names)):
            each = _told(entry, section, raw, names)
            # A manifest that is imported twice is told once, where it stands first.
            told.setdefault((each["stack_file"], each["stack_file_section"], entry.component), each)
        yield key, {"name": key, "final_value": value, "stack_dependencies": list(told.values())}


def _order(entry: ProvenanceEntry, raw: ResolvedInstance, names: dict[str, str]) -> tuple[int, int, str]:
    """Components come first, each before its base, the stack's own manifest before imports; then types and globals, so too."""
    is_import = _file(entry) != raw.manifest
    name = names.get(_file(entry), _file(entry)) if is_import else ""
    if entry.component:
        number = 0 if entry.layer == "component" else 1 + list(raw.bases).index(entry.component)
        return number, int(is_import), name
    return 1000 + 2 * is_import + (entry.layer == "global"), 0, name


def _told(entry: ProvenanceEntry, section: str, raw: ResolvedInstance, names: dict[str, str]) -> Map:
    file = _file(entry)
    place = {
        "component": f"components.{raw.type}.{section}",
        "base": f"components.{raw.type}.{section}",
        "type": f"{raw.type}.{section}",
    }
    where = place.get(entry.layer, section)
    kind = raw.sections.get("backend_type")
    return {
        "dependency_type": "inline" if file == raw.manifest else "import",
        "stack_file": names.get(file, file),
        "stack_file_section": f"{where}.{kind}" if section == "backend" and kind else where,
        "variable_value": entry.value,
    }


def _file(entry: ProvenanceEntry) -> str:
    return entry.location.file if entry.location is not None else ""


def deps(found: Map, manifest: str) -> tuple[list[str], list[str]]:
    """Return the manifests that have the last word on anything, and all that have a word, with the stack's own."""
    last, every = set[str](), {manifest}
    for section in found.values():
        for item in section.values():
            files: list[Any] = [told["stack_file"] for told in item["stack_dependencies"]]
            last.update(files[:1])
            every.update(files)
    return sorted(last), sorted(every)
