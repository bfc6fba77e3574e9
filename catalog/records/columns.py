"""Column shapes that the records share: ids, safe text, times in UTC, money, JSON and checked statuses."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, Numeric, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

# The names Postgres itself would give, spelled out: a conflict is recognised by the name of its constraint.
SQLModel.metadata.naming_convention = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "ix": "ix_%(column_0_N_label)s",
}
# Sorted and compared bytewise: the same order on every server, and index ranges that cursors can rely on.
C_TEXT = Text(collation="C")
_JSON: Any = JSONB(none_as_null=True)
UTC = DateTime(timezone=True)
# Without a scale, since a scale rounds: charges have up to 15 decimals (FOCUS), prices up to 26 (Infracost), and sums must be theirs.
AMOUNT = Numeric()


def identity() -> Any:
    """The global id as primary key."""
    return Field(sa_type=C_TEXT, primary_key=True)


def reference(target: str, *, nullable: bool = False, index: bool = True, ondelete: str | None = "CASCADE") -> Any:
    """A foreign key to another record's id, indexed unless told otherwise."""
    optional: dict[str, Any] = {"default": None} if nullable else {}
    if ondelete is not None:
        optional["ondelete"] = ondelete
    return Field(sa_type=C_TEXT, foreign_key=target, nullable=nullable, index=index, **optional)


def text(*, nullable: bool = False, index: bool = False, unique: bool = False) -> Any:
    """Text compared bytewise."""
    default: Any = {"default": None} if nullable else {}
    return Field(sa_type=C_TEXT, nullable=nullable, index=index, unique=unique, **default)


def json(*, nullable: bool = False) -> Any:
    """A JSON document; None is the database's null, not JSON's, so that `is null` finds it."""
    default: Any = {"default": None} if nullable else {"default_factory": dict}
    return Field(sa_type=_JSON, nullable=nullable, **default)


def texts() -> Any:
    """A list of texts, never null."""
    return Field(sa_type=ARRAY(C_TEXT), nullable=False, default_factory=list)


def time(*, nullable: bool = False, index: bool = False) -> Any:
    """A moment in UTC."""
    default: Any = {"default": None} if nullable else {}
    return Field(sa_type=UTC, nullable=nullable, index=index, **default)


def amount() -> Any:
    """Money without its currency, which stands in a column beside it; null is unknown, never zero."""
    return Field(sa_type=AMOUNT, nullable=True, default=None)


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """A check that a text column holds one of the values: a status that migrations can widen without an enum."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=f"{column}_known")


__all__ = ["AMOUNT", "C_TEXT", "UTC", "Decimal", "amount", "identity", "json", "one_of", "reference", "text", "texts", "time"]
