"""Periods: the months that a period touches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import strawberry

from catalog.graph.declarations import Argument, given
from catalog.graph.faults import bad_input
from catalog.graph.tracing import Traced, Variables, plain

MOST = 120  # months


@strawberry.input(description="The months touched by a period: 120 at most.")
class PeriodInput:
    from_: date = given("Its first day.", name="from")
    to: date = given("The day after its last day.")


PERIOD = Argument(type=PeriodInput | None, description="Which months: the current one unless given.")


def readers(value: Traced, key: str) -> tuple[Callable[[Variables], Any], Callable[[Variables], Any]]:
    """Return how a run reads both ends of a period, null for none; a run raises Rejected for one that doesn't hold."""
    return (lambda variables: _read(value, variables, key)[0], lambda variables: _read(value, variables, key)[1])


def month_readers(value: Traced, key: str) -> tuple[Callable[[Variables], Any], Callable[[Variables], Any]]:
    """Return how a run reads the moments at which the months of a period begin and are over."""

    def first(variables: Variables) -> datetime:
        begins: date = _read(value, variables, key)[0]
        return datetime(begins.year, begins.month, 1, tzinfo=UTC)

    def over(variables: Variables) -> datetime:
        ends = date.fromordinal(_read(value, variables, key)[1].toordinal() - 1)
        return datetime(ends.year + ends.month // 12, ends.month % 12 + 1, 1, tzinfo=UTC)

    return first, over


def _read(value: Traced, variables: Variables, key: str) -> tuple[Any, Any]:
    told = plain(value, variables)
    if told is None:
        return None, None
    begins, ends = told["from"], told["to"]
    if begins >= ends:
        raise bad_input(f"a period begins before it ends: {begins} is not before {ends}", key)
    if ends.year >= date.max.year or _month(ends) - _month(begins) >= MOST:
        raise bad_input(f"a period has at most {MOST} months", key)
    return begins, ends


def _month(day: date) -> int:
    return day.year * 12 + day.month
