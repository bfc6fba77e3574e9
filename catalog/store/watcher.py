"""Stop the embedded server when its last user is gone. Started by `embedded` as a program, with only the standard library.

Every user holds a shared lock on `users.lock`; this program waits for the exclusive one, so the kernel tells it when the last user
is gone, however it went (kill -9 included). What it holds itself, `watcher.lock`, was locked by the launcher before its birth.

    python -I -S watcher.py PLACE SOCKET_DIRECTORY WATCHER_LOCK_FD
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

POLL = 0.01  # seconds
_SOCKET_LOCK = ".s.PGSQL.5432.lock"
PATIENCE = 30.0  # seconds that a fast shutdown may take before the server is told to drop everything


def server_pid(data: Path) -> int | None:
    """Return the pid in `postmaster.pid` when that process really is the server of this data directory, else None."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if serves(pid, data) else None


def serves(pid: int, data: Path) -> bool:
    """Whether a process is the server of this data directory: pids are reused, working directories tell."""
    if Path("/proc/self/cwd").exists():
        try:
            return (Path("/proc") / str(pid) / "cwd").resolve(strict=True) == data.resolve()
        except OSError:  # gone, or a zombie that has no directory any more
            return False
    command = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return str(data) in command.stdout


def orphan_pid(data: Path, socket: Path) -> int | None:
    """Return the pid of a server whose data directory was deleted under it: it still holds the socket that a new one needs."""
    try:
        pid = int((socket / _SOCKET_LOCK).read_text().split("\n", 1)[0])
        directory = (Path("/proc") / str(pid) / "cwd").readlink()
    except (OSError, ValueError):
        return None
    return pid if str(directory) == f"{data.resolve()} (deleted)" else None


def stop(data: Path, socket: Path) -> None:
    """Shut the server of this data directory down and wait until it is gone; nothing to do when none runs."""
    _end(lambda: server_pid(data), signal.SIGINT)
    _end(lambda: server_pid(data), signal.SIGQUIT)
    _end(lambda: orphan_pid(data, socket), signal.SIGQUIT)  # there is nothing left to write to
    with contextlib.suppress(OSError):  # not empty after a crash, and then of use to nobody
        socket.rmdir()


def _end(running: Callable[[], int | None], how: signal.Signals) -> None:
    """Send a signal to what runs and wait until nothing does, as long as patience lasts."""
    deadline = time.monotonic() + PATIENCE
    if (pid := running()) is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)
        while running() is not None and time.monotonic() < deadline:
            time.sleep(POLL)


def watch(place: Path, socket: Path, watcher_lock: int) -> None:
    """Wait until nobody holds `users.lock`, then stop the server under `control.lock`."""
    users = os.open(place / "users.lock", os.O_RDWR)
    control = os.open(place / "control.lock", os.O_RDWR)
    while True:
        fcntl.flock(users, fcntl.LOCK_EX)
        # Let go before taking control: a newcomer holds control while it waits for its share of `users`.
        fcntl.flock(users, fcntl.LOCK_UN)
        fcntl.flock(control, fcntl.LOCK_EX)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # somebody came in between
            fcntl.flock(control, fcntl.LOCK_UN)
            continue
        stop(place / "data", socket)
        os.close(watcher_lock)  # while control is held, so that the next starter sees that it needs a new watcher
        return


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    watch(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
