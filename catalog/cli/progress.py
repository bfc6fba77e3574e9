"""What happens, for the person who waits: lines on stderr, and a bar where stderr is a terminal."""

from __future__ import annotations

import sys
import time
from typing import Any, Self

import click


def say(text: str) -> None:
    """Print one line on stderr."""
    click.echo(text, err=True)


class Steps:
    """Named steps, one after the other; each says how long it took."""

    def __init__(self) -> None:
        self._began = self._first = time.monotonic()

    @property
    def total(self) -> float:
        """Seconds since the first step began."""
        return time.monotonic() - self._first

    def done(self, what: str) -> None:
        """Say that a step is done, and begin the next."""
        now = time.monotonic()
        say(f"  {what} ({now - self._began:.1f} s)")
        self._began = now


class Bar:
    """A progress bar that is only drawn on a terminal; called as the indexer's `progress(done, total, what)`."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        """Draw the bar where there is a terminal."""
        if sys.stderr.isatty():
            from rich.console import Console  # noqa: PLC0415 — not needed without a terminal
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

            columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("reading", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.stop()

    def __call__(self, done: int, total: int, what: str) -> None:
        """Show how far it is."""
        if self._bar:
            self._bar.update(self._task, completed=done, total=total or None, description=what)
