"""The checker of JSON Schema: the same verdict as the library, and failures in the words of Atmos' validator."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from catalog.errors import EstateError
from catalog.stacks import json_schema, schema
from catalog.stacks.json_schema import compiled, foreign

VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 3),
        st.sampled_from([0.5, 1.0, 2.5]),
        st.sampled_from(["", "a", "ab", "x1", "!include f"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "ab", "x1"]), inner, max_size=3)
    ),
    max_leaves=6,
)
SCHEMAS = st.deferred(
    lambda: st.one_of(
        st.booleans(),
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(
                    ["object", "array", "string", "boolean", "number", "integer", "null", ["string", "object"]]
                ),
                "enum": st.lists(VALUES, min_size=1, max_size=3),
                "const": VALUES,
                "minimum": st.integers(-2, 2),
                "exclusiveMaximum": st.integers(-2, 2),
                "multipleOf": st.sampled_from([1, 0.5, 2]),
                "minLength": st.integers(0, 2),
                "maxLength": st.integers(0, 2),
                "pattern": st.sampled_from(["^a", "b$", "^!include", "[0-9]"]),
                "minItems": st.integers(0, 2),
                "maxItems": st.integers(0, 2),
                "uniqueItems": st.booleans(),
                "items": SCHEMAS,
                "prefixItems": st.lists(SCHEMAS, min_size=1, max_size=2),
                "contains": SCHEMAS,
                "minContains": st.integers(0, 2),
                "required": st.lists(st.sampled_from(["a", "b"]), unique=True),
                "properties": st.dictionaries(st.sampled_from(["a", "b"]), SCHEMAS, max_size=2),
                "patternProperties": st.dictionaries(st.sampled_from(["^a", "1$"]), SCHEMAS, max_size=2),
                "additionalProperties": SCHEMAS,
                "propertyNames": SCHEMAS,
                "minProperties": st.integers(0, 2),
                "maxProperties": st.integers(0, 2),
                "dependentRequired": st.just({"a": ["b"]}),
                "dependentSchemas": st.dictionaries(st.just("a"), SCHEMAS, max_size=1),
                "unevaluatedProperties": SCHEMAS,
                "not": SCHEMAS,
                "allOf": st.lists(SCHEMAS, min_size=1, max_size=2),
                "anyOf": st.lists(SCHEMAS, min_size=1, max_size=2),
                "oneOf": st.lists(SCHEMAS, min_size=1, max_size=2),
                "if": SCHEMAS,
                "then": SCHEMAS,
                "else": SCHEMAS,
                "$ref": st.sampled_from(["#/$defs/d", "#/$defs/e"]),
            },
        ),
    )
)


@settings(max_examples=150, deadline=None)
@given(SCHEMAS, SCHEMAS, VALUES)
def test_the_verdict_is_the_librarys(part, other, value):
    """Whatever the schema, a value passes here where it passes there."""
    document = {"allOf": [part], "$defs": {"d": other, "e": {"type": "string"}}}
    if _refers_to_itself(other):
        return
    assert (compiled(document)(value) is None) == Draft202012Validator(document).is_valid(value)


def _refers_to_itself(part):
    return "#/$defs/d" in json.dumps(part)


@pytest.mark.parametrize(
    ("rules", "value", "told"),
    [
        ({"type": "object"}, [1], ["expected object, but got array"]),
        ({"type": ["integer", "null"]}, 1.5, ["expected integer or null, but got number"]),
        ({"required": ["a", "b'c"]}, {}, ["missing properties: 'a', 'b\\'c'"]),
        (
            {"additionalProperties": False, "properties": {"a": True}},
            {"b": 1, "c": 2},
            ["additionalProperties 'b', 'c' not allowed"],
        ),
        ({"enum": ["x", 1, True, None]}, "y", ['value must be one of "x", "1", true, <nil>']),
        ({"enum": ["x"]}, "y", ['value must be "x"']),
        ({"enum": [{}]}, "y", ["enum failed"]),
        ({"const": "a"}, "b", ['value must be "a"']),
        ({"pattern": "^a"}, "b", ["does not match pattern '^a'"]),
        ({"minLength": 3}, "b", ["length must be >= 3, but got 1"]),
        ({"minimum": 2, "maximum": 0.5}, 1, ["", "must be >= 2 but found 1", "must be <= 0.5 but found 1"]),
        ({"exclusiveMinimum": 0}, 0, ["must be > 0 but found 0"]),
        ({"multipleOf": 2}, 3, ["3 not multipleOf 2"]),
        ({"minItems": 2}, [1], ["minimum 2 items required, but found 1 items"]),
        ({"uniqueItems": True}, [1, {"a": [2]}, {"a": [2.0]}], ["items at index 1 and 2 are equal"]),
        ({"prefixItems": [True], "items": False}, [1, 2], ["only 1 items are allowed, but found 2 items"]),
        ({"contains": {"type": "null"}}, [], ["valid must be >= 1, but got 0"]),
        ({"minProperties": 1}, {}, ["minimum 1 properties allowed, but found 0 properties"]),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, ["property 'b' is required, if 'a' property exists"]),
        ({"not": {"type": "null"}}, None, ["not failed"]),
        ({"oneOf": [True, {}]}, 1, ["valid against schemas at indexes 0 and 1"]),
        ({"anyOf": [{"type": "null"}, False]}, 1, ["anyOf failed", "expected null, but got number", "not allowed"]),
        ({"allOf": [{"type": "null"}]}, 1, ["allOf failed", "expected null, but got number"]),
        ({"if": {"type": "number"}, "then": {"minimum": 5}}, 1, ["if-then failed", "must be >= 5 but found 1"]),
        ({"if": {"type": "null"}, "else": {"minimum": 5}}, 1, ["if-else failed", "must be >= 5 but found 1"]),
        ({"const": [1]}, [2], ["const failed"]),
        ({"const": None}, 1, ["value must be <nil>"]),
        ({"const": 'a"\n\x01é'}, "b", ['value must be "a\\"\\n\\x01é"']),
        ({"pattern": "^\u200b\U000e0001'\"$"}, "b", ["does not match pattern '^\\u200b\\U000e0001\\'\"$'"]),
        ({"maxLength": 1}, "ab", ["length must be <= 1, but got 2"]),
        ({"maxItems": 1}, [1, 2], ["maximum 1 items required, but found 2 items"]),
        ({"maxProperties": 1}, {"a": 1, "b": 2}, ["maximum 1 properties allowed, but found 2 properties"]),
        ({"exclusiveMaximum": 2.5}, 2.5, ["must be < 2.5 but found 2.5"]),
        ({"multipleOf": 0.1}, 0.25, ["0.25 not multipleOf 0.1"]),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, ["length must be <= 1, but got 2"]),
        ({"contains": {"type": "null"}, "maxContains": 1}, [None, None], ["valid must be <= 1, but got 2"]),
        (
            {"contains": {"type": "null"}, "minContains": 2},
            [None, 1],
            ["valid must be >= 2, but got 1", "expected null, but got number"],
        ),
        ({"dependentSchemas": {"a": {"required": ["b"]}}}, {"a": 1}, ["missing properties: 'b'"]),
        ({"patternProperties": {"^a": {"type": "null"}}}, {"ab": 1}, ["expected null, but got number"]),
        ({"additionalProperties": {"type": "null"}}, {"x": 1}, ["expected null, but got number"]),
        (
            {"oneOf": [{"type": "integer"}, {"type": "null"}]},
            1.5,
            ["oneOf failed", "expected integer, but got number", "expected null, but got number"],
        ),
        ({"uniqueItems": True}, [True, 1, [1], [1, 2], [1]], ["items at index 2 and 4 are equal"]),
        ({"uniqueItems": True}, [{"a": 1}, {"b": 1}, {"a": True}, {"a": 1.0}], ["items at index 0 and 3 are equal"]),
    ],
)
def test_failures_are_told_in_the_validators_words(rules, value, told):
    """Each keyword has its words; several failures of one value are held together by an empty one."""
    failure = compiled({"allOf": [rules]})(value)
    assert [each.message for each in failure.flat()][2:] == told


def test_paths_lead_to_the_value():
    """A failure knows where it stands, below references and alternatives too."""
    rules = {"properties": {"a": {"items": {"$ref": "#/$defs/x"}}}, "$defs": {"x": {"properties": {"b": {"type": "null"}}}}}
    last = list(compiled(rules)({"a": [{}, {"b": 1}]}).flat())[-1]
    assert (last.path, last.message) == (("a", 1, "b"), "expected null, but got number")


def test_older_drafts_are_read():
    """Lists of items, dependencies, `definitions` and exclusive bounds are understood as the older drafts wrote them."""
    rules = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "definitions": {"n": {"minimum": 1, "exclusiveMinimum": True}},
        "properties": {"a": {"$ref": "#/definitions/n"}, "l": {"items": [{"type": "null"}], "additionalItems": False}},
        "dependencies": {"a": ["l"]},
    }
    check = foreign(rules, careful=False)
    assert check({"a": 2, "l": [None]}) is None
    assert [each.message for each in check({"a": 1}).flat()][-2:] == [
        "must be > 1 but found 1",
        "property 'l' is required, if 'a' property exists",
    ]
    assert check({"l": [None, 1]}) is not None


@pytest.mark.parametrize("rules", [{"type": "none"}, {"pattern": "("}, {"$ref": "#/nowhere"}, {"$ref": "other.json"}, 5])
def test_what_is_no_schema_is_refused(rules):
    """A schema that can't be used is an error, before anything is checked by it."""
    with pytest.raises(EstateError):
        foreign(rules, careful=True)


@pytest.mark.parametrize(
    ("reference", "definitions"),
    [
        ("#", {}),
        ("#/$defs/a~1b~0c%20d", {"a/b~c d": {"type": "object"}}),
        ("#/$defs/list/anyOf/1", {"list": {"anyOf": [True, {"type": "object"}]}}),
        ("#here", {"deep": {"allOf": [{"$anchor": "other"}, {"$anchor": "here", "type": "object"}]}}),
        ("https://own.example/s#/$defs/n", {"n": {"type": "object"}}),
    ],
)
def test_references_reach_every_part_of_the_document(reference, definitions):
    """By pointer, with its escapes and numbers, by anchor, by the document's own name, and the document as a whole."""
    rules = {
        "$id": "https://own.example/s",
        "type": "object",
        "properties": {"p": {"$ref": reference}},
        "$defs": definitions,
    }
    check = foreign(rules, careful=False)
    assert check({"p": {}}) is None
    last = list(check({"p": 1}).flat())[-1]
    assert (last.path, last.message) == (("p",), "expected object, but got number")


@pytest.mark.parametrize("reference", ["#/$defs/list/anyOf/7", "#/$defs/list/anyOf/x", "#/type/0", "#nowhere"])
def test_references_that_lead_nowhere_are_refused(reference):
    """Before anything is checked, and by name."""
    rules = {"type": "object", "$defs": {"list": {"anyOf": [True]}}, "properties": {"p": {"$ref": reference}}}
    with pytest.raises(EstateError, match=f"jsonschema: {re.escape(reference)} not found"):
        foreign(rules, careful=False)


def test_a_pattern_s_end_is_the_end_of_the_text():
    """As Go has it: a last line end is one character more; an escaped dollar is a dollar."""
    assert compiled({"pattern": "^a$"})("a") is None
    assert compiled({"pattern": "^a$"})("a\n") is not None
    assert compiled({"pattern": r"a\$"})("a$") is None


def test_formats_count_in_older_drafts_alone():
    """There a format is a rule; since then it is a remark."""
    rules = {"properties": {"ip": {"format": "ipv4"}}}
    assert foreign(rules, careful=False)({"ip": "1.2.3"}) is None
    check = foreign({"$schema": "http://json-schema.org/draft-07/schema#", **rules}, careful=False)
    assert check({"ip": "1.2.3.4"}) is None
    assert list(check({"ip": "1.2.3"}).flat())[-1].message == "'1.2.3' is not valid 'ipv4'"


def test_keys_that_aren_t_allowed_are_named_beside_those_that_are():
    """Whoever shows the failure can propose one."""
    failure = list(compiled({"additionalProperties": False, "properties": {"name": True}})({"nam": 1}).flat())[-1]
    assert (failure.keys, failure.known) == (("nam",), ("name",))


def test_hostile_patterns_cost_nothing_where_care_is_taken():
    """A pattern that backtracks without end counts as matching; harmless ones are still looked at."""
    slow = foreign({"pattern": "^(a+)+$"}, careful=True)
    assert slow("a" * 10_000 + "!") is None
    assert foreign({"pattern": "^[a-z]+$"}, careful=True)("A") is not None
    assert foreign({"pattern": ".*.*.*x"}, careful=True)("a" * 100_000) is None


def test_our_manifest_schema_is_one():
    """The manifest schema is valid JSON Schema, and every part that it refers to is there."""
    document = schema.document()
    Draft202012Validator.check_schema(document)
    assert json_schema.foreign(document, careful=False)({}) is None
    text = json.dumps(document)
    assert all(f'"#/$defs/{name}"' in text for name in document["$defs"] if name not in ("included", "pieces"))
