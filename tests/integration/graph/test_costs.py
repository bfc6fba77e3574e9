"""Money in the graph: reports whose rows add up, sums beside what was charged, histories of estimates, charges and measures."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext

import pytest
from graph_past import Store
from test_differential import Differences

ROWS = "rows(first: 100) { nodes { estimated { amount } actual { amount } unknownInstances } }"
TOTAL = "total { estimated { amount } actual { amount } unknownInstances }"
DIMENSIONS = (
    "ORGANIZATION",
    "TENANT",
    "TEAM",
    "SERVICE",
    "ENVIRONMENT",
    "ACCOUNT",
    "REGION",
    "STACK",
    "COMPONENT",
    "CATEGORY",
    "COST_CENTER",
    "MONTH",
)


async def ask(graph, world, document: str, viewer: str = "admin", **variables):
    """The data of an answer."""
    response = await graph.execute(document, variables, None, world.viewers()[viewer])
    answer = json.loads(response.body)
    assert "errors" not in answer, answer
    return answer["data"]


def amounts(rows, name: str) -> Decimal | None:
    """The sum of what is known, None where nothing is."""
    known = [Decimal(row[name]["amount"]) for row in rows if row[name] is not None]
    return sum(known, Decimal(0)) if known else None


@pytest.mark.parametrize("viewer", ["admin", "pay", "pair"])
@pytest.mark.parametrize("by", DIMENSIONS)
async def test_rows_add_up_to_the_total(graph, world, by, viewer) -> None:
    """By whatever costs are grouped: the rows' sums are the total to the last digit."""
    period = '{from: "2026-01-05", to: "2026-03-02"}'
    data = await ask(graph, world, f"{{ costReport(groupBy: [{by}], period: {period}) {{ {ROWS} {TOTAL} }} }}", viewer)
    report = data["costReport"]
    rows = report["rows"]["nodes"]
    with localcontext(prec=200):
        for name in ("estimated", "actual"):
            assert amounts(rows, name) == amounts([report["total"]], name)


async def test_a_cursor_of_rows_holds_for_its_report_alone(graph, world) -> None:
    """A row's cursor is refused by a report that groups, counts or filters otherwise."""
    asked = '{{ costReport(groupBy: [{by}], period: {{from: "2026-01-05", to: "{to}"}}) {{ rows(first: 1{after}) {{ pageInfo {{ endCursor }} nodes {{ instances }} }} }} }}'
    data = await ask(graph, world, asked.format(by="TEAM", to="2026-03-02", after=""))
    after = f', after: "{data["costReport"]["rows"]["pageInfo"]["endCursor"]}"'
    assert (await ask(graph, world, asked.format(by="TEAM", to="2026-03-02", after=after)))["costReport"]["rows"]["nodes"]
    for by, to in (("TENANT", "2026-03-02"), ("TEAM", "2026-04-02")):
        response = await graph.execute(asked.format(by=by, to=to, after=after), None, None, world.viewers()["admin"])
        assert json.loads(response.body)["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_missing_rate_is_an_error_that_names_it(graph, world) -> None:
    """What was charged in a currency that nothing converts is never left out of a report, nor counted as it is."""
    asked = '{ costReport(groupBy: [TEAM], currency: "GBP", period: {from: "2026-01-01", to: "2026-02-01"}) { currency } }'
    response = await graph.execute(asked, None, None, world.viewers()["admin"])
    (error,) = json.loads(response.body)["errors"]
    assert error["extensions"]["code"] == "NO_EXCHANGE_RATE"
    told = error["extensions"]
    assert f"from {told['source']} to GBP on {told['day']}" in error["message"]


RATES = [
    ("USD", "EUR", "2026-01-16", "0.9"),
    ("USD", "EUR", "2026-01-17", "0.9170000001"),
    ("EUR", "USD", "2026-01-02", "1.111111111111111111111111111111"),
    ("USD", "CHF", "2026-01-02", "0.855"),
    ("CHF", "USD", "2026-02-20", "1.1159468809284678"),
    ("EUR", "GBP", "2026-02-20", "0.884173297966401414677276746242"),
    ("GBP", "CHF", "2026-02-20", None),  # over two currencies: nobody said so
    ("USD", "EUR", "2025-12-31", None),
    ("XXX", "XXX", "2025-12-31", "1"),
]


@pytest.mark.parametrize(("source", "target", "day", "rate"), RATES)
async def test_rates_are_those_of_the_day(graph, database, source, target, day, rate) -> None:
    """The last rate not after the day counts: said directly, the other way round, or through one currency; else none does."""
    async with database.connection() as connection:
        found = await connection.fetchval("select catalog_rate($1, $2, $3)", source, target, date.fromisoformat(day))
    if rate is None:
        assert found is None
    else:
        assert found == Decimal(rate) or str(found).startswith(rate)


async def test_reports_of_random_questions_add_up(graph, world) -> None:
    """By whatever costs are grouped, filtered and converted: the rows' sums are the total to the last digit, for whoever asks."""
    rnd = random.Random(5)
    for _ in range(150):
        by = ", ".join(rnd.sample(DIMENSIONS, rnd.randint(1, 4)))
        first = date(2026, rnd.randint(1, 3), rnd.randint(1, 28))
        period = f'{{from: "{first}", to: "{first + timedelta(days=rnd.choice((1, 30, 80)))}"}}'
        where = rnd.choice(
            ("", ', where: {team: {eq: "web"}}', ", where: {not: {category: {isNull: true}}}", ', where: {tenant: {ne: "core"}}')
        )
        currency = rnd.choice(("", ', currency: "USD"', ', currency: "CHF"'))
        asked = f"{{ costReport(groupBy: [{by}], period: {period}{where}{currency}) {{ {ROWS.replace('nodes', 'totalCount nodes')} {TOTAL} }} }}"
        report = (await ask(graph, world, asked, rnd.choice(("admin", "pay", "pair", "plat"))))["costReport"]
        if report["rows"]["totalCount"] <= 100:
            with localcontext(prec=200):
                for name in ("estimated", "actual"):
                    assert amounts(report["rows"]["nodes"], name) == amounts([report["total"]], name), asked


async def test_budgets_stand_as_plain_execution_says(graph, database, world) -> None:
    """What was spent, is reserved and will have been spent, of every team, tenant and service, for every viewer."""
    differences = Differences(graph, await Store.load(database), world.viewers())
    status = (
        "{ budget { amount } spent { amount } committed { amount } forecast { amount } forecastAsLastMonth { amount } exceeded }"
    )
    for months in (
        "",
        '(period: {from: "2026-01-20", to: "2026-02-11"})',
        f'(period: {{from: "2026-02-01", to: "{datetime.now(UTC).date() + timedelta(days=40)}"}})',
    ):
        for things in ("teams", "tenants", "services"):
            asked = f"{{ {things}(first: 50) {{ nodes {{ id budgetStatus{months} {status} }} }} }}"
            for viewer in world.viewers():
                assert await differences.compare(asked, {}, viewer) is None
