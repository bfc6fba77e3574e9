"""Reads what `infracost breakdown` and `infracost diff` write as JSON: one estimate for each project, with its resources as items.

Files of every version are taken as they are, whatever the published schema requires: a project needs nothing but `breakdown`. Of a
diff, the estimate is what will be. Amounts are texts of decimals and keep every digit. A line whose price or usage isn't known has no
amount: it is `unsupported`, not zero, and so is a resource that Infracost doesn't know.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from catalog.cost import focus
from catalog.cost.charges import Rejected
from catalog.cost.estimates import Estimated, Item, Project
from catalog.cost.money import CURRENCIES
from catalog.errors import Invalid

_HINT = "save what `infracost breakdown --format json` writes"
_DEEPEST = 50  # resources within resources


class ReadProject(NamedTuple):
    """A project that can be taken; projects are counted from 1."""

    row: int
    project: Project
    estimated: Estimated


class Document(NamedTuple):
    """A file of Infracost: when it was made (None: it doesn't say), and its projects."""

    made_at: datetime | None
    projects: tuple[ReadProject | Rejected, ...]


def read(text: str) -> Document:
    """Read a file of Infracost; raises Invalid for what is none, or half of one."""
    said = _first(text)
    projects = said.get("projects")
    if not isinstance(projects, list):
        raise Invalid("the document is no output of Infracost: it has no list `projects`", hint=_HINT)
    currency = said.get("currency") or "USD"
    if currency not in CURRENCIES:
        raise Invalid(f"{currency!r} is no currency of ISO 4217", hint=_HINT)
    return Document(_made_at(said), tuple(_project(number, one, currency) for number, one in enumerate(projects, start=1)))


def _first(text: str) -> Mapping[str, Any]:
    """The document; what an earlier Infracost prints behind it is left out."""
    try:
        said, _ = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal).raw_decode(text.lstrip())
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the document is not JSON, or cut off: {error}", hint=_HINT) from error
    if not isinstance(said, Mapping):
        raise Invalid("the document is no output of Infracost", hint=_HINT)
    plain: Mapping[str, Any] = focus.storable(said) if "\\u" in text or "\0" in text else said
    return plain


def _made_at(said: Mapping[str, Any]) -> datetime | None:
    try:
        return focus.read_time(str(said.get("timeGenerated") or "")).astimezone(UTC)
    except ValueError:
        return None


def _project(number: int, said: Any, currency: str) -> ReadProject | Rejected:
    if not isinstance(said, Mapping) or not isinstance(said.get("name"), str):
        return Rejected(number, "name", "a project has a name")
    breakdown = said.get("breakdown")
    if not isinstance(breakdown, Mapping) or not isinstance(breakdown.get("resources"), list | None):
        return Rejected(number, "breakdown", f"project {said['name']!r} has no breakdown of its resources")
    errors = _errors(said)
    if errors:
        return Rejected(number, "metadata.errors", f"Infracost failed on project {said['name']!r}: {errors}")
    try:
        estimated = _estimated(breakdown, said.get("summary") or {}, currency)
    except (ValueError, TypeError, AttributeError) as error:
        return Rejected(number, "breakdown", f"project {said['name']!r}: {error}")
    return ReadProject(number, _named(said), estimated)


def _errors(said: Mapping[str, Any]) -> str:
    """What Infracost says went wrong with a project: it shows it with a total of zero."""
    metadata = said.get("metadata")
    errors = metadata.get("errors") if isinstance(metadata, Mapping) else None
    return "; ".join(str(one.get("message", one) if isinstance(one, Mapping) else one) for one in errors or ())[:500]


def _named(said: Mapping[str, Any]) -> Project:
    metadata = said.get("metadata") if isinstance(said.get("metadata"), Mapping) else {}
    assert isinstance(metadata, Mapping)
    paths = tuple(str(metadata[key]) for key in ("vcsSubPath", "path", "terraformModulePath") if metadata.get(key))
    workspace = metadata.get("terraformWorkspace")
    return Project(name=said["name"], paths=paths, workspace=str(workspace) if workspace else None)


def _estimated(breakdown: Mapping[str, Any], summary: Mapping[str, Any], currency: str) -> Estimated:
    items = tuple(item for resource in breakdown.get("resources") or () for item in _items(resource, "", None, 0))
    counts = summary.get("unsupportedResourceCounts") or {}
    unsupported = (
        *(f"{item.name}: no price or usage is known" for item in items if item.monthly is None),
        *(f"{kind} ({count}): Infracost doesn't know it" for kind, count in sorted(counts.items())),
    )
    known = [item.monthly for item in items if item.monthly is not None]
    total = _decimal(breakdown.get("totalMonthlyCost"))
    if total is None:
        monthly = sum(known, Decimal(0)) if known or not unsupported else None
        return Estimated(
            currency=currency,
            monthly=monthly,
            items=items,
            unsupported=unsupported,
            reason=None if monthly is not None else "nothing has a price",
        )
    if not known and unsupported and not total:
        # Infracost writes "0" where it knows nothing at all.
        return Estimated(currency=currency, monthly=None, items=items, unsupported=unsupported, reason="nothing has a price")
    summed = sum(known, Decimal(0))
    reason = None if summed == total else f"the resources come to {summed:f}, the file says {total:f}"
    return Estimated(currency=currency, monthly=total, items=items, unsupported=unsupported, reason=reason)


def _items(said: Mapping[str, Any], above: str, kind: str | None, depth: int) -> Iterator[Item]:
    """The lines of a resource and of those within it, depth first."""
    if depth > _DEEPEST:
        raise ValueError("its resources are nested too deeply")
    name = f"{above}{said.get('name') or 'unnamed'}"
    kind = said.get("resourceType") or kind
    components, within = said.get("costComponents") or (), said.get("subresources") or ()
    for component in components:
        monthly = None if component.get("priceNotFound") else _decimal(component.get("monthlyCost"))
        yield Item(
            name=f"{name}: {component.get('name') or 'cost'}",
            resource_type=kind,
            unit=component.get("unit"),
            monthly_quantity=_decimal(component.get("monthlyQuantity")),
            monthly=monthly,
        )
    for one in within:
        yield from _items(one, f"{name}/", kind, depth + 1)
    if not components and not within:
        yield Item(name=name, resource_type=kind, monthly=_decimal(said.get("monthlyCost")))


def _decimal(written: Any) -> Decimal | None:
    if written is None or written == "":
        return None
    try:
        number = Decimal(written) if isinstance(written, str | Decimal) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number.adjusted()) > 60:
        raise ValueError(f"{str(written)[:40]!r} is not an amount")
    return number
