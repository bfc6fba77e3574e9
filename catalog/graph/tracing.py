"""Arguments as traced values: what they are now, and how to read them again when only the variables have changed.

An input object becomes a dict of what it gives, a list of input objects a list; whatever else is one `Value`. So the compiler sees
the shape, and the statement only gets slots: documents that differ in literals, and runs that differ in variables, share a plan.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    print_ast,
    value_from_ast,
)

from catalog.graph.faults import bad_input
from catalog.graph.limits import MAX_OBJECTS

Variables = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Value:
    """A value: what it is in this run, and how any run reads it. `fixed`: the document itself says it."""

    current: Any
    read: Callable[[Variables], Any]
    fixed: bool = False


Traced = Value | dict[str, Any] | list[Any]
NULL = Value(None, lambda _variables: None, fixed=True)


def arguments(field: GraphQLField, node: FieldNode, variables: Variables) -> dict[str, Traced]:
    """Return what a field is given: absent arguments are left out unless they have a default."""
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    traced: dict[str, Traced] = {}
    for name, argument in field.args.items():
        found = trace(given[name], argument.type, variables) if name in given else None
        if found is None:
            found = _default(argument)
        if found is not None:
            traced[name] = found
    return traced


def trace(node: ValueNode, kind: GraphQLInputType, variables: Variables) -> Traced | None:
    """Return the traced value of a node, None when it is a variable that was left out; raises Rejected for one that can't stand there."""
    if isinstance(kind, GraphQLNonNull):
        _refuse_null(node, kind, variables)
        return trace(node, kind.of_type, variables)
    if isinstance(node, VariableNode):
        name = node.name.value
        return _of_variable(kind, variables[name], (name,)) if name in variables else None
    if isinstance(node, NullValueNode):
        return NULL
    if isinstance(get_named_type(kind), GraphQLInputObjectType):
        return _of_objects(node, kind, variables)
    if _has_variables(node):
        return Value(_evaluate(node, kind, variables), lambda known: _evaluate(node, kind, known))
    return _fixed(value_from_ast(node, kind))


def plain(traced: Traced | None, variables: Variables) -> Any:
    """Return what a traced value is in a run, as plain data."""
    match traced:
        case None:
            return None
        case Value():
            return traced.read(variables)
        case dict():
            return {name: plain(value, variables) for name, value in traced.items()}
        case _:
            return [plain(value, variables) for value in traced]


def is_fixed(traced: Traced) -> bool:
    """Whether the document itself says all of it."""
    match traced:
        case Value():
            return traced.fixed
        case dict():
            return all(is_fixed(value) for value in traced.values())
        case _:
            return all(is_fixed(value) for value in traced)


def current(traced: Traced | None) -> Any:
    """Return what a traced value is in this run; None for null and for absent."""
    return traced.current if isinstance(traced, Value) else traced


def is_null(traced: Traced | None) -> bool:
    """Whether a value is absent or null."""
    return traced is None or (isinstance(traced, Value) and traced.current is None)


def shape(kind: GraphQLInputType, value: Any) -> Hashable:
    """Return what of a variable's value decides the statement: null, absent fields, lengths of lists of objects, enums, Booleans."""
    if isinstance(kind, GraphQLNonNull):
        return shape(kind.of_type, value)
    if value is None:
        return None
    named = get_named_type(kind)
    if isinstance(kind, GraphQLList):
        if isinstance(named, (GraphQLInputObjectType, GraphQLEnumType)):
            return tuple(shape(kind.of_type, item) for item in value)
        return "[]"
    if isinstance(named, GraphQLInputObjectType):
        return tuple((name, shape(named.fields[name].type, inner)) for name, inner in value.items())
    if isinstance(named, GraphQLEnumType) or isinstance(value, bool):
        return str(value.value) if isinstance(value, Enum) else bool(value)
    return "."


def _default(argument: GraphQLArgument) -> Value | None:
    default = _default_value(argument)
    return None if default is Undefined else _fixed(default)


def _default_value(declared: Any) -> Any:
    """The default of an argument or of a field of an input, however graphql-core keeps it."""
    return declared.default_value


def _or_null(traced: Traced | None) -> Traced:
    return NULL if traced is None else traced


def _fixed(value: Any) -> Value:
    return Value(value, lambda _variables: value, fixed=True)


def _of_objects(node: ValueNode, kind: GraphQLInputType, variables: Variables) -> Traced:
    if isinstance(kind, GraphQLList):
        nodes = node.values if isinstance(node, ListValueNode) else (node,)
        return [_or_null(trace(item, kind.of_type, variables)) for item in nodes]
    assert isinstance(node, ObjectValueNode)
    named = get_named_type(kind)
    assert isinstance(named, GraphQLInputObjectType)
    given = {field.name.value: field.value for field in node.fields}
    traced: dict[str, Traced] = {}
    for name, field in named.fields.items():
        found = trace(given[name], field.type, variables) if name in given else None
        if found is None and _default_value(field) is not Undefined:
            found = _fixed(_default_value(field))
        if found is not None:
            traced[name] = found
    return traced


def _of_variable(kind: GraphQLInputType, value: Any, path: tuple[str | int, ...]) -> Traced:
    if isinstance(kind, GraphQLNonNull):
        return _of_variable(kind.of_type, value, path)
    named = get_named_type(kind)
    if value is not None and isinstance(named, GraphQLInputObjectType):
        if isinstance(kind, GraphQLList):
            if len(value) > MAX_OBJECTS:
                raise bad_input(f"{len(value)} values in a list, at most {MAX_OBJECTS} are allowed")
            return [_of_variable(kind.of_type, item, (*path, place)) for place, item in enumerate(value)]
        return {name: _of_variable(named.fields[name].type, inner, (*path, name)) for name, inner in value.items()}
    return Value(value, lambda variables: _at(variables, path))


def _at(variables: Variables, path: tuple[str | int, ...]) -> Any:
    found: Any = variables
    for step in path:
        found = found[step]
    return found


def _has_variables(node: ValueNode) -> bool:
    if isinstance(node, VariableNode):
        return True
    if isinstance(node, ListValueNode):
        return any(_has_variables(item) for item in node.values)
    return isinstance(node, ObjectValueNode) and any(_has_variables(field.value) for field in node.fields)


def _evaluate(node: ValueNode, kind: GraphQLInputType, variables: Variables) -> Any:
    value = value_from_ast(node, kind, dict(variables))
    if value is Undefined:
        raise bad_input(f"{print_ast(node)} is no {kind} with these variables")
    return value


def _refuse_null(node: ValueNode, kind: GraphQLNonNull[Any], variables: Variables) -> None:
    """A variable with a default may stand where null may not; given as null, it asks for nothing that could be answered."""
    if isinstance(node, VariableNode) and variables.get(node.name.value, ...) is None:
        raise bad_input(f"the variable ${node.name.value} is null where {kind} is needed")
