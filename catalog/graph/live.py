"""Runs subscriptions: events as the bytes of responses, read in the order of their sequence, each as its viewer may see it then.

Rows are the truth. What stands behind the last event is read in one statement, compiled as any other reading is, so that the rules
of visibility and the errors are the same; then a bell is waited for. Nothing is queued for a client: one that reads slowly reads later.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, OperationType, get_named_type

from catalog import errors as known
from catalog.graph import faults, limits, plans
from catalog.graph.compiler import BUDGET, VIEWER, Compiler, declaration
from catalog.graph.declarations import Events
from catalog.graph.execution import Graph, answered, read_plan
from catalog.graph.faults import Rejected, bad_input
from catalog.graph.plans import Plan
from catalog.graph.tracing import arguments, plain
from catalog.records import FINAL_STATES, Scope
from catalog.store import compile as compiling
from catalog.store import live, locked
from catalog.store.live import Bells, Place
from catalog.store.selection import Leaf, Literal, Many, One, Operation, Page, Part, Piece

logger = logging.getLogger("catalog.graph")
AFTER, SIZE = "\x00after", "\x00size"  # among the variables: the last sequence that was told, and how many events are read at once
_PLACES, _EVENTS, _SEQUENCE = "places", "events", "sequence"
_BATCH = 50
_LOOK = 30.0  # seconds between looks when nothing rings: a message may be lost, a token may end
_RETRY = 1.0  # seconds until a database that is away is asked again
_LARGEST = 2**31 - 1

Viewer = Callable[[], Awaitable[Scope]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event as a response, and its place."""

    body: bytes
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """The one thing that a subscription is about: the argument that names it, and the query that tells whether it is seen."""

    argument: str
    query: str


_SUBJECTS = {
    "request_events": _Subject(argument="id", query="query ($name: ID!) { subject: provisioningRequest(id: $name) { state } }"),
    "run_events": _Subject(argument="estate", query="query ($name: String!) { subject: estate(name: $name) { name } }"),
}


def subscription(
    graph: Graph,
    bells: Bells,
    document: str,
    given: Mapping[str, Any] | None,
    operation_name: str | None,
    scope: Scope,
    *,
    resume: int | None = None,
) -> Subscription | None:
    """Return what a document subscribes to, None when it is no subscription; raises Rejected and RateLimited.

    `resume` is a sequence behind which to go on, whatever the document says.
    """
    prepared = graph.prepared(document, scope)
    operation = prepared.operation(operation_name)
    if operation.operation is not OperationType.SUBSCRIPTION:
        return None
    coerced = plans.coerce(graph.schema, operation, given) | {VIEWER: scope.principal_id, BUDGET: str}
    made = Subscription(graph, bells, plans.collector(graph.schema, prepared, coerced), operation.selection_set, coerced, scope)
    if resume is not None:
        made.resume(resume)
    return made


class Subscription:
    """One subscription. Made for a viewer, but what is told is judged again each time."""

    def __init__(self, graph: Graph, bells: Bells, collector: Any, selected: Any, coerced: dict[str, Any], scope: Scope) -> None:
        self._graph, self._bells, self._database = graph, bells, graph.database
        self._collector, self._coerced = collector, coerced
        kind = graph.schema.subscription_type
        assert kind is not None
        collected = collector.fields(kind, [selected])
        (self._key, self._nodes), *others = collected.items() or [("", [])]
        if others or not self._nodes or self._nodes[0].name.value.startswith("__"):
            raise Rejected(faults.error("BAD_REQUEST", "a subscription asks for exactly one event"))
        self._field: GraphQLField = kind.fields[self._nodes[0].name.value]
        declared = declaration(self._field)
        assert isinstance(declared, Events)
        self._declared = declared
        traced = arguments(self._field, self._nodes[0], coerced)
        self._given = {name: plain(value, coerced) for name, value in traced.items()}
        self._after = self._given.get("after")
        if self._after is not None and self._after < 0:
            raise bad_input("`after` is a sequence, so 0 or more", self._key)
        self._plans: dict[Any, Plan] = {}
        plan = self._plan(scope)
        plan.values(self._variables(0, 1))
        plan.check(self._variables(0, 1))
        rows, allowed = 1 + sum(weight.total(self._coerced) for weight in plan.weights), limits.of(scope)
        if rows > allowed.nodes:
            raise limits.too_much("TOO_MANY_NODES", "nodes an event, counted from the sizes of pages", rows, allowed.nodes)
        self._batch = max(1, min(_BATCH, allowed.nodes // rows))
        self._cost = plan.cost(self._variables(0, 1))
        graph.pay(scope, limits.OPERATION + self._cost)

    def resume(self, sequence: int) -> None:
        """Go on behind a sequence, whatever was asked for."""
        self._after = sequence

    async def events(self, viewer: Viewer) -> AsyncGenerator[Event, None]:
        """Yield the events as they come; `viewer` tells who asks at that moment.

        Raises Rejected when the subject is not there or not seen (any more), whatever `viewer` raises, and Unavailable for an event
        that takes too long to read. A database that is away is waited for.
        """
        place = self._place()
        with self._bells.bell(place.topic) as bell:
            told = self._after
            while True:
                bell.silence()
                try:
                    scope = await viewer()
                    is_over = await self._is_over(scope)
                    last = await live.last(self._database, place)
                    told = last if told is None else min(told, last)
                    self._graph.admit(scope)
                    found = await self._read(scope, told) if last > told else []
                except known.RateLimited as limited:
                    await bell.wait(min(limited.retry_after, _LOOK))
                    continue
                except known.Unavailable as away:
                    if away.code == "TIMEOUT":
                        raise
                    await asyncio.sleep(_RETRY)
                    continue
                for event in found:
                    yield event
                    told = event.sequence
                if len(found) == self._batch:
                    continue
                # Behind the last event there was nothing for this viewer up to here, and nothing will come to stand there.
                told = max(told, last)
                if is_over:
                    return
                await bell.wait(_LOOK)

    def _place(self) -> Place:
        if self._declared.relation == "request_events":
            return Place(topic=live.of_request(self._given["id"]), request_id=self._given["id"])
        return Place(topic=live.RUNS if self._declared.relation == "run_events" else live.CHANGES)

    async def _is_over(self, scope: Scope) -> bool:
        """Whether nothing more will happen; raises Rejected when the subject is out of sight."""
        subject = _SUBJECTS.get(self._declared.relation)
        name = self._given.get(subject.argument) if subject else None
        if subject is None or name is None:
            return False
        statement, values = await self._graph.statement(subject.query, {"name": name}, None, scope)
        body = await locked.fetch_text(self._database, scope, statement.sql, values)
        found = {} if "\x01" in body else json.loads(body)["subject"]  # several answer to the name: they are seen
        if found is None:
            raise Rejected(faults.error("NOT_FOUND", f"there is no {subject.argument} {name} that you may see", path=(self._key,)))
        return found.get("state") in FINAL_STATES

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _variables(self, told: int, size: int) -> dict[str, Any]:
        return {**self._coerced, AFTER: told, SIZE: size}

    async def _read(self, scope: Scope, told: int) -> list[Event]:
        variables = self._variables(told, self._batch) | {VIEWER: scope.principal_id}
        body, errors = await read_plan(self._graph, self._plan(scope), variables, scope)
        shown = json.loads(body)[self._key]
        self._graph.take(scope, self._cost * len(shown[_EVENTS]))
        return [
            Event(body=self._response(number, event, errors), sequence=place[_SEQUENCE])
            for number, (place, event) in enumerate(zip(shown[_PLACES], shown[_EVENTS], strict=True))
        ]

    def _response(self, number: int, event: Any, errors: list[dict[str, Any]]) -> bytes:
        """One event as a response of its own, with the errors that stand in it."""
        mine = [{**error, "path": [self._key, *error["path"][3:]]} for error in errors if error["path"][2] == number]
        if event is None:
            return answered(b"null", mine)
        text = json.dumps({self._key: event}, ensure_ascii=False, separators=(",", ":"))
        return answered(text.encode("utf-8", "surrogatepass"), mine)

    def _plan(self, scope: Scope) -> Plan:
        sight = compiling.sight.of(scope)
        if sight not in self._plans:
            compiler = Compiler(self._graph.schema, self._collector, self._coerced)
            operation = Operation(fields=(self._many(compiler),))
            self._plans = {sight: plans.plan(compiler, operation, sight)}
        return self._plans[sight]

    def _many(self, compiler: Compiler) -> Many:
        """The list that is read: as much as a batch has behind the last event, each as an edge of the thing that it is about."""
        relation = self._declared.relation
        kind = get_named_type(self._field.type)
        assert isinstance(kind, GraphQLObjectType)
        slots = compiler.slots
        (of_key,) = compiling.key_types(relation, None, ())
        cursor = slots.slot(of_key, lambda variables: min(variables[AFTER], _LARGEST) if of_key == "int4" else variables[AFTER])
        page = Page(
            size=slots.slot("int8", lambda variables: variables[SIZE]),
            tag=slots.slot("text", lambda _variables: ""),
            cursor=(cursor,),
        )
        places = Part(key=_PLACES, piece=Piece.EDGES, parts=(Leaf(key=_SEQUENCE, column="sequence"),))
        events = Part(key=_EVENTS, piece=Piece.EDGES, parts=self._parts(compiler, kind, compiling.target(relation, None)))
        asked = compiler.filtered(self._declared, self._field, arguments(self._field, self._nodes[0], self._coerced))
        return Many(key=self._key, relation=relation, parts=(places, events), page=page, condition=asked)

    def _parts(self, compiler: Compiler, kind: GraphQLObjectType, source: str | None) -> tuple[Part | Literal | Leaf | One, ...]:
        made: list[Part | Literal | Leaf | One] = []
        nullable = (True,)  # an event in which a null climbs as far as it can is a response without data
        for key, below in self._collector.below(kind, self._nodes).items():
            name = below[0].name.value
            if name.startswith("__") or declaration(kind.fields[name]) is not None:
                field = compiler.field(kind, None, key, below, nullable, compiler.weights)
                assert isinstance(field, (Literal, Leaf, One))
                made.append(field)
            else:
                inner = get_named_type(kind.fields[name].type)
                assert isinstance(inner, GraphQLObjectType)
                fields = compiler.object(inner, source, below, (*nullable, False), compiler.weights)
                made.append(Part(key=key, piece=Piece.NODE, fields=fields))
        return tuple(made)


def masked(error: Exception) -> dict[str, Any]:
    """What a client reads of a failure in a subscription: the reason of an expected one, else the id under which it is logged."""
    if isinstance(error, known.CatalogError):
        return faults.error(error.code, error.message, **({"hint": error.hint} if error.hint else {}))
    incident = secrets.token_hex(6)
    logger.error("a subscription failed unexpectedly: %s", incident, exc_info=error)
    return faults.error("INTERNAL", f"something went wrong here; it is logged under {incident}", id=incident)
