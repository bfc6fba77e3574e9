"""The cache of compiled engines: from `NAME.wasm.gz` in the package to machine code in a directory, once per machine.

Winch, wasmtime's single-pass compiler, takes the 7.8 MB HCL engine in 0.7 s (Cranelift without optimisation 2.5 s, with it 2.9 s,
on two cores) and its code runs a quarter slower, which is little against a parse of a few milliseconds. Where Winch doesn't run,
Cranelift without optimisation serves. A compiled file is keyed by the engine's digest, wasmtime's version and the compiler.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import hashlib
import importlib.metadata
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import wasmtime
from wasmtime import _bindings as bindings

from catalog.errors import Unavailable

_PACKAGE = Path(__file__).parent
# `wasmtime_strategy_enum` of the C API; the Python property accepts only the names of the first two.
_WINCH = 2


@cache
def digest(name: str) -> str:
    """Return the SHA-256 of an engine's WebAssembly, as committed beside it."""
    return (_PACKAGE / f"{name}.wasm.sha256").read_text().strip()


def keyed(name: str, hashes: Mapping[str, str]) -> str:
    """Return the key of an engine's answer to inputs with these content hashes: another engine, another key."""
    text = "\x1f".join((digest(name), *(f"{input_}\x1e{hashes[input_]}" for input_ in sorted(hashes))))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def ready(name: str, directory: Path) -> bool:
    """Tell whether an engine is compiled already, so that `load` takes milliseconds."""
    return _compiled(name, directory).is_file()


def prepare(name: str, directory: Path) -> Path:
    """Compile an engine unless it is; blocks for about a second of processor time. Return the compiled file.

    Safe to call from several processes at once: one compiles, the others wait for it.
    """
    target = _compiled(name, directory)
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(target.with_suffix(".lock")):
        if not target.is_file():
            _write(target, wasmtime.Module(compiler(), _wasm(name)).serialize())
            _remove_older(name, target)
    return target


def compile_in_background(names: Sequence[str], directory: Path) -> subprocess.Popen[bytes] | None:
    """Start compiling engines in a process of low priority, or return None when all are compiled already.

    The caller keeps the process and waits for it some time; it ends by itself within seconds.
    """
    missing = [name for name in names if not ready(name, directory)]
    if not missing:
        return None
    command = [sys.executable, "-m", "catalog.engines.compile", str(directory), *missing]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def load(name: str, directory: Path) -> tuple[wasmtime.Engine, wasmtime.Module]:
    """Map a compiled engine into memory; raises Unavailable when it isn't compiled.

    A file that doesn't fit this machine or is damaged is removed, and counts as not compiled.
    """
    target = _compiled(name, directory)
    if not target.is_file():
        raise Unavailable(f"the {name} engine is not compiled yet", hint="it is being prepared; try again in a few seconds")
    engine = compiler()
    try:
        return engine, wasmtime.Module.deserialize_file(engine, str(target))
    except wasmtime.WasmtimeError as error:
        target.unlink(missing_ok=True)
        raise Unavailable(f"the compiled {name} engine doesn't fit this machine", hint="it will be compiled again") from error


def compiler() -> wasmtime.Engine:
    """Return a fresh wasmtime engine, interruptible, with the compiler that this machine supports."""
    return wasmtime.Engine(_winch() if _has_winch() else _cranelift())


def _winch() -> wasmtime.Config:
    config = wasmtime.Config()
    config.epoch_interruption = True
    bindings.wasmtime_config_strategy_set(config.ptr(), _WINCH)
    return config


def _cranelift() -> wasmtime.Config:
    config = wasmtime.Config()
    config.epoch_interruption = True
    config.cranelift_opt_level = "none"
    return config


@cache
def _has_winch() -> bool:
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return False
    try:
        wasmtime.Engine(_winch())
    except wasmtime.WasmtimeError:
        return False
    return True


def _compiled(name: str, directory: Path) -> Path:
    version = importlib.metadata.version("wasmtime")
    with_ = "winch" if _has_winch() else "cranelift"
    return directory / "engines" / f"{name}-{digest(name)[:16]}-{version}-{platform.machine()}-{with_}.cwasm"


def _wasm(name: str) -> bytes:
    wasm = gzip.decompress((_PACKAGE / f"{name}.wasm.gz").read_bytes())
    if hashlib.sha256(wasm).hexdigest() != digest(name):
        raise Unavailable(
            f"the {name} engine differs from its digest", hint="reinstall, or run `make engines` after changing its source"
        )
    return wasm


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write(target: Path, content: bytes | bytearray) -> None:
    descriptor, scratch = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    Path(scratch).replace(target)


def _remove_older(name: str, current: Path) -> None:
    for path in current.parent.glob(f"{name}-*.cwasm"):
        if path != current:
            path.unlink(missing_ok=True)
