"""Failures at the HTTP rim: one status per error, one shape of body, one log line with the id that the user also sees."""

from __future__ import annotations

import logging
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog import errors

logger = logging.getLogger("catalog.web")

# The most specific class first; a test sees that every error has its row.
STATUS: dict[type[errors.CatalogError], int] = {
    errors.WrongUse: 400,
    errors.Invalid: 400,
    errors.NotFound: 404,
    errors.Ambiguous: 409,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.PlanChanged: 409,
    errors.BudgetExceeded: 409,
    errors.Conflict: 409,
    errors.NotGiven: 422,
    errors.NotProvisioned: 422,
    errors.UnknownStore: 422,
    errors.EstateError: 422,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
    errors.CatalogError: 500,
}


def status(error: errors.CatalogError) -> int:
    """The HTTP status of an error: the row of its own class, else of its nearest ancestor."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def body(error: errors.CatalogError) -> dict[str, Any]:
    """The error as a GraphQL response without data: what clients of `/graphql` and of the rest can both read."""
    extensions = {"code": error.code} | ({"hint": error.hint} if error.hint else {})
    return {"errors": [{"message": error.message, "extensions": extensions}]}


def respond(error: errors.CatalogError, *, media_type: str = "application/json") -> JSONResponse:
    """The response to an error; a 401 says how to authenticate, a 429 when to come back."""
    code = status(error)
    headers = {"WWW-Authenticate": 'Bearer realm="catalog"'} if code == 401 else {}
    if isinstance(error, errors.RateLimited):
        headers["Retry-After"] = str(error.retry_after)
    return JSONResponse(body(error), status_code=code, headers=headers, media_type=media_type)


async def expected(_request: Request, error: Exception) -> JSONResponse:
    """Answer an error that the catalog raised on purpose."""
    assert isinstance(error, errors.CatalogError)
    return respond(error)


class Masked:
    """ASGI middleware that answers whatever nobody expected: logged once under the request's id, masked outside."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; when it fails before a response has begun, answer 500 with the id."""
        started = False

        async def noticed(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noticed)
        except Exception:
            if scope["type"] != "http" or started:
                raise
            request_id = scope["request_id"]
            logger.exception("request %s failed: %s %s", request_id, scope["method"], scope["path"])
            await respond(masked(request_id))(scope, receive, send)


def masked(request_id: str) -> errors.CatalogError:
    """What the user sees of an unexpected failure: the id under which it is logged."""
    return errors.CatalogError(
        f"something went wrong in the catalog; it is logged as {request_id}", hint="ask whoever runs the catalog, with that id"
    )
