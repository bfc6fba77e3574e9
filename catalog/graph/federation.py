"""The graph as a subgraph of Apollo Federation 2: the same types, and what a gateway asks besides.

Everything with a global id is an entity whose key is that id, so that other subgraphs can refer to it. Root fields that speak of this graph
alone (`node`, `nodes`, `rateLimit`) are left out of what a gateway composes; asked directly, they answer as ever.
"""

from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Union

import strawberry
from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    DocumentNode,
    GraphQLInterfaceType,
    GraphQLSchema,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    parse,
    print_ast,
)

from catalog.config import Config
from catalog.graph import schema
from catalog.graph.declarations import Argument, by_representation
from catalog.graph.queries import Query
from catalog.graph.scalars import Representation

_HEAD = "# The subgraph of Apollo Federation 2, exported by `catalog schema export --federation`.\n\n"
_LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])'
_LOCAL = frozenset({"node", "nodes", "rateLimit"})  # root fields that speak of this graph alone
_LOCAL_TYPES = frozenset({"RateLimit"})
_SHARED = frozenset({"PageInfo"})  # types that other subgraphs have as Relay has them


def _entities() -> tuple[type, ...]:
    """Every type with a global id."""
    made = schema.graphql_schema()
    node = made.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    return tuple(kind.extensions["strawberry-definition"].origin for kind in made.get_possible_types(node))


Entity: Any = Annotated[
    Union[_entities()],  # noqa: UP007  # made of a tuple
    strawberry.union("_Entity", description="Anything that other subgraphs may refer to."),
]


@strawberry.type(name="_Service", description="This graph as a subgraph.")
class _Service:
    sdl: str = strawberry.field(description="Its schema, in the words of Apollo Federation 2.")


def _subgraph() -> _Service:
    return _Service(sdl=sdl())


@strawberry.type(name="Query", description=Query.__strawberry_definition__.description)  # type: ignore[attr-defined]
class FederatedQuery(Query):
    service_: _Service = strawberry.field(name="_service", resolver=_subgraph, description="What a gateway composes.")
    entities_: list[Entity | None] = by_representation(
        "_entities",
        "The things that a gateway refers to, in their order; null where there is none, or where the viewer may not see it.",
        representations=Argument(type=list[Representation], description="`__typename` and `id` of each, 1,000 at most."),
    )


@cache
def graphql_schema() -> GraphQLSchema:
    """Return the schema with what a gateway asks besides."""
    return schema.make(FederatedQuery)._schema  # noqa: SLF001  # Strawberry has no public name for it


def served(config: Config) -> GraphQLSchema:
    """Return the schema that a process serves by its configuration."""
    return graphql_schema() if config.federation else schema.graphql_schema()


@cache
def sdl() -> str:
    """Return the subgraph in the schema definition language: what a gateway composes."""
    document = parse(schema.sdl())
    kept = tuple(_marked(definition) for definition in document.definitions if _is_composed(definition))
    return f"{_HEAD}{_LINK}\n\n{print_ast(DocumentNode(definitions=kept))}\n"


def _is_composed(definition: DefinitionNode) -> bool:
    return not (isinstance(definition, ObjectTypeDefinitionNode) and definition.name.value in _LOCAL_TYPES)


def _marked(definition: DefinitionNode) -> DefinitionNode:
    """A type with its directives, the root without what stays here."""
    if not isinstance(definition, ObjectTypeDefinitionNode):
        return definition
    name = definition.name.value
    if name == "Query":
        return replace(definition, fields=tuple(field for field in definition.fields or () if field.name.value not in _LOCAL))
    is_entity = any(interface.name.value == "Node" for interface in definition.interfaces or ())
    given = _KEY if is_entity else _SHAREABLE if name in _SHARED else ()
    return replace(definition, directives=(*(definition.directives or ()), *given))


def _directives(text: str) -> tuple[ConstDirectiveNode, ...]:
    """The directives that a text holds, as nodes."""
    (holder,) = parse(f"scalar S {text}").definitions
    assert isinstance(holder, ScalarTypeDefinitionNode)
    return tuple(holder.directives or ())


_KEY, _SHAREABLE = _directives('@key(fields: "id")'), _directives("@shareable")
