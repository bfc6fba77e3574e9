"""Runs operations: a document, its variables and a viewer in, the response's bytes out.

Everything that is declared is compiled: one statement for all root fields of a query, whose bytes are the data. Introspection runs
through graphql-core; fields with resolvers (mutations, previews) run in order, and what they show of the catalog is compiled too.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, fields, replace
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
    GraphQLSchema,
    NameNode,
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
from catalog.graph import computing, faults, federation, limits, plans
from catalog.graph.acting import Acting, deadline
from catalog.graph.collecting import Collector
from catalog.graph.compiler import BUDGET, VIEWER, Compiler, declaration
from catalog.graph.completion import complete
from catalog.graph.declarations import Told
from catalog.graph.faults import Rejected
from catalog.graph.kept import Kept
from catalog.graph.payloads import HOSTS, Document, Host, Listed, Reference, Writer
from catalog.graph.plans import Plan, Prepared
from catalog.graph.problems import problem
from catalog.graph.rates import Budget, Rates
from catalog.graph.tracing import arguments, current
from catalog.graph.trusted import Documents
from catalog.indexer.provenance import Readings
from catalog.records import Scope
from catalog.store import compile as compiling
from catalog.store.database import Database
from catalog.store.reader import Reader
from catalog.store.selection import Operation

logger = logging.getLogger("catalog.graph")
# What a process keeps, counted and weighed: a token of a parsed document takes about 1 KiB, a plan some times its statement.
_TOKEN = 1024
_DOCUMENTS, _TOKENS = 256, 40_000
_REFUSALS, _REFUSED = 256, 1024 * 1024
_PLANS, _PLANNED = 1_024, 64 * 1024 * 1024
_DESCRIPTIONS, _DESCRIBED = 64, 4 * 1024 * 1024
_VARIANTS = 32  # plans of one document that differ by more than the shape of the variables
_INTROSPECTION = frozenset({"__schema", "__type"})
_DESCRIBING = _INTROSPECTION | {"_service"}  # what shows the schema
_SUGGESTION = re.compile(r" Did you mean .*$", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The answer to one request: its bytes, whether all went well, and whether it was refused before anything ran."""

    body: bytes
    ok: bool
    is_request_error: bool = False
    code: str | None = None  # of the first error
    budget: Budget | None = None  # what it cost its viewer, and what is left
    retry_after: int | None = None  # seconds, where the viewer asked for too much in a minute


class Graph:
    """The graph of one database. Keeps parsed documents and plans; one serves all requests of a process.

    `rates`: how much a viewer may ask for in a minute; without, as much as they like. `seconds`: how long one operation may take.
    `trusted`: documents that may be asked for by id.
    """

    def __init__(
        self,
        database: Database,
        config: Config,
        *,
        sources: Mapping[str, compiling.Source] = compiling.SOURCES,
        rates: Rates | None = None,
        trusted: Documents | None = None,
        seconds: float = limits.SECONDS,
    ) -> None:
        self._database = database
        self._sources = sources
        self._config = config
        self._schema = federation.served(config)
        self._readings = Readings(config)
        self._rates = rates or Rates(None)
        self.trusted = trusted or Documents()
        self._seconds = seconds
        self._documents: Kept[str, Prepared] = Kept(_DOCUMENTS, heaviest=_TOKENS)
        self._refusals: Kept[str, Rejected] = Kept(_REFUSALS, heaviest=_REFUSED)
        self._plans: Kept[Any, Plan] = Kept(_PLANS, heaviest=_PLANNED)
        self._descriptions: Kept[Any, bytes] = Kept(_DESCRIPTIONS, heaviest=_DESCRIBED)

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

        Raises Unavailable when the database doesn't answer, or not in time, and Unauthenticated when a mutation needs a viewer; every
        other failure is in the response, unexpected ones masked and logged under an id that the response shows.
        """
        who, allowed = scope.principal_id, limits.of(scope)
        try:
            self._rates.admit(who, allowed)
            async with asyncio.timeout(self._seconds) as limit:
                deadline.set(limit)
                return await self._execute(document, variables, operation_name, scope, only_query=only_query)
        except Rejected as rejected:
            self._rates.take(who, allowed, allowed.refusal)
            return replace(_refused(rejected, tells=_may_introspect(scope)), budget=self._rates.tell(who, allowed, allowed.refusal))
        except known.RateLimited as limited:
            refused = _refused(Rejected(faults.error(limited.code, str(limited), retryAfter=limited.retry_after)))
            return replace(refused, budget=self._rates.tell(who, allowed), retry_after=limited.retry_after)
        except TimeoutError as error:
            message = f"the operation took longer than {self._seconds:g} s and was given up"
            raise known.Unavailable(message, code="TIMEOUT", hint="ask for less at once") from error
        except (known.Unavailable, known.Unauthenticated):
            raise
        except Exception:
            incident = request_id or secrets.token_hex(6)
            logger.exception("an operation failed unexpectedly: %s", incident)
            message = f"something went wrong here; it is logged under {incident}"
            return _response(b"null", [faults.error("INTERNAL", message, id=incident)])

    @property
    def schema(self) -> GraphQLSchema:
        """The schema that documents are validated against."""
        return self._schema

    @property
    def database(self) -> Database:
        """The database that is read."""
        return self._database

    def prepared(self, document: str, scope: Scope) -> Prepared:
        """Return a document that holds; raises Rejected and RateLimited, as `execute` answers."""
        self.admit(scope)
        return self._prepare(document, scope)

    def admit(self, scope: Scope) -> None:
        """Raise RateLimited while a viewer has nothing left of the minute."""
        self._rates.admit(scope.principal_id, limits.of(scope))

    def take(self, scope: Scope, cost: int) -> None:
        """Take what was spent already from a viewer's minute."""
        self._rates.take(scope.principal_id, limits.of(scope), cost)

    def pay(self, scope: Scope, cost: int) -> Budget:
        """Take what an operation costs from its viewer's minute; raises Rejected for one that is too dear, RateLimited."""
        allowed = limits.of(scope)
        if cost > allowed.cost:
            raise limits.too_much("TOO_EXPENSIVE", "points, computed from what is asked for", cost, allowed.cost)
        return self._rates.pay(scope.principal_id, allowed, cost)

    async def statement(
        self, document: str, variables: Mapping[str, Any] | None, operation_name: str | None, scope: Scope
    ) -> tuple[compiling.Statement, list[Any]]:
        """Return the one statement of a query and what it is bound with; raises Rejected."""
        prepared = self._prepare(document)
        operation = prepared.operation(operation_name)
        budget = self._rates.tell(scope.principal_id, limits.of(scope))
        coerced = plans.coerce(self._schema, operation, variables) | {VIEWER: scope.principal_id, BUDGET: budget.told}
        plan = self._plan(prepared, operation, coerced, scope)
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
        prepared = self._prepare(document, scope)
        operation = prepared.operation(operation_name)
        if only_query and operation.operation is not OperationType.QUERY:
            raise Rejected(faults.error("QUERY_ONLY", "only queries are answered here"))
        if operation.operation is OperationType.SUBSCRIPTION:
            how = "subscribe over a websocket (graphql-transport-ws), or accept text/event-stream"
            raise Rejected(faults.error("SUBSCRIPTION", f"a subscription has more than one answer: {how}"))
        coerced = plans.coerce(self._schema, operation, given) | {VIEWER: scope.principal_id}
        if operation.operation is OperationType.QUERY:
            plan = self._plan(prepared, operation, coerced, scope)
            if plan is not None:
                return await self._answer(plan, coerced, scope)
        return await _Mixed(self, prepared, operation, coerced, scope).run()

    async def _answer(self, plan: Plan, coerced: dict[str, Any], scope: Scope) -> Response:
        check_rows(plan, coerced, scope)
        cost = limits.OPERATION + plan.cost(coerced)
        if plan.only_priced is not None:
            plan, budget = plan.only_priced, self._rates.tell(scope.principal_id, limits.of(scope), cost)
        else:
            budget = self.pay(scope, cost)
        coerced[BUDGET] = budget.told
        body, errors = await _run(self._database.reader, plan, coerced, self.acting(scope))
        return replace(_response(body, errors), budget=budget)

    def _prepare(self, document: str, scope: Scope | None = None) -> Prepared:
        """A document that holds; a new one costs its reader something, in memory and time, and so its viewer. Raises Rejected."""
        if self.trusted.only and scope is not None and not scope.is_admin and not self.trusted.holds(document):
            raise Rejected(faults.error("NOT_TRUSTED", "only trusted documents are answered here: name one by `documentId`"))
        prepared = self._documents.get(document)
        if prepared is not None:
            return prepared
        refused = self._refusals.get(document)
        if refused is not None:
            raise Rejected(*refused.errors)
        try:
            prepared = plans.prepare(self._schema, document)
        except Rejected as rejected:
            self._refusals.put(document, rejected, len(document))
            raise
        self._documents.put(document, prepared, prepared.tokens)
        if scope is not None:
            self._rates.take(scope.principal_id, limits.of(scope), prepared.tokens // limits.TOKENS)
        return prepared

    def _plan(
        self, prepared: Prepared, operation: OperationDefinitionNode, coerced: Mapping[str, Any], scope: Scope
    ) -> Plan | None:
        """The plan of a query, None when not all of it is declared."""
        name = operation.name.value if operation.name else None
        sight = compiling.sight.of(scope)
        key = (prepared.text, name, sight, plans.shape(self._schema, prepared, operation, coerced))
        for number in range(_VARIANTS):
            kept = self._plans.get((key, number))
            if kept is not None and kept.fits(coerced):
                return kept
        found = self._compile(prepared, operation, coerced, sight)
        if found is not None:
            number = next((n for n in range(_VARIANTS) if self._plans.get((key, n)) is None), 0)
            self._plans.put((key, number), found, found.weight + _TOKEN * prepared.tokens)
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
        plan = self._planned(query, collected, collector, coerced, sight)
        dry = {key: nodes for key, nodes in collected.items() if _is_dry(query, nodes[0], coerced)}
        return replace(plan, only_priced=self._planned(query, dry, collector, coerced, sight)) if dry else plan

    def _planned(
        self,
        query: GraphQLObjectType,
        collected: Mapping[str, list[FieldNode]],
        collector: Collector,
        coerced: Mapping[str, Any],
        sight: compiling.sight.Sight,
    ) -> Plan:
        compiler = Compiler(self._schema, collector, coerced)
        read = tuple(compiler.root(query, key, nodes) for key, nodes in collected.items())
        return plans.plan(compiler, Operation(fields=read), sight, self._sources)


class _Mixed:
    """An operation of which not everything is declared: its root fields one after the other."""

    def __init__(
        self, graph: Graph, prepared: Prepared, operation: OperationDefinitionNode, coerced: dict[str, Any], scope: Scope
    ) -> None:
        self._graph = graph
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
        roots = self._collector.fields(kind, [self._operation.selection_set])
        if not _may_introspect(self._acting.scope) and any(nodes[0].name.value in _DESCRIBING for nodes in roots.values()):
            raise Rejected(faults.error("INTROSPECTION_OFF", "the schema is shown to who is signed in"))
        tenths = sum([self._tenths(kind, key, nodes) for key, nodes in roots.items()])
        try:
            budget = self._graph.pay(self._acting.scope, limits.OPERATION + -(-tenths // 10))
        except known.RateLimited as limited:
            if not self._changes:
                raise
            return await self._unpaid(kind, roots, limited)
        self._coerced[BUDGET] = budget.told
        written = []
        for key, nodes in roots.items():
            body = await self._root(kind, key, nodes)
            if body is None:
                return replace(_response(b"null", self._errors), budget=budget)
            written.append(json.dumps(key).encode() + b":" + body)
        return replace(_response(b"{" + b",".join(written) + b"}", self._errors), budget=budget)

    def _tenths(self, kind: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> int:
        """What a root field costs, in tenths of a point; raises Rejected for what it must not ask for, before anything is done."""
        name = nodes[0].name.value
        if name in _INTROSPECTION:
            return 10 * limits.INTROSPECTION
        if _is_declared(kind, nodes[0]):
            compiler = Compiler(self._schema, self._collector, self._coerced)
            compiler.root(kind, key, nodes)
            return self._weighed(compiler)
        payload_kind = get_named_type(kind.fields[name].type)
        assert isinstance(payload_kind, GraphQLObjectType)
        return 10 * (limits.RESOLVED if self._changes else limits.PREVIEW) + self._weigh(payload_kind, nodes)

    def _weighed(self, compiler: Compiler) -> int:
        for read in compiler.slots.reads:
            read(self._coerced | {BUDGET: str})
        check_rows(compiler, self._coerced, self._acting.scope)
        return sum(weight.tenths(self._coerced) for weight in compiler.weights)

    async def _unpaid(self, kind: GraphQLObjectType, roots: Mapping[str, list[FieldNode]], limited: known.RateLimited) -> Response:
        """The payloads of mutations that were not done, since their viewer asked for too much in this minute."""
        written = []
        for key, nodes in roots.items():
            if nodes[0].name.value == "__typename":
                written.append(json.dumps(key).encode() + b":" + json.dumps(kind.name).encode())
                continue
            payload_kind = get_named_type(kind.fields[nodes[0].name.value].type)
            assert isinstance(payload_kind, GraphQLObjectType)
            made = payload_kind.extensions["strawberry-definition"].origin
            payload = made(**{each.name: None for each in fields(made)} | {"errors": [problem(limited)]})
            writer = Writer(self._schema, self._collector, self._show)
            written.append(json.dumps(key).encode() + b":" + await writer.object(payload_kind, payload, nodes, (key,)))
        budget = self._graph.pay(self._acting.scope, 0)
        return replace(_response(b"{" + b",".join(written) + b"}", []), budget=budget, retry_after=limited.retry_after)

    async def _root(self, kind: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> bytes | None:
        name = nodes[0].name.value
        if name in _INTROSPECTION:
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
        try:
            payload = await self._call(field, nodes[0])
        except GraphQLError as problem:
            self._errors.append(faults.of_graphql("BAD_USER_INPUT", problem) | {"path": [key]})
            return None if isinstance(field.type, GraphQLNonNull) else b"null"
        except known.CatalogError as expected:
            if payload_kind.name not in HOSTS:  # payloads tell what is expected themselves
                raise
            self._errors.append(faults.of_catalog(expected, key))
            return None if isinstance(field.type, GraphQLNonNull) else b"null"
        if isinstance(payload, Listed):
            host = HOSTS[payload_kind.name]
            kind, asked = self._hosted(host, key, nodes)
            return _member(await self._show(Document(source=host.source, value=payload.value), kind, asked, (key,)), key)
        writer = Writer(self._schema, self._collector, self._show)
        return await writer.value(field.type, payload, nodes, (key,))

    def _weigh(self, payload_kind: GraphQLObjectType, nodes: list[FieldNode]) -> int:
        """Compile what the payload will show before anything is done, so that a refusal comes first; return its tenths of points."""
        if payload_kind.name in HOSTS:
            host = HOSTS[payload_kind.name]
            kind, asked = self._hosted(host, "list", nodes)
            compiler = Compiler(self._schema, self._collector, self._coerced)
            self._compiled(compiler, kind, "list", asked, Document(source=host.source, value={}))
            return self._weighed(compiler)
        total = 0
        for key, below in self._collector.below(payload_kind, nodes).items():
            if below[0].name.value.startswith("__"):
                continue
            inner = get_named_type(payload_kind.fields[below[0].name.value].type)
            if isinstance(inner, GraphQLObjectType) and hasattr(inner.extensions["strawberry-definition"].origin, "__source__"):
                compiler = Compiler(self._schema, self._collector, self._coerced)
                self._compiled(compiler, inner, key, below, Reference(id=""))
                total += self._weighed(compiler)
        return total

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

    def _hosted(self, host: Host, key: str, nodes: list[FieldNode]) -> tuple[GraphQLObjectType, list[FieldNode]]:
        """The host's type, and a selection of it that asks its field for what the nodes ask for."""
        kind = self._schema.type_map[host.kind]
        assert isinstance(kind, GraphQLObjectType)
        known = kind.fields[host.field].args
        asked = [
            FieldNode(
                name=NameNode(value=host.field),
                alias=NameNode(value=key),
                arguments=tuple(one for one in node.arguments or () if one.name.value in known),
                directives=(),
                selection_set=node.selection_set,
            )
            for node in nodes
        ]
        selections = SelectionSetNode(selections=tuple(asked))
        return kind, [FieldNode(name=NameNode(value=key), arguments=(), directives=(), selection_set=selections)]

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

    async def _read(self, compiler: Compiler, operation: Operation, path: tuple[str, ...]) -> tuple[bytes, list[dict[str, Any]]]:
        plan = plans.plan(compiler, operation, self._sight)
        # What a mutation shows was just written: a replica may not have it yet.
        reader = self._database.primary_reader if self._changes else self._database.reader
        return await _run(reader, plan, self._coerced, self._acting, path=path)

    def _introspect(self, key: str, nodes: list[FieldNode]) -> bytes | None:
        """Let graphql-core answer one introspection field: a document of that field, the fragments and nothing else."""
        variables = {name: value for name, value in self._coerced.items() if not name.startswith("\x00")}
        asked = (self._prepared.text, self._operation.name and self._operation.name.value, key, json.dumps(variables, default=str))
        kept = self._graph._descriptions.get(asked)  # noqa: SLF001
        if kept is not None:
            return kept
        selections = SelectionSetNode(selections=tuple(nodes))
        operation = OperationDefinitionNode(
            operation=OperationType.QUERY,
            name=None,
            variable_definitions=self._operation.variable_definitions,
            directives=(),
            selection_set=selections,
        )
        document = DocumentNode(definitions=(operation, *self._prepared.fragments.values()))
        result = execute_sync(self._schema, document, variable_values=variables)
        if result.errors:
            self._errors += [faults.of_graphql("INTROSPECTION_FAILED", problem) for problem in result.errors]
        if result.data is None:
            return None
        body = json.dumps(result.data[key], ensure_ascii=False, separators=(",", ":")).encode()
        if not result.errors:
            self._graph._descriptions.put(asked, body, len(body) + len(self._prepared.text))  # noqa: SLF001
        return body


def check_rows(asked: Plan | Compiler, coerced: Mapping[str, Any], scope: Scope) -> None:
    """Refuse what may show more rows than its viewer may ask for at once; raises Rejected."""
    rows, allowed = sum(weight.total(coerced) for weight in asked.weights), limits.of(scope).nodes
    if rows > allowed:
        raise limits.too_much("TOO_MANY_NODES", "nodes, counted from the sizes of pages", rows, allowed)


async def _run(
    reader: Reader, plan: Plan, coerced: Mapping[str, Any], acting: Acting, *, path: tuple[str, ...] = ()
) -> tuple[bytes, list[dict[str, Any]]]:
    if plan.steps:
        return await computing.run(reader, plan, coerced, acting, path=path)
    arguments = compiling.bind(plan.statement, plan.values(coerced), acting.scope)
    body = await reader.fetch_text(plan.statement.sql, arguments, generic=plan.statement.generic, key="the query")
    return complete(body, plan.statement.faults, prefix=path)


async def read_plan(graph: Graph, plan: Plan, coerced: Mapping[str, Any], scope: Scope) -> tuple[bytes, list[dict[str, Any]]]:
    """Return the data of a plan and its errors, read where it is written: what woke a reader may not have come to a replica yet."""
    return await _run(graph.database.primary_reader, plan, coerced, graph.acting(scope))


def answered(data: bytes, errors: list[dict[str, Any]]) -> bytes:
    """The body of a response."""
    return _response(data, errors).body


def _may_introspect(scope: Scope) -> bool:
    """Whether the schema is shown to a viewer, and so may be hinted at."""
    return limits.of(scope) is not limits.ANONYMOUS


def _is_dry(kind: GraphQLObjectType, node: FieldNode, coerced: Mapping[str, Any]) -> bool:
    """Whether a root field asks for the price alone."""
    declared = declaration(kind.fields[node.name.value]) if node.name.value in kind.fields else None
    return isinstance(declared, Told) and current(arguments(kind.fields[node.name.value], node, coerced).get("dryRun")) is True


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


def _refused(rejected: Rejected, *, tells: bool = True) -> Response:
    errors = list(rejected.errors)
    if not tells:
        errors = [error | {"message": _SUGGESTION.sub("", error["message"])} for error in errors]
    listed = json.dumps({"errors": errors}, ensure_ascii=False, separators=(",", ":"), default=str)
    return Response(
        body=listed.encode("utf-8", "replace"),
        ok=False,
        is_request_error=True,
        code=rejected.errors[0]["extensions"]["code"],
    )
