"""What a document and its variables say too much of: found before validation, so that nothing costs more than what it says.

Validation compares fields pairwise and follows fragments again and again; some documents of two thousand tokens keep it busy for
minutes. Everything here is linear in what the document says once its fragments are put in, and that is bounded first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
)

from catalog.graph.faults import Rejected, bad_input, error
from catalog.graph.limits import MAX_LIST, MAX_OBJECTS, OF_DOCUMENT, Limits, too_much

Fragments = Mapping[str, FragmentDefinitionNode]


def check(document: DocumentNode, allowed: Limits = OF_DOCUMENT) -> None:
    """Refuse a document that was parsed and not yet validated; raises Rejected."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    definitions: list[OperationDefinitionNode | FragmentDefinitionNode] = [*operations, *fragments.values()]
    count = _Count(allowed)
    for node in definitions:
        count.definition(node)
    count.judge()
    sizes = _Sizes(fragments)
    for found in (sizes.of(node.selection_set) for node in definitions):
        if found > allowed.fields:
            raise too_much("TOO_MANY_FIELDS", "fields, fragments put in", min(found, 10**9), allowed.fields)
    for operation in operations:
        _check_operation(operation, fragments, allowed)


def check_variables(given: Mapping[str, Any] | None, allowed: Limits = OF_DOCUMENT) -> None:
    """Refuse variables that are nested too deeply or hold too long lists; raises Rejected."""
    waiting: list[tuple[Any, int]] = [(value, 1) for value in (given or {}).values()]
    while waiting:
        value, depth = waiting.pop()
        if depth > allowed.depth:
            raise too_much("TOO_DEEP", "levels in a value", depth, allowed.depth)
        if isinstance(value, dict):
            waiting += [(inner, depth + 1) for inner in value.values()]
        elif isinstance(value, list):
            _check_length(len(value), MAX_LIST)  # lists of maps are judged where it is known what they are for
            waiting += [(inner, depth + 1) for inner in value]


def _check_operation(operation: OperationDefinitionNode, fragments: Fragments, allowed: Limits) -> None:
    depth = _depth(operation.selection_set, fragments, {})
    if depth > allowed.depth:
        raise too_much("TOO_DEEP", "levels", depth, allowed.depth)
    roots = sum(1 for _ in _fields([operation.selection_set], fragments, set()))
    if roots > allowed.root_fields:
        raise too_much("TOO_MANY_ROOT_FIELDS", "root fields", roots, allowed.root_fields)
    if operation.operation.value == "mutation" and roots > allowed.mutations:
        raise too_much("TOO_MANY_MUTATIONS", "mutations", roots, allowed.mutations)
    repeated = _repeated([operation.selection_set], fragments)
    if repeated > allowed.repeated:
        raise too_much("TOO_MANY_REPEATED_FIELDS", "fields that stand there already", repeated, allowed.repeated)


class _Count:
    """Counts aliases and directives, and looks at the values that the document itself says."""

    def __init__(self, allowed: Limits) -> None:
        self._allowed = allowed
        self._aliases = 0
        self._directives = 0

    def judge(self) -> None:
        """Refuse what was counted when it is too much."""
        if self._aliases > self._allowed.aliases:
            raise too_much("TOO_MANY_ALIASES", "aliases", self._aliases, self._allowed.aliases)
        if self._directives > self._allowed.directives:
            raise too_much("TOO_MANY_DIRECTIVES", "directives", self._directives, self._allowed.directives)

    def definition(self, node: OperationDefinitionNode | FragmentDefinitionNode) -> None:
        self._directed(node)
        for variable in getattr(node, "variable_definitions", None) or ():
            self._directed(variable)
            if variable.default_value:
                self._value(variable.default_value)
        self._selections(node.selection_set)

    def _selections(self, selections: SelectionSetNode) -> None:
        for selection in selections.selections:
            self._directed(selection)
            if isinstance(selection, FieldNode):
                self._aliases += selection.alias is not None
                for argument in selection.arguments or ():
                    self._value(argument.value)
            inner = getattr(selection, "selection_set", None)
            if inner:
                self._selections(inner)

    def _directed(self, node: Any) -> None:
        self._directives += len(node.directives or ())
        for directive in node.directives or ():
            for argument in directive.arguments or ():
                self._value(argument.value)

    def _value(self, node: ValueNode, depth: int = 1) -> None:
        if depth > self._allowed.depth:
            raise too_much("TOO_DEEP", "levels in a value", depth, self._allowed.depth)
        if isinstance(node, ListValueNode):
            _check_length(len(node.values), MAX_OBJECTS if any(isinstance(v, ObjectValueNode) for v in node.values) else MAX_LIST)
            for value in node.values:
                self._value(value, depth + 1)
        elif isinstance(node, ObjectValueNode):
            for field in node.fields:
                self._value(field.value, depth + 1)


def _check_length(length: int, most: int) -> None:
    if length > most:
        raise bad_input(f"{length} values in a list, at most {most} are allowed")


class _Sizes:
    """How many fields selection sets hold once fragments are put in; each fragment is counted once."""

    def __init__(self, fragments: Fragments) -> None:
        self._fragments = fragments
        self._known: dict[str, int | None] = {}

    def of(self, selections: SelectionSetNode) -> int:
        total = 0
        for selection in selections.selections:
            if isinstance(selection, FragmentSpreadNode):
                total += self._fragment(selection.name.value)
                continue
            total += isinstance(selection, FieldNode)
            inner: SelectionSetNode | None = getattr(selection, "selection_set", None)
            total += self.of(inner) if inner else 0
        return total

    def _fragment(self, name: str) -> int:
        if name not in self._fragments:
            return 0  # validation has the words for it
        if name not in self._known:
            self._known[name] = None
            self._known[name] = self.of(self._fragments[name].selection_set)
        size = self._known[name]
        if size is None:
            raise Rejected(error("GRAPHQL_VALIDATION_FAILED", f"Cannot spread fragment '{name}' within itself."))
        return size


def _depth(selections: SelectionSetNode, fragments: Fragments, known: dict[str, int]) -> int:
    """How deep fields are nested; introspection doesn't count."""
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
                known[name] = _depth(fragments[name].selection_set, fragments, known) if name in fragments else 0
            deepest = max(deepest, known[name])
        elif isinstance(selection, InlineFragmentNode):
            deepest = max(deepest, _depth(selection.selection_set, fragments, known))
    return deepest


def _fields(sets: Iterable[SelectionSetNode], fragments: Fragments, seen: set[str]) -> Iterator[FieldNode]:
    """The fields of selection sets, whatever types their fragments are for; a fragment that is spread twice stands there once."""
    for selections in sets:
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                yield from _fields([selection.selection_set], fragments, seen)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name in fragments and name not in seen:
                    seen.add(name)
                    yield from _fields([fragments[name].selection_set], fragments, seen)


def _repeated(sets: Iterable[SelectionSetNode], fragments: Fragments) -> int:
    """How many fields are merged with one that has the same response key, at every level."""
    merged: dict[str, list[FieldNode]] = {}
    for field in _fields(sets, fragments, set()):
        merged.setdefault((field.alias or field.name).value, []).append(field)
    return sum(
        len(fields) - 1 + _repeated([field.selection_set for field in fields if field.selection_set], fragments)
        for fields in merged.values()
    )
