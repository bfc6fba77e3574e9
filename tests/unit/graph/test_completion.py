"""Marks in a statement's text become errors and nulls."""

from __future__ import annotations

import json

from catalog.graph.completion import complete
from catalog.store.selection import Fault


def test_text_without_marks_goes_out_as_it_came() -> None:
    """The good path copies nothing and parses nothing."""
    body = b'{"a":"\\u0001"}'
    assert complete(body, ()) == (body, [])


def test_a_mark_becomes_null_where_null_may_stand() -> None:
    """The error keeps the path of the place, the null climbs as far as it must."""
    faults = (Fault(code="NULL", message="no", climb=2), Fault(code="AMBIGUOUS", message="many", climb=0))
    body = b'{"a":{"b":[{"c":\x010;\x01}]},"d":\x011;["x","y"]\x01}'
    data, errors = complete(body, faults)
    assert json.loads(data) == {"a": {"b": None}, "d": None}
    assert [(error["path"], error["extensions"]) for error in errors] == [
        (["a", "b", 0, "c"], {"code": "NULL"}),
        (["d"], {"code": "AMBIGUOUS", "candidates": ["x", "y"]}),
    ]


def test_a_null_that_climbs_to_the_top_leaves_no_data() -> None:
    """What stands inside a place that became null is gone with it."""
    faults = (Fault(code="NULL", message="no", climb=1),)
    data, errors = complete(b'{"a":\x010;\x01,"b":\x010;\x01}', faults)
    assert (data, len(errors)) == (b"null", 2)


def test_what_only_the_rows_know_is_told_in_the_message() -> None:
    """A mark with an object fills in the message, and its members are told beside it."""
    faults = (Fault(code="NO_EXCHANGE_RATE", message="none from {source} on {day}", climb=0),)
    _, errors = complete(b'{"a":\x010;{"source":"EUR","day":"2026-01-05"}\x01}', faults)
    assert errors[0]["message"] == "none from EUR on 2026-01-05"
    assert errors[0]["extensions"] == {"code": "NO_EXCHANGE_RATE", "source": "EUR", "day": "2026-01-05"}
