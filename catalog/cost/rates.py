"""Reads exchange rates: a CSV file with the columns day, base, currency and rate in, rates out. Pure.

From a day on, one unit of `base` is worth `rate` of `currency`, until a later row of the two says otherwise. Which rate a conversion
takes, directly, turned round or across a third currency, is decided in SQL (`catalog_rate`); where none is known, it fails and says so.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from catalog.cost.money import CURRENCIES
from catalog.errors import Invalid
from catalog.values import SourceLocation

COLUMNS = ("day", "base", "currency", "rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What one unit of `base` is worth in `currency` from a day on."""

    day: date
    base: str
    currency: str
    rate: Decimal


def read(content: bytes, shown: str) -> tuple[Rate, ...]:
    """Read a file of rates; raises Invalid, with file and line, for a row that can't be read or says what another one does."""
    try:
        lines = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), strict=True)
        missing = [name for name in COLUMNS if name not in (lines.fieldnames or ())]
        if missing:
            raise _invalid(f"there is no column {', '.join(missing)}", shown, 1)
        found: dict[tuple[date, str, str], Rate] = {}
        for row in lines:
            rate = _rate(row, shown, lines.line_num)
            if found.setdefault((rate.day, rate.base, rate.currency), rate) is not rate:
                raise _invalid(f"the rate of {rate.base} in {rate.currency} on {rate.day} is written twice", shown, lines.line_num)
        return tuple(found.values())
    except (csv.Error, UnicodeDecodeError) as error:
        raise _invalid(f"this is no CSV: {error}", shown, 1) from error


def _rate(row: Mapping[str, str | None], shown: str, line: int) -> Rate:
    day, base, currency, rate = ((row[name] or "").strip() for name in COLUMNS)
    for code in (base, currency):
        if code not in CURRENCIES:
            raise _invalid(f"{code!r} is no currency of ISO 4217", shown, line)
    if base == currency:
        raise _invalid(f"a rate is between two currencies, not {base} and itself", shown, line)
    try:
        number, since = Decimal(rate), date.fromisoformat(day)
    except (InvalidOperation, ValueError) as error:
        raise _invalid(f"{day!r} and {rate!r} are no day and rate", shown, line) from error
    if not number.is_finite() or number <= 0:
        raise _invalid(f"a rate is more than zero, not {rate}", shown, line)
    return Rate(day=since, base=base, currency=currency, rate=number)


def _invalid(message: str, shown: str, line: int) -> Invalid:
    hint = "a row is a day, two currencies and a number: 2026-01-01,EUR,USD,1.0835"
    return Invalid(message, code="SEED_SHAPE", hint=hint, location=SourceLocation(file=shown, line=line))
