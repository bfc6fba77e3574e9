"""Whether a request stays within the budget of the team on whose behalf it is, where the workflow says that it must."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from catalog.errors import BudgetExceeded
from catalog.provisioning.workflow import PlannedStep
from catalog.records import StepKind
from catalog.store.budgets import Standing
from catalog.values import Money


def are_enforced(steps: Sequence[PlannedStep]) -> bool:
    """Whether a step that will be carried out holds requests to the budget."""
    kinds = (step for step in steps if step.kind is StepKind.COST_ANALYSIS and step.skip is None)
    return any(step.options.get("budget") == "enforce" for step in kinds)


def check(standing: Standing | None, adds: Money | None) -> None:
    """Raise BudgetExceeded for a request that adds more a month than the budget still admits, or whose cost nobody knows.

    What a request saves is always admitted, and so is everything for a team without a budget.
    """
    if standing is None or (adds is not None and adds.amount <= 0):
        return
    parts = (standing.expected, standing.committed, standing.requested)
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        raise BudgetExceeded(
            "nobody knows whether it stays within the team's budget: some cost isn't known", budget=standing.budget
        )
    assert standing.requested is not None
    total = sum(known, Decimal(0))
    if total > standing.budget.amount:
        currency = standing.budget.currency
        raise BudgetExceeded(
            f"it would bring the team to {_shown(total)} {currency} a month, with a budget of {_shown(standing.budget.amount)}",
            budget=standing.budget,
            requested=Money(amount=standing.requested, currency=currency),
        )


def _shown(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
