"""Buckets: what a minute brings, what is taken, and when there is enough again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import RateLimited
from catalog.graph.kept import Kept
from catalog.graph.limits import ANONYMOUS, PERSON, SERVICE
from catalog.graph.rates import Rates


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock at zero."""
    return Clock()


@pytest.mark.parametrize(("limits", "brought"), [(ANONYMOUS, 10_000), (PERSON, 100_000), (SERVICE, 500_000)])
def test_a_minute_brings_ten_times_what_one_operation_may_cost(limits, brought, clock) -> None:
    """By kind of viewer; it comes in all the time, and never more than that is saved."""
    rates = Rates(clock=clock)
    assert rates.pay("ada", limits, brought).remaining == 0
    with pytest.raises(RateLimited) as refused:
        rates.pay("ada", limits, brought // 2)
    assert refused.value.retry_after == 30
    clock.now = 30
    assert rates.pay("ada", limits, brought // 2).remaining == 0
    clock.now = 10_000
    assert rates.tell("ada", limits).remaining == brought


def test_one_viewer_takes_nothing_from_another(clock) -> None:
    """Each has a bucket; nobody known has one as well."""
    rates = Rates(clock=clock)
    rates.pay("ada", PERSON, PERSON.per_minute)
    assert rates.tell("bob", PERSON).remaining == PERSON.per_minute
    assert rates.tell(None, ANONYMOUS).remaining == ANONYMOUS.per_minute


def test_who_sends_nonsense_alone_is_not_read_any_more(clock) -> None:
    """A hundred refusals in a row empty a bucket, and the time until it is admitted again is told."""
    rates = Rates(clock=clock)
    for _ in range(101):
        rates.admit("eve", PERSON)
        rates.take("eve", PERSON, PERSON.refusal)
        clock.now += 0.001
    with pytest.raises(RateLimited) as refused:
        rates.admit("eve", PERSON)
    clock.now += refused.value.retry_after
    rates.admit("eve", PERSON)


def test_a_factor_multiplies_and_none_lets_everything_pass(clock) -> None:
    """What the configuration says of the rate."""
    assert Rates(2.5, clock=clock).tell("ada", PERSON).limit == 250_000
    free = Rates(None, clock=clock)
    for _ in range(3):
        assert free.pay("ada", PERSON, PERSON.per_minute).remaining == PERSON.per_minute


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 60_000)), max_size=40))
def test_no_more_is_ever_paid_than_came_in(steps) -> None:
    """Whatever is asked whenever: the sum of what was paid is at most one full bucket and what the time brought."""
    clock = Clock()
    rates, paid = Rates(clock=clock), 0
    for wait, cost in steps:
        clock.now += wait
        try:
            budget = rates.pay("ada", PERSON, cost)
        except RateLimited:
            continue
        paid += cost
        assert 0 <= budget.remaining <= budget.limit
    assert paid <= PERSON.per_minute * (1 + clock.now / 60) + 1


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30)), max_size=60))
def test_what_is_kept_stays_within_its_bounds(puts) -> None:
    """Never more values, never more weight than allowed, and the weight that is told is the weight that is there."""
    kept: Kept[int, int] = Kept(5, heaviest=40)
    last: dict[int, int] = {}
    for key, weight in puts:
        kept.put(key, weight, weight)
        last[key] = weight
        there = [last[key] for key in last if kept.get(key) is not None]
        assert len(kept) == len(there) <= 5
        assert kept.weight == sum(there) <= 40
