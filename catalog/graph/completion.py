r"""What a statement wrote → the response: marks become errors and nulls. Without marks the bytes go out as they came.

A mark is `\x01<number>;<detail>\x01` where a value should stand; no data can hold that byte. It is looked for in a few microseconds;
only if found is the text parsed.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

from catalog.graph.faults import error
from catalog.store.selection import Fault

_BYTE = b"\x01"
_MARK = re.compile(rb"\x01(\d+);([^\x01]*)\x01")


def complete(body: bytes, faults: Sequence[Fault], *, prefix: Sequence[str | int] = ()) -> tuple[bytes, list[dict[str, Any]]]:
    """Return the data and its errors; `prefix` is where in the whole response the data stands."""
    if _BYTE not in body:
        return body, []
    nonce = secrets.token_hex(8)
    details: list[tuple[Fault, Any]] = []

    def replace(found: re.Match[bytes]) -> bytes:
        details.append((faults[int(found[1])], json.loads(found[2]) if found[2] else None))
        return f'"{nonce}{len(details) - 1}"'.encode()

    data = json.loads(_MARK.sub(replace, body))
    errors = []
    for path, number in list(_marks(data, nonce, ())):
        fault, detail = details[number]
        data = _without(data, path[: len(path) - fault.climb])
        errors.append(_told(fault, detail, (*prefix, *path)))
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"), errors


def _told(fault: Fault, detail: Any, path: Sequence[str | int]) -> dict[str, Any]:
    """The error of a fault: of a list of candidates, or of members that its message names."""
    if isinstance(detail, dict):
        return error(fault.code, fault.message.format_map(detail), path=path, **detail)
    return error(fault.code, fault.message, path=path, **({} if detail is None else {"candidates": detail}))


def _marks(data: Any, nonce: str, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], int]]:
    if isinstance(data, str):
        if data.startswith(nonce):
            yield path, int(data[len(nonce) :])
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _marks(value, nonce, (*path, key))
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from _marks(value, nonce, (*path, place))


def _without(data: Any, path: tuple[str | int, ...]) -> Any:
    """The data with null at a path; a place that is gone already, since something above it became null, stays so."""
    if not path:
        return None
    found = data
    for step in path[:-1]:
        found = found[step] if found is not None else None
    if found is not None:
        found[path[-1]] = None
    return data
