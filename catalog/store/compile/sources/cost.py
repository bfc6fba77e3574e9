"""Sources of money: estimates and their items, charges and where they landed, sums of what the viewer may see."""

from __future__ import annotations

from dataclasses import replace

from catalog import records
from catalog.store.compile.source import (
    Column,
    Format,
    Key,
    Source,
    ToMany,
    ToOne,
    columns_of,
    decimal,
    element_source,
    elements,
    everyone,
    location,
    money,
    number,
    plain,
    text,
    truth,
)
from catalog.store.compile.sources import visibility

# Real, enabled instances that still exist: what a sum is over.
COUNTED = "not i.abstract and i.enabled and i.removed_at is null"
TODAY = "(now() at time zone 'UTC')::date"
# The first days of the first and of the last month of a period: the current month unless one is given.
FIRST = f"date_trunc('month', coalesce(({{arg_period_from}})::date, {TODAY})::timestamp)::date"
LAST = f"date_trunc('month', coalesce(({{arg_period_to}})::date - 1, {TODAY})::timestamp)::date"
MONTHS = "(select n::date as month from generate_series({first}::timestamp, {last}::timestamp, interval '1 month') n)"
COUNT = "(extract(year from {last}) * 12 + extract(month from {last}) - extract(year from {first}) * 12 - extract(month from {first}) + 1)"


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


def landed(link: str) -> str:
    """What landed in the months of `s`, in its currency: the sums of months as they are, those of days by each day's rate (`lacks` one).

    Days are only read where something is in another currency.
    """
    of_months = f"{link} and l.month between s.first and s.last and l.currency"
    return (
        f"(select l.month, l.amount, false as lacks from cost_month l where {of_months} = s.currency and {{sees_allocation_l}} union all"
        " select g.month, g.amount * g.rate, g.rate is null from (select g.*, catalog_rate(g.currency, s.currency, g.day) as rate"
        " from (select l.month, l.day, l.currency, sum(l.amount) as amount from cost_day l"
        f" where {of_months} <> s.currency and {{sees_allocation_l}}"
        f" and exists(select from cost_month l where {of_months} <> s.currency) group by 1, 2, 3) g) g)"
    )


def summary(
    link: str,
    *,
    charged: str,
    organization: str,
    currency: str = "null::text",
    budget: str = "null::numeric",
    budget_currency: str = "null::text",
    instances: str = "component_instance i",
) -> ToOne:
    """The sum over the instances `i`, and over what landed (`l`), that fragments link, in one currency and for some months.

    Estimates and budgets are a month's: they count once for each, by today's rate. What can't be converted counts as unknown, of
    charges it makes the sum partial, and so do rows out of sight.
    """
    of_months = landed(charged)
    hidden = (
        f"exists(select from cost_month l where {charged} and l.month between s.first and s.last and not {{sees_allocation_l}})"
    )
    rows = (
        "(select s.currency, x.estimated * s.months as estimated, x.unknown,"
        f" (x.hidden > 0 or {hidden} or exists(select from {of_months} q where q.lacks)) as partial,"
        f" {budget} * s.months * catalog_rate({budget_currency}, s.currency, {TODAY}) as budget,"
        f" (select sum(q.amount) from {of_months} q) as actual,"
        " (select jsonb_agg(jsonb_build_object('month', m.month, 'estimated', x.estimated, 'actual', q.amount, 'currency', s.currency)"
        f" order by m.month) from {MONTHS.format(first='s.first', last='s.last')} m left join"
        f" (select q.month, sum(q.amount) as amount from {of_months} q group by 1) q on q.month = m.month) as by_month"
        f" from (select p.*, {COUNT.format(first='p.first', last='p.last')} as months"
        f" from (select {FIRST} as first, {LAST} as last,"
        f" coalesce({{arg_currency}}, {currency}, (select o.currency from organization o where o.id = {organization})) as currency) p) s"
        " cross join lateral (select sum(g.monthly * g.rate) as estimated, coalesce(sum(g.hidden), 0) as hidden,"
        " coalesce(sum(g.unknown + case when g.rate is null then g.known else 0 end), 0)::int as unknown"
        f" from (select g.*, catalog_rate(g.currency, s.currency, {TODAY}) as rate from (select i.currency,"
        " sum(i.monthly) filter (where {sees_component_instance_i}) as monthly,"
        " count(*) filter (where {sees_component_instance_i} and i.monthly is null) as unknown,"
        " count(*) filter (where {sees_component_instance_i} and i.monthly is not null) as known,"
        " count(*) filter (where not {sees_component_instance_i}) as hidden"
        f" from {instances} where {link} and {COUNTED} group by 1) g) g) x)"
    )
    return ToOne(target="cost_summary", rows=rows, proven=True)


# What an instance's estimate was: one row for each of its versions on the estate's branch in which the estate said otherwise, and one for
# each import, since imports come between versions.
_IMPORTED = "coalesce(c.source, '') in ('INFRACOST', 'PRICE_BOOK')"
HISTORY = (
    "(select h.*, coalesce(h.estimated_at, h.since, 'epoch') as moment from ("
    "(select h.* from (select e.*, v.from_number, v.row is null as holds, to_jsonb(e) as told,"
    " lag(to_jsonb(e)) over (order by v.from_number) as former,"
    " (select min(coalesce(r.committed_at, r.started_at)) from index_run r"
    " where r.estate_id = z.id and r.ref = v.ref and r.number = v.from_number and r.state = 'SUCCEEDED') as since"
    " from component_instance y join estate z on z.id = y.estate_id"
    " join instance_version v on v.instance_id = y.id and v.ref = z.ref"
    f" cross join lateral (select c.* from cost_estimate c where v.row is null and c.subject_id = y.id and not {_IMPORTED} union all"
    " select c.* from jsonb_populate_record(null::cost_estimate, v.estimate) c"
    f" where v.row is not null and v.estimate is not null and not {_IMPORTED}) e"
    " where y.id = {a}.id) h where h.former is distinct from h.told) union all"
    " select c.*, 0, true, null, null, null from cost_estimate c where c.subject_id = {a}.id and c.source in ('INFRACOST', 'PRICE_BOOK')"
    ") h) {b}"
)
COST_HISTORY = ToMany(target="cost_estimate_once", rows=HISTORY, order=(("latest", False),), tie=(), proven=True)
CHARGES = ToMany(
    target="charge", link="{b}.id in (select u.charge_id from allocation u where u.instance_id = {a}.id and {sees_allocation_u})"
)
ITEMS = ToMany(target="cost_item", link="{b}.estimate_id = {a}.id", tie=())

_ESTIMATE = Source(
    name="cost_estimate",
    rows="cost_estimate",
    columns=columns_of(records.CostEstimate),
    relations={
        "monthly": money("{a}.monthly", "{a}.currency"),
        "low": money("{a}.low", "{a}.currency"),
        "high": money("{a}.high", "{a}.currency"),
        "location": location("{a}.file", "{a}.line"),
        "items": ITEMS,
    },
    visible=visibility.estimate,
)
_OF_PERIOD = {
    "estimated": money("{a}.estimated", "{a}.currency"),
    "actual": money("{a}.actual", "{a}.currency"),
    "budget": money("{a}.budget", "{a}.currency"),
    "variance": money("({a}.actual - {a}.estimated)", "{a}.currency"),
}
_VALUE = "({a}.v->>'%s')::numeric"

SOURCES = (
    _ESTIMATE,
    replace(
        _ESTIMATE,
        name="cost_estimate_once",
        rows="",
        columns={
            **_ESTIMATE.columns,
            "estimated_at": Column(sql="coalesce({a}.estimated_at, {a}.since)", format=Format.TIME),
        },
        # The items are those of the present and of imports: of what else is over, none are kept.
        relations={**_ESTIMATE.relations, "items": replace(ITEMS, link=f"{ITEMS.link} and {{a}}.holds")},
        orders={
            "latest": (
                Key(sql="{b}.moment", type="timestamptz", descending=True),
                Key(sql="{b}.from_number", type="int4", descending=True),
                Key(sql="{b}.id", type="text", descending=True),
            )
        },
        visible=everyone,
    ),
    Source(
        name="cost_item",
        rows="cost_item",
        columns=columns_of(records.CostItem),
        relations={"monthly": money("{a}.monthly", "{a}.currency")},
        orders={"ordinal": (Key(sql="{b}.ordinal", type="int4"),)},
        order=(("ordinal", False),),
    ),
    Source(
        name="cost_summary",
        rows="",
        columns={
            "currency": text("{a}.currency", nullable=False),
            "unknown_instances": number("{a}.unknown", nullable=False),
            "partial": truth("{a}.partial"),
        },
        relations={**_OF_PERIOD, "by_month": elements("monthly_cost", "{a}.by_month")},
    ),
    element_source(
        name="monthly_cost",
        columns={"month": plain("{a}.v->>'month'", nullable=False)},
        relations={
            "estimated": money(_VALUE % "estimated", "{a}.v->>'currency'"),
            "actual": money(_VALUE % "actual", "{a}.v->>'currency'"),
        },
    ),
    Source(
        name="charge",
        rows="charge",
        columns=columns_of(
            records.Charge,
            allocated=truth("exists(select from allocation u where u.charge_id = {a}.id and u.tenant_id is not null)"),
        ),
        relations={
            "billed": money("{a}.billed", "{a}.currency"),
            "effective": money("{a}.effective", "{a}.currency"),
            "list": money("{a}.listed", "{a}.currency"),
            "contracted": money("{a}.contracted", "{a}.currency"),
            "allocations": ToMany(target="allocation", link="{b}.charge_id = {a}.id", tie=()),
        },
        orders={"latest": (Key(sql="{b}.period_start", type="timestamptz", descending=True),)},
        order=(("latest", False),),
        tie=(Key(sql="{b}.id", type="text", descending=True),),
        visible=visibility.charge,
    ),
    Source(
        name="allocation",
        rows="allocation",
        columns=columns_of(records.Allocation, share=decimal("{a}.share", nullable=False)),
        relations={
            "amount": money("{a}.amount", "{a}.currency"),
            "instance": ToOne(target="component_instance", on="{b}.id = {a}.instance_id", key="instance_id"),
            "environment": ToOne(target="environment", on="{b}.id = {a}.environment_id", key="environment_id"),
            "team": ToOne(target="team", on="{b}.id = {a}.team_id", key="team_id"),
        },
        orders={"ordinal": (Key(sql="{b}.ordinal", type="int4"),)},
        order=(("ordinal", False),),
        visible=visibility.allocation,
    ),
)
