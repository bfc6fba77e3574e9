"""The catalog from outside: a running `catalog up`, the command, and a client of the graph.

Test modules here `import outside`; the fixture `catalog` (conftest.py) is one running catalog for the whole session.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = (sys.executable, "-P", "-m", "catalog")
PATIENCE = 180  # seconds until a catalog that isn't ready is given up


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code and what it said on either side."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def environment(home: Path, port: int | None = None, **more: str) -> dict[str, str]:
    """What a command is started with: nothing of ours but the PATH, a home of its own and CATALOG_*."""
    keep = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    own = {"HOME": str(home.parent), "CATALOG_HOME": str(home)} | ({"CATALOG_PORT": str(port)} if port else {})
    return keep | own | more


def command(*arguments: str, env: Mapping[str, str], cwd: Path = ROOT, stdin: str | None = None, timeout: float = PATIENCE) -> Done:
    """Run `catalog …` to its end."""
    given = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
    done = subprocess.run(
        [*COMMAND, *arguments], env=env, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False, **given
    )
    return Done(done.returncode, done.stdout, done.stderr)


@dataclass
class Catalog:
    """A running `catalog up`."""

    home: Path
    port: int
    process: subprocess.Popen
    lines: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """The local admin's token."""
        return (self.home / "token").read_text().strip()

    @property
    def link(self) -> str:
        """The sign-in link that it printed; it holds once."""
        return next(word for line in self.lines for word in line.split() if "/sign-in?token=" in word)

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def command(self, *arguments: str, token: str | None = None, **more) -> Done:
        """Run `catalog …` against it, as the local admin unless a token is given."""
        env = environment(self.home, self.port) | ({"CATALOG_TOKEN": token} if token else {})
        return command(*arguments, env=env, **more)

    def ok(self, *arguments: str, **more) -> Done:
        """The same, for a command that must succeed."""
        done = self.command(*arguments, **more)
        assert done.code == 0, f"catalog {' '.join(arguments)}: exit {done.code}\n{done.err}{done.out}"
        return done

    def principal(self, email: str, role: str, *options: str) -> str:
        """Add a principal and return a token of theirs."""
        self.ok("principal", "add", email, "--role", role, *options)
        return self.ok("token", "create", email).out.strip()

    def ask(self, document: str, variables: dict | None = None, *, token: str | None = None) -> dict:
        """Ask the graph and return its whole answer."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        body = {"query": document, "variables": variables or {}}
        return httpx.post(f"{self.url}/graphql", json=body, headers=headers, timeout=60, trust_env=False).json()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal it and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start(home: Path, port: int | None = None, **more: str) -> Catalog:
    """Start `catalog up` and return it, perhaps not ready yet."""
    port = port or free_port()
    process = subprocess.Popen(
        [*COMMAND, "up"],
        env=environment(home, port, PYTHONUNBUFFERED="1", **more),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    return Catalog(home, port, process)


def wait_until_ready(catalog: Catalog) -> Catalog:
    """Read what it says until it has printed its sign-in link; whatever comes after is read in the background."""
    with killing_after(PATIENCE, catalog.process):
        for line in catalog.process.stdout:
            catalog.lines.append(line)
            if "/sign-in?token=" in line:
                break
        else:
            catalog.process.wait()
            raise AssertionError(f"catalog up ended with {catalog.process.returncode} before it was ready:\n{catalog.said}")
    threading.Thread(target=lambda: catalog.lines.extend(catalog.process.stdout), daemon=True).start()
    return catalog


@contextlib.contextmanager
def killing_after(seconds: float, process: subprocess.Popen) -> Iterator[None]:
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def running(home: Path, port: int | None = None, **more: str) -> Iterator[Catalog]:
    """A ready `catalog up`, stopped at the end."""
    catalog = start(home, port, **more)
    try:
        yield wait_until_ready(catalog)
    finally:
        if catalog.process.poll() is None:
            catalog.stop()
        catalog.process.stdout.close()


def processes_of(home: Path) -> dict[int, str]:
    """Every process that belongs to a catalog's home: pid -> command line."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environ = (place / "environ").read_bytes()
            state = (place / "stat").read_text().rpartition(")")[2].split()[0]
            if (
                state != "Z"
                and int(place.name) != os.getpid()
                and (str(home) in words or f"CATALOG_HOME={home}\0".encode() in environ)
            ):
                found[int(place.name)] = words
    return found


def eventually(condition, *, within: float = 30.0):
    """Return the first true value of a condition that another process makes true; fails when it stays false."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, f"still not so after {within} s"
        time.sleep(0.05)
    return value
