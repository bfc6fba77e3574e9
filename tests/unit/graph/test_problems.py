"""Expected failures as the graph's own types."""

from __future__ import annotations

import inspect
from decimal import Decimal

from catalog import errors
from catalog.graph import problems
from catalog.values import Money


def test_every_error_of_the_catalog_has_its_place() -> None:
    """No kind of error that a use-case may raise is without a type in the graph, or a reason to be the operation's."""
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.CatalogError)]
    placed = {*problems.PROBLEMS, *problems.OF_OPERATION, errors.CatalogError}
    assert [kind for kind in kinds if kind not in placed] == []


def test_a_problem_says_code_message_path_and_more() -> None:
    """What a changed plan shows names both digests and the difference."""
    error = errors.PlanChanged("it changed", approved="a", current="b", difference=("x",), hint="look again")
    shown = problems.problem(error)
    assert isinstance(shown, problems.PlanChanged)
    assert (shown.code, shown.message) == ("PLAN_CHANGED", "it changed (look again)")
    assert (shown.approved_digest, shown.current_digest, shown.difference) == ("a", "b", ["x"])


def test_what_the_operation_can_not_survive_is_no_value() -> None:
    """A database that doesn't answer is an error of the operation, not one of a payload."""
    assert problems.problem(errors.Unavailable("no database")) is None


def test_an_exceeded_budget_says_both_amounts() -> None:
    """What nobody knows is null, never zero."""
    budget = Money(amount=Decimal(100), currency="USD")
    shown = problems.problem(errors.BudgetExceeded("too dear", budget=budget, requested=Money(amount=Decimal(7), currency="USD")))
    assert isinstance(shown, problems.BudgetExceeded)
    assert (shown.budget.amount, shown.requested and shown.requested.amount) == (100, 7)
    unknown = problems.problem(errors.BudgetExceeded("who knows", budget=budget))
    assert isinstance(unknown, problems.BudgetExceeded)
    assert unknown.requested is None
