"""Variables become JSON Schema: exact types, and of validations what can be said in JSON Schema."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from catalog.engines import hcl
from catalog.indexer import input_schema


def schema_of(engine: hcl.HclEngine, body: str) -> dict[str, Any]:
    module = engine.parse_module({"variables.tf": f'variable "x" {{\n{body}\n}}\n'.encode()})
    assert module.problems == ()
    return input_schema.of_module(module)


def property_of(engine: hcl.HclEngine, body: str) -> dict[str, Any]:
    schema = schema_of(engine, body)
    Draft202012Validator.check_schema(schema)
    return {keyword: value for keyword, value in schema["properties"]["x"].items() if keyword != "x-terraform-type"}


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("string", {"type": "string"}),
        ("number", {"type": "number"}),
        ("bool", {"type": "boolean"}),
        ("any", {}),
        ("list(string)", {"type": "array", "items": {"type": "string"}}),
        ("set(number)", {"type": "array", "items": {"type": "number"}, "uniqueItems": True}),
        ("map(list(bool))", {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "boolean"}}}),
        (
            "tuple([string, number])",
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "minItems": 2, "maxItems": 2},
        ),
        (
            "object({ a = string, b = optional(number, 3) })",
            {
                "type": "object",
                "properties": {"a": {"type": ["string", "null"]}, "b": {"type": ["number", "null"], "default": 3}},
                "required": ["a"],
            },
        ),
    ],
)
def test_each_type_has_its_schema(hcl_engine: hcl.HclEngine, type_: str, expected: dict[str, Any]) -> None:
    """Every Terraform type constraint maps to the JSON Schema of the values that it takes."""
    assert property_of(hcl_engine, f"type = {type_}") == expected


def test_variables_without_default_are_required_and_others_show_theirs(hcl_engine: hcl.HclEngine) -> None:
    """A form knows what must be filled in and what stands there otherwise."""
    module = hcl_engine.parse_module(
        {"v.tf": b'variable "a" {\n type = string\n}\nvariable "b" {\n type = string\n default = "x"\n description = "B."\n}\n'}
    )

    schema = input_schema.of_module(module)

    assert (schema["$schema"], schema["required"], schema["additionalProperties"]) == (input_schema.DIALECT, ["a"], False)
    assert schema["properties"]["b"] == {"type": "string", "description": "B.", "x-terraform-type": "string", "default": "x"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("type = string\n default = null", ["string", "null"]),
        ("type = string\n default = null\n nullable = false", "string"),
        ('type = string\n default = "a"', "string"),
    ],
)
def test_null_is_allowed_where_it_is_the_default(hcl_engine: hcl.HclEngine, body: str, expected: Any) -> None:
    """Null is a value of a nullable variable whose default it is, and of no other."""
    assert property_of(hcl_engine, body)["type"] == expected


def test_a_sensitive_variable_shows_no_default(hcl_engine: hcl.HclEngine) -> None:
    """A secret's default never leaves the code, and forms don't read the value back."""
    found = property_of(hcl_engine, 'type = string\n sensitive = true\n default = "hunter2"')

    assert found == {"type": "string", "writeOnly": True, "x-sensitive": True}


@pytest.mark.parametrize(
    ("body", "default"),
    [
        ('type = list(number)\n default = ["1", 2.5]', [1, 2.5]),
        ("type = map(string)\n default = { a = 1, b = true, c = 1.5 }", {"a": "1", "b": "true", "c": "1.5"}),
        ('type = object({ a = bool })\n default = { a = "true", extra = 1 }', {"a": True}),
        ('type = tuple([string, number])\n default = [1, "2"]', ["1", 2]),
        ('type = set(string)\n default = ["a", "b", "a"]', ["a", "b"]),
        ("type = map(number)\n default = { a = null }", {"a": None}),
        ("type = list(object({ a = optional(map(string), { k = null }) }))\n default = [{}]", [{}]),
        ("type = any\n default = { a = [1, null] }", {"a": [1, None]}),
        ("default = 5", 5),
    ],
)
def test_a_default_stands_as_terraform_takes_it(hcl_engine: hcl.HclEngine, body: str, default: Any) -> None:
    """A default is converted to the variable's type, and the schema accepts it, nulls within it included."""
    found = property_of(hcl_engine, body)

    assert (found["default"], list(Draft202012Validator(found).iter_errors(default))) == (default, [])


@pytest.mark.parametrize(
    "body",
    [
        'type = map(string)\n default = {}\n validation {\n condition = contains(keys(var.x), "Environment")\n error_message = "No."\n}',
        'type = list(string)\n default = []\n validation {\n condition = length(var.x) > 0\n error_message = "No."\n}',
        "type = string\n default = null\n nullable = false",
    ],
)
def test_a_default_that_its_own_variable_refuses_is_none(hcl_engine: hcl.HclEngine, body: str) -> None:
    """Terraform refuses such a default when it plans, so a form asks for a value."""
    schema = schema_of(hcl_engine, body)

    assert ("default" in schema["properties"]["x"], schema["required"]) == (False, ["x"])


def test_a_deprecated_variable_says_what_to_do_instead(hcl_engine: hcl.HclEngine) -> None:
    """Forms can hide what is deprecated, and people read why."""
    found = property_of(hcl_engine, 'type = string\n deprecated = "Use y."')

    assert found == {"type": "string", "deprecated": True, "x-deprecated": "Use y."}


@pytest.mark.parametrize(
    ("type_", "condition", "keywords"),
    [
        ("string", 'contains(["a", "b"], var.x)', {"type": "string", "enum": ["a", "b"]}),
        ("string", 'var.x == "a" || var.x == "b"', {"type": "string", "enum": ["a", "b"]}),
        ("string", 'can(regex("^[a-z]+$", var.x))', {"type": "string", "pattern": "^[a-z]+$"}),
        (
            "string",
            'can(regex("\\\\A[[:alpha:]][[:alnum:]_]*\\\\z", var.x))',
            {"type": "string", "pattern": "^[A-Za-z][0-9A-Za-z_]*$"},
        ),
        ("string", 'can(regex("^(?P<env>dev|prod)$", var.x))', {"type": "string", "pattern": "^(dev|prod)$"}),
        ("string", "can(cidrnetmask(var.x))", {"type": "string", "x-format": "cidr"}),
        ("string", "length(var.x) >= 3 && length(var.x) < 10", {"type": "string", "minLength": 3, "maxLength": 9}),
        ("list(string)", "length(var.x) > 0", {"type": "array", "items": {"type": "string"}, "minItems": 1}),
        ("number", "var.x >= 1 && var.x < 9 && floor(var.x) == var.x", {"type": "integer", "minimum": 1, "exclusiveMaximum": 9}),
        ("string", 'var.x != ""', {"type": "string", "not": {"enum": [""]}}),
        (
            "string",
            'var.x == null || can(regex("^a", var.x))',
            {"type": "string", "pattern": "^a"},
        ),
        (
            "map(string)",
            'alltrue([for k, v in var.x : can(regex("^[A-Z]", k))]) && contains(keys(var.x), "Team")',
            {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "propertyNames": {"pattern": "^[A-Z]"},
                "required": ["Team"],
            },
        ),
        (
            "list(object({ zone = string }))",
            'alltrue([for s in var.x : contains(["a", "b"], s.zone)])',
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"zone": {"type": ["string", "null"], "enum": ["a", "b"]}},
                    "required": ["zone"],
                },
            },
        ),
        (
            "string",
            'can(regex("^a", var.x)) && can(regex("z$", var.x))',
            {"type": "string", "pattern": "^a", "allOf": [{"pattern": "z$"}]},
        ),
        (
            "map(string)",
            'var.x.team == "a"',
            {"type": "object", "additionalProperties": {"type": "string"}, "allOf": [{"properties": {"team": {"enum": ["a"]}}}]},
        ),
    ],
)
def test_validations_that_translate_become_keywords(
    hcl_engine: hcl.HclEngine, type_: str, condition: str, keywords: dict[str, Any]
) -> None:
    """A validation in a common idiom is a keyword of the schema, with its message kept for people."""
    found = property_of(hcl_engine, f'type = {type_}\nvalidation {{\n condition = {condition}\n error_message = "Not so."\n}}')

    assert found.pop("x-messages") == ["Not so."]
    assert {**found, "type": found["type"] if found["type"] != ["string", "null"] else "string"} == keywords


@pytest.mark.parametrize(
    ("type_", "condition"),
    [
        ("string", 'can(regex("(?i)^prod", var.x))'),
        ("string", 'can(regex("^[[:^alpha:]]+$", var.x))'),
        ("string", "var.x != upper(var.x)"),
        ("any", "length(var.x) > 0"),
        ("number", "var.x > var.y"),
    ],
)
def test_other_validations_are_kept_for_terraform_to_judge(hcl_engine: hcl.HclEngine, type_: str, condition: str) -> None:
    """What JSON Schema can't say stands in the schema as text and refuses nothing."""
    found = property_of(hcl_engine, f'type = {type_}\nvalidation {{\n condition = {condition}\n error_message = "Not so."\n}}')

    assert found.pop("x-terraform-validation") == [{"condition": condition, "error_message": "Not so."}]
    assert found == input_schema.of_type({"kind": type_})


def test_a_condition_that_is_understood_in_part_gives_that_part(hcl_engine: hcl.HclEngine) -> None:
    """Half a condition is better than none, and stays marked as half."""
    found = property_of(
        hcl_engine, 'type = number\nvalidation {\n condition = var.x > 0 && var.x > var.y\n error_message = "No."\n}'
    )

    assert found["exclusiveMinimum"] == 0
    assert found["x-terraform-validation"][0]["condition"] == "var.x > 0 && var.x > var.y"


def test_null_beside_an_enumeration_is_one_of_its_values(hcl_engine: hcl.HclEngine) -> None:
    """`null or one of` takes null."""
    found = property_of(
        hcl_engine,
        'type = string\n default = null\nvalidation {\n condition = var.x == null ? true : contains(["a"], var.x)\n error_message = "No."\n}',
    )

    assert (found["type"], found["enum"]) == (["string", "null"], ["a", None])


def test_unread_code_has_an_open_schema_that_marks_possible_secrets() -> None:
    """Before the code is parsed everything is allowed, but what may be secret is known."""
    assert input_schema.of_unread({"password"}, pending=True) == {
        "$schema": input_schema.DIALECT,
        "type": "object",
        "properties": {"password": {"writeOnly": True, "x-sensitive": True}},
        "x-pending": True,
    }
