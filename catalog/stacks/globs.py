"""File name patterns as Atmos reads them (Go's doublestar): `*` within a segment, `**` for any segments, `?`, `[…]`, `{a,b}`."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

_CHOICES = 1_000  # that a pattern's braces may make
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
    """Write `{a,b}` out; nested braces and escapes are respected. Raises ValueError for too many choices."""
    waiting, found = [pattern], []
    while waiting:
        pattern = waiting.pop()
        choices = _choices(pattern)
        if choices == [pattern]:
            found.append(pattern)
        else:
            waiting += reversed(choices)
        if len(found) + len(waiting) > _CHOICES:
            raise ValueError("too many choices")
    return found


def _choices(pattern: str) -> list[str]:
    """The pattern once for each choice of its first braces."""
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
    return [pattern[:start] + choice + pattern[position + 1 :] for choice in choices]


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
    # Between two `**`, the earliest place where folders match leaves the most room: nothing else need be tried.
    runs: list[list[str]] = [[]]
    for folder in folders:
        if folder != "**":
            runs[-1].append(_segment(folder) + "/")
        elif runs[-1] or len(runs) == 1:
            runs.append([])
    first, *further = ("".join(run) for run in runs)
    text = first + "".join(f"(?>(?:[^/]+/)*?{run})" for run in further[:-1])
    if further:
        text += "(?:[^/]+/)*" + further[-1]
    if last != "**":
        return text + _segment(last)
    # `a/**` matches `a` itself as well as everything below it.
    return (text[:-1] + "(?:/.*)?") if text.endswith("/") else text + ".*"


def _segment(segment: str) -> str:
    pieces: list[list[str]] = [[]]
    position = 0
    while position < len(segment):
        mark = segment[position]
        if mark == "*":
            pieces.append([])
        elif mark == "?":
            pieces[-1].append("[^/]")
        elif mark == "[":
            text, position = _character_class(segment, position)
            pieces[-1].append(text)
        elif mark == "\\":
            position += 1
            pieces[-1].append(re.escape(segment[position : position + 1]))
        else:
            pieces[-1].append(re.escape(mark))
        position += 1
    first, *further = ("".join(piece) for piece in pieces)
    if not further:
        return first
    # As between two `**`: what stands between two `*` matches where it can first.
    return first + "".join(f"(?>[^/]*?{piece})" for piece in further[:-1] if piece) + f"[^/]*{further[-1]}"


def _character_class(segment: str, start: int) -> tuple[str, int]:
    end = segment.find("]", start + 2)
    if end < 0:
        raise ValueError("missing ]")
    inner = segment[start + 1 : end]
    negated = inner[:1] in ("!", "^")
    body = inner[1:] if negated else inner
    return f"[{'^/' if negated else ''}{body.replace('[', chr(92) + '[').replace('^', chr(92) + '^')}]", end
