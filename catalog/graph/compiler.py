"""Operation → selection: what a validated operation reads, as the plain values of `store.selection`.

Walks the operation once with the variables of this run, reads each field's declaration, and leaves values behind as slots. Knows no
SQL. What no declaration covers is left to `execution`: introspection, and fields with resolvers.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_abstract_type,
)

from catalog.graph import as_of, computed, conditions, declarations, limits, pages, periods
from catalog.graph.collecting import Collector
from catalog.graph.computed import Asked
from catalog.graph.declarations import READS, Argument, Column, Items, Paged, Reads
from catalog.graph.faults import bad_input
from catalog.graph.limits import MAX_IDS, MAX_LIST
from catalog.graph.tracing import NULL, Traced, Value, Variables, arguments, current, is_null, plain
from catalog.store import compile as compiling
from catalog.store.selection import (
    ALWAYS,
    All,
    Branch,
    ById,
    Choice,
    Computed,
    Condition,
    Each,
    Fault,
    Field,
    Fields,
    Given,
    Leaf,
    Literal,
    Lookup,
    Many,
    One,
    Op,
    Part,
    Piece,
    Related,
    Report,
    Slot,
    Test,
)
from catalog.store.selection import (
    Items as ItemsField,
)
from catalog.values import ID_PREFIXES

_BACKREF = "strawberry-definition"
BUDGET = "\x00budget"  # tells what the operation costs and what is left, as JSON
VIEWER = "\x00viewer"  # among the variables: the viewer's id; no GraphQL name begins so
_ITEMS = 10  # how many rows a plain list counts for
_DIMENSIONS = 4  # of one report at most
_NO_RATE = "no exchange rate from {source} to {target} on {day} is known: seeds/rates.csv tells them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """How many rows a list may show: its own size times itself and what hangs on each row; `opens`: points of reading it at all."""

    size: Callable[[Variables], int]
    inner: list[Weight] = field(default_factory=list)
    opens: int = 1

    def total(self, variables: Variables) -> int:
        """Return the number of rows at most."""
        return self.size(variables) * (1 + sum(weight.total(variables) for weight in self.inner))

    def tenths(self, variables: Variables) -> int:
        """Return what reading it costs, in tenths of a point."""
        return 10 * self.opens + self.size(variables) * (1 + sum(weight.tenths(variables) for weight in self.inner))


@dataclass(slots=True)
class Slots:
    """The values that a selection leaves behind, and what else of them its shape depends on."""

    reads: list[Callable[[Variables], Any]] = field(default_factory=list)
    shapes: list[tuple[Callable[[Variables], Hashable], Hashable]] = field(default_factory=list)

    def slot(self, kind: str, read: Callable[[Variables], Any]) -> Slot:
        """Register how a run reads a value, and return its slot."""
        self.reads.append(read)
        return Slot(number=len(self.reads) - 1, type=kind)

    def depends(self, value: Value, shape: Callable[[Any], Hashable]) -> None:
        """Say that the statement depends on more of a value than variables show by themselves."""
        if not value.fixed:
            self.shapes.append((lambda variables: shape(value.read(variables)), shape(value.current)))


class Compiler:
    """Compiles one operation for one set of variables."""

    def __init__(self, schema: GraphQLSchema, collector: Collector, variables: Variables) -> None:
        self.schema = schema
        self.collector = collector
        self.variables = variables
        self.slots = Slots()
        self.weights: list[Weight] = []
        self.computed: list[Asked] = []
        self._of_report: Callable[[Variables], Any] | None = None

    # ── where an operation starts ────────────────────────────────────────────────────────────────────────────────────

    def root(self, kind: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Field:
        """Compile a declared field of the query type."""
        name = nodes[0].name.value
        if name == "__typename":
            return Literal(key=key, text=f'"{kind.name}"')
        made = kind.fields[name]
        declared = declaration(made)
        given = arguments(made, nodes[0], self.variables)
        nullable = (True, not isinstance(made.type, GraphQLNonNull))
        match declared:
            case Paged():
                return self._paged(key, declared, None, made, nodes, given, nullable)
            case declarations.Lookup():
                return self._lookup(key, declared, made, nodes, given, nullable)
            case declarations.ById():
                return self._by_id(key, declared, made, nodes, given, nullable)
            case declarations.Told():
                kind = get_named_type(made.type)
                assert isinstance(kind, GraphQLObjectType)
                source = source_of(kind)
                fields = self._object(kind, source, nodes, nullable, self.weights)
                return Given(key=key, source=source, document=self.slots.slot("jsonb", _budget), fields=fields)
            case declarations.Report():
                return self._report(key, declared, made, nodes, given, nullable)
            case Items():
                return self._listed(key, declared, made, nodes, nullable)
            case _:
                raise AssertionError(f"{name} is no root")

    def one(self, key: str, kind: GraphQLObjectType | GraphQLInterfaceType, nodes: list[FieldNode], global_id: str) -> ById:
        """Compile what is shown of one thing whose id is known."""
        return ById(
            key=key,
            id=self.slots.slot("text", lambda _variables: global_id),
            branches=self._branches(kind, nodes, (True,), self.weights),
        )

    def inner(self) -> Compiler:
        """Return a compiler of a further statement of the same operation: its plan fits the variables that this one's does."""
        made = Compiler(self.schema, self.collector, self.variables)
        made.slots.shapes = self.slots.shapes
        return made

    def each(self, key: str, kind: GraphQLObjectType, nodes: list[FieldNode], nullable: tuple[bool, ...]) -> Each:
        """Compile what is shown of the things whose ids a run names."""
        slot = self.slots.slot("text[]", lambda variables: variables[computed.IDS])
        return Each(key=key, id=slot, branches=self._branches(kind, nodes, nullable, self.weights))

    @staticmethod
    def weight(size: Callable[[Variables], int]) -> Weight:
        """Return the weight of a list of facets, whose size a run reads."""
        return Weight(size=size, opens=limits.FACETS)

    @staticmethod
    def missing(kind: GraphQLObjectType, nullable: tuple[bool, ...]) -> Fault:
        """The fault of a thing that a value names and nothing is shown of."""
        return Fault(code="NULL", message=f"The {made_name(kind)} can't be shown any more.", climb=climb(nullable))

    def given(self, key: str, source: str, kind: GraphQLObjectType, nodes: list[FieldNode], document: str) -> Given:
        """Compile what is shown of a document."""
        fields = self._object(kind, source, nodes, (True,), self.weights)
        slot = self.slots.slot("jsonb", lambda _variables: document)
        return Given(key=key, source=source, document=slot, fields=fields)

    def _lookup(
        self,
        key: str,
        declared: declarations.Lookup,
        made: GraphQLField,
        nodes: list[FieldNode],
        given: dict[str, Traced],
        nullable: tuple[bool, ...],
    ) -> Lookup:
        kind = get_named_type(made.type)
        assert isinstance(kind, GraphQLObjectType)
        asked = self._arguments(declared.arguments, made, given)
        if asked == ALWAYS:
            names = " or ".join(made.args)
            raise bad_input(f"{nodes[0].name.value} needs one of its arguments: {names}", key)
        name, relation = made_name(kind), declared.relation
        position = None
        if declared.past is not None and not is_null(then := given.get("asOf")):
            of_run = self._arguments(as_of.of_runs(declared.arguments), made, given)
            position = as_of.position(self.slots, then, of_run, climb(nullable), key)
            relation = declared.past
        return Lookup(
            key=key,
            relation=relation,
            fields=self._object(kind, compiling.target(relation, None), nodes, nullable, self.weights),
            condition=asked,
            ambiguous=Fault(
                code="AMBIGUOUS",
                message=f"several {name}s answer to that name: say more",
                climb=climb(nullable),
            ),
            as_of=position,
        )

    def _report(
        self,
        key: str,
        declared: declarations.Report,
        made: GraphQLField,
        nodes: list[FieldNode],
        given: dict[str, Traced],
        nullable: tuple[bool, ...],
    ) -> Report:
        kind, where = get_named_type(made.type), get_named_type(made.args["where"].type)
        assert isinstance(kind, GraphQLObjectType)
        assert isinstance(where, GraphQLInputObjectType)
        asked = given["groupBy"]
        assert isinstance(asked, Value)
        # Which dimensions there are decides the statement: enums are part of a variable's shape.
        names = tuple(str(getattr(one, "value", one)) for one in asked.current)
        if not 0 < len(names) <= _DIMENSIONS or len(set(names)) < len(names):
            raise bad_input(f"`groupBy` takes one to {_DIMENSIONS} dimensions, each once", key)
        handed = {name: argument for name, argument in declared.arguments.items() if name != "group_by"}
        weight = Weight(size=lambda _variables: 1, opens=limits.OPENS["cost_report"])
        self.weights.append(weight)
        # Cursors of its rows hold for what this report groups and counts.
        self._of_report = lambda variables: [
            plain(given.get(name), variables) for name in ("groupBy", "period", "where", "currency")
        ]
        return Report(
            key=key,
            dimensions=names,
            fields=self._object(kind, source_of(kind), nodes, nullable, weight.inner),
            condition=conditions.condition(self.slots, where, given.get("where")),
            arguments=self._handed(handed, made, nodes),
            lacking=Fault(code="NO_EXCHANGE_RATE", message=_NO_RATE, climb=climb(nullable)),
        )

    def _listed(
        self, key: str, declared: Items, made: GraphQLField, nodes: list[FieldNode], nullable: tuple[bool, ...]
    ) -> ItemsField:
        kind = get_named_type(made.type)
        assert isinstance(kind, GraphQLObjectType)
        weight = Weight(size=lambda _variables: _ITEMS)
        self.weights.append(weight)
        fields = self._object(kind, source_of(kind), nodes, (*nullable, _items_nullable(made)), weight.inner)
        return ItemsField(
            key=key, relation=declared.relation, fields=fields, arguments=self._handed(declared.arguments, made, nodes)
        )

    def _by_id(
        self,
        key: str,
        declared: declarations.ById,
        made: GraphQLField,
        nodes: list[FieldNode],
        given: dict[str, Traced],
        nullable: tuple[bool, ...],
    ) -> ById:
        kind = get_named_type(made.type)
        assert isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType, GraphQLUnionType))
        if declared.viewer:
            return ById(
                key=key,
                id=self.slots.slot("text", lambda variables: variables[VIEWER]),
                branches=self._branches(kind, nodes, nullable, self.weights),
            )
        value = given["representations" if declared.represented else "ids" if declared.many else "id"]
        assert isinstance(value, Value)
        if not declared.many:
            # An id says what it is of: a statement per kind of thing, so that Postgres opens what this one needs and not all there is.
            self.slots.depends(value, _named_by)
            slot = self.slots.slot("text", lambda variables: conditions.sendable(value.read(variables)))
            branches = self._branches(kind, nodes, nullable, self.weights)
            return ById(key=key, id=slot, branches=tuple(each for each in branches if each.source == _named_by(value.current)))
        weight = Weight(size=lambda variables: len(value.read(variables)))
        self.weights.append(weight)
        branches = self._branches(kind, nodes, (*nullable, True), weight.inner)
        read = _represented if declared.represented else _ids
        slot = self.slots.slot("text[]", lambda variables: read(value.read(variables), key))
        return ById(key=key, id=slot, branches=branches, many=True)

    def _branches(
        self,
        kind: GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType,
        nodes: list[FieldNode],
        nullable: tuple[bool, ...],
        weights: list[Weight],
    ) -> tuple[Branch, ...]:
        possible = self.schema.get_possible_types(kind) if is_abstract_type(kind) else [kind]
        heaviest: list[Weight] = []
        branches = []
        for each in possible:
            assert isinstance(each, GraphQLObjectType)
            inner: list[Weight] = []
            source = source_of(each)
            branches.append(Branch(source=source, fields=self._object(each, source, nodes, nullable, inner)))
            if _rows(inner, self.variables) >= _rows(heaviest, self.variables):
                heaviest = inner
        weights += heaviest  # only one of them is read
        return tuple(branches)

    # ── objects ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _object(
        self,
        kind: GraphQLObjectType,
        source: str | None,
        nodes: list[FieldNode],
        nullable: tuple[bool, ...],
        weights: list[Weight],
    ) -> Fields:
        collected = self.collector.below(kind, nodes)
        return tuple(self.field(kind, source, key, below, nullable, weights) for key, below in collected.items())

    def object(
        self, kind: GraphQLObjectType, source: str | None, nodes: list[FieldNode], nullable: tuple[bool, ...], weights: list[Weight]
    ) -> Fields:
        """Compile an object of a source."""
        return self._object(kind, source, nodes, nullable, weights)

    def field(
        self,
        kind: GraphQLObjectType,
        source: str | None,
        key: str,
        nodes: list[FieldNode],
        nullable: tuple[bool, ...],
        weights: list[Weight],
    ) -> Field:
        """Compile a declared field of an object of a source."""
        name = nodes[0].name.value
        if name == "__typename":
            return Literal(key=key, text=f'"{kind.name}"')
        made = kind.fields[name]
        declared = declaration(made)
        here = (*nullable, not isinstance(made.type, GraphQLNonNull))
        inner = get_named_type(made.type)
        match declared:
            case Column():
                return Leaf(key=key, column=declared.name)
            case declarations.One():
                assert isinstance(inner, GraphQLObjectType)
                return One(
                    key=key,
                    relation=declared.relation,
                    fields=self._object(inner, _led_to(inner, declared.relation, source), nodes, here, weights),
                    arguments=self._handed(declared.arguments, made, nodes),
                    missing=None if here[-1] else _null_fault(kind, name, here),
                )
            case Items():
                assert isinstance(inner, GraphQLObjectType)
                weight = Weight(size=lambda _variables: _ITEMS, opens=0)
                fields = self._object(inner, source_of(inner), nodes, (*here, _items_nullable(made)), weight.inner)
                if weight.inner:
                    weights.append(weight)
                given = arguments(made, nodes[0], self.variables)
                asked = self._arguments(declared.arguments, made, given)
                return ItemsField(key=key, relation=declared.relation, fields=fields, condition=asked)
            case Paged():
                given = arguments(made, nodes[0], self.variables)
                return self._paged(key, declared, source, made, nodes, given, here, weights)
            case declarations.Computed():
                return self._computed(key, declared, made, nodes, here, weights)
            case declarations.Choice():
                branches = self._branches(inner, nodes, here, weights)
                return Choice(
                    key=key, column=declared.column, branches=branches, missing=None if here[-1] else _null_fault(kind, name, here)
                )
            case _:
                raise AssertionError(f"{kind.name}.{name} has no declaration")

    def _computed(
        self,
        key: str,
        declared: declarations.Computed,
        made: GraphQLField,
        nodes: list[FieldNode],
        nullable: tuple[bool, ...],
        weights: list[Weight],
    ) -> Computed:
        given = arguments(made, nodes[0], self.variables)
        asked = Asked(
            declared=declared,
            kind=made.type,
            nodes=nodes,
            given={name: given.get(camel(name), NULL) for name in declared.arguments},
            nullable=nullable,
            shown=tuple(computed.shown(self, made.type, nodes, nullable)),
            schema=self.schema,
            collector=self.collector,
        )
        self.computed.append(asked)
        inner = [weight for shown in asked.shown for weight in shown.compiler.weights]
        weights.append(Weight(size=lambda _variables: declared.weight, inner=inner, opens=declared.weight))
        return Computed(key=key, number=len(self.computed) - 1)

    # ── connections ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _paged(
        self,
        key: str,
        declared: Paged,
        parent: str | None,
        made: GraphQLField,
        nodes: list[FieldNode],
        given: dict[str, Traced],
        nullable: tuple[bool, ...],
        weights: list[Weight] | None = None,
    ) -> Many:
        kind = get_named_type(made.type)
        assert isinstance(kind, GraphQLObjectType)
        order = pages.order(given.get("orderBy"))
        relation = _relation(declared, given)
        asked: Condition = ALWAYS
        handed: tuple[tuple[str, Slot], ...] = ()
        if relation == declared.relation:
            asked = self._filter(declared, made, given)
            handed = self._handed(_without_path(declared.arguments), made, nodes)
        else:
            handed = self._handed(_without_switch(declared.arguments), made, nodes)
        weight, outer = Weight(size=pages.size_reader(given, key)), self.weights if weights is None else weights
        page = pages.page(
            self.slots,
            given,
            key=key,
            name=f"{parent or ''}.{relation}",
            order=order,
            kinds=compiling.key_types(relation, parent, order),
            filter_reader=self._filters(declared, parent, given),
        )
        parts = pages.parts(self, kind, compiling.target(relation, parent), nodes, nullable, weight.inner, outer)
        counts = sum(limits.COUNT for part in parts if isinstance(part, Part) and part.piece is Piece.TOTAL_COUNT)
        outer.append(replace(weight, opens=limits.OPENS.get(relation, 1) + counts))
        return Many(key=key, relation=relation, parts=parts, page=page, order=order, condition=asked, arguments=handed)

    def _filters(self, declared: Paged, parent: str | None, given: dict[str, Traced]) -> Callable[[Variables], Any]:
        """How a run reads what cursors of a list are bound to."""
        of_report = self._of_report if parent == "cost_report" else None

        def read(variables: Variables) -> Any:
            told = [plain(given.get(name), variables) for name in ("where", *declared.arguments)]
            return told if of_report is None else [told, of_report(variables)]

        return read

    def filtered(self, declared: declarations.Events, made: GraphQLField, given: dict[str, Traced]) -> Condition:
        """Compile which events are asked for."""
        return self._filter(declared, made, given)

    def _filter(self, declared: Paged | declarations.Events, made: GraphQLField, given: dict[str, Traced]) -> Condition:
        parts = [self._arguments(declared.arguments, made, given)]
        if "where" in made.args:
            kind = get_named_type(made.args["where"].type)
            assert isinstance(kind, GraphQLInputObjectType)
            parts.append(conditions.condition(self.slots, kind, given.get("where")))
        parts = [part for part in parts if part != ALWAYS]
        if not parts:
            return ALWAYS
        return parts[0] if len(parts) == 1 else All(conditions=tuple(parts))

    # ── arguments ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _arguments(self, declared: Mapping[str, Argument], made: GraphQLField, given: dict[str, Traced]) -> Condition:
        tests: list[Condition] = []
        for name, argument in declared.items():
            graphql_name = camel(name)
            value = given.get(graphql_name, NULL)
            if not argument.path or is_null(value):
                continue
            assert isinstance(value, Value)
            kind = conditions.sql_type(made.args[graphql_name].type)
            slot = self.slots.slot(kind, _reader(value))
            test: Condition = Test(column=argument.path[-1], op=Op.EQ, slots=(slot,))
            for relation in reversed(argument.path[:-1]):
                test = Related(relation=relation, condition=test)
            tests.append(test)
        return All(conditions=tuple(tests))

    def _handed(self, declared: Mapping[str, Argument], made: GraphQLField, nodes: list[FieldNode]) -> tuple[tuple[str, Slot], ...]:
        if not declared:
            return ()
        given = arguments(made, nodes[0], self.variables)
        slots: list[tuple[str, Slot]] = []
        for name in declared:
            value, kind = given.get(camel(name), NULL), made.args[camel(name)].type
            if isinstance(get_named_type(kind), GraphQLInputObjectType):
                ends = zip((f"{name}_from", f"{name}_to"), periods.readers(value, nodes[0].name.value), strict=True)
                slots += [(end, self.slots.slot("date", read)) for end, read in ends]
            else:
                slots.append((name, self.slots.slot(_handed_type(kind), _reader(value))))
        return tuple(slots)


# ── the declarations of a type ───────────────────────────────────────────────────────────────────────────────────────


def _named_by(global_id: Any) -> str | None:
    """The source of what an id is of; None when it is of nothing."""
    return compiling.BY_PREFIX.get(global_id[:3]) if isinstance(global_id, str) else None


def _budget(variables: Variables) -> Any:
    return variables[BUDGET]()


def declaration(made: GraphQLField) -> Reads | None:
    """Return what a field reads, None when it is computed."""
    found: Reads | None = made.extensions[_BACKREF].metadata.get(READS)
    return found


def source_of(kind: GraphQLObjectType, *, within: str | None = None) -> str:
    """Return the source of a type's rows; a type without one is made of the row it hangs on."""
    found: str | None = getattr(kind.extensions[_BACKREF].origin, "__source__", within)
    return found or ""


def _led_to(kind: GraphQLObjectType, relation: str, source: str | None) -> str:
    """The source that a relation of a row leads to: not always that of the type, since the past has sources of its own."""
    led = compiling.target(relation, source) if source else None
    return led or source_of(kind, within=source)


def _relation(declared: Paged, given: Mapping[str, Traced]) -> str:
    """The relation that a list reads: another one where an argument says so."""
    chosen = (argument.instead for name, argument in declared.arguments.items() if current(given.get(camel(name))) is True)
    return next((relation for relation in chosen if relation is not None), declared.relation)


def _without_path(declared: Mapping[str, Argument]) -> Mapping[str, Argument]:
    return {name: argument for name, argument in declared.items() if not argument.path and argument.instead is None}


def _handed_type(kind: GraphQLInputType) -> str:
    """The Postgres type of an argument that is handed to a relation."""
    bare = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return "text[]" if isinstance(bare, GraphQLList) else "text"


def _without_switch(declared: Mapping[str, Argument]) -> Mapping[str, Argument]:
    return {name: argument for name, argument in declared.items() if argument.instead is None}


def _reader(value: Traced) -> Callable[[Variables], Any]:
    return lambda variables: conditions.sendable(plain(value, variables))


def made_name(kind: GraphQLObjectType) -> str:
    """Return a type's name as people say it: `component instance`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind.name).strip()


def camel(name: str) -> str:
    """Return the graph's name of an argument."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _null_fault(kind: GraphQLObjectType, name: str, nullable: tuple[bool, ...]) -> Fault:
    message = f"Cannot return null for non-nullable field {kind.name}.{name}."
    return Fault(code="NULL", message=message, climb=climb(nullable))


def climb(nullable: tuple[bool, ...]) -> int:
    """How many levels above the last one the nearest place that may be null is."""
    return next((steps for steps, may in enumerate(reversed(nullable)) if may), len(nullable) - 1)


def _items_nullable(made: GraphQLField) -> bool:
    kind: Any = made.type
    while isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    return not (isinstance(kind, GraphQLList) and isinstance(kind.of_type, GraphQLNonNull))


def _rows(weights: list[Weight], variables: Variables) -> int:
    return sum(weight.total(variables) for weight in weights)


def _ids(given: list[str], key: str) -> list[str]:
    if len(given) > MAX_IDS:
        raise bad_input(f"{len(given)} ids, at most {MAX_IDS} are allowed", key)
    sent: list[str] = conditions.sendable(given)
    return sent


def _represented(given: list[Any], key: str) -> list[str]:
    """The ids that a gateway's representations name; one that isn't of the type it claims to be names nothing."""
    if len(given) > MAX_LIST:
        raise bad_input(f"{len(given)} representations, at most {MAX_LIST} are allowed", key)
    for number, each in enumerate(given):
        if not isinstance(each, dict) or not all(isinstance(each.get(name), str) for name in ("__typename", "id")):
            raise bad_input("a representation is an object of `__typename` and `id`, both texts", key, number)
    named = [each["id"] if each["id"].startswith(f"{ID_PREFIXES.get(each['__typename'])}_") else "" for each in given]
    sent: list[str] = conditions.sendable(named)
    return sent
