"""Records of money: estimates. Unknown is a status, never zero; a range is never added as a number."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint
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

    __table_args__ = (
        columns.one_of("status", CostStatus),
        CheckConstraint("(monthly is null and low is null and high is null) or currency is not null", name="money_has_currency"),
        CheckConstraint("status <> 'UNKNOWN' or monthly is null", name="unknown_is_not_a_number"),
    )
