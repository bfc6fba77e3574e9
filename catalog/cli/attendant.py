"""The worker as a child of `catalog up`: started, started again when it dies, stopped with its parent."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping

from catalog.cli import progress

_PATIENCE = 30.0  # seconds for a worker to finish what it has
_LONGEST_PAUSE = 30.0  # seconds between attempts


class Attendant:
    """Keeps one worker process running until it is told to stop.

    The worker watches the pipe that is its stdin: when this process is killed, the pipe breaks and the worker ends by itself.
    It has a session of its own, so that Ctrl-C reaches this process alone.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    async def keep_running(self) -> None:
        """Run a worker, and another whenever it ends unasked."""
        pause = 0.5
        while not self._stopping:
            self._process = await self._start()
            code = await self._process.wait()
            if self._stopping:
                return
            progress.say(f"the worker ended unasked (exit {code}); starting another")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "catalog", "worker", "--while-stdin-is-open"),
            stdin=asyncio.subprocess.PIPE,
            stdout=sys.stderr,
            env=self._environment,
            start_new_session=True,
        )

    async def stop(self) -> None:
        """Let the worker finish what it has, then end it."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _PATIENCE)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if not isinstance(error, TimeoutError):
                raise
