"""Computed fields, as they are compiled: what is asked of whom, and how the things of the catalog that a value names are read.

The statement only says where a value goes and for which row; `computing` works the values out and puts them in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

from catalog.graph.collecting import Collector
from catalog.graph.declarations import Computed
from catalog.graph.tracing import Traced, Variables, plain
from catalog.store.selection import Fault, Operation

if TYPE_CHECKING:
    from catalog.graph.compiler import Compiler

KEY = "n"  # under which the pieces of a reading stand
IDS = "\x00ids"  # among the variables: of which things they are; no GraphQL name begins so

Path = tuple[str, ...]  # response keys below a computed field; places in lists are none


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The things that a value names at one path: how they are read, by the compiler that keeps the slots of it.

    `missing` is the fault of one that is out of sight or gone where something must stand.
    """

    path: Path
    operation: Operation
    compiler: Compiler
    missing: Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One computed field of an operation; `nullable` tells of every step down to it whether null may stand there."""

    declared: Computed
    kind: GraphQLOutputType
    nodes: list[FieldNode]
    given: Mapping[str, Traced]
    nullable: tuple[bool, ...]
    shown: tuple[Shown, ...]
    schema: GraphQLSchema
    collector: Collector

    def arguments(self, variables: Variables) -> dict[str, Any]:
        """Return what the field is given in a run, by the names of Python."""
        return {name: plain(value, variables) for name, value in self.given.items()}


def shown(
    compiler: Compiler, kind: GraphQLOutputType, nodes: list[FieldNode], nullable: tuple[bool, ...], path: Path = ()
) -> Iterator[Shown]:
    """Yield what a value of a type may name that the catalog knows, where it is selected."""
    named = get_named_type(kind)
    if is_leaf_type(named):
        return
    assert isinstance(named, GraphQLObjectType)
    here = (*nullable, *_of_items(kind))
    if hasattr(named.extensions["strawberry-definition"].origin, "__source__"):
        inner = compiler.inner()
        operation = Operation(fields=(inner.each(KEY, named, nodes, here),))
        yield Shown(path=path, operation=operation, compiler=inner, missing=inner.missing(named, here))
        return
    for key, below in compiler.collector.below(named, nodes).items():
        name = below[0].name.value
        if not name.startswith("__"):
            found = named.fields[name].type
            yield from shown(compiler, found, below, (*here, not isinstance(found, GraphQLNonNull)), (*path, key))


def _of_items(kind: GraphQLOutputType) -> Iterator[bool]:
    """Whether null may stand at a place of a list, for each list in a type."""
    while isinstance(kind, GraphQLNonNull | GraphQLList):
        if isinstance(kind, GraphQLList):
            yield not isinstance(kind.of_type, GraphQLNonNull)
        kind = kind.of_type
