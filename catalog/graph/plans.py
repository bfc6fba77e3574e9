"""Plans: compiled operations, kept by document, operation, viewer's shape and what of the variables decides the statement."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    get_operation_ast,
    parse,
    type_from_ast,
    validate,
)
from graphql.execution import get_variable_values

from catalog.graph import faults, limits, tracing
from catalog.graph.collecting import Collector
from catalog.graph.compiler import Compiler, Weight
from catalog.graph.computed import IDS, Asked, Path
from catalog.graph.faults import Rejected
from catalog.graph.tracing import Variables
from catalog.store import compile as compiling
from catalog.store.selection import Operation

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """The most recently used values, so many of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return a value and make it the latest used."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key]

    def put(self, key: K, value: V) -> None:
        """Keep a value; the one that was not used for longest makes room."""
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._most:
            self._values.popitem(last=False)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A document that was parsed, judged and found valid, and its operations by name."""

    document: DocumentNode
    fragments: Mapping[str, FragmentDefinitionNode]

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Return the operation of that name, or the only one; raises Rejected."""
        found = get_operation_ast(self.document, name)
        if found is None:
            what = f"there is no operation named {name!r}" if name else "say by operationName which operation to run"
            raise Rejected(faults.error("BAD_REQUEST", what))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A compiled operation: its statement, how a run reads the values of its slots, and how many rows it may show."""

    statement: compiling.Statement
    reads: tuple[Callable[[Variables], Any], ...]
    shapes: tuple[tuple[Callable[[Variables], Hashable], Hashable], ...]
    weights: tuple[Weight, ...]
    steps: tuple[Step, ...] = ()

    def fits(self, variables: Variables) -> bool:
        """Whether the plan serves these variables too."""
        return all(read(variables) == shape for read, shape in self.shapes)

    def rows(self, variables: Variables) -> int:
        """Return how many rows the operation may show."""
        return sum(weight.total(variables) for weight in self.weights)

    def values(self, variables: Variables) -> list[Any]:
        """Return the values of the slots; raises Rejected for one that doesn't hold."""
        return [read(variables) for read in self.reads]

    def check(self, variables: Variables) -> None:
        """Read what the steps will be given, so that a refusal comes before anything runs; raises Rejected."""
        for step in self.steps:
            step.asked.arguments(variables)
            for plan in step.plans.values():
                plan.values({**variables, IDS: []})
                plan.check(variables)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A computed field of a compiled operation, and the plans that read what its values name, by their path."""

    asked: Asked
    plans: Mapping[Path, Plan]


def plan(
    compiler: Compiler,
    operation: Operation,
    sight: compiling.sight.Sight,
    sources: Mapping[str, compiling.Source] = compiling.SOURCES,
) -> Plan:
    """Compile a selection to its statement, and those of its computed fields to theirs."""
    return Plan(
        statement=compiling.statement(operation, sight, sources),
        reads=tuple(compiler.slots.reads),
        shapes=tuple(compiler.slots.shapes),
        weights=tuple(compiler.weights),
        steps=tuple(
            Step(
                asked=asked,
                plans={shown.path: plan(shown.compiler, shown.operation, sight, sources) for shown in asked.shown},
            )
            for asked in compiler.computed
        ),
    )


def prepare(schema: GraphQLSchema, text: str) -> Prepared:
    """Parse, judge and validate a document; raises Rejected."""
    allowed = limits.OF_DOCUMENT
    if len(text) > allowed.document:
        raise limits.too_much("DOCUMENT_TOO_LARGE", "characters of document", len(text), allowed.document)
    try:
        document = parse(text, max_tokens=allowed.tokens)
    except GraphQLError as problem:
        code = "TOO_MANY_TOKENS" if "tokens" in problem.message else "GRAPHQL_PARSE_FAILED"
        raise Rejected(faults.of_graphql(code, problem)) from problem
    except RecursionError as problem:
        raise Rejected(faults.error("TOO_DEEP", f"the document is nested more than {allowed.depth} levels deep")) from problem
    limits.check_document(document)
    found = validate(schema, document, max_errors=5)
    if found:
        raise Rejected(*(faults.of_graphql("GRAPHQL_VALIDATION_FAILED", problem) for problem in found))
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            limits.check_operation(node, fragments)
    return Prepared(document=document, fragments=fragments)


def coerce(schema: GraphQLSchema, operation: OperationDefinitionNode, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the coerced variables of an operation; raises Rejected."""
    found = get_variable_values(schema, operation.variable_definitions or (), dict(given or {}), max_errors=5)
    if isinstance(found, list):
        raise Rejected(*(faults.of_graphql("BAD_USER_INPUT", problem) for problem in found))
    return dict(found.coerced)


def shape(schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Variables) -> Hashable:
    """Return what of the variables decides the statement."""
    told = []
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        if name in variables:
            kind = type_from_ast(schema, definition.type)
            told.append((name, tracing.shape(kind, variables[name])))  # type: ignore[arg-type]
    return tuple(told)


def collector(schema: GraphQLSchema, prepared: Prepared, variables: Variables) -> Collector:
    """Return a collector of a document's selection sets."""
    return Collector(schema, prepared.fragments, variables)
