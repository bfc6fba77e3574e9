"""Which files of a plain directory belong to an estate that is copied into a repository."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from catalog.errors import Unavailable

# Never part of an estate: version control, environments, and what terraform and this catalog write beside it.
_SKIPPED_DIRECTORIES = frozenset({".git", ".terraform", ".catalog", ".venv", "node_modules", "__pycache__"})
_SKIPPED_MARKS = (".tfstate", ".terraform.tfvars.json", ".planfile")
_SKIPPED_FILES = frozenset({"backend.tf.json"})


def files(directory: Path, include: Sequence[str] | None = None) -> Iterator[tuple[str, str, bytes]]:
    """Yield (POSIX path, Git mode, bytes) of each file of the estate, in lexical order.

    `include` names what of the directory belongs to it (files or folders); None is everything. Raises Unavailable when the
    directory or something that `include` names can't be read.
    """
    roots = sorted(include) if include is not None else [""]
    for root in roots:
        start = directory / root
        if not start.exists():
            raise Unavailable(f"{start} does not exist", hint="an estate can't be made of what isn't there")
        for path in sorted(_walk(start)):
            name = PurePosixPath(path.relative_to(directory)).as_posix()
            if not _is_skipped(path.name):
                yield from _entry(name, path, directory)


def _walk(start: Path) -> Iterable[Path]:
    if start.is_file():
        yield start
        return
    for folder, folders, names in os.walk(start):
        folders[:] = [name for name in folders if name not in _SKIPPED_DIRECTORIES]
        yield from (Path(folder, name) for name in names)
        yield from (Path(folder, name) for name in folders if Path(folder, name).is_symlink())


def _is_skipped(name: str) -> bool:
    return name in _SKIPPED_FILES or any(mark in name for mark in _SKIPPED_MARKS)


def _entry(name: str, path: Path, directory: Path) -> Iterator[tuple[str, str, bytes]]:
    """A file with its mode; a link only when what it points to lies inside."""
    try:
        if path.is_symlink():
            if path.resolve().is_relative_to(directory.resolve()):
                yield name, "120000", os.fsencode(path.readlink())
        elif path.is_file():
            yield name, "100755" if os.access(path, os.X_OK) else "100644", path.read_bytes()
    except OSError as error:
        raise Unavailable(f"{path} can't be read: {error.strerror}") from error
