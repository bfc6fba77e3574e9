"""Reads money as people write it in metadata and seeds; gives an exact amount a month.

In: "$50/month", "€1,200 / year", "USD 0.10/hour", "$1.5k", "$50-$100", 50, or a map such as {amount, currency, period},
{minimum, typical, maximum} or {estimated_monthly_usd}. Out: an `Estimate` in one currency. A month has 730 hours, a year
12 months. What can't be read raises `Invalid`; it never becomes zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from catalog.errors import Invalid

HOURS_A_MONTH = 730
MONTHS_A_YEAR = 12

# What the database holds: 20 digits before the point and 10 behind it.
_SCALE = Decimal("0.0000000001")
_CEILING = Decimal(10) ** 18

# Every active code of ISO 4217 that names money people are billed in.
_CODES = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP
    CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD
    IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR
    MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP
    SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF
    XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())
_SYMBOLS = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "A$": "AUD", "C$": "CAD", "R$": "BRL"}
# "$" means the default currency where that is a dollar too.
_DOLLARS = frozenset(
    ("USD", "AUD", "CAD", "NZD", "SGD", "HKD", "TWD", "BBD", "BMD", "BSD", "BZD", "FJD", "JMD", "KYD", "LRD", "TTD", "XCD")
)
_MULTIPLES = {"": Decimal(1), "k": Decimal(1000), "K": Decimal(1000), "M": Decimal(1000000)}

# The spellings of a period → how many of them, over how many, make a month.
_PERIODS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("h", "hr", "hour", "hourly"), (HOURS_A_MONTH, 1)),
    **dict.fromkeys(("d", "day", "daily"), (HOURS_A_MONTH, 24)),
    **dict.fromkeys(("mo", "month", "monthly"), (1, 1)),
    **dict.fromkeys(("y", "yr", "year", "yearly", "annual", "annually", "annum"), (1, MONTHS_A_YEAR)),
}
# Named bands of the module registries seen in public estates: a range in the currency at hand, never a number.
BANDS: dict[str, tuple[int, int | None]] = {
    "free": (0, 0),
    "low": (0, 100),
    "medium": (100, 500),
    "high": (500, None),
    "very-high": (500, None),
}

_CURRENCY = r"(?:[A-Z]{3}|(?:US|A|C|R)?\$|[€£¥₹])"
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_PERIOD = r"(?:\s*/\s*|\s+per\s+|\s+an?\s+|\s+)(?P<period>[A-Za-z]+)"


def _amount(n: int) -> str:
    return rf"(?P<before{n}>{_CURRENCY})?\s*(?P<number{n}>{_NUMBER})(?P<multiple{n}>[kKM]\b)?\s*(?P<after{n}>{_CURRENCY})?"


_TEXT = re.compile(rf"\s*{_amount(1)}(?:\s*(?:[-\u2013]|to)\s*{_amount(2)})?(?:{_PERIOD})?\s*", re.ASCII)
# `monthly_usd`, `estimated_monthly_usd`, `yearly_eur`: an amount whose key tells period and currency.
_TELLING_KEY = re.compile(r"(?:estimated_)?(?P<period>hourly|daily|monthly|yearly|annual)(?:_cost)?_(?P<currency>[a-z]{3})")

_LOW_KEYS = ("minimum", "min", "low")
_AMOUNT_KEYS = ("amount", "typical", "monthly", "value")
_HIGH_KEYS = ("maximum", "max", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Money a month in one currency: an amount, or only the range it lies in (`amount` is None; `high` of None is open)."""

    currency: str
    amount: Decimal | None
    low: Decimal | None = None
    high: Decimal | None = None


def parse_money(value: Any, default_currency: str = "USD") -> Estimate:
    """Read money from text, a number (a month, in the default currency) or a map; raises Invalid, saying what is expected."""
    if isinstance(value, Mapping):
        return _from_map(value, default_currency)
    if isinstance(value, str):
        return _from_text(value, default_currency)
    return Estimate(currency=default_currency, amount=_monthly(value, None, "month", value))


def parse_parts(value: Any, default_currency: str = "USD") -> Estimate:
    """Read a map of parts, each money, as their sum; raises Invalid unless all of them can be read and are in one currency."""
    if not isinstance(value, Mapping) or not value:
        raise _unreadable(value)
    parts = [parse_money(part, default_currency) for part in value.values()]
    if len({part.currency for part in parts}) > 1:
        raise Invalid(f"{_shown(value)} mixes currencies", hint="write every part in one currency")
    if any(part.amount is None for part in parts):
        lows, highs = [[_end(part, side) for part in parts] for side in ("low", "high")]
        return Estimate(currency=parts[0].currency, amount=None, low=_sum(lows), high=_sum(highs))
    return Estimate(currency=parts[0].currency, amount=_sum([part.amount for part in parts]))


def _end(part: Estimate, side: str) -> Decimal | None:
    end: Decimal | None = getattr(part, side)
    return part.amount if end is None and part.low is None else end


def _sum(amounts: list[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None


def parse_band(value: Any, default_currency: str = "USD") -> Estimate:
    """Read a named band such as `low` as the range it means; raises Invalid for a band that has no meaning here."""
    bounds = BANDS.get(value.strip().lower()) if isinstance(value, str) else None
    if bounds is None:
        raise Invalid(f"{_shown(value)} is no cost band", hint=f"one of {', '.join(BANDS)}")
    low, high = bounds
    return Estimate(currency=default_currency, amount=None, low=Decimal(low), high=None if high is None else Decimal(high))


def _from_text(text: str, default: str) -> Estimate:
    match = _TEXT.fullmatch(text)
    if match is None:
        raise _unreadable(text)
    period = match["period"] or "month"
    if period.lower() not in _PERIODS:
        raise _unreadable(text)
    named = {_currency(match[f"{side}{n}"], default, text) for n in (1, 2) for side in ("before", "after") if match[f"{side}{n}"]}
    if len(named) > 1:
        raise Invalid(f"{_shown(text)} mixes currencies", hint="write one amount in one currency")
    currency = named.pop() if named else default
    first, second = (None if number is None else number.replace(",", "") for number in (match["number1"], match["number2"]))
    low = _monthly(first, match["multiple1"], period, text)
    if second is None:
        return Estimate(currency=currency, amount=low)
    # "$1-2k" means 1k-2k: a multiple written once, at the end, counts for both.
    if match["multiple2"] and not match["multiple1"]:
        low = _monthly(first, match["multiple2"], period, text)
    return _ranged(text, currency, low, None, _monthly(second, match["multiple2"], period, text))


def _monthly(number: Any, multiple: str | None, period: str, text: Any) -> Decimal:
    times, over = _PERIODS[period.lower()]
    monthly = _number(number, text) * _MULTIPLES[multiple or ""] * times / over
    if monthly >= _CEILING:
        raise Invalid(f"{_shown(text)} is more money than there is", hint="check the number of digits")
    kept = monthly.quantize(_SCALE)
    if monthly and not kept:
        raise Invalid(f"{_shown(text)} is less money than can be kept", hint="check the number of digits")
    return kept


def _from_map(value: Mapping[str, Any], default: str) -> Estimate:
    currency = _currency(value["currency"], default, value) if value.get("currency") is not None else default
    period = value.get("period", "month")
    low, amount, high = (_part(value, keys, currency, period) for keys in (_LOW_KEYS, _AMOUNT_KEYS, _HIGH_KEYS))
    parts = [part for part in (low, amount, high, *_telling(value)) if part is not None]
    if not parts:
        raise _unreadable(value)
    if len({part.currency for part in parts}) > 1:
        raise Invalid(f"{_shown(value)} mixes currencies", hint="write one amount in one currency")
    typical = amount or next(iter(_telling(value)), None)
    if low is None and high is None and typical is not None:
        return typical
    exact = [None if part is None else part.amount for part in (low, typical, high)]
    return _ranged(value, parts[0].currency, *exact)


def _part(value: Mapping[str, Any], keys: tuple[str, ...], currency: str, period: Any) -> Estimate | None:
    written = next((value[key] for key in keys if value.get(key) is not None), None)
    if written is None:
        return None
    if isinstance(written, str):
        return _from_text(written if _has_period(written) else f"{written} / {period}", currency)
    if not isinstance(period, str) or period.lower() not in _PERIODS:
        raise Invalid(f"{_shown(period)} is no period", hint="hour, day, month or year")
    return Estimate(currency=currency, amount=_monthly(written, None, period, value))


def _telling(value: Mapping[str, Any]) -> list[Estimate]:
    found = []
    for key, written in value.items():
        match = _TELLING_KEY.fullmatch(str(key).lower())
        if match and written is not None:
            currency = _currency(match["currency"].upper(), "", value)
            found.append(Estimate(currency=currency, amount=_monthly(written, None, match["period"], value)))
    return found


def _has_period(text: str) -> bool:
    match = _TEXT.fullmatch(text)
    return match is None or match["period"] is not None


def _ranged(written: Any, currency: str, low: Decimal | None, amount: Decimal | None, high: Decimal | None) -> Estimate:
    known = [part for part in (low, amount, high) if part is not None]
    if known != sorted(known):
        raise Invalid(f"{_shown(written)} is a range that runs backwards", hint="write the smaller amount first")
    return Estimate(currency=currency, amount=amount, low=low, high=high)


def _currency(written: Any, default: str, text: Any) -> str:
    if written == "$" and default in _DOLLARS:
        return default
    code = _SYMBOLS.get(written, written) if isinstance(written, str) else written
    if code not in CURRENCIES:
        raise Invalid(f"{_shown(text)} names no currency we know", hint="an ISO 4217 code such as USD, or one of $ € £ ¥ ₹")
    return str(code)


def _number(written: Any, text: Any) -> Decimal:
    if isinstance(written, bool) or not isinstance(written, (int, float, str, Decimal)):
        raise _unreadable(text)
    try:
        number = Decimal(str(written))
    except (InvalidOperation, ValueError) as error:
        raise _unreadable(text) from error
    if not number.is_finite() or number.is_signed():
        raise _unreadable(text)
    return number


def _unreadable(written: Any) -> Invalid:
    return Invalid(f"{_shown(written)} can't be read as money", hint='write "$50/month", "EUR 1200/year", "$50-$100" or a number')


def _shown(written: Any) -> str:
    """What was written, short enough for a message; Python refuses to print whole numbers of more than 4,300 digits."""
    try:
        text = repr(dict(written) if isinstance(written, Mapping) else written)
    except ValueError:
        return "a number of thousands of digits"
    return text if len(text) <= 80 else f"{text[:79]}…"
