"""`where` → conditions. Absent is no condition, `eq: null` is null, any other operator with null is no condition."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Protocol

from graphql import GraphQLInputObjectType, get_named_type

from catalog.graph import periods, selectors
from catalog.graph.declarations import FILTERS, Filter, Kind
from catalog.graph.faults import bad_input
from catalog.graph.limits import MAX_LIST
from catalog.graph.tracing import Traced, Value, Variables, current, is_null
from catalog.store.selection import ALWAYS, All, AnyOf, Condition, Not, Op, Related, Slot, Test

_BACKREF = "strawberry-definition"
_TYPES = {"String": "text", "ID": "text", "Int": "int4", "Decimal": "numeric", "DateTime": "timestamptz", "Boolean": "bool"}
_DIGITS = 1_000  # an exponent beyond this is no amount of anything, and far beyond it Postgres gives up
_OPERATORS = {
    "eq": Op.EQ,
    "ne": Op.NE,
    "contains": Op.CONTAINS,
    "startsWith": Op.STARTS_WITH,
    "gt": Op.GT,
    "gte": Op.GTE,
    "lt": Op.LT,
    "lte": Op.LTE,
}


class Slots(Protocol):
    """Where values are registered that are bound later."""

    def slot(self, kind: str, read: Callable[[Variables], Any]) -> Slot:
        """Register how a run reads a value, and return its slot."""

    def depends(self, value: Value, shape: Callable[[Any], Any]) -> None:
        """Say that the statement depends on more of a value than variables show by themselves."""


def condition(slots: Slots, kind: GraphQLInputObjectType, given: Traced | None) -> Condition:
    """Return the condition of a filter."""
    if not isinstance(given, dict):
        return ALWAYS
    parts = [_field(slots, kind, name, value) for name, value in given.items()]
    return All(conditions=tuple(part for part in parts if part is not None))


def _field(slots: Slots, kind: GraphQLInputObjectType, name: str, value: Traced) -> Condition | None:
    if is_null(value):
        return None
    if name in {"and", "or"}:
        assert isinstance(value, list)
        listed = tuple(condition(slots, kind, item) for item in value)
        return All(conditions=listed) if name == "and" else AnyOf(conditions=listed)
    if name == "not":
        return Not(condition=condition(slots, kind, value))
    field = kind.fields[name]
    declared: Filter = field.extensions[_BACKREF].metadata[FILTERS]
    inner = get_named_type(field.type)
    made = _KINDS[declared.kind](slots, declared, inner, value)
    if made is None or made == ALWAYS:
        return None
    for relation in reversed(declared.path):
        made = Related(relation=relation, condition=made)
    return made


def _compared(slots: Slots, declared: Filter, kind: Any, given: Traced) -> Condition | None:
    assert isinstance(given, dict)
    tests: list[Condition] = []
    for name, value in given.items():
        assert isinstance(value, Value)
        if name == "isNull":
            if value.current is not None:
                tests.append(Test(column=declared.column, op=Op.IS_NULL if value.current else Op.NOT_NULL))
        elif value.current is None:
            if name == "eq":
                tests.append(Test(column=declared.column, op=Op.IS_NULL))
        else:
            sql = _TYPES[get_named_type(kind.fields[name].type).name]
            op, sql = (Op.IN, f"{sql}[]") if name == "in" else (_OPERATORS[name], sql)
            tests.append(Test(column=declared.column, op=op, slots=(slots.slot(sql, _reader(value)),)))
    return All(conditions=tuple(tests))


def _one_of(slots: Slots, declared: Filter, _kind: Any, given: Traced) -> Condition | None:
    # A list of enums is one value, whose shape the plan doesn't need: it is compared with a list.
    return Test(column=declared.column, op=Op.IN, slots=(slots.slot("text[]", _reader(given)),))


def _flag(slots: Slots, declared: Filter, _kind: Any, given: Traced) -> Condition | None:
    return Test(column=declared.column, op=Op.EQ, slots=(slots.slot("bool", _reader(given)),))


def _is(slots: Slots, declared: Filter, _kind: Any, given: Traced) -> Condition | None:
    return Test(column=declared.column, op=Op.EQ, slots=(slots.slot("text", _reader(given)),))


def _has(slots: Slots, declared: Filter, _kind: Any, given: Traced) -> Condition | None:
    return Test(column=declared.column, op=Op.HAS, slots=(slots.slot("text", _reader(given)),))


def _presence(_slots: Slots, declared: Filter, _kind: Any, given: Traced) -> Condition | None:
    return Test(column=declared.column, op=Op.NOT_NULL if current(given) else Op.IS_NULL)


def _nested(slots: Slots, _declared: Filter, kind: Any, given: Traced) -> Condition | None:
    return condition(slots, kind, given)


def _period(slots: Slots, declared: Filter, _kind: Any, given: Traced) -> Condition | None:
    first, over = (slots.slot("timestamptz", read) for read in periods.month_readers(given, "where"))
    return All(
        conditions=(
            Test(column=declared.column, op=Op.GTE, slots=(first,)),
            Test(column=declared.column, op=Op.LT, slots=(over,)),
        )
    )


def _selector(slots: Slots, declared: Filter, _kind: Any, given: Traced) -> Condition | None:
    assert isinstance(given, Value)
    slots.depends(given, lambda text: tuple(one.op for one in selectors.parse(text)))
    tests = []
    for place, requirement in enumerate(selectors.parse(given.current)):
        reads = _REQUIREMENTS[requirement.op]
        made = tuple(slots.slot(kind, _required(given, place, read)) for kind, read in reads)
        tests.append(Test(column=declared.column, op=requirement.op, slots=made))
    return All(conditions=tuple(tests))


def _json(slots: Slots, declared: Filter, _kind: Any, given: Traced) -> Condition | None:
    assert isinstance(given, dict)
    path, eq, absent = given["path"], given.get("eq"), given.get("isNull")
    assert isinstance(path, Value)
    steps = slots.slot("text[]", lambda variables: list(selectors.path(_text(path.read(variables)))))
    tests: list[Condition] = []
    if isinstance(absent, Value) and absent.current is not None:
        tests.append(Test(column=declared.column, op=Op.JSON_IS_NULL if absent.current else Op.JSON_NOT_NULL, slots=(steps,)))
    if isinstance(eq, Value) and eq.current is None:
        tests.append(Test(column=declared.column, op=Op.JSON_IS_NULL, slots=(steps,)))
    elif isinstance(eq, Value):
        value = slots.slot("jsonb", lambda variables: json_text(eq.read(variables)))
        holds = slots.slot("jsonb", lambda variables: _containment(path.read(variables), eq.read(variables)))
        tests.append(Test(column=declared.column, op=Op.JSON_EQ, slots=(steps, value, holds)))
    return All(conditions=tuple(tests))


_KINDS: Mapping[Kind, Callable[[Slots, Filter, Any, Traced], Condition | None]] = {
    Kind.TEXT: _compared,
    Kind.NUMBER: _compared,
    Kind.ONE_OF: _one_of,
    Kind.FLAG: _flag,
    Kind.IS: _is,
    Kind.HAS: _has,
    Kind.PRESENCE: _presence,
    Kind.NESTED: _nested,
    Kind.PERIOD: _period,
    Kind.SELECTOR: _selector,
    Kind.JSON: _json,
}
_REQUIREMENTS: Mapping[Op, tuple[tuple[str, Callable[[selectors.Requirement], Any]], ...]] = {
    Op.INCLUDES: (("jsonb", lambda one: json_text({one.key: one.values[0]})),),
    Op.KEY_IN: (("text", lambda one: one.key), ("text[]", lambda one: list(one.values))),
    Op.KEY_NOT_IN: (("text", lambda one: one.key), ("text[]", lambda one: list(one.values))),
    Op.KEY_EXISTS: (("text", lambda one: one.key),),
    Op.KEY_ABSENT: (("text", lambda one: one.key),),
}


# ── values on their way to Postgres ──────────────────────────────────────────────────────────────────────────────────


def sql_type(kind: Any) -> str:
    """Return the Postgres type that values of a GraphQL type are bound as."""
    return _TYPES.get(get_named_type(kind).name, "text")


def sendable(value: Any) -> Any:
    """Return a value as Postgres takes it; raises Rejected for what it can't hold."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Decimal) and not (value.is_finite() and abs(value.adjusted()) <= _DIGITS):
        raise bad_input(f"{value} is no amount")
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, (list, tuple)):
        if len(value) > MAX_LIST:
            raise bad_input(f"{len(value)} values in a list, at most {MAX_LIST} are allowed")
        return [sendable(item) for item in value]
    return value


def json_text(value: Any) -> str:
    """Return a value as JSON text that Postgres can hold; raises Rejected for one that it can't."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
    except ValueError as error:
        raise bad_input(f"{value!r} is no JSON value") from error
    if "\\u0000" in text:
        raise bad_input("a text can't contain the character NUL")
    return _text(text)


def _moment(value: datetime) -> datetime:
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise bad_input(f"{value.isoformat()} lies outside of the years 1 to 9999") from error


def _containment(path: str, value: Any) -> str | None:
    found = selectors.containment(_text(path), value)
    return None if found is None else json_text(found)


def _required(given: Value, place: int, read: Callable[[selectors.Requirement], Any]) -> Callable[[Variables], Any]:
    return lambda variables: read(selectors.parse(given.read(variables))[place])


def _reader(value: Traced) -> Callable[[Variables], Any]:
    assert isinstance(value, Value)
    return lambda variables: sendable(value.read(variables))


def _text(value: str) -> str:
    if "\x00" in value:
        raise bad_input("a text can't contain the character NUL")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise bad_input("a text contains half of a surrogate pair") from error
    return value
