"""What an operation costs its viewer, as the graph shows it."""

from datetime import datetime

import strawberry

from catalog.graph.declarations import column, reads_from


@reads_from("rate_limit")
@strawberry.type(
    description="What an operation costs and what its viewer may still ask for, in points. One for the operation, one for each list that"
    " is read (a list below a list once for each row of that one), one for ten rows; counting, facets, search and what must be worked"
    " out cost more. What a minute brings comes in all the time."
)
class RateLimit:
    limit: int = column("limit", "How many points a minute brings, and how many can be saved at most.")
    cost: int = column("cost", "What this operation costs.")
    remaining: int = column("remaining", "What is left behind it.")
    reset_at: datetime = column("reset_at", "When all of it will be there again.")
