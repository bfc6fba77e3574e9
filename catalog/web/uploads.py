"""`POST /uploads?name=FILE`: takes a file that is too large for a mutation, as the body itself, and answers the id that `importCosts` takes.

The file streams to the disk and is whole or not there: what a client breaks off, or what grows past the limit, is removed at once.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from catalog import errors
from catalog.cost import uploads
from catalog.cost.uploads import Receiving
from catalog.records import ANONYMOUS
from catalog.web import authentication

_LOT = 1 << 20  # bytes that are written at once
_LONGEST_NAME = 200


async def receive(request: Request) -> Response:
    """Keep the body for a day and answer 201 with its id; 413 beyond the limit, 409 when there is no room."""
    scope = await authentication.viewer(request)
    if scope == ANONYMOUS or scope.principal_id is None:
        raise errors.Unauthenticated(
            "uploads are for signed-in people and programs", hint="send a token: `Authorization: Bearer atc_…`"
        )
    if not scope.is_admin:
        raise errors.Forbidden("only an admin may upload costs")
    name = request.query_params.get("name", "")
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise errors.Invalid(
            f"an upload has a name of 1 to {_LONGEST_NAME} characters", hint="POST /uploads?name=aws-2026-05.csv.gz", path=("name",)
        )
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > uploads.LARGEST:
        return _too_large()
    receiving = await asyncio.to_thread(lambda: Receiving(request.app.state.config, name, scope.principal_id or ""))
    try:
        return await _receive(request, receiving)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it


async def _receive(request: Request, receiving: Receiving) -> Response:
    with receiving:
        waiting = bytearray()
        async for chunk in request.stream():
            waiting += chunk
            if receiving.size + len(waiting) > uploads.LARGEST:
                return _too_large()
            if len(waiting) >= _LOT:
                await asyncio.to_thread(receiving.write, bytes(waiting))
                waiting.clear()
        await asyncio.to_thread(receiving.write, bytes(waiting))
        if receiving.size == 0:
            raise errors.Invalid("the upload is empty", hint="send the file as the body: `curl --data-binary @FILE`")
        made = await asyncio.to_thread(receiving.done)
    until = datetime.now(UTC) + timedelta(seconds=uploads.KEPT)
    shown = {
        "id": made.id,
        "name": made.name,
        "size": made.size,
        "sha256": made.sha256,
        "expiresAt": until.isoformat(timespec="seconds"),
    }
    return JSONResponse(shown, status_code=201)


def _too_large() -> Response:
    message = f"an upload has {uploads.LARGEST >> 30} GiB at most"
    hint = "pack it with gzip, or import it where it lies: `catalog costs import FILE`"
    body = {"errors": [{"message": message, "extensions": {"code": "TOO_LARGE", "hint": hint}}]}
    return JSONResponse(body, status_code=413, headers={"Connection": "close"})
