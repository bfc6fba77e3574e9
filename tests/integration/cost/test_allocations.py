"""Where imported charges land, against a real Postgres: everything adds up, whatever is imported how often, and moves with the estate."""

import json
import random
from decimal import Decimal

import pytest

from catalog.cost import allocating, allocation, imports
from catalog.records import CostFormat
from catalog.store import allocations

HEADER = (
    "BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,BillingCurrency,BilledCost,EffectiveCost,"
    "ProviderName,ServiceName,ResourceId,SubAccountId,RegionId,Tags"
)
ORGANIZATION = """
insert into organization (id, name, currency) values ('org', 'acme', 'USD');
insert into tenant (id, organization_id, name, hidden) values ('ten', 'org', 'plat', false);
insert into team (id, organization_id, slug, title, cost_center, platform, aliases) select slug, 'org', slug, slug, 'CC-' || slug, false, '{}'
    from unnest(array['platform', 'payments', 'data']) slug;
insert into environment (id, organization_id, tenant_id, name, kind, account, region, team_id) values
    ('dev', 'org', 'ten', 'dev', 'DEVELOPMENT', '111', 'eu-west-2', 'platform'),
    ('prod', 'org', 'ten', 'prod', 'PRODUCTION', '222', 'eu-west-2', null);
"""
SHARED = {
    "shared": [
        {"name": "support", "match": {"service": "Support"}, "tags": {}, "split": "fixed", "among": "environment",
         "weights": [["dev", "33.3"], ["prod", "66.7"]]},
        {"name": "tax", "match": {"service": "Tax"}, "tags": {}, "split": "even", "among": "environment", "weights": []},
        {"name": "odd", "match": {"service": "Odd"}, "tags": {}, "split": "usage", "among": "environment",
         "weights": [["prod", "7"], ["dev", "0.003"]]},
    ]
}  # fmt: skip
UNEVEN = "select c.id from charge c left join allocation a on a.charge_id = c.id group by c.id having sum(a.amount) is distinct from c.effective"
ALERTS = "select action, subject_id, detail->>'month', detail->>'amount' from audit_event order by sequence"
SUMS = "select environment_id, team_id, rule, sum(amount) from allocation group by 1, 2, 3 order by 1, 2, 3"


def line(cost, *, service="EC2", resource="", account="", month=5, day=2, currency="USD", **tags):
    said = json.dumps(tags).replace('"', '""')
    return (
        f"2026-{month:02}-01T00:00:00Z,2026-{month + 1:02}-01T00:00:00Z,2026-{month:02}-{day:02}T00:00:00Z,"
        f"2026-{month:02}-{day + 1:02}T00:00:00Z,"
        f'Usage,{currency},{cost},{cost},AWS,{service},{resource},{account},eu-west-2,"{said}"'
    )


@pytest.fixture
async def database(fresh_database):
    """A catalog with an organisation of two environments."""
    async with fresh_database.connection() as connection:
        await connection.execute(ORGANIZATION)
    return fresh_database


@pytest.fixture
def take(database, tmp_path):
    """Import lines under a name."""

    async def call(*lines, name="aws.csv"):
        path = tmp_path / "given"
        path.write_text("\n".join((HEADER, *lines, "")))
        async with database.session() as session:
            source = imports.Source(path=path, name=name, format=CostFormat.FOCUS_CSV)
            report = await imports.take(session, source)
            await session.commit()
        return report

    return call


@pytest.fixture
def ask(database):
    """Ask the database."""

    async def call(statement, *values):
        async with database.connection() as connection:
            return [tuple(row) for row in await connection.fetch(statement, *values)]

    return call


@pytest.fixture
def rule(database):
    """Say how charges are allocated, and settle what follows."""

    async def call(document):
        async with database.transaction() as connection:
            await allocations.write_rules(connection, document)
            return await allocating.settle(connection)

    return call


def split(amount, weights):
    """The same split by whole numbers: cut off, then a unit each to the largest remainders."""
    sign, digits, exponent = amount.as_tuple()
    scale = max(6, -exponent)
    units = int("".join(map(str, digits))) * 10 ** (scale + exponent)
    whole = allocation.whole_weights(weights)
    shares = [divmod(units * weight, sum(whole)) for weight in whole]
    left = units - sum(share for share, _ in shares)
    lucky = sorted(range(len(shares)), key=lambda place: (-shares[place][1], place))[:left]
    parts = [share + (place in lucky) for place, (share, _) in enumerate(shares)]
    return [Decimal((sign, tuple(map(int, str(part))), -scale)) for part in parts]


async def test_a_hundred_thousand_random_charges_land_to_the_last_digit(take, ask, rule):
    """However charges are split, their parts add up to them exactly, as whole numbers split them, credits and zero too."""
    await rule(SHARED)
    dice = random.Random(7)
    services = ("EC2", "Support", "Tax", "Odd")
    lines = [
        line(
            f"{Decimal(dice.randint(-(10**13), 10**13)).scaleb(-dice.randint(0, 15)):f}" if n else "0",
            service=dice.choice(services),
            resource=f"r-{n}",
            account=dice.choice(("", "111", "222", "333")),
            day=dice.randint(1, 27),
        )
        for n in range(60_000)
    ]
    report = await take(*lines)

    assert report.accepted == 60_000
    assert await ask(UNEVEN) == []
    assert (await ask("select count(*) > 100000 from allocation")) == [(True,)]
    assert await ask("select sum(effective) from charge") == await ask("select sum(amount) from cost_month")
    weights = {"Support": ["33.3", "66.7"], "Tax": ["1", "1"], "Odd": ["7", "0.003"]}
    split_ones = await ask(
        """select c.service_name, trim_scale(c.effective), array_agg(trim_scale(a.amount) order by a.ordinal) from charge c
        join allocation a on a.charge_id = c.id where c.service_name <> 'EC2' group by c.id"""
    )
    for service, amount, parts in split_ones:
        assert split(amount, [Decimal(one) for one in weights[service]]) == list(parts)


async def test_splitting_merging_and_importing_again_change_nothing(take, ask, rule):
    """Where money lands depends on the charges alone: not on files, on their order, or on how often they come."""
    await rule(SHARED)
    lines = [
        line(f"{n}.{n:02}", service=("Support", "EC2")[n % 2], resource=f"r-{n}", account=("111", "222", "")[n % 3])
        for n in range(60)
    ]
    await take(*lines)
    once = await ask(SUMS)
    written = await ask("select charge_id, ordinal, xmin::text from allocation order by 1, 2")

    await take(*lines)
    assert await ask("select charge_id, ordinal, xmin::text from allocation order by 1, 2") == written
    await take(*lines[:30])
    await take(*reversed(lines[30:]), name="rest.csv")
    assert await ask(SUMS) == once
    await take(*lines)
    assert await ask(SUMS) == once


async def test_charges_move_when_the_rules_or_the_estate_do(take, ask, rule, database):
    """What lands elsewhere now moves, exactly that, and the sums that reports read move with it."""
    await take(line("10", account="111"), line("5", account="999", resource="x"), line("2", service="Support"))
    assert await ask(SUMS) == [("dev", "platform", "environment", 10), (None, None, "unallocated", 7)]

    assert await rule(SHARED | {"accounts": {"999": "222"}}) == 2
    assert await ask(SUMS) == [
        ("dev", "platform", "environment", 10),
        ("dev", "platform", "shared:support", Decimal("0.666000")),
        ("prod", None, "environment", 5),
        ("prod", None, "shared:support", Decimal("1.334000")),
    ]
    async with database.transaction() as connection:
        await connection.execute("update environment set team_id = 'payments' where id = 'prod'")
        assert await allocating.settle(connection) == 2
        assert await allocating.settle(connection) == 0
    assert await ask("select team_id, sum(amount) from cost_month group by 1 order by 1") == [
        ("payments", Decimal("6.334000")),
        ("platform", Decimal("10.666000")),
    ]


async def test_an_unallocated_charge_tells_why(take, ask):
    """What lands nowhere is a part without a place, whose reason says what was looked for."""
    await take(line("3", account="999"))

    [(tenant, share, amount, rule, reason)] = await ask("select tenant_id, share, amount, rule, reason from allocation")
    assert (tenant, share, amount, rule) == (None, 1, 3, "unallocated")
    assert "no tags name a stack and a component" in reason
    assert "no environment is known by its account, region or tags" in reason


async def test_an_exceeded_budget_is_told_once(take, ask, database):
    """The import that goes beyond a budget tells so, in the budget's currency; the next one doesn't again, and unknown is no alarm."""
    async with database.connection() as connection:
        await connection.execute("update team set budget = 10, budget_currency = 'USD' where id = 'platform'")
        await connection.execute("insert into exchange_rate (base, currency, day, rate) values ('EUR', 'USD', '2026-05-01', 2)")
    await take(line("9", account="111"))
    assert await ask(ALERTS) == []

    await take(line("9", account="111"), line("0.6", account="111", currency="EUR"))
    alert = ("budgetExceeded", "platform", "2026-05", "10.2")
    assert await ask(ALERTS) == [alert]
    await take(line("9", account="111"), line("0.7", account="111", currency="EUR"))
    await take(line("20", account="111", month=6), line("1", account="111", currency="GBP", month=6), name="june.csv")
    assert await ask(ALERTS) == [alert]
