"""Pages of connections: sizes, cursors, orders, and the parts that a client asks of a connection."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, GraphQLObjectType, get_named_type

from catalog.graph.faults import bad_input
from catalog.graph.limits import DEFAULT_FACETS, DEFAULT_PAGE, MAX_FACETS, MAX_PAGE
from catalog.graph.tracing import Traced, Value, Variables, arguments, current, is_null
from catalog.store import compile as compiling
from catalog.store.compile import cursors
from catalog.store.selection import Choice, Facets, Leaf, Literal, One, Page, Part, Piece, Slot

if TYPE_CHECKING:
    from catalog.graph.compiler import Compiler, Slots, Weight

_PIECES = {piece.value: piece for piece in Piece}
_FACETS, _FACET = "facets", "facet"  # the field of a connection, and the source of what it shows


def order(given: Traced | None) -> tuple[tuple[str, bool], ...]:
    """Return the names of the orders asked for, and whether each descends."""
    if not isinstance(given, list):
        return ()
    return tuple((current(one["field"]).lower(), current(one["direction"]) == "DESC") for one in given)


def size_reader(given: dict[str, Traced], key: str) -> Callable[[Variables], int]:
    """Return how a run reads the page's size; raises Rejected for one that doesn't hold."""
    backward = not is_null(given.get("last"))
    if backward and not is_null(given.get("first")):
        raise bad_input("`first` and `last` are not asked for together", key)
    name = "last" if backward else "first"
    value = given.get(name)
    if is_null(value):
        return lambda _variables: DEFAULT_PAGE
    assert isinstance(value, Value)

    def read(variables: Variables) -> int:
        size: int = value.read(variables)
        if not 0 <= size <= MAX_PAGE:
            raise bad_input(f"`{name}` is {size}: a page has at most {MAX_PAGE} rows", key)
        return size

    return read


def page(
    slots: Slots,
    given: dict[str, Traced],
    *,
    key: str,
    name: str,
    order: tuple[tuple[str, bool], ...],
    kinds: tuple[str, ...],
    filter_reader: Callable[[Variables], Any],
) -> Page:
    """Return which rows a connection shows; its cursors are checked whenever it is bound, whether or not they are read."""
    backward = not is_null(given.get("last"))
    read_tag = _tag_reader(name, order, filter_reader)

    def bound(argument: str) -> tuple[Slot, ...] | None:
        value = given.get(argument)
        if is_null(value):
            return None
        assert isinstance(value, Value)

        def read(variables: Variables, place: int) -> Any:
            try:
                return cursors.decode(value.read(variables), read_tag(variables), kinds)[place]
            except ValueError as error:
                raise bad_input(f"`{argument}`: {error}", key) from error

        return tuple(
            slots.slot(kind, lambda variables, place=place: read(variables, place))  # type: ignore[misc]
            for place, kind in enumerate(kinds)
        )

    after, before = bound("after"), bound("before")
    return Page(
        size=slots.slot("int8", size_reader(given, key)),
        tag=slots.slot("text", read_tag),
        backward=backward,
        cursor=before if backward else after,
        other=after if backward else before,
    )


def parts(
    compiler: Compiler,
    kind: GraphQLObjectType,
    source: str | None,
    nodes: list[FieldNode],
    nullable: tuple[bool, ...],
    weights: list[Weight],
    beside: list[Weight],
) -> tuple[Part | Literal | Facets, ...]:
    """Return the parts that are asked for of a connection to rows of a source.

    What a row weighs goes into `weights`, what the list itself weighs beside its rows into `beside`.
    """
    made: list[Part | Literal | Facets] = []
    for key, below in compiler.collector.below(kind, nodes).items():
        name = below[0].name.value
        if name == "__typename":
            made.append(Literal(key=key, text=f'"{kind.name}"'))
            continue
        inner = get_named_type(kind.fields[name].type)
        if name == _FACETS:
            made.append(_facets(compiler, kind, source, key, below, (*nullable, False, False), beside))
            continue
        piece = _PIECES[name]
        match piece:
            case Piece.NODES:
                fields = compiler.object(inner, source, below, (*nullable, False, False), weights)
                made.append(Part(key=key, piece=piece, fields=fields))
            case Piece.EDGES:
                listed = _edges(compiler, inner, source, below, (*nullable, False, False), weights)
                made.append(Part(key=key, piece=piece, parts=listed))
            case Piece.PAGE_INFO:
                made.append(Part(key=key, piece=piece, parts=_facts(compiler, inner, below)))
            case _:
                made.append(Part(key=key, piece=piece))
    return tuple(made)


def _facets(
    compiler: Compiler,
    kind: GraphQLObjectType,
    source: str | None,
    key: str,
    nodes: list[FieldNode],
    nullable: tuple[bool, ...],
    weights: list[Weight],
) -> Facets:
    made = kind.fields[_FACETS]
    given = arguments(made, nodes[0], compiler.variables)
    by = str(current(given["by"])).lower()
    read = _limit_reader(given.get("limit"), key)
    weight = compiler.weight(read)
    shown = compiler.object(get_named_type(made.type), _FACET, nodes, nullable, weight.inner)
    weights.append(weight)
    # Only things of one kind are ever counted by: what is asked of the others needs no statement.
    target = None if source is None else compiling.facet_target(source, by)
    fields = tuple(
        replace(field, branches=tuple(branch for branch in field.branches if branch.source == target))
        if isinstance(field, Choice)
        else field
        for field in shown
    )
    return Facets(key=key, by=by, limit=compiler.slots.slot("int8", read), fields=fields)


def _limit_reader(given: Traced | None, key: str) -> Callable[[Variables], int]:
    """How a run reads how many values are shown; raises Rejected for a number that doesn't hold."""
    if is_null(given):
        return lambda _variables: DEFAULT_FACETS
    assert isinstance(given, Value)

    def read(variables: Variables) -> int:
        limit: int = given.read(variables)
        if not 0 <= limit <= MAX_FACETS:
            raise bad_input(f"`limit` is {limit}: facets have at most {MAX_FACETS} values", key)
        return limit

    return read


def _edges(
    compiler: Compiler, kind: Any, source: str | None, nodes: list[FieldNode], nullable: tuple[bool, ...], weights: list[Weight]
) -> tuple[Part | Literal | Leaf | One, ...]:
    made: list[Part | Literal | Leaf | One] = []
    for key, below in compiler.collector.below(kind, nodes).items():
        name = below[0].name.value
        if name == Piece.CURSOR:
            made.append(Part(key=key, piece=Piece.CURSOR))
        elif name == Piece.NODE:
            inner = get_named_type(kind.fields[name].type)
            fields = compiler.object(inner, source, below, (*nullable, False), weights)
            made.append(Part(key=key, piece=Piece.NODE, fields=fields))
        else:
            field = compiler.field(kind, None, key, below, nullable, weights)
            assert isinstance(field, (Literal, Leaf, One))
            made.append(field)
    return tuple(made)


def _facts(compiler: Compiler, kind: Any, nodes: list[FieldNode]) -> tuple[Part | Literal, ...]:
    made: list[Part | Literal] = []
    for key, below in compiler.collector.below(kind, nodes).items():
        name = below[0].name.value
        made.append(Literal(key=key, text=f'"{kind.name}"') if name == "__typename" else Part(key=key, piece=_PIECES[name]))
    return tuple(made)


def _tag_reader(
    name: str,
    order: tuple[tuple[str, bool], ...],
    filter_reader: Callable[[Variables], Any],
) -> Callable[[Variables], str]:
    """How a run reads what its cursors start with: a hash of list, order and filter."""

    def read(variables: Variables) -> str:
        told = repr((name, order, filter_reader(variables)))
        return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=cursors.TAG_LENGTH // 2).hexdigest()

    return read
