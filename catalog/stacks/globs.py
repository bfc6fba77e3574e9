"""File name patterns as Atmos reads them (Go's doublestar): `*` within a segment, `**` for any segments, `?`, `[…]`, `{a,b}`."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

_MAGIC = re.compile(r"[*?\[{\\]")


def is_pattern(text: str) -> bool:
    """Tell whether a path holds any pattern character."""
    return _MAGIC.search(text) is not None


def matches(pattern: str, path: str) -> bool:
    """Tell whether a path matches; a malformed pattern matches nothing."""
    compiled = _compiled(pattern)
    return compiled is not None and compiled.fullmatch(path) is not None


def find(pattern: str, paths: Sequence[str]) -> list[str]:
    """Return the matching paths among sorted ones, in doublestar's order: a directory's files before its sub-directories."""
    if not is_pattern(pattern):
        position = bisect_left(paths, pattern)
        return [pattern] if position < len(paths) and paths[position] == pattern else []
    compiled = _compiled(pattern)
    if compiled is None:
        return []
    prefix = pattern[: _MAGIC.search(pattern).start()]  # type: ignore[union-attr]
    first, last = bisect_left(paths, prefix), bisect_left(paths, prefix + "\U0010ffff")
    return sorted((path for path in paths[first:last] if compiled.fullmatch(path)), key=_walk_order)


def _walk_order(path: str) -> list[tuple[bool, str]]:
    *folders, name = path.split("/")
    return [*((True, folder) for folder in folders), (False, name)]


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile("|".join(_translated(part) for part in _expanded(pattern)), re.DOTALL)
    except (re.error, ValueError):
        return None


def _expanded(pattern: str) -> list[str]:
    """Write `{a,b}` out; nested braces and escapes are respected."""
    start = _unescaped(pattern, "{", 0)
    if start < 0:
        return [pattern]
    depth, cuts, position = 0, [start], start
    while position < len(pattern):
        mark = pattern[position]
        if mark == "\\":
            position += 1
        elif mark == "{":
            depth += 1
        elif mark == "}":
            depth -= 1
            if depth == 0:
                break
        elif mark == "," and depth == 1:
            cuts.append(position)
        position += 1
    else:
        raise ValueError("missing }")
    cuts.append(position)
    choices = [pattern[cut + 1 : after] for cut, after in pairwise(cuts)]
    return [text for choice in choices for text in _expanded(pattern[:start] + choice + pattern[position + 1 :])]


def _unescaped(text: str, mark: str, start: int) -> int:
    while start < len(text):
        if text[start] == "\\":
            start += 1
        elif text[start] == mark:
            return start
        start += 1
    return -1


def _translated(pattern: str) -> str:
    *folders, last = pattern.split("/")
    text = "".join("(?:[^/]+/)*" if folder == "**" else _segment(folder) + "/" for folder in folders)
    if last != "**":
        return text + _segment(last)
    # `a/**` matches `a` itself as well as everything below it.
    return (text[:-1] + "(?:/.*)?") if text.endswith("/") else text + ".*"


def _segment(segment: str) -> str:
    parts: list[str] = []
    position = 0
    while position < len(segment):
        mark = segment[position]
        if mark == "*":
            parts.append("[^/]*")
        elif mark == "?":
            parts.append("[^/]")
        elif mark == "[":
            text, position = _character_class(segment, position)
            parts.append(text)
        elif mark == "\\":
            position += 1
            parts.append(re.escape(segment[position : position + 1]))
        else:
            parts.append(re.escape(mark))
        position += 1
    return "".join(parts)


def _character_class(segment: str, start: int) -> tuple[str, int]:
    end = segment.find("]", start + 2)
    if end < 0:
        raise ValueError("missing ]")
    inner = segment[start + 1 : end]
    negated = inner[:1] in ("!", "^")
    body = inner[1:] if negated else inner
    return f"[{'^/' if negated else ''}{body.replace('[', chr(92) + '[').replace('^', chr(92) + '^')}]", end
