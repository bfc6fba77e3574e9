"""Reads what metadata says of a component: category, cost a month and provisioning time, each with the path that said it.

Atmos accepts foreign keys only under `metadata.custom`; the plainer form directly under `metadata` is read too, with a
warning, because Atmos itself refuses it. Text that can't be read is an error on the instance and an unknown, never zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from catalog.cost import duration, money
from catalog.cost.money import Estimate
from catalog.errors import Invalid
from catalog.records import CostSource, CostStatus
from catalog.values import Severity, SourceLocation

T = TypeVar("T")

CATEGORY, COST, TIME, BAND = "category", "cost_estimate", "provisioning_time", "cost_category"


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """Something objectionable about an instance, perhaps about the value at a path of its sections."""

    severity: Severity
    code: str
    message: str
    hint: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What is known of a cost, and where it is said. `estimate` of None: something is said but can't be read (`problem`)."""

    estimate: Estimate | None
    problem: str | None
    source: CostSource
    path: str | None = None
    location: SourceLocation | None = None

    @property
    def status(self) -> CostStatus:
        """KNOWN with an amount, PARTIAL with a range only, UNKNOWN with neither."""
        if self.estimate is None:
            return CostStatus.UNKNOWN
        return CostStatus.PARTIAL if self.estimate.amount is None else CostStatus.KNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What metadata says; None where it says nothing (or, for category and time, nothing readable)."""

    category: str | None = None
    cost: Cost | None = None
    time: int | None = None
    complaints: tuple[Complaint, ...] = ()


NOTHING = Facts()


def read(metadata: Any, currency: str) -> Facts:
    """Read an instance's merged metadata: `custom` first, then the keys directly below `metadata`."""
    if not isinstance(metadata, Mapping):
        return NOTHING
    custom = metadata.get("custom")
    levels: list[tuple[str, Mapping[str, Any]]] = [("metadata", metadata)]
    if isinstance(custom, Mapping):
        levels.insert(0, ("metadata.custom", custom))
    complaints: list[Complaint] = []
    category = _found(levels, CATEGORY, _category, complaints)
    time = _found(levels, TIME, duration.parse_duration, complaints)
    cost = _cost(levels, currency, complaints)
    if category is None and time is None and cost is None and not complaints:
        return NOTHING
    return Facts(category=category, cost=cost, time=time, complaints=tuple(complaints))


Levels = list[tuple[str, Mapping[str, Any]]]


def _found(levels: Levels, key: str, parse: Callable[[Any], T], complaints: list[Complaint]) -> T | None:
    for where, values in levels:
        written = values.get(key)
        if written is None:
            continue
        path = f"{where}.{key}"
        _foreign(where, key, complaints)
        try:
            return _cached(parse, written)
        except Invalid as error:
            complaints.append(_unreadable(error, path))
            return None
    return None


def _cost(levels: Levels, currency: str, complaints: list[Complaint]) -> Cost | None:
    for key, parse in ((COST, money.parse_money), (BAND, money.parse_band)):
        for where, values in levels:
            written = values.get(key)
            if written is None:
                continue
            path = f"{where}.{key}"
            _foreign(where, key, complaints)
            source = CostSource.INSTANCE_METADATA if key == COST else CostSource.BAND
            try:
                return Cost(estimate=_cached(parse, written, currency), problem=None, source=source, path=path)
            except Invalid as error:
                complaints.append(_unreadable(error, path))
                return Cost(estimate=None, problem=error.message, source=source, path=path)
    return None


def _cached(parse: Callable[..., T], written: Any, *rest: Any) -> T:
    # Thousands of instances inherit the same few texts.
    result: T
    if isinstance(written, str):
        result = _parsed(parse, written, *rest)
    elif isinstance(written, Mapping) and all(type(item) in _SCALARS for item in written.values()):
        result = _parsed_map(parse, tuple(written.items()), *rest)
    else:
        result = parse(written, *rest)
    return result


_SCALARS = (str, int)  # equal keys of a cache must mean equal values: 1 and 1.0 and True would not


@lru_cache(maxsize=8192)
def _parsed(parse: Callable[..., Any], written: str, *rest: Any) -> Any:
    return parse(written, *rest)


@lru_cache(maxsize=8192)
def _parsed_map(parse: Callable[..., Any], written: tuple[tuple[str, Any], ...], *rest: Any) -> Any:
    return parse(dict(written), *rest)


def _category(written: Any) -> str:
    if not isinstance(written, str) or not written.strip():
        raise Invalid(f"{written!r} is no category", hint="a short text such as networking")
    return written.strip()


def _foreign(where: str, key: str, complaints: list[Complaint]) -> None:
    if where == "metadata":
        message = f"metadata.{key} is read here, but Atmos refuses the estate for it"
        hint = f"move it to metadata.custom.{key}"
        complaints.append(
            Complaint(severity=Severity.WARNING, code="METADATA_FOREIGN_KEY", message=message, hint=hint, path=f"metadata.{key}")
        )


def _unreadable(error: Invalid, path: str) -> Complaint:
    return Complaint(severity=Severity.ERROR, code="METADATA_VALUE", message=f"{path}: {error.message}", hint=error.hint, path=path)
