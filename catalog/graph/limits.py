"""What an operation may cost, judged before Postgres is touched, by kind of principal. Each refusal names the limit and its size.

Introspection is exempt from depth and nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from catalog.graph.faults import Rejected, error
from catalog.records import PrincipalKind, Scope

MAX_PAGE = 100
DEFAULT_PAGE = 20
MAX_FACETS = 100
DEFAULT_FACETS = 50
MAX_IDS = 100
MAX_LIST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one operation may ask for."""

    nodes: int
    depth: int = 20
    aliases: int = 15
    root_fields: int = 10
    directives: int = 20
    tokens: int = 2_000
    document: int = 64 * 1024
    mutations: int = 1


ANONYMOUS = Limits(nodes=1_000)
PERSON = Limits(nodes=20_000)
SERVICE = Limits(nodes=100_000)
# Depth, aliases and the rest are the same for everybody, so that a document is judged once.
OF_DOCUMENT = PERSON


def of(scope: Scope) -> Limits:
    """Return the limits of a viewer."""
    if scope.principal_id is None and not scope.grants:
        return ANONYMOUS
    return SERVICE if scope.kind is PrincipalKind.SERVICE else PERSON


def too_much(code: str, what: str, found: int, allowed: int) -> Rejected:
    """The refusal of an operation that exceeds a limit."""
    return Rejected(error(code, f"{found} {what}, at most {allowed} are allowed", limit=allowed, found=found))


def check_document(document: DocumentNode, limits: Limits = OF_DOCUMENT) -> None:
    """Refuse documents that say too much, before they are validated; raises Rejected."""
    count = _Count()
    for definition in document.definitions:
        if isinstance(definition, (OperationDefinitionNode, FragmentDefinitionNode)):
            count.directives += len(definition.directives or ())
            count.visit(definition.selection_set)
    if count.aliases > limits.aliases:
        raise too_much("TOO_MANY_ALIASES", "aliases", count.aliases, limits.aliases)
    if count.directives > limits.directives:
        raise too_much("TOO_MANY_DIRECTIVES", "directives", count.directives, limits.directives)


def check_operation(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode], limits: Limits = OF_DOCUMENT
) -> None:
    """Refuse operations that go too deep or too wide at their root; raises Rejected. Fragments must not be cyclic."""
    depth = _depth(operation.selection_set, fragments, {})
    if depth > limits.depth:
        raise too_much("TOO_DEEP", "levels", depth, limits.depth)
    roots = _root_fields(operation.selection_set, fragments)
    if roots > limits.root_fields:
        raise too_much("TOO_MANY_ROOT_FIELDS", "root fields", roots, limits.root_fields)
    if operation.operation.value == "mutation" and roots > limits.mutations:
        raise too_much("TOO_MANY_MUTATIONS", "mutations", roots, limits.mutations)


class _Count:
    def __init__(self) -> None:
        self.aliases = 0
        self.directives = 0

    def visit(self, selections: SelectionSetNode) -> None:
        for selection in selections.selections:
            self.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode) and selection.alias:
                self.aliases += 1
            inner = getattr(selection, "selection_set", None)
            if inner:
                self.visit(inner)


def _depth(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], known: dict[str, int]) -> int:
    deepest = 0
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            if selection.name.value.startswith("__"):
                continue
            below = _depth(selection.selection_set, fragments, known) if selection.selection_set else 0
            deepest = max(deepest, 1 + below)
        elif isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            if name not in known:
                known[name] = _depth(fragments[name].selection_set, fragments, known)
            deepest = max(deepest, known[name])
        elif isinstance(selection, InlineFragmentNode):
            deepest = max(deepest, _depth(selection.selection_set, fragments, known))
    return deepest


def _root_fields(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> int:
    total = 0
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            total += 1
        elif isinstance(selection, FragmentSpreadNode):
            total += _root_fields(fragments[selection.name.value].selection_set, fragments)
        elif isinstance(selection, InlineFragmentNode):
            total += _root_fields(selection.selection_set, fragments)
    return total
