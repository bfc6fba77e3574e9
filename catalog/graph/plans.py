"""Plans: compiled operations, kept by document, operation, viewer's shape and what of the variables decides the statement."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLInputType,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    get_operation_ast,
    is_input_type,
    parse,
    type_from_ast,
    validate,
)
from graphql.execution import get_variable_values

from catalog.graph import faults, judging, limits, tracing
from catalog.graph.collecting import Collector
from catalog.graph.compiler import Compiler, Weight
from catalog.graph.computed import IDS, Asked, Path
from catalog.graph.faults import Rejected
from catalog.graph.tracing import Variables
from catalog.store import compile as compiling
from catalog.store.selection import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A document that was parsed, judged and found valid, and its operations by name."""

    text: str
    document: DocumentNode
    fragments: Mapping[str, FragmentDefinitionNode]
    tokens: int  # how many the document is made of: what reading it costs
    kinds: dict[str | None, tuple[tuple[str, GraphQLInputType], ...]] = field(default_factory=dict)  # of variables, by operation

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
    only_priced: Plan | None = None  # what is shown instead where the operation asks for its price alone

    @property
    def weight(self) -> int:
        """How much memory the plan takes, in characters of its statements."""
        return len(self.statement.sql) + sum(plan.weight for step in self.steps for plan in step.plans.values())

    def fits(self, variables: Variables) -> bool:
        """Whether the plan serves these variables too."""
        return all(read(variables) == shape for read, shape in self.shapes)

    def cost(self, variables: Variables) -> int:
        """Return what reading them costs, in points."""
        return -(-sum(weight.tenths(variables) for weight in self.weights) // 10)

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
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    if size > allowed.document:
        raise limits.too_much("DOCUMENT_TOO_LARGE", "bytes of document", size, allowed.document)
    too_deep = Rejected(faults.error("TOO_DEEP", f"the document is nested more than {allowed.depth} levels deep"))
    try:
        document = parse(text, max_tokens=allowed.tokens)
        judging.check(document, allowed)
        found = validate(schema, document, max_errors=5)
    except GraphQLSyntaxError as problem:
        if "nested too deeply" in problem.message:
            raise too_deep from problem
        code = "TOO_MANY_TOKENS" if "tokens" in problem.message else "GRAPHQL_PARSE_FAILED"
        raise Rejected(faults.of_graphql(code, problem)) from problem
    except RecursionError as problem:
        raise too_deep from problem
    if found:
        raise Rejected(*(faults.of_graphql("GRAPHQL_VALIDATION_FAILED", problem) for problem in found))
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return Prepared(text=text, document=document, fragments=fragments, tokens=_tokens(document))


def _tokens(document: DocumentNode) -> int:
    """How many tokens a document was read from: its nodes know where they begin and end, and tokens know their next."""
    total, token = 0, document.loc.start_token if document.loc else None
    while token is not None:
        total, token = total + 1, token.next
    return total


def coerce(schema: GraphQLSchema, operation: OperationDefinitionNode, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the coerced variables of an operation; raises Rejected."""
    judging.check_variables(given)
    found = get_variable_values(schema, operation.variable_definitions or (), dict(given or {}), max_errors=5)
    if isinstance(found, list):
        raise Rejected(*(faults.of_graphql("BAD_USER_INPUT", problem) for problem in found))
    return dict(found.coerced)


def shape(schema: GraphQLSchema, prepared: Prepared, operation: OperationDefinitionNode, variables: Variables) -> Hashable:
    """Return what of the variables decides the statement."""
    which = operation.name.value if operation.name else None
    kinds = prepared.kinds.get(which)
    if kinds is None:
        kinds = prepared.kinds[which] = tuple(_kinds(schema, operation))
    return tuple((name, tracing.shape(kind, variables[name])) for name, kind in kinds if name in variables)


def _kinds(schema: GraphQLSchema, operation: OperationDefinitionNode) -> Iterator[tuple[str, GraphQLInputType]]:
    for definition in operation.variable_definitions or ():
        kind = type_from_ast(schema, definition.type)
        assert is_input_type(kind)
        yield definition.variable.name.value, kind


def collector(schema: GraphQLSchema, prepared: Prepared, variables: Variables) -> Collector:
    """Return a collector of a document's selection sets."""
    return Collector(schema, prepared.fragments, variables)
