"""The laws of merging."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import EstateError
from catalog.stacks import merging
from catalog.stacks.documents import APPEND

KEYS = st.sampled_from("abc")
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.text("xy", max_size=2)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=12,
)
MAPS = st.dictionaries(KEYS, VALUES, max_size=3)
STRATEGIES = st.sampled_from(merging.STRATEGIES)


def plainly(lower: dict, higher: dict) -> dict:
    """What merging means, written down without any sharing."""
    result = copy.deepcopy(lower)
    for key, value in higher.items():
        old = result.get(key)
        result[key] = plainly(old, value) if isinstance(old, dict) and isinstance(value, dict) else copy.deepcopy(value)
    return result


@given(MAPS, MAPS)
def test_merging_means_what_it_says(lower: dict, higher: dict) -> None:
    """Sharing changes the cost, never the result."""
    assert merging.merge(lower, higher) == plainly(lower, higher)


@given(MAPS, MAPS, STRATEGIES)
def test_nothing_that_goes_in_is_changed(lower: dict, higher: dict, strategy: str) -> None:
    """Merged trees are immutable: inputs stay as they were."""
    before = copy.deepcopy((lower, higher))
    merging.merge(lower, higher, strategy)
    assert (lower, higher) == before


@given(MAPS, STRATEGIES)
def test_nothing_is_neutral(value: dict, strategy: str) -> None:
    """Merging with nothing changes nothing."""
    assert merging.merge(value, {}, strategy) is value
    assert merging.merge({}, value, strategy) == value


@given(MAPS, MAPS)
def test_merging_twice_equals_once(lower: dict, higher: dict) -> None:
    """What is already there changes nothing, down to the same object."""
    once = merging.merge(lower, higher)
    assert merging.merge(once, higher) is once or merging.merge(once, higher) == once


@given(MAPS, MAPS)
def test_the_later_word_wins(lower: dict, higher: dict) -> None:
    """Every scalar and list of the higher map stands in the result."""
    result = merging.merge(lower, higher)
    for key, value in higher.items():
        assert isinstance(value, dict) or result[key] == value


@given(st.lists(MAPS, max_size=4), STRATEGIES)
def test_a_memo_changes_nothing(layers: list[dict], strategy: str) -> None:
    """Remembered merges are the merges."""
    memo, remembered, again = merging.Memo(), merging.EMPTY, merging.EMPTY
    for layer in layers:
        remembered = memo.merge(remembered, layer, strategy)
    for layer in layers:
        again = memo.merge(again, layer, strategy)
    assert remembered is again
    assert remembered == merging.merge_all(layers, strategy)


def test_untouched_branches_are_shared() -> None:
    """A merge copies only the way to what differs."""
    lower = {"a": {"deep": [1]}, "b": {"x": 1}}
    result = merging.merge(lower, {"b": {"y": 2}})
    assert result["a"] is lower["a"]


def test_an_append_reaches_the_list_below() -> None:
    """The wrapper becomes the longer list where there is one below, and a plain list where there is none."""
    higher = {"l": {APPEND: [2]}, "m": {"n": {APPEND: [3]}}}
    assert merging.merge_all([{"l": [1]}, higher], has_appends=True) == {"l": [1, 2], "m": {"n": [3]}}
    assert merging.merge_all([{"l": [1]}, higher], "append", has_appends=True) == {"l": [1, 2], "m": {"n": [3]}}
    assert merging.holds_append(higher)
    assert not merging.holds_append({"l": [1]})


def test_an_unknown_strategy_is_refused() -> None:
    """Only Atmos' three strategies exist."""
    with pytest.raises(EstateError, match="invalid list merge strategy: 'foo'"):
        merging.check_strategy("foo")


def test_an_old_memo_is_let_go() -> None:
    """A memo that has grown far beyond its first size isn't carried on."""
    memo = merging.Memo()
    assert memo.is_worth_keeping()
    for number in range(10_002):
        memo.merge({"a": number}, {"b": number})
    assert memo.is_worth_keeping()
    for number in range(21_000):
        memo.merge({"a": number}, {"b": number})
    assert not memo.is_worth_keeping()
