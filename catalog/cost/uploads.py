"""Files that were sent ahead of an import: kept below `CATALOG_HOME/uploads` for a day, and no more of them than the disk is lent for.

An upload is its content and, once it is whole, a note of whose it is. What is not whole has no note and is nobody's; it goes with the
old ones, which every new upload removes. Blocks: call it in a thread.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from catalog.config import Config
from catalog.errors import Conflict, NotFound

LARGEST = 2 << 30  # bytes of one upload
MOST = 8 << 30  # bytes of all of them
KEPT = 24 * 3600  # seconds
_ID = re.compile(r"upl_[0-9a-f]{32}")
_NOTE = ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that was sent whole: what it is called, whose it is, and what it holds."""

    id: str
    name: str
    principal_id: str
    size: int
    sha256: str


class Receiving:
    """An upload on its way. Leaving it before `done` removes it."""

    def __init__(self, config: Config, name: str, principal_id: str) -> None:
        self._directory = _directory(config)
        self._name, self._principal_id = name, principal_id
        self._id = f"upl_{secrets.token_hex(16)}"
        self._digest = hashlib.sha256()
        self._size = 0
        self._made: Upload | None = None

    def __enter__(self) -> Self:
        sweep(self._directory)
        self._file = (self._directory / self._id).open("wb", buffering=0)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if self._made is None:
            (self._directory / self._id).unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        """Write what came; raises Conflict when there is no room for it."""
        self._size += len(chunk)
        if used(self._directory) + len(chunk) > MOST:
            raise Conflict(
                "there is no room for more uploads",
                code="NO_ROOM",
                hint="import or await those that are there: they go after a day",
            )
        self._file.write(chunk)
        self._digest.update(chunk)

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._size

    def done(self) -> Upload:
        """Keep the file, now that it is whole."""
        made = Upload(
            id=self._id, name=self._name, principal_id=self._principal_id, size=self._size, sha256=self._digest.hexdigest()
        )
        (self._directory / f"{self._id}{_NOTE}").write_text(json.dumps(asdict(made)), encoding="utf-8")
        self._made = made
        return made


def find(config: Config, identity: str, principal_id: str | None) -> tuple[Upload, Path]:
    """Find a whole upload of one's own; raises NotFound."""
    path = _directory(config) / (identity if _ID.fullmatch(identity) else "none")
    try:
        note = Upload(**json.loads(path.with_suffix(_NOTE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        note = None
    if note is None or note.principal_id != principal_id or not path.is_file():
        raise NotFound("there is no such upload", hint="send the file to POST /uploads: it is kept for a day", path=("upload",))
    return note, path


def remove(config: Config, identity: str) -> None:
    """Remove an upload."""
    directory = _directory(config)
    for name in (f"{identity}{_NOTE}", identity):
        (directory / name).unlink(missing_ok=True)


def sweep(directory: Path) -> None:
    """Remove what is older than a day, whole or not."""
    oldest = time.time() - KEPT
    for path in directory.iterdir():
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
        except FileNotFoundError:
            continue  # another process was quicker


def used(directory: Path) -> int:
    """Bytes that all uploads take."""
    sizes = []
    for path in directory.iterdir():
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:
            continue
    return sum(sizes)


def _directory(config: Config) -> Path:
    directory = config.home / "uploads"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return directory
