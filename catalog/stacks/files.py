"""Asks a tree's paths questions: is there such a file, such a directory, what matches, what lies below."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Sequence

from catalog.stacks import globs
from catalog.stacks.tree import Tree


class Files:
    """The sorted paths of one tree, confined to one directory when asked to be."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.paths: Sequence[str] = sorted(tree.paths())
        self.known = frozenset(self.paths)
        self._found: dict[str, list[str]] = {}

    def has(self, path: str) -> bool:
        """Tell whether there is such a file."""
        return path in self.known

    def has_directory(self, path: str) -> bool:
        """Tell whether any file lies below the path; the empty path is the tree itself."""
        if path in ("", "."):
            return bool(self.paths)
        position = bisect_left(self.paths, path + "/")
        return position < len(self.paths) and self.paths[position].startswith(path + "/")

    def below(self, path: str) -> Sequence[str]:
        """Every file below a directory, sorted."""
        if path in ("", "."):
            return self.paths
        return self.paths[bisect_left(self.paths, path + "/") : bisect_left(self.paths, path + "0")]

    def find(self, pattern: str) -> list[str]:
        """Every file matching a pattern, in glob order; remembered."""
        if pattern not in self._found:
            self._found[pattern] = globs.find(pattern, self.paths)
        return self._found[pattern]


def join(*parts: str) -> str:
    """Join and clean path parts as Go's filepath.Join does; the tree's root is the empty path, above it begins with `..`."""
    kept = [part for part in parts if part]
    if not kept:
        return ""
    path = posixpath.normpath("/".join(kept))
    return "" if path == "." else path.lstrip("/") if path.startswith("//") else path


def extension(path: str) -> str:
    """Return the extension as Go's filepath.Ext does: from the last dot of the last segment, `.hidden` included."""
    name = path.rsplit("/", 1)[-1]
    dot = name.rfind(".")
    return name[dot:] if dot >= 0 else ""
