"""Reads how long something takes, as people write it; gives whole seconds.

In: "5 minutes", "1h30m", "PT5M", "5-10 minutes", 300. A range reads as its longer end, since the time is a promise to
somebody who waits. What can't be read raises `Invalid`.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from typing import Any

from catalog.errors import Invalid

_SECONDS: dict[str, int] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "week", "weeks"), 604800),
}
# What an int4 column holds, about 68 years.
_CEILING = 2**31 - 1

_UNIT = "|".join(sorted(_SECONDS, key=len, reverse=True))
_NUMBER = r"\d+(?:\.\d+)?"
_PART = re.compile(rf"({_NUMBER})\s*({_UNIT})(?![a-z])", re.ASCII)
_PARTS = re.compile(rf"(?:{_NUMBER}\s*(?:{_UNIT})(?![a-z])\s*,?\s*(?:and\s+)?)+", re.ASCII)
_RANGE = re.compile(rf"(?P<low>{_NUMBER})\s*(?:[-\u2013]|to)\s*(?P<high>{_NUMBER})\s*(?P<unit>{_UNIT})", re.ASCII)
_ISO = re.compile(
    rf"p(?:(?P<w>{_NUMBER})w)?(?:(?P<d>{_NUMBER})d)?(?:t(?:(?P<h>{_NUMBER})h)?(?:(?P<m>{_NUMBER})m)?(?:(?P<s>{_NUMBER})s)?)?",
    re.ASCII,
)


def parse_duration(value: Any) -> int:
    """Read a duration as whole seconds, a fraction rounded up; raises Invalid, saying what is expected."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise _unreadable(value)
    seconds = _from_text(value) if isinstance(value, str) else _from_number(value)
    if not 0 <= seconds <= _CEILING:
        raise _unreadable(value)
    return int(seconds.to_integral_value(rounding=ROUND_CEILING))


def _from_number(value: float) -> Decimal:
    number = Decimal(value)
    if not number.is_finite():
        raise _unreadable(value)
    return number


def _from_text(value: str) -> Decimal:
    text = value.strip().lower()
    if text.isdecimal() and text.isascii():
        return Decimal(text)
    span = _RANGE.fullmatch(text)
    if span and Decimal(span["low"]) <= Decimal(span["high"]):
        return Decimal(span["high"]) * _SECONDS[span["unit"]]
    iso = _ISO.fullmatch(text)
    if iso and any(iso.groups()):
        return sum((Decimal(number) * _SECONDS[unit] for unit, number in iso.groupdict().items() if number), Decimal(0))
    if _PARTS.fullmatch(text) is None:
        raise _unreadable(value)
    return sum((Decimal(number) * _SECONDS[unit] for number, unit in _PART.findall(text)), Decimal(0))


def _unreadable(value: Any) -> Invalid:
    shown = repr(value) if isinstance(value, (str, float)) else f"this {type(value).__name__}"
    return Invalid(f"{shown:.80} can't be read as a duration", hint='write it as "5 minutes", "1h30m", "PT5M" or seconds')
