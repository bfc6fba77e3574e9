"""What a component declares to depend on: the old style and the new one, and what a value of a wrong type costs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from catalog.errors import EstateError
from catalog.stacks import declarations
from catalog.stacks.declarations import Wanted

OLD = {"settings": {"depends_on": {1: {"component": "old", "stage": "dev", "file": "f", "folder": "d"}}}}


def new(**section: Any) -> dict[str, Any]:
    return {"dependencies": section, **OLD}


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        (new(components=[{"component": "a"}, {"name": "b", "stack": "s"}]), ["a", "b s"]),
        (new(components=[{"COMPONENT": "a", "Kind": "helmfile"}, None, {"kind": "file", "path": "p"}]), ["a"]),
        (new(components=[{"component": "a", "name": "b"}, {"name": "c"}]), ["a"]),
        (new(components=[{"component": "a", "name": "a"}]), ["a"]),
        (new(components=[{"kind": "folder"}, {"name": "b"}]), ["old"]),
        (new(components=[{"component": "a"}, "b"]), ["old"]),
        (new(components=[{"component": 1}]), ["old"]),
        (new(components={"a": 1}), ["old"]),
        (new(components=[{"component": "a"}], tools=["x"]), ["old"]),
        (new(components=[{"component": "a"}], tools={"x": 1}), ["old"]),
        (new(components=[{"component": "a"}], tools={"x": "1", "y": None}), ["a"]),
        (new(components=[{"component": "a"}], files=[1]), ["old"]),
        (new(components=[{"component": "a"}], folders="x"), ["old"]),
        (new(components=[{"component": "a"}], commands=["x"]), ["old"]),
        (new(components=[{"component": "a"}], workflows=[{}, None]), ["a"]),
        (new(components=None), ["old"]),
        ({"dependencies": "x", **OLD}, ["old"]),
        ({"settings": {"depends_on": {"a": None, "b": {"Component": "x"}}}}, ["", "x"]),
        ({"settings": {"depends_on": {"a": {"component": "x"}, "b": {"stage": 1}}}}, []),
        ({"settings": {"depends_on": {"a": {"component": "x"}, "b": "y"}}}, []),
        ({"settings": {"depends_on": ["x"]}}, []),
        ({"settings": {"depends_on": {"a": {"component": "x"}}, "spacelift": True}}, []),
        ({"settings": {"depends_on": {"a": {"component": "x"}}, "spacelift": None}}, ["x"]),
        ({"settings": "x"}, []),
        ({}, []),
    ],
)
def test_components_that_are_depended_on(entry: dict[str, Any], names: list[str]) -> None:
    """The new style counts before the old one, and a wrong value anywhere in either costs that whole section."""
    assert [f"{item.component} {item.stack}".rstrip() for item in declarations.components(entry)] == names


def test_the_old_style_has_a_context_and_the_new_one_none() -> None:
    """The context is what the entry says of the other component's variables."""
    assert declarations.components(OLD) == [Wanted(component="old", context=OLD["settings"]["depends_on"][1])]
    assert declarations.components(new(components=[{"component": "a", "stage": "dev"}])) == [Wanted(component="a")]


@pytest.mark.parametrize(
    ("entry", "paths"),
    [
        (new(components=[{"kind": "file", "path": "a"}, {"kind": "folder", "path": "b"}]), ["file a", "folder b"]),
        (new(files=["a", "", None, "a"], folders=["b"]), ["file a", "folder b"]),
        (new(components=[{"kind": "file", "path": "a"}], files=["c", "a"]), ["file a", "file c"]),
        (new(components=[{"kind": "file"}], files=["a"]), ["file f", "folder d"]),
        (new(files="a"), ["file f", "folder d"]),
        (OLD, ["file f", "folder d"]),
        ({"settings": {"depends_on": {"a": {"file": ""}}}}, []),
        ({"settings": None}, []),
        ({}, []),
    ],
)
def test_files_that_are_depended_on(entry: dict[str, Any], paths: list[str]) -> None:
    """Once each, entries before lists; where the new style names none or can't be read, the old one counts."""
    assert [f"{item.kind} {item.path}" for item in declarations.watched(entry)] == paths


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"stage": 1}, "'stage' expected type 'string', got unconvertible type 'int'"),
        ({"stage": True}, "'stage' expected type 'string', got unconvertible type 'bool'"),
        ({"Region": 1.5}, "'region' expected type 'string', got unconvertible type 'float64'"),
        ({"stage": {}}, "'stage' expected type 'string', got unconvertible type 'map[string]interface {}'"),
        ({"stage": [1]}, "'stage' expected type 'string', got unconvertible type '[]interface {}'"),
        ({"stage": datetime(2024, 1, 2, tzinfo=UTC)}, "'stage' expected type 'string', got unconvertible type 'time.Time'"),
        ({"attributes": "a"}, "'attributes' source data must be an array or slice, got string"),
        ({"attributes": {"a": 1}}, "'attributes' source data must be an array or slice, got map"),
    ],
)
def test_variables_of_a_wrong_type_are_refused(variables: dict[str, Any], words: str) -> None:
    """In the decoder's words, which name the variable and the type that it has."""
    with pytest.raises(EstateError) as raised:
        declarations.context(variables)
    assert raised.value.message == f"decoding failed due to the following error(s):\n\n{words}"


def test_the_context_is_made_of_the_variables_that_it_knows() -> None:
    """In any case of letters, the exact one first; null is nothing."""
    variables = {"STAGE": "x", "stage": "dev", "Tenant": "t", "region": None, "attributes": ["a"], "other": 1}
    assert declarations.context(variables) == {"stage": "dev", "tenant": "t", "attributes": ["a"]}
