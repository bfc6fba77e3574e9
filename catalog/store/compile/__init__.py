"""Selection → SQL: the compiler of reads. May import `records` and `store.selection`; knows no GraphQL.

The decision that shaped it: an operation becomes ONE statement that writes the response's JSON text itself, and every source is
entered through the rows that its viewer may see, so that no list, count, filter or edge can forget to ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog.records import Scope
from catalog.store.compile import cursors, sight
from catalog.store.compile.ordering import keys
from catalog.store.compile.source import Source, ToMany, ToOne
from catalog.store.compile.sources import BY_PREFIX, ROOTS, SOURCES
from catalog.store.compile.statement import Statement, listing, statement
from catalog.store.compile.text import MARK, SEPARATOR


def bind(compiled: Statement, values: Sequence[Any], scope: Scope) -> list[Any]:
    """Return the arguments of a statement: the operation's values and the viewer's, in the order of its placeholders."""
    viewer = sight.values(scope)
    return [
        viewer[parameter.viewer] if parameter.viewer is not None else values[parameter.slot or 0]
        for parameter in compiled.parameters
    ]


def target(relation: str, parent: str | None) -> str | None:
    """Return the source that a relation leads to, None when it shows a part of its row. `parent` of None: a root."""
    found = ROOTS.get(relation) if parent is None else SOURCES[parent].relations.get(relation)
    return found.target if isinstance(found, (ToOne, ToMany)) else None


def facet_target(source: str, by: str) -> str | None:
    """Return the source of the things that rows of a source are counted by, None when they are counted by plain values."""
    return SOURCES[source].facets[by].target


def key_types(relation: str, parent: str | None, order: tuple[tuple[str, bool], ...]) -> tuple[str, ...]:
    """Return the Postgres types of a list's sort keys: what a cursor of it holds. `parent` of None: a root."""
    found = ROOTS[relation] if parent is None else SOURCES[parent].relations[relation]
    return tuple(key.type for key in keys(found, SOURCES[found.target], order))  # type: ignore[arg-type,union-attr]


__all__ = [
    "BY_PREFIX",
    "MARK",
    "ROOTS",
    "SEPARATOR",
    "SOURCES",
    "Source",
    "Statement",
    "bind",
    "cursors",
    "facet_target",
    "key_types",
    "listing",
    "sight",
    "statement",
    "target",
]
