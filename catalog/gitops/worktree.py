"""The repository that a directory lies in, as someone works in it: its revisions as trees, and what differs between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from catalog.errors import NotFound
from catalog.gitops import git
from catalog.gitops.trees import GitTree

_EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
_DEFAULT_BASE = "refs/remotes/origin/HEAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTree:
    """A working tree at `root` and the repository it belongs to."""

    root: Path
    program: git.Git = field(repr=False)

    @classmethod
    def around(cls, directory: Path) -> Self | None:
        """Return the working tree that a directory lies in; None outside of any."""
        for place in (directory.resolve(), *directory.resolve().parents):
            found = _repository(place / ".git")
            if found is not None:
                return cls(root=place, program=git.Git(directory=found))
        return None

    def revision(self, name: str | None = None) -> str:
        """Return the full id of a revision, by default that of the remote's default branch; raises NotFound in Atmos' words."""
        found = self.program.revision(f"{name or _DEFAULT_BASE}^{{commit}}")
        if found is None:
            raise NotFound(
                f"git reference not found on local filesystem: {name or _DEFAULT_BASE}",
                hint="Make sure the reference is correct and was fetched from the remote.",
            )
        return found

    def last_tag(self) -> str | None:
        """Return the tag nearest to the commit at hand, back along its history; None where nothing was tagged."""
        try:
            return self.program.attempt("describe", "--tags", "--abbrev=0").decode().strip()
        except git.GitFailed:
            return None

    def tree(self, revision: str) -> GitTree:
        """Return a revision's files, read without a checkout."""
        return GitTree(self.program, revision)

    def differing(self, revision: str) -> frozenset[str]:
        """Return the tracked files whose content at hand, committed or not, is not that of a revision."""
        arguments = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", revision, "--")
        listed = self.program.run(*arguments, extra={"GIT_WORK_TREE": str(self.root)})
        return frozenset(path for path in listed.decode("utf-8", "surrogateescape").split("\0") if path)

    def changed_files(self, revision: str) -> list[str]:
        """Return the files that differ between the commit at hand and another, as Atmos counts them.

        Those are files of text: renamed files, binary ones and empty ones that come or go don't count, and neither does what is
        not committed.
        """
        ends = (self.revision("HEAD"), revision)
        raw = self.program.run("diff-tree", "-r", "-z", "-M60%", "--raw", *ends).decode("utf-8", "surrogateescape")
        numbers = self.program.run("diff-tree", "-r", "-z", "--no-renames", "--numstat", *ends).decode("utf-8", "surrogateescape")
        binary = {entry.split("\t", 2)[2] for entry in numbers.split("\0") if entry.startswith("-\t-\t")}
        return sorted(path for path in _texts(raw) if path not in binary)


def _texts(raw: str) -> Iterator[str]:
    """The paths of `diff-tree --raw -z` but for renamed files and empty ones that come or go."""
    fields = iter(raw.split("\0"))
    for about in fields:
        if not about:
            return
        _, _, before, after, status = about.split(" ")
        path = next(fields)
        if status[0] in "RC":
            next(fields)
        elif not (status in {"A", "D"} and _EMPTY_BLOB in (before, after)):
            yield path


def _repository(place: Path) -> Path | None:
    """The repository that `.git` is or points at."""
    if place.is_dir() and (place / "HEAD").exists():
        return place
    if not place.is_file():
        return None
    told = place.read_text(encoding="utf-8", errors="replace").strip()
    found = (place.parent / told.removeprefix("gitdir:").strip()).resolve()
    return found if told.startswith("gitdir:") and found.is_dir() else None
