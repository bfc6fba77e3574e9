"""Files of exchange rates: exact, and one broken row breaks the file, with its line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from catalog.cost import rates
from catalog.cost.rates import Rate
from catalog.errors import Invalid

HEAD = "day,base,currency,rate\n"


def test_rates_are_read_as_they_are_written() -> None:
    """In any order of columns, with spaces, a mark of the encoding, and to the last digit."""
    text = "\ufeffrate, note,day,base,currency\n1.0835000001,x, 2026-01-01 ,EUR,USD\n1.09,,2026-02-01,EUR,USD\n"

    assert rates.read(text.encode(), "seeds/rates.csv") == (
        Rate(day=date(2026, 1, 1), base="EUR", currency="USD", rate=Decimal("1.0835000001")),
        Rate(day=date(2026, 2, 1), base="EUR", currency="USD", rate=Decimal("1.09")),
    )
    assert rates.read(HEAD.encode(), "x") == ()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("day,base,rate\n", 1, "no column currency"),
        ("", 1, "no column"),
        (HEAD + "2026-01-01,EUR,USD,1\n2026-13-01,EUR,USD,1\n", 3, "no day and rate"),
        (HEAD + "2026-01-01,EUR,USD,one\n", 2, "no day and rate"),
        (HEAD + "2026-01-01,EUR,USD\n", 2, "no day and rate"),
        (HEAD + "2026-01-01,EUR,USD,0\n", 2, "more than zero"),
        (HEAD + "2026-01-01,EUR,USD,NaN\n", 2, "more than zero"),
        (HEAD + "2026-01-01,EUR,EUR,1\n", 2, "and itself"),
        (HEAD + "2026-01-01,EUR,Dollar,1\n", 2, "'Dollar' is no currency"),
        (HEAD + "2026-01-01,EUR,USD,1\n2026-01-01,EUR,USD,2\n", 3, "written twice"),
        (HEAD + '2026-01-01,"EUR,USD,1\n', 1, "no CSV"),
    ],
)
def test_a_row_that_doesn_t_hold_is_named(text: str, line: int, said: str) -> None:
    """With file and line: an unknown rate is never one."""
    with pytest.raises(Invalid, match=said) as raised:
        rates.read(text.encode(), "seeds/rates.csv")

    assert str(raised.value.location) == f"seeds/rates.csv:{line}"


def test_what_is_no_text_is_refused() -> None:
    """A file of another kind."""
    with pytest.raises(Invalid, match="no CSV"):
        rates.read(b"\xff\xfe\x00", "seeds/rates.csv")
