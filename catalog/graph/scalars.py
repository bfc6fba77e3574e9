"""Scalars beyond GraphQL's own: money's currency; JSON, decimals and times are Strawberry's."""

from typing import Any, NewType

import strawberry
from strawberry.schema.types.scalar import DEFAULT_SCALAR_REGISTRY

CurrencyCode = NewType("CurrencyCode", str)
Representation = NewType("Representation", object)

SCALARS: dict[Any, Any] = {
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode", description="A currency by its three letters (ISO 4217).", serialize=str, parse_value=str
    ),
    Representation: strawberry.scalar(
        name="_Any",
        description="What a gateway refers to a thing with: an object of its `__typename` and its key.",
        serialize=lambda given: given,
        parse_value=lambda given: given,
    ),
}

__all__ = ["DEFAULT_SCALAR_REGISTRY", "SCALARS", "CurrencyCode", "Representation"]
