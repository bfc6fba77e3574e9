from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.cost import money
from catalog.errors import Invalid

AMOUNTS = [
    ("$50/month", "USD", "50"),
    ("€1,200 / year", "EUR", "100"),
    ("USD 0.10/hour", "USD", "73"),
    ("$1.5k", "USD", "1500"),
    ("$2M per year", "USD", "166666.6666666667"),
    ("100 EUR monthly", "EUR", "100"),
    ("£3 a day", "GBP", "91.25"),
    ("50", "USD", "50"),
    (50, "USD", "50"),
    (0, "USD", "0"),
    (0.1, "USD", "0.1"),
    ({"amount": 5, "currency": "EUR", "period": "year"}, "EUR", "0.4166666667"),
    ({"amount": "0.10", "period": "hour"}, "USD", "73"),
    ({"monthly_usd": 120, "currency": "USD"}, "USD", "120"),
    ({"estimated_monthly_usd": 20, "cost_category": "low", "cost_breakdown": {"nat": 16}}, "USD", "20"),
]


@pytest.mark.parametrize(("written", "currency", "monthly"), AMOUNTS)
def test_amounts_read_as_an_exact_number_a_month(written, currency, monthly):
    """Each documented spelling of an amount reads as the exact number a month, 730 hours or a twelfth of a year."""
    estimate = money.parse_money(written)

    assert (estimate.currency, estimate.amount, estimate.low, estimate.high) == (currency, Decimal(monthly), None, None)


RANGES = [
    ("$50-$100", None, "50", "100"),
    ("$1-2k/month", None, "1000", "2000"),
    ("€10 to €20 per month", None, "10", "20"),
    ({"minimum": "$35/month", "typical": "$100/month", "maximum": "$350/month"}, "100", "35", "350"),
    ({"min": 1, "max": 2, "period": "hour"}, None, "730", "1460"),
]


@pytest.mark.parametrize(("written", "typical", "low", "high"), RANGES)
def test_a_range_keeps_its_ends_and_is_a_number_only_when_a_typical_one_is_written(written, typical, low, high):
    """A range reads as its two ends; it has an amount only where somebody wrote the typical one."""
    estimate = money.parse_money(written)

    assert (estimate.low, estimate.high) == (Decimal(low), Decimal(high))
    assert estimate.amount == (None if typical is None else Decimal(typical))


@pytest.mark.parametrize(
    "written",
    [
        "", "free", "cheap", "$", "-5", "$-5", "1,2", "1.200,50", "12,34", "1e5", "NaN", "Infinity", "$50/fortnight", "50 usd", "$5 €6", "€5-$6",
        "$100-$50", "٣", "ABC 5", "${cost}", True, None, [], {}, {"currency": "USD"}, {"amount": "x"}, {"amount": 5, "currency": "XYZ"},
        {"amount": 5, "period": "moon"}, {"monthly_usd": 1, "minimum": 5}, float("nan"), float("inf"), -1, pytest.param(10**5000, id="5,001 digits"), "9" * 30, {"amount": True},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_invalid_and_never_a_number(written):
    """Text, numbers and maps that are no money raise Invalid: there is no spelling that silently becomes zero."""
    with pytest.raises(Invalid):
        money.parse_money(written)


def test_a_dollar_sign_means_the_default_dollar():
    """Where the organisation's currency is a dollar, `$` means that dollar; elsewhere it is the US one."""
    assert money.parse_money("$5", "AUD").currency == "AUD"
    assert money.parse_money("$5", "EUR").currency == "USD"


@pytest.mark.parametrize(
    ("band", "low", "high"), [("free", 0, 0), ("low", 0, 100), ("Medium", 100, 500), ("high", 500, None), ("very-high", 500, None)]
)
def test_a_band_is_a_range_and_never_a_number(band, low, high):
    """A band such as `low` has two ends, the last of `high` open, and no amount."""
    estimate = money.parse_band(band)

    assert (estimate.amount, estimate.low, estimate.high) == (None, low, high)


PARTS = [
    ({"nat": 16, "data": 4.5}, "20.5", None, None),
    ({"nat": "$16/month", "data": "$12/year"}, "17", None, None),
    ({"nat": 16, "data": "$4-$8"}, None, "20", "24"),
    ({"nat": {"min": 1, "typical": 2, "max": 3}, "data": 4}, "6", None, None),
    ({"nat": {"min": 1}, "data": 4}, None, "5", None),
]


@pytest.mark.parametrize(("written", "amount", "low", "high"), PARTS)
def test_parts_read_as_their_sum(written, amount, low, high):
    """The parts of a cost are added; where one is a range so is the sum, open where one is open."""
    estimate = money.parse_parts(written)

    assert (estimate.amount, estimate.low, estimate.high) == tuple(
        None if part is None else Decimal(part) for part in (amount, low, high)
    )


@pytest.mark.parametrize("written", [{}, None, 5, [1], {"nat": 16, "data": "plenty"}, {"nat": "$5", "data": "€5"}])
def test_a_sum_of_what_cannot_be_read_is_invalid(written):
    """A part that can't be read, or in another currency, leaves no sum."""
    with pytest.raises(Invalid):
        money.parse_parts(written)


@pytest.mark.parametrize("band", ["", "enormous", None, 5, []])
def test_an_unknown_band_is_invalid(band):
    """A band that has no meaning raises Invalid."""
    with pytest.raises(Invalid):
        money.parse_band(band)


cents = st.decimals(min_value=0, max_value=10**9, places=2)


@given(amount=cents, currency=st.sampled_from(sorted(money.CURRENCIES)), period=st.sampled_from(["month", "year", "hour", "day"]))
def test_text_and_map_say_the_same(amount, currency, period):
    """An amount reads the same written as text, with thousands separators, after its currency, or as a map."""
    as_map = money.parse_money({"amount": amount, "currency": currency, "period": period})

    assert money.parse_money(f"{currency} {amount}/{period}") == as_map
    assert money.parse_money(f"{amount:,} {currency} per {period}") == as_map


@given(amount=cents)
def test_a_year_is_twelve_months_and_a_month_730_hours(amount):
    """Twelve times the monthly reading of a yearly amount, and 730 times an hourly one, give the amount back to the last cent."""
    cent = Decimal("0.01")

    assert (money.parse_money(f"${amount}/year").amount * 12).quantize(cent) == amount.quantize(cent)
    assert money.parse_money(f"${amount}/hour").amount == amount * 730


@given(
    st.text(max_size=20)
    | st.integers()
    | st.floats()
    | st.dictionaries(st.text(max_size=9), st.text(max_size=9) | st.floats(), max_size=4)
)
def test_anything_reads_as_money_that_fits_the_database_or_is_invalid(written):
    """Whatever is written gives a finite amount of at most 28 digits, not below zero, or raises Invalid; nothing else."""
    try:
        estimate = money.parse_money(written)
    except Invalid:
        return
    for part in (estimate.amount, estimate.low, estimate.high):
        assert part is None or 0 <= part < Decimal(10) ** 18
    assert estimate.currency in money.CURRENCIES


# Each way in which an amount of a currency and a period is written, with what its number is multiplied by.
SPELLINGS = [
    ("{code} {amount}/{period}", 1), ("{code}{amount} / {period}", 1), ("{amount} {code} per {period}", 1), ("{amount}{code}/{period}", 1),
    ("{code} {amount} a {period}", 1), ("  {amount:,} {code} / {period}  ", 1), ("{code} {amount}k/{period}", 1000), ("{code} {amount}M per {period}", 1000000),
]  # fmt: skip
FACTORS = {"month": Decimal(1), "year": Decimal(1) / 12, "hour": Decimal(730), "day": Decimal(730) / 24}
SYMBOLS = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "A$": "AUD", "C$": "CAD", "R$": "BRL"}


@given(
    amount=st.decimals(min_value=0, max_value=10**7, places=2),
    currency=st.sampled_from(sorted(money.CURRENCIES)) | st.sampled_from(sorted(SYMBOLS)),
    period=st.sampled_from(sorted(FACTORS)),
    spelling=st.sampled_from(SPELLINGS),
    default=st.sampled_from(["USD", "EUR", "CHF"]),
)
def test_every_spelling_keeps_amount_and_currency(amount, currency, period, spelling, default):
    """However an amount is spelled, its number a month and its currency come back, whatever the organisation's own currency is."""
    form, times = spelling
    estimate = money.parse_money(form.format(code=currency, amount=amount, period=period), default)

    assert estimate.currency == SYMBOLS.get(currency, currency)
    assert abs(estimate.amount - amount * times * FACTORS[period]) <= Decimal("0.0000000001") * times


@given(
    low=st.decimals(min_value=0, max_value=10**6, places=2), more=st.decimals(min_value=0, max_value=10**6, places=2),
    currency=st.sampled_from(sorted(money.CURRENCIES)), dash=st.sampled_from(["-", " - ", "\u2013", " to "]),
)  # fmt: skip
def test_a_range_reads_the_same_as_text_and_as_a_map(low, more, currency, dash):
    """A range keeps both ends in whatever form it is written, and has no amount."""
    as_text = money.parse_money(f"{currency} {low}{dash}{currency} {low + more}")

    assert (as_text.currency, as_text.amount, as_text.low, as_text.high) == (currency, None, low, low + more)
    assert money.parse_money({"min": str(low), "max": str(low + more), "currency": currency}) == as_text


@given(st.text(alphabet="0123456789.,-kM$€ /permontyah", max_size=14))
def test_only_a_written_zero_is_zero(written):
    """No text with a digit other than zero, and none without a digit, reads as nothing."""
    try:
        estimate = money.parse_money(written)
    except Invalid:
        return
    for part in (estimate.amount, estimate.low, estimate.high):
        assert part != 0 or "0" in written
    assert any(digit in written for digit in "123456789") == any(part for part in (estimate.amount, estimate.low, estimate.high))


@given(st.decimals(min_value="1e-30", max_value="1e-11"))
def test_what_is_too_little_to_keep_is_invalid_and_not_zero(amount):
    """An amount below what the database keeps doesn't become zero."""
    with pytest.raises(Invalid):
        money.parse_money({"amount": amount})


@given(
    written=st.sampled_from(["$50/month", "EUR 1,200 / year", "USD 0.10/hour", "$1.5k", "$50-$100"]),
    junk=st.characters(exclude_categories=["Zs", "Cc", "Nd"]),
    data=st.data(),
)
def test_junk_within_money_never_makes_it_smaller_than_it_is(written, junk, data):
    """A stray character makes a text unreadable or leaves an amount that isn't zero: nothing is dropped silently down to nothing."""
    at = data.draw(st.integers(0, len(written)))
    try:
        estimate = money.parse_money(written[:at] + junk + written[at:])
    except Invalid:
        return
    assert all(part is None or part > 0 for part in (estimate.amount, estimate.low, estimate.high))
