"""Rows as text: JSON lines, and CSV as RFC 4180 has it.

In CSV the columns are named by their paths (`stack.name`); null is an empty cell, lists and maps are JSON. A text that a spreadsheet
would take for a formula gets an apostrophe before it; JSON lines hold everything exactly.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from catalog.graph.exporting import Column

# What makes a spreadsheet evaluate a cell.
_EVALUATED = ("=", "+", "-", "@", "\t", "\r")


async def json_lines(_columns: Sequence[Column], batches: AsyncGenerator[list[bytes]]) -> AsyncGenerator[bytes]:
    """Write one JSON value a line."""
    async for batch in batches:
        yield b"\n".join(batch) + b"\n"


async def comma_separated(columns: Sequence[Column], batches: AsyncGenerator[list[bytes]]) -> AsyncGenerator[bytes]:
    """Write a line of names, then one line a row."""
    yield _lines([[column.title for column in columns]])
    readers = [reader(column.path) for column in columns]
    async for batch in batches:
        rows = json.loads(b"[" + b",".join(batch) + b"]")
        yield _lines([[_cell(read(row)) for read in readers] for row in rows])


def _lines(rows: list[list[Any]]) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode("utf-8", "replace")


def reader(path: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return what reads the value at a path of a row; None where it, or what it stands in, is null."""
    if len(path) == 1:
        name = path[0]
        return lambda row: row and row[name]

    def read(row: Any) -> Any:
        for step in path:
            if row is None:
                return None
            row = row[step]
        return row

    return read


def _cell(value: Any) -> Any:
    """A value as a cell: a number stays one, so that only text is ever guarded."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _guarded(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value


def _guarded(text: str) -> str:
    if not text.startswith(_EVALUATED) or _is_number(text):
        return text
    return f"'{text}"


def _is_number(text: str) -> bool:
    """Whether a text is an amount, such as -1.50: those are exact, and therefore texts in JSON."""
    return text[1:].replace(".", "", 1).isdecimal() and text[0] in "+-"
