"""Laws of input schemas, on random variables written as Terraform code and read by the engine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from catalog.engines import hcl
from catalog.indexer import input_schema

WORDS = st.text(alphabet="abcxyz-_ 09", max_size=6)
NAMES = st.text(alphabet="abcdefg", min_size=1, max_size=3)
NUMBERS = st.integers(-1000, 1000) | st.decimals(-10, 10, places=2).map(float)


@dataclass(frozen=True)
class Kind:
    """A type constraint as it is written, and values that it takes."""

    text: str
    values: st.SearchStrategy[Any]


def scalar() -> st.SearchStrategy[Kind]:
    return st.sampled_from([Kind("string", WORDS), Kind("number", NUMBERS), Kind("bool", st.booleans())])


def made_of(inner: st.SearchStrategy[Kind]) -> st.SearchStrategy[Kind]:
    return st.one_of(
        inner.map(lambda kind: Kind(f"list({kind.text})", st.lists(kind.values | st.none(), max_size=3))),
        inner.map(lambda kind: Kind(f"set({kind.text})", st.lists(kind.values, max_size=3))),
        inner.map(lambda kind: Kind(f"map({kind.text})", st.dictionaries(NAMES, kind.values | st.none(), max_size=3))),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda kinds: Kind(
                f"tuple([{', '.join(kind.text for kind in kinds)}])", st.tuples(*(kind.values for kind in kinds)).map(list)
            )
        ),
        st.dictionaries(NAMES, st.tuples(inner, st.booleans()), max_size=3).map(object_of),
    )


def object_of(attributes: dict[str, tuple[Kind, bool]]) -> Kind:
    text = ", ".join(
        f"{name} = {f'optional({kind.text})' if optional else kind.text}" for name, (kind, optional) in attributes.items()
    )
    required = {name: kind.values | st.none() for name, (kind, optional) in attributes.items() if not optional}
    others = {name: kind.values | st.none() for name, (kind, optional) in attributes.items() if optional}
    return Kind(f"object({{ {text} }})", st.fixed_dictionaries(required, optional=others))


KINDS = st.recursive(scalar(), made_of, max_leaves=5)

CONDITIONS = st.sampled_from(
    [
        'contains(["a", "b"], var.x)', 'var.x == null || can(regex("^[[:alpha:]]+$", var.x))', "length(var.x) > 1", "length(var.x) <= 2",
        "var.x >= 0 && var.x < 5", "floor(var.x) == var.x", 'alltrue([for v in var.x : v != ""])', 'contains(keys(var.x), "a")',
        "length(distinct(var.x)) == length(var.x)", 'alltrue([for k, v in var.x : length(k) < 3 && can(regex("a", v))])', "can(cidrhost(var.x, 0))",
        '!contains(["a"], var.x)', 'lookup(var.x, "a", null) == null ? true : contains([1, 2], var.x["a"])', "var.x != var.y", "var.x.a > 3 || var.x.b == true",
        'try(startswith(var.x, "a"), false)', "alltrue(flatten([for o in var.x : [for i in o : i != null]]))",
    ]
)  # fmt: skip


def literal(value: Any) -> str:
    """A value as HCL; JSON is HCL but for what a template would read in texts."""
    return json.dumps(value)


@st.composite
def variables(draw: st.DrawFn) -> tuple[str, Any]:
    kind = draw(KINDS | st.just(Kind("any", WORDS | st.lists(NUMBERS, max_size=2) | st.dictionaries(NAMES, WORDS, max_size=2))))
    value = draw(st.none() | kind.values)
    lines = [f"type = {kind.text}"]
    if draw(st.booleans()):
        lines.append(f"default = {literal(value)}")
    lines += [f"{flag} = {draw(st.sampled_from(['true', 'false']))}" for flag in ("sensitive", "nullable") if draw(st.booleans())]
    lines += [f'validation {{\n condition = {draw(CONDITIONS)}\n error_message = "No."\n}}' for _ in range(draw(st.integers(0, 2)))]
    return "\n".join(lines), draw(kind.values)


def read(engine: hcl.HclEngine, body: str) -> tuple[hcl.Variable, dict[str, Any]]:
    module = engine.parse_module({"v.tf": f'variable "x" {{\n{body}\n}}\nvariable "y" {{}}\n'.encode()})
    return module.variables[0], input_schema.of_module(module)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=variables())
def test_every_schema_is_valid_and_accepts_the_default_that_it_states(hcl_engine: hcl.HclEngine, written: tuple[str, Any]) -> None:
    """Whatever a variable looks like, its schema is one, and what stands there as default holds."""
    _, schema = read(hcl_engine, written[0])

    Draft202012Validator.check_schema(schema)
    shown = schema["properties"]["x"]
    assert "default" not in shown or list(Draft202012Validator(shown).iter_errors(shown["default"])) == []


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=variables())
def test_a_variable_without_validations_keeps_its_default(hcl_engine: hcl.HclEngine, written: tuple[str, Any]) -> None:
    """Only a variable's own rules put its default aside: a type alone accepts every value of the type."""
    variable, schema = read(hcl_engine, written[0])
    free = not variable.validations and not variable.sensitive and (variable.nullable or variable.default is not None)

    assert not (free and variable.has_default) or "default" in schema["properties"]["x"]
    assert ("x" in schema["required"]) == (
        not variable.has_default or not ("default" in schema["properties"]["x"] or variable.sensitive)
    )


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=KINDS, data=st.data())
def test_a_type_accepts_each_of_its_values(hcl_engine: hcl.HclEngine, kind: Kind, data: st.DataObject) -> None:
    """The schema of a type takes every value of it that has no null among its elements."""
    variable, schema = read(hcl_engine, f"type = {kind.text}")
    value = data.draw(kind.values.filter(lambda value: not _has_null_elements(value)))

    taken = input_schema.converted(value, variable.type)
    assert list(Draft202012Validator(schema["properties"]["x"]).iter_errors(taken)) == []


def _has_null_elements(value: Any) -> bool:
    return "null" in json.dumps(value)


@given(kind=KINDS, data=st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_converting_twice_changes_nothing_more(hcl_engine: hcl.HclEngine, kind: Kind, data: st.DataObject) -> None:
    """A value as Terraform takes it is taken as it is."""
    variable, _ = read(hcl_engine, f"type = {kind.text}")
    once = input_schema.converted(
        data.draw(kind.values | st.text(max_size=5) | st.integers() | st.lists(st.booleans())), variable.type
    )

    assert input_schema.converted(once, variable.type) == once
