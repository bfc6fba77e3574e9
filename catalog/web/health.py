"""Health: /livez says that the process answers, /readyz that the catalog does: migrated, and with a first index in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse

from catalog import errors
from catalog.store import migrations, readiness
from catalog.store.database import Database


async def live(_request: Request) -> JSONResponse:
    """200 as long as the process answers."""
    return JSONResponse({"status": "alive"})


async def ready(request: Request) -> JSONResponse:
    """200 when the migrations are current and an index is in, else 503 with what is missing."""
    missing = await _missing(request.app.state.database)
    if missing:
        return JSONResponse({"status": "not ready", "reasons": missing}, status_code=503)
    return JSONResponse({"status": "ready"})


async def _missing(database: Database) -> list[str]:
    try:
        if not await migrations.is_current(database):
            return ["the database is not at this version's migrations: run `catalog migrate`"]
        counts = await readiness.read(database)
    except errors.CatalogError as error:
        return [str(error)]
    if not counts.indexed:
        return ["no estate has been indexed yet"]
    return []
