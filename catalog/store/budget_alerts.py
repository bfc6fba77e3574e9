"""Tells of budgets that are exceeded, or will be, as events of the audit log: once for each budget, month and kind.

    budgetExceeded            more is known to be charged for the month than may be spent
    budgetForecastExceeded    this month's charged days, going on as they did on average, come to more than that

`subject_id` is the team, tenant or service whose budget it is; `detail` names month, budget and amount. What can't be converted into a
budget's currency leaves its sum unknown, and unknown is no alarm.
"""

from __future__ import annotations

from collections.abc import Collection

import asyncpg

# A month is told by its first day. Each kind of thing that has a budget, and the column that says what landed on it.
_KINDS = (("team", "slug", "team_id"), ("tenant", "name", "tenant_id"), ("service", "slug", "service_id"))
_SPENT = " union all ".join(
    f"""select s.id, s.{name} as name, '{kind}' as kind, s.budget, s.budget_currency as currency, m.month, d.day,
        sum(d.amount) * catalog_rate(d.currency, s.budget_currency, d.day) as worth
    from {kind} s cross join month m join cost_day d on d.{column} = s.id and d.month = m.month
    where s.budget is not null group by s.id, m.month, d.day, d.currency"""
    for kind, name, column in _KINDS
)
_TELL = f"""
with month as (
    select distinct date_trunc('month', b.billing_period_start at time zone 'UTC')::date as month
    from charge_batch b where b.id = any($1::text[])
), landed as ({_SPENT}), sums as (
    select id, name, kind, budget, currency, month, sum(worth) as spent, bool_and(worth is not null) as complete,
        extract(day from max(day)) as until, extract(day from month + interval '1 month' - interval '1 day') as days
    from landed group by id, name, kind, budget, currency, month
), alarm as (
    select s.*, 'budgetExceeded' as action, s.spent as amount from sums s where s.complete and s.spent > s.budget
    union all
    select s.*, 'budgetForecastExceeded', round(s.spent * s.days / s.until, 2) from sums s
    where s.complete and s.spent <= s.budget and s.spent * s.days / s.until > s.budget
        and s.month = date_trunc('month', now() at time zone 'UTC')::date
)
insert into audit_event (actor, action, subject_id, detail)
select 'system', a.action, a.id, jsonb_build_object('kind', a.kind, 'name', a.name, 'month', to_char(a.month, 'YYYY-MM'),
    'budget', a.budget::text, 'amount', trim_scale(a.amount)::text, 'currency', a.currency)
from alarm a where not exists (
    select from audit_event e where e.subject_id = a.id and e.action = a.action and e.detail->>'month' = to_char(a.month, 'YYYY-MM')
)
order by a.month, a.kind, a.name, a.action
"""


async def tell(connection: asyncpg.Connection, batches: Collection[str]) -> int:
    """Tell of the months that some batches are of, and return how many events that is; the last thing before a commit."""
    done: str = await connection.execute(_TELL, list(batches))
    return int(done.rsplit(" ", 1)[-1])
