"""Runs an operation with computed fields: statements in, the response's bytes out.

The text of a statement holds places that name a computed field and a row. Each field is worked out once for all its rows, what the
values name of the catalog is read in one statement for each path (which may hold places again), and the texts are put in. Faults of
all the statements become marks of one response, so that a null climbs as far as it must, whichever statement found it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from graphql import FieldNode, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLOutputType, get_named_type, is_leaf_type

from catalog.errors import CatalogError
from catalog.graph.acting import Acting
from catalog.graph.compiler import climb
from catalog.graph.completion import complete
from catalog.graph.computed import IDS, KEY, Asked, Path
from catalog.graph.payloads import Reference, Writer
from catalog.graph.plans import Plan, Step
from catalog.graph.tracing import Variables
from catalog.store import compile as compiling
from catalog.store.reader import Reader
from catalog.store.selection import Fault

_MARK = re.compile(rb"\x01(\d+);")
_PLACE = re.compile(rb"\x02(\d+);([^\x02]*)\x02")
_SEPARATOR = compiling.SEPARATOR.encode()
_AHEAD = len(f'{{"{KEY}":')
_NOTHING = b"null"


class RowOf(NamedTuple):
    """The row that a value is of: its id and, where the row is of the past, the revision, `-` where a directory was read."""

    id: str
    revision: str | None = None


async def run(
    reader: Reader, plan: Plan, variables: Variables, acting: Acting, *, path: tuple[str, ...]
) -> tuple[bytes, list[dict[str, Any]]]:
    """Return the data of a plan and its errors; `path` is where in the whole response the data stands. Raises Rejected."""
    plan.check(variables)
    running = _Running(reader, variables, acting)
    body = await running.text(plan, variables)
    return complete(body, running.faults, prefix=path)


class _Running:
    def __init__(self, reader: Reader, variables: Variables, acting: Acting) -> None:
        self._reader, self._variables, self._acting = reader, variables, acting
        self.faults: list[Fault] = []

    async def text(self, plan: Plan, variables: Variables) -> bytes:
        """The text of a plan with every place filled."""
        statement = plan.statement
        arguments = compiling.bind(statement, plan.values(variables), self._acting.scope)
        body = await self._reader.fetch_text(statement.sql, arguments, generic=statement.generic, key="the query")
        body = _MARK.sub(lambda found: b"\x01%d;" % self._fault(statement.faults[int(found[1])]), body)
        wanted: dict[int, dict[bytes, None]] = {}
        for found in _PLACE.finditer(body):
            wanted.setdefault(int(found[1]), {})[found[2]] = None
        texts = {number: await self._texts(plan.steps[number], list(rows)) for number, rows in wanted.items()}
        return _PLACE.sub(lambda found: texts[int(found[1])][found[2]], body) if texts else body

    async def _texts(self, step: Step, places: Sequence[bytes]) -> dict[bytes, bytes]:
        asked = step.asked
        rows = {place: _row(place) for place in places}
        values = await asked.declared.resolve(self._acting, list(rows.values()), **asked.arguments(self._variables))
        shown = await self._shown(step, [value for value in values.values() if not isinstance(value, CatalogError)])
        return {place: await self._written(asked, values.get(row), shown) for place, row in rows.items()}

    async def _shown(self, step: Step, values: Iterable[Any]) -> Mapping[Path, Mapping[str, bytes]]:
        """What is shown of all the things that values name, by path and id."""
        named: dict[Path, dict[str, None]] = {path: {} for path in step.plans}
        for value in values:
            for path, reference in _references(step.asked, value):
                named[path][reference.id] = None
        return {path: await self._pieces(step.plans[path], list(ids)) for path, ids in named.items() if ids}

    async def _pieces(self, plan: Plan, ids: list[str]) -> dict[str, bytes]:
        body = await self.text(plan, {**self._variables, IDS: ids})
        return dict(zip(ids, body[_AHEAD:-1].split(_SEPARATOR), strict=True))

    async def _written(self, asked: Asked, value: Any, shown: Mapping[Path, Mapping[str, bytes]]) -> bytes:
        if isinstance(value, CatalogError):
            message = f"{value.message} ({value.hint})" if value.hint else value.message
            return self._mark(Fault(code=value.code, message=message, climb=climb(asked.nullable)))
        missing = {one.path: one.missing for one in asked.shown}

        async def show(reference: Any, _kind: GraphQLObjectType, _nodes: list[FieldNode], path: Path) -> bytes:
            found = shown[path][reference.id]
            return self._mark(missing[path]) if found == _NOTHING else found

        return await Writer(asked.schema, asked.collector, show).value(asked.kind, value, asked.nodes, ())

    def _fault(self, fault: Fault) -> int:
        if fault not in self.faults:
            self.faults.append(fault)
        return self.faults.index(fault)

    def _mark(self, fault: Fault) -> bytes:
        return b"\x01%d;\x01" % self._fault(fault)


def _row(place: bytes) -> RowOf:
    identity, _, revision = place.decode().partition(";")
    return RowOf(identity, revision or None)


def _references(asked: Asked, value: Any) -> Iterator[tuple[Path, Reference]]:
    """The things that a value names where they are selected, with their paths."""

    def of(kind: GraphQLOutputType, value: Any, nodes: list[FieldNode], path: Path) -> Iterator[tuple[Path, Reference]]:
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        if value is None or is_leaf_type(get_named_type(kind)):
            return
        if isinstance(kind, GraphQLList):
            for item in value:
                yield from of(kind.of_type, item, nodes, path)
        elif isinstance(value, Reference):
            yield path, value
        else:
            assert isinstance(kind, GraphQLObjectType)
            for key, below in asked.collector.below(kind, nodes).items():
                if not below[0].name.value.startswith("__"):
                    field = kind.fields[below[0].name.value]
                    attribute = field.extensions["strawberry-definition"].python_name
                    yield from of(field.type, getattr(value, attribute), below, (*path, key))

    return of(asked.kind, value, asked.nodes, ())
