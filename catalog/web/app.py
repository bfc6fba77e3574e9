"""The application: which path leads where, and what wraps them all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from catalog import errors
from catalog.access.viewers import Viewers
from catalog.config import Config
from catalog.graph import federation, trusted
from catalog.graph.execution import Graph
from catalog.graph.rates import Rates
from catalog.graph.trusted import Documents
from catalog.portal import home, pages
from catalog.records import ANONYMOUS
from catalog.store.database import Database
from catalog.web import authentication, envelope, explorer, export, failures, graphql, health, recipes, uploads, webhooks, websocket
from catalog.web.live import Live

# What a page of another origin may read beside the body.
_EXPOSED = ["ETag", "Retry-After", "X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]
_COMPRESSION = 3  # three quarters smaller already; the highest level takes five times as long to save a few hundredths more
_STATIC = Path(__file__).parent / "static"
_PORTAL_STATIC = Path(home.__file__).parent / "static"


def create(database: Database, config: Config) -> Starlette:
    """Make the application over an open database; who opened the database closes it."""
    app = Starlette(
        lifespan=_lifespan,
        routes=[
            # Paths are tried in this order: first what is asked for most.
            Route("/graphql", graphql.endpoint, methods=["GET", "POST"], name="graphql"),
            WebSocketRoute("/graphql", websocket.endpoint),
            Route("/", _home, methods=["GET"]),
            Route("/export/{list}.{format}", export.of_list, methods=["GET"]),
            Route("/export/{format}", export.of_document, methods=["POST"]),
            Route("/sign-in", authentication.sign_in, methods=["GET", "POST"]),
            Route("/sign-out", authentication.sign_out, methods=["POST"]),
            Route("/webhooks/git/{estate}", webhooks.receive, methods=["POST"]),
            Route("/uploads", uploads.receive, methods=["POST"]),
            Route("/diagnostics", _diagnostics, methods=["GET"]),
            Route("/livez", health.live),
            Route("/readyz", health.ready),
            Mount("/static/portal", _Files(directory=_PORTAL_STATIC)),
            Mount("/static", _Files(directory=_STATIC)),
        ],
        middleware=[
            Middleware(envelope.Envelope),
            *_across_origins(config),
            Middleware(failures.Masked),
            Middleware(envelope.BodyLimit),
            Middleware(GZipMiddleware, minimum_size=1024, compresslevel=_COMPRESSION),
        ],
        exception_handlers={
            errors.CatalogError: failures.expected,
            HTTPException: _http,
        },
    )
    app.state.database = database
    app.state.viewers = Viewers(database)
    app.state.live = Live(database, app.state.viewers)
    app.state.config = config
    app.state.exports = export.Exports()
    app.state.graph = Graph(database, config, rates=Rates(config.rate_factor), trusted=_trusted(config))
    return app


def _across_origins(config: Config) -> list[Middleware]:
    """Let pages of the configured origins call with a bearer token; without credentials, so that no cookie ever comes along."""
    if not config.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=config.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "If-None-Match"],
            expose_headers=_EXPOSED,
            max_age=600,
        )
    ]


def _trusted(config: Config) -> Documents:
    """The documents that the catalog's own pages show, and those of whoever runs it; raises WrongUse."""
    named = () if config.trusted_documents is None else tuple(trusted.read(config.trusted_documents, federation.served(config)))
    own = [home.DOCUMENT, *(tab["query"] for tab in explorer.tabs()), *(recipe.document for recipe in recipes.recipes())]
    return Documents(own, only=config.trusted_only, named=named)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    """While it serves, the application hears of changed access and so may remember whom a token belongs to, and of events."""
    async with app.state.viewers.hearing(), app.state.live.hearing():
        yield


async def _home(request: Request) -> Response:
    graph, database = request.app.state.graph, request.app.state.database
    try:
        scope = await authentication.viewer(request)
    except errors.Unauthenticated as error:
        return authentication.forget(HTMLResponse(await home.render(graph, database, ANONYMOUS, problem=str(error))))
    return HTMLResponse(await home.render(graph, database, scope))


async def _diagnostics(_request: Request) -> Response:
    """What every code of a diagnostic means: `Diagnostic.docsUrl` leads here. It tells nothing of what is indexed."""
    return HTMLResponse(pages.diagnostics())


async def _http(_request: Request, error: Exception) -> Response:
    """Starlette's own refusals (no such path, wrong method) in the shape of ours."""
    assert isinstance(error, HTTPException)
    body = {"errors": [{"message": str(error.detail), "extensions": {"code": f"HTTP_{error.status_code}"}}]}
    return JSONResponse(body, status_code=error.status_code, headers=dict(error.headers or {}))


class _Files(StaticFiles):
    """Files of the package: a browser keeps them and asks whether they changed; names with a hash never do."""

    def file_response(self, *arguments: object, **options: object) -> Response:
        answer = super().file_response(*arguments, **options)  # type: ignore[arg-type]
        name = Path(str(arguments[0])).name
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if name.startswith("chunk-") else "no-cache"
        return answer
