"""Money: estimates, and sums of them beside what was billed. Unknown is a status, never zero."""

from datetime import date, datetime
from decimal import Decimal

import strawberry

from catalog.graph import enums, names
from catalog.graph.declarations import Argument, column, items, one, page, reads_from
from catalog.graph.nodes import Connection, Money, Node, SourceLocation
from catalog.graph.scalars import CurrencyCode

CURRENCY = Argument(type=CurrencyCode | None, description="In which currency: the organisation's unless given.")


@reads_from("cost_estimate")
@strawberry.type(
    description="What something is expected to cost a month. `monthly` is null unless the status is KNOWN or PARTIAL:"
    " unknown is never zero."
)
class CostEstimate(Node):
    status: enums.CostStatus = column("status", "What is known.")
    monthly: Money | None = one("monthly", "The amount a month.")
    low: Money | None = one("low", "The least it may be.")
    high: Money | None = one("high", "The most it may be.")
    reason: str | None = column("reason", "Why nothing, or not all, is known.")
    unsupported: list[str] = column("unsupported", "What could not be priced.")
    source: enums.CostSource | None = column("source", "Where it comes from.")
    items: Connection[names.CostItemType] = page(
        "items", "What it consists of; none where only a sum is known, and none of estimates that hold no more."
    )
    location: SourceLocation | None = one("location", "Where it is written.")
    estimated_at: datetime | None = column(
        "estimated_at", "When it was estimated; in a history, when the estate said so first where nothing else is known."
    )


@reads_from("cost_item")
@strawberry.type(description="One line of an estimate.")
class CostItem:
    name: str = column("name", "What it is.")
    resource_type: str | None = column("resource_type", "The type of the resource, such as `aws_instance`.")
    unit: str | None = column("unit", "What is counted, such as `hours`.")
    monthly_quantity: Decimal | None = column("monthly_quantity", "How many units a month.")
    monthly: Money | None = one("monthly", "The amount a month.")


@reads_from("cost_summary")
@strawberry.type(
    description="Sums of what the viewer may see, in one currency and over some months; null where nothing is known."
    " `unknownInstances` are counted, never summed as zero."
)
class CostSummary:
    currency: CurrencyCode = column("currency", "The currency of the sums.")
    estimated: Money | None = one(
        "estimated", "What today's estimates come to: a month's for each of the months; null where none is known."
    )
    unknown_instances: int = column(
        "unknown_instances", "How many instances have no known cost, or one in a currency that can't be converted."
    )
    actual: Money | None = one("actual", "What was charged for these months; null where no charge is known.")
    budget: Money | None = one("budget", "What may be spent: a month's budget for each of the months.")
    variance: Money | None = one("variance", "By how much what was charged exceeds the estimate; null unless both are known.")
    partial: bool = column(
        "partial", "Whether something is left out: out of the viewer's sight, or charged in a currency that can't be converted."
    )
    by_month: list[names.MonthlyCostType] = items("by_month", "The same, month by month.")


@reads_from("monthly_cost")
@strawberry.type(description="The cost of one month.")
class MonthlyCost:
    month: date = column("month", "Its first day.")
    estimated: Money | None = one("estimated", "What today's estimates come to in a month.")
    actual: Money | None = one("actual", "What was charged for it; null where no charge is known.")


@reads_from("budget_status")
@strawberry.type(description="How a budget stands. What isn't known is null, never zero.")
class BudgetStatus:
    budget: Money = one("budget", "What may be spent: a month's budget for each of the months.")
    spent: Money | None = one("spent", "What was charged for these months; null where no charge is known.")
    committed: Money | None = one(
        "committed",
        "What requests under way would add, for each of the months; null when that isn't known of one of them. Only requests in sight count.",
    )
    forecast: Money | None = one(
        "forecast",
        "What will have been spent if each day of this month costs what its charged days did on average, and each month to come the same;"
        " rounded to hundredths, null while nothing is charged.",
    )
    forecast_as_last_month: Money | None = one(
        "forecast_as_last",
        "The same if this month goes on as the last one did after the same day; null while one of them has no charges.",
    )
    exceeded: bool = column("exceeded", "Whether more is known to be spent than may be.")
