"""Operation → one SQL statement whose single row holds the response's text.

Relations are correlated subselects, those to many under their limit; both enter every source through its visible rows. A look-up by key
for each row of a page was measured a tenth faster than left joins beside the row: a join makes the page sort its finished text once
more. What is computed once a row (sums, documents) is joined. Rows are limited first and written then: what the limit drops costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.store.compile import text
from catalog.store.compile.conditions import predicate
from catalog.store.compile.connection import connection, stream
from catalog.store.compile.ordering import keys
from catalog.store.compile.report import report
from catalog.store.compile.sight import Sight
from catalog.store.compile.source import Column, Relation, Same, Source, ToMany, ToOne
from catalog.store.compile.sources import BY_PREFIX, ROOTS, SOURCES
from catalog.store.compile.sources import as_of as past
from catalog.store.compile.writing import Parameter, Writing
from catalog.store.selection import (
    AsOf,
    ById,
    Choice,
    Computed,
    Each,
    Fault,
    Field,
    Fields,
    Given,
    Items,
    Leaf,
    Listing,
    Literal,
    Lookup,
    Many,
    One,
    Operation,
    Report,
    Slot,
)

_PREFIXES = {source: prefix for prefix, source in BY_PREFIX.items()}
_AMBIGUOUS_SHOWN = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A compiled operation: SQL text, what its placeholders are bound with, its faults by number, and its class.

    `generic` says that it is bounded whatever its parameters, so that it may be planned once for all of them.
    """

    sql: str
    parameters: tuple[Parameter, ...]
    faults: tuple[Fault, ...]
    generic: bool


def statement(operation: Operation, sight: Sight, sources: Mapping[str, Source] = SOURCES) -> Statement:
    """Compile an operation for viewers of one shape."""
    writing = Writing(sight, sources)
    body = Writer(writing).roots(operation.fields)
    return Statement(
        sql=f"select {body}",
        parameters=tuple(writing.parameters),
        faults=tuple(writing.faults),
        generic=writing.bounded,
    )


def listing(listing: Listing, sight: Sight, sources: Mapping[str, Source] = SOURCES) -> Statement:
    """Compile a whole list for viewers of one shape: a statement of one text column and as many rows as the list has."""
    writing = Writing(sight, sources)
    return Statement(
        sql=Writer(writing).listing(listing),
        parameters=tuple(writing.parameters),
        faults=tuple(writing.faults),
        generic=False,
    )


class Writer:
    """Writes expressions for the fields of one selection; joins are added to the list of the FROM clause they stand in."""

    def __init__(self, writing: Writing) -> None:
        self.writing = writing

    def roots(self, fields: Fields) -> str:
        """Write the fields of an operation, which hang on no row."""
        written = text.Concatenation().text("{")
        for number, field in enumerate(fields):
            written.text(f'{"," if number else ""}"{field.key}":')
            self._root(written, field)
        return written.text("}").sql()

    def listing(self, listing: Listing) -> str:
        """Write the query of a whole list, which hangs on no row or on the one with an id."""
        many = listing.many
        if listing.parent is None:
            return stream(self, ROOTS[many.relation], "", many)
        source = self.writing.sources[listing.parent]
        relation = source.relations[many.relation]
        assert isinstance(relation, ToMany)
        assert listing.id is not None
        parent, rows = self.writing.alias(), self.writing.alias()
        on = f"{parent}.id = {self.writing.slot(listing.id)} and {self.writing.visible(source, parent)}"
        below = stream(self, relation, parent, many)
        return f"select {rows}.j from {source.rows} {parent} cross join lateral ({below}) {rows} where {on}"

    def object(
        self,
        columns: Mapping[str, Column],
        relations: Mapping[str, Relation],
        alias: str,
        fields: Fields,
        joins: list[str],
    ) -> str:
        """Write an object of the row `alias`."""
        written = text.Concatenation().text("{")
        for number, field in enumerate(fields):
            written.text(f'{"," if number else ""}"{field.key}":')
            self.field(written, columns, relations, alias, field, joins)
        return written.text("}").sql()

    def field(
        self,
        written: text.Concatenation,
        columns: Mapping[str, Column],
        relations: Mapping[str, Relation],
        alias: str,
        field: Field,
        joins: list[str],
    ) -> None:
        """Append one field's value."""
        match field:
            case Literal():
                written.text(field.text)
            case Leaf():
                written.expression(self._leaf(columns, relations, alias, field, joins))
            case One():
                written.expression(self._one(relations[field.relation], alias, field, joins))
            case Items():
                written.expression(self._items(relations[field.relation], alias, field))
            case Many():
                relation = relations[field.relation]
                assert isinstance(relation, ToMany)
                connection(self, written, relation, alias, field)
            case Computed():
                written.expression(text.place(field.number, self._row(columns, alias)))
            case Choice():
                wanted = self.writing.fill(columns[field.column].sql, a=alias)
                written.expression(f"coalesce({self._by_id(field, wanted)},{self._missing(field)})")
            case Lookup() | ById() | Each() | Report() | Given():
                raise AssertionError("only an operation itself looks things up")

    def row(self, source: Source, alias: str, fields: Fields, joins: list[str]) -> str:
        """Write an object of a source's row."""
        return self.object(source.columns, source.relations, alias, fields, joins)

    def _row(self, columns: Mapping[str, Column], alias: str) -> str:
        """What tells a row: its id, and of a row of the past the revision that it is of, `-` where a directory was read."""
        revision = columns.get("as_of_revision")
        return f"{alias}.id||';'" + (f"||coalesce({self.writing.fill(revision.sql, a=alias)},'-')" if revision else "")

    def origin(
        self, relation: ToMany, source: Source, alias: str, parent: str, arguments: tuple[tuple[str, Slot], ...] = ()
    ) -> str:
        """Return the FROM item of a to-many relation."""
        rows = (
            self.writing.fill(relation.rows, a=parent, b=alias, arguments=arguments) if relation.rows else f"{source.rows} {alias}"
        )
        return f"{rows} {self.writing.fill(relation.join, a=parent, b=alias, arguments=arguments)}".rstrip()

    def rules(self, relation: ToMany, source: Source, alias: str, parent: str) -> list[str]:
        """Return what every row of a to-many relation fulfils before any filter: the link, still there, visible."""
        rules = [self.writing.fill(relation.link, a=parent, b=alias), self.writing.fill(source.current, b=alias)]
        if not relation.proven:
            rules.append(self.writing.visible(source, alias))
        return [rule for rule in rules if rule != "true"]

    def _leaf(
        self,
        columns: Mapping[str, Column],
        relations: Mapping[str, Relation],
        alias: str,
        field: Leaf,
        joins: list[str],
    ) -> str:
        through, _, name = field.column.rpartition(".")
        if not through:
            column = columns[name]
            return text.value(column, self.writing.fill(column.sql, a=alias))
        relation = relations[through]
        assert isinstance(relation, ToOne)
        source = self.writing.sources[relation.target]
        known = f"{alias}_{through}"  # one join, however many columns are shown through it
        join = f"left join {source.rows} {known} on {self._on(relation, source, known, alias)}"
        if join not in joins:
            joins.append(join)
        return text.value(source.columns[name], self.writing.fill(source.columns[name].sql, a=known))

    # ── to one ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _one(self, relation: Relation, alias: str, field: One, joins: list[str]) -> str:
        if isinstance(relation, Same):
            body = self.object(relation.columns, relation.relations, alias, field.fields, joins)
            present = self.writing.fill(relation.present, a=alias)
            return body if present == "true" else f"case when {present} then {body} else {self._missing(field)} end"
        assert isinstance(relation, ToOne)
        source = self.writing.sources[relation.target]
        inner = self.writing.alias()
        rows = self.writing.fill(relation.rows or source.rows, a=alias, b=inner, arguments=field.arguments)
        if relation.always:
            joins.append(f"left join lateral {rows} {inner} on true")
            return self.row(source, inner, field.fields, joins)
        within: list[str] = []
        body = self.row(source, inner, field.fields, within)
        on = self._on(relation, source, inner, alias)
        first = f" order by {inner}.{source.key} limit 1" if relation.first else ""
        return f"coalesce((select {body} from {rows} {inner} {' '.join(within)} where {on}{first}),{self._missing(field)})"

    def _on(self, relation: ToOne, source: Source, inner: str, alias: str) -> str:
        rules = [self.writing.fill(relation.on, a=alias, b=inner), self.writing.fill(relation.where, b=inner)]
        if not relation.proven:
            rules.append(self.writing.visible(source, inner))
        return " and ".join(rule for rule in rules if rule != "true")

    def _missing(self, field: One | Choice) -> str:
        return text.mark(self.writing.fault(field.missing)) if field.missing else "'null'"

    # ── to many, unpaged ─────────────────────────────────────────────────────────────────────────────────────────────

    def _items(self, relation: Relation, alias: str, field: Items) -> str:
        assert isinstance(relation, ToMany)
        source = self.writing.sources[relation.target]
        inner = self.writing.alias()
        rules = self.rules(relation, source, inner, alias)
        rules.append(predicate(self.writing, source, inner, field.condition))
        joins: list[str] = []
        body = self.row(source, inner, field.fields, joins)
        order = ", ".join(
            f"{self.writing.fill(key.sql, b=inner)}{' desc' if key.descending else ''}" for key in keys(relation, source, ())
        )
        rows = (
            f"select {body} as j from {self.origin(relation, source, inner, alias, field.arguments)} {' '.join(joins)}"
            f" where {' and '.join(rules)} order by {order}"
        )
        listed = f"'['||coalesce((select string_agg(q.j, ',') from ({rows}) q),'')||']'"
        if relation.present is None:
            return listed
        return f"case when {self.writing.fill(relation.present, a=alias)} then {listed} else 'null' end"

    # ── roots ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _root(self, written: text.Concatenation, field: Field) -> None:
        match field:
            case Literal():
                written.text(field.text)
            case Many():
                connection(self, written, ROOTS[field.relation], "", field, root=True)
            case Lookup():
                written.expression(self._lookup(field))
            case ById():
                written.expression(
                    self._by_ids(field) if field.many else f"coalesce({self._by_id(field, self.writing.slot(field.id))},'null')"
                )
            case Each():
                written.expression(self._each(field))
            case Given():
                written.expression(self._given(field))
            case Report():
                written.expression(report(self, field))
            case Items():
                written.expression(self._items(ROOTS[field.relation], "", field))
            case Leaf() | One() | Computed() | Choice():
                raise AssertionError("an operation has no row of its own")

    def _lookup(self, field: Lookup) -> str:
        relation = ROOTS[field.relation]
        positions = self.writing.alias() if field.as_of else ""
        source = self.writing.sources[relation.target]
        alias = self.writing.alias()
        rules = [*self.rules(relation, source, alias, positions), predicate(self.writing, source, alias, field.condition)]
        joins: list[str] = []
        body = self.row(source, alias, field.fields, joins)
        label = self.writing.fill(relation.label or f"{alias}.{source.key}", a=alias)
        mark = text.mark(self.writing.fault(field.ambiguous), "json_agg(q.label order by q.label)::text")
        origin = self.origin(relation, source, alias, positions)
        among = f"{positions} cross join lateral {origin}" if field.as_of else origin
        # Found first and written then: dear expressions beside a scan hide from the planner how dear the scan is.
        found = f"select {alias}.* from {among} where {' and '.join(rules)} limit {_AMBIGUOUS_SHOWN}"
        rows = f"select {body} as j, {label} as label from ({found}) {alias} {' '.join(joins)}"
        known, faults = self._positions(field.as_of, positions) if field.as_of else ("", "")
        return f"({known}select case {faults}when count(*) > 1 then {mark} else coalesce(min(q.j),'null') end from ({rows}) q)"

    def _positions(self, as_of: AsOf, name: str) -> tuple[str, str]:
        """Write where a look-up into the past reads, as a named query, and the cases in which it reads nowhere."""
        runs, run = self.writing.sources["index_run"], self.writing.alias()
        found = self.writing.fill(past.RUNS[as_of.moment], arguments=(("moment", as_of.value),))
        rules = f"{self.writing.visible(runs, run)} and {predicate(self.writing, runs, run, as_of.condition)}"
        shown = self.writing.fill(past.POSITION, b=run)
        revisions = f"(select json_agg(x.as_of_revision order by x.as_of_revision)::text from {name} x)"
        missing, ambiguous = (self.writing.fault(fault) for fault in (as_of.missing, as_of.ambiguous))
        named = f"with {name} as materialized (select {shown} from ({found}) {run} where {rules}) "
        cases = (
            f"when not exists(select from {name}) then {text.mark(missing)}"
            f" when (select count(*) > count(distinct x.as_of_estate) from {name} x) then {text.mark(ambiguous, revisions)} "
        )
        return named, cases

    def _by_id(self, field: ById | Each | Choice, wanted: str) -> str:
        branches = "".join(
            f" when '{_PREFIXES[branch.source]}' then {self._branch(self.writing.sources[branch.source], branch.fields, wanted)}"
            for branch in field.branches
        )
        # Where nothing may be meant, the parameter is named all the same: Postgres must know its type.
        return f"case left({wanted},3){branches} end" if branches else f"case when {wanted} is null then null::text end"

    def _branch(self, source: Source, fields: Fields, wanted: str) -> str:
        alias = self.writing.alias()
        joins: list[str] = []
        body = self.row(source, alias, fields, joins)
        rules = [f"{alias}.id = {wanted}", self.writing.visible(source, alias)]
        return f"(select {body} from {source.rows} {alias} {' '.join(joins)} where {' and '.join(rules)})"

    def _by_ids(self, field: ById) -> str:
        return f"'['||coalesce((select string_agg(coalesce(q.j,'null'),',') from ({self._listed(field)}) q),'')||']'"

    def _each(self, field: Each) -> str:
        return f"coalesce((select string_agg(coalesce(q.j,'null'),E'\\x03') from ({self._listed(field)}) q),'')"

    def _listed(self, field: ById | Each) -> str:
        alias = self.writing.alias()
        return (
            f"select {self._by_id(field, f'{alias}.id')} as j from unnest({self.writing.slot(field.id)}) with ordinality as"
            f" {alias}(id, n) order by {alias}.n"
        )

    def _given(self, field: Given) -> str:
        source = self.writing.sources[field.source]
        alias = self.writing.alias()
        joins: list[str] = []
        body = self.row(source, alias, field.fields, joins)
        document = self.writing.slot(field.document)
        return f"(select {body} from (select {document} as preview) {alias} {' '.join(joins)})"
