"""The schema as text and as documentation."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    is_specified_scalar_type,
)

from catalog.graph import contract, federation, schema
from catalog.graph.compiler import declaration, source_of
from catalog.graph.declarations import Argument, Choice, Column, Computed, Items, Lookup, One, Paged
from catalog.store.compile import ROOTS, SOURCES

ROOT = Path(__file__).resolve().parents[3]
OURS = {name: kind for name, kind in schema.graphql_schema().type_map.items() if not name.startswith("__")}


def test_the_exported_schema_is_this_versions() -> None:
    """`schema.graphql` is what the types say; export it again after a change."""
    assert (ROOT / "schema.graphql").read_text() == schema.sdl()


@pytest.mark.parametrize("made", [schema.graphql_schema(), federation.graphql_schema()], ids=["graph", "subgraph"])
def test_every_element_is_described(made) -> None:
    """Every type, field, argument, enum value and directive has a description: 100 %, also of what a gateway asks."""
    kinds = {name: kind for name, kind in made.type_map.items() if not name.startswith("__") and not is_specified_scalar_type(kind)}
    missing = [place for name, kind in kinds.items() for place in undescribed(name, kind)]
    for directive in made.directives:
        missing += [] if directive.description else [f"@{directive.name}"]
        missing += [f"@{directive.name}({name}:)" for name, argument in directive.args.items() if not argument.description]
    assert missing == []


def test_what_is_deprecated_says_what_to_use_and_until_when() -> None:
    """Every deprecation has the form that the policy of docs/graph.md asks for."""
    assert contract.undated(schema.graphql_schema()) == []


def undescribed(name, kind):
    """What of a type has no description."""
    places = [] if (kind.description or "").strip() else [name]
    if isinstance(kind, GraphQLEnumType):
        places += [f"{name}.{value}" for value, made in kind.values.items() if not made.description]
    if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)):
        for field_name, field in kind.fields.items():
            places += [] if field.description else [f"{name}.{field_name}"]
            places += [f"{name}.{field_name}({arg}:)" for arg, made in getattr(field, "args", {}).items() if not made.description]
    return places


def test_every_declaration_names_something_that_can_be_read() -> None:
    """No field declares a column, a relation or an argument that its source doesn't have."""
    wrong = []
    for kind in OURS.values():
        if isinstance(kind, GraphQLObjectType) and source_of(kind):
            wrong += [
                f"{kind.name}.{name}" for name, field in kind.fields.items() if not readable(source_of(kind), declaration(field))
            ]
    assert wrong == []
    for field in OURS["Query"].fields.values():
        declared = declaration(field)
        if isinstance(declared, (Paged, Lookup)):
            assert declared.relation in ROOTS
            followed = [argument for argument in declared.arguments.values() if argument.path]
            assert all(followable(ROOTS[declared.relation].target, argument) for argument in followed)


def readable(source, declared) -> bool:
    """Whether a source has what a declaration names."""
    match declared:
        case Column():
            through, _, name = declared.name.rpartition(".")
            target = SOURCES[source].relations[through].target if through else source
            return name in SOURCES[target].columns
        case One() | Items() | Paged():
            return declared.relation in SOURCES[source].relations
        case Choice():
            return declared.column in SOURCES[source].columns
        case Computed():
            return "id" in SOURCES[source].columns
    return False


def followable(source, argument: Argument) -> bool:
    """Whether an argument's path leads to a column."""
    for relation in argument.path[:-1]:
        source = SOURCES[source].relations[relation].target
    return argument.path[-1] in SOURCES[source].columns
