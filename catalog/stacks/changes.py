"""Which files differ between two trees, as Atmos counts changed files when it compares two commits."""

from __future__ import annotations

from catalog.stacks.tree import Tree

# How far git looks for a zero byte, which makes a file binary.
_PROBE = 8000


def changed_files(head: Tree, base: Tree) -> list[str]:
    """Return the paths of texts that differ; files that moved whole, binary ones and empty ones that come or go don't count."""
    here, there = set(head.paths()), set(base.paths())
    added = {path: head.read(path) for path in here - there}
    removed = {path: base.read(path) for path in there - here}
    moved = set(added.values()) & set(removed.values())
    alone = [path for files in (added, removed) for path, content in files.items() if content not in moved and _is_text(content)]
    return sorted([*alone, *(path for path in here & there if _differs(head, base, path))])


def differing(head: Tree, base: Tree) -> frozenset[str]:
    """Return the paths of all files that one of the trees doesn't have, or that aren't equal."""
    here, there = set(head.paths()), set(base.paths())
    return frozenset((here ^ there) | {path for path in here & there if not _is_equal(head, base, path)})


def _is_equal(head: Tree, base: Tree, path: str) -> bool:
    mark = head.fingerprint(path)
    return (mark is not None and mark == base.fingerprint(path)) or head.read(path) == base.read(path)


def _differs(head: Tree, base: Tree, path: str) -> bool:
    if _is_equal(head, base, path):
        return False
    one, other = head.read(path), base.read(path)
    return b"\0" not in one[:_PROBE] + other[:_PROBE]


def _is_text(content: bytes) -> bool:
    return bool(content) and b"\0" not in content[:_PROBE]
