"""Payloads of mutations and of computed fields → JSON text: values are written as they are, what they name is compiled."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

from catalog.graph.collecting import Collector


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An object by its global id: what is shown of it is read by the compiler."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An object as a document: what is shown of it is read by the compiler, through a source made for it."""

    source: str
    value: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a list is a page of, as a document of the list's host."""

    value: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The object whose field shows a list that a resolver worked out: its type, its source for documents, and the field."""

    kind: str
    source: str
    field: str


# Connection → its host.
HOSTS = {"AffectedInstanceConnection": Host(kind="ProvisioningPreview", source="preview_document", field="affected")}


Show = Callable[[Any, GraphQLObjectType, list[FieldNode], tuple[str, ...]], Awaitable[bytes]]


class Writer:
    """Writes values of the graph's types; `show` reads references and documents."""

    def __init__(self, schema: GraphQLSchema, collector: Collector, show: Show) -> None:
        self._schema = schema
        self._collector = collector
        self._show = show

    async def object(self, kind: GraphQLObjectType, value: Any, nodes: list[FieldNode], path: tuple[str, ...]) -> bytes:
        """Write an object: its attributes by the names of Python."""
        written = []
        for key, below in self._collector.below(kind, nodes).items():
            name = below[0].name.value
            if name == "__typename":
                body = json.dumps(kind.name).encode()
            else:
                field = kind.fields[name]
                attribute = field.extensions["strawberry-definition"].python_name
                body = await self.value(field.type, getattr(value, attribute), below, (*path, key))
            written.append(json.dumps(key).encode() + b":" + body)
        return b"{" + b",".join(written) + b"}"

    async def value(self, kind: GraphQLOutputType, value: Any, nodes: list[FieldNode], path: tuple[str, ...]) -> bytes:
        """Write a value of a type."""
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        if value is None:
            return b"null"
        if isinstance(kind, GraphQLList):
            return b"[" + b",".join([await self.value(kind.of_type, item, nodes, path) for item in value]) + b"]"
        if is_leaf_type(kind):
            leaf: GraphQLLeafType = kind
            return json.dumps(leaf.serialize(value), ensure_ascii=False).encode("utf-8", "replace")
        named = get_named_type(kind)
        if isinstance(value, (Reference, Document)):
            assert isinstance(named, GraphQLObjectType)
            return await self._show(value, named, nodes, path)
        concrete = self._schema.type_map[type(value).__name__]
        assert isinstance(concrete, GraphQLObjectType)
        return await self.object(concrete, value, nodes, path)
