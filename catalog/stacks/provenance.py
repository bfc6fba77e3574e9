"""Tells where a value comes from: every file and line that set it, in the order of the merge, told only when asked.

Nothing is recorded while merging. The tree of imports and the places beside each file's values are kept, and this module walks
the same layers again for one path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from catalog.stacks.components import Built
from catalog.stacks.manifests import Manifest, Merged
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.resolved import ProvenanceEntry
from catalog.values import SourceLocation

Path = tuple[str | int, ...]
_ABSENT: Any = object()

# Where a key of a path may end.
_ENDS = re.compile(r"[.\[]")
# Sections whose entry shows only the part below the chosen backend's type.
_BELOW_TYPE = {"backend": "backend_type", "remote_state_backend": "remote_state_backend_type"}


def trace(merged: Merged, built: Built, entry: Map, path: str) -> tuple[ProvenanceEntry, ...]:
    """Return what set the value at a path of the entry (`vars.tags.team`, `vars.list[0]`), the last word first."""
    steps = parse(path, entry)
    if not steps:
        return ()
    found = tuple(
        ProvenanceEntry(
            value=_written(manifest.value, place),
            location=_location(manifest, place),
            import_chain=chain,
            layer=layer,
            component=str(place[2]) if place[0] == "components" else "",
        )
        for layer, manifest, chain, place in _writers(merged, built, entry, steps)
    )
    value = _at(entry, steps)
    if found or value is _ABSENT:
        return found
    return (ProvenanceEntry(value=value, location=None, import_chain=(), layer="computed"),)


def origin(merged: Merged, built: Built, entry: Map, path: str) -> SourceLocation | None:
    """Return where the last word on the value at a path is written: the place of the first entry of `trace`, found sooner."""
    found = next(_writers(merged, built, entry, parse(path, entry)), None)
    return None if found is None else _written_at(found[1], found[3])


def _writers(merged: Merged, built: Built, entry: Map, steps: Path) -> Iterator[tuple[str, Manifest, tuple[str, ...], Path]]:
    """The files that write a value, the last word first: layer, file, import chain, and the path of the value in the file."""
    if not steps:
        return
    files = _by_place(merged)
    for asked in (steps, *_lists_above(steps, entry)):
        is_written = False
        for layer, path in _layers(built, entry, asked):
            for manifest, chain in reversed(files.get(_place(path), ())):
                if _written_at(manifest, path) is not None:
                    is_written = True
                    yield layer, manifest, chain, path
        if is_written:
            return


def _lists_above(steps: Path, entry: Map) -> Iterator[Path]:
    """The lists that a value stands in, the nearest first: of a list that layers make together, no file has every place."""
    for length in range(len(steps) - 1, 0, -1):
        if isinstance(steps[length], int) and _at(entry, steps) is not _ABSENT:
            yield steps[:length]


def value(path: str, entry: Mapping[str, Any]) -> Any:
    """Return what stands at a path of an entry; None where nothing does."""
    found = _at(entry, parse(path, entry))
    return None if found is _ABSENT else found


def parse(path: str, entry: Any) -> Path:
    """Split a path into keys and indexes; keys that hold dots are found in the value itself, the longest first."""
    steps: list[str | int] = []
    rest = path
    while rest:
        key: str | int
        if rest.startswith("["):
            key = _index(rest)
            rest = rest[len(f"[{key}]") :].removeprefix(".")
        else:
            key, rest = _key(rest, entry)
        steps.append(key)
        entry = _at(entry, (key,))
    return tuple(steps)


def _index(rest: str) -> int:
    number = rest[1:].partition("]")[0]
    return int(number) if number.isdigit() else 0


def _key(rest: str, value: Any) -> tuple[str, str]:
    """The key that a path begins with, and the path below it."""
    heads = _heads(rest)
    if isinstance(value, dict):
        for head in heads:
            if head[0] in value:
                return head
    return heads[-1]


# An indexer asks for the same few paths again and again.
@lru_cache(maxsize=4096)
def _heads(path: str) -> tuple[tuple[str, str], ...]:
    """The keys that a path may begin with, the longest first, each with the path below it."""
    ends = [*(found.start() for found in _ENDS.finditer(path, 1)), len(path)]
    return tuple((path[:end], path[end:].removeprefix(".")) for end in reversed(ends))


def _layers(built: Built, entry: Map, steps: Path) -> Iterator[tuple[str, Path]]:
    """The layers that may write a value, the last one first, each with the path that it has in their files."""
    section, *below = steps
    if section in _BELOW_TYPE:
        below = [str(entry.get(_BELOW_TYPE[str(section)], "")), *below]
    inner = (section, *below)
    if _at(entry.get("overrides", EMPTY), inner) is not _ABSENT:
        yield "overrides", (built.type, "overrides", *inner)
        yield "overrides", ("overrides", *inner)
    yield "component", ("components", built.type, built.name, *inner)
    for name, _ in reversed(built.chain.layers):
        yield "base", ("components", built.type, name, *inner)
    yield "type", (built.type, *inner)
    yield "global", inner


Contribution = tuple[Manifest, tuple[str, ...]]


# An indexer asks for a value of every instance, stack by stack: of the dozens of files of a stack few write any one component.
@lru_cache(maxsize=4)
def _by_place(merged: Merged) -> Mapping[Path, Sequence[Contribution]]:
    """The files that a stack is merged from, in order, by the sections and components they write."""
    found: dict[Path, list[Contribution]] = {}
    for manifest, chain in merged.contributions():
        for place in _places_of(manifest):
            found.setdefault(place, []).append((manifest, chain))
    return found


# Stacks share most of their files: the places of each, by its identity.
_placed: dict[int, tuple[Manifest, tuple[Path, ...]]] = {}


def _places_of(manifest: Manifest) -> tuple[Path, ...]:
    known = _placed.get(id(manifest))
    if known is None:
        if len(_placed) >= _MOST_KNOWN:
            _placed.clear()
        known = _placed[id(manifest)] = manifest, tuple(_places(manifest.value))
    return known[1]


def _places(value: Any) -> Iterator[Path]:
    for section, content in value.items() if isinstance(value, dict) else ():
        if section != "components":
            yield (section,)
            continue
        for kind, components in content.items() if isinstance(content, dict) else ():
            for name in components if isinstance(components, dict) else ():
                yield (section, kind, name)


def _place(path: Path) -> Path:
    return path[:3] if path[0] == "components" else path[:1]


# Most stacks import the same files, and an indexer asks for the same paths in each: where they are written, by the file's identity.
_known: dict[tuple[int, Path], tuple[Manifest, SourceLocation | None]] = {}
_MOST_KNOWN = 8192


def _written_at(manifest: Manifest, path: Path) -> SourceLocation | None:
    """Where a file writes a path; None where it doesn't."""
    known = _known.get((id(manifest), path))
    if known is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = manifest, None if _written(manifest.value, path) is _ABSENT else _location(manifest, path)
        _known[id(manifest), path] = known
    return known[1]


def _written(value: Any, path: Path) -> Any:
    """What a file writes at a path; the text of a template or function above it that may make what is there."""
    for step in path:
        if isinstance(value, str):
            return value if value[:1] == "!" or "{{" in value else _ABSENT
        value = _at(value, (step,))
        if value is _ABSENT:
            break
    return value


def _location(manifest: Manifest, path: Path) -> SourceLocation:
    """Where a path is written, or the nearest thing above it; what an import's context brought is nowhere in the file."""
    while path:
        found = manifest.location(path)
        if found is not None:
            return found
        path = path[:-1]
    return SourceLocation(file=manifest.file, line=1)


def _at(value: Any, path: Path) -> Any:
    for step in path:
        if isinstance(value, str):
            return _ABSENT
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return value
