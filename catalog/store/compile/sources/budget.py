"""Sources of budgets: what may be spent, was spent, is reserved by requests under way, and will have been spent in the end."""

from __future__ import annotations

from catalog import records
from catalog.store.compile.source import Source, ToOne, money, truth
from catalog.store.compile.sources.cost import COUNT, FIRST, LAST, TODAY, landed

_FINAL = ", ".join(f"'{state}'" for state in records.FINAL_STATES)
_MONTH = f"date_trunc('month', {TODAY}::timestamp)::date"
_FORMER = f"({_MONTH} - interval '1 month')::date"
_NEXT = f"({_MONTH} + interval '1 month')::date"
# A request reserves what it adds, not what it saves; whose cost isn't known leaves the sum unknown. Without requests it is zero.
_RESERVED = (
    "(select case when bool_and(q.worth is not null) is not false then coalesce(sum(q.worth), 0) * s.months end from"
    " (select greatest((r.preview->'costDelta'->>'amount')::numeric, 0)"
    f" * catalog_rate(r.preview->'costDelta'->>'currency', s.currency, {TODAY}) as worth from provisioning_request r"
    f" where <requests> and r.state not in ({_FINAL}) and {{sees_provisioning_request_r}}) q)"
)
# The days of this month and of the last one, up to today, in the budget's currency.
_DAYS = (
    "(select d.day, d.amount * catalog_rate(d.currency, s.currency, d.day) as amount from (select l.day, l.currency,"
    f" sum(l.amount) as amount from cost_day l where <charged> and l.month between {_FORMER} and {_MONTH} and l.day <= {TODAY}"
    " and {sees_allocation_l} group by 1, 2) d)"
)
# What this month will come to: if each day is like those that were charged, or if it goes on as the last month went after that day.
_EXPECTED = (
    f"(with w as materialized {_DAYS}, u as (select max(w.day) as day from w where w.day >= {_MONTH})"
    f" select case when x.complete then x.so_far * ({_NEXT} - {_MONTH}) / extract(day from x.until) end as linear,"
    " case when x.complete and x.part > 0 then x.so_far * x.whole / x.part end as as_last"
    f" from (select sum(w.amount) filter (where w.day >= {_MONTH}) as so_far, max(u.day) as until,"
    f" sum(w.amount) filter (where w.day < {_MONTH}) as whole,"
    f" sum(w.amount) filter (where w.day < {_MONTH} and extract(day from w.day) <= extract(day from u.day)) as part,"
    " bool_and(w.amount is not null) as complete from w cross join u) x)"
)


def status(charged: str, requests: str, *, budget: str, currency: str) -> ToOne:
    """How a budget stands, in its own currency; there when the viewer may see a budget. `charged` links what landed (`l`), `requests` `r`.

    Charges that can't be converted leave what was and will be spent unknown.
    """
    spent = f"(select case when not bool_or(q.lacks) then sum(q.amount) end from {landed(charged)} q<where>)"
    expected = _EXPECTED.replace("<charged>", charged)
    reserved = _RESERVED.replace("<requests>", requests)
    whole, past = spent.replace("<where>", ""), spent.replace("<where>", f" where q.month < {_MONTH}")
    coming = COUNT.format(first=f"greatest(s.first, {_MONTH})", last="s.last")
    forecast = f"case when s.last < {_MONTH} then {whole} else round(coalesce({past}, 0) + {coming} * x.<way>, 2) end"
    rows = (
        f"(select s.budget, s.currency, {whole} as spent, {reserved} as committed, {forecast.replace('<way>', 'linear')} as forecast,"
        f" {forecast.replace('<way>', 'as_last')} as forecast_as_last from (select p.*, p.monthly * p.months as budget"
        f" from (select f.*, {COUNT.format(first='f.first', last='f.last')} as months from (select {FIRST} as first, {LAST} as last,"
        f" {budget} as monthly, {currency} as currency) f) p where p.monthly is not null) s cross join lateral {expected} x)"
    )
    return ToOne(target="budget_status", rows=rows, on="{b}.budget is not null", proven=True)


SOURCES = (
    Source(
        name="budget_status",
        rows="",
        columns={"exceeded": truth("coalesce({a}.spent > {a}.budget, false)")},
        relations={
            "budget": money("{a}.budget", "{a}.currency"),
            "spent": money("{a}.spent", "{a}.currency"),
            "committed": money("{a}.committed", "{a}.currency"),
            "forecast": money("{a}.forecast", "{a}.currency"),
            "forecast_as_last": money("{a}.forecast_as_last", "{a}.currency"),
        },
        key="budget",
    ),
)
