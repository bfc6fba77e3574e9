"""Scalars beyond GraphQL's own: money's currency; JSON, decimals and times are Strawberry's."""

from typing import Any, NewType

import strawberry
from strawberry.schema.types.scalar import DEFAULT_SCALAR_REGISTRY

CurrencyCode = NewType("CurrencyCode", str)

SCALARS: dict[Any, Any] = {
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode", description="A currency by its three letters (ISO 4217).", serialize=str, parse_value=str
    ),
}

__all__ = ["DEFAULT_SCALAR_REGISTRY", "SCALARS", "CurrencyCode"]
