"""Records of what the organisation says: organisations, tenants, environments, teams, people and services."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from catalog.records import columns


class EnvironmentKind(StrEnum):
    """What an environment is for, read from its stage's aliases."""

    DEVELOPMENT = "DEVELOPMENT"
    TEST = "TEST"
    STAGING = "STAGING"
    PRODUCTION = "PRODUCTION"
    SHARED = "SHARED"
    OTHER = "OTHER"


class Lifecycle(StrEnum):
    """A service's lifecycle, as Backstage means it."""

    EXPERIMENTAL = "EXPERIMENTAL"
    PRODUCTION = "PRODUCTION"
    DEPRECATED = "DEPRECATED"
    RETIRED = "RETIRED"


class ServiceLayer(StrEnum):
    """Which half of a service a component belongs to."""

    INFRASTRUCTURE = "INFRASTRUCTURE"
    APPLICATION = "APPLICATION"


class ServiceInstanceState(StrEnum):
    """Whether a service's parts are all there in an environment."""

    COMPLETE = "COMPLETE"
    PARTIAL = "PARTIAL"
    PROVISIONING = "PROVISIONING"
    FAILED = "FAILED"
    DECOMMISSIONED = "DECOMMISSIONED"


class ServiceSource(StrEnum):
    """Where a service is defined: the seeds, or rows that a mutation or a request made and indexing never touches."""

    SEEDS = "SEEDS"
    CATALOG = "CATALOG"


class Organization(SQLModel, table=True):
    """An organisation: the root of tenants, teams and money."""

    id: str = columns.identity()
    name: str = columns.text(unique=True)
    title: str | None = columns.text(nullable=True)
    currency: str = columns.text()
    default_team_id: str | None = columns.text(nullable=True)
    # The estate whose own seeds speak for it; null where the catalog's seeds do, or nobody's.
    seeds_estate_id: str | None = columns.text(nullable=True, index=True)


class Tenant(SQLModel, table=True):
    """A tenant of an organisation; the hidden one of an estate holds stacks that name none and is never shown."""

    id: str = columns.identity()
    organization_id: str = columns.reference("organization.id")
    name: str = columns.text()
    title: str | None = columns.text(nullable=True)
    hidden: bool = Field(nullable=False)
    budget: Decimal | None = columns.amount()  # a month
    budget_currency: str | None = columns.text(nullable=True)

    __table_args__ = (UniqueConstraint("organization_id", "name", "hidden"), Index("tenant_by_name", "name", "id"))


class Team(SQLModel, table=True):
    """A team that owns things and pays for them."""

    id: str = columns.identity()
    organization_id: str = columns.reference("organization.id")
    slug: str = columns.text()
    title: str = columns.text()
    email: str | None = columns.text(nullable=True)
    chat: str | None = columns.text(nullable=True)
    cost_center: str | None = columns.text(nullable=True)
    platform: bool = Field(nullable=False)
    budget: Decimal | None = columns.amount()  # a month
    budget_currency: str | None = columns.text(nullable=True)
    aliases: list[str] = columns.texts()  # e-mail addresses and handles that also name this team
    # Where the seeds say so; null for a team that only estates name.
    file: str | None = columns.text(nullable=True)
    line: int | None = Field(default=None)

    __table_args__ = (UniqueConstraint("organization_id", "slug"), Index("team_by_slug", "slug", "id"))


class Person(SQLModel, table=True):
    """A member of a team, as the seeds say."""

    id: str = columns.identity()
    team_id: str = columns.reference("team.id")
    name: str = columns.text()
    email: str | None = columns.text(nullable=True)
    role: str | None = columns.text(nullable=True)


class Environment(SQLModel, table=True):
    """Where things run: tenant, account, stage and region, derived from stack context and the tenant mapping."""

    id: str = columns.identity()
    organization_id: str = columns.reference("organization.id")
    tenant_id: str = columns.reference("tenant.id")
    name: str = columns.text()
    kind: str = columns.text()
    account: str | None = columns.text(nullable=True)
    stage: str | None = columns.text(nullable=True)
    region: str | None = columns.text(nullable=True)
    team_id: str | None = columns.reference("team.id", nullable=True, ondelete="SET NULL")

    __table_args__ = (
        UniqueConstraint("organization_id", "tenant_id", "account", "name", "region", postgresql_nulls_not_distinct=True),
        UniqueConstraint("tenant_id", "id"),
        columns.one_of("kind", EnvironmentKind),
        Index("environment_by_name", "name", "id"),
    )


class Service(SQLModel, table=True):
    """An offering: what a developer can ask for."""

    id: str = columns.identity()
    organization_id: str = columns.reference("organization.id")
    slug: str = columns.text()
    title: str = columns.text()
    description: str | None = columns.text(nullable=True)
    category: str | None = columns.text(nullable=True, index=True)
    lifecycle: str = columns.text()
    lifecycle_stated: bool = Field(default=False, nullable=False)  # whether somebody said so, or it is the default
    tier: int | None = Field(default=None)
    version: int = Field(default=1, nullable=False)
    owner_id: str | None = columns.reference("team.id", nullable=True, ondelete="SET NULL")
    cost_estimate_id: str | None = columns.reference("cost_estimate.id", nullable=True, ondelete="SET NULL")
    computed_cost_estimate_id: str | None = columns.reference("cost_estimate.id", nullable=True, ondelete="SET NULL")
    provisioning_time: int | None = Field(default=None)
    budget: Decimal | None = columns.amount()  # a month
    budget_currency: str | None = columns.text(nullable=True)
    tags: list[str] = columns.texts()
    links: list[Any] = Field(sa_type=JSONB, nullable=False, default_factory=list)  # of {title, url}
    public: bool = Field(default=True, nullable=False)
    source: str = columns.text()
    file: str | None = columns.text(nullable=True)
    line: int | None = Field(default=None)
    # Of what people register: who wrote this version, when and why.
    changed_at: datetime | None = columns.time(nullable=True)
    changed_by_id: str | None = columns.text(nullable=True)
    change_reason: str | None = columns.text(nullable=True)
    # What was registered under this slug and counts again when the seeds name it no more: {service, components}.
    overridden: dict[str, Any] | None = columns.json(nullable=True)

    __table_args__ = (
        UniqueConstraint("organization_id", "slug"),
        columns.one_of("lifecycle", Lifecycle),
        columns.one_of("source", ServiceSource),
        CheckConstraint("budget is null or budget_currency is not null", name="service_budget_has_currency"),
        Index("service_registered", "organization_id", postgresql_where=sql("source = 'CATALOG' or overridden is not null")),
        Index("service_by_slug", "slug", "id"),
        Index("service_by_owner", "owner_id", "slug", "id"),
    )


class ServiceComponent(SQLModel, table=True):
    """One part of a service: a component by name, its layer and its role."""

    __tablename__ = "service_component"

    service_id: str = Field(sa_type=columns.C_TEXT, foreign_key="service.id", primary_key=True, ondelete="CASCADE")
    ordinal: int = Field(primary_key=True)
    name: str = columns.text(index=True)
    layer: str = columns.text()
    role: str | None = columns.text(nullable=True)
    component_id: str | None = columns.reference("component.id", nullable=True, ondelete="SET NULL")

    __table_args__ = (columns.one_of("layer", ServiceLayer),)


class ServiceInstance(SQLModel, table=True):
    """A service running in an environment: matched from the estate, or registered by a request."""

    __tablename__ = "service_instance"

    id: str = columns.identity()
    tenant_id: str = columns.text()
    service_id: str = columns.reference("service.id")
    environment_id: str = columns.text(index=True)
    name: str = columns.text()
    team_id: str | None = columns.reference("team.id", nullable=True, ondelete="SET NULL")
    state: str = columns.text()
    missing: list[str] = columns.texts()
    registered_by_id: str | None = columns.text(nullable=True)

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "environment_id"], ["environment.tenant_id", "environment.id"], ondelete="CASCADE"),
        columns.one_of("state", ServiceInstanceState),
        Index("service_instance_by_service_name", "service_id", "name", "id"),
        Index("service_instance_by_environment_name", "environment_id", "name", "id"),
    )


class ServiceInstanceComponent(SQLModel, table=True):
    """Which component instances make up a service instance."""

    __tablename__ = "service_instance_component"

    service_instance_id: str = Field(
        sa_type=columns.C_TEXT, foreign_key="service_instance.id", primary_key=True, ondelete="CASCADE"
    )
    instance_id: str = Field(
        sa_type=columns.C_TEXT, foreign_key="component_instance.id", primary_key=True, ondelete="CASCADE", index=True
    )
