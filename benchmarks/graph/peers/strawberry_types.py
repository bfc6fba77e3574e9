"""The types that both Strawberry peers show: the part of the catalog's schema that the comparison asks for, served over Starlette."""

from __future__ import annotations

import os

import strawberry
import uvicorn
from starlette.applications import Starlette
from strawberry.asgi import GraphQL

PAGE = 20


@strawberry.type
class Money:
    amount: str
    currency: str


@strawberry.type
class CostEstimate:
    status: str
    monthly: Money | None


@strawberry.type
class Named:
    name: str


@strawberry.type
class Slug:
    slug: str


@strawberry.type
class Ownership:
    team: Slug


@strawberry.type
class PageInfo:
    has_next_page: bool


@strawberry.type
class SearchHit:
    score: float
    typename: str
    id: str
    name: str
    stack: str | None


def serve(schema: strawberry.Schema, lifespan=None) -> None:
    """Serve a schema at /graphql on PEER_PORT."""
    app = Starlette(lifespan=lifespan)
    app.mount("/graphql", GraphQL(schema, graphql_ide=None))
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PEER_PORT"]), log_level="warning", access_log=False)
