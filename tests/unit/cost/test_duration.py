import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.cost import duration
from catalog.errors import Invalid

SPELLINGS = [
    ("5 minutes", 300), ("1h30m", 5400), ("PT5M", 300), ("P1DT2H", 93600), ("P2W", 1209600), (300, 300), ("300", 300), ("1.5 hours", 5400),
    ("1 hour and 30 minutes", 5400), ("2 hours, 5 mins", 7500), ("90s", 90), ("2 days", 172800), ("0.1 s", 1), ("5-10 minutes", 600),
    ("15 to 25 min", 1500), ("0.5s", 1), (0.5, 1), ("5M", 300),
]  # fmt: skip


@pytest.mark.parametrize(("written", "seconds"), SPELLINGS)
def test_each_spelling_reads_as_seconds(written, seconds):
    """Each documented spelling reads as whole seconds, fractions rounded up and ranges as their longer end."""
    assert duration.parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    ["", "soon", "1+ hours", "PT", "P", "5 parsecs", "-5 minutes", "10-5 minutes", -3, True, None, [], {}, float("nan"), float("inf"),
     pytest.param(10**5000, id="5,001 digits"), "${time}", "9" * 30, "٣ minutes", "5 minutes ago"],
)  # fmt: skip
def test_what_cannot_be_read_is_invalid(written):
    """What is no duration raises Invalid."""
    with pytest.raises(Invalid):
        duration.parse_duration(written)


@given(hours=st.integers(0, 1000), minutes=st.integers(0, 59), seconds=st.integers(0, 59))
def test_spellings_agree(hours, minutes, seconds):
    """Words, letters and ISO 8601 give the same seconds."""
    expected = hours * 3600 + minutes * 60 + seconds

    assert duration.parse_duration(f"{hours}h{minutes}m{seconds}s") == expected
    assert duration.parse_duration(f"PT{hours}H{minutes}M{seconds}S") == expected
    assert duration.parse_duration(f"{hours} hours {minutes} minutes and {seconds} seconds") == expected


@given(st.text(max_size=20) | st.integers() | st.floats())
def test_anything_is_a_duration_that_fits_the_database_or_invalid(written):
    """Whatever is written gives an int4 of seconds, not below zero, or raises Invalid; nothing else."""
    try:
        seconds = duration.parse_duration(written)
    except Invalid:
        return
    assert 0 <= seconds < 2**31


UNITS = {
    "s": 1,
    "seconds": 1,
    "m": 60,
    "min": 60,
    "minutes": 60,
    "h": 3600,
    "hours": 3600,
    "d": 86400,
    "days": 86400,
    "w": 604800,
    "weeks": 604800,
}


@given(number=st.integers(0, 2000), unit=st.sampled_from(sorted(UNITS)), space=st.sampled_from(["", " "]), upper=st.booleans())
def test_every_unit_comes_back(number, unit, space, upper):
    """Each unit in each spelling gives back its seconds."""
    text = f"{number}{space}{unit}"

    assert duration.parse_duration(text.upper() if upper else text) == number * UNITS[unit]


@given(
    low=st.integers(0, 100),
    more=st.integers(0, 100),
    unit=st.sampled_from(["seconds", "minutes", "hours"]),
    dash=st.sampled_from(["-", " - ", "\u2013", " to "]),
)
def test_a_range_is_its_longer_end(low, more, unit, dash):
    """Whoever waits is promised the longer end."""
    assert duration.parse_duration(f"{low}{dash}{low + more} {unit}") == (low + more) * UNITS[unit]


@given(st.text(alphabet="0123456789.-hmsdwPT toandinutesru,", max_size=14))
def test_only_a_written_zero_takes_no_time(written):
    """No text with a digit other than zero reads as no time, and nothing is read where no digit is written."""
    try:
        seconds = duration.parse_duration(written)
    except Invalid:
        return
    assert any(digit.isdecimal() for digit in written)
    assert (seconds > 0) == any(digit in written for digit in "123456789")
