"""Runs operations: a document, its variables and a viewer in, the response's bytes out.

Everything that is declared is compiled: one statement for all root fields of a query, whose bytes are the data. Introspection runs
through graphql-core; fields with resolvers (mutations, previews) run in order, and what they show of the catalog is compiled too.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_argument_values,
    get_named_type,
)
from graphql.execution import execute_sync
from graphql.execution.values import VariableValues

from catalog import errors as known
from catalog.config import Config
from catalog.graph import computing, faults, limits, plans
from catalog.graph.acting import Acting
from catalog.graph.collecting import Collector
from catalog.graph.compiler import VIEWER, Compiler, declaration
from catalog.graph.completion import complete
from catalog.graph.faults import Rejected
from catalog.graph.payloads import Document, Reference, Writer
from catalog.graph.plans import Kept, Plan, Prepared
from catalog.graph.schema import graphql_schema
from catalog.indexer.provenance import Readings
from catalog.records import Scope
from catalog.store import compile as compiling
from catalog.store.database import Database
from catalog.store.reader import Reader
from catalog.store.selection import Operation

logger = logging.getLogger("catalog.graph")
_DOCUMENTS = 256
_PLANS = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The answer to one request: its bytes, whether all went well, and whether it was refused before anything ran."""

    body: bytes
    ok: bool
    is_request_error: bool = False
    code: str | None = None  # of the first error


class Graph:
    """The graph of one database. Keeps parsed documents and plans; one serves all requests of a process."""

    def __init__(self, database: Database, config: Config, *, sources: Mapping[str, compiling.Source] = compiling.SOURCES) -> None:
        self._database = database
        self._sources = sources
        self._config = config
        self._schema = graphql_schema()
        self._readings = Readings(config)
        self._documents: Kept[str, Prepared] = Kept(_DOCUMENTS)
        self._plans: Kept[Any, list[Plan]] = Kept(_PLANS)

    def acting(self, scope: Scope) -> Acting:
        """What resolvers act with for a viewer."""
        return Acting(database=self._database, config=self._config, scope=scope, readings=self._readings)

    def changes_something(self, document: str, operation_name: str | None) -> bool:
        """Whether the operation is a mutation; False also for what can't be read."""
        try:
            return self._prepare(document).operation(operation_name).operation is OperationType.MUTATION
        except Rejected:
            return False

    async def execute(
        self,
        document: str,
        variables: Mapping[str, Any] | None,
        operation_name: str | None,
        scope: Scope,
        *,
        request_id: str | None = None,
        only_query: bool = False,
    ) -> Response:
        """Run an operation as a viewer.

        Raises Unavailable when the database doesn't answer and Unauthenticated when a mutation needs a viewer; every other failure
        is in the response, unexpected ones masked and logged under an id that the response shows.
        """
        try:
            return await self._execute(document, variables, operation_name, scope, only_query=only_query)
        except Rejected as rejected:
            return _refused(rejected)
        except (known.Unavailable, known.Unauthenticated):
            raise
        except Exception:
            incident = request_id or secrets.token_hex(6)
            logger.exception("an operation failed unexpectedly: %s", incident)
            message = f"something went wrong here; it is logged under {incident}"
            return _response(b"null", [faults.error("INTERNAL", message, id=incident)])

    async def statement(
        self, document: str, variables: Mapping[str, Any] | None, operation_name: str | None, scope: Scope
    ) -> tuple[compiling.Statement, list[Any]]:
        """Return the one statement of a query and what it is bound with; raises Rejected."""
        prepared = self._prepare(document)
        operation = prepared.operation(operation_name)
        coerced = plans.coerce(self._schema, operation, variables) | {VIEWER: scope.principal_id}
        plan = self._plan(document, prepared, operation, coerced, scope)
        assert plan is not None
        return plan.statement, compiling.bind(plan.statement, plan.values(coerced), scope)

    async def _execute(
        self,
        document: str,
        given: Mapping[str, Any] | None,
        operation_name: str | None,
        scope: Scope,
        *,
        only_query: bool,
    ) -> Response:
        prepared = self._prepare(document)
        operation = prepared.operation(operation_name)
        if only_query and operation.operation is not OperationType.QUERY:
            raise Rejected(faults.error("QUERY_ONLY", "only queries are answered here"))
        coerced = plans.coerce(self._schema, operation, given) | {VIEWER: scope.principal_id}
        if operation.operation is OperationType.QUERY:
            plan = self._plan(document, prepared, operation, coerced, scope)
            if plan is not None:
                body, errors = await _run(self._database.reader, plan, coerced, self.acting(scope))
                return _response(body, errors)
        return await _Mixed(self, prepared, operation, coerced, scope).run()

    def _prepare(self, document: str) -> Prepared:
        prepared = self._documents.get(document)
        if prepared is None:
            prepared = plans.prepare(self._schema, document)
            self._documents.put(document, prepared)
        return prepared

    def _plan(
        self, document: str, prepared: Prepared, operation: OperationDefinitionNode, coerced: Mapping[str, Any], scope: Scope
    ) -> Plan | None:
        """The plan of a query, None when not all of it is declared."""
        name = operation.name.value if operation.name else None
        sight = compiling.sight.of(scope)
        key = (document, name, sight, plans.shape(self._schema, operation, coerced))
        variants = self._plans.get(key)
        if variants is None:
            variants = []
            self._plans.put(key, variants)
        found = next((plan for plan in variants if plan.fits(coerced)), None)
        if found is None:
            found = self._compile(prepared, operation, coerced, sight)
            if found is not None:
                variants[:] = [found, *variants[:7]]
        return found

    def _compile(
        self, prepared: Prepared, operation: OperationDefinitionNode, coerced: Mapping[str, Any], sight: compiling.sight.Sight
    ) -> Plan | None:
        collector = plans.collector(self._schema, prepared, coerced)
        query = self._schema.query_type
        assert query is not None
        collected = collector.fields(query, [operation.selection_set])
        if not all(_is_declared(query, nodes[0]) for nodes in collected.values()):
            return None
        compiler = Compiler(self._schema, collector, coerced)
        fields = tuple(compiler.root(query, key, nodes) for key, nodes in collected.items())
        return plans.plan(compiler, Operation(fields=fields), sight, self._sources)


class _Mixed:
    """An operation of which not everything is declared: its root fields one after the other."""

    def __init__(
        self, graph: Graph, prepared: Prepared, operation: OperationDefinitionNode, coerced: Mapping[str, Any], scope: Scope
    ) -> None:
        self._database = graph._database  # noqa: SLF001  # a part of the graph, kept apart for reading
        self._config = graph._config  # noqa: SLF001
        self._schema = graph._schema  # noqa: SLF001
        self._prepared = prepared
        self._operation = operation
        self._coerced = coerced
        self._acting = graph.acting(scope)
        self._sight = compiling.sight.of(scope)
        self._changes = operation.operation is OperationType.MUTATION
        self._collector: Collector = plans.collector(self._schema, prepared, coerced)
        self._errors: list[dict[str, Any]] = []

    async def run(self) -> Response:
        kind = self._schema.mutation_type if self._changes else self._schema.query_type
        assert kind is not None
        written = []
        for key, nodes in self._collector.fields(kind, [self._operation.selection_set]).items():
            body = await self._root(kind, key, nodes)
            if body is None:
                return _response(b"null", self._errors)
            written.append(json.dumps(key).encode() + b":" + body)
        return _response(b"{" + b",".join(written) + b"}", self._errors)

    async def _root(self, kind: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> bytes | None:
        name = nodes[0].name.value
        if name in {"__schema", "__type"}:
            return self._introspect(key, nodes)
        if _is_declared(kind, nodes[0]):
            compiler = Compiler(self._schema, self._collector, self._coerced)
            field = compiler.root(kind, key, nodes)
            body, errors = await self._read(compiler, Operation(fields=(field,)), ())
            self._errors += errors
            return _member(body, key)
        return await self._resolve(kind.fields[name], key, nodes)

    async def _resolve(self, field: GraphQLField, key: str, nodes: list[FieldNode]) -> bytes | None:
        payload_kind = get_named_type(field.type)
        assert isinstance(payload_kind, GraphQLObjectType)
        self._weigh(payload_kind, nodes)
        try:
            payload = await self._call(field, nodes[0])
        except GraphQLError as problem:
            self._errors.append(faults.of_graphql("BAD_USER_INPUT", problem) | {"path": [key]})
            return None if isinstance(field.type, GraphQLNonNull) else b"null"
        writer = Writer(self._schema, self._collector, self._show)
        return await writer.object(payload_kind, payload, nodes, (key,))

    def _weigh(self, payload_kind: GraphQLObjectType, nodes: list[FieldNode]) -> None:
        """Compile what the payload will show before anything is done, so that a refusal comes first."""
        for key, below in self._collector.below(payload_kind, nodes).items():
            if below[0].name.value.startswith("__"):
                continue
            inner = get_named_type(payload_kind.fields[below[0].name.value].type)
            if isinstance(inner, GraphQLObjectType) and hasattr(inner.extensions["strawberry-definition"].origin, "__source__"):
                compiler = Compiler(self._schema, self._collector, self._coerced)
                self._compiled(compiler, inner, key, below, Reference(id=""))
                self._check(compiler)

    async def _call(self, field: GraphQLField, node: FieldNode) -> Any:
        given = get_argument_values(field, node, VariableValues(sources={}, coerced=dict(self._coerced)))
        assert field.resolve is not None
        made = field.resolve(None, SimpleNamespace(context=self._acting), **given)
        return await made if isinstance(made, Awaitable) else made

    async def _show(
        self, shown: Reference | Document, kind: GraphQLObjectType, nodes: list[FieldNode], path: tuple[str, ...]
    ) -> bytes:
        compiler = Compiler(self._schema, self._collector, self._coerced)
        field = self._compiled(compiler, kind, path[-1], nodes, shown)
        body, errors = await self._read(compiler, Operation(fields=(field,)), path[:-1])
        self._errors += errors
        return _member(body, path[-1])

    def _compiled(
        self,
        compiler: Compiler,
        kind: GraphQLObjectType | GraphQLInterfaceType,
        key: str,
        nodes: list[FieldNode],
        shown: Reference | Document,
    ) -> Any:
        if isinstance(shown, Document):
            assert isinstance(kind, GraphQLObjectType)
            return compiler.given(key, shown.source, kind, nodes, json.dumps(shown.value, default=str))
        return compiler.one(key, kind, nodes, shown.id)

    def _check(self, compiler: Compiler) -> None:
        for read in compiler.slots.reads:
            read(self._coerced)

    async def _read(self, compiler: Compiler, operation: Operation, path: tuple[str, ...]) -> tuple[bytes, list[dict[str, Any]]]:
        plan = plans.plan(compiler, operation, self._sight)
        # What a mutation shows was just written: a replica may not have it yet.
        reader = self._database.primary_reader if self._changes else self._database.reader
        return await _run(reader, plan, self._coerced, self._acting, path=path)

    def _introspect(self, key: str, nodes: list[FieldNode]) -> bytes | None:
        """Let graphql-core answer one introspection field: a document of that field, the fragments and nothing else."""
        selections = SelectionSetNode(selections=tuple(nodes))
        operation = OperationDefinitionNode(
            operation=OperationType.QUERY,
            name=None,
            variable_definitions=self._operation.variable_definitions,
            directives=(),
            selection_set=selections,
        )
        document = DocumentNode(definitions=(operation, *self._prepared.fragments.values()))
        variables = {name: value for name, value in self._coerced.items() if name != VIEWER}
        result = execute_sync(self._schema, document, variable_values=variables)
        if result.errors:
            self._errors += [faults.of_graphql("INTROSPECTION_FAILED", problem) for problem in result.errors]
        if result.data is None:
            return None
        return json.dumps(result.data[key], ensure_ascii=False, separators=(",", ":")).encode()


async def _run(
    reader: Reader, plan: Plan, coerced: Mapping[str, Any], acting: Acting, *, path: tuple[str, ...] = ()
) -> tuple[bytes, list[dict[str, Any]]]:
    scope = acting.scope
    rows, allowed = plan.rows(coerced), limits.of(scope).nodes
    if rows > allowed:
        raise limits.too_much("TOO_MANY_NODES", "nodes, counted from the sizes of pages", rows, allowed)
    if plan.steps:
        return await computing.run(reader, plan, coerced, acting, path=path)
    arguments = compiling.bind(plan.statement, plan.values(coerced), scope)
    body = await reader.fetch_text(plan.statement.sql, arguments, generic=plan.statement.generic, key="the query")
    return complete(body, plan.statement.faults, prefix=path)


def _is_declared(kind: GraphQLObjectType, node: FieldNode) -> bool:
    name = node.name.value
    return name == "__typename" or (name in kind.fields and declaration(kind.fields[name]) is not None)


def _member(body: bytes, key: str) -> bytes:
    """The value of the only member of an object's text."""
    return body[len(json.dumps(key)) + 2 : -1] if body != b"null" else body


def _response(data: bytes, errors: list[dict[str, Any]]) -> Response:
    if not errors:
        return Response(body=b'{"data":' + data + b"}", ok=True)
    listed = json.dumps(errors, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace")
    return Response(body=b'{"errors":' + listed + b',"data":' + data + b"}", ok=False, code=errors[0]["extensions"]["code"])


def _refused(rejected: Rejected) -> Response:
    listed = json.dumps({"errors": list(rejected.errors)}, ensure_ascii=False, separators=(",", ":"), default=str)
    return Response(
        body=listed.encode("utf-8", "replace"),
        ok=False,
        is_request_error=True,
        code=rejected.errors[0]["extensions"]["code"],
    )
