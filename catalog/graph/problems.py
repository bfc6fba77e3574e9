"""Expected failures of mutations, as values: one table from the catalog's errors to the graph's types."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry import UNSET

from catalog import errors, values
from catalog.graph import names
from catalog.graph.nodes import Money
from catalog.graph.scalars import CurrencyCode

_CODE = "A stable code."
_MESSAGE = "What happened and what to do."
_PATH = "Which part of the input doesn't hold."
_DOCS = "Where to read more."


@strawberry.interface(description="An expected failure of a mutation: every payload is its object (or null) and `errors`.")
class UserError:
    code: str = strawberry.field(description=_CODE)
    message: str = strawberry.field(description=_MESSAGE)
    path: list[str] | None = strawberry.field(description=_PATH, default=None)
    docs_url: str | None = strawberry.field(description=_DOCS, default=None)


@strawberry.type(description="A value that was sent doesn't hold; `path` says which.")
class ValidationError(UserError):
    pass


@strawberry.type(description="Nothing answers to that name, or the viewer may not see it.")
class NotFound(UserError):
    pass


@strawberry.type(description="Several things answer to that name.")
class Ambiguous(UserError):
    candidates: list[str] = strawberry.field(description="What tells them apart.", default_factory=list)


@strawberry.type(description="The viewer may not do this.")
class Forbidden(UserError):
    pass


@strawberry.type(description="It clashes with what is there already.")
class Conflict(UserError):
    pass


@strawberry.type(description="A policy denies it.")
class PolicyDenied(UserError):
    verdicts: list[names.PolicyVerdictType] = strawberry.field(description="What the policies say.", default_factory=list)


@strawberry.type(description="What was approved is no longer what would happen.")
class PlanChanged(UserError):
    approved_digest: str = strawberry.field(description="What was named.", default="")
    current_digest: str = strawberry.field(description="What would happen now.", default="")
    difference: list[str] = strawberry.field(description="What differs, line by line.", default_factory=list)


@strawberry.type(description="It would cost more than the team's budget admits, where the workflow holds requests to it.")
class BudgetExceeded(UserError):
    budget: Money = strawberry.field(description="What the team may spend a month.", default=UNSET)
    requested: Money | None = strawberry.field(
        description="What the request would add to a month, in the budget's currency; null where that isn't known.", default=None
    )


@strawberry.type(description="The viewer asked for more than a minute brings; nothing was done.")
class RateLimited(UserError):
    retry_after: int = strawberry.field(description="In how many seconds there is enough again.", default=1)


def _money(value: values.Money | None) -> Money | None:
    return None if value is None else Money(amount=value.amount, currency=CurrencyCode(value.currency))


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """How one kind of error shows: its type, and what it holds beyond code, message and path."""

    type: type[UserError]
    more: Callable[[Any], dict[str, Any]] = lambda _error: {}


# Every kind of error that a use-case may raise on purpose; a test sees that none is missing. Kinds that say that the catalog
# itself can't go on (Unavailable) or that its caller is unknown (Unauthenticated) are errors of the operation: see `execution`.
PROBLEMS: dict[type[errors.CatalogError], Problem] = {
    errors.PlanChanged: Problem(
        type=PlanChanged,
        more=lambda error: {
            "approved_digest": error.approved,
            "current_digest": error.current,
            "difference": list(error.difference),
        },
    ),
    errors.BudgetExceeded: Problem(
        type=BudgetExceeded,
        more=lambda error: {"budget": _money(error.budget), "requested": _money(error.requested)},
    ),
    errors.RateLimited: Problem(type=RateLimited, more=lambda error: {"retry_after": error.retry_after}),
    errors.Conflict: Problem(type=Conflict),
    errors.Forbidden: Problem(type=Forbidden),
    errors.Ambiguous: Problem(type=Ambiguous, more=lambda error: {"candidates": list(error.candidates)}),
    errors.NotFound: Problem(type=NotFound),
    errors.Invalid: Problem(type=ValidationError),
    errors.EstateError: Problem(type=ValidationError),
    errors.NotGiven: Problem(type=ValidationError),
    errors.NotProvisioned: Problem(type=ValidationError),
    errors.UnknownStore: Problem(type=ValidationError),
    errors.WrongUse: Problem(type=ValidationError),
}
OF_OPERATION = (errors.Unauthenticated, errors.Unavailable)


def problem(error: errors.CatalogError) -> UserError | None:
    """Return what a payload shows for an error, None for one that is the whole operation's."""
    if isinstance(error, OF_OPERATION):
        return None
    found = next((PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS), Problem(type=Conflict))
    message = f"{error.message} ({error.hint})" if error.hint else error.message
    return found.type(code=error.code, message=message, path=list(error.path) or None, **found.more(error))
