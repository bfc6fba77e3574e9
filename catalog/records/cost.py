"""Records of money: estimates, charges, and measures. Unknown is a status, never zero; a range is never added as a number."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from catalog.records import columns


class CostStatus(StrEnum):
    """Whether a number is known, only a range or a part of it is, or nothing is."""

    KNOWN = "KNOWN"
    PARTIAL = "PARTIAL"
    UNKNOWN = "UNKNOWN"


class CostSource(StrEnum):
    """Where an estimate comes from, in order of precedence."""

    INFRACOST = "INFRACOST"
    PRICE_BOOK = "PRICE_BOOK"
    INSTANCE_METADATA = "INSTANCE_METADATA"
    COMPONENT_METADATA = "COMPONENT_METADATA"
    REGISTRY = "REGISTRY"
    SERVICE = "SERVICE"
    BAND = "BAND"


class CostEstimate(SQLModel, table=True):
    """What something is expected to cost a month (730 hours), in one currency."""

    __tablename__ = "cost_estimate"

    id: str = columns.identity()
    # What it is about: no foreign key, since the subject names its estimate; kept for look-ups from the estimate's side.
    subject_kind: str = columns.text()  # ComponentInstance | Component | Service
    subject_id: str = columns.text(index=True)
    status: str = columns.text()
    currency: str | None = columns.text(nullable=True)
    monthly: Decimal | None = columns.amount()
    low: Decimal | None = columns.amount()
    high: Decimal | None = columns.amount()
    reason: str | None = columns.text(nullable=True)
    unsupported: list[str] = columns.texts()
    source: str | None = columns.text(nullable=True)
    file: str | None = columns.text(nullable=True)
    line: int | None = Field(default=None)
    estimated_at: datetime | None = columns.time(nullable=True)
    # Of imported estimates alone, which have rows of their own: when a newer one came. The indexer writes the others.
    superseded_at: datetime | None = columns.time(nullable=True)

    __table_args__ = (
        columns.one_of("status", CostStatus),
        CheckConstraint("(monthly is null and low is null and high is null) or currency is not null", name="money_has_currency"),
        CheckConstraint("status <> 'UNKNOWN' or monthly is null", name="unknown_is_not_a_number"),
        CheckConstraint("superseded_at is null or source in ('INFRACOST', 'PRICE_BOOK')", name="only_imports_are_superseded"),
        Index("cost_estimate_imported", "subject_id", postgresql_where=sql("source in ('INFRACOST', 'PRICE_BOOK')")),
    )


class KpiDirection(StrEnum):
    """Which way a measure is better."""

    HIGHER_IS_BETTER = "HIGHER_IS_BETTER"
    LOWER_IS_BETTER = "LOWER_IS_BETTER"


class CostItem(SQLModel, table=True):
    """One line of an estimate, in the estimate's currency unless it says another one."""

    __tablename__ = "cost_item"

    estimate_id: str = Field(sa_type=columns.C_TEXT, foreign_key="cost_estimate.id", primary_key=True, ondelete="CASCADE")
    ordinal: int = Field(primary_key=True)
    name: str = columns.text()
    resource_type: str | None = columns.text(nullable=True)
    unit: str | None = columns.text(nullable=True)
    monthly_quantity: Decimal | None = columns.amount()
    monthly: Decimal | None = columns.amount()
    currency: str | None = columns.text(nullable=True)

    __table_args__ = (CheckConstraint("monthly is null or currency is not null", name="cost_item_has_currency"),)


class CostFormat(StrEnum):
    """What an imported file of costs is."""

    INFRACOST = "INFRACOST"
    FOCUS_CSV = "FOCUS_CSV"
    FOCUS_PARQUET = "FOCUS_PARQUET"
    OPENCOST = "OPENCOST"


class CostImport(SQLModel, table=True):
    """An import of a file of costs, and what became of it."""

    __tablename__ = "cost_import"

    id: str = columns.identity()
    file: str = columns.text()  # the name that corrections of it come under
    format: str = columns.text()
    imported_at: datetime = columns.time()
    principal_id: str | None = columns.text(nullable=True)
    rows: int = Field(nullable=False)
    accepted: int = Field(nullable=False)
    replaced: int = Field(nullable=False)

    __table_args__ = (columns.one_of("format", CostFormat),)


class RejectedRow(SQLModel, table=True):
    """A row of an imported file that was not taken, and why."""

    __tablename__ = "rejected_row"

    import_id: str = Field(sa_type=columns.C_TEXT, foreign_key="cost_import.id", primary_key=True, ondelete="CASCADE")
    ordinal: int = Field(primary_key=True)
    row: int = Field(nullable=False)  # counted from 1, the header not counted
    column: str | None = columns.text(nullable=True)
    reason: str = columns.text()


class ChargeBatch(SQLModel, table=True):
    """What one file says of one billing period: what a later version of the file replaces as a whole."""

    __tablename__ = "charge_batch"

    id: str = columns.identity()
    file: str = columns.text()
    billing_period_start: datetime = columns.time()
    billing_period_end: datetime = columns.time()
    import_id: str = columns.reference("cost_import.id", ondelete=None)  # the latest that wrote it

    __table_args__ = (
        Index("charge_batch_of_file", "file", "billing_period_start", "billing_period_end", unique=True),
        CheckConstraint("billing_period_end > billing_period_start", name="billing_period_runs_forward"),
    )


class Charge(SQLModel, table=True):
    """A charge as its provider billed it, in the columns of FOCUS; amounts in one currency.

    Its id is the hash of everything that the file says of it, so that a charge that comes again is the same one.
    """

    id: str = columns.identity()
    batch_id: str = columns.reference("charge_batch.id")
    billing_period_start: datetime = columns.time()
    billing_period_end: datetime = columns.time()
    billing_account_id: str | None = columns.text(nullable=True)
    billing_account_name: str | None = columns.text(nullable=True)
    sub_account_id: str | None = columns.text(nullable=True)
    sub_account_name: str | None = columns.text(nullable=True)
    charge_class: str | None = columns.text(nullable=True)
    description: str | None = columns.text(nullable=True)
    publisher: str | None = columns.text(nullable=True)
    invoice_issuer: str | None = columns.text(nullable=True)
    service_category: str | None = columns.text(nullable=True)
    resource_name: str | None = columns.text(nullable=True)
    resource_type: str | None = columns.text(nullable=True)
    sku_id: str | None = columns.text(nullable=True)
    pricing_quantity: Decimal | None = columns.amount()
    pricing_unit: str | None = columns.text(nullable=True)
    consumed_quantity: Decimal | None = columns.amount()
    consumed_unit: str | None = columns.text(nullable=True)
    period_start: datetime = columns.time()
    period_end: datetime = columns.time()
    category: str = columns.text()
    provider: str | None = columns.text(nullable=True)
    service_name: str | None = columns.text(nullable=True)
    resource_id: str | None = columns.text(nullable=True, index=True)
    region_id: str | None = columns.text(nullable=True)
    currency: str = columns.text()
    billed: Decimal = Field(sa_type=columns.AMOUNT, nullable=False)
    effective: Decimal = Field(sa_type=columns.AMOUNT, nullable=False)
    listed: Decimal | None = columns.amount()
    contracted: Decimal | None = columns.amount()
    tags: dict[str, Any] = columns.json()

    __table_args__ = (
        CheckConstraint("period_end > period_start", name="charge_period_runs_forward"),
        Index("charge_latest", sql("period_start desc"), sql("id desc")),
        Index("charge_tags", "tags", postgresql_using="gin", postgresql_ops={"tags": "jsonb_path_ops"}),
    )


_PLACES = ("tenant", "team", "environment", "stack", "instance", "service")


class Allocation(SQLModel, table=True):
    """The part of a charge that landed somewhere, and why; the parts of a charge add up to what it effectively costs.

    What nobody owns is a part too: it names nothing, not even a tenant. The columns beside the instance are what it belonged to then.
    Triggers keep the sums of a day and of a month (CostDay, CostMonth), so that it is written by big statements, not row by row.
    """

    charge_id: str = Field(sa_type=columns.C_TEXT, foreign_key="charge.id", primary_key=True, ondelete="CASCADE")
    ordinal: int = Field(primary_key=True)
    day: date = Field(nullable=False)  # on which the charge's period began: its rate counts
    month: date = Field(nullable=False)  # its first day
    tenant_id: str | None = columns.text(nullable=True)
    team_id: str | None = columns.text(nullable=True)
    environment_id: str | None = columns.text(nullable=True)
    stack_id: str | None = columns.text(nullable=True)
    instance_id: str | None = columns.text(nullable=True)
    service_id: str | None = columns.text(nullable=True)
    share: Decimal = Field(sa_type=columns.AMOUNT, nullable=False)  # of the charge: 0 to 1
    amount: Decimal = Field(sa_type=columns.AMOUNT, nullable=False)
    currency: str = columns.text()
    rule: str = columns.text()
    reason: str = columns.text()
    subject: str | None = columns.text(nullable=True, index=True)  # what the charge says of itself: the key of ChargeSubject

    __table_args__ = (
        CheckConstraint("month = date_trunc('month', day)::date", name="allocation_month_of_day"),
        CheckConstraint(
            "tenant_id is not null or coalesce(team_id, environment_id, stack_id, instance_id, service_id) is null",
            name="allocation_has_tenant",
        ),
        Index("allocation_by_instance", "instance_id", "day"),
    )


class ChargeSubject(SQLModel, table=True):
    """What charges say of themselves that decides where they land; `decided` is the digest of that decision."""

    __tablename__ = "charge_subject"

    key: str = Field(sa_type=columns.C_TEXT, primary_key=True)  # a hash of the document
    document: dict[str, Any] = columns.json()
    decided: str | None = columns.text(nullable=True)


class AllocationRules(SQLModel, table=True):
    """How the seeds say that charges are allocated (`rules`), and the digest of what the last settling went by (`settled`)."""

    __tablename__ = "allocation_rules"

    name: str = Field(sa_type=columns.C_TEXT, primary_key=True)
    document: dict[str, Any] = columns.json()


class _Landed(SQLModel):
    """What parts of charges landed at one place in one currency: how many there are, and their sum."""

    key: str = Field(sa_type=columns.C_TEXT, primary_key=True)  # a hash of what it is the sum of
    month: date = Field(nullable=False)  # its first day
    tenant_id: str | None = columns.text(nullable=True)
    team_id: str | None = columns.text(nullable=True)
    environment_id: str | None = columns.text(nullable=True)
    stack_id: str | None = columns.text(nullable=True)
    instance_id: str | None = columns.text(nullable=True)
    service_id: str | None = columns.text(nullable=True)
    currency: str = columns.text()
    amount: Decimal = Field(sa_type=columns.AMOUNT, nullable=False)
    parts: int = Field(sa_type=BigInteger, nullable=False)


def _landed_by(table: str) -> tuple[Index, ...]:
    return tuple(Index(f"{table}_by_{name}", f"{name}_id", "month") for name in _PLACES)


class CostMonth(_Landed, table=True):
    """What landed somewhere in a month: what reports read. Triggers on allocations keep it."""

    __tablename__ = "cost_month"
    __table_args__ = (
        *_landed_by("cost_month"),
        Index("cost_month_by_month", "month", "currency"),
        Index("cost_month_empty", "key", postgresql_where=sql("parts = 0")),
    )


class CostDay(_Landed, table=True):
    """What landed somewhere on a day: read where another currency is asked for, since the day's rate counts. Triggers keep it."""

    __tablename__ = "cost_day"

    day: date = Field(nullable=False)

    __table_args__ = (
        *_landed_by("cost_day"),
        Index("cost_day_by_month", "month", "currency"),
        Index("cost_day_empty", "key", postgresql_where=sql("parts = 0")),
    )


class TeamMonth(SQLModel, table=True):
    """What landed in a month with the teams of a tenant: what reports read that ask for nothing narrower. Triggers keep it."""

    __tablename__ = "team_month"

    key: str = Field(sa_type=columns.C_TEXT, primary_key=True)  # a hash of what it is the sum of
    month: date = Field(nullable=False)  # its first day
    tenant_id: str | None = columns.text(nullable=True)
    team_id: str | None = columns.text(nullable=True)
    currency: str = columns.text()
    amount: Decimal = Field(sa_type=columns.AMOUNT, nullable=False)
    parts: int = Field(sa_type=BigInteger, nullable=False)

    __table_args__ = (
        Index("team_month_by_month", "month", "currency"),
        Index("team_month_empty", "key", postgresql_where=sql("parts = 0")),
    )


class TeamEstimate(SQLModel, table=True):
    """What the instances of an estate that teams of a tenant own are expected to cost a month, in one currency. Triggers keep it.

    It tells of each estate apart, whose runs come one after the other: so no two of them wait for each other's sums.
    """

    __tablename__ = "team_estimate"

    key: str = Field(sa_type=columns.C_TEXT, primary_key=True)  # a hash of what it is the sum of
    estate_id: str = columns.text()
    tenant_id: str | None = columns.text(nullable=True)
    team_id: str | None = columns.text(nullable=True)
    currency: str | None = columns.text(nullable=True)
    amount: Decimal = Field(sa_type=columns.AMOUNT, nullable=False)
    known: int = Field(sa_type=BigInteger, nullable=False)  # instances whose cost is a number
    instances: int = Field(sa_type=BigInteger, nullable=False)

    __table_args__ = (Index("team_estimate_empty", "key", postgresql_where=sql("instances = 0")),)


class ExchangeRate(SQLModel, table=True):
    """What one unit of `base` is worth in another currency, from a day on until the next row says otherwise."""

    __tablename__ = "exchange_rate"

    base: str = Field(sa_type=columns.C_TEXT, primary_key=True)
    currency: str = Field(sa_type=columns.C_TEXT, primary_key=True)
    day: date = Field(primary_key=True)
    rate: Decimal = Field(sa_type=columns.AMOUNT, nullable=False)

    __table_args__ = (
        CheckConstraint("rate > 0", name="exchange_rate_is_positive"),
        CheckConstraint("base <> currency", name="exchange_rate_of_two_currencies"),
        Index("exchange_rate_by_currency", "currency", "base", "day"),
    )


class Kpi(SQLModel, table=True):
    """What the platform is measured by, as the seeds define it: where it stood before, and where it should be."""

    name: str = Field(sa_type=columns.C_TEXT, primary_key=True)
    ordinal: int = Field(nullable=False)
    title: str = columns.text()
    description: str = columns.text()
    statement: str = columns.text()  # the SQL that measures it; empty where only people can
    population: str = columns.text()
    unit: str = columns.text()
    direction: str = columns.text()
    baseline: Decimal | None = columns.amount()
    target: Decimal | None = columns.amount()

    __table_args__ = (columns.one_of("direction", KpiDirection),)


class KpiPoint(SQLModel, table=True):
    """What a measure was on a day, and of how many it is the measure; null where these tell nothing."""

    __tablename__ = "kpi_point"

    name: str = Field(sa_type=columns.C_TEXT, primary_key=True)  # the measure's; no foreign key, since values outlive a definition
    at: date = Field(primary_key=True)
    value: Decimal | None = columns.amount()
    sample_size: int = Field(nullable=False)

    __table_args__ = (CheckConstraint("sample_size >= 0", name="kpi_sample_is_counted"),)
