"""When a gate closes."""

import pytest

from catalog.provisioning.gate import Electorate, closes


def electorate(quorum=1, **others):
    return Electorate(target=frozenset("abc"), quorum=quorum, others={name: frozenset(people) for name, people in others.items()})


@pytest.mark.parametrize(
    ("electorate", "approved", "closed"),
    [
        (electorate(), "", False),
        (electorate(), "a", True),
        (electorate(), "x", False),
        (electorate(quorum=2), "a", False),
        (electorate(quorum=2), "aa", False),
        (electorate(quorum=2), "ax", False),
        (electorate(quorum=2), "ab", True),
        (electorate(other="x"), "a", False),
        (electorate(other="x"), "ax", True),
        (electorate(other="x"), "x", False),
        (electorate(other="ax"), "a", True),
        (electorate(other=""), "abc", False),
    ],
)
def test_a_gate_closes_when_enough_have_approved(electorate, approved, closed):
    """The quorum counts those who may decide about the target, each once; every other tenant that is affected needs its own."""
    assert closes(electorate, approved) is closed


def test_everybody_is_whoever_has_a_say():
    """Those of other tenants that are affected have a say too."""
    assert electorate(other="x").everybody == frozenset("abcx")
