"""Reads what people measured: CSV files with the columns kpi, at and value (and team, where each has its own) in, values out. Pure.

A row that can't be read is a diagnostic with its line, and the others count. Of several values of a day, as of several teams, the mean
counts, and their number.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from catalog.values import Diagnostic, Severity, SourceLocation

COLUMNS = ("kpi", "at", "value")
_KNOWN = {*COLUMNS, "team"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One value of a measure on a day."""

    kpi: str
    at: date
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a measure was on a day, and of how many values it is the mean."""

    kpi: str
    at: date
    value: Decimal
    sample_size: int


def read(content: bytes, shown: str) -> tuple[tuple[Measurement, ...], tuple[Diagnostic, ...]]:
    """Read one file; `shown` names it in diagnostics."""
    try:
        lines = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), strict=True)
        missing = [name for name in COLUMNS if name not in (lines.fieldnames or ())]
        if missing:
            return (), (
                _fault(shown, 1, f"no column {', '.join(missing)}", f"the columns are {', '.join(COLUMNS)} and perhaps team"),
            )
        return _rows(lines, shown)
    except (csv.Error, UnicodeDecodeError) as error:
        return (), (_fault(shown, 1, f"not readable as CSV: {error}", None),)


def points(measured: Iterable[Measurement]) -> Iterator[Point]:
    """Return one point for each measure and day, in order."""
    values: defaultdict[tuple[str, date], list[Decimal]] = defaultdict(list)
    for one in measured:
        values[one.kpi, one.at].append(one.value)
    for (kpi, at), found in sorted(values.items()):
        yield Point(kpi=kpi, at=at, value=sum(found, Decimal(0)) / len(found), sample_size=len(found))


def _rows(lines: csv.DictReader[str], shown: str) -> tuple[tuple[Measurement, ...], tuple[Diagnostic, ...]]:
    found: list[Measurement] = []
    faults = [
        _fault(shown, 1, f"no column {name!r} is known", f"the columns are {', '.join(sorted(_KNOWN))}", Severity.WARNING)
        for name in lines.fieldnames or ()
        if name not in _KNOWN
    ]
    for row in lines:
        try:
            found.append(_measurement(row))
        except (ValueError, InvalidOperation, TypeError):
            wanted = "a row names a kpi, a day as 2026-01-31 and a number"
            faults.append(_fault(shown, lines.line_num, "a row that can't be read is left out", wanted))
    return tuple(found), tuple(faults)


def _measurement(row: Mapping[str, str | None]) -> Measurement:
    kpi, at, value = ((row[name] or "").strip() for name in COLUMNS)
    number = Decimal(value)
    if not kpi or not number.is_finite():
        raise ValueError(row)
    return Measurement(kpi=kpi, at=date.fromisoformat(at), value=number)


def _fault(shown: str, line: int, message: str, hint: str | None, severity: Severity = Severity.ERROR) -> Diagnostic:
    return Diagnostic(
        severity=severity, code="SEED_VALUE", message=message, hint=hint, location=SourceLocation(file=shown, line=line)
    )
