"""Who asks: a bearer token, or the cookie that a one-time link or a token left in a browser.

A cookie is sent by the browser whoever wrote the page, so with a cookie every request that may change something must come from our
own origin; a bearer token is put there by hand and proves enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from catalog import errors
from catalog.access import tokens
from catalog.access.viewers import Viewers
from catalog.portal import pages
from catalog.records import ANONYMOUS, Scope

COOKIE = "catalog_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


async def viewer(request: Request) -> Scope:
    """The scope of whoever asks, ANONYMOUS without token or cookie.

    Raises Unauthenticated for a token that doesn't hold, Forbidden for a cookie's request from another origin.
    """
    viewers: Viewers = request.app.state.viewers
    found = secret(request)
    if found is None:
        return ANONYMOUS
    if "authorization" not in request.headers and request.method not in _SAFE_METHODS:
        require_same_origin(request)
    return await viewers.authenticate(found)


def secret(connection: HTTPConnection) -> str | None:
    """The token that a request shows: its bearer token, else its cookie; raises Unauthenticated for another kind of header."""
    header = connection.headers.get("authorization")
    return _bearer(header) if header is not None else connection.cookies.get(COOKIE) or None


def of_handshake(socket: HTTPConnection, payload: Mapping[str, Any] | None) -> str | None:
    """The token that a websocket shows: `Authorization` in the payload of its first message, else that of its handshake.

    Raises Unauthenticated for what is no bearer token, Forbidden for a cookie from another origin: a browser opens websockets for any
    page, and sends the cookie along.
    """
    said = next((value for name, value in (payload or {}).items() if name.lower() == "authorization"), None)
    if said is not None:
        return _bearer(said if isinstance(said, str) else "")
    if "authorization" not in socket.headers and COOKIE in socket.cookies:
        require_same_origin(socket)
    return secret(socket)


def _bearer(header: str) -> str:
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise errors.Unauthenticated("the Authorization header is not a bearer token", hint="send `Authorization: Bearer atc_…`")
    return secret.strip()


def require_same_origin(request: HTTPConnection) -> None:
    """Raise Forbidden unless the browser says that the request comes from a page of ours."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None and site != "same-origin":
        raise _foreign(site)
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise _foreign(origin)
    if site is None and origin is None:
        raise _foreign("unknown")


def _foreign(origin: str) -> errors.Forbidden:
    return errors.Forbidden(
        f"a signed-in browser may only send this from the catalog's own pages (origin: {origin})",
        hint="from a program, send a bearer token instead of the cookie",
    )


async def sign_in(request: Request) -> Response:
    """GET with a one-time link's token, or a posted access token: leave the cookie and go where `next` says."""
    if request.method == "POST":
        return await _sign_in_with_token(request)
    secret = request.query_params.get("token")
    if request.method == "HEAD" or not secret:
        return HTMLResponse(pages.sign_in())
    try:
        session = await tokens.redeem(request.app.state.database, secret)
    except errors.Unauthenticated as error:
        return HTMLResponse(pages.sign_in(problem=str(error)), status_code=401)
    return _signed_in(request, session)


async def _sign_in_with_token(request: Request) -> Response:
    require_same_origin(request)
    form = parse_qs((await request.body()).decode(errors="replace"))
    secret = form.get("token", [""])[0].strip()
    try:
        await tokens.authenticate(request.app.state.database, secret)
    except errors.Unauthenticated as error:
        return HTMLResponse(pages.sign_in(problem=str(error)), status_code=401)
    return _signed_in(request, secret)


def forget(answer: Response) -> Response:
    """Let the browser drop the cookie with this response."""
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return answer


def _signed_in(request: Request, secret: str) -> Response:
    answer = RedirectResponse(_inside(request.query_params.get("next")), status_code=303)
    answer.set_cookie(COOKIE, secret, httponly=True, samesite="lax", secure=request.url.scheme == "https", path="/")
    return answer


def _inside(target: str | None) -> str:
    """The target when it is a path of ours, else the first page: a sign-in link must not lead elsewhere."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")):
        return target
    return "/"


async def sign_out(request: Request) -> Response:
    """Forget the cookie; a session that a link made ends with it."""
    require_same_origin(request)
    secret = request.cookies.get(COOKIE)
    if secret:
        await tokens.end_session(request.app.state.database, secret)
    return forget(RedirectResponse("/", status_code=303))
