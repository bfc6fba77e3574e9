"""Selection sets → response keys, as the specification says: fragments flattened, duplicates merged, @skip and @include applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLBoolean,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    is_abstract_type,
)

from catalog.graph.tracing import Variables, trace

Fragments = Mapping[str, FragmentDefinitionNode]


class Collector:
    """Collects the fields of one operation's selection sets, for one set of variables."""

    def __init__(self, schema: GraphQLSchema, fragments: Fragments, variables: Variables) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables

    def fields(self, kind: GraphQLObjectType, selections: Iterable[SelectionSetNode | None]) -> dict[str, list[FieldNode]]:
        """Return the field nodes of selection sets by response key, in the order of the response."""
        found: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        for selection in selections:
            if selection is not None:
                self._visit(kind, selection, found, visited)
        return found

    def below(self, kind: GraphQLObjectType, nodes: Iterable[FieldNode]) -> dict[str, list[FieldNode]]:
        """Return the same for what stands below merged fields."""
        return self.fields(kind, [node.selection_set for node in nodes])

    def _visit(
        self, kind: GraphQLObjectType, selections: SelectionSetNode, found: dict[str, list[FieldNode]], visited: set[str]
    ) -> None:
        for selection in selections.selections:
            if not self._included(selection):
                continue
            match selection:
                case FieldNode():
                    key = selection.alias.value if selection.alias else selection.name.value
                    found.setdefault(key, []).append(selection)
                case InlineFragmentNode():
                    if selection.type_condition is None or self._applies(selection.type_condition.name.value, kind):
                        self._visit(kind, selection.selection_set, found, visited)
                case FragmentSpreadNode():
                    name = selection.name.value
                    fragment = self._fragments[name]
                    if name not in visited and self._applies(fragment.type_condition.name.value, kind):
                        visited.add(name)
                        self._visit(kind, fragment.selection_set, found, visited)

    def _included(self, selection: SelectionNode) -> bool:
        for directive in selection.directives or ():
            name = directive.name.value
            if name in {"skip", "include"} and self._condition((directive.arguments or ())[0].value) is (name == "skip"):
                return False
        return True

    def _condition(self, node: object) -> bool:
        boolean = GraphQLNonNull(GraphQLBoolean)
        found = trace(node, boolean, self._variables)  # type: ignore[arg-type]
        return bool(getattr(found, "current", False))

    def _applies(self, name: str, kind: GraphQLObjectType) -> bool:
        if name == kind.name:
            return True
        condition = self._schema.type_map[name]
        return is_abstract_type(condition) and self._schema.is_sub_type(condition, kind)
