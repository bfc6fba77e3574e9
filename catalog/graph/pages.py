"""Pages of connections: sizes, cursors, orders, and the parts that a client asks of a connection."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, GraphQLObjectType, get_named_type

from catalog.graph.faults import bad_input
from catalog.graph.limits import DEFAULT_PAGE, MAX_PAGE
from catalog.graph.tracing import Traced, Value, Variables, current, is_null
from catalog.store.compile import cursors
from catalog.store.selection import Leaf, Literal, One, Page, Part, Piece, Slot

if TYPE_CHECKING:
    from catalog.graph.compiler import Compiler, Slots, Weight

_PIECES = {piece.value: piece for piece in Piece}


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
) -> tuple[Part | Literal, ...]:
    """Return the parts that are asked for of a connection to rows of a source."""
    made: list[Part | Literal] = []
    for key, below in compiler.collector.below(kind, nodes).items():
        name = below[0].name.value
        if name == "__typename":
            made.append(Literal(key=key, text=f'"{kind.name}"'))
            continue
        piece = _PIECES[name]
        inner = get_named_type(kind.fields[name].type)
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
