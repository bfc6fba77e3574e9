"""Where an estate's files come from at one position: a revision of its repository, or its directory as it lies there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from catalog.config import Config
from catalog.errors import Unavailable
from catalog.indexer import estates
from catalog.records import Estate
from catalog.stacks.tree import DirectoryTree, SubTree, Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What is read: the branch, the revision and its first-parent number. A directory has neither revision nor number."""

    ref: str
    revision: str | None = None
    number: int | None = None
    author: str | None = None
    committed_at: datetime | None = None


def locate(estate: Estate, config: Config, revision: str | None) -> Position:
    """Find the position to read: what the branch is at (a clone asks its remote first), or the revision asked for.

    Raises Unavailable when the directory or repository can't be read, NotFound for an unknown revision. Blocks.
    """
    if estate.kind == estates.DIRECTORY:
        if estate.path is None or not Path(estate.path).is_dir():
            raise Unavailable(f"the estate {estate.name} lies at {estate.path}, where there is no directory")
        return Position(ref=estate.ref)
    repository = estates.repository(config, estate)
    tip = repository.fetch() if revision is None or estate.url is not None else None
    commit = repository.commit_info(revision or tip or estate.ref)
    return Position(
        ref=estate.ref, revision=commit.revision, number=commit.number, author=commit.author, committed_at=commit.committed_at
    )


@contextmanager
def opened(estate: Estate, config: Config, position: Position) -> Iterator[tuple[Tree, Tree]]:
    """Lend the files at a position: of the whole repository or directory, and of the estate inside it. Blocks while reading."""
    if position.revision is None:
        whole: Tree = DirectoryTree(Path(estate.path or "."))
        yield whole, _inside(whole, estate.directory)
        return
    with estates.repository(config, estate).tree(position.revision) as files:
        yield files, _inside(files, estate.directory)


def changed_between(estate: Estate, config: Config, before: str | None, position: Position) -> tuple[str, ...] | None:
    """The estate's files that differ from an earlier revision; None where that can't be told and contents must be compared."""
    if before is None or position.revision is None:
        return None
    paths = estates.repository(config, estate).changed_files(before, position.revision)
    prefix = "" if estate.directory == "." else f"{estate.directory.rstrip('/')}/"
    return tuple(path[len(prefix) :] for path in paths if path.startswith(prefix))


def _inside(files: Tree, directory: str) -> Tree:
    return files if directory in {".", ""} else SubTree(files, directory)
