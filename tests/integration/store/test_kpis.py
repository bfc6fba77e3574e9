"""The measures: defined once, measured by their own statements, null where there is nothing to count."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest_asyncio

from catalog.records import KpiDirection
from catalog.store import kpis

NOW = datetime(2026, 4, 15, 12, tzinfo=UTC)
ESTATE = """
insert into organization (id, name, currency) values ('o', 'o', 'USD');
insert into tenant (id, organization_id, name, hidden) values ('t', 'o', 't', false);
insert into team (id, organization_id, slug, title, platform, aliases) select 'm' || n, 'o', 'm' || n, 'm', n = 0, '{}'
    from generate_series(0, 3) n;
insert into person (id, team_id, name) select 'p' || n, 'm' || n % 4, 'p' from generate_series(0, 7) n;
insert into estate (id, name, organization_id, kind, path, ref, directory, writable, executor, workflows, removal_limit)
    values ('e', 'e', 'o', 'git', '/nowhere', 'main', '.', true, 'terraform', '{}', 50);
insert into principal (id, name, email, kind, created_at) values ('prn', 'n', 'n@o.test', 'PERSON', now());
insert into service (id, organization_id, slug, title, lifecycle, version, owner_id, tags, links, public, lifecycle_stated, source)
    select 's' || n, 'o', 's' || n, 's', 'PRODUCTION', 1, 'm' || n, '{}', '[]', true, false, 'SEEDS' from generate_series(1, 2) n;
insert into provisioning_request (id, estate_id, tenant_id, action, state, target, team_id, requester_id, parameters, executor,
    required_approvals, may_approve, created_at, updated_at, finished_at)
select 'r' || n, 'e', 't', a, 'SUCCEEDED', 'x' || n, 'm1', 'prn', '{}', 'dry_run', 0, '{}', at, at, at + minutes * interval '1 minute'
from (values (1, 'APPLY_COMPONENT', timestamptz '2026-04-01Z', 10), (2, 'APPLY_COMPONENT', '2026-04-02Z', 30),
    (3, 'PROVISION_SERVICE', '2026-04-03Z', 50), (4, 'ONBOARD_ENVIRONMENT', '2026-04-03Z', 12),
    (5, 'APPLY_COMPONENT', '2026-01-03Z', 999)) r(n, a, at, minutes);
insert into cost_month (key, month, tenant_id, team_id, currency, amount, parts) values
    ('a', '2026-01-01', 't', 'm1', 'USD', 100, 1), ('b', '2026-03-01', 't', 'm1', 'USD', 60, 2), ('c', '2026-03-01', null, null, 'USD', 15, 1),
    ('d', '2026-04-01', 't', 'm1', 'USD', 9999, 1);
"""
EXPECTED = {
    "time-to-provision": ("30", 3),
    "environment-setup": ("12", 1),
    "infrastructure-cost": ("-25", 2),
    "policy-compliance": (None, 0),
    "developers-per-platform-engineer": ("3", 8),
    "self-service-teams": ("50", 2),
    "cost-allocated": ("80", 3),
}


@pytest_asyncio.fixture
async def connection(database):
    """A connection whose doings are undone."""
    async with database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        yield connection
        await transaction.rollback()


async def test_without_data_a_measure_says_so(connection) -> None:
    """An empty catalog measures nothing: no value, and a sample of nobody."""
    points = await kpis.measure(connection, NOW)
    assert [(one.value, one.sample_size) for one in points] == [(None, 0)] * len(points)


async def test_each_statement_measures_what_it_says(connection) -> None:
    """The statements of the definitions, over known rows: of the thirty days before, of complete months, of who owns something."""
    await connection.execute(ESTATE)
    points = await kpis.measure(connection, NOW)
    assert {one.name: (None if one.value is None else f"{one.value.normalize():f}", one.sample_size) for one in points} == EXPECTED
    kept = await connection.fetch("select name, at, value, sample_size from kpi_point")
    assert {(row["name"], row["at"]) for row in kept} == {(name, NOW.date()) for name in EXPECTED}


async def test_a_day_has_one_point(connection) -> None:
    """Measured again, or imported, a day's point takes the other's place; other days stay."""
    for day, value in ((0, 1), (0, 2), (1, 3)):
        await kpis.keep(
            connection, [kpis.Point(name="x", at=date(2026, 1, 1) + timedelta(days=day), value=Decimal(value), sample_size=1)]
        )
    assert [row["value"] for row in await connection.fetch("select value from kpi_point where name = 'x' order by at")] == [2, 3]


async def test_seeds_set_targets_and_add_measures(connection) -> None:
    """There are twelve measures; seeds say what differs, and of their own all there is. Seeds without measures take nothing away."""
    own = kpis.Said(name="own", title="Own", unit="things", direction=KpiDirection.LOWER_IS_BETTER, target=Decimal(3))
    await kpis.define(connection, [kpis.Said(name="time-to-provision", target=Decimal(15)), own])
    await kpis.define(connection, [])
    rows = {row["name"]: row for row in await connection.fetch("select * from kpi order by ordinal")}
    assert len(kpis.DEFINITIONS) == 12
    assert list(rows) == [*(one.name for one in kpis.DEFINITIONS), "own"]
    assert (rows["time-to-provision"]["target"], rows["time-to-provision"]["baseline"]) == (15, 2880)
    assert rows["time-to-provision"]["statement"].startswith("select percentile_cont")
    assert (rows["own"]["statement"], rows["own"]["target"]) == ("", 3)
    await kpis.define(connection, [kpis.Said(name="time-to-provision")])
    assert await connection.fetchval("select count(*) from kpi") == 12
