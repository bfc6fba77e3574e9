"""Cursors: the hex text of a row's sort keys behind a tag that names list, order and filter. Checked before anything runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TAG_LENGTH = 16


def decode(cursor: str, tag: str, kinds: Sequence[str]) -> tuple[Any, ...]:
    """Return the sort keys that a cursor holds; raises ValueError for a foreign or broken one."""
    if not cursor.startswith(tag):
        raise ValueError("the cursor is not one of this list, order and filter")
    try:
        keys = json.loads(bytes.fromhex(cursor[TAG_LENGTH:]))
        if not isinstance(keys, list):
            raise ValueError("the cursor holds no keys")  # noqa: TRY004, TRY301 — whatever is wrong with it, it can't be read
        return tuple(_key(kind, key) for kind, key in zip(kinds, keys, strict=True))
    except (ValueError, InvalidOperation, OverflowError) as error:
        raise ValueError("the cursor can't be read") from error


def _key(kind: str, key: Any) -> Any:
    expected, convert = _KINDS[kind]
    if not isinstance(key, expected) or (isinstance(key, bool) and kind != "bool"):
        raise ValueError(f"{key!r} is no {kind}")  # every broken cursor is the same error
    return convert(key)


def _int4(key: int) -> int:
    if not -(2**31) <= key < 2**31:
        raise ValueError("out of range")
    return key


def _int8(key: int) -> int:
    if not -(2**63) <= key < 2**63:
        raise ValueError("out of range")
    return key


def _text(key: str) -> str:
    key.encode()
    if "\x00" in key:
        raise ValueError("NUL")
    return key


def _numeric(key: str) -> Decimal:
    amount = Decimal(key)
    if not amount.is_finite() or abs(amount.adjusted()) > 1_000:
        raise ValueError("out of range")
    return amount


_KINDS: dict[str, tuple[type, Any]] = {
    "text": (str, _text),
    "int4": (int, _int4),
    "int8": (int, _int8),
    "numeric": (str, _numeric),
    "timestamptz": (int, lambda micros: _EPOCH + timedelta(microseconds=micros)),
    "bool": (bool, bool),
}
