"""Strawberry with one SQL statement for each root field: the bare statement, parsed and resolved by graphql-core field by field."""

from __future__ import annotations

import datetime as dt
import json
import os
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import orjson
import strawberry
import strawberry_types as types
from strawberry.schema.config import StrawberryConfig
from strawberry_types import CostEstimate, Money, Named, Ownership, PageInfo

_STATEMENTS = json.loads(Path(os.environ["PEER_STATEMENTS"]).read_text())
_POOL: list[asyncpg.Pool] = []


@strawberry.type
class Dependency:
    id: str
    name: str
    cost_estimate: CostEstimate | None


@strawberry.type
class Dependencies:
    nodes: list[Dependency]


@strawberry.type
class ComponentInstance:
    id: str
    name: str
    type: str
    state: str
    stack: Named
    component: Named | None
    ownership: Ownership | None
    cost_estimate: CostEstimate | None

    @strawberry.field
    def depends_on(self, first: int = types.PAGE) -> Dependencies:
        del first
        return self["dependsOn"]


@strawberry.type
class ComponentInstances:
    nodes: list[ComponentInstance]
    page_info: PageInfo


@strawberry.type
class ServiceInstance:
    name: str
    state: str

    @strawberry.field
    def component_instances(self, first: int = types.PAGE) -> ComponentInstances:
        del first
        return self["componentInstances"]


@strawberry.type
class ServiceInstances:
    nodes: list[ServiceInstance]


@strawberry.type
class Service:
    slug: str
    title: str
    cost_estimate: CostEstimate | None

    @strawberry.field
    def instances(self, first: int = types.PAGE) -> ServiceInstances:
        del first
        return self["instances"]


@strawberry.type
class Services:
    nodes: list[Service]


@strawberry.type
class Team:
    slug: str
    title: str

    @strawberry.field
    def services(self, first: int = types.PAGE) -> Services:
        del first
        return self["services"]


@strawberry.type
class Teams:
    nodes: list[Team]


@strawberry.type
class CostKey:
    value: str


@strawberry.type
class CostReportRow:
    keys: list[CostKey]
    estimated: Money | None
    actual: Money | None


@strawberry.type
class CostReportRows:
    nodes: list[CostReportRow]


@strawberry.type
class CostReport:
    currency: str
    rows: CostReportRows


async def _read(name: str, *values):
    text = await _POOL[0].fetchval(_STATEMENTS[name][0], *values)
    return next(iter(orjson.loads(text).values()))


@strawberry.type
class SearchHits:
    nodes: list[types.SearchHit]


@strawberry.type
class Query:
    @strawberry.field
    async def component_instances(self, first: int = types.PAGE) -> ComponentInstances:
        return await _read("a", first)

    @strawberry.field
    async def teams(self, first: int = types.PAGE) -> Teams:
        return await _read("b", first, 3)

    @strawberry.field
    async def search(self, query: str, first: int) -> SearchHits:
        return await _read("c_flat", query, first)

    @strawberry.field
    async def cost_report(self, since: dt.date, until: dt.date, first: int) -> CostReport:
        return await _read("d", since, until, "USD", first)

    @strawberry.field
    async def component_instance(self, id: str) -> ComponentInstance | None:  # noqa: A002
        return await _read("e", id)


def _member(source, name: str):
    return source.get(name) if isinstance(source, dict) else getattr(source, name)


def _camel(source, name: str):
    first, *rest = name.split("_")
    return _member(source, first + "".join(part.title() for part in rest)) if isinstance(source, dict) else getattr(source, name)


@asynccontextmanager
async def _lifespan(_app):
    _POOL.append(await asyncpg.create_pool(os.environ["PEER_DATABASE_URL"], min_size=8, max_size=8, server_settings={"jit": "off"}))
    yield


schema = strawberry.Schema(query=Query, config=StrawberryConfig(default_resolver=_camel))
if __name__ == "__main__":
    types.serve(schema, _lifespan)
