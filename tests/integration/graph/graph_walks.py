"""Walks made from the schema itself, so that a new field is walked without being named: one document for every connection field, and
one for every type that shows all that the type has.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from graphql import GraphQLObjectType, get_named_type, is_abstract_type, is_introspection_type, is_leaf_type, is_required_argument

from catalog.graph import declarations
from catalog.graph.compiler import declaration
from catalog.graph.schema import graphql_schema

SCHEMA = graphql_schema()
# Shown of the process itself, not of rows; and reports, which group rows instead of showing them.
ROOTS_LEFT_OUT = {"rateLimit", "affected", "previewProvisioning", "replayDecision"}
# What fields are given that must be given something.
GIVEN = {
    "Query.search": 'query: "vpc"',
    "Query.costReport": 'groupBy: [TEAM, MONTH], period: {from: "2026-01-01", to: "2026-12-01"}',
}
_STEPS = (declarations.Paged, declarations.One, declarations.Items, declarations.Report)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A way from the root to one connection field: the fields that are passed, the field last."""

    name: str
    steps: tuple[tuple[GraphQLObjectType, str], ...]

    def document(self, selection: str, *, pages: str, outer: str) -> str:
        """The query that walks here: `pages` are the arguments of the field's own page, `outer` those of pages on the way."""
        inner = selection
        for number, (kind, name) in enumerate(reversed(self.steps)):
            made = kind.fields[name]
            if isinstance(declaration(made), declarations.Paged):
                edges = "totalCount pageInfo { hasNextPage endCursor } " if number == 0 else ""
                given = f"({', '.join(filter(None, (GIVEN.get(f'{kind.name}.{name}'), outer if number else pages)))})"
                inner = f"{name}{given} {{ {edges}nodes {{ {_narrowed(kind, name, self.steps, inner)} }} }}"
            else:
                given = f"({GIVEN[place]})" if (place := f"{kind.name}.{name}") in GIVEN else ""
                inner = f"{name}{given} {{ {inner} }}"
        return f"{{ {inner} }}"


def connections() -> dict[str, Walk]:
    """Every connection field that can be reached without naming anything, by `Type.field`, each by the shortest way."""
    found: dict[str, Walk] = {}
    query = SCHEMA.query_type
    assert query is not None
    queue: deque[tuple[GraphQLObjectType, tuple[tuple[GraphQLObjectType, str], ...]]] = deque([(query, ())])
    known = {query.name}
    while queue:
        kind, way = queue.popleft()
        for name, made in kind.fields.items():
            if (
                not isinstance(declaration(made), _STEPS)
                or (_asks(made) and f"{kind.name}.{name}" not in GIVEN)
                or (kind is query and name in ROOTS_LEFT_OUT)
            ):
                continue
            steps = (*way, (kind, name))
            if isinstance(declaration(made), declarations.Paged):
                found[f"{kind.name}.{name}"] = Walk(name=f"{kind.name}.{name}", steps=steps)
            for target in objects(shown_by(made)):
                if target.name not in known:
                    known.add(target.name)
                    queue.append((target, steps))
    return found


def every_connection() -> set[str]:
    """The names of all connection fields of the schema."""
    return {
        f"{name}.{field}"
        for name, kind in SCHEMA.type_map.items()
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind)
        for field, made in kind.fields.items()
        if isinstance(declaration(made), declarations.Paged)
    }


def shown_by(made):
    """The type of the things that a field shows: of a connection, that of its nodes."""
    named = get_named_type(made.type)
    return get_named_type(named.fields["nodes"].type) if isinstance(declaration(made), declarations.Paged) else named


def objects(kind) -> tuple[GraphQLObjectType, ...]:
    """The object types that a type stands for."""
    return tuple(SCHEMA.get_possible_types(kind)) if is_abstract_type(kind) else (kind,)


def selection(kind, *, depth: int = 1, left_out: frozenset[str] = frozenset()) -> str:
    """Everything that a type shows, and everything that what it leads to shows, so many steps deep. Pages below are left to walks."""
    if is_abstract_type(kind):
        return _of_any(kind)
    parts = ["__typename"]
    for name, made in kind.fields.items():
        if _asks(made) or f"{kind.name}.{name}" in left_out or isinstance(declaration(made), declarations.Paged):
            continue
        inner = get_named_type(made.type)
        if is_leaf_type(inner):
            parts.append(name)
        elif depth:
            parts.append(f"{name} {{ {selection(inner, depth=depth - 1, left_out=left_out)} }}")
    return " ".join(parts)


def _of_any(kind) -> str:
    """What any of several types shows: every value of each, under the first type that has it, since a key is asked for once."""
    told, branches = {"__typename"}, ["__typename"]
    for one in objects(kind):
        mine = [name for name, made in one.fields.items() if is_leaf_type(get_named_type(made.type)) and not _asks(made)]
        if fresh := [name for name in mine if name not in told]:
            branches.append(f"... on {one.name} {{ {' '.join(fresh)} }}")
        told.update(fresh)
    return " ".join(branches)


def _narrowed(kind, name, steps, inner: str) -> str:
    """Below a union the way goes on in one of its members."""
    shown = shown_by(kind.fields[name])
    place = next(number for number, step in enumerate(steps) if step == (kind, name))
    if not is_abstract_type(shown) or place + 1 == len(steps):
        return inner
    return f"... on {steps[place + 1][0].name} {{ {inner} }}"


def _asks(made) -> bool:
    """Whether a field has an argument that must be given."""
    return any(is_required_argument(one) for one in made.args.values())
