"""What people measured: CSV in, values and diagnostics out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from catalog.indexer import measurements

GOOD = "kpi,at,value,team\nsatisfaction,2026-03-31,4.1,web\nsatisfaction,2026-03-31,3.4,data\nonboarding,2026-01-02,9,\n"


def test_of_several_values_of_a_day_the_mean_counts() -> None:
    """Each team may have a value of its own; how many there are is the sample."""
    found, faults = measurements.read(GOOD.encode(), "m.csv")
    assert faults == ()
    assert [(one.kpi, one.at, one.value, one.sample_size) for one in measurements.points(found)] == [
        ("onboarding", date(2026, 1, 2), Decimal(9), 1),
        ("satisfaction", date(2026, 3, 31), Decimal("3.75"), 2),
    ]


@pytest.mark.parametrize(
    "row", ["x,yesterday,1,", ",2026-01-01,1,", "x,2026-01-01,many,", "x,2026-01-01,NaN,", "x,2026-01-01", "x"]
)
def test_a_row_that_cannot_be_read_is_told_of_and_hides_no_other(row) -> None:
    """The diagnostic names the line; the rows around it count."""
    found, (fault,) = measurements.read(f"{GOOD}{row}\nonboarding,2026-01-03,8,\n".encode(), "m.csv")
    assert len(found) == 4
    assert (fault.location.file, fault.location.line) == ("m.csv", 5)


@pytest.mark.parametrize("content", [b"kpi,value\nx,1\n", b"", b"\xff\xfe\x00", b'kpi,at,value\n"x'])
def test_a_file_of_another_kind_says_nothing_and_is_told_of(content) -> None:
    """What is no such table gives a diagnostic and no values."""
    found, faults = measurements.read(content, "m.csv")
    assert found == ()
    assert len(faults) == 1
