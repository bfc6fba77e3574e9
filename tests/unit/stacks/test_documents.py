"""YAML is read as Go's yaml.v3 reads it, with places."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from catalog.errors import EstateError
from catalog.stacks import documents, scalars


def value(text: str) -> object:
    return documents.load(text.encode(), "f.yaml").value


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("1", 1),
        ("+5", 5),
        ("1_000", 1000),
        ("0xFF", 255),
        ("0b11", 3),
        ("-0b11", -3),
        ("0o755", 493),
        ("0755", 493),
        ("08", 8.0),
        ("012345678901", 12345678901.0),
        ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", 18446744073709551616.0),
        ("-9223372036854775809", -9223372036854775809.0),
        ("1.0", 1.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        (".inf", math.inf),
        ("1e999", "1e999"),
        ("true", True),
        ("TRUE", True),
        ("yes", "yes"),
        ("off", "off"),
        ("~", None),
        ("Null", None),
        ("12:30:45", "12:30:45"),
        ("2024-02-30", "2024-02-30"),
        ("'1'", "1"),
        ("! 1", "1"),
        ("!!str 123", "123"),
        ("!!float 1", 1.0),
        ("!!int '5'", 5),
        ("!!binary aGVsbG8=", "hello"),
        ("!env FOO bar", "!env FOO bar"),
        ("!literal '!env FOO'", "!env FOO"),
        ("!env {a: 1}", {"a": 1}),
        ("!append [1]", {"__atmos_append__": [1]}),
        ("!append 1", 1),
        ("{a, b}", {"a": None, "b": None}),
        ("{1: x, true: y, 2.5: z}", {"1": "x", "true": "y", "2.5": "z"}),
    ],
)
def test_a_value_means_what_it_means_to_atmos(text: str, meaning: object) -> None:
    """Every scalar rule of the reference, tags and keys included."""
    found = value(f"a: {text}")
    assert found == {"a": meaning}
    assert type(found["a"]) is type(meaning)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-02", datetime(2024, 1, 2, tzinfo=UTC)),
        ("2024-1-2", datetime(2024, 1, 2, tzinfo=UTC)),
        ("2024-01-02T03:04:05Z", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2024-01-02T03:04:05.5+01:00", datetime(2024, 1, 2, 2, 4, 5, 500000, tzinfo=UTC)),
        ("2024-01-02 03:04:05", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_a_date_is_a_timestamp(text: str, moment: datetime) -> None:
    """Unquoted dates and times are objects of their own that keep their text."""
    document = documents.load(f"a: {text}".encode(), "f.yaml")
    assert document.value == {"a": scalars.Timestamp(text, moment)}
    assert document.has_timestamps


def test_merge_keys_bring_what_is_not_written() -> None:
    """Explicit keys win over `<<`, and of several merged maps the first wins."""
    text = "a: &a {k: 1, l: 1}\nb: &b {k: 2, m: 2}\nc: {<<: [*a, *b], l: 3}\n"
    assert value(text)["c"] == {"l": 3, "k": 1, "m": 2}


def test_only_the_first_document_counts() -> None:
    """What follows `---` is not even parsed."""
    assert value("a: 1\n---\nb: [") == {"a": 1}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_nothing_is_null(text: str) -> None:
    """An empty file has the value null."""
    assert value(text) is None


def test_places_tell_where_keys_and_items_are_written() -> None:
    """Keys and items are found by line and column, through anchors and merges too."""
    document = documents.load(b"a:\n- b: 1\n  c: &x {d: 2}\ne: *x\n", "f.yaml")
    assert str(document.location(["a", 0, "c"])) == "f.yaml:3:3"
    assert str(document.location(["e", "d"])) == "f.yaml:3:10"
    assert str(document.location([])) == "f.yaml:1:1"
    assert document.location(["a", 7]) is None


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", 'yaml: unmarshal errors:\n  line 3: mapping key "a" already defined at line 1', 3),
        ("a: !foo x", "unsupported YAML tag: '!foo' found in file 'f.yaml'. Supported tags are: !exec,", 1),
        ("a: {{ .x }}", "yaml: line 1: invalid map key", 1),
        ("a:\n\t- b", "yaml: line 2: found character that cannot start any token", 2),
        ("a: b: c", "yaml: mapping values are not allowed in this context", 1),
        ("x: &a [*a]", "anchor 'a' value contains itself", 1),
        ("x: *a", "unknown anchor 'a' referenced", 1),
        ("~: 1", "a map key is null", 1),
        ("a: {<<: 1}", "map merge requires map or sequence of maps as the value", 1),
        ("a: !!int x", "cannot decode `x` as a !!int", 1),
        ("a: " + "[" * 500, "nested deeper than", 1),
    ],
)
def test_malformed_text_is_an_error_with_its_place(text: str, words: str, line: int) -> None:
    """The message is the parser's, the location says where."""
    with pytest.raises(EstateError) as raised:
        documents.load(text.encode(), "f.yaml")
    assert words in raised.value.message
    assert raised.value.location.line == line
    assert raised.value.code == "YAML"


def test_aliases_cannot_explode() -> None:
    """A small text that unfolds into billions of values is refused at once."""
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]" for n in range(8)]
    with pytest.raises(EstateError, match="excessive aliasing"):
        documents.load("\n".join(lines).encode(), "f.yaml")


def test_bytes_that_are_no_text_are_an_error() -> None:
    """Invalid UTF-8 is reported, not guessed."""
    with pytest.raises(EstateError, match="UTF-8"):
        documents.load(b"a: \xff\n", "f.yaml")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (0.000001, "0.000001"),
        (1.2345678901234568e29, "1.2345678901234568e+29"),
        (-0.5, "-0.5"),
    ],
)
def test_floats_print_as_go_prints_them(number: float, text: str) -> None:
    """No trailing zero, exponents only where Go has them."""
    assert scalars.go_float(number) == text
