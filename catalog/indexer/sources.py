"""Where an estate's files come from at one position: a revision of its repository, or its directory as it lies there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from pathlib import Path

from catalog.config import Config
from catalog.errors import Invalid, NotFound, Unavailable
from catalog.indexer import estates
from catalog.records import Estate
from catalog.stacks.tree import DirectoryTree, SubTree, Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What is read: the branch, the revision and its first-parent number. A directory has neither revision nor number.

    `tip` and `tip_number` are of the branch.
    """

    ref: str
    revision: str | None = None
    number: int | None = None
    author: str | None = None
    committed_at: datetime | None = None
    tip: str | None = None
    tip_number: int | None = None


class Standing(Enum):
    """Where a position stands to what the catalog holds.

    PRESENT: it is what is to be shown from now on. PAST: the branch was there before. ASIDE: the branch was never there.
    """

    PRESENT = auto()
    PAST = auto()
    ASIDE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The branch seen from its tip: its first parents, the latest first, as far as they were asked for."""

    tip_number: int
    revisions: tuple[str, ...]

    def holds(self, revision: str | None, number: int) -> bool:
        """Whether the branch was at that revision at that position."""
        back = self.tip_number - number
        return 0 <= back < len(self.revisions) and self.revisions[back] == revision


def locate(estate: Estate, config: Config, revision: str | None) -> Position:
    """Find the position to read: what the branch is at (a clone asks its remote first), or the revision asked for.

    Raises Unavailable when the directory or repository can't be read, NotFound for an unknown revision. Blocks.
    """
    if estate.kind == estates.DIRECTORY:
        if estate.path is None or not Path(estate.path).is_dir():
            raise Unavailable(f"the estate {estate.name} lies at {estate.path}, where there is no directory")
        return Position(ref=estate.ref)
    repository = estates.repository(config, estate)
    tip = repository.fetch() if revision is None or estate.url is not None else repository.head()
    commit = repository.commit_info(revision or tip)
    return Position(
        ref=estate.ref,
        revision=commit.revision,
        number=commit.number,
        author=commit.author,
        committed_at=commit.committed_at,
        tip=tip,
        tip_number=commit.number if commit.revision == tip else repository.commit_info(tip).number,
    )


def line(estate: Estate, config: Config, position: Position, back_to: int = 0) -> Line | None:
    """The branch back to a position, or as far back as what is read; None for a directory, which has no branch."""
    if position.tip is None or position.tip_number is None or position.number is None:
        return None
    count = position.tip_number - min(position.number, back_to) + 1
    return Line(
        tip_number=position.tip_number, revisions=estates.repository(config, estate).first_parents(position.tip, max(count, 1))
    )


def between(estate: Estate, config: Config, since: str, until: str | None) -> tuple[str, ...]:
    """The revisions of the branch after one and up to another (default: its tip), the earliest first.

    Raises NotFound when either is no revision, Invalid when the branch was never at the first of them. Blocks.
    """
    repository = estates.repository(config, estate)
    if estate.url is not None:
        repository.fetch()
    first = repository.resolve(since)
    revisions = repository.first_parents(until or repository.head())
    if first not in revisions:
        raise Invalid(
            f"{since!r} is not on the way of {estate.ref} to {until or 'its tip'}",
            hint="name two revisions of the branch, the earlier one first",
        )
    return tuple(reversed(revisions[: revisions.index(first)]))


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
    try:
        paths = estates.repository(config, estate).changed_files(before, position.revision)
    except NotFound:
        return None  # a rewritten branch: git has forgotten what was read before
    prefix = "" if estate.directory == "." else f"{estate.directory.rstrip('/')}/"
    return tuple(path[len(prefix) :] for path in paths if path.startswith(prefix))


def _inside(files: Tree, directory: str) -> Tree:
    return files if directory in {".", ""} else SubTree(files, directory)
