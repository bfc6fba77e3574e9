"""Strawberry as its documentation writes it: an ORM, a data loader for each relation, a resolver for each field that is not a column."""

from __future__ import annotations

import datetime as dt
import os
from collections import defaultdict
from contextlib import asynccontextmanager
from decimal import Decimal

import strawberry
import strawberry_types as types
from sqlalchemy import ForeignKey, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column
from strawberry.dataloader import DataLoader
from strawberry.extensions import SchemaExtension
from strawberry_types import CostEstimate, Money, PageInfo

_SESSIONS: list[async_sessionmaker[AsyncSession]] = []


class Base(DeclarativeBase):
    pass


class TeamRow(Base):
    __tablename__ = "team"
    id: Mapped[str] = mapped_column(primary_key=True)
    slug: Mapped[str]
    title: Mapped[str]


class StackRow(Base):
    __tablename__ = "stack"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class ComponentRow(Base):
    __tablename__ = "component"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class EstimateRow(Base):
    __tablename__ = "cost_estimate"
    id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    monthly: Mapped[Decimal | None]
    currency: Mapped[str | None]


class ServiceRow(Base):
    __tablename__ = "service"
    id: Mapped[str] = mapped_column(primary_key=True)
    slug: Mapped[str]
    title: Mapped[str]
    owner_id: Mapped[str | None]
    cost_estimate_id: Mapped[str | None]


class ServiceInstanceRow(Base):
    __tablename__ = "service_instance"
    id: Mapped[str] = mapped_column(primary_key=True)
    service_id: Mapped[str]
    name: Mapped[str]
    state: Mapped[str]


class InstanceRow(Base):
    __tablename__ = "component_instance"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    type: Mapped[str]
    state: Mapped[str]
    stack_id: Mapped[str]
    component_id: Mapped[str | None]
    team_id: Mapped[str | None]
    owner_source: Mapped[str | None]
    cost_estimate_id: Mapped[str | None]
    removed_at: Mapped[dt.datetime | None]


class LinkRow(Base):
    __tablename__ = "service_instance_component"
    service_instance_id: Mapped[str] = mapped_column(ForeignKey("service_instance.id"), primary_key=True)
    instance_id: Mapped[str] = mapped_column(ForeignKey("component_instance.id"), primary_key=True)


class DependencyRow(Base):
    __tablename__ = "dependency"
    source_id: Mapped[str] = mapped_column(primary_key=True)
    target_id: Mapped[str] = mapped_column(primary_key=True)
    via: Mapped[str] = mapped_column(primary_key=True)


# ── data loaders: one statement for each relation and level ──────────────────────────────────────────────────────────


def _by_id(row):
    async def load(ids):
        async with _SESSIONS[0]() as session:
            found = {each.id: each for each in await session.scalars(select(row).where(row.id.in_(ids)))}
        return [found.get(each) for each in ids]

    return DataLoader(load_fn=load)


def _children(parent, row, order, *joins):
    """Rows of each parent, the first so many of them; the key is (parent's id, how many)."""

    async def load(keys):
        size = max(key[1] for key in keys)
        number = func.row_number().over(partition_by=parent, order_by=order).label("n")
        query = select(row, parent.label("parent"), number).where(parent.in_([key[0] for key in keys]))
        for target, on in joins:
            query = query.join(target, on)
        if hasattr(row, "removed_at"):
            query = query.where(row.removed_at.is_(None))
        rows = query.subquery()
        entity = aliased(row, rows)
        found = defaultdict(list)
        async with _SESSIONS[0]() as session:
            for each, key in await session.execute(
                select(entity, rows.c.parent).where(rows.c.n <= size).order_by(rows.c.parent, rows.c.n)
            ):
                found[key].append(each)
        return [found[key[0]][: key[1]] for key in keys]

    return DataLoader(load_fn=load)


class Loaders(SchemaExtension):
    """Fresh loaders for each operation."""

    def on_operation(self):
        context = self.execution_context.context
        context |= {
            "stack": _by_id(StackRow),
            "component": _by_id(ComponentRow),
            "team": _by_id(TeamRow),
            "estimate": _by_id(EstimateRow),
            "services": _children(ServiceRow.owner_id, ServiceRow, (ServiceRow.slug, ServiceRow.id)),
            "instances": _children(
                ServiceInstanceRow.service_id, ServiceInstanceRow, (ServiceInstanceRow.name, ServiceInstanceRow.id)
            ),
            "components": _children(
                LinkRow.service_instance_id,
                InstanceRow,
                (InstanceRow.name, InstanceRow.id),
                (LinkRow, LinkRow.instance_id == InstanceRow.id),
            ),
            "dependencies": _children(
                DependencyRow.source_id,
                InstanceRow,
                (InstanceRow.name, InstanceRow.id, DependencyRow.via),
                (DependencyRow, DependencyRow.target_id == InstanceRow.id),
            ),
        }
        yield


# ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _money(amount: Decimal | None, currency: str | None) -> Money | None:
    return None if amount is None else Money(amount=f"{amount.normalize():f}", currency=currency)


async def _estimate(info, key: str | None) -> CostEstimate | None:
    found = await info.context["estimate"].load(key) if key else None
    return found and CostEstimate(status=found.status, monthly=_money(found.monthly, found.currency))


@strawberry.type
class Dependency:
    id: str
    name: str

    @strawberry.field
    async def cost_estimate(self, info: strawberry.Info) -> CostEstimate | None:
        return await _estimate(info, self.cost_estimate_id)


@strawberry.type
class Dependencies:
    nodes: list[Dependency]


@strawberry.type
class ComponentInstance:
    id: str
    name: str
    type: str
    state: str

    @strawberry.field
    async def stack(self, info: strawberry.Info) -> types.Named:
        return await info.context["stack"].load(self.stack_id)

    @strawberry.field
    async def component(self, info: strawberry.Info) -> types.Named | None:
        return await info.context["component"].load(self.component_id) if self.component_id else None

    @strawberry.field
    async def ownership(self, info: strawberry.Info) -> types.Ownership | None:
        owned = self.team_id and self.owner_source
        return types.Ownership(team=await info.context["team"].load(self.team_id)) if owned else None

    @strawberry.field
    async def cost_estimate(self, info: strawberry.Info) -> CostEstimate | None:
        return await _estimate(info, self.cost_estimate_id)

    @strawberry.field
    async def depends_on(self, info: strawberry.Info, first: int = types.PAGE) -> Dependencies:
        return Dependencies(nodes=await info.context["dependencies"].load((self.id, first)))


@strawberry.type
class ComponentInstances:
    nodes: list[ComponentInstance]
    page_info: PageInfo | None = None


@strawberry.type
class ServiceInstance:
    name: str
    state: str

    @strawberry.field
    async def component_instances(self, info: strawberry.Info, first: int = types.PAGE) -> ComponentInstances:
        return ComponentInstances(nodes=await info.context["components"].load((self.id, first)))


@strawberry.type
class ServiceInstances:
    nodes: list[ServiceInstance]


@strawberry.type
class Service:
    slug: str
    title: str

    @strawberry.field
    async def cost_estimate(self, info: strawberry.Info) -> CostEstimate | None:
        return await _estimate(info, self.cost_estimate_id)

    @strawberry.field
    async def instances(self, info: strawberry.Info, first: int = types.PAGE) -> ServiceInstances:
        return ServiceInstances(nodes=await info.context["instances"].load((self.id, first)))


@strawberry.type
class Services:
    nodes: list[Service]


@strawberry.type
class Team:
    slug: str
    title: str

    @strawberry.field
    async def services(self, info: strawberry.Info, first: int = types.PAGE) -> Services:
        return Services(nodes=await info.context["services"].load((self.id, first)))


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


@strawberry.type
class SearchHits:
    nodes: list[types.SearchHit]


@strawberry.type
class Query:
    @strawberry.field
    async def component_instances(self, first: int = types.PAGE) -> ComponentInstances:
        query = select(InstanceRow).where(InstanceRow.removed_at.is_(None)).order_by(InstanceRow.name, InstanceRow.id)
        async with _SESSIONS[0]() as session:
            found = list(await session.scalars(query.limit(first + 1)))
        return ComponentInstances(nodes=found[:first], page_info=PageInfo(has_next_page=len(found) > first))

    @strawberry.field
    async def teams(self, first: int = types.PAGE) -> Teams:
        async with _SESSIONS[0]() as session:
            return Teams(nodes=list(await session.scalars(select(TeamRow).order_by(TeamRow.slug, TeamRow.id).limit(first))))

    @strawberry.field
    async def search(self, query: str, first: int) -> SearchHits:
        async with _SESSIONS[0]() as session:
            found = await session.execute(text("select * from peer.search_hits(:q, :n)"), {"q": query, "n": first})
            return SearchHits(nodes=[types.SearchHit(**each) for each in found.mappings()])

    @strawberry.field
    async def cost_report(self, since: dt.date, until: dt.date, first: int) -> CostReport:
        sql = text("select * from peer.cost_rows(:since, :until, 'USD') limit :n")
        async with _SESSIONS[0]() as session:
            found = list(await session.execute(sql, {"since": since, "until": until, "n": first}))
        rows = [
            CostReportRow(
                keys=[CostKey(value=each.team), CostKey(value=each.month)],
                estimated=_money(each.estimated, each.currency),
                actual=_money(each.actual, each.currency),
            )
            for each in found
        ]
        return CostReport(currency="USD", rows=CostReportRows(nodes=rows))

    @strawberry.field
    async def component_instance(self, id: str) -> ComponentInstance | None:  # noqa: A002
        async with _SESSIONS[0]() as session:
            return await session.get(InstanceRow, id)


@asynccontextmanager
async def _lifespan(_app):
    url = os.environ["PEER_DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url, pool_size=8, max_overflow=0, connect_args={"server_settings": {"jit": "off"}})
    _SESSIONS.append(async_sessionmaker(engine, expire_on_commit=False))
    yield


schema = strawberry.Schema(query=Query, extensions=[Loaders])
if __name__ == "__main__":
    types.serve(schema, _lifespan)
