"""Errors of an operation as GraphQL shows them: a message, perhaps a path, and `extensions.code`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

from catalog.errors import Ambiguous, CatalogError


class Rejected(Exception):  # a verdict on the request, not a failure of ours
    """The operation is refused before it runs; each error has a code."""

    def __init__(self, *errors: dict[str, Any]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors


def error(
    code: str, message: str, *, path: Sequence[str | int] = (), locations: Sequence[Any] = (), **extensions: Any
) -> dict[str, Any]:
    """Return one error in GraphQL's shape."""
    made: dict[str, Any] = {"message": message}
    if locations:
        made["locations"] = [{"line": place.line, "column": place.column} for place in locations]
    if path:
        made["path"] = list(path)
    return made | {"extensions": {"code": code, **extensions}}


def of_graphql(code: str, problem: GraphQLError) -> dict[str, Any]:
    """Return an error of the parser, the validator or the coercion of variables."""
    return error(code, problem.message, locations=problem.locations or ())


def of_catalog(problem: CatalogError, *path: str | int) -> dict[str, Any]:
    """Return an expected failure of a field that has no `errors` of its own."""
    message = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    more = {"candidates": list(problem.candidates)} if isinstance(problem, Ambiguous) else {}
    return error(problem.code, message, path=path, **more)


def bad_input(message: str, *path: str | int) -> Rejected:
    """A value that doesn't hold, found before anything runs."""
    return Rejected(error("BAD_USER_INPUT", message, path=path))
