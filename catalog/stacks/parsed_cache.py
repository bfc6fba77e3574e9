"""Parsed files kept on disk between processes, by content: what was parsed once is read back at a tenth of the cost.

One file holds an estate's documents, so that a process opens one. Python's own serialisation is used, which is fast and must be
trusted: the file is taken only from a directory and of an owner that nobody else could have written as, and only if it is whole.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import stat
import sys
import tempfile
from collections import OrderedDict
from dataclasses import fields
from pathlib import Path
from typing import Any

from catalog.stacks import documents, scalars
from catalog.stacks.documents import Document

_SIZE = 64_000_000  # bytes of one estate's documents; the oldest go first
_ESTATES = 20  # estates whose documents are kept
_FIELDS = tuple(field.name for field in fields(Document))


class DiskCache:
    """Parsed documents of one estate; `save` writes what was added. A directory that can't be used costs only the parsing."""

    def __init__(self, directory: Path, estate: str) -> None:
        name = hashlib.blake2b(estate.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
        self._file = directory / "parsed" / name
        self._kept: OrderedDict[str, bytes] | None = None
        self._size = 0
        self._is_changed = False

    def get(self, key: str) -> Document | None:
        """The document kept under the key."""
        kept = self._opened()
        content = kept.get(key)
        if content is None:
            return None
        kept.move_to_end(key)
        return Document(**dict(zip(_FIELDS, marshal.loads(content), strict=True)))  # noqa: S302 — written by `save`, checked by `_read`

    def put(self, key: str, document: Document) -> None:
        """Keep a document under the key, unless it holds values that only parsing makes: dates and includes."""
        try:
            content = marshal.dumps(tuple(getattr(document, name) for name in _FIELDS))
        except ValueError:
            return
        kept = self._opened()
        self._size += len(content) - len(kept.get(key, b""))
        kept[key] = content
        self._is_changed = True
        while self._size > _SIZE and len(kept) > 1:
            self._size -= len(kept.popitem(last=False)[1])

    def save(self) -> None:
        """Write the documents if any came in."""
        if not self._is_changed or self._kept is None:
            return
        self._is_changed = False
        payload = marshal.dumps(tuple(self._kept.items()))
        folder = self._file.parent
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, scratch = tempfile.mkstemp(dir=folder)
            with os.fdopen(descriptor, "wb") as file:
                file.write(_seal(payload))
                file.write(payload)
            Path(scratch).replace(self._file)
            _remove_oldest(folder)
        except OSError:
            return

    def _opened(self) -> OrderedDict[str, bytes]:
        if self._kept is None:
            self._kept = OrderedDict(_read(self._file))
            self._size = sum(map(len, self._kept.values()))
        return self._kept


def _read(file: Path) -> tuple[tuple[str, bytes], ...]:
    """Return what a file keeps; nothing where it isn't there, isn't ours alone, or was written by another version."""
    try:
        with file.open("rb") as opened:
            if not (_is_ours(os.fstat(opened.fileno())) and _is_ours(file.parent.stat())):
                return ()
            content = opened.read()
    except OSError:
        return ()
    length = len(_seal(b""))
    if content[:length] != _seal(content[length:]):
        return ()
    found: tuple[tuple[str, bytes], ...] = marshal.loads(content[length:])  # noqa: S302 — ours alone, and whole
    return found


def _is_ours(status: os.stat_result) -> bool:
    """Tell whether nobody but this process's user, or root, can have written a file or directory."""
    return status.st_uid in (os.geteuid(), 0) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _seal(payload: bytes) -> bytes:
    """What stands before a payload: a digest of it, of Python's version, and of the code that made it."""
    return hashlib.blake2b(payload, digest_size=32, key=_version()).digest()


def _version() -> bytes:
    return hashlib.blake2b(_CODE + f"{sys.version} {marshal.version}".encode(), digest_size=32).digest()


def _source(module: Any) -> bytes:
    return Path(module.__file__).read_bytes()


_CODE = b"".join(map(_source, (documents, scalars)))


def _remove_oldest(folder: Path) -> None:
    """Keep the newest estates of a directory."""
    found = sorted(folder.iterdir(), key=lambda each: each.stat().st_mtime)
    for each in found[:-_ESTATES]:
        each.unlink(missing_ok=True)
