"""Money: estimates, and sums of them. Unknown is a status, never zero."""

from datetime import datetime

import strawberry

from catalog.graph import enums
from catalog.graph.declarations import column, one, reads_from
from catalog.graph.nodes import Money, Node, SourceLocation
from catalog.graph.scalars import CurrencyCode


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
    location: SourceLocation | None = one("location", "Where it is written.")
    estimated_at: datetime | None = column("estimated_at", "When it was estimated.")


@reads_from("cost_summary")
@strawberry.type(
    description="The sum of what the viewer may see, in one currency; null where nothing is known."
    " `unknownInstances` are counted, never summed as zero."
)
class CostSummary:
    currency: CurrencyCode = column("currency", "The currency of the sums.")
    estimated: Money | None = one("estimated", "The sum of the estimates a month.")
    unknown_instances: int = column(
        "unknown_instances", "How many instances have no known cost, or one in a currency that can't be converted."
    )
    budget: Money | None = one("budget", "What may be spent a month.")
    partial: bool = column("partial", "Whether something is left out that the viewer may not see.")
