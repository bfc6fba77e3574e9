"""Every error the catalog raises on purpose, in one tree.

    CatalogError
    ├── WrongUse          the command or the configuration was given something it can't use
    ├── Invalid           a value that someone sent doesn't hold; `path` says which
    ├── NotFound          nothing answers to that name, or the viewer may not see it
    ├── Ambiguous         several things answer to that name; `candidates` says which
    ├── Unauthenticated   no token, or one that doesn't hold
    ├── Forbidden         the viewer is known and may not do this
    ├── Conflict          it clashes with what is there already
    │   ├── PlanChanged   what was approved is no longer what would happen
    │   └── BudgetExceeded  it would cost more than the team's budget admits
    ├── EstateError       an estate that strict reading refuses, in Atmos' words
    │   ├── NotGiven      a template or function asks for what nobody handed in
    │   ├── NotProvisioned  a component's outputs are asked for, and it isn't applied yet
    │   └── UnknownStore  a function names a store that the configuration doesn't have
    ├── RateLimited       more was asked for than a minute brings; `retry_after` says when there is enough again
    └── Unavailable       something outside doesn't answer: database, git, terraform, a port, a directory

Each carries a stable `code`, a message that says what happened and where, and a `hint` with the next step.
HTTP status, GraphQL type and exit code are chosen at the rim, in one table each.
"""

from __future__ import annotations

from catalog.values import Money, SourceLocation


class CatalogError(Exception):
    """What every error here has in common: code, message, hint and, where there is one, a location."""

    code = "ERROR"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        location: SourceLocation | None = None,
        path: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.hint = hint
        self.location = location
        self.path = path

    def __str__(self) -> str:
        """The message with its place before and its hint behind, for a terminal or a log."""
        place = f"{self.location}: " if self.location else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{hint}"


class WrongUse(CatalogError):
    """The command or the configuration was given something it can't use."""

    code = "WRONG_USE"


class Invalid(CatalogError):
    """A value that someone sent doesn't hold; `path` says which."""

    code = "INVALID"


class NotFound(CatalogError):
    """Nothing answers to that name, or the viewer may not see it."""

    code = "NOT_FOUND"


class Ambiguous(CatalogError):
    """Several things answer to that name."""

    code = "AMBIGUOUS"

    def __init__(self, message: str, *, candidates: tuple[str, ...], hint: str | None = None, path: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint, path=path)
        self.candidates = candidates


class Unauthenticated(CatalogError):
    """No token was given, or the one given doesn't hold."""

    code = "UNAUTHENTICATED"


class Forbidden(CatalogError):
    """The viewer is known and may not do this."""

    code = "FORBIDDEN"


class Conflict(CatalogError):
    """It clashes with what is there already."""

    code = "CONFLICT"


class PlanChanged(Conflict):
    """What was approved is no longer what would happen."""

    code = "PLAN_CHANGED"

    def __init__(
        self, message: str, *, approved: str, current: str, difference: tuple[str, ...] = (), hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.approved = approved
        self.current = current
        self.difference = difference


class BudgetExceeded(Conflict):
    """It would cost more than the team's budget admits, or nobody knows that it doesn't: then `requested` is None."""

    code = "BUDGET_EXCEEDED"

    def __init__(self, message: str, *, budget: Money, requested: Money | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.budget = budget
        self.requested = requested


class EstateError(CatalogError):
    """An estate that strict reading refuses, in Atmos' words."""

    code = "ESTATE"


class NotGiven(EstateError):
    """A function asks for what nobody handed in; the message names it."""

    code = "DEFERRED"


class NotProvisioned(EstateError):
    """A component has no state yet: what Atmos prints as `(computed)` unless it is told to be strict."""

    code = "NOT_PROVISIONED"


class UnknownStore(EstateError):
    """The configuration knows no store of that name."""

    code = "STORE"


class RateLimited(CatalogError):
    """More was asked for than a minute brings."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, hint=f"ask again in {retry_after} s, or for less")
        self.retry_after = retry_after


class Unavailable(CatalogError):
    """Something outside doesn't answer: the database, git, terraform, a port, a directory."""

    code = "UNAVAILABLE"
