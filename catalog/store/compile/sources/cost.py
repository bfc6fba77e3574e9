"""Sources of money: estimates, and sums of what the viewer may see."""

from __future__ import annotations

from catalog import records
from catalog.store.compile.source import Source, ToOne, columns_of, location, money, number, text, truth
from catalog.store.compile.sources import visibility

# Real, enabled instances that still exist: what a sum is over.
COUNTED = "not i.abstract and i.enabled and i.removed_at is null"


def estimate(column: str) -> ToOne:
    """The estimate that a column of the row names: whoever sees the row sees it."""
    return ToOne(target="cost_estimate", on=f"{{b}}.id = {{a}}.{column}", proven=True, key=column)


def total(link: str) -> str:
    """What the instances `i` in sight that a fragment links cost a month, as a sort key: never null."""
    return (
        f"coalesce((select sum(i.monthly) from component_instance i where {link} and {COUNTED}"
        " and {sees_component_instance_i}), 0)"
    )


def count(link: str) -> str:
    """How many instances `i` in sight a fragment links, as a sort key."""
    return f"(select count(*) from component_instance i where {link} and i.removed_at is null and {{sees_component_instance_i}})"


def summary(
    link: str,
    *,
    organization: str,
    currency: str = "null::text",
    budget: str = "null::numeric",
    budget_currency: str = "null::text",
    instances: str = "component_instance i",
) -> ToOne:
    """The sum over the instances `i` that a fragment links, in one currency.

    Rows in another currency count as unknown, since nothing converts them; rows out of sight are not summed but make it partial.
    """
    rows = (
        "(select s.currency, x.estimated, x.unknown, x.hidden > 0 as partial,"
        f" case when {budget_currency} = s.currency then {budget} end as budget"
        f" from (select coalesce({{arg_currency}}, {currency}, (select o.currency from organization o where o.id = {organization}))"
        " as currency) s cross join lateral (select"
        " sum(i.monthly) filter (where i.currency = s.currency and {sees_component_instance_i}) as estimated,"
        " (count(*) filter (where {sees_component_instance_i} and (i.monthly is null or i.currency is distinct from s.currency)))::int"
        " as unknown,"
        " count(*) filter (where not {sees_component_instance_i}) as hidden"
        f" from {instances} where {link} and {COUNTED}) x)"
    )
    return ToOne(target="cost_summary", rows=rows, proven=True)


SOURCES = (
    Source(
        name="cost_estimate",
        rows="cost_estimate",
        columns=columns_of(records.CostEstimate),
        relations={
            "monthly": money("{a}.monthly", "{a}.currency"),
            "low": money("{a}.low", "{a}.currency"),
            "high": money("{a}.high", "{a}.currency"),
            "location": location("{a}.file", "{a}.line"),
        },
        visible=visibility.estimate,
    ),
    Source(
        name="cost_summary",
        rows="",
        columns={
            "currency": text("{a}.currency", nullable=False),
            "unknown_instances": number("{a}.unknown", nullable=False),
            "partial": truth("{a}.partial"),
        },
        relations={
            "estimated": money("{a}.estimated", "{a}.currency"),
            "budget": money("{a}.budget", "{a}.currency"),
        },
    ),
)
