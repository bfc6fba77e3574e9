"""Money in the graph: reports whose rows add up, sums beside what was charged, histories of estimates, charges and measures."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

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
