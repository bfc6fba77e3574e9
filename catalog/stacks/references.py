"""Plain field references: the templates that need no engine, `{{ .vars.stage }}` and nothing more.

Nine of ten templates in real estates hold only these. What they print follows Go's fmt; whatever is unusual (a missing key that
is an error, a field of something that has none) is left to the engine, which words it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from catalog.stacks.scalars import go_float

_PATH = r"(?:\.[A-Za-z_][A-Za-z0-9_]*)+"
_WITH_MARKS = re.compile(r"\{\{(?P<left>-[ \t\r\n])?[ \t\r\n]*(?P<path>" + _PATH + r")[ \t\r\n]*(?P<right>[ \t\r\n]-)?\}\}")

Part = str | tuple[str, ...]

MISSING: Any = object()
NO_VALUE = "<no value>"


@lru_cache(maxsize=16384)
def parts(text: str) -> tuple[Part, ...] | None:
    """Return a template's pieces in order, text or a path of keys; None when any action is more than a plain reference."""
    found: list[Part] = []
    position, trims = 0, False
    for match in _WITH_MARKS.finditer(text):
        before = text[position : match.start()]
        if before[-1:] == "{":
            return None  # of three braces the first two open the action
        if trims:
            before = before.lstrip(" \t\r\n")
        if match["left"]:
            before = before.rstrip(" \t\r\n")
        if before:
            found.append(before)
        found.append(tuple(match["path"][1:].split(".")))
        position, trims = match.end(), match["right"] is not None
    rest = text[position:].lstrip(" \t\r\n") if trims else text[position:]
    if rest:
        found.append(rest)
    return None if any(isinstance(part, str) and "{{" in part for part in found) else tuple(found)


def single(text: str) -> tuple[str, ...] | None:
    """Return the path of a text that is one plain reference without trim marks and nothing beside it; else None."""
    pieces = parts(text) if text[:2] == "{{" else None
    if pieces is None or len(pieces) != 1 or isinstance(pieces[0], str) or text[2:3] == "-" or text[-3:-2] == "-":
        return None
    return pieces[0]


def render(pieces: tuple[Part, ...], data: Mapping[str, Any], *, lenient_keys: bool) -> str | None:
    """Return the text; None when Go would print something unusual or fail, so that the engine must say it.

    `lenient_keys` is Go's `missingkey=default`: a key that a map doesn't have prints `<no value>`.
    """
    result = []
    for piece in pieces:
        if isinstance(piece, str):
            result.append(piece)
            continue
        shown = shown_at(piece, data, lenient_keys=lenient_keys)
        if shown is None:
            return None
        result.append(shown)
    return "".join(result)


def shown_at(path: tuple[str, ...], data: Mapping[str, Any], *, lenient_keys: bool) -> str | None:
    """Return what a reference prints; None where the engine must say."""
    value = look(path, data)
    if value is MISSING:
        return NO_VALUE if lenient_keys and _ends_in_a_map(path, data) else None
    return NO_VALUE if value is None else printed(value)


def look(path: tuple[str, ...], data: Mapping[str, Any]) -> Any:
    """Return the value at a path of keys, or MISSING."""
    value: Any = data
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return MISSING
        value = value[key]
    return value


def _ends_in_a_map(path: tuple[str, ...], data: Mapping[str, Any]) -> bool:
    """Tell whether the first key that is missing is missing from a map."""
    value: Any = data
    for key in path:
        if not isinstance(value, dict):
            return False
        if key not in value:
            return True
        value = value[key]
    return False


def printed(value: Any) -> str | None:
    """Return a value as Go's `%v` prints it; None for what only Go can tell."""
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return go_float(value) if value == 0 or 1e-4 <= abs(value) < 1e21 else None
    if isinstance(value, dict):
        entries = []
        for key in sorted(value, key=str.encode):
            shown = printed(value[key])
            if shown is None:
                return None
            entries.append(f"{key}:{shown}")
        return f"map[{' '.join(entries)}]"
    if isinstance(value, list):
        items = [printed(item) for item in value]
        return None if None in items else f"[{' '.join(item for item in items if item is not None)}]"
    return None
