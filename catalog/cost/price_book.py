"""Prices of an organisation's own, and what the resources of a plan cost by them.

    prices:
      currency: USD
      resources:
        - {resource_type: aws_instance, match: {instance_type: m5.large}, unit: hours, price: "0.096"}
        - {resource_type: aws_ebs_volume, match: {type: gp3}, unit: GB, price: "0.08", quantity: size}
        - {resource_type: terraform_data, price: 0}

`price` is for one unit: of `hours` a month has 730, of `months` (the default) one, and `quantity` (a number, or the name of an attribute
of the resource) says how many units there are at once. The first entry whose type and attributes fit counts. A resource without a price is
`unsupported`, never free; that something is free is written with a price of 0.

In: the price book as plain values, and Terraform's plan as `terraform show -json` prints it. Out: the same estimate as Infracost's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from catalog.cost.estimates import Estimated, Item
from catalog.cost.money import CURRENCIES, HOURS_A_MONTH
from catalog.errors import Invalid

_UNITS = {"hours": HOURS_A_MONTH, "hour": HOURS_A_MONTH}
_KEYS = frozenset({"resource_type", "match", "unit", "price", "quantity"})
_DEEPEST = 50  # modules within modules


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one unit of a type of resources costs, where its attributes are these."""

    resource_type: str
    match: Mapping[str, Any]
    unit: str
    price: Decimal
    quantity: str | Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """Prices in one currency, the first that fits first."""

    currency: str
    prices: tuple[Price, ...]


def read(document: Any) -> PriceBook:
    """Read a price book; raises Invalid naming the entry that doesn't hold."""
    said = document.get("prices") if isinstance(document, Mapping) else None
    if not isinstance(said, Mapping) or not isinstance(said.get("resources"), Sequence):
        raise Invalid("a price book has `prices` with `currency` and `resources`", path=("prices",))
    if said.get("currency") not in CURRENCIES:
        raise Invalid(f"{said.get('currency')!r} is no currency of ISO 4217", path=("prices", "currency"))
    prices = tuple(_price(entry, number) for number, entry in enumerate(said["resources"]))
    return PriceBook(currency=said["currency"], prices=prices)


def _price(entry: Any, number: int) -> Price:
    place = ("prices", "resources", str(number))
    if not isinstance(entry, Mapping) or not isinstance(entry.get("resource_type"), str) or entry.get("price") is None:
        raise Invalid("a price names `resource_type` and `price`", path=place)
    unknown = sorted(map(str, entry.keys() - _KEYS))
    if unknown:
        raise Invalid(f"a price has no {', '.join(unknown)}", hint=f"it has {', '.join(sorted(_KEYS))}", path=place)
    if not isinstance(entry.get("match", {}), Mapping):
        raise Invalid("`match` is a map of attributes", path=(*place, "match"))
    quantity = entry.get("quantity", 1)
    return Price(
        resource_type=entry["resource_type"],
        match=entry.get("match", {}),
        unit=str(entry.get("unit", "months")),
        price=_number(entry["price"], (*place, "price")),
        quantity=quantity if isinstance(quantity, str) and not _is_number(quantity) else _number(quantity, (*place, "quantity")),
    )


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _number(written: Any, place: tuple[str, ...]) -> Decimal:
    try:
        number = (
            Decimal(str(written)) if isinstance(written, int | float | str) and not isinstance(written, bool) else Decimal("nan")
        )
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or number < 0:
        raise Invalid(f"{written!r} is no amount", path=place)
    return number


def estimate(book: PriceBook, plan: Mapping[str, Any]) -> Estimated:
    """Price what will be there when a plan is applied; raises Invalid for what is no plan."""
    planned = plan.get("planned_values")
    if not isinstance(planned, Mapping):
        raise Invalid("the document is no plan: it has no `planned_values`", hint="save what `terraform show -json PLAN` prints")
    items: list[Item] = []
    unpriced: Counter[str] = Counter()
    for resource in _resources(planned.get("root_module") or {}, 0):
        kind, values = str(resource.get("type")), resource.get("values") or {}
        price = next((one for one in book.prices if one.resource_type == kind and _fits(one, values)), None)
        item = None if price is None else _item(price, str(resource.get("address")), values)
        if item is None:
            unpriced[kind] += 1
        else:
            items.append(item)
    unsupported = tuple(f"{kind} ({count}): the price book doesn't know it" for kind, count in sorted(unpriced.items()))
    known = [item.monthly for item in items if item.monthly is not None]
    unknown = not known and bool(unsupported)
    return Estimated(
        currency=book.currency,
        monthly=None if unknown else sum(known, Decimal(0)),
        items=tuple(items),
        unsupported=unsupported,
        reason="nothing has a price" if unknown else None,
    )


def _resources(module: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > _DEEPEST:
        raise Invalid("the plan's modules are nested too deeply")
    for resource in module.get("resources") or ():
        if resource.get("mode", "managed") == "managed":
            yield resource
    for child in module.get("child_modules") or ():
        yield from _resources(child, depth + 1)


def _fits(price: Price, values: Mapping[str, Any]) -> bool:
    return all(values.get(name) == wanted for name, wanted in price.match.items())


def _item(price: Price, address: str, values: Mapping[str, Any]) -> Item | None:
    """The line of a resource; None where the attribute that tells its quantity isn't known before it is there."""
    count = values.get(price.quantity) if isinstance(price.quantity, str) else price.quantity
    if isinstance(count, bool) or not isinstance(count, int | float | str | Decimal):
        return None
    try:
        quantity = Decimal(str(count)) * _UNITS.get(price.unit, 1)
    except InvalidOperation:
        return None
    return Item(
        name=address, resource_type=price.resource_type, unit=price.unit, monthly_quantity=quantity, monthly=quantity * price.price
    )
