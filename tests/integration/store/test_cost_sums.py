"""The sums of what landed where: they follow every statement, exactly."""

from __future__ import annotations

import random

import pytest

WHERE = "tenant_id, team_id, environment_id, stack_id, instance_id, service_id, currency"
BATCH = """
with i as (
    insert into cost_import (id, format, file, imported_at, rows, accepted, replaced)
    values ('i', 'FOCUS_CSV', 'f', now(), 0, 0, 0) on conflict do nothing
) insert into charge_batch (id, file, billing_period_start, billing_period_end, import_id)
values ('b', 'f', '2026-01-01Z', '2026-02-01Z', 'i') on conflict do nothing
"""
CHARGE = """
insert into charge (id, batch_id, period_start, period_end, billing_period_start, billing_period_end, category, currency, billed,
    effective, tags)
select 'c' || n, 'b', day, day + interval '1 day', day, day + interval '1 day', 'Usage', 'USD', 0, 0, '{}'
from generate_series($1::int, $2::int) n, lateral (select timestamptz '2026-01-25 00:00Z' + n % 14 * interval '1 day' as day) d
"""
LAND = """
insert into allocation (charge_id, ordinal, day, month, tenant_id, team_id, instance_id, currency, share, amount, rule, reason)
select c.id, o, d.day, date_trunc('month', d.day)::date, t.tenant, case when t.tenant is not null then 'team' || o % 2 end, null,
    case when o % 3 = 0 then 'EUR' else 'USD' end, 1, (random() * 1000 - 200)::numeric(30, 15), 'r', ''
from charge c, generate_series(1, 3) o, lateral (select (c.period_start at time zone 'UTC')::date as day) d,
    lateral (select case when random() < 0.2 then null else 'tenant' || o % 2 end as tenant) t
where not exists (select from allocation a where a.charge_id = c.id)
"""
STEPS = (
    "delete from charge where id = any(select id from charge order by random() limit 40)",
    "delete from allocation where random() < 0.2",
    "update allocation set amount = amount * 2, team_id = case when tenant_id is null then null else 'team9' end where random() < 0.3",
    "update allocation set currency = 'GBP' where random() < 0.1",
    LAND,
)


async def _differences(connection, table: str, key: str) -> list:
    sums = f"select {key}, {WHERE}, sum(amount) as amount, count(*) as parts from allocation group by {key}, {WHERE}"
    kept = f"select {key}, {WHERE}, amount, parts from {table}"
    return [*await connection.fetch(f"({sums}) except ({kept})"), *await connection.fetch(f"({kept}) except ({sums})")]


@pytest.mark.parametrize("seed", range(4))
async def test_sums_follow_whatever_is_done_to_allocations(database, seed) -> None:
    """After landing, splitting, moving and deleting, each sum is that of its parts to the last digit, and none is left of none."""
    rnd = random.Random(seed)
    async with database.connection() as connection:
        await connection.execute("truncate charge cascade")
        await connection.execute("select setseed($1)", seed / 10)
        await connection.execute(BATCH)
        for step in range(6):
            await connection.execute(CHARGE, step * 100, step * 100 + 60)
            await connection.execute(LAND)
            for statement in rnd.sample(STEPS, 3):
                await connection.execute(statement)
            assert await _differences(connection, "cost_month", "month") == []
            assert await _differences(connection, "cost_day", "day, month") == []
        assert await connection.fetchval("select count(*) from cost_month") > 0
        await connection.execute("truncate charge cascade")
        assert await connection.fetchval("select (select count(*) from cost_month) + (select count(*) from cost_day)") == 0
