"""What every response carries (a request id, security headers) and what a request may carry at most, as plain ASGI middleware."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 256 * 1024  # bytes; a document alone may have 64 KiB (graph.md, limits)
# What a path may carry beyond that: a Git host tells of every commit of a push, and may not be asked to be brief.
_LARGER = {"/webhooks/": 5 * 1024 * 1024}
_STREAMED = frozenset({"/uploads"})  # read as they come, within limits of their own

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# Monaco writes style elements and reads fonts from data: addresses; its workers are files of ours.
EXPLORER_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_RAW = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]


def request_id(request: Request) -> str:
    """The id that this request's response and log lines carry."""
    return str(request.scope["request_id"])


class Envelope:
    """Gives each request an id and each response its headers; what a response says itself wins."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with an id, and its response back with headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["request_id"] = secrets.token_hex(8)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _value in message["headers"]}
                ours = [(b"x-request-id", scope["request_id"].encode()), *(each for each in _RAW if each[0] not in said)]
                message = {**message, "headers": [*message["headers"], *ours]}
            await send(message)

        await self.app(scope, receive, send_with_headers)


class BodyLimit:
    """Refuses a body over the path's limit: by its announced length at once, else when it has grown past the limit."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the whole body within the limit, then hand it on as one message."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"} or scope["path"] in _STREAMED:
            await self.app(scope, receive, send)
            return
        limit = next((size for path, size in _LARGER.items() if scope["path"].startswith(path)), MAX_BODY)
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        too_large = announced.isdigit() and int(announced) > limit
        body = b"" if not announced.isdigit() or too_large else await _read(receive, limit)
        if body is None:
            return  # the client went away
        if too_large or len(body) > limit:
            await _too_large(limit, scope, receive, send)
            return
        handed = False

        async def replay() -> Message:
            nonlocal handed
            if handed:
                return await receive()
            handed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)


async def _read(receive: Receive, limit: int) -> bytes | None:
    body = bytearray()
    while len(body) <= limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return bytes(body)


async def _too_large(limit: int, scope: Scope, receive: Receive, send: Send) -> None:
    answer = JSONResponse(
        {"errors": [{"message": f"the body is larger than {limit // 1024} KiB", "extensions": {"code": "TOO_LARGE"}}]},
        status_code=413,
        headers={"Connection": "close"},
    )
    await answer(scope, receive, send)
