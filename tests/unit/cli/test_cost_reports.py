"""`catalog costs report`: the months that are asked for."""

from __future__ import annotations

import pytest

from catalog import errors
from catalog.cli import cost_reports

PERIODS = [
    ("2026-01", "2026-01-01", "2026-02-01"),
    ("2025-12", "2025-12-01", "2026-01-01"),
    ("2025-11..2026-02", "2025-11-01", "2026-03-01"),
    ("2026-03..2026-12", "2026-03-01", "2027-01-01"),
]


@pytest.mark.parametrize(("months", "begins", "ends"), PERIODS)
def test_months_are_included_at_both_ends(months, begins, ends) -> None:
    """A range of months begins with the first day of its first and ends with the last day of its last."""
    assert cost_reports._period(months) == {"from": begins, "to": ends}


@pytest.mark.parametrize("months", ["2026", "2026-13", "2026-1", "2026-01-01", "2026-01...2026-02", "now"])
def test_what_is_no_month_is_refused(months) -> None:
    """The message shows how months are said."""
    with pytest.raises(errors.WrongUse, match="is no month"):
        cost_reports._period(months)
