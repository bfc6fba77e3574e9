"""Requests that a workflow holds to the budget of the team."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalog.errors import BudgetExceeded
from catalog.provisioning import budgets
from catalog.store.budgets import Standing
from catalog.values import Money


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def standing(expected: str | None, committed: str | None, requested: str | None) -> Standing:
    parts = [None if part is None else Decimal(part) for part in (expected, committed, requested)]
    return Standing(budget=usd("100"), expected=parts[0], committed=parts[1], requested=parts[2])


ADMITTED = [
    (None, usd("1000")),  # no budget
    (standing("60", "30", "10"), usd("10")),  # to the last cent
    (standing("500", "0", "-1"), usd("-1")),  # it saves
    (standing(None, None, "0"), usd("0")),  # it costs nothing more
]
REFUSED = [
    (standing("60", "30", "10.01"), usd("10.01"), usd("10.01")),
    (standing("101", "0", "1"), usd("1"), usd("1")),
    (standing("60", None, "10"), usd("10"), None),
    (standing("60", "0", None), None, None),
]


@pytest.mark.parametrize(("known", "adds"), ADMITTED)
def test_what_the_budget_admits_passes(known, adds) -> None:
    """What is expected, reserved and asked for may come to the whole budget."""
    budgets.check(known, adds)


@pytest.mark.parametrize(("known", "adds", "requested"), REFUSED)
def test_what_it_does_not_admit_or_nobody_knows_is_refused(known, adds, requested) -> None:
    """The refusal says the budget, and what was asked for where that is known: unknown is never zero."""
    with pytest.raises(BudgetExceeded) as caught:
        budgets.check(known, adds)
    assert (caught.value.budget, caught.value.requested) == (usd("100"), requested)
