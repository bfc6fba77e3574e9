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


async def _differences(connection, table: str, key: str, where: str = WHERE) -> list:
    sums = f"select {key}, {where}, sum(amount) as amount, count(*) as parts from allocation group by {key}, {where}"
    kept = f"select {key}, {where}, amount, parts from {table}"
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
            assert await _differences(connection, "team_month", "month", "tenant_id, team_id, currency") == []
        assert await connection.fetchval("select count(*) from cost_month") > 0
        await connection.execute("truncate charge cascade")
        assert await connection.fetchval("select (select count(*) from cost_month) + (select count(*) from cost_day)") == 0
        assert await connection.fetchval("select count(*) from team_month") == 0


ESTATE = """
insert into organization (id, name, currency) values ('o', 'o', 'USD');
insert into tenant (id, organization_id, name, hidden) select 't' || n, 'o', 't' || n, false from generate_series(0, 2) n;
insert into team (id, organization_id, slug, title, platform, aliases)
    select 'm' || n, 'o', 'm' || n, 'm', false, '{}' from generate_series(0, 3) n;
insert into estate (id, name, organization_id, kind, path, ref, directory, writable, executor, workflows, removal_limit)
    select 'e' || n, 'e' || n, 'o', 'git', '/nowhere', 'main', '.', true, 'terraform', '{}', 50 from generate_series(0, 1) n;
insert into manifest (id, estate_id, path, content_hash, top_level) select 'f' || n, 'e' || n, 'f', 'h', true from generate_series(0, 1) n;
insert into stack (id, estate_id, tenant_id, organization_id, manifest_id, name, labels, tags, vars, state, row_hash, content_hash)
    select 's' || n, 'e' || n % 2, 't' || n % 3, 'o', 'f' || n % 2, 's' || n, '{}', '{}', '{}', 'FRESH', 'h', 'h'
    from generate_series(0, 5) n;
insert into config (hash, document) values ('h', '{}');
"""
INSTANCES = """
insert into component_instance (id, estate_id, tenant_id, stack_id, type, name, abstract, enabled, locked, state, inherits, labels,
    unresolved_dependencies, config_hash, team_id, cost_status, monthly, currency, drift, changed_at, content_hash)
select 'i' || n, s.estate_id, s.tenant_id, s.id, 'TERRAFORM', 'i' || n, random() < 0.1, random() < 0.9, false, 'FRESH', '{}', '{}', '{}',
    'h', case when random() < 0.8 then 'm' || n % 4 end, 'UNKNOWN', case when random() < 0.7 then (random() * 100)::numeric(20, 9) end,
    case when random() < 0.3 then 'EUR' else 'USD' end, 'UNKNOWN', now(), 'h'
from generate_series($1::int, $2::int) n join stack s on s.id = 's' || n % 6
"""
CHANGES = (
    "delete from component_instance where random() < 0.2",
    "update component_instance set monthly = case when random() < 0.5 then 12.5 end where random() < 0.4",
    "update component_instance set removed_at = case when removed_at is null then now() end where random() < 0.3",
    "update component_instance set team_id = 'm1', tenant_id = tenant_id where random() < 0.3",
    "update component_instance set currency = case when monthly is null then null else 'GBP' end where random() < 0.2",
    "update component_instance set enabled = not enabled, abstract = random() < 0.1 where random() < 0.2",
)
OWNERS = "estate_id, tenant_id, team_id, currency"
ESTIMATES = f"""
select {OWNERS}, coalesce(sum(monthly), 0) as amount, count(monthly) as known, count(*) as instances from component_instance
where not abstract and enabled and removed_at is null group by {OWNERS}
"""


@pytest.mark.parametrize("seed", range(4))
async def test_estimates_of_teams_follow_whatever_is_done_to_instances(database, seed) -> None:
    """After adding, changing, moving and removing instances, each sum is that of what counts, to the last digit, and none is left of none."""
    rnd = random.Random(seed)
    kept = f"select {OWNERS}, amount, known, instances from team_estimate"
    async with database.connection() as connection:
        await connection.execute("truncate organization, config cascade")
        await connection.execute("select setseed($1)", seed / 10)
        await connection.execute(ESTATE)
        for step in range(5):
            await connection.execute(INSTANCES, step * 100, step * 100 + 80)
            for statement in rnd.sample(CHANGES, 3):
                await connection.execute(statement)
            assert await connection.fetch(f"({ESTIMATES}) except ({kept})") == []
            assert await connection.fetch(f"({kept}) except ({ESTIMATES})") == []
        assert await connection.fetchval("select count(*) from team_estimate") > 0
        await connection.execute("truncate organization, config cascade")
        assert await connection.fetchval("select count(*) from team_estimate") == 0
