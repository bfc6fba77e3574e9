"""The sources of the past against those of the present: whatever is added to a row must say whose it is."""

from __future__ import annotations

import pytest

from catalog.store.compile import SOURCES

# What lies beyond a row of the past, and is shown as it is now; a document never changes.
BEYOND = {
    "stack": {"estate", "manifest", "organization", "tenant", "environment", "team"},
    "component_instance": {
        "estate",
        "component",
        "config",
        "team",
        "locked_by",
        "history",
        "requests",
        "policy_evaluations",
        "charges",
        "cost_history",
    },
    "cost_estimate": {"monthly", "low", "high", "location"},
    "dependency_edge": set(),
}


@pytest.mark.parametrize("name", BEYOND)
def test_a_relation_of_a_past_row_is_of_the_past_or_known_to_lie_beyond(name) -> None:
    """A relation that is added to the present is decided about for the past too, not shown there by accident."""
    present, past = SOURCES[name].relations, SOURCES[f"{name}_as_of"].relations
    assert set(present) == set(past)
    assert {relation for relation in present if past[relation] is present[relation]} == BEYOND[name]


@pytest.mark.parametrize("name", BEYOND)
def test_no_column_of_a_past_row_looks_up_the_present(name) -> None:
    """A column that reads other rows is written anew for the past."""
    present, past = SOURCES[name].columns, SOURCES[f"{name}_as_of"].columns
    assert set(present) <= set(past)
    assert [column for column in present if past[column] is present[column] and "select" in present[column].sql] == []


@pytest.mark.parametrize("name", ["stack", "component_instance"])
def test_a_past_row_has_the_rule_of_the_present(name) -> None:
    """Who may see a row is decided by the same rule, asked of what the row was."""
    assert SOURCES[f"{name}_as_of"].visible is SOURCES[name].visible
    assert SOURCES[f"{name}_as_of"].current == SOURCES[name].current
