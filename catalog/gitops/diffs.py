"""Unified diffs of whole files, as git prints them, made without git so that a preview can show what is nowhere yet."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from catalog.stacks.tree import Tree

_NO_NEWLINE = "\\ No newline at end of file\n"


def unified(path: str, before: bytes | None, after: bytes | None) -> str:
    """The diff of one file, empty when nothing differs; None stands for no file."""
    if before == after:
        return ""
    old, new = ("/dev/null" if before is None else f"a/{path}"), ("/dev/null" if after is None else f"b/{path}")
    if b"\0" in (before or b"") or b"\0" in (after or b""):
        return f"Binary files {old} and {new} differ\n"
    lines = difflib.unified_diff(_lines(before), _lines(after), old, new)
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)


def of_changes(tree: Tree, changes: Mapping[str, bytes | None]) -> dict[str, str]:
    """The diff of each changed file against a tree, by path; files that stay as they are have none."""
    diffs = {path: unified(path, _read(tree, path), content) for path, content in sorted(changes.items())}
    return {path: diff for path, diff in diffs.items() if diff}


def _read(tree: Tree, path: str) -> bytes | None:
    try:
        return tree.read(path)
    except FileNotFoundError:
        return None


def _lines(content: bytes | None) -> list[str]:
    # Not splitlines: a form feed or U+2028 ends no line for git.
    *ended, rest = (content or b"").decode("utf-8", "replace").split("\n")
    return [f"{line}\n" for line in ended] + ([rest] if rest else [])
