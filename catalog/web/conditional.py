"""Answers to GET that a client may keep: each carries a tag, and who has the one of that tag gets 304 and no body.

The answer is worked out either way: what a client has is right only if nothing changed, and only the rows know.
"""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.responses import Response

# What a viewer saw is theirs alone, and is asked about again before it is shown again.
_KEPT = "private, no-cache"
_VARIES = "Accept, Authorization, Cookie"
_DIGEST = 16


def answer(request: Request, response: Response, entity: bytes) -> Response:
    """Tag a response to GET by what it tells; 304 in its place when the client has it. `entity` is what must be equal in equal ones."""
    # Weak: the same data may be sent compressed or not.
    kind = response.headers.get("content-type", "").encode()
    tag = f'W/"{hashlib.blake2b(kind + b";" + entity, digest_size=_DIGEST).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": _KEPT, "Vary": _VARIES}
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


def matches(given: str | None, tag: str) -> bool:
    """Whether an If-None-Match header names a tag, strong or weak; `*` names every one."""
    if given is None:
        return False
    named = [part.strip().removeprefix("W/") for part in given.split(",")]
    return "*" in named or tag.removeprefix("W/") in named
