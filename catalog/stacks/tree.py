"""Trees of files: what the resolver reads, wherever the bytes lie.

A tree lists relative POSIX paths and gives bytes. Directories, Git revisions (in `gitops`) and overlays with edits that
exist only in memory (previews) all look the same to the resolver, so that reading a preview needs no checkout.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Tree(Protocol):
    """A read-only set of files with POSIX paths relative to its root."""

    def paths(self) -> Iterable[str]:
        """Every file's path, in lexical order."""
        ...

    def read(self, path: str) -> bytes:
        """The file's bytes; raises FileNotFoundError when the tree has no such file."""
        ...

    def fingerprint(self, path: str) -> str | None:
        """A cheap content key (a blob id), when the tree knows one without reading; else None."""
        ...


# Never part of an estate: version control, and what terraform and this catalog write beside it.
SKIPPED_DIRECTORIES = frozenset({".git", ".terraform", ".catalog", ".venv", "node_modules"})


class DirectoryTree:
    """The files below a directory. Links that lead outside are left out: reading never leaves the estate."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).resolve()
        self._paths: list[str] | None = None
        self._listed: frozenset[str] = frozenset()

    def paths(self) -> Iterable[str]:
        """Every file's path, in lexical order; walked once."""
        if self._paths is None:
            self._paths = sorted(self._walk())
            self._listed = frozenset(self._paths)
        return self._paths

    def _walk(self) -> Iterable[str]:
        root = str(self.root)
        for folder, folders, files in os.walk(root):
            folders[:] = [name for name in folders if name not in SKIPPED_DIRECTORIES]
            for name in files:
                full = os.path.join(folder, name)  # noqa: PTH118 — a hot loop over tens of thousands of files
                if not os.path.islink(full) or os.path.realpath(full).startswith(root + os.sep):  # noqa: PTH114
                    yield os.path.relpath(full, root).replace(os.sep, "/")

    def read(self, path: str) -> bytes:
        """The file's bytes; raises FileNotFoundError when there is none inside the estate."""
        if path in self._listed:
            # The walk has seen that it lies inside; asking again would cost thrice the reading.
            return Path(f"{self.root}/{path}").read_bytes()
        full = (self.root / path).resolve()
        if not full.is_relative_to(self.root):
            raise FileNotFoundError(path)
        return full.read_bytes()

    def fingerprint(self, path: str) -> str | None:
        """None: a directory knows no content key without reading."""
        del path
        return None


@dataclass(frozen=True)
class MemoryTree:
    """Files held in memory: tests, and estates written down as text."""

    files: Mapping[str, bytes]

    def paths(self) -> Iterable[str]:
        """Every file's path, in lexical order."""
        return sorted(self.files)

    def read(self, path: str) -> bytes:
        """The file's bytes; raises FileNotFoundError when there is none."""
        try:
            return self.files[path]
        except KeyError:
            raise FileNotFoundError(path) from None

    def fingerprint(self, path: str) -> str | None:
        """None: bytes in memory are as cheap as a key."""
        del path
        return None


@dataclass(frozen=True)
class OverlayTree:
    """A tree with some files replaced, added or (None) removed, in memory."""

    base: Tree
    changes: Mapping[str, bytes | None]

    def paths(self) -> Iterable[str]:
        """Every file's path, in lexical order, with the changes applied."""
        kept = {path for path in self.base.paths() if path not in self.changes}
        return sorted(kept | {path for path, content in self.changes.items() if content is not None})

    def read(self, path: str) -> bytes:
        """The changed bytes, else the base's; raises FileNotFoundError when removed or absent."""
        if path not in self.changes:
            return self.base.read(path)
        content = self.changes[path]
        if content is None:
            raise FileNotFoundError(path)
        return content

    def fingerprint(self, path: str) -> str | None:
        """The base's key for what is unchanged."""
        return None if path in self.changes else self.base.fingerprint(path)


@dataclass(frozen=True)
class SubTree:
    """The part of a tree below one directory, as a tree of its own."""

    base: Tree
    directory: str

    def paths(self) -> Iterable[str]:
        """Every file's path below the directory, relative to it."""
        prefix = self.directory.rstrip("/") + "/"
        return [path[len(prefix) :] for path in self.base.paths() if path.startswith(prefix)]

    def read(self, path: str) -> bytes:
        """The file's bytes; raises FileNotFoundError when there is none."""
        return self.base.read(f"{self.directory.rstrip('/')}/{path}")

    def fingerprint(self, path: str) -> str | None:
        """The base's key."""
        return self.base.fingerprint(f"{self.directory.rstrip('/')}/{path}")


@dataclass(frozen=True)
class MovedTree:
    """A tree whose files stand below a directory: the opposite of a `SubTree`."""

    base: Tree
    directory: str

    def paths(self) -> Iterable[str]:
        """Every file's path, in lexical order, each below the directory."""
        return [f"{self.directory}/{path}" for path in self.base.paths()]

    def read(self, path: str) -> bytes:
        """The file's bytes; raises FileNotFoundError when there is none."""
        return self.base.read(self._inside(path))

    def fingerprint(self, path: str) -> str | None:
        """The base's key."""
        return self.base.fingerprint(self._inside(path))

    def _inside(self, path: str) -> str:
        if not path.startswith(f"{self.directory}/"):
            raise FileNotFoundError(path)
        return path[len(self.directory) + 1 :]
