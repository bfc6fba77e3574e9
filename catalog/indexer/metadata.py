"""Reads what metadata says of a component: category, cost a month and provisioning time, each with the path that said it.

Atmos accepts foreign keys only under `metadata.custom`; the plainer form directly under `metadata` is read too, with a
warning, because Atmos itself refuses it. What an instance says itself goes before what it inherits, and of each `custom` before
the plainer form. Text that can't be read is an error on the instance and an unknown, never zero.
"""

from __future__ import annotations

import re
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
# Whether an instance says the value at a path itself, rather than inheriting it.
Own = Callable[[str], bool]


def read(metadata: Any, currency: str, own: Own) -> Facts:
    """Read an instance's merged metadata; `own` is asked only where a key stands in both places."""
    if not isinstance(metadata, Mapping):
        return NOTHING
    custom = metadata.get("custom")
    levels = _Levels(metadata=metadata, custom=custom if isinstance(custom, Mapping) else {}, own=own)
    complaints: list[Complaint] = []
    category = _found(levels, CATEGORY, _category, complaints)
    time = _found(levels, TIME, duration.parse_duration, complaints)
    cost = _cost(levels, currency, complaints)
    if category is None and time is None and cost is None and not complaints:
        return NOTHING
    return Facts(category=category, cost=cost, time=time, complaints=tuple(complaints))


def described(sections: Mapping[str, Any]) -> str | None:
    """What an instance's metadata, settings or variables describe it with; None for nothing or for text that is still to be made."""
    for section in ("metadata", "settings", "vars"):
        values = sections.get(section)
        written = values.get("description") if isinstance(values, Mapping) else None
        if isinstance(written, str) and written.strip() and not written.startswith("!") and not _UNFINISHED.search(written):
            return written.strip()
    return None


_UNFINISHED = re.compile(r"\{\{|\$\{")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Levels:
    """The two places of a key in an instance's metadata."""

    metadata: Mapping[str, Any]
    custom: Mapping[str, Any]
    own: Own

    def find(self, key: str, complaints: list[Complaint]) -> tuple[str, Any] | None:
        """The path and the value of the word that counts."""
        custom, plain = self.custom.get(key), self.metadata.get(key)
        if plain is not None and (custom is None or self._is_nearer(key)):
            complaints.append(_foreign(key))
            return f"metadata.{key}", plain
        return None if custom is None else (f"metadata.custom.{key}", custom)

    def _is_nearer(self, key: str) -> bool:
        return self.own(f"metadata.{key}") and not self.own(f"metadata.custom.{key}")


def _found(levels: _Levels, key: str, parse: Callable[[Any], T], complaints: list[Complaint]) -> T | None:
    found = levels.find(key, complaints)
    if found is None:
        return None
    try:
        return _cached(parse, found[1])
    except Invalid as error:
        complaints.append(_unreadable(error, found[0]))
        return None


def _cost(levels: _Levels, currency: str, complaints: list[Complaint]) -> Cost | None:
    for key, parse, source in _COSTS:
        found = levels.find(key, complaints)
        if found is None:
            continue
        path, written = found
        try:
            return Cost(estimate=_cached(parse, written, currency), problem=None, source=source, path=path)
        except Invalid as error:
            complaints.append(_unreadable(error, path))
            return Cost(estimate=None, problem=error.message, source=source, path=path)
    return None


_COSTS: tuple[tuple[str, Callable[..., Estimate], CostSource], ...] = (
    (COST, money.parse_money, CostSource.INSTANCE_METADATA),
    (BAND, money.parse_band, CostSource.BAND),
)


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


def _foreign(key: str) -> Complaint:
    message = f"metadata.{key} is read here, but Atmos refuses the estate for it"
    hint = f"move it to metadata.custom.{key}"
    return Complaint(severity=Severity.WARNING, code="METADATA_FOREIGN_KEY", message=message, hint=hint, path=f"metadata.{key}")


def _unreadable(error: Invalid, path: str) -> Complaint:
    return Complaint(severity=Severity.ERROR, code="METADATA_VALUE", message=f"{path}: {error.message}", hint=error.hint, path=path)
