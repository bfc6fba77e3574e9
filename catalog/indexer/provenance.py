"""Where the values of an instance come from, at a revision that was indexed."""

from __future__ import annotations

from catalog.config import Config


class Readings:
    """The readings of estates that one process keeps."""

    def __init__(self, config: Config) -> None:
        self._config = config
