"""Label selectors and JSON paths."""

from __future__ import annotations

import pytest

from catalog.graph import selectors
from catalog.graph.faults import Rejected
from catalog.store.selection import Op

SELECTORS = {
    "tier=web": [("tier", Op.INCLUDES, ("web",))],
    "tier == web": [("tier", Op.INCLUDES, ("web",))],
    "tier!=web,!legacy": [("tier", Op.KEY_NOT_IN, ("web",)), ("legacy", Op.KEY_ABSENT, ("",))],
    "tier in (a, b) , app.kubernetes.io/name": [("tier", Op.KEY_IN, ("a", "b")), ("app.kubernetes.io/name", Op.KEY_EXISTS, ("",))],
    "tier notin (a)": [("tier", Op.KEY_NOT_IN, ("a",))],
    "  ": [],
}


@pytest.mark.parametrize(("text", "expected"), SELECTORS.items(), ids=SELECTORS)
def test_a_selector_is_read_as_kubernetes_reads_it(text, expected) -> None:
    """Each requirement has its key, its operator and its values."""
    assert [(one.key, one.op, one.values) for one in selectors.parse(text)] == expected


@pytest.mark.parametrize("text", ["=web", "a in b", "a,,b", "a=(b", "!", "a==b==c"])
def test_a_selector_that_can_not_be_read_is_refused(text) -> None:
    """Nothing is guessed."""
    with pytest.raises(Rejected, match="can't be read"):
        selectors.parse(text)


PATHS = {
    "cidr": ("cidr",),
    "ingress[0].port": ("ingress", "0", "port"),
    'tags["a.b"].c': ("tags", "a.b", "c"),
}


@pytest.mark.parametrize(("text", "expected"), PATHS.items(), ids=PATHS)
def test_a_path_is_read_into_its_steps(text, expected) -> None:
    """Names, index numbers and quoted names."""
    assert selectors.path(text) == expected


@pytest.mark.parametrize("text", ["", "a[", "a]", 'a["b', "a..b["])
def test_a_path_that_can_not_be_read_is_refused(text) -> None:
    """Nothing is guessed."""
    with pytest.raises(Rejected, match="can't be read"):
        selectors.path(text)


def test_containment_is_known_where_there_are_no_index_numbers() -> None:
    """An index can find the candidates of a plain path only."""
    assert selectors.containment("a.b", 1) == {"a": {"b": 1}}
    assert selectors.containment("a[0]", 1) is None
