"""What all types share: the node interface, pages and edges, money, places in files."""

from decimal import Decimal
from typing import Generic, TypeVar

import strawberry

from catalog.graph import names
from catalog.graph.declarations import choice, column, facets, one, reads_from
from catalog.graph.enums import DependencyKind
from catalog.graph.facets import ComponentInstanceFacet, ServiceFacet, StackFacet
from catalog.graph.scalars import CurrencyCode

T = TypeVar("T")
_EDGES = "The rows with their cursors."
_NODES = "The rows."
_PAGE_INFO = "Where the page stands."
_TOTAL_COUNT = "How many the whole list has; computed only when selected."


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
    edges: list[Edge[T]] = strawberry.field(description=_EDGES)
    nodes: list[T] = strawberry.field(description=_NODES)
    page_info: PageInfo = strawberry.field(description=_PAGE_INFO)
    total_count: int = strawberry.field(description=_TOTAL_COUNT)


@reads_from("facet")
@strawberry.type(description="One value that rows of a list have, and how many have it.")
class Facet:
    value: str | None = column("value", "The value, or the name of the thing; null for rows without one that the viewer may see.")
    node: Node | None = choice(
        "node", "The thing, where the rows are counted by a kind of thing; null where the viewer may see no more than its name."
    )
    count: int = column("count", "How many rows have it.")


@strawberry.type(description="One page of component instances: keyset cursors, 20 rows unless asked otherwise, 100 at most.")
class ComponentInstanceConnection:
    edges: list[Edge[names.ComponentInstanceType]] = strawberry.field(description=_EDGES)
    nodes: list[names.ComponentInstanceType] = strawberry.field(description=_NODES)
    page_info: PageInfo = strawberry.field(description=_PAGE_INFO)
    total_count: int = strawberry.field(description=_TOTAL_COUNT)
    facets: list[Facet] = facets(ComponentInstanceFacet)


@strawberry.type(description="One page of services: keyset cursors, 20 rows unless asked otherwise, 100 at most.")
class ServiceConnection:
    edges: list[Edge[names.ServiceType]] = strawberry.field(description=_EDGES)
    nodes: list[names.ServiceType] = strawberry.field(description=_NODES)
    page_info: PageInfo = strawberry.field(description=_PAGE_INFO)
    total_count: int = strawberry.field(description=_TOTAL_COUNT)
    facets: list[Facet] = facets(ServiceFacet)


@strawberry.type(description="One page of stacks: keyset cursors, 20 rows unless asked otherwise, 100 at most.")
class StackConnection:
    edges: list[Edge[names.StackType]] = strawberry.field(description=_EDGES)
    nodes: list[names.StackType] = strawberry.field(description=_NODES)
    page_info: PageInfo = strawberry.field(description=_PAGE_INFO)
    total_count: int = strawberry.field(description=_TOTAL_COUNT)
    facets: list[Facet] = facets(StackFacet)


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
