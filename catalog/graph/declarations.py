"""What a field reads, declared on the field, beside its description.

    name: str = column("name", "The stack's name.")
    estate: names.Estate = one("estate", "The estate that it belongs to.")
    instances: Connection[names.ComponentInstance] = page("instances", "…", where=ComponentInstanceWhere)

Names are those of the sources in `store.compile`. The compiler finds a declaration in the field's metadata; nothing else knows how a
field is read. A field without declaration is computed: it has a resolver.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, TypeVar

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

READS = "reads"
FILTERS = "filters"
T = TypeVar("T", bound=type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An argument of a field beside those of pages: its type, its description, its default, and what it asks for.

    `path` leads through relations to the column that must equal it; of none: the argument is handed to the relation itself. A Boolean
    with `instead` names the relation that is read when it is true: that one is handed all the other arguments.
    """

    type: Any
    description: str
    default: Any = strawberry.UNSET
    path: tuple[str, ...] = ()
    instead: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The field shows a column of its row."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """The field shows what a to-one relation leads to."""

    relation: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """The field shows a short list as it is."""

    relation: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """The field shows a connection."""

    relation: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """The field shows the one row that answers to a human reference; `past` is the relation that leads to what it was once."""

    relation: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    past: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ById:
    """The field shows what has a global id, or, with `many`, a list of ids; `viewer` takes the viewer's own id.

    With `represented` the ids are told as a gateway tells them, each with its type.
    """

    many: bool = False
    viewer: bool = False
    represented: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The field shows the thing whose id a column holds, of whichever type it is."""

    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """The field shows what `resolve` works out, for all rows of a response at once.

    It is handed what it may ask, the rows, and the arguments by name; it returns a value for each row: of the field's type, with
    references for what the catalog knows, or a CatalogError for the one row that has no answer. `weight` is how many rows one value
    counts for.
    """

    resolve: Callable[..., Awaitable[Mapping[Any, Any]]]
    weight: int
    arguments: Mapping[str, Argument] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """The field of a connection counts the list's rows by one of their values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The field shows costs, grouped by what its arguments ask for."""

    arguments: Mapping[str, Argument] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The root field shows what the process itself knows of the operation: what it costs."""

    arguments: Mapping[str, Argument] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """The field of the subscription type tells events; the field of an event that reads nothing shows what the event is about."""

    relation: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)


Reads = Told | Column | One | Items | Paged | Lookup | ById | Choice | Computed | Facets | Report | Events


class Kind(Enum):
    """How an input field filters."""

    TEXT = auto()
    NUMBER = auto()  # integers, decimals, times: the same operators
    ONE_OF = auto()  # a list of enum values
    FLAG = auto()
    IS = auto()  # the column is the text
    HAS = auto()  # an array holds the text
    SELECTOR = auto()  # a Kubernetes label selector
    JSON = auto()
    PRESENCE = auto()  # whether the column is null
    PERIOD = auto()  # the months touched by a period
    NESTED = auto()  # another filter, on what a relation leads to


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What an input field of a filter asks of a row: of which column, behind which relations."""

    kind: Kind
    column: str = ""
    path: tuple[str, ...] = ()


def reads_from(source: str) -> Callable[[T], T]:
    """Say which source an object type's rows come from."""

    def mark(cls: T) -> T:
        cls.__source__ = source  # type: ignore[attr-defined]
        return cls

    return mark


def column(name: str, description: str) -> Any:
    """A field that shows a column."""
    return strawberry.field(description=description, metadata={READS: Column(name=name)})


def one(relation: str, description: str, **arguments: Argument) -> Any:
    """A field that shows what a to-one relation leads to."""
    return _with_arguments(One(relation=relation, arguments=arguments), description, arguments)


def choice(column: str, description: str) -> Any:
    """A field that shows the thing whose id a column holds, of whichever type it is."""
    return strawberry.field(description=description, metadata={READS: Choice(column=column)})


def items(relation: str, description: str, **arguments: Argument) -> Any:
    """A field that shows a short list as it is."""
    return _with_arguments(Items(relation=relation, arguments=arguments), description, arguments)


def lookup(relation: str, description: str, *, past: str | None = None, **arguments: Argument) -> Any:
    """A root field that finds one thing by its human reference; an argument without path, `as_of`, leads into the past."""
    asked = {name: argument for name, argument in arguments.items() if argument.path}
    return _with_arguments(Lookup(relation=relation, arguments=asked, past=past), description, arguments)


def page(relation: str, description: str, *, where: type | None = None, order_by: type | None = None, **arguments: Argument) -> Any:
    """A field that shows a connection, with the arguments of pages and, where given, a filter and an order."""
    more: dict[str, Argument] = {}
    if where is not None:
        more["where"] = Argument(type=where | None, description="Which of them: every condition given must hold.")
    if order_by is not None:
        ordering = list[order_by] | None  # type: ignore[valid-type]
        more["order_by"] = Argument(type=ordering, description="In which order: by the first, then the next; the id decides last.")
    return _with_arguments(Paged(relation=relation, arguments=arguments), description, _PAGE | more | arguments)


def computed(resolve: Callable[..., Awaitable[Mapping[Any, Any]]], description: str, *, weight: int, **arguments: Argument) -> Any:
    """A field that shows what a function works out."""
    return _with_arguments(Computed(resolve=resolve, weight=weight, arguments=arguments), description, arguments)


def facets(by: type) -> Any:
    """A field of a connection that counts the rows of the whole list; `by` is the enum of what they can be counted by."""
    arguments = {
        "by": Argument(type=by, description="By what."),
        "limit": Argument(type=int | None, description="How many values at most: 50 unless given, 100 at most.", default=50),
    }
    told = "How many rows of the whole list have which value, the most frequent values first; computed only when selected."
    return _with_arguments(Facets(), told, arguments)


def report(description: str, *, where: type, **arguments: Argument) -> Any:
    """A root field that shows costs, grouped."""
    more = {"where": Argument(type=where | None, description="Which of them: every condition given must hold.")}
    return _with_arguments(Report(arguments=arguments), description, arguments | more)


def told(description: str, **arguments: Argument) -> Any:
    """A root field that shows what the process knows of the operation."""
    return _with_arguments(Told(arguments=arguments), description, arguments)


def events(relation: str, description: str, *, where: type | None = None, **arguments: Argument) -> Any:
    """A field of the subscription type; `after` among the arguments resumes behind a sequence."""
    asked = {name: argument for name, argument in arguments.items() if argument.path}
    more = {"where": Argument(type=where | None, description="Which of them: every condition given must hold.")} if where else {}
    return _with_arguments(Events(relation=relation, arguments=asked), description, more | arguments)


def by_id(description: str, **arguments: Argument) -> Any:
    """A root field that finds things by global ids."""
    return _with_arguments(ById(many="ids" in arguments, viewer=not arguments), description, arguments)


def by_representation(name: str, description: str, **arguments: Argument) -> Any:
    """A root field that finds things as a gateway refers to them."""
    made = _with_arguments(ById(many=True, represented=True), description, arguments)
    made.graphql_name = name
    return made


def filters(kind: Kind, description: str, column: str = "", path: tuple[str, ...] = (), **options: Any) -> Any:
    """A field of a filter."""
    declared = Filter(kind=kind, column=column, path=path)
    return strawberry.field(description=description, default=strawberry.UNSET, metadata={FILTERS: declared}, **options)


def given(description: str, default: Any = strawberry.UNSET, **options: Any) -> Any:
    """A field of an input that is no filter."""
    return strawberry.field(description=description, default=default, **options)


def _with_arguments(reads: Reads, description: str, arguments: Mapping[str, Argument]) -> Any:
    made = strawberry.field(description=description, metadata={READS: reads})
    made.arguments = [
        StrawberryArgument(
            python_name=name,
            graphql_name=None,
            type_annotation=StrawberryAnnotation(argument.type),
            description=argument.description,
            default=argument.default,
        )
        for name, argument in arguments.items()
    ]
    return made


_PAGE = {
    "first": Argument(type=int | None, description="How many from the start: 20 unless given, 100 at most."),
    "after": Argument(type=str | None, description="Behind this cursor, which must come from the same list, order and filter."),
    "last": Argument(type=int | None, description="How many from the end: 100 at most; not together with `first`."),
    "before": Argument(type=str | None, description="Ahead of this cursor, which must come from the same list, order and filter."),
}
