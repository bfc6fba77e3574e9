"""Names of teams and tenants become ids, or an error that helps."""

from __future__ import annotations

import pytest

from catalog import errors
from catalog.access import names

KNOWN = [("fnx", "platform", "tea_1"), ("fnx", "payments", "tea_2"), ("acme", "platform", "tea_3")]


def test_a_name_of_one_organisation_is_enough():
    """A name that only one organisation has needs no organisation."""
    assert names.resolve("team", ["payments"], KNOWN) == ["tea_2"]


def test_the_organisation_tells_namesakes_apart():
    """`organisation/name` is exact, and naming a thing twice counts once."""
    assert names.resolve("team", ["acme/platform", "fnx/platform", "acme/platform"], KNOWN) == ["tea_3", "tea_1"]


def test_namesakes_are_ambiguous():
    """A name in two organisations is refused with both spelled out."""
    with pytest.raises(errors.Ambiguous) as caught:
        names.resolve("team", ["platform"], KNOWN)
    assert caught.value.candidates == ("acme/platform", "fnx/platform")


def test_a_misspelt_name_is_guessed():
    """An unknown name is answered with the nearest known one."""
    with pytest.raises(errors.NotFound, match="did you mean payments"):
        names.resolve("team", ["payment"], KNOWN)


def test_an_unknown_name_lists_what_there_is():
    """A name like no other is answered with what there is."""
    with pytest.raises(errors.NotFound, match="there are payments, platform"):
        names.resolve("tenant", ["zzz"], KNOWN)


def test_nothing_known_gives_no_hint():
    """Where there is nothing, nothing is suggested."""
    assert names.did_you_mean("x", []) is None
