"""Runs one engine: bytes in, bytes out, under a deadline and a memory limit, in a sandbox without files, network or environment.

An engine that trapped is poisoned: its instance is thrown away and the next call gets a fresh one. So is one whose memory has
grown, for WebAssembly memory never shrinks.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import wasmtime

from catalog.engines import cache
from catalog.errors import Unavailable

_MEGABYTE = 1 << 20


class Runner:
    """One engine of one process. Calls from several threads wait for each other: an instance serves one call at a time.

    `deadline` is in seconds, `memory` and `tired` (the size at which an instance is retired after a call) in megabytes.
    """

    def __init__(self, name: str, directory: Path, *, deadline: float = 10.0, memory: int = 512, tired: int = 128) -> None:
        self.name = name
        self._deadline = deadline
        self._memory = memory
        self._tired = tired
        self._engine, self._module = cache.load(name, directory)
        self._linker = wasmtime.Linker(self._engine)
        self._linker.define_wasi()
        self._instance: _Instance | None = None
        self._lock = threading.Lock()

    def call(self, export: str, payload: bytes) -> bytes:
        """Hand bytes to an export and return its answer; raises Unavailable when the engine fails, takes too long or too much."""
        with self._lock:
            try:
                instance = self._instance or self._start()
                self._instance = None  # until the call has ended well
                answer = self._bounded(instance, export, payload)
            except (wasmtime.Trap, wasmtime.WasmtimeError, wasmtime.ExitTrap) as error:
                raise Unavailable(f"the {self.name} engine gave up: {_reason(error, self._deadline)}", code="ENGINE") from error
            if instance.megabytes < self._tired:
                self._instance = instance
            return answer

    def _start(self) -> _Instance:
        store = wasmtime.Store(self._engine)
        store.set_wasi(wasmtime.WasiConfig())
        store.set_limits(memory_size=self._memory * _MEGABYTE)
        store.set_epoch_deadline(1)
        instance = _Instance(store, self._linker.instantiate(store, self._module))
        instance.invoke("_initialize")
        return instance

    def _bounded(self, instance: _Instance, export: str, payload: bytes) -> bytes:
        instance.store.set_epoch_deadline(1)
        timer = threading.Timer(self._deadline, self._engine.increment_epoch)
        timer.daemon = True
        timer.start()
        try:
            return instance.exchange(export, payload)
        finally:
            timer.cancel()
            timer.join()  # a late tick must not hit the next call


class _Instance:
    """A running engine with its memory."""

    def __init__(self, store: wasmtime.Store, instance: wasmtime.Instance) -> None:
        self.store = store
        self._exports: Any = instance.exports(store)

    @property
    def megabytes(self) -> int:
        return int(self._exports["memory"].data_len(self.store)) // _MEGABYTE

    def invoke(self, export: str, *arguments: int) -> int:
        return int(self._exports[export](self.store, *arguments) or 0)

    def exchange(self, export: str, payload: bytes) -> bytes:
        memory = self._exports["memory"]
        given = self.invoke("alloc", len(payload)) & 0xFFFFFFFF
        memory.write(self.store, payload, given)
        packed = self.invoke(export, given, len(payload)) & 0xFFFFFFFFFFFFFFFF
        address, size = packed >> 32, packed & 0xFFFFFFFF
        answer = bytes(memory.read(self.store, address, address + size))
        self.invoke("release", given)
        self.invoke("release", address)
        return answer


def _reason(error: Exception, deadline: float) -> str:
    text = str(error)
    if "interrupt" in text:
        return f"no answer within {deadline:g} s"
    return text.strip().splitlines()[-1].strip() or type(error).__name__
