"""Runs one engine: bytes in, bytes out, under a deadline and a memory limit, in a sandbox without files, network or environment.

An engine that trapped is poisoned: its instance is thrown away and the next call gets a fresh one. So is one whose memory has
grown, for WebAssembly memory never shrinks.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import wasmtime

from catalog.engines import cache
from catalog.errors import Unavailable

_MEGABYTE = 1 << 20
_TICK = 0.05  # seconds between two looks at the clock while a call runs

# What an engine asks while it serves a call: bytes in, bytes out. What it raises ends the call.
Host = Callable[[bytes], bytes]


class Runner:
    """One engine of one process. Calls from several threads wait for each other: an instance serves one call at a time.

    `deadline` is in seconds, `memory` and `tired` (the size at which an instance is retired after a call) in megabytes. `host`
    answers what the engine asks meanwhile; it may call the same runner again, and its time isn't counted. `generation` counts the
    instances so far: what was kept inside an older one is gone. Whoever makes several calls that belong together holds `lock`.
    """

    def __init__(
        self,
        name: str,
        directory: Path,
        *,
        deadline: float = 10.0,
        memory: int = 512,
        tired: int = 128,
        host: Host | None = None,
    ) -> None:
        self.name = name
        self.generation = 0
        self._deadline = deadline
        self._memory = memory
        self._tired = tired
        self._engine, self._module = cache.load(name, directory)
        self._linker = wasmtime.Linker(self._engine)
        self._linker.define_wasi()
        self._instance: _Instance | None = None
        self.lock = threading.RLock()
        self._depth = 0
        self._clock = _Clock(self._engine)
        if host is not None:
            answer = host
            signature = wasmtime.FuncType([wasmtime.ValType.i32(), wasmtime.ValType.i32()], [wasmtime.ValType.i64()])
            self._linker.define_func("host", "call", signature, lambda address, size: self._asked(answer, address, size))

    def call(self, export: str, payload: bytes) -> bytes:
        """Hand bytes to an export and return its answer; raises Unavailable when the engine fails, takes too long or too much."""
        with self.lock:
            instance = self.ready()
            try:
                self._depth += 1
                return self._bounded(instance, export, payload)
            except (wasmtime.Trap, wasmtime.WasmtimeError, wasmtime.ExitTrap) as error:
                self._instance = None
                raise Unavailable(f"the {self.name} engine gave up: {_reason(error, self._deadline)}", code="ENGINE") from error
            except BaseException:  # what the host raised has unwound the engine in the middle of its work
                self._instance = None
                raise
            finally:
                self._depth -= 1

    def ready(self) -> _Instance:
        """Return a running instance, a fresh one where the last has gone or has grown too large."""
        with self.lock:
            if self._instance is not None and not self._depth and self._instance.megabytes >= self._tired:
                self._instance = None
            if self._instance is None:
                try:
                    self._instance = self._start()
                except (wasmtime.Trap, wasmtime.WasmtimeError, wasmtime.ExitTrap) as error:
                    raise Unavailable(f"the {self.name} engine gave up: {_reason(error, self._deadline)}", code="ENGINE") from error
                self.generation += 1
            return self._instance

    def _start(self) -> _Instance:
        store = wasmtime.Store(self._engine)
        world = wasmtime.WasiConfig()
        world.argv = [self.name]  # Go libraries look at the program's name while they are loaded
        store.set_wasi(world)
        store.set_limits(memory_size=self._memory * _MEGABYTE)
        store.set_epoch_deadline(math.ceil(self._deadline / _TICK) + 1)
        instance = _Instance(store, self._linker.instantiate(store, self._module))
        instance.invoke("_initialize")
        return instance

    def _bounded(self, instance: _Instance, export: str, payload: bytes) -> bytes:
        if self._depth == 1:  # inside a call of the host the outer deadline holds
            instance.store.set_epoch_deadline(math.ceil(self._deadline / _TICK) + 1)
        with self._clock:
            return instance.exchange(export, payload)

    def _asked(self, host: Host, address: int, size: int) -> int:
        instance = self._instance
        if instance is None:
            raise RuntimeError("an engine without an instance asks")
        request = instance.taken(address, size)
        self._clock.__exit__()
        answer = host(request)
        if self._instance is not instance:
            raise RuntimeError("the engine gave up while it was asked again")
        self._clock.__enter__()
        return instance.given(answer)


class _Clock:
    """Lets an engine's epoch tick while a call runs, and sleeps otherwise: a timer for each call would cost more than the call."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        self._engine = engine
        self._running = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> None:
        if self._thread is None or not self._thread.is_alive():  # a forked child has no threads of its parent
            self._thread = threading.Thread(target=self._tick, name="engine-clock", daemon=True)
            self._thread.start()
        self._running.set()

    def __exit__(self, *_: object) -> None:
        self._running.clear()

    def _tick(self) -> None:
        pause = threading.Event()
        while True:
            self._running.wait()
            pause.wait(_TICK)
            self._engine.increment_epoch()


class _Instance:
    """A running engine with its memory.

    What is sent is written into one buffer inside, which grows as needed; the engine has read it before it asks the host anything.
    An engine either exports `release`, and is told when its answer has been read, or keeps an answer until the next.
    """

    def __init__(self, store: wasmtime.Store, instance: wasmtime.Instance) -> None:
        self.store = store
        exports: Any = instance.exports(store)
        self._exports = {name: exports[name] for name in exports}
        self._memory = exports["memory"]
        self._alloc, self._release = exports["alloc"], self._exports.get("release")
        self._buffer, self._room = 0, 0

    @property
    def megabytes(self) -> int:
        return int(self._memory.data_len(self.store)) // _MEGABYTE

    def invoke(self, export: str, *arguments: int) -> int:
        return int(self._exports[export](self.store, *arguments) or 0)

    def exchange(self, export: str, payload: bytes) -> bytes:
        if len(payload) > self._room:
            self._grow(len(payload))
        self._memory.write(self.store, payload, self._buffer)
        packed = int(self._exports[export](self.store, self._buffer, len(payload))) & 0xFFFFFFFFFFFFFFFF
        address, size = packed >> 32, packed & 0xFFFFFFFF
        answer = bytes(self._memory.read(self.store, address, address + size))
        if self._release is not None:
            self._release(self.store, address)
        return answer

    def taken(self, address: int, size: int) -> bytes:
        """Read what the engine holds at an address."""
        start = address & 0xFFFFFFFF
        return bytes(self._memory.read(self.store, start, start + (size & 0xFFFFFFFF)))

    def given(self, answer: bytes) -> int:
        """Write an answer into the engine's memory; return where it lies and how long it is, packed into a signed number."""
        address = int(self._alloc(self.store, len(answer))) & 0xFFFFFFFF
        self._memory.write(self.store, answer, address)
        packed = address << 32 | len(answer)
        return packed - (1 << 64) if packed >= 1 << 63 else packed

    def _grow(self, size: int) -> None:
        if self._room:
            self.invoke("release" if self._release is not None else "free", self._buffer)
        self._room = max(1 << 16, 1 << size.bit_length())
        self._buffer = int(self._alloc(self.store, self._room)) & 0xFFFFFFFF


def _reason(error: Exception, deadline: float) -> str:
    text = str(error)
    if "interrupt" in text:
        return f"no answer within {deadline:g} s"
    return text.strip().splitlines()[-1].strip() or type(error).__name__
