"""What the affected instances cost a month, before and after: from declared costs, else from what the index knows.

Pure. Unknown is counted, never zero: a sum is null while nothing in it is known, and amounts of several currencies are not added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalog.cost import parse_money
from catalog.errors import Invalid
from catalog.provisioning.affected import Affected, Key
from catalog.stacks.resolved import ResolvedInstance
from catalog.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CostChange:
    """Monthly cost of what a request affects; `unknown` counts the instances whose cost nobody knows."""

    before: Money | None
    after: Money | None
    unknown: int

    @property
    def delta(self) -> Money | None:
        """After less before, where both are known in one currency."""
        if self.before is None or self.after is None or self.before.currency != self.after.currency:
            return None
        return Money(amount=self.after.amount - self.before.amount, currency=self.after.currency)

    def document(self) -> dict[str, Any]:
        """The change as plain JSON, amounts as text."""
        return {"before": money(self.before), "after": money(self.after), "delta": money(self.delta), "unknown": self.unknown}


def money(value: Money | None) -> dict[str, str] | None:
    """Return money as plain JSON: the amount as text without trailing zeros."""
    if value is None:
        return None
    return {"amount": f"{value.amount.normalize():f}" if value.amount else "0", "currency": value.currency}


def change(
    affected: Sequence[Affected],
    before: Mapping[Key, ResolvedInstance],
    after: Mapping[Key, ResolvedInstance],
    *,
    indexed: Mapping[Key, Money],
    currency: str,
) -> CostChange:
    """Sum the declared cost of the affected instances on both sides; `indexed` is the index's word on those that declare none."""
    old = [_cost(before.get(one.key), indexed.get(one.key), currency) for one in affected]
    new = [_cost(after.get(one.key), indexed.get(one.key), currency) for one in affected]
    unknown = sum(1 for pair in zip(old, new, strict=True) if None in pair)
    return CostChange(before=_sum(old), after=_sum(new), unknown=unknown)


# An instance that isn't there costs nothing, which is known.
_ABSENT = "absent"


def _cost(instance: ResolvedInstance | None, indexed: Money | None, currency: str) -> Money | str | None:
    if instance is None or not instance.enabled:
        return _ABSENT
    metadata = instance.sections.get("metadata") or {}
    custom = metadata.get("custom") or {}
    written = custom.get("cost_estimate") if isinstance(custom, Mapping) else None
    written = metadata.get("cost_estimate") if written is None else written
    if written is None:
        return indexed
    try:
        estimate = parse_money(written, currency)
    except Invalid:
        return None
    return None if estimate.amount is None else Money(amount=estimate.amount, currency=estimate.currency)


def _sum(costs: Sequence[Money | str | None]) -> Money | None:
    known = [cost for cost in costs if isinstance(cost, Money)]
    currencies = {cost.currency for cost in known}
    if len(currencies) != 1:
        return None
    return Money(amount=sum((cost.amount for cost in known), Decimal(0)), currency=currencies.pop())
