"""What `catalog up` claims before it starts anything: the directory it writes to, for itself alone, and the port."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from catalog import errors
from catalog.config import Config


@contextlib.contextmanager
def claimed(config: Config) -> Iterator[socket.socket]:
    """Hold the home directory and the listening socket; raises Unavailable saying which can't be had, having written nothing."""
    from catalog.web import server  # noqa: PLC0415

    fresh = not config.home.exists()
    with _held(config):
        try:
            listener = server.bind(config.host, config.port)
        except errors.Unavailable:
            if fresh:
                shutil.rmtree(config.home)  # nothing but the lock is in it yet
            raise
        try:
            yield listener
        finally:
            listener.close()


@contextlib.contextmanager
def _held(config: Config) -> Iterator[None]:
    path = config.home / "up.lock"
    try:
        config.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise errors.Unavailable(
            f"can't write to {config.home}: {error.strerror}", hint="choose a directory that can be written with CATALOG_HOME"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise errors.Unavailable(
                f"a catalog is already running on {config.home}{_holder(descriptor)}",
                hint="stop it first, or start another with CATALOG_HOME and CATALOG_PORT",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} http://{config.host}:{config.port}/\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    pid, _, url = os.pread(descriptor, 200, 0).decode(errors="replace").strip().partition(" ")
    return f": process {pid} at {url}" if url else ""


def write_secret(path: Path, secret: str) -> None:
    """Write a file that only its owner can read, whole or not at all; raises Unavailable."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secret + "\n")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise errors.Unavailable(f"can't write {path}: {error.strerror}") from error
