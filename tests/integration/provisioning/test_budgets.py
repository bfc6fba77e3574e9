"""A workflow may hold requests to the budget of the team on whose behalf they are."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalog.errors import BudgetExceeded
from catalog.records import RequestState
from catalog.store import budgets
from catalog.values import Money

CHOSEN = {"APPLY_COMPONENT": {"file": "stacks/workflows/budgeted.yaml", "name": "budgeted"}}
WORKFLOW = """\
workflows:
  budgeted:
    steps:
      - cost_analysis: {tool: metadata, budget: %s}
      - approval_gate: {quorum: 1}
      - provision: terraform
"""


@pytest.fixture
def budgeted(files, new_world):
    """Make a world whose requests are held to a budget of $100 a month, or only shown it; an instance's cost may be unknown."""

    async def make(*, enforced: bool = True, known: bool = True):
        files["stacks/workflows/budgeted.yaml"] = WORKFLOW % ("enforce" if enforced else "show")
        if not known:
            files["stacks/orgs/dev.yaml"] = files["stacks/orgs/dev.yaml"].replace("$50/month", "nobody knows")
        world = await new_world(workflows=CHOSEN)
        async with world.database.connection() as connection:
            await connection.execute("update team set budget = 100, budget_currency = 'USD'")
        return world

    return make


async def test_what_costs_nothing_more_is_admitted(budgeted):
    """A change whose cost is known and the same as before passes, however little is left."""
    world = await budgeted()
    made = await world.request()
    assert made.state == RequestState.PENDING


async def test_what_nobody_knows_the_cost_of_is_refused_and_leaves_nothing(budgeted):
    """Unknown is never zero: no request is made; where the budget is only shown, it is."""
    world = await budgeted(known=False)
    with pytest.raises(BudgetExceeded) as caught:
        await world.request()
    assert (caught.value.budget, caught.value.requested) == (Money(amount=Decimal(100), currency="USD"), None)
    async with world.database.connection() as connection:
        assert await connection.fetchval("select count(*) from provisioning_request") == 0


async def test_where_it_is_only_shown_nothing_is_refused(budgeted):
    """`budget: show` leaves the decision to people."""
    world = await budgeted(enforced=False, known=False)
    assert (await world.request()).state == RequestState.PENDING


async def test_a_budget_counts_what_is_expected_and_what_is_reserved(budgeted):
    """What the team's instances cost a month, what other requests would add and what this one adds, in the budget's currency."""
    world = await budgeted()
    made = await world.request()
    async with world.database.connection() as connection:
        await connection.execute("update component_instance set monthly = 40, currency = 'EUR' where name = 'vpc'")
        await connection.execute("insert into exchange_rate (base, currency, day, rate) values ('EUR', 'USD', '2026-01-01', 1.5)")
        delta = '{"amount": "7.5", "currency": "USD"}'
        await connection.execute(
            "update provisioning_request set preview = preview || jsonb_build_object('costDelta', $1::jsonb)", delta
        )
    async with world.database.session() as session:
        found = await budgets.standing(session, made.team_id, Money(amount=Decimal(10), currency="EUR"))
    assert found is not None
    assert (found.budget.amount, found.expected, found.committed, found.requested) == (100, 60, Decimal("7.5"), 15)
