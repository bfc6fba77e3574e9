"""Runs programs so that they end with the worker: each under a guard (`guard.py`) in a session of its own.

A process is known by host, pid and start time, for a pid alone may be anybody's a minute later.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

GRACE = 120.0  # seconds that an interrupted program has to finish what is in flight
_LINE_LIMIT = 1 << 26  # bytes; a line of terraform's JSON can hold a whole resource

OnLine = Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A process that can be found again: its host, its pid, and when it started, as the kernel counts."""

    host: str
    pid: int
    start_time: str


def identity(pid: int | None = None) -> Identity:
    """Return the identity of a process of this host, this one by default."""
    pid = pid or os.getpid()
    return Identity(host=socket.gethostname(), pid=pid, start_time=_start_time(pid) or "")


def is_alive(host: str, pid: int, start_time: str) -> bool | None:
    """Tell whether that process still runs; None when it ran on another host, where nobody here can look."""
    if host != socket.gethostname():
        return None
    return _start_time(pid) == start_time


def _start_time(pid: int) -> str | None:
    """When a process started; None when it doesn't run (or has ended and only waits to be collected)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None if Path("/proc/self").exists() else _start_time_by_ps(pid)
    return None if fields[0] in "ZX" else fields[19]


def _start_time_by_ps(pid: int) -> str | None:
    """Where there is no /proc (macOS), ps knows."""
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


async def run(
    command: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    on_line: OnLine,
    started: Callable[[Identity], Awaitable[None]] | None = None,
    grace: float = GRACE,
) -> int:
    """Run a program and hand on its lines (`stdout` or `stderr`, text) as they come, one at a time; return its exit code.

    `started` is told the guard's identity before the program begins. When the caller is cancelled, or `on_line` fails, the program
    is interrupted and waited for; the lines that it still says are handed on, so that a log shows how it ended.
    """
    process = await asyncio.create_subprocess_exec(
        *guarded(command, grace),
        cwd=directory,
        env=dict(environment),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        limit=_LINE_LIMIT,
    )
    assert process.stdin is not None
    one_at_a_time = asyncio.Lock()
    readers = asyncio.gather(
        _read(process.stdout, "stdout", on_line, one_at_a_time), _read(process.stderr, "stderr", on_line, one_at_a_time)
    )
    try:
        if started is not None:
            await started(identity(process.pid))
        process.stdin.write(b"!")
        await asyncio.shield(readers)
        return await process.wait()
    except BaseException:
        await _stop(process, readers, grace)
        raise
    finally:
        process.stdin.close()


async def capture(command: Sequence[str], *, directory: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run a program that only reads; return exit code, output and what it said on its error stream."""
    said: dict[str, list[str]] = {"stdout": [], "stderr": []}

    async def keep(stream: str, text: str) -> None:
        said[stream].append(text)

    code = await run(command, directory=directory, environment=environment, on_line=keep, grace=5.0)
    return code, "\n".join(said["stdout"]), "\n".join(said["stderr"])


def guarded(command: Sequence[str], grace: float = GRACE) -> list[str]:
    """Return the command that runs a command under guard."""
    return [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py")), str(grace), *command]


async def _read(stream: asyncio.StreamReader | None, name: str, on_line: OnLine, lock: asyncio.Lock) -> None:
    assert stream is not None
    async for line in stream:
        async with lock:
            await on_line(name, line.decode("utf-8", "replace").rstrip("\r\n"))


async def _stop(process: asyncio.subprocess.Process, readers: asyncio.Future[tuple[None, None]], grace: float) -> None:
    """Close the guard's input, which ends the program gently, and wait; kill the guard only when even that takes too long."""
    assert process.stdin is not None
    process.stdin.close()
    with contextlib.suppress(asyncio.TimeoutError, Exception):
        await asyncio.wait_for(asyncio.shield(readers), grace + 10)
    drains = [asyncio.ensure_future(_drain(stream)) for stream in (process.stdout, process.stderr)]
    try:
        await asyncio.wait_for(process.wait(), grace + 10)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()
    await asyncio.gather(*drains, return_exceptions=True)


async def _drain(stream: asyncio.StreamReader | None) -> None:
    while stream is not None and await stream.read(65536):
        pass
