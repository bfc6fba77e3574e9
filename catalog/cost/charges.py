"""What readers of charges yield: charges in the columns of the record, and rows that can't be taken, each with its number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from catalog.values import ID_PREFIXES


class Charge(NamedTuple):
    """A charge as the file says it: the columns of `records.Charge` in its order, but for the batch. `tags` is JSON text."""

    id: str
    billing_period_start: datetime
    billing_period_end: datetime
    billing_account_id: str | None
    billing_account_name: str | None
    sub_account_id: str | None
    sub_account_name: str | None
    charge_class: str | None
    description: str | None
    publisher: str | None
    invoice_issuer: str | None
    service_category: str | None
    resource_name: str | None
    resource_type: str | None
    sku_id: str | None
    pricing_quantity: Decimal | None
    pricing_unit: str | None
    consumed_quantity: Decimal | None
    consumed_unit: str | None
    period_start: datetime
    period_end: datetime
    category: str
    provider: str | None
    service_name: str | None
    resource_id: str | None
    region_id: str | None
    currency: str
    billed: Decimal
    effective: Decimal
    listed: Decimal | None
    contracted: Decimal | None
    tags: str


class Read(NamedTuple):
    """A row that can be taken. Rows are counted from 1, the header not counted."""

    row: int
    charge: Charge


class Rejected(NamedTuple):
    """A row that can't be taken, the column that is wrong (None: the row as a whole), and what is wrong."""

    row: int
    column: str | None
    reason: str


_PREFIX = f"{ID_PREFIXES['Charge']}_"


def identity(kind: bytes, cells: Iterable[str]) -> str:
    """The id of a charge by everything that its file says of it; `kind` tells apart files of different columns."""
    said = kind + "\x1f".join(cells).encode("utf-8", "surrogatepass")
    return _PREFIX + hashlib.blake2b(said, digest_size=16).hexdigest()
