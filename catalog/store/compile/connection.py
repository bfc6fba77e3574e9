"""Connections: one page of an ordered list, its edges, its page info and its total count.

    (select '{"nodes":['||…||']}' from (select … as j0 from (<at most n+1 rows, numbered>) r left join … order by r.rn) q)

The constant limit of 101 stands under the bound one because a generic plan would price `limit $n` at a tenth of the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.store.compile import text
from catalog.store.compile.conditions import predicate
from catalog.store.compile.facets import facets
from catalog.store.compile.ordering import keys
from catalog.store.compile.source import Key, Source, ToMany
from catalog.store.selection import ALWAYS, Facets, Leaf, Literal, Many, One, Page, Part, Piece, Slot

if TYPE_CHECKING:
    from catalog.store.compile.statement import Writer

_MOST = 101


def connection(
    writer: Writer, written: text.Concatenation, relation: ToMany, parent: str, field: Many, *, root: bool = False
) -> None:
    """Append a connection."""
    written.expression(_Connection(writer, relation, parent, field, root=root).sql())


def stream(writer: Writer, relation: ToMany, parent: str, field: Many) -> str:
    """Write a query of the whole list that a connection pages through: one text for each row, in the list's order."""
    return _Connection(writer, relation, parent, field, root=not parent).stream()


class _Connection:
    def __init__(self, writer: Writer, relation: ToMany, parent: str, field: Many, *, root: bool) -> None:
        self._writer = writer
        self._writing = writer.writing
        self._relation = relation
        self._source: Source = writer.writing.sources[relation.target]
        self._parent = parent
        self._field = field
        self._page: Page = field.page
        self._alias = writer.writing.alias()
        self._keys: tuple[Key, ...] = keys(relation, self._source, field.order)
        self._by_tenant = root and self._source.by_tenant and writer.writing.viewer.sight.by_tenant
        self._joins: list[str] = []
        self._columns: list[str] = []
        self._aggregated = False
        self._peeks = any(
            part.piece is Piece.HAS_NEXT_PAGE or part.piece is Piece.HAS_PREVIOUS_PAGE
            for page_info in field.parts
            if isinstance(page_info, Part) and page_info.piece is Piece.PAGE_INFO
            for part in page_info.parts
            if isinstance(part, Part)
        )
        self._judge(root=root)

    def _judge(self, *, root: bool) -> None:
        """A filter, an order that no index carries, or a whole table behind a rule: planned anew for each viewer and value.

        Rows that are found within a window are bounded by themselves.
        """
        if self._relation.window is not None:
            return
        counted = any(
            isinstance(part, Facets) or (isinstance(part, Part) and part.piece is Piece.TOTAL_COUNT) for part in self._field.parts
        )
        open_list = self._writing.viewer.everything or (self._by_tenant and not counted)
        if self._field.condition != ALWAYS or self._field.order or self._relation.walk or (root and not open_list):
            self._writing.bounded = False

    @property
    def backward(self) -> bool:
        """Whether the page is read from the end."""
        return self._page.backward

    def sql(self) -> str:
        body = text.Concatenation().text("{")
        for number, part in enumerate(self._field.parts):
            body.text(f'{"," if number else ""}"{part.key}":')
            self._part(body, part)
        written = body.text("}").sql()
        walked = self._walked()
        if not self._aggregated:
            return f"({walked}select {written})" if walked else written
        columns = ", ".join(f"{column} as c{number}" for number, column in enumerate(self._columns))
        rows = f"select {columns} from ({self._rows()}) {self._alias} {' '.join(self._joins)}"
        return f"({walked}select {written} from ({rows}{self._outer_order()}) q)"

    def stream(self) -> str:
        """Write every row by itself; what limits a page (its size, its cursors, a scan for each tenant) has no place here."""
        part = next(part for part in self._field.parts if isinstance(part, Part))
        row = self._node(part) if part.piece is Piece.NODES else self._edge(part)
        written = [self._writing.fill(key.sql, b=self._alias) for key in self._keys]
        columns = "".join(f", {sql} as k{number}" for number, sql in enumerate(written))
        also = f", {self._writing.fill(self._relation.also, b=self._alias)}" if self._relation.also else ""
        where = " and ".join(self._rules()) or "true"
        rows = (
            f"select {self._alias}.*{also}{columns} from {self._origin(whole=True)} where {where} order by {self._order(written)}"
        )
        order = self._outer_order() if self._joins else ""
        return f"{self._walked()}select {row} as j from ({rows}) {self._alias} {' '.join(self._joins)}{order}"

    def _walked(self) -> str:
        if self._relation.walk is None:
            return ""
        walk = self._writing.fill(self._relation.walk, a=self._parent, b=self._alias, arguments=self._field.arguments)
        return f"with {self._alias}w as materialized ({walk}) "

    def _outer_order(self) -> str:
        """The order of the page itself: the rows' own when nothing was joined to them, or turned round for a page from the end."""
        if self._peeks:
            return f" order by {self._alias}.rn{' desc' if self._page.backward else ''}"
        if not self._joins and not self._page.backward:
            return ""
        keys = (f"{self._alias}.k{number}{' desc' if key.descending else ''}" for number, key in enumerate(self._keys))
        return f" order by {', '.join(keys)}"

    # ── the parts ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _part(self, body: text.Concatenation, part: Part | Literal | Facets) -> None:
        if isinstance(part, Literal):
            body.text(part.text)
        elif isinstance(part, Facets):
            body.expression(self._facets(part))
        elif part.piece is Piece.TOTAL_COUNT:
            body.expression(self._count())
        elif part.piece is Piece.PAGE_INFO:
            self._page_info(body, part)
        else:
            row = self._node(part) if part.piece is Piece.NODES else self._edge(part)
            column = self._column(f"case when {self._alias}.rn <= {self._size()} then {row} end" if self._peeks else row)
            body.text("[").expression(f"coalesce(string_agg({column},','),'')").text("]")

    def _node(self, part: Part) -> str:
        return self._writer.row(self._source, self._alias, part.fields, self._joins)

    def _edge(self, part: Part) -> str:
        edge = text.Concatenation().text("{")
        for number, piece in enumerate(part.parts):
            edge.text(f'{"," if number else ""}"{piece.key}":')
            match piece:
                case Part(piece=Piece.CURSOR):
                    edge.text('"').expression(self._cursor()).text('"')
                case Part():
                    edge.expression(self._node(piece))
                case Literal():
                    edge.text(piece.text)
                case Leaf() | One():
                    assert self._relation.edge is not None
                    shown = self._writing.sources[self._relation.edge]
                    self._writer.field(edge, shown.columns, shown.relations, self._alias, piece, self._joins)
        return edge.text("}").sql()

    def _page_info(self, body: text.Concatenation, part: Part) -> None:
        body.text("{")
        for number, piece in enumerate(part.parts):
            body.text(f'{"," if number else ""}"{piece.key}":')
            if isinstance(piece, Literal):
                body.text(piece.text)
            else:
                assert isinstance(piece, Part)
                self._page_fact(body, piece.piece)
        body.text("}")

    def _page_fact(self, body: text.Concatenation, piece: Piece) -> None:
        ahead = piece is Piece.HAS_NEXT_PAGE
        if piece in {Piece.START_CURSOR, Piece.END_CURSOR}:
            body.expression(self._end(first=piece is Piece.START_CURSOR))
        elif ahead is self._page.backward:
            # Behind us: the row that the cursor names.
            body.text("true" if self._page.cursor is not None else "false")
        else:
            self._column(f"{self._alias}.rn")
            body.expression(f"(count(*) > {self._size()})::text")

    def _end(self, *, first: bool) -> str:
        cursor = self._cursor()
        column = self._column(f"case when {self._alias}.rn <= {self._size()} then {cursor} end" if self._peeks else cursor)
        # The rows come in the order of the page. An ordered aggregate here would let Postgres sort them for all the others too.
        place = "1" if first else f"count({column})::int"
        picked = f"(array_agg({column}) filter (where {column} is not null))[{place}]"
        return f"coalesce('\"'||{picked}||'\"','null')"

    def _cursor(self) -> str:
        listed = "||','||".join(text.key(key.type, f"{self._alias}.k{number}") for number, key in enumerate(self._keys))
        return f"{self._writing.slot(self._page.tag)}||encode(convert_to('['||{listed}||']','UTF8'),'hex')"

    def _column(self, expression: str) -> str:
        self._aggregated = True
        if expression not in self._columns:
            self._columns.append(expression)
        return f"q.c{self._columns.index(expression)}"

    # ── the rows ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _size(self) -> str:
        return self._writing.slot(self._page.size)

    def _origin(self, *, whole: bool = False) -> str:
        if self._relation.window is None:
            return self._writer.origin(self._relation, self._source, self._alias, self._parent, self._field.arguments)
        rows = self._relation.window(self._writing.viewer, _Window(self, whole=whole))
        return f"{self._writing.fill(rows, arguments=self._field.arguments)} {self._alias}"

    def _rules(self) -> list[str]:
        rules = self._writer.rules(self._relation, self._source, self._alias, self._parent)
        if self._field.condition != ALWAYS:
            rules.append(predicate(self._writing, self._source, self._alias, self._field.condition))
        return rules

    def _count(self) -> str:
        where = " and ".join(self._rules()) or "true"
        return f"(select count(*)::text from {self._origin(whole=True)} where {where})"

    def _facets(self, part: Facets) -> str:
        where = " and ".join(self._rules()) or "true"
        facet = self._source.facets[part.by]
        return facets(self._writer, facet, part, alias=self._alias, listed=self._origin(whole=True), where=where)

    def _rows(self) -> str:
        limit = self.needed()
        written = [self._writing.fill(key.sql, b=self._alias) for key in self._keys]
        rules = [*self._rules(), *self.between(written)]
        columns = "".join(f", {sql} as k{number}" for number, sql in enumerate(written))
        also = f", {self._writing.fill(self._relation.also, b=self._alias)}" if self._relation.also else ""
        if self._by_tenant:
            return self._tenant_by_tenant(written, rules, columns, limit)
        order = self._order(written)
        where = " and ".join(rules) or "true"
        return (
            f"select * from (select {self._alias}.*{also}{columns}{self._numbers(order)}"
            f" from {self._origin()} where {where} order by {order} limit {_MOST}) {self._alias} limit {limit}"
        )

    def _numbers(self, order: str) -> str:
        """Number the rows where one more than the page is read: only then must it be told which one that is."""
        return f", row_number() over (order by {order}) as rn" if self._peeks else ""

    def _tenant_by_tenant(self, written: list[str], rules: list[str], columns: str, limit: str) -> str:
        alias = self._alias
        where = " and ".join([f"{alias}.tenant_id = {alias}t.id", *rules])
        order = self._order([f"{alias}.k{number}" for number in range(len(written))])
        return (
            f"select * from (select {alias}.*{self._numbers(order)}"
            f" from unnest({self._writing.viewer.my_tenants}) as {alias}t(id) cross join lateral"
            f" (select {alias}.*{columns} from {self._origin()} where {where} order by {self._order(written)} limit {limit}) {alias}"
            f" order by {order} limit {_MOST}) {alias} limit {limit}"
        )

    def _order(self, written: list[str]) -> str:
        return ", ".join(
            f"{sql}{' desc' if key.descending is not self._page.backward else ''}"
            for key, sql in zip(self._keys, written, strict=True)
        )

    def needed(self) -> str:
        """Return how many rows the page needs: one more than it shows where it must tell whether there is one."""
        return f"({self._size()} + 1)" if self._peeks else self._size()

    def between(self, written: list[str]) -> list[str]:
        """Return what rows fulfil that stand between the page's cursors, given an expression for each key."""
        bounds = ((self._page.cursor, self._page.backward), (self._page.other, not self._page.backward))
        return [self._beyond(written, bound, reverse=reverse) for bound, reverse in bounds if bound is not None]

    def _beyond(self, written: list[str], bound: tuple[Slot, ...], *, reverse: bool) -> str:
        """The rows behind a bound: a row comparison where every key runs one way, so that an index range can be resumed."""
        values = [self._writing.slot(slot) for slot in bound]
        signs = ["<" if key.descending is not reverse else ">" for key in self._keys]
        if len(set(signs)) == 1:
            return f"({', '.join(written)}) {signs[0]} ({', '.join(values)})"
        steps = []
        for number, sign in enumerate(signs):
            equal = [f"{sql} = {value}" for sql, value in zip(written[:number], values[:number], strict=True)]
            steps.append(f"({' and '.join([*equal, f'{written[number]} {sign} {values[number]}'])})")
        return f"({' or '.join(steps)})"


class _Window:
    """The part of a list that a connection reads, or, for its count, all of it."""

    def __init__(self, connection: _Connection, *, whole: bool) -> None:
        self._connection = connection
        self._whole = whole

    @property
    def limit(self) -> str:
        return "" if self._whole else f"limit {_MOST}"

    def head(self, ordered: str) -> str:
        return ordered if self._whole else f"select * from ({ordered} limit {_MOST}) g limit {self._connection.needed()}"

    def order(self, *written: str) -> str:
        return ", ".join(f"{sql} desc" if self._connection.backward else sql for sql in written)

    def beyond(self, *keys: str) -> str:
        return "true" if self._whole else " and ".join(self._connection.between(list(keys))) or "true"
