"""Exports: every row of one list, each written by itself, in the list's order and of one moment.

A document with one connection says which list and what of each row: `{ stacks(where: {…}) { nodes { name tenant { name } } } }`, also
one of a thing: `{ team(slug: "core") { services { nodes { slug } } } }`. It is compiled as any query is, with the same rules of
visibility, and read in batches, so that memory doesn't grow with the list. Lists within a row are pages, as everywhere.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
    is_leaf_type,
)

from catalog.graph import faults, limits, plans
from catalog.graph.collecting import Collector
from catalog.graph.compiler import VIEWER, Compiler, declaration, source_of
from catalog.graph.completion import complete
from catalog.graph.declarations import Column as Shown
from catalog.graph.declarations import Lookup as LookupReads
from catalog.graph.declarations import Paged
from catalog.graph.faults import Rejected
from catalog.graph.tracing import Variables
from catalog.records import Scope
from catalog.store import compile as compiling
from catalog.store.reader import Reader
from catalog.store.selection import Field, Leaf, Listing, Lookup, Many, Operation, Part, Piece, Slot

if TYPE_CHECKING:
    from catalog.graph.execution import Graph

_BATCH = 1_000
_ROWS_WITHIN = 1_000  # in the lists of one row
_PAGING = ("first", "after", "last", "before")
_PARENT = "\x00parent"  # among the variables: the id of the thing whose list is exported
_MARKED = b"\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of rows: the path of its values, what it is called, and the scalar that they are, or None for JSON of any shape."""

    path: tuple[str, ...]
    title: str
    kind: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A list ready to be read: its name, the columns of a row, and batches of rows as JSON texts."""

    name: str
    columns: tuple[Column, ...]
    batches: AsyncGenerator[list[bytes]]


async def export(
    graph: Graph, document: str, variables: Mapping[str, Any] | None, operation_name: str | None, scope: Scope
) -> Export:
    """Compile the export that a document asks for, as a viewer.

    Raises Rejected, before any row is read, for a document that asks for anything but one list, or for what no statement reads, and
    RateLimited while the viewer has nothing left of the minute. Rows cost what they cost in pages; they are paid while they are read,
    so that an export that began is not broken off for its price: what it takes too much of, the next operation waits for.
    """
    graph.admit(scope)
    try:
        return await _Exporting(graph, document, variables, operation_name, scope).prepared()
    except Rejected:
        graph.take(scope, limits.of(scope).refusal)
        raise


class _Exporting:
    def __init__(
        self, graph: Graph, document: str, variables: Mapping[str, Any] | None, operation_name: str | None, scope: Scope
    ) -> None:
        self._graph = graph
        self._reader: Reader = graph._database.reader  # noqa: SLF001  # a part of the graph, kept apart for reading
        self._schema = graph._schema  # noqa: SLF001
        self._sources = graph._sources  # noqa: SLF001
        prepared = graph.prepared(document, scope)
        self._operation: OperationDefinitionNode = prepared.operation(operation_name)
        if self._operation.operation is not OperationType.QUERY:
            raise Rejected(faults.error("QUERY_ONLY", "only queries are exported"))
        self._coerced: dict[str, Any] = plans.coerce(self._schema, self._operation, variables) | {VIEWER: scope.principal_id}
        self._collector: Collector = plans.collector(self._schema, prepared, self._coerced)
        self._compiler = Compiler(self._schema, self._collector, self._coerced)
        self._scope = scope
        self._sight = compiling.sight.of(scope)

    async def prepared(self) -> Export:
        query = self._schema.query_type
        assert query is not None
        key, nodes = _only(self._collector.fields(query, [self._operation.selection_set]))
        made = query.fields.get(nodes[0].name.value)
        if made is None or not isinstance(declaration(made), (Paged, LookupReads)):
            raise _not_exportable(f"`{nodes[0].name.value}` is no list that can be exported")
        root = self._compiler.root(query, key, nodes)
        if isinstance(root, Many):
            return self._export(Listing(many=root), made, nodes)
        kind = get_named_type(made.type)
        assert isinstance(root, Lookup)
        assert isinstance(kind, GraphQLObjectType)
        return await self._export_below(root, key, kind, nodes)

    async def _export_below(self, root: Lookup, key: str, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Export:
        """Find the thing first, as any query would, then read its list."""
        _, below = _only(self._collector.below(kind, nodes))
        made = kind.fields.get(below[0].name.value)
        (many,) = root.fields
        if made is None or not isinstance(many, Many):
            raise _not_exportable(f"`{below[0].name.value}` is no list")
        if root.as_of is not None:
            raise _not_exportable("an export shows the present: leave `asOf` out")
        found = await self._find(replace(root, fields=(Leaf(key="id", column="id"),)), key)
        slot = Slot(number=len(self._compiler.slots.reads), type="text")
        self._compiler.slots.reads.append(lambda variables: variables[_PARENT])
        self._coerced[_PARENT] = found
        return self._export(Listing(many=many, parent=source_of(kind), id=slot), made, below)

    async def _find(self, lookup: Field, key: str) -> str:
        statement = compiling.statement(Operation(fields=(lookup,)), self._sight, self._sources)
        values = [read({**self._coerced, _PARENT: None}) for read in self._compiler.slots.reads]
        bound = compiling.bind(statement, values, self._scope)
        body = await self._reader.fetch_text(statement.sql, bound, generic=statement.generic, key="the query")
        body, problems = complete(body, statement.faults)
        if problems:
            raise Rejected(*problems)
        shown = json.loads(body)[key]
        if shown is None:
            raise Rejected(faults.error("NOT_FOUND", "what the list hangs on is not there", path=[key]))
        return str(shown["id"])

    def _export(self, listing: Listing, made: GraphQLField, nodes: list[FieldNode]) -> Export:
        kind = get_named_type(made.type)
        assert isinstance(kind, GraphQLObjectType)
        given = {argument.name.value for argument in nodes[0].arguments or ()}
        if paging := sorted(given & set(_PAGING)):
            raise _not_exportable(f"an export has all rows: leave {', '.join(f'`{name}`' for name in paging)} out")
        name, below = _only(self._collector.below(kind, nodes))
        part = listing.many.parts[0]
        if not isinstance(part, Part) or part.piece not in {Piece.NODES, Piece.EDGES}:
            raise _not_exportable(f"an export reads `nodes` or `edges`, not `{name}`")
        tenths = self._weigh()
        row = get_named_type(kind.fields[below[0].name.value].type)
        statement = compiling.listing(listing, self._sight, self._sources)
        values = [read(self._coerced) for read in self._compiler.slots.reads]
        bound = compiling.bind(statement, values, self._scope)
        return Export(
            name=nodes[0].name.value,
            columns=tuple(self._columns(row, below)),
            batches=self._batches(statement, bound, tenths),
        )

    async def _batches(self, statement: compiling.Statement, bound: Sequence[Any], tenths: int) -> AsyncGenerator[list[bytes]]:
        async with aclosing(self._reader.stream(statement.sql, bound, size=_BATCH, key="the export")) as batches:
            async for batch in batches:
                self._graph.take(self._scope, -(-len(batch) * tenths // 10))
                # A row of which something can't be shown has null there; one that can't be shown at all is null itself.
                yield [complete(row, statement.faults)[0] if _MARKED in row else row for row in batch]

    def _weigh(self) -> int:
        """Refuse what is too much for one row; return what a row costs, in tenths of a point."""
        if self._compiler.computed:
            raise _not_exportable("fields that are worked out outside the database are left out of exports")
        within = sum(_within(weight, self._coerced) for weight in self._compiler.weights)
        if within > _ROWS_WITHIN:
            raise limits.too_much("TOO_MANY_NODES", "rows in the lists of one row", within, _ROWS_WITHIN)
        weights = self._compiler.weights
        self._graph.pay(self._scope, limits.OPERATION + sum(weight.opens for weight in weights))
        return 1 + sum(inner.tenths(self._coerced) for weight in weights for inner in weight.inner)

    def _columns(self, kind: Any, nodes: list[FieldNode], above: tuple[str, ...] = ()) -> list[Column]:
        """What a row shows: objects are taken apart, lists and things of several types are one column."""
        found: list[Column] = []
        for key, below in self._collector.below(kind, nodes).items():
            name = below[0].name.value
            shown = None if name.startswith("__") else _bare(kind.fields[name])
            if isinstance(shown, GraphQLObjectType):
                found += self._columns(shown, below, (*above, key))
            else:
                path = (*above, key)
                found.append(Column(path=path, title=".".join(path), kind=_scalar(shown)))
        return found


def _bare(field: GraphQLField) -> Any:
    """A field's type when it shows one value, perhaps null; a list stays one."""
    return field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type


def _scalar(kind: Any) -> str | None:
    """The name of the scalar that values of a type are; None for JSON, lists and things of several types; a type's name is a string."""
    if kind is None or isinstance(kind, GraphQLEnumType):
        return "String"
    return kind.name if isinstance(kind, GraphQLScalarType) and kind.name != "JSON" else None


def _within(weight: Any, variables: Variables) -> int:
    return sum(inner.total(variables) for inner in weight.inner)


def _only(collected: Mapping[str, list[FieldNode]]) -> tuple[str, list[FieldNode]]:
    if len(collected) != 1:
        raise _not_exportable(f"an export reads one list: {', '.join(collected)} are asked for")
    return next(iter(collected.items()))


def _not_exportable(message: str) -> Rejected:
    return Rejected(faults.error("NOT_EXPORTABLE", message))


# ── documents for whoever doesn't write them ─────────────────────────────────────────────────────────────────────────


def document(graph: Graph, name: str, fields: Sequence[str], arguments: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Return a document that exports a root list, and its variables; without `fields` every plain one.

    Fields are paths such as `stack.name`; arguments are texts, JSON where the argument is no string, id or enum value. Raises Rejected.
    """
    query = graph._schema.query_type  # noqa: SLF001
    assert query is not None
    made = query.fields.get(name)
    if made is None or not isinstance(declaration(made), Paged):
        lists = sorted(each for each, field in query.fields.items() if isinstance(declaration(field), Paged))
        raise Rejected(faults.error("NOT_FOUND", f"there is no list {name!r}", candidates=lists))
    declared, passed, variables = [], [], {}
    for argument, text in arguments.items():
        if argument not in made.args:
            raise faults.bad_input(f"{name} has no argument `{argument}`", name)
        kind = made.args[argument].type
        declared.append(f"${argument}: {kind}")
        passed.append(f"{argument}: ${argument}")
        variables[argument] = text if _is_text(_nullable(kind)) else _json(text, argument)
    connection = get_named_type(made.type)
    assert isinstance(connection, GraphQLObjectType)
    paths = tuple(fields) or _plain(get_named_type(connection.fields["nodes"].type))
    head = f"({', '.join(declared)})" if declared else ""
    call = f"({', '.join(passed)})" if passed else ""
    return f"query Export{head} {{ {name}{call} {{ nodes {_selection(paths)} }} }}", variables


def _is_text(kind: Any) -> bool:
    return is_leaf_type(kind) and kind.name not in {"Int", "Float", "Boolean"}


def _nullable(kind: Any) -> Any:
    return kind.of_type if isinstance(kind, GraphQLNonNull) else kind


def _json(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise faults.bad_input(f"`{what}` is not JSON: {error}", what) from error


def _plain(kind: Any) -> tuple[str, ...]:
    """The fields of a type that show a column of its row."""
    assert isinstance(kind, GraphQLObjectType)
    return tuple(
        name
        for name, field in kind.fields.items()
        if isinstance(declaration(field), Shown) and field.deprecation_reason is None and is_leaf_type(get_named_type(field.type))
    )


def _selection(paths: Sequence[str]) -> str:
    tree: dict[str, Any] = {}
    for path in paths:
        place = tree
        for step in path.split("."):
            if not (step.isascii() and step.isidentifier()):
                raise faults.bad_input(f"{path!r} is no path of fields, such as stack.name", "fields")
            place = place.setdefault(step, {})
    return _written(tree)


def _written(tree: Mapping[str, Any]) -> str:
    return "{ " + " ".join(f"{name} {_written(below)}" if below else name for name, below in tree.items()) + " }"
