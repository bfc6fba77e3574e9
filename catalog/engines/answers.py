"""Remembers an engine's answers by content, in memory and on disk: what was parsed once is never parsed again on this machine."""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from pathlib import Path

_IN_MEMORY = 2_000  # answers of some 10 KB


class Answers:
    """Answers by key; a directory of None keeps them in memory only. Keys are hex digests that cover engine and input."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory / "answers" if directory else None
        self._recent: OrderedDict[str, bytes] = OrderedDict()

    def find(self, key: str) -> bytes | None:
        """Return the answer kept under a key, or None."""
        if key in self._recent:
            self._recent.move_to_end(key)
            return self._recent[key]
        if self._directory is None:
            return None
        try:
            answer = (self._directory / key[:2] / key[2:]).read_bytes()
        except OSError:
            return None
        self._remember(key, answer)
        return answer

    def keep(self, key: str, answer: bytes) -> None:
        """Keep an answer. A directory that can't be written costs only the time to ask again."""
        self._remember(key, answer)
        if self._directory is None:
            return
        folder = self._directory / key[:2]
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, scratch = tempfile.mkstemp(dir=folder)
            with os.fdopen(descriptor, "wb") as file:
                file.write(answer)
            Path(scratch).replace(folder / key[2:])
        except OSError:
            return

    def _remember(self, key: str, answer: bytes) -> None:
        self._recent[key] = answer
        if len(self._recent) > _IN_MEMORY:
            self._recent.popitem(last=False)
