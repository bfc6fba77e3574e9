"""What a change of the schema means to clients: two schemas in, their differences out, each with its place.

A difference breaks, is dangerous (a client that takes every case for known may stumble), or was announced: what was deprecated, with the
day until which it would stay, and that day is over. Additions that nobody can stumble over aren't told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from graphql import (
    BreakingChange,
    BreakingChangeType,
    DangerousChange,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    find_schema_changes,
    get_named_type,
    is_specified_scalar_type,
)

from catalog.errors import Invalid

# The form of every reason: what to use instead, and until when the old stays.
REASON = re.compile(r"Use .+\. Removed after (\d{4}-\d{2}-\d{2})\.", re.DOTALL)

# How graphql-core's sentences name a place, the first that is found.
_PLACES = (
    re.compile(r"(@?\b\w+\.\w+(?:\(\w+:\))?|@\w+(?:\(\w+:\))?)"),
    re.compile(r"(?:union type|implemented by) (\w+)"),
    re.compile(r"^(\w+)"),
)
_REMOVALS = frozenset(
    {
        BreakingChangeType.TYPE_REMOVED,
        BreakingChangeType.FIELD_REMOVED,
        BreakingChangeType.ARG_REMOVED,
        BreakingChangeType.VALUE_REMOVED_FROM_ENUM,
        BreakingChangeType.TYPE_REMOVED_FROM_UNION,
    }
)


class Severity(StrEnum):
    """What a difference means to clients."""

    BREAKING = "breaking"
    DANGEROUS = "dangerous"
    ANNOUNCED = "announced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference: `place` is a schema coordinate such as `Query.team(slug:)`, `line` the line of it, in the old text where it is gone."""

    severity: Severity
    kind: str
    place: str
    message: str
    line: int | None
    gone: bool


def read(text: str, name: str) -> GraphQLSchema:
    """Return the schema that a text describes; raises Invalid with the place of what can't be read."""
    try:
        return build_schema(text)
    except GraphQLError as problem:
        line = f":{problem.locations[0].line}" if problem.locations else ""
        raise Invalid(f"{name}{line} is not a schema: {problem.message}") from problem
    except TypeError as problem:
        raise Invalid(f"{name} is not a schema: {problem}") from problem


def differences(before: GraphQLSchema, after: GraphQLSchema, today: date) -> list[Difference]:
    """Return what a client of `before` may feel of `after`: what breaks first, then what is dangerous, then what was announced."""
    kept = _kept(before, today)
    found = [
        _difference(change, before, after, kept)
        for change in find_schema_changes(before, after)
        if isinstance(change, (BreakingChange, DangerousChange)) and not change.description.startswith("Standard scalar")
    ]
    order = list(Severity)
    return sorted(found, key=lambda one: (order.index(one.severity), one.place, one.kind))


def undated(schema: GraphQLSchema) -> list[str]:
    """Return the places that are deprecated without saying what to use instead, and until which day they stay."""
    return [place for place, element in _elements(schema) if element.deprecation_reason and _until(element) is None]


def _difference(
    change: BreakingChange | DangerousChange, before: GraphQLSchema, after: GraphQLSchema, kept: frozenset[str]
) -> Difference:
    place = _place(change.description)
    old, new = _element(before, place), _element(after, place)
    shown = old if new is None else new
    node = getattr(getattr(shown, "ast_node", None), "name", None)
    return Difference(
        severity=_severity(change, kept),
        kind=change.type.name,
        place=place,
        message=change.description,
        line=node.loc.start_token.line if node is not None and node.loc else None,
        gone=new is None,
    )


def _severity(change: BreakingChange | DangerousChange, kept: frozenset[str]) -> Severity:
    if isinstance(change, DangerousChange):
        return Severity.DANGEROUS
    announced = change.type in _REMOVALS and _place(change.description) not in kept
    return Severity.ANNOUNCED if announced else Severity.BREAKING


def _place(sentence: str) -> str:
    """The coordinate that a sentence of graphql-core is about."""
    return next(found[1] for form in _PLACES if (found := form.search(sentence)))


def _kept(schema: GraphQLSchema, today: date) -> frozenset[str]:
    """Every place that clients may count on: reached from the roots by what isn't deprecated, or whose day isn't over."""
    roots = [kind for kind in (schema.query_type, schema.mutation_type, schema.subscription_type) if kind]
    places: set[str] = set()
    seen: set[str] = set()
    over: set[str] = set()
    ahead: list[GraphQLNamedType] = list(roots)
    while ahead:
        kind = ahead.pop()
        if kind.name in seen:
            continue
        seen.add(kind.name)
        ahead += _abstract(schema, kind)
        for place, element in _members(kind):
            if _over(element, today) or place.partition("(")[0] in over:
                over.add(place)
                continue
            places.add(place)
            if hasattr(element, "type"):
                ahead.append(get_named_type(element.type))
    return frozenset(places | seen)


def _abstract(schema: GraphQLSchema, kind: GraphQLNamedType) -> Iterable[GraphQLNamedType]:
    """What a value of a type may be besides, and what it is: members of a union, implementations, interfaces."""
    if isinstance(kind, GraphQLUnionType):
        return list(kind.types)
    if isinstance(kind, GraphQLInterfaceType):
        return [*schema.get_possible_types(kind), *kind.interfaces]
    return list(kind.interfaces) if isinstance(kind, GraphQLObjectType) else ()


def _over(element: Any, today: date) -> bool:
    """Whether something was deprecated and the day until which it stays is over."""
    until = _until(element)
    return until is not None and until < today


def _until(element: Any) -> date | None:
    told = REASON.fullmatch(element.deprecation_reason or "")
    try:
        return date.fromisoformat(told[1]) if told else None
    except ValueError:
        return None


def _elements(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    for kind in schema.type_map.values():
        if not kind.name.startswith("__") and not is_specified_scalar_type(kind):
            yield from _members(kind)


def _members(kind: GraphQLNamedType) -> Iterator[tuple[str, Any]]:
    """What of a type can be deprecated, by its coordinate: fields, their arguments, values."""
    if isinstance(kind, GraphQLEnumType):
        yield from ((f"{kind.name}.{name}", value) for name, value in kind.values.items())
    elif isinstance(kind, GraphQLInputObjectType):
        yield from ((f"{kind.name}.{name}", field) for name, field in kind.fields.items())
    elif isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
        for name, field in kind.fields.items():
            yield f"{kind.name}.{name}", field
            yield from ((f"{kind.name}.{name}({argument}:)", made) for argument, made in field.args.items())


def _element(schema: GraphQLSchema, place: str) -> Any:
    """What stands at a coordinate, None where nothing does."""
    name = place.partition(".")[0].partition("(")[0]
    if name.startswith("@"):
        return next((one for one in schema.directives if one.name == name[1:]), None)
    kind = schema.type_map.get(name)
    if kind is None or "." not in place:
        return kind
    return dict(_members(kind)).get(place)
