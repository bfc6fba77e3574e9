"""What an answer tells of its price: `extensions.cost` in its body, and headers that say the same."""

from __future__ import annotations

from catalog.graph.execution import Response
from catalog.graph.rates import Budget


def with_cost(body: bytes, budget: Budget) -> bytes:
    """Return the body of a GraphQL response with its cost: points asked for, points that a minute brings, points left."""
    cost = b'{"requested":%d,"limit":%d,"remaining":%d}' % (budget.cost, budget.limit, budget.remaining)
    return body[:-1] + b',"extensions":{"cost":' + cost + b"}}"


def headers(response: Response) -> dict[str, str]:
    """The headers that tell what is left of the minute, and when to come back where nothing is."""
    told = {} if response.retry_after is None else {"Retry-After": str(response.retry_after)}
    budget = response.budget
    if budget is None:
        return told
    return told | {
        "X-RateLimit-Limit": str(budget.limit),
        "X-RateLimit-Cost": str(budget.cost),
        "X-RateLimit-Remaining": str(budget.remaining),
        "X-RateLimit-Reset": str(int(budget.reset_at.timestamp())),
    }
