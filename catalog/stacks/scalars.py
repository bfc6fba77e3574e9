"""What a YAML scalar means: the rules of Go's yaml.v3, which Atmos reads with.

Text goes in as libyaml found it (without quotes, with or without a tag), a plain Python value comes out. The differences
from PyYAML are many: `yes` is text, `0755` is octal, `08` a float, `1e3` a number, `12:30` text, and a date is a `Timestamp`.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Timestamp:
    """An unquoted date or time: the text as written and the moment it names (UTC where no zone is given).

    Atmos loses these while merging (they print as `{}`), so they stay distinct from text until then.
    """

    text: str
    moment: datetime

    def __str__(self) -> str:
        """The text as written."""
        return self.text

    def isoformat(self) -> str:
        """The moment as ISO 8601, as which the template engine takes it."""
        return self.moment.isoformat()


_WORDS: dict[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}

# Only these first characters can begin anything but text.
_HINTS = frozenset("+-0123456789tTfFnN~.")

_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)|0[oO](?P<o>[0-7]+)|0(?P<old>[0-7]+)|(?P<d>0|[1-9][0-9]*))"
)
_LONGEST_INTEGER = 4_000  # characters; any longer one is none to yaml.v3, and costs Python more than it is worth
_BETWEEN_DIGITS = re.compile("(?<=[0-9])_(?=[0-9])")
_BASES = (("x", 16), ("b", 2), ("o", 8), ("old", 8), ("d", 10))
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)"
    r"(?:[Tt](\d\d?):(\d\d?):(\d\d?)(?:[.,](\d+))?(Z|[-+]\d\d:\d\d)|[ ](\d\d?):(\d\d?):(\d\d?)(?:[.,](\d+))?)?"
)


@lru_cache(maxsize=65536)
def plain(text: str) -> Any:
    """Return the value of an unquoted, untagged scalar."""
    if text and text[0] not in _HINTS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "tTfFnN~":
        return text
    stamp = timestamp(text)
    return stamp if stamp is not None else _number(text)


def _number(text: str) -> Any:
    digits = _BETWEEN_DIGITS.sub("", text) if text[0] == "." else text.replace("_", "")
    if digits[:2] in ("0b", "0o") and digits[2:3] in ("+", "-"):  # the sign may follow these two
        digits = digits[2].replace("+", "") + digits[:2] + digits[3:]
    integer = _INTEGER.fullmatch(digits)
    if integer:
        value = _integer(integer)
        if value is not None:
            return value
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        return text if math.isinf(number) else number
    return text


def _integer(found: re.Match[str]) -> int | None:
    if len(found[0]) > _LONGEST_INTEGER:
        return None
    value = next(int(found[name], base) for name, base in _BASES if found[name] is not None)
    if found["sign"] == "-":
        return -value if value <= 2**63 else None
    # An explicit plus sign is refused by Go's unsigned parser.
    return value if value < (2**63 if found["sign"] else 2**64) else None


def timestamp(text: str) -> Timestamp | None:
    """Return the date or time that a text writes in one of yaml.v3's four formats, else None."""
    found = _TIMESTAMP.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, zone, *spaced = found.groups()
    if spaced[0] is not None:
        hour, minute, second, fraction = spaced
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micros, tzinfo=_zone(zone)
        )
    except ValueError:
        return None
    return Timestamp(text, moment)


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def tagged(tag: str, text: str) -> Any:
    """Return the value of a scalar with one of YAML's own tags (`int` for `!!int`); raises ValueError where it doesn't fit."""
    if tag in ("str", "binary"):
        return text if tag == "str" else _binary(text)
    value = plain(text)
    if tag == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    wanted = _TYPES.get(tag)
    if wanted is None:
        return value
    if isinstance(value, wanted) and not (isinstance(value, bool) and tag != "bool"):
        return value
    raise ValueError(f"cannot decode `{text}` as a !!{tag}")


_TYPES: dict[str, type | tuple[type, ...]] = {
    "int": int,
    "float": float,
    "bool": bool,
    "null": type(None),
    "timestamp": Timestamp,
}


def _binary(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError) as error:
        raise ValueError("!!binary value contains invalid base64 data") from error


def key(value: Any) -> str | None:
    """Return a mapping key as text, as Go prints it; None where nothing can be a key (null, NaN is "NaN")."""
    if isinstance(value, str):
        return value
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return printed_float(value)
    return str(value)


def go_float(value: float) -> str:
    """Return a float as Go's JSON has it: no trailing `.0`, exponents below 1e-6 and from 1e21."""
    if not math.isfinite(value):
        return _NOT_FINITE[str(value)]
    exact = Decimal(repr(value)).normalize()
    return format(exact, "f" if value == 0 or 1e-6 <= abs(value) < 1e21 else "e")


def printed_float(value: float) -> str:
    """Return a float as Go prints it (`%v`): the shortest digits, with an exponent of two digits below 1e-4 and from 1e6."""
    if not math.isfinite(value):
        return _NOT_FINITE[str(value)]
    exact = Decimal(repr(value)).normalize()
    sign, digits, exponent = exact.as_tuple()
    place = len(digits) + int(exponent) - 1
    if value == 0 or -4 <= place < 6:
        return format(exact, "f")
    shown = "".join(map(str, digits))
    mantissa = shown[0] + ("." + shown[1:] if shown[1:] else "")
    return f"{'-' if sign else ''}{mantissa}e{'+' if place >= 0 else '-'}{abs(place):02d}"


_NOT_FINITE = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}
