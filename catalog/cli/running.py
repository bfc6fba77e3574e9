"""What the long-running commands share: an event that signals set, and an event loop that ends cleanly."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(work: Coroutine[Any, Any, T], *, serves: bool = False) -> T:
    """Run a coroutine to its end; what it logs goes to stderr. `serves`: on uvloop where there is one, for whoever answers many."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with asyncio.Runner(loop_factory=_fast_loop() if serves else None) as runner:
        return runner.run(work)


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:  # Windows has none
        return None
    return uvloop.new_event_loop


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
