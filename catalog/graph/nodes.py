"""What all types share: the node interface, pages and edges, money, places in files."""

from decimal import Decimal
from typing import Generic, TypeVar

import strawberry

from catalog.graph import names
from catalog.graph.declarations import column, one
from catalog.graph.enums import DependencyKind
from catalog.graph.scalars import CurrencyCode

T = TypeVar("T")


@strawberry.interface(description="Anything with a global id: the hash of its natural key, so the same in every database.")
class Node:
    id: strawberry.ID = column("id", "Opaque, global and stable.")


@strawberry.type(description="An amount of money.")
class Money:
    amount: Decimal = column("amount", "The amount, exact; a string, since money never passes through a float.")
    currency: CurrencyCode = column("currency", "Its currency.")


@strawberry.type(description="A place in a file of an estate.")
class SourceLocation:
    file: str = column("file", "Path relative to the estate.")
    line: int | None = column("line", "Line, counted from 1.")
    url: str | None = column("url", "A link into the Git host, where the estate knows it.")
    column: int | None = column("column", "Column, counted from 1.")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(
        description="Whether more follow: exact when paging forward; when paging backward, whether `before` was given."
    )
    has_previous_page: bool = strawberry.field(
        description="Whether more precede: exact when paging backward; when paging forward, whether `after` was given."
    )
    start_cursor: str | None = strawberry.field(description="Cursor of the first row of the page, null for an empty one.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last row of the page, null for an empty one.")


@strawberry.type(description="One row of a page, with its cursor.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Where the row stands; valid for this list, order and filter.")
    node: T = strawberry.field(description="The row.")


@strawberry.type(description="One page of a list: keyset cursors, 20 rows unless asked otherwise, 100 at most.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The rows with their cursors.")
    nodes: list[T] = strawberry.field(description="The rows.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")
    total_count: int = strawberry.field(description="How many the whole list has; computed only when selected.")


@strawberry.type(description="One dependency: who is at the other end, and how it is known.")
class DependencyEdge:
    cursor: str = strawberry.field(description="Where the row stands; valid for this list, order and filter.")
    node: names.ComponentInstanceType = strawberry.field(description="The instance at the other end.")
    kind: DependencyKind = column("kind", "Whether it is written down or inferred.")
    via: str = column("via", "What says so, such as `settings.depends_on`.")
    location: SourceLocation | None = one("location", "Where it is written.")
    depth: int = column("depth", "In how many steps the instance is reached at least: 1 for what is depended on directly.")


@strawberry.type(description="One page of dependencies: keyset cursors, 20 rows unless asked otherwise, 100 at most.")
class DependencyConnection:
    edges: list[DependencyEdge] = strawberry.field(description="The dependencies with their cursors.")
    nodes: list[names.ComponentInstanceType] = strawberry.field(description="The instances at the other ends.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")
    total_count: int = strawberry.field(description="How many the whole list has; computed only when selected.")
