"""Reads charges in the columns of FOCUS 1.0 to 1.4, as AWS, Azure and Google Cloud write them: CSV and Parquet.

In: lines of CSV, or rows of cells. Out: charges and rejected rows, one for each row, as they are read: nothing is held but a row.
What a file must have is told from its header, before the first row. Tags come as a JSON object (AWS), as one without its braces
(older Azure), as a list of `{key, value}` (Google Cloud) or as a map (Parquet). Amounts keep every decimal; credits are negative.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, NamedTuple

from catalog.cost import files
from catalog.cost.charges import Charge, Read, Rejected, identity
from catalog.cost.money import CURRENCIES
from catalog.errors import Invalid

_NEEDED, _WANTED = True, False


class _Column(NamedTuple):
    """Where a field of a charge comes from: the columns that may hold it, the first that a file has counts."""

    field: str
    needed: bool
    names: tuple[str, ...]
    kind: str = "text"


# In the order of `Charge`, but for its id. The names before the last are those of newer versions.
_COLUMNS = (
    _Column("billing_period_start", _NEEDED, ("BillingPeriodStart",), "time"),
    _Column("billing_period_end", _NEEDED, ("BillingPeriodEnd",), "time"),
    _Column("billing_account_id", _WANTED, ("BillingAccountId",)),
    _Column("billing_account_name", _WANTED, ("BillingAccountName",)),
    _Column("sub_account_id", _WANTED, ("SubAccountId",)),
    _Column("sub_account_name", _WANTED, ("SubAccountName",)),
    _Column("charge_class", _WANTED, ("ChargeClass",)),
    _Column("description", _WANTED, ("ChargeDescription",)),
    _Column("publisher", _WANTED, ("HostProviderName", "PublisherName")),
    _Column("invoice_issuer", _WANTED, ("InvoiceIssuerName", "InvoiceIssuer")),
    _Column("service_category", _WANTED, ("ServiceCategory",)),
    _Column("resource_name", _WANTED, ("ResourceName",)),
    _Column("resource_type", _WANTED, ("ResourceType",)),
    _Column("sku_id", _WANTED, ("SkuId",)),
    _Column("pricing_quantity", _WANTED, ("PricingQuantity",), "amount"),
    _Column("pricing_unit", _WANTED, ("PricingUnit",)),
    _Column("consumed_quantity", _WANTED, ("ConsumedQuantity", "UsageQuantity"), "amount"),
    _Column("consumed_unit", _WANTED, ("ConsumedUnit", "UsageUnit")),
    _Column("period_start", _NEEDED, ("ChargePeriodStart",), "time"),
    _Column("period_end", _NEEDED, ("ChargePeriodEnd",), "time"),
    _Column("category", _NEEDED, ("ChargeCategory",), "needed text"),
    _Column("provider", _WANTED, ("ServiceProviderName", "ProviderName")),
    _Column("service_name", _WANTED, ("ServiceName",)),
    _Column("resource_id", _WANTED, ("ResourceId",), "key"),
    _Column("region_id", _WANTED, ("RegionId", "Region")),
    _Column("currency", _NEEDED, ("BillingCurrency",), "currency"),
    _Column("billed", _NEEDED, ("BilledCost",), "needed amount"),
    _Column("effective", _NEEDED, ("EffectiveCost",), "needed amount"),
    _Column("listed", _WANTED, ("ListCost",), "amount"),
    _Column("contracted", _WANTED, ("ContractedCost",), "amount"),
    _Column("tags", _WANTED, ("Tags",), "tags"),
)
_DIGITS = 60  # of an amount: more is no money
_LONGEST_KEY = 2000  # bytes that an index can hold
_NOTHING = frozenset({"", "null", "NULL", "NaN", "nan"})  # how writers of CSV spell a cell without a value


def read_csv(lines: files.Lines) -> Iterator[Read | Rejected]:
    """Read the lines of a CSV file; raises Invalid for a header that isn't FOCUS, and for a file that is cut off."""
    header = next(lines, "")
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    names = next(csv.reader([header], delimiter=delimiter), [])
    row = _Row(names)
    held: Rejected | None = None
    for number, cells in enumerate(_cells(reader), start=1):
        if held is not None:
            yield held
            held = None
        found = _read(row, number, cells, len(names))
        if isinstance(found, Rejected):
            held = found
        elif found is not None:
            yield found
    if held is not None:
        # What is wrong with the last line of a file that doesn't end is that it goes on somewhere else.
        if not lines.is_ended:
            raise files.cut_off(held.row)
        yield held


def _read(row: _Row, number: int, cells: list[str] | csv.Error, expected: int) -> Read | Rejected | None:
    """Read the cells of a row; None for an empty line."""
    if isinstance(cells, csv.Error):
        if _is_cut_off(cells):
            raise files.cut_off(number) from cells
        return Rejected(number, None, f"the row can't be read: {cells}")
    if len(cells) != expected:
        return Rejected(number, None, f"the row has {len(cells)} cells, the header {expected}") if cells else None
    return row.read(number, cells)


def _cells(reader: Iterator[list[str]]) -> Iterator[list[str] | csv.Error]:
    while True:
        try:
            yield next(reader)
        except csv.Error as error:
            yield error
            if _is_cut_off(error):
                return
        except StopIteration:
            return


def _is_cut_off(error: csv.Error) -> bool:
    return "unexpected end" in str(error)


def read_rows(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[Read | Rejected]:
    """Read rows of typed cells, as Parquet has them; raises Invalid for columns that aren't FOCUS."""
    row = _Row(names)
    for number, cells in enumerate(rows, start=1):
        yield row.read(number, [_written(cell) for cell in cells])


def _written(cell: Any) -> str:
    """A typed cell as CSV would write it."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell.replace("\0", "\ufffd")
    if isinstance(cell, datetime):
        return (cell if cell.tzinfo else cell.replace(tzinfo=UTC)).isoformat()
    if isinstance(cell, float):
        return repr(cell)
    if isinstance(cell, (list, dict)):
        return json.dumps(_plain_tags(cell), default=str)
    return str(cell)


def _plain_tags(cell: Any) -> Any:
    """Maps come as lists of pairs from Parquet."""
    if isinstance(cell, list) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in cell):
        return dict(cell)
    return cell


class _Row:
    """Reads the rows under one header; raises Invalid for a header without the columns that a charge needs."""

    def __init__(self, names: Sequence[str]) -> None:
        places = {_key(name): place for place, name in reversed(list(enumerate(names)))}
        found = [next((places[_key(name)] for name in column.names if _key(name) in places), None) for column in _COLUMNS]
        _check(names, found)
        self._kind = ("\x1f".join(map(_key, names)) + "\x1e").encode("utf-8", "surrogatepass")
        self._readers: list[tuple[int, str, Callable[[str], Any]]] = [
            (len(names) if place is None else place, column.names[-1] if place is None else names[place], _READERS[column.kind])
            for column, place in zip(_COLUMNS, found, strict=True)
        ]

    def read(self, number: int, cells: list[str]) -> Read | Rejected:
        """Read one row."""
        identifier = identity(self._kind, cells)
        cells.append("")  # what a column that the file doesn't have says
        values: list[Any] = [identifier]
        name = ""
        try:
            for place, name, reader in self._readers:  # noqa: B007 — the name of the column at fault, below
                values.append(reader(cells[place]))
        except ValueError as error:
            return Rejected(number, name, str(error))
        charge = Charge._make(values)
        if charge.period_end <= charge.period_start:
            return Rejected(number, "ChargePeriodEnd", "the charge period ends before it begins")
        if charge.billing_period_end <= charge.billing_period_start:
            return Rejected(number, "BillingPeriodEnd", "the billing period ends before it begins")
        return Read(number, charge)


def _key(name: str) -> str:
    """A column's name as files of every provider agree on it: some write it in lower case or with underscores."""
    return name.strip().replace("_", "").replace(" ", "").lower()


def _check(names: Sequence[str], found: Sequence[int | None]) -> None:
    missing = [column.names[0] for column, place in zip(_COLUMNS, found, strict=True) if column.needed and place is None]
    if not missing:
        return
    known = sum(place is not None for place in found)
    if known <= len(_COLUMNS) // 4:
        shown = ", ".join(name[:40] for name in names[:5]) or "nothing"
        raise Invalid(f"the file is not in the columns of FOCUS: it begins with {shown}", hint=f"it needs {', '.join(missing)}")
    raise Invalid(
        f"the file lacks {', '.join(missing)}",
        hint="export the data set Cost and Usage of FOCUS 1.0 to 1.4 with all of its columns",
    )


# ── cells: a reader raises ValueError, saying what is wrong ──────────────────────────────────────────────────────────────────


def _text(cell: str) -> str | None:
    return None if cell in _NOTHING else cell


def _key_text(cell: str) -> str | None:
    if len(cell) > _LONGEST_KEY // 4 and len(cell.encode()) > _LONGEST_KEY:
        raise ValueError(f"it has more than {_LONGEST_KEY} bytes")
    return None if cell in _NOTHING else cell


def _needed_text(cell: str) -> str:
    if cell in _NOTHING:
        raise ValueError("it is empty")
    return cell


def _amount(cell: str) -> Decimal | None:
    return None if cell in _NOTHING else _number(cell)


def _needed_amount(cell: str) -> Decimal:
    if cell in _NOTHING:
        raise ValueError("it is empty: an unknown amount is not zero")
    return _number(cell)


def _number(cell: str) -> Decimal:
    try:
        number = Decimal(cell)
    except InvalidOperation:
        raise ValueError(f"{_shown(cell)} is not a number") from None
    if len(cell) > 20 and (not number.is_finite() or number.adjusted() > _DIGITS or len(number.as_tuple().digits) > _DIGITS):
        raise ValueError(f"{_shown(cell)} is no amount of money")
    if not number.is_finite() or abs(number.adjusted()) > _DIGITS:
        raise ValueError(f"{_shown(cell)} is no amount of money")
    return number


def _currency(cell: str) -> str:
    if cell not in CURRENCIES:
        raise ValueError(f"{_shown(cell)} is no currency of ISO 4217")
    return cell


_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?(?:\s?(?:Z|UTC|[+-]\d\d:?\d\d))?", re.ASCII)


class _Times(dict[str, datetime]):
    """Times by how they are written: a file says few of them over and over."""

    _MOST = 100_000

    def __missing__(self, cell: str) -> datetime:
        if len(self) > self._MOST:
            self.clear()
        self[cell] = time = read_time(cell)
        return time


def read_time(cell: str) -> datetime:
    """Read a time of ISO 8601, in UTC where it doesn't say another zone; raises ValueError."""
    if not _TIME.fullmatch(cell):
        raise ValueError(f"{_shown(cell)} is no time of ISO 8601" if cell else "it is empty")
    try:
        time = datetime.fromisoformat(re.sub(r"\s?(?:UTC|Z)$", "+00:00", re.sub(r"(\.\d{6})\d+", r"\1", cell)))
    except ValueError:
        raise ValueError(f"{_shown(cell)} is no time") from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


_AZURE = re.compile(r'\s*"(?:[^"\\]|\\.)*"\s*:')


def _tags(cell: str) -> str:
    """Tags as JSON text of an object."""
    if not cell or cell in _NOTHING:
        return "{}"
    text = "{" + cell + "}" if _AZURE.match(cell) else cell
    try:
        said = json.loads(text, parse_float=_json_number, parse_int=_json_number, parse_constant=_json_number)
    except (ValueError, RecursionError):
        raise ValueError(f"{_shown(cell)} is not JSON") from None
    if isinstance(said, dict) and "\\" not in text:
        return text
    if not isinstance(said, dict | list):
        raise ValueError(f"{_shown(cell)} is not an object of JSON")  # noqa: TRY004 — as all that is wrong with a cell
    # Escapes may spell what the database can't hold: NUL and halves of surrogate pairs.
    return storable_json(_pairs(said) if isinstance(said, list) else said)


def storable_json(value: Any) -> str:
    """JSON text that the database can hold, whatever the value's texts are made of."""
    return json.dumps(storable(value), ensure_ascii=False)


def _json_number(text: str) -> int | float:
    number = float(text)
    if not isfinite(number) or len(text) > _DIGITS:
        raise ValueError("no number")
    return int(text) if number.is_integer() and text.lstrip("-").isdigit() else number


def storable(value: Any) -> Any:
    """Return a value of JSON with its texts as the database can hold them: without NUL and halves of surrogate pairs."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, Mapping):
        return {storable(key): storable(item) for key, item in value.items()}
    return value


def _pairs(said: Sequence[Any]) -> Mapping[str, Any]:
    """Google Cloud's list of keys and values."""
    if not all(isinstance(pair, dict) and isinstance(pair.get("key"), str) for pair in said):
        raise ValueError("tags are an object, or a list of keys and values")
    return {pair["key"]: pair.get("value") for pair in said}


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else f"{cell[:39]}…")


_READERS: dict[str, Callable[[str], Any]] = {
    "text": _text,
    "key": _key_text,
    "needed text": _needed_text,
    "amount": _amount,
    "needed amount": _needed_amount,
    "currency": _currency,
    "time": _Times().__getitem__,
    "tags": _tags,
}
