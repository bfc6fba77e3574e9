"""Plain field references: the templates that need no engine, `{{ .vars.stage }}` and nothing more.

Nine of ten templates in real estates hold only these. What they print follows Go's fmt; whatever is unusual (a missing key that
is an error, a field of something that has none) is left to the engine, which words it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from catalog.errors import EstateError, Unavailable
from catalog.stacks.scalars import printed_float

_BLANK = " \t\r\n"
_PATH = r"(?:\.[^\W0-9]\w*)+"
_COMMENT = re.compile(r"\{\{(?:-\s+)?/\*.*?\*/(?:\s+-)?\}\}", re.DOTALL)

Part = str | tuple[str, ...]

LONGEST = 10_000_000  # characters that references may make of one text

MISSING: Any = object()
NO_VALUE = "<no value>"

_LONG = 4096  # longer texts are documents, each rendered once: not worth remembering


def parts(text: str, left: str = "{{", right: str = "}}") -> tuple[Part, ...] | None:
    """Return a template's pieces in order, text or a path of keys; None when any action is more than a plain reference."""
    return _remembered(text, left, right) if len(text) < _LONG else _parts(text, left, right)


def _parts(text: str, left: str, right: str) -> tuple[Part, ...] | None:
    found: list[Part] = []
    position, trims = 0, False
    pattern = _pattern(left, right)
    while (start := text.find(left, position)) >= 0:
        match = pattern.match(text, start)
        if match is None or not _is_path(match["path"]):
            return None
        before = text[position:start]
        if trims:
            before = before.lstrip(_BLANK)
        if match["left"]:
            before = before.rstrip(_BLANK)
        if before:
            found.append(before)
        found.append(tuple(match["path"][1:].split(".")))
        position, trims = match.end(), match["right"] is not None
    rest = text[position:].lstrip(_BLANK) if trims else text[position:]
    if rest:
        found.append(rest)
    return tuple(found)


def _is_path(text: str) -> bool:
    """Tell whether Go takes the same letters for a path's names: its own are letters, decimal digits and underscores."""
    return text.isascii() or all(mark in "._" or mark.isalpha() or mark.isdecimal() for mark in text)


_remembered = lru_cache(maxsize=16384)(_parts)


@lru_cache(maxsize=64)
def _pattern(left: str, right: str) -> re.Pattern[str]:
    blank = f"[{_BLANK}]"
    return re.compile(
        re.escape(left) + rf"(?P<left>-{blank})?{blank}*(?P<path>{_PATH}){blank}*?(?P<right>{blank}-)?" + re.escape(right)
    )


def single(text: str) -> tuple[str, ...] | None:
    """Return the path of a text that is one plain reference with nothing but blanks and comments beside it; else None."""
    if "{{" not in text:
        return None
    pieces = parts(_COMMENT.sub("", text) if "/*" in text else text)
    if pieces is None:
        return None
    paths = [piece for piece in pieces if not isinstance(piece, str)]
    return paths[0] if len(paths) == 1 and not any(isinstance(piece, str) and piece.strip() for piece in pieces) else None


def render(pieces: tuple[Part, ...], data: Mapping[str, Any], *, lenient_keys: bool) -> str | None:
    """Return the text; None when Go would print something unusual or fail, so that the engine must say it.

    `lenient_keys` is Go's `missingkey=default`: a key that a map doesn't have prints `<no value>`. Raises EstateError for a text
    that is longer than anything that is meant.
    """
    result = []
    length = 0
    for piece in pieces:
        shown = piece if isinstance(piece, str) else shown_at(piece, data, lenient_keys=lenient_keys)
        if shown is None:
            return None
        length += len(shown)
        result.append(shown)
        if length > LONGEST:
            words = f"template: it makes more than {LONGEST:,} characters"
            raise EstateError(words, code="TEMPLATE") from Unavailable(words)
    return "".join(result)


def shown_at(path: tuple[str, ...], data: Mapping[str, Any], *, lenient_keys: bool) -> str | None:
    """Return what a reference prints; None where the engine must say."""
    value: Any = data
    for key in path:
        if not isinstance(value, dict):
            return None
        if key not in value:
            return NO_VALUE if lenient_keys else None
        value = value[key]
    return NO_VALUE if value is None else printed(value)


def look(path: tuple[str, ...], data: Mapping[str, Any]) -> Any:
    """Return the value at a path of keys, or MISSING."""
    value: Any = data
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return MISSING
        value = value[key]
    return value


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
        return printed_float(value)
    if isinstance(value, dict):
        entries = []
        for key in sorted(value, key=_bytes):
            shown = printed(value[key])
            if shown is None:
                return None
            entries.append(f"{key}:{shown}")
        return f"map[{' '.join(entries)}]"
    if isinstance(value, list):
        items = []
        for item in value:
            shown = printed(item)
            if shown is None:
                return None
            items.append(shown)
        return f"[{' '.join(items)}]"
    return None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
