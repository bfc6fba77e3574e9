"""The rows that `list stacks`, `list components` and `list instances` show, as Atmos knows them.

A row is what a column's template sees. Abstract components are rows too; the filters leave them out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from catalog.errors import EstateError
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.resolved import ResolvedEstate, ResolvedInstance

# The types whose components are listed; instances of every type are.
_LISTED = ("terraform", "helmfile", "packer", "ansible", "container", "emulator")

Keep = Callable[[ResolvedInstance], bool]


def stacks(estate: ResolvedEstate, *, component: str | None = None, keep: Keep | None = None) -> list[Map]:
    """Return one row per stack, or per stack that has an instance of that name; raises EstateError when none has."""
    rows = []
    known = False
    for stack in estate.stacks:
        named = [each for each in stack.instances if component in (None, each.name)]
        known = known or bool(named)
        if not named or (keep is not None and not any(map(keep, named))):
            continue
        with_vars = next((each.sections["vars"] for each in stack.instances if isinstance(each.sections.get("vars"), dict)), EMPTY)
        row: Map = {"stack": stack.name, "vars": with_vars, "manifest": stack.manifest, "instances": len(stack.instances)}
        rows.append(row if component is None else {**row, "component": component})
    if component is not None and not known:
        raise EstateError(f"no stacks found: no stack has a component {component}", code="NOT_FOUND")
    return rows


def components(estate: ResolvedEstate, *, stack: str | None = None) -> list[Map]:
    """Return one row per name and type, with in how many stacks it is; `stack` is a pattern that stacks must match."""
    rows: dict[tuple[str, str], Map] = {}
    for found in _matching(estate, stack):
        for instance in sorted(found.instances, key=lambda each: (_order(each.type), each.name)):
            if instance.type in _LISTED:
                row = rows.setdefault((instance.name, instance.type), _component(instance))
                row["stack_count"] += 1
                row["enabled"] = row["enabled"] and instance.enabled
                row["locked"] = row["locked"] or instance.locked
                row["status_text"] = _status(enabled=row["enabled"], locked=row["locked"])
    return [rows[key] for key in sorted(rows, key=lambda key: f"{key[0]}:{key[1]}")]


def instances(estate: ResolvedEstate, *, stack: str | None = None) -> list[Map]:
    """Return one row per instance by stack and name."""
    rows = [_instance(instance) for found in _matching(estate, stack) for instance in found.instances]
    return sorted(rows, key=lambda row: (row["stack"], row["component"]))


def is_wanted(row: Mapping[str, Any], *, tags: Collection[str] = (), labels: Mapping[str, str] = EMPTY) -> bool:
    """Tell whether a row has any of the tags and all of the labels."""
    return (not tags or any(tag in tags for tag in row["tags"])) and all(
        row["labels"].get(key) == value for key, value in labels.items()
    )


def has_selectors(instance: ResolvedInstance, tags: Collection[str], labels: Mapping[str, str]) -> bool:
    """Tell the same of an instance."""
    return is_wanted({"tags": _tags(instance), "labels": _labels(instance)}, tags=tags, labels=labels)


def labels_of(text: str) -> dict[str, str]:
    """Read `key=value,key:value`; raises EstateError for anything else."""
    found = {}
    for pair in filter(None, map(str.strip, text.split(","))):
        parts = re.split("[=:]", pair, maxsplit=1)
        if len(parts) != 2 or not parts[0].strip():
            raise EstateError(f"invalid flag: label {pair!r} is no key=value", code="FLAG")
        found[parts[0].strip()] = parts[1].strip()
    return found


def ordered(rows: Sequence[Sequence[str]], titles: Sequence[str], by: Iterable[tuple[str, bool]]) -> list[Sequence[str]]:
    """Return cells sorted by columns, each with whether it descends; raises EstateError for a column that isn't there."""
    result = list(rows)
    for number, (title, descends) in reversed(list(enumerate(by))):
        if title not in titles:
            raise EstateError(f'invalid configuration: sorter {number}: column "{title}" not found', code="SORT")
        position = list(titles).index(title)
        result.sort(key=lambda cells: cells[position], reverse=descends)
    return result


def sorters(text: str) -> list[tuple[str, bool]]:
    """Read `column:asc,column:desc`; raises EstateError for anything else."""
    found = []
    for part in filter(None, map(str.strip, text.split(","))):
        title, colon, order = part.partition(":")
        order = order.strip().lower()
        if not colon:
            raise EstateError(f"invalid configuration: invalid sort spec \"{part}\", expected format 'column:order'", code="SORT")
        if order not in ("asc", "ascending", "desc", "descending"):
            raise EstateError(f"invalid configuration: invalid sort order \"{order}\", expected 'asc' or 'desc'", code="SORT")
        title = title.strip()
        found.append((title[:1].upper() + title[1:], order.startswith("desc")))
    return found


def _matching(estate: ResolvedEstate, pattern: str | None) -> Iterator[Any]:
    for stack in estate.stacks:
        if not pattern or _path_match(pattern, stack.name):
            yield stack


def _path_match(pattern: str, name: str) -> bool:
    """Tell whether a name matches a pattern of Go's path.Match: `*` and `?` within a segment, and `[…]`."""
    from catalog.stacks import globs  # noqa: PLC0415

    return globs.matches(pattern.replace("{", "\\{").replace("**", "*"), name)


def _component(instance: ResolvedInstance) -> Map:
    metadata = instance.sections.get("metadata")
    folder = metadata.get("component") if isinstance(metadata, dict) else None
    return {
        "component": instance.name,
        "type": instance.type,
        "stack_count": 0,
        "component_type": _kind(instance),
        "component_folder": folder if isinstance(folder, str) and folder else instance.name,
        "enabled": True,
        "locked": False,
        "status_text": "enabled",
        "metadata": metadata if isinstance(metadata, dict) else EMPTY,
        "tags": _tags(instance),
        "labels": _labels(instance),
    }


def _instance(instance: ResolvedInstance) -> Map:
    sections = {key: instance.sections.get(key) for key in ("vars", "settings", "env", "backend", "metadata")}
    return {
        "component": instance.name,
        "stack": instance.stack,
        "component_type": instance.type,
        **{key: value if isinstance(value, dict) else EMPTY for key, value in sections.items()},
        "component_folder": instance.component,
        "enabled": instance.enabled,
        "locked": instance.locked,
        "abstract": instance.abstract,
        "manifest": instance.manifest,
        "tags": _tags(instance),
        "labels": _labels(instance),
    }


def _kind(instance: ResolvedInstance) -> str:
    metadata = instance.sections.get("metadata")
    kind = metadata.get("type") if isinstance(metadata, dict) else None
    return kind if isinstance(kind, str) else "real"


def _status(*, enabled: bool, locked: bool) -> str:
    return "locked" if locked else "enabled" if enabled else "disabled"


def _tags(instance: ResolvedInstance) -> list[str]:
    metadata = instance.sections.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _labels(instance: ResolvedInstance) -> dict[str, str]:
    metadata = instance.sections.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return {key: value for key, value in labels.items() if isinstance(value, str)} if isinstance(labels, dict) else {}


def _order(kind: str) -> int:
    return _LISTED.index(kind) if kind in _LISTED else len(_LISTED)
