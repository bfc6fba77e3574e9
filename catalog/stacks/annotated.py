"""A component as YAML with a comment on each line that tells which file and line set it: `describe component --provenance`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from catalog.stacks import documents, encoding
from catalog.stacks.merging import Map
from catalog.stacks.resolved import ProvenanceEntry

_COLUMN = 50
_LEGEND = """\
# Provenance Legend:
#   ● [1] Defined in parent stack
#   ○ [N] Inherited/imported (N=2+ levels deep)
#   ∴ Computed/templated
"""

Step = str | int
Path = tuple[Step, ...]
# Who set the value at a path, the last word first.
Asked = Callable[[str], Sequence[ProvenanceEntry]]


def annotated(sections: Mapping[str, Any], asked: Asked, *, manifest: str, stacks_path: str) -> str:
    """Return the sections that any file sets, each line with the file that sets it; files are named below the stacks directory."""
    told = {key: asked(key) for key in sections}
    shown: Map = {key: value for key, value in sections.items() if any(entry.location for entry in told[key])}
    text = encoding.encode(shown) if shown else ""
    comments = dict(_comments(shown, text, asked, stacks_path))
    lines = [_commented(line, comments.get(number)) for number, line in enumerate(text.splitlines(), 1)]
    return "".join((_LEGEND, "\n", f"# Stack: {manifest}\n", "\n", *(f"{line}\n" for line in lines)))


def _comments(shown: Map, text: str, asked: Asked, stacks_path: str) -> Iterator[tuple[int, str]]:
    document = documents.load(text.encode("utf-8", "surrogatepass"), "")
    for path, value in _paths(shown, ()):
        location = document.location(path)
        if location is not None and location.line is not None:
            comment = _comment(asked(_written(path)), value, stacks_path)
            if comment:
                yield location.line, comment


def _paths(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        # What stands on one line is told of the innermost, as the last.
        yield (*path, step), item
        yield from _paths(item, (*path, step))


def _written(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _comment(entries: Sequence[ProvenanceEntry], value: Any, stacks_path: str) -> str:
    entry = next((entry for entry in entries if entry.location is not None), None)
    if entry is None or entry.location is None:
        return ""
    depth = len(entry.import_chain) or 1
    is_computed = isinstance(entry.value, str) and entry.value != value
    symbol = "∴" if is_computed else "●" if depth == 1 else "○"
    file = entry.location.file.removeprefix(f"{stacks_path}/")
    place = f"{file}:{entry.location.line}" if entry.location.line else file
    return f"# {symbol} [{depth}] {place}"


def _commented(line: str, comment: str | None) -> str:
    """Put a comment behind a line, in a column of its own; behind a line that reaches it, on the next."""
    if not comment:
        return line
    size = len(line.encode("utf-8", "surrogatepass"))
    return f"{line}{' ' * (_COLUMN - size)}{comment}" if size < _COLUMN else f"{line}\n{' ' * _COLUMN}{comment}"
