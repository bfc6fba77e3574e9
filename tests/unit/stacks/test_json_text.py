"""Results are printed as Go prints JSON, and shared values read the same wherever they stand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import EstateError
from catalog.stacks import json_text, scalars

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.floats(-1e15, 1e15))
VALUES = st.recursive(SCALARS, lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(max_size=3), inner)), max_leaves=30)


def text(value: object, mask: json_text.Mask | None = None) -> str:
    return "".join(json_text.pieces(value, mask))


@given(VALUES)
def test_what_is_printed_means_what_was_given(value: object) -> None:
    """Reading the text back gives the value."""
    assert json.loads(text(value)) == value


@given(
    st.lists(st.dictionaries(st.text(max_size=3), VALUES, min_size=1), min_size=2, max_size=2),
    st.lists(st.integers(0, 3), max_size=8),
)
def test_shared_values_read_the_same_everywhere(shared: list[Any], picked: list[int]) -> None:
    """A map that occurs again and again, at several depths, is printed as copies of it would be."""
    forms = [shared[0], shared[1], {"deeper": shared[0]}, [shared[1]]]
    entry = {str(number): forms[form] for number, form in enumerate(picked)}
    value = {"stack": {"components": {"terraform": {"one": entry, "two": entry}}}}
    assert text(value) == text(json.loads(json.dumps(value)))


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (1.0, "1"),
        (-0.0, "-0"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (0.000001, "0.000001"),
        (0.0000001, "1e-7"),
        (1e-10, "1e-10"),
        (12345678901234567890123, "12345678901234567890123"),
        ("<&>\u2028é\x01\t", '"<&>\\u2028é\\u0001\\t"'),
        (scalars.plain("2024-01-02"), '"2024-01-02T00:00:00Z"'),
        ({}, "{}"),
        ([], "[]"),
        ((1, {"b": 1, "a": []}), '[\n  1,\n  {\n    "a": [],\n    "b": 1\n  }\n]'),
        (json_text.Record({"b": {"z": 1, "y": 2}, "a": 1}), '{\n  "b": {\n    "y": 2,\n    "z": 1\n  },\n  "a": 1\n}'),
    ],
)
def test_forms(value: object, printed: str) -> None:
    """Numbers, text and order are those of Go's encoder."""
    assert text(value) == printed + "\n"


def test_numbers_that_json_lacks() -> None:
    """Infinity can't be printed, and the error says so as Go does."""
    with pytest.raises(EstateError, match=r"json: unsupported value: \+Inf"):
        text({"a": float("inf")})


def test_masking_reaches_every_text() -> None:
    """Keys and values are masked, also where they are printed again."""
    secret = {"token": "s3cret", "s3cret": ["s3cret"]}
    assert "s3cret" not in text(
        {"a": {"b": {"c": {"d": {"e": secret, "f": secret, "g": secret}}}}}, lambda s: s.replace("s3cret", "***")
    )
