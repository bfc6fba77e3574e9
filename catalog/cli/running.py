"""What the long-running commands share: an event that signals set, and an event loop that ends cleanly."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on uvloop where it is installed; what it logs goes to stderr."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return asyncio.run(work)


def shutdown_on_signals() -> asyncio.Event:
    """Return the event that Ctrl-C, SIGTERM or a closed terminal sets; a second Ctrl-C ends the process at once."""
    loop = asyncio.get_running_loop()
    shutdown = asyncio.Event()

    def requested(number: signal.Signals) -> None:
        shutdown.set()
        loop.remove_signal_handler(number)

    for number in _SIGNALS:
        loop.add_signal_handler(number, requested, number)
    return shutdown
