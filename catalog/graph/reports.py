"""Cost reports: costs in sight, grouped."""

import strawberry

from catalog.graph import enums, names
from catalog.graph.declarations import choice, column, items, one, page, reads_from
from catalog.graph.nodes import Connection, Money, Node
from catalog.graph.orders import CostReportOrder
from catalog.graph.scalars import CurrencyCode


@reads_from("cost_report")
@strawberry.type(
    description="For `estimated` and for `actual` alike the rows' sum is the total exactly. A row whose key is null is what nobody"
    " owns, or what no such thing is known of. An instance that several services are made of counts for the first of them by slug."
)
class CostReport:
    currency: CurrencyCode = column("currency", "The currency of the sums.")
    rows: Connection[names.CostReportRowType] = page(
        "rows", "One row for each combination of keys; by key unless ordered otherwise, null last.", order_by=CostReportOrder
    )
    total: names.CostSummaryType = one(
        "total", "The sum of all rows. It has no budget; it is partial when the viewer may not see all costs there are."
    )
    unallocated_share: float | None = column(
        "unallocated_share",
        "The part of the total that stands in rows with a null key, from 0 to 1 and rounded to six digits: of what was charged where"
        " charges are known, else of what is estimated; null where nothing is known.",
    )


@reads_from("cost_report_row")
@strawberry.type(description="What costs of one combination of keys come to.")
class CostReportRow:
    keys: list[names.CostKeyType] = items("keys", "What it is the cost of, in the order asked for.")
    estimated: Money | None = one("estimated", "What today's estimates come to: a month's for each of the months.")
    unknown_instances: int = column(
        "unknown_instances", "How many instances have no known cost, or one in a currency that can't be converted."
    )
    actual: Money | None = one("actual", "What was charged; null where no charge is known.")
    budget: Money | None = one(
        "budget", "What may be spent by the team, the tenant or on the service that the row is about, for whom that concerns."
    )
    variance: Money | None = one("variance", "By how much what was charged exceeds the estimate; null unless both are known.")
    instances: int = column("instances", "How many instances there are.")


@reads_from("cost_key")
@strawberry.type(description="One key of a row.")
class CostKey:
    dimension: enums.CostDimension = column("dimension", "What it tells.")
    value: str | None = column(
        "value", "Its value: a name, a slug, or a month as `2026-01`; null for none that the viewer may see."
    )
    node: Node | None = choice("id", "The thing, where it is one.")
