"""Statements whose text doesn't depend on an operation: a fragment with rules of visibility and arguments, made for one viewer's shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.records import Scope
from catalog.store.compile import sight
from catalog.store.compile.sources import SOURCES
from catalog.store.compile.statement import Statement
from catalog.store.compile.writing import Writing
from catalog.store.selection import Slot


def fixed(fragment: str, scope: Scope, arguments: Mapping[str, tuple[str, Any]]) -> tuple[Statement, list[Any]]:
    """Return the statement of a fragment and what it is bound with; `arguments` are (Postgres type, value) by name: `{arg_NAME}`."""
    writing = Writing(sight.of(scope), SOURCES)
    slots = tuple((name, Slot(number=number, type=kind)) for number, (name, (kind, _)) in enumerate(arguments.items()))
    sql = writing.fill(fragment, arguments=slots)
    viewer, values = sight.values(scope), [value for _, value in arguments.values()]
    bound = [viewer[one.viewer] if one.viewer is not None else values[one.slot or 0] for one in writing.parameters]
    return Statement(sql=sql, parameters=tuple(writing.parameters), faults=(), generic=False), bound
