"""Parameters are checked against the component's input schema, in sentences that a person can act on."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.provisioning import parameters

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "enabled": {"type": "boolean"},
        "name": {"type": "string"},
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        "cidr": {"type": ["string", "null"], "x-format": "cidr"},
        "size": {"type": "string", "enum": ["small", "large"], "x-messages": ["Must be small or large."]},
        "count": {"type": "integer", "minimum": 1, "x-messages": ["At least one.", "Whole numbers only."]},
        "password": {"type": "string", "writeOnly": True, "x-sensitive": True},
        "subnets": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"zone": {"type": "string"}, "public": {"type": "boolean"}},
                "required": ["zone", "public"],
            },
        },
    },
    "required": ["name"],
    "additionalProperties": False,
}


def messages(given: dict[str, Any], **options: bool) -> list[str]:
    return [problem.message for problem in parameters.validate(SCHEMA, given, **options)]


def test_values_that_hold_give_no_problems() -> None:
    """A request with values of the right shape passes, whatever it leaves out."""
    given = {"enabled": False, "tags": {"team": "a"}, "cidr": None, "subnets": [{"zone": "a", "public": True, "extra": 1}]}

    assert messages(given) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tags": {"team": 5}}, "tags.team: 5 is not of type 'string'"),
        ({"enabled": "true"}, "enabled: \"true\" is not of type 'boolean'"),
        ({"cidr": 1}, "cidr: 1 is not of type 'string' or 'null'"),
        ({"cidr": "10.0.0.0"}, 'cidr: "10.0.0.0" is not an address range such as 10.0.0.0/16'),
        ({"cidr": "10.0.0.0/33"}, 'cidr: "10.0.0.0/33" is not an address range such as 10.0.0.0/16'),
        ({"size": "huge"}, 'size: "huge" is refused: Must be small or large.'),
        ({"count": 0}, "count: 0 is less than the minimum of 1"),
        ({"subnets": [{"zone": "a", "public": 1}]}, "subnets.0.public: 1 is not of type 'boolean'"),
        ({"tag": {}}, "tag: the component has no such variable; did you mean 'tags'?"),
        ({"qqq": 1}, "qqq: the component has no such variable"),
        ({"tags": None}, "tags: null is not of type 'object'"),
    ],
)
def test_each_problem_is_a_sentence_with_its_path(given: dict[str, Any], message: str) -> None:
    """The message says where, what was given and what was wanted."""
    assert messages(given) == [message]


def test_every_missing_attribute_is_named_once() -> None:
    """Nested required attributes are told one by one, with their path."""
    found = parameters.validate(SCHEMA, {"subnets": [{}]})

    assert [(problem.path, problem.message) for problem in found] == [
        (("subnets", "0", "zone"), "subnets.0.zone: is required"),
        (("subnets", "0", "public"), "subnets.0.public: is required"),
    ]


def test_required_variables_may_come_from_the_stack() -> None:
    """A request changes what it names; only a complete set must hold every required variable."""
    assert messages({}) == []
    assert messages({}, complete=True) == ["name: is required"]


@pytest.mark.parametrize("literal", ["hunter2", {"$ref": ""}, {"$ref": 5}, {"$ref": "a", "b": "c"}, ["hunter2"], 5])
def test_a_literal_for_a_sensitive_variable_is_refused_without_repeating_it(literal: Any) -> None:
    """A secret can't reach Git through a request, nor the log through the refusal."""
    (message,) = messages({"password": literal})

    assert message.startswith("password: is sensitive, so its value must be a reference")
    assert "hunter2" not in message


def test_a_reference_for_a_sensitive_variable_is_accepted() -> None:
    """A reference names where the secret lies, and may stand in Git."""
    assert messages({"password": {"$ref": "vault:db/password"}}) == []


def test_code_that_is_not_read_yet_takes_anything_but_literal_secrets() -> None:
    """While a component's inputs are unknown, possible secrets are protected all the same."""
    schema = {"type": "object", "properties": {"token": {"writeOnly": True, "x-sensitive": True}}, "x-pending": True}

    assert parameters.validate(schema, {"anything": 1}) == ()
    assert [problem.path for problem in parameters.validate(schema, {"token": "literal"})] == [("token",)]


def test_a_component_without_code_takes_anything() -> None:
    """Where there is no schema there is nothing to hold against it."""
    assert parameters.validate({}, {"a": {"b": 1}}) == ()


def test_long_values_are_shortened() -> None:
    """A message stays readable whatever was sent."""
    (message,) = messages({"enabled": "x" * 5000})

    assert len(message) < 120
