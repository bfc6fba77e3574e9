"""Writes Git objects without a work tree: blobs, trees built in a private index, commits. Nothing here moves a branch."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.gitops import git
from catalog.gitops.commits import CATALOG, Signature

MISSING = "0" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of a tree: its mode as Git writes it (`0` removes the file) and its blob."""

    path: str
    mode: str = "100644"
    blob: str = MISSING


def write_blob(program: git.Git, content: bytes) -> str:
    """Keep the bytes and return their id."""
    return program.run("hash-object", "-w", "--no-filters", "--stdin", stdin=content).decode().strip()


def write_blobs(program: git.Git, contents: Sequence[bytes]) -> list[str]:
    """Keep many files by one git process and return their ids in order: a process each would take seconds."""
    stream = b"".join(
        b"blob\nmark :%d\ndata %d\n%b\nget-mark :%d\n" % (mark, len(content), content, mark)
        for mark, content in enumerate(contents, start=1)
    )
    return program.run("fast-import", "--quiet", "--done", stdin=stream + b"done\n").decode().split()


def write_tree(program: git.Git, onto: str | None, entries: Iterable[Entry]) -> str:
    """Return the id of a revision's tree (None: an empty one) with the entries set."""
    lines = b"".join(f"{one.mode} {one.blob}\t{one.path}\0".encode("utf-8", "surrogateescape") for one in entries)
    with private_index() as index:
        if onto is not None:
            program.run("read-tree", onto, index=index)
        program.run("update-index", "-z", "--index-info", stdin=lines, index=index)
        return program.run("write-tree", index=index).decode().strip()


def write_commit(program: git.Git, tree: str, parents: Sequence[str], text: str, author: Signature) -> str:
    """Keep a commit that no branch names yet and return its revision."""
    arguments = [part for parent in parents for part in ("-p", parent)]
    signatures = {**author.environment("AUTHOR"), **CATALOG.environment("COMMITTER")}
    return program.run("commit-tree", tree, *arguments, stdin=text.encode("utf-8", "replace"), extra=signatures).decode().strip()


def entries_at(program: git.Git, revision: str, paths: Iterable[str]) -> dict[str, Entry]:
    """Those of the paths that the revision has, with mode and blob."""
    wanted = list(paths)
    if not wanted:
        return {}
    listed = program.run("ls-tree", "-z", "--full-tree", revision, "--", *wanted).decode("utf-8", "surrogateescape")
    found = (entry.split("\t", 1) for entry in listed.split("\0") if entry)
    return {path: Entry(path=path, mode=about.split(" ")[0], blob=about.split(" ")[2]) for about, path in found}


@contextmanager
def private_index() -> Iterator[Path]:
    """An index file of our own, so that writers don't meet in the repository's."""
    with tempfile.TemporaryDirectory(prefix="catalog-index-") as directory:
        yield Path(directory, "index")
