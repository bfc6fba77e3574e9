"""Programs end with their worker, gently, and can be told from later ones with the same number."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.executors import private, supervise

# Says so when it is interrupted, after more output than any pipe holds: a broken pipe must not end it before.
STUBBORN = """
import os, signal, sys
fifo = os.open(sys.argv[1], os.O_WRONLY)
def interrupted(*_):
    for _ in range(2000):
        os.write(1, b"x" * 100 + b"\\n")
    os.write(fifo, b"finished gently")
    sys.exit(0)
signal.signal(signal.SIGINT, interrupted)
os.write(fifo, b"began, ")
os.write(1, b"ready\\n")
while True:
    signal.pause()
"""

WORKER = """
import asyncio, pathlib, sys
from catalog.executors import supervise
async def on_line(stream, text): print(text, flush=True)
async def main():
    await supervise.run([sys.executable, *sys.argv[1:]], directory=pathlib.Path.cwd(), environment={}, on_line=on_line)
asyncio.run(main())
"""


async def run(tmp_path: Path, script: str, lines: list[tuple[str, str]], **options: object) -> int:
    async def on_line(stream: str, text: str) -> None:
        lines.append((stream, text))

    command = [sys.executable, "-c", script]
    return await supervise.run(command, directory=tmp_path, environment={"A": "b"}, on_line=on_line, **options)  # type: ignore[arg-type]


async def test_lines_and_exit_code_come_through(tmp_path: Path) -> None:
    """Both streams are handed on line by line, in a clean environment, and the code is the program's."""
    lines: list[tuple[str, str]] = []
    script = "import os, sys; print(os.environ.get('A'), os.environ.get('PATH')); print('oops', file=sys.stderr); sys.exit(3)"

    assert await run(tmp_path, script, lines) == 3
    assert sorted(lines) == [("stderr", "oops"), ("stdout", "b None")]


async def test_a_program_that_is_killed_gives_the_shells_code(tmp_path: Path) -> None:
    """A signal shows in the exit code as it does in a shell."""
    assert await run(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", []) == 128 + signal.SIGKILL


async def test_a_program_that_is_not_there_says_so(tmp_path: Path) -> None:
    """A missing program is an exit code and a line, as in a shell."""
    code, _, said = await supervise.capture(["/no/such/program"], directory=tmp_path, environment={})

    assert (code, said) == (127, "/no/such/program: No such file or directory")


async def test_the_process_is_known_before_it_begins(tmp_path: Path) -> None:
    """Who works is written down before the work: when that fails, nothing begins."""
    marker = tmp_path / "began"

    async def fails(identity: supervise.Identity) -> None:
        raise ValueError(identity.host)

    with pytest.raises(ValueError, match=os.uname().nodename):
        await run(tmp_path, f"open({str(marker)!r}, 'w')", [], started=fails)

    assert not marker.exists()


async def test_a_process_is_alive_until_it_ends_and_only_it(tmp_path: Path) -> None:
    """A recorded process is found again; its number with another start time is somebody else."""
    known: list[supervise.Identity] = []

    async def started(identity: supervise.Identity) -> None:
        known.append(identity)
        assert supervise.is_alive(identity.host, identity.pid, identity.start_time)

    await run(tmp_path, "pass", [], started=started)

    me = supervise.identity()
    assert supervise.is_alive(known[0].host, known[0].pid, known[0].start_time) is False
    assert supervise.is_alive(me.host, me.pid, me.start_time) is True
    assert supervise.is_alive(me.host, me.pid, "1") is False
    assert supervise.is_alive("another-host", me.pid, me.start_time) is None


async def test_cancelling_interrupts_and_waits(tmp_path: Path) -> None:
    """A cancelled run ends the program gently, and its last words are still heard."""
    lines: list[str] = []
    ready = asyncio.Event()

    async def on_line(stream: str, text: str) -> None:
        lines.append(text)
        ready.set()

    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    heard = asyncio.create_task(asyncio.to_thread(fifo.read_text))
    command = [sys.executable, "-c", STUBBORN, str(fifo)]
    task = asyncio.create_task(supervise.run(command, directory=tmp_path, environment={}, on_line=on_line))
    await ready.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert await heard == "began, finished gently"
    assert len(lines) == 2001


async def test_a_program_that_will_not_end_is_ended(tmp_path: Path) -> None:
    """After the grace period a second, harder signal follows."""
    deaf = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); print('ready', flush=True); signal.pause()"
    ready = asyncio.Event()

    async def on_line(stream: str, text: str) -> None:
        ready.set()

    command = [sys.executable, "-c", deaf]
    task = asyncio.create_task(supervise.run(command, directory=tmp_path, environment={}, on_line=on_line, grace=0.1))
    await ready.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_failing_sink_ends_the_program(tmp_path: Path) -> None:
    """When nobody can take the lines, the work is interrupted rather than done unseen."""

    async def on_line(stream: str, text: str) -> None:
        raise OSError("the log is full")

    # Not signal.pause(): an interrupt just before it would be forgotten.
    command = [sys.executable, "-c", "import time; print('ready', flush=True)\nwhile True: time.sleep(0.05)"]
    with pytest.raises(OSError, match="the log is full"):
        await supervise.run(command, directory=tmp_path, environment={}, on_line=on_line)


def test_a_program_outlives_a_killed_worker_just_to_finish(tmp_path: Path) -> None:
    """kill -9 of the worker interrupts the program, which ends in its own way in spite of its broken pipe."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    command = [sys.executable, "-c", WORKER, "-c", STUBBORN, str(fifo)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker, fifo.open() as heard:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        worker.kill()

        assert heard.read() == "began, finished gently"


def test_private_directories_of_dead_workers_are_swept(tmp_path: Path) -> None:
    """What a killed worker left behind is removed, what a living one uses is not."""
    with private.directory(tmp_path) as mine:
        dead = tmp_path / "run-dead"
        dead.mkdir()
        private.own(dead, supervise.Identity(host=supervise.identity().host, pid=2**22 - 1, start_time="1"))
        assert mine.stat().st_mode & 0o777 == 0o700

        assert private.sweep(tmp_path) == 1
        assert [path.name for path in tmp_path.iterdir()] == [mine.name]

    assert list(tmp_path.iterdir()) == []
