"""How a source is described to the compiler: columns, relations, orders and the rule of visibility, as values with SQL fragments.

Fragments are templates. `{a}` is the row at hand, `{b}` the row a relation leads to, `{e}` the row of a link table between them;
`{w}` is what was walked; `{me}`, `{admin}`, `{my_teams}` and `{my_tenants}` are the viewer's; `{arg_NAME}` is an argument of the
field; `{decides_a}` whether the viewer may decide about a request; `{sees_SOURCE_ALIAS}` is the rule of visibility of another source
for an alias used inside the fragment. Literal braces are doubled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Protocol

from sqlalchemy import Boolean, CheckConstraint, DateTime, Integer, Numeric, Table
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import SQLModel

from catalog.store.compile.sight import Viewer


class Format(Enum):
    """How a column becomes JSON text."""

    PLAIN = auto()  # ids and checked statuses: no character that JSON would escape
    TEXT = auto()
    INT = auto()
    BOOL = auto()
    FLOAT = auto()
    DECIMAL = auto()  # a string, without trailing zeros
    TIME = auto()
    JSON = auto()
    TEXTS = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """An expression over a row, and how it is written; `filtered` is what filters look at, where an index has it otherwise."""

    sql: str
    format: Format
    nullable: bool = True
    filtered: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One sort key: never null, so that a range of an index can be resumed. `fixed` keeps its direction when the order is reversed."""

    sql: str
    type: str
    descending: bool = False
    fixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Same:
    """An object made of columns of the row itself; there when `present` holds."""

    present: str = "true"
    columns: Mapping[str, Column] = field(default_factory=dict)
    relations: Mapping[str, Relation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToOne:
    """A to-one relation: a join with `target` on `on`, or with computed `rows` (without `on` always one).

    `where` leaves out targets that nobody is shown, in joins and in filters.
    `proven` means that the row's own visibility implies the target's, so that the target needs no rule of its own. `key` is the
    column of the row that names the target, for filters. `first` takes one row where `on` doesn't prove that there is only one.
    Of computed rows, filters on `steady` columns alone are asked of the target's own rows: these columns are the same there.
    """

    target: str
    on: str = "true"
    where: str = "true"
    rows: str | None = None
    proven: bool = False
    key: str | None = None
    first: bool = False
    steady: frozenset[str] = frozenset()

    @property
    def always(self) -> bool:
        """Whether there is always one: what is computed for the row and found by nothing."""
        return self.rows is not None and self.on == "true"


class Window(Protocol):
    """The part of an ordered list that is read, for a relation that finds its rows no further than that. All keys of the list ascend."""

    @property
    def limit(self) -> str:
        """The LIMIT of every ordered piece; none where all rows are counted."""
        ...

    def head(self, ordered: str) -> str:
        """The first rows of an ordered select, no more than the page itself may need."""
        ...

    def order(self, *written: str) -> str:
        """The ORDER BY list of some expressions, in the direction of the page."""
        ...

    def beyond(self, *keys: str) -> str:
        """The predicate of rows on the wanted side of the page's cursors: an expression for each key of the list."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ToMany:
    """A to-many relation: rows of `target` (or computed `rows`) for which `link` holds, in `order`.

    `join` brings in a link table, `also` names what of it the edges show (read through the source `edge`); `tie` ends the order when
    the target's own id isn't unique in the list. `present` makes a plain list null. `label` tells candidates of an ambiguous look-up
    apart. `walk` is what is reached in any number of steps: it costs more than a page, so that it is taken once for the page and for
    its count; `join` calls it `{w}`.
    `window` writes rows of its own, ordered and limited, for this viewer and part of the list.
    """

    target: str
    link: str = "true"
    join: str = ""
    also: str = ""
    rows: str | None = None
    edge: str | None = None
    order: tuple[tuple[str, bool], ...] | None = None
    tie: tuple[Key, ...] | None = None
    present: str | None = None
    label: str | None = None
    proven: bool = False
    walk: str | None = None
    window: Callable[[Viewer, Window], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """What a list can be counted by: a key of each row, what `join` finds for a key `g.k`, and the value and the id that it shows.

    `target` is the source of the things with these ids. `apart` joins what gives a row several keys. Fragments of `key` and `apart`
    call the row `{b}`; those of `join` and the rest have the fixed aliases `s` and `t`.
    """

    key: str
    value: str = "g.k"
    join: str = ""
    id: str = "null::text"
    target: str | None = None
    apart: str = ""


Relation = Same | ToOne | ToMany
IDENTITY = (Key(sql="{b}.id", type="text"),)


def everyone(_viewer: Viewer, _alias: str) -> str:
    """The rule of rows that show nothing which their parent doesn't."""
    return "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Rows that can be read: where they stand, what they hold, where they lead, how they are ordered and who sees them.

    `current` keeps what was removed out of lists. `by_tenant` says that an index (tenant_id, default order) exists, so that a
    viewer of few tenants reads a list tenant by tenant. `key` is the column that is never null.
    """

    name: str
    rows: str
    columns: Mapping[str, Column]
    key: str = "id"
    relations: Mapping[str, Relation] = field(default_factory=dict)
    orders: Mapping[str, tuple[Key, ...]] = field(default_factory=dict)
    order: tuple[tuple[str, bool], ...] = ()
    tie: tuple[Key, ...] = IDENTITY
    visible: Callable[[Viewer, str], str] = everyone
    current: str = "true"
    by_tenant: bool = False
    facets: Mapping[str, Facet] = field(default_factory=dict)


def columns_of(record: type[SQLModel], **more: Column) -> dict[str, Column]:
    """Describe every column of a record, with more expressions beside them or in their place."""
    table: Table = record.__table__  # type: ignore[attr-defined]
    checked = {str(constraint.name) for constraint in table.constraints if isinstance(constraint, CheckConstraint)}
    plain = {
        column.name: Column(
            sql=f'{{a}}."{column.name}"',
            format=_format(column.name, column.type, checked=f"{column.name}_known" in checked or bool(column.foreign_keys)),
            nullable=bool(column.nullable),
        )
        for column in table.columns
    }
    return plain | more


def _format(name: str, kind: Any, *, checked: bool) -> Format:
    if checked or name == "id" or name.endswith("_id"):
        return Format.PLAIN if not isinstance(kind, Integer) else Format.INT
    return next((form for cls, form in _FORMATS if isinstance(kind, cls)), Format.TEXT)


_FORMATS = (
    (ARRAY, Format.TEXTS),
    (JSONB, Format.JSON),
    (Boolean, Format.BOOL),
    (Integer, Format.INT),
    (DateTime, Format.TIME),
    (Numeric, Format.DECIMAL),
)


def text(sql: str, *, nullable: bool = True) -> Column:
    """A text expression."""
    return Column(sql=sql, format=Format.TEXT, nullable=nullable)


def plain(sql: str, *, nullable: bool = True) -> Column:
    """An id or a status: text without characters that JSON would escape."""
    return Column(sql=sql, format=Format.PLAIN, nullable=nullable)


def number(sql: str, *, nullable: bool = True) -> Column:
    """A whole number."""
    return Column(sql=sql, format=Format.INT, nullable=nullable)


def truth(sql: str, *, nullable: bool = False) -> Column:
    """A Boolean."""
    return Column(sql=sql, format=Format.BOOL, nullable=nullable)


def json(sql: str, *, nullable: bool = True) -> Column:
    """A JSON value."""
    return Column(sql=sql, format=Format.JSON, nullable=nullable)


def texts(sql: str, *, nullable: bool = False) -> Column:
    """A list of texts."""
    return Column(sql=sql, format=Format.TEXTS, nullable=nullable)


def fraction(sql: str, *, nullable: bool = True) -> Column:
    """A number that may have decimals."""
    return Column(sql=sql, format=Format.FLOAT, nullable=nullable)


def decimal(sql: str, *, nullable: bool = True) -> Column:
    """An exact number."""
    return Column(sql=sql, format=Format.DECIMAL, nullable=nullable)


def money(amount: str, currency: str) -> Same:
    """An amount with its currency, there when the amount is."""
    return Same(
        present=f"{amount} is not null",
        columns={"amount": decimal(amount, nullable=False), "currency": text(currency, nullable=False)},
    )


def money_in(document: str) -> Same:
    """An amount of a JSON document, written {amount, currency}."""
    return money(f"(({document})->>'amount')::numeric", f"({document})->>'currency'")


def last_good(column: str, estate: str) -> str:
    """A column of the run that an estate's rows are from; `estate` is the estate's alias.

    That is the latest run that succeeded, but for those that only told the past.
    """
    return (
        f"(select r.{column} from index_run r where r.estate_id = {estate}.id and r.state = 'SUCCEEDED' and not r.backfill"
        " order by r.started_at desc, r.id desc limit 1)"
    )


def location(
    file: str,
    line: str = "null::int",
    column: str = "null::int",
    *,
    estate: str = "null::text",
    revision: str = last_good("revision", "x"),
) -> Same:
    """A place in a file of an estate, with a link into the Git host when the estate knows one."""
    link = (
        f"(select replace(replace(replace(x.web_url, '{{{{revision}}}}', coalesce({revision}, x.ref)), '{{{{path}}}}', {file}), "
        f"'{{{{line}}}}', coalesce({line}, 1)::text) from estate x where x.id = {estate})"
    )
    return Same(
        present=f"{file} is not null",
        columns={
            "file": text(file, nullable=False),
            "line": number(line),
            "column": number(column),
            "url": text(link if estate != "null::text" else "null::text"),
        },
    )


def time(sql: str, *, nullable: bool = True) -> Column:
    """A moment."""
    return Column(sql=sql, format=Format.TIME, nullable=nullable)


def elements(target: str, array: str, *, order: tuple[tuple[str, bool], ...] = (("ordinal", False),)) -> ToMany:
    """The elements of a JSON array as rows (v, n), in their order; no array: none."""
    rows = (
        f"jsonb_array_elements(case jsonb_typeof({array}) when 'array' then {array} else '[]' end) with ordinality as {{b}}(v, n)"
    )
    return ToMany(target=target, rows=rows, order=order, tie=())


def element_source(*, name: str, columns: Mapping[str, Column], relations: Mapping[str, Relation] | None = None) -> Source:
    """The source that `elements` leads to: its rows come with the relation, in the array's order."""
    ordinal = (Key(sql="{b}.n", type="int8"),)
    return Source(
        name=name, rows="", columns=columns, relations=relations or {}, orders={"ordinal": ordinal}, order=(("ordinal", False),)
    )
