"""Reads the allocations of OpenCost: the JSON that `GET /allocation` answers, sets of allocations by name, one charge for each.

OpenCost says in no place what currency it counts in: the caller does. Numbers keep every digit that they are written with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from catalog.cost import focus
from catalog.cost.charges import Charge, Read, Rejected, identity
from catalog.errors import Invalid

_PARTS = ("cpuCost", "gpuCost", "ramCost", "pvCost", "networkCost", "loadBalancerCost", "sharedCost", "externalCost")
_PLACES = ("cluster", "node", "namespace", "controllerKind", "controller", "pod", "container")


def read(text: str, currency: str) -> Iterator[Read | Rejected]:
    """Read an answer of OpenCost; raises Invalid for what is none, or half of one."""
    try:
        said = json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the document is not JSON, or cut off: {error}", hint="nothing of it was imported") from error
    sets = said.get("data") if isinstance(said, Mapping) else None
    if not isinstance(sets, list):
        raise Invalid("the document is no answer of OpenCost: it has no list `data`", hint="save what GET /allocation answers")
    number = 0
    for found in sets:
        for name, allocation in (found or {}).items() if isinstance(found, Mapping | None) else [("", None)]:
            number += 1
            yield _charge(number, name, allocation, currency)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _charge(number: int, name: str, allocation: Any, currency: str) -> Read | Rejected:
    column = None
    try:
        if not isinstance(allocation, Mapping):
            return Rejected(number, None, "an allocation is an object")
        column = "window"
        start, end = _window(allocation)
        column = "totalCost"
        cost = _cost(allocation)
        column = "properties"
        about = allocation.get("properties") or {}
        places = {key: str(about[key]) for key in _PLACES if about.get(key)}
        tags = focus.storable_json(
            {
                **(about.get("namespaceLabels") or {}),
                **(about.get("labels") or {}),
                **{f"opencost:{k}": v for k, v in places.items()},
            }
        )
    except (ValueError, TypeError, AttributeError) as error:
        return Rejected(number, column, str(error))
    if end <= start:
        return Rejected(number, "window", "the window ends before it begins")
    month = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
    return Read(
        number,
        Charge(
            id=identity(b"opencost\x1e", (name, start.isoformat(), end.isoformat(), str(cost), currency, tags)),
            billing_period_start=month,
            billing_period_end=following,
            billing_account_id=places.get("cluster"),
            billing_account_name=None,
            sub_account_id=places.get("namespace"),
            sub_account_name=None,
            charge_class=None,
            description=None,
            publisher=None,
            invoice_issuer=None,
            service_category="Compute",
            resource_name=name[:500] or None,
            resource_type=places.get("controllerKind"),
            sku_id=None,
            pricing_quantity=None,
            pricing_unit=None,
            consumed_quantity=None,
            consumed_unit=None,
            period_start=start,
            period_end=end,
            category="Usage",
            provider="OpenCost",
            service_name="Kubernetes",
            resource_id="/".join(places.values())[:500] or None,
            region_id=None,
            currency=currency,
            billed=cost,
            effective=cost,
            listed=None,
            contracted=None,
            tags=tags,
        ),
    )


def _window(allocation: Mapping[str, Any]) -> tuple[datetime, datetime]:
    window = allocation.get("window") or {}
    return _time(window.get("start") or allocation.get("start")), _time(window.get("end") or allocation.get("end"))


def _time(written: Any) -> datetime:
    if not isinstance(written, str):
        raise ValueError("it has no start or no end")  # noqa: TRY004 — as all that is wrong with a value
    return focus.read_time(written).astimezone(UTC)


def _cost(allocation: Mapping[str, Any]) -> Decimal:
    """The total, else the sum of its parts; an allocation without either has no known cost."""
    total = allocation.get("totalCost")
    parts = [total] if total is not None else [allocation[part] for part in _PARTS if allocation.get(part) is not None]
    if not parts or not all(isinstance(part, Decimal) for part in parts):
        raise ValueError("it has no cost that is a number")
    return sum(parts, Decimal(0))
