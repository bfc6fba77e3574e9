"""The embedded engines: Go programs built for WASI and run by wasmtime, so that a plain install has the field's real parsers.

An engine is a pair of files beside this one, `NAME.wasm.gz` and `NAME.wasm.sha256`, rebuilt from `engines/NAME` by `make engines`.
May import `config`, `errors` and `values`. The decision that shaped the room: engines are compiled once per machine into a cache
that the caller names, by wasmtime's single-pass compiler, and never run without a deadline and a memory limit.
"""

from __future__ import annotations

from catalog.engines import answers, cache, hcl, runner

__all__ = ["answers", "cache", "hcl", "runner"]
