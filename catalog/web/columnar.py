"""Rows as Parquet: one column for each path, typed as the graph types it, for notebooks and warehouses.

Amounts are decimals of 18 places (what has more is rounded, half to even), times are UTC, lists and maps are texts of JSON. pyarrow is
an extra (`pip install atmos-catalog[parquet]`). A file is written row group by row group, so that memory holds one of them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from catalog import errors
from catalog.graph.exporting import Column
from catalog.web.delimited import reader

_ROWS = 10_000  # of a row group
_PLACES = Decimal("1e-18")
_CONTEXT = Context(prec=60, rounding=ROUND_HALF_EVEN)


def _time(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


def _amount(value: str) -> Decimal:
    return Decimal(value).quantize(_PLACES, context=_CONTEXT)


def _document(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# How a scalar's values are read, and the type that pyarrow knows them by; what isn't here is a text.
_KINDS: dict[str | None, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "Int": (int, lambda pa: pa.int64()),
    "Float": (float, lambda pa: pa.float64()),
    "Boolean": (bool, lambda pa: pa.bool_()),
    "DateTime": (_time, lambda pa: pa.timestamp("us", tz="UTC")),
    "Date": (date.fromisoformat, lambda pa: pa.date32()),
    "Decimal": (_amount, lambda pa: pa.decimal128(38, 18)),
    None: (_document, lambda pa: pa.string()),
}
_TEXT: tuple[Callable[[Any], Any], Callable[[Any], Any]] = (str, lambda pa: pa.string())


def check() -> None:
    """Raise Unavailable when pyarrow is missing."""
    try:
        import pyarrow as _pyarrow  # noqa: F401, ICN001, PLC0415 — an extra
    except ImportError as error:
        raise errors.Unavailable(
            "writing Parquet needs pyarrow", code="NOT_INSTALLED", hint="pip install 'atmos-catalog[parquet]', or export CSV"
        ) from error


async def parquet(columns: Sequence[Column], batches: AsyncGenerator[list[bytes]]) -> AsyncGenerator[bytes]:
    """Write a Parquet file, a row group at a time."""
    file = _File(columns)
    waiting: list[bytes] = []
    async for batch in batches:
        waiting += batch
        if len(waiting) >= _ROWS:
            yield await asyncio.to_thread(file.group, waiting)
            waiting = []
    if waiting:
        yield await asyncio.to_thread(file.group, waiting)
    yield await asyncio.to_thread(file.end)


class _File:
    """A Parquet file that is handed on while it is written."""

    def __init__(self, columns: Sequence[Column]) -> None:
        import pyarrow as pa  # noqa: PLC0415 — an extra
        from pyarrow import parquet as written  # noqa: PLC0415

        self._pa = pa
        kinds = [_KINDS.get(column.kind, _TEXT) for column in columns]
        self._reads = [(reader(column.path), make) for column, (make, _) in zip(columns, kinds, strict=True)]
        fields = [pa.field(column.title, kind(pa)) for column, (_, kind) in zip(columns, kinds, strict=True)]
        self._schema = pa.schema(fields)
        self._sink = _Sink()
        self._writer = written.ParquetWriter(pa.PythonFile(self._sink, mode="w"), self._schema, compression="zstd")

    def group(self, rows: list[bytes]) -> bytes:
        """Write rows as a row group and return what came of the file."""
        listed = json.loads(b"[" + b",".join(rows) + b"]")
        arrays = [
            self._pa.array([None if (value := read(row)) is None else make(value) for row in listed], type=field.type)
            for (read, make), field in zip(self._reads, self._schema, strict=True)
        ]
        self._writer.write_table(self._pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=len(rows))
        return self._sink.take()

    def end(self) -> bytes:
        """End the file and return the rest of it."""
        self._writer.close()
        return self._sink.take()


class _Sink:
    """Where pyarrow writes to: keeps what wasn't taken yet."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 0

    def write(self, data: Any) -> int:
        """Take some bytes."""
        part = bytes(data)
        self._parts.append(part)
        self._at += len(part)
        return len(part)

    def tell(self) -> int:
        """How much was written."""
        return self._at

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Take no more."""
        self.closed = True

    def take(self) -> bytes:
        """Hand on what came since it was last asked for."""
        taken, self._parts = b"".join(self._parts), []
        return taken
