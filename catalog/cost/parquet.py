"""Reads charges in the columns of FOCUS from Parquet, one batch of rows at a time.

pyarrow is an extra (`pip install atmos-catalog[parquet]`): it weighs 166 MB, nearly as much as everything else together, and CSV
says the same. Without it, reading Parquet raises Unavailable with that advice; files that aren't Parquet raise Invalid.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from catalog.cost import focus
from catalog.cost.charges import Read, Rejected
from catalog.errors import Invalid, Unavailable

_BATCH = 2000  # rows


def read(file: IO[bytes]) -> Iterator[Read | Rejected]:
    """Read a Parquet file; its footer tells its columns, so that half a file is told from a whole one before the first row."""
    try:
        import pyarrow as pa  # noqa: PLC0415 — an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable("reading Parquet needs pyarrow", hint="pip install 'atmos-catalog[parquet]', or export CSV") from error
    if file.read(2) == b"\x1f\x8b":
        raise Invalid("the Parquet file is packed once more with gzip", hint="unpack it first: Parquet is compressed inside")
    file.seek(0)
    try:
        yield from _read(parquet.ParquetFile(file))
    except (pa.ArrowException, OSError) as error:
        raise Invalid(
            f"the file is no Parquet, damaged or cut off: {error}", hint="fetch it again; nothing was imported"
        ) from error


def _read(source: Any) -> Iterator[Read | Rejected]:
    names = source.schema_arrow.names
    batches = source.iter_batches(batch_size=_BATCH, use_threads=False)
    yield from focus.read_rows(
        names, (row for batch in batches for row in zip(*(column.to_pylist() for column in batch), strict=True))
    )
