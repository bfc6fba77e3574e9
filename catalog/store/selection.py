"""What to read, as plain values: sources, columns, relations, conditions, orders and pages, free of any query language.

Comes from `graph`, which turns an operation into an `Operation`; goes to `store.compile`, which turns it into one statement. Names of
sources, columns, relations and orders are those of `store.compile.sources`. Values that are only known when the operation is bound
(literals as well as variables) are `Slot`s: two operations that differ in values alone are equal selections.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A value that is bound later: its number in the list of values, and its Postgres type."""

    number: int
    type: str


class Op(StrEnum):
    """What a test asks of a column; `IS_NULL` and `NOT_NULL` have no value, the others one."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IS_NULL = "is_null"
    NOT_NULL = "not_null"
    HAS = "has"  # an array holds the value
    INCLUDES = "includes"  # a JSON object contains the value: labels
    KEY_IN = "key_in"  # labels: the value under a key is one of
    KEY_NOT_IN = "key_not_in"  # labels: the value under a key is none of, or the key is absent
    KEY_EXISTS = "key_exists"
    KEY_ABSENT = "key_absent"
    JSON_EQ = "json_eq"  # path, value, containment
    JSON_IS_NULL = "json_is_null"  # path
    JSON_NOT_NULL = "json_not_null"  # path


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One comparison of one column with bound values."""

    column: str
    op: Op
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """What a relation leads to fulfils a condition (and is visible)."""

    relation: str
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """Every condition holds; of none: true."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """Some condition holds; of none: false."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """The condition is false or unknown: two-valued."""

    condition: Condition


Condition = Test | Related | All | AnyOf | Not
ALWAYS = All(conditions=())


def asked_of(condition: Condition) -> frozenset[str]:
    """Return the columns and relations of the row at hand that a condition asks about."""
    match condition:
        case Test(column=name) | Related(relation=name):
            return frozenset({name})
        case Not(condition=part):
            return asked_of(part)
        case All(conditions=parts) | AnyOf(conditions=parts):
            return frozenset().union(*map(asked_of, parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An error that only the rows can show: its code, its message, and how many levels of the response its null climbs.

    Of an object that only the rows know, the message may name members, as in `{day}`.
    """

    code: str
    message: str
    climb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A response key whose JSON text needs no row."""

    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A response key that shows a column, perhaps one behind a to-one relation: `config.vars`."""

    key: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """A response key that shows what a to-one relation leads to. `missing` is the fault when a required one is not there."""

    key: str
    relation: str
    fields: Fields
    arguments: tuple[tuple[str, Slot], ...] = ()
    missing: Fault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A response key that shows a short list as a plain array."""

    key: str
    relation: str
    fields: Fields
    condition: Condition = ALWAYS
    arguments: tuple[tuple[str, Slot], ...] = ()


class Piece(StrEnum):
    """The parts of a connection and of its edges."""

    NODES = "nodes"
    EDGES = "edges"
    PAGE_INFO = "pageInfo"
    TOTAL_COUNT = "totalCount"
    HAS_NEXT_PAGE = "hasNextPage"
    HAS_PREVIOUS_PAGE = "hasPreviousPage"
    START_CURSOR = "startCursor"
    END_CURSOR = "endCursor"
    CURSOR = "cursor"
    NODE = "node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One response key inside a connection, a page info or an edge; `fields` of nodes, `parts` of edges and page infos."""

    key: str
    piece: Piece
    fields: Fields = ()
    parts: tuple[EdgePart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """A response key inside a connection that counts the list's rows by `by`, a facet of its source: at most `limit` values."""

    key: str
    by: str
    limit: Slot
    fields: Fields


EdgePart = Part | Literal | Leaf | One


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which rows of an ordered list: at most `size` after (or before) a cursor, from the start or, backward, from the end.

    `cursor` holds one slot for each key of the order, `other` for the bound at the far side; `tag` is what every cursor of this list
    starts with: it names list, order and filter.
    """

    size: Slot
    tag: Slot
    backward: bool = False
    cursor: tuple[Slot, ...] | None = None
    other: tuple[Slot, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """A response key that shows a connection. `order` names orders of the target with their direction (true: descending).

    `arguments` are handed to the relation itself.
    """

    key: str
    relation: str
    parts: tuple[Part | Literal | Facets, ...]
    page: Page
    order: tuple[tuple[str, bool], ...] = ()
    condition: Condition = ALWAYS
    arguments: tuple[tuple[str, Slot], ...] = ()


class Moment(StrEnum):
    """What names a position in an estate's history: a time, a run that read it, or (the beginning of) its revision."""

    TIME = "time"
    RUN = "run"
    REVISION = "revision"


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """At which positions a look-up reads: one of each estate at most.

    `condition` is about the runs that read these positions; `missing` is the fault when there is none, `ambiguous` when the beginning of
    a revision fits several.
    """

    moment: Moment
    value: Slot
    condition: Condition
    missing: Fault
    ambiguous: Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A response key that shows the one row that answers to a human reference, null for none, the fault for several.

    `as_of` goes with a relation that leads into the past.
    """

    key: str
    relation: str
    fields: Fields
    condition: Condition
    ambiguous: Fault
    as_of: AsOf | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """What to read when an id names a thing of this source."""

    source: str
    fields: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class ById:
    """A response key that shows the thing with a global id, or, with `many`, the things with a list of ids, in their order.

    `missing` is the fault when nothing answers and the place can't be null.
    """

    key: str
    id: Slot
    branches: tuple[Branch, ...]
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """The texts of the things with a list of ids, in their order, told apart by a separator: no JSON, but pieces to be put into some."""

    key: str
    id: Slot
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A response key that shows the thing whose id a column of the row holds, whichever of some sources it is of.

    `missing` is the fault when a required one is not there.
    """

    key: str
    column: str
    branches: tuple[Branch, ...]
    missing: Fault | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """A response key whose value is worked out elsewhere: the statement says by `number` which value, and for which row."""

    key: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A response key that shows a document handed in as a value, read through a source made for it."""

    key: str
    source: str
    document: Slot
    fields: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A response key that shows costs in sight that fulfil a condition, grouped by some dimensions, in their order.

    `lacking`: what stands there when a charge can't be converted; its detail names source, target and day.
    """

    key: str
    dimensions: tuple[str, ...]
    fields: Fields
    lacking: Fault
    condition: Condition = ALWAYS
    arguments: tuple[tuple[str, Slot], ...] = ()


Field = Literal | Leaf | One | Items | Many | Lookup | ById | Each | Choice | Computed | Report | Given
Fields = tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """All that one operation reads, in the order of the response."""

    fields: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All rows of one list, each by itself: a connection of which one part is read, `nodes` or `edges`, and no page.

    It is a root, or hangs on the row of a source that has an id.
    """

    many: Many
    parent: str | None = None
    id: Slot | None = None
