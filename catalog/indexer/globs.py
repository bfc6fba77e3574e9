"""Turns globs over paths into regular expressions that match in a time bounded by the path's length, whoever wrote the glob.

`*` and `?` stay within a segment, `**` as a whole segment crosses any number of them. What a star skips is the least that lets what
follows it match, which is never wrong before the last star: so nothing is tried twice (atomic groups).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_END = r"(?=/|\Z)"  # of a segment


def expression(pattern: str, *, classes: bool = False) -> str:
    """The expression of a pattern without slashes at its ends; `classes` gives `[abc]` and `[!abc]` their meaning.

    A `**` at the end is left out: what may follow is the caller's to say.
    """
    blocks: list[list[str]] = [[]]
    for segment in pattern.split("/"):
        if segment == "**":
            blocks.append([])
        else:
            blocks[-1].append(_segment(segment, classes=classes))
    first, *rest = blocks
    return "/".join(["/".join(first)] * bool(first) + list(_anywhere([block for block in rest if block])))


def _anywhere(blocks: Sequence[Sequence[str]]) -> list[str]:
    """Runs of segments, each somewhere behind the one before."""
    found = [f"(?:[^/]+/)*?{'/'.join(block)}" for block in blocks]
    return [f"(?>{block})" for block in found[:-1]] + found[-1:]


def _segment(text: str, *, classes: bool) -> str:
    first, *rest = (_literal(part, classes=classes) for part in re.split(r"\*+", text))
    if not rest:
        return first + _END
    *middle, last = rest
    skipped = "".join(f"(?>[^/]*?{part})" for part in middle if part)
    return f"(?>{first}{skipped}[^/]*{last}{_END})"


def _literal(text: str, *, classes: bool) -> str:
    """Text between stars: letters, question marks, and classes."""
    parts = re.split(r"(\?|\[!?[^\]]+\])" if classes else r"(\?)", text)
    return "".join(_class(part) if number % 2 else re.escape(part) for number, part in enumerate(parts))


def _class(part: str) -> str:
    if part == "?":
        return "[^/]"
    turned = part[1] == "!"
    # Only a dash between two members keeps its meaning.
    members = re.sub(r"[\\\[\]^&~|]", lambda match: f"\\{match[0]}", part[2 if turned else 1 : -1])
    return f"(?!/)[{'^' if turned else ''}{members}]"
