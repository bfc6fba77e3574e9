"""The canonical plan: from terraform's JSON to changes that are equal when the intentions are, with secrets as keyed hashes.

Left out: moments (the plan's own timestamp, also where `plantimestamp()` put it into a value), what doesn't change, data sources.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from catalog.executors.executor import Job, Plan
from catalog.values import canonical_json, digest

UNKNOWN = {"$unknown": True}
_PLAN_TIME = "$plan_time"
_ACTIONS = {
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
    ("create", "forget"): "replace",
}


class Redactor:
    """Replaces secrets by keyed hashes: what terraform marks sensitive, and what stands under a key that names a secret."""

    def __init__(self, key: bytes, pattern: str) -> None:
        self._key = key
        self._pattern = re.compile(pattern, re.IGNORECASE)

    def hidden(self, value: Any) -> dict[str, str]:
        """Return what stands for a secret; equal secrets look equal, as they do in the catalog's configurations."""
        text = canonical_json(value).encode("utf-8", "surrogatepass")
        return {"$redacted": hmac.new(self._key, text, hashlib.sha256).hexdigest()[:32]}

    def value(self, value: Any, sensitive: Any = False, unknown: Any = False) -> Any:
        """Return a value with its secrets hidden; `sensitive` and `unknown` mark it as terraform does: true, or maps and lists."""
        if sensitive is True and value is not None:
            return self.hidden(value)
        if unknown is True:
            return UNKNOWN
        if isinstance(value, Mapping) or (value is None and isinstance(unknown, Mapping)):
            return self._map(value or {}, sensitive, unknown)
        if isinstance(value, list) or (value is None and isinstance(unknown, list)):
            return self._list(value or [], sensitive, unknown)
        return value

    def is_secret(self, name: str, value: Any) -> bool:
        """Tell whether a value is secret by its name; a switch or nothing at all hides nothing."""
        return value not in (None, True, False, "", {}, []) and self._pattern.search(name) is not None

    def _map(self, value: Mapping[str, Any], sensitive: Any, unknown: Any) -> dict[str, Any]:
        marks, holes = _maps(sensitive), _maps(unknown)
        result = {}
        for key in sorted({*value, *(key for key, hole in holes.items() if hole)}):
            item = value.get(key)
            result[key] = self.value(item, True if self.is_secret(key, item) else marks.get(key, False), holes.get(key, False))
        return result

    def _list(self, value: list[Any], sensitive: Any, unknown: Any) -> list[Any]:
        marks, holes = _lists(sensitive), _lists(unknown)
        length = max(len(value), len(holes))
        return [self.value(_at(value, index, None), _at(marks, index, False), _at(holes, index, False)) for index in range(length)]


def canonical(document: Mapping[str, Any], job: Job, *, serial: int | None = None, lineage: str | None = None) -> Plan:
    """Return the canonical plan of what `terraform show -json` says."""
    redactor = Redactor(job.redaction_key, job.secret_keys)
    moment = document.get("timestamp")
    resources = [entry for entry in document.get("resource_changes", ()) if _action(entry) is not None]
    outputs = document.get("output_changes", {}).items()
    changes = [_change(entry, _address(entry), redactor, moment) for entry in resources]
    changes += [_output(name, change, redactor, moment) for name, change in outputs if _action({"change": change})]
    changes.sort(key=lambda change: str(change["address"]))
    counts = [_action(entry) for entry in resources]
    return Plan(
        changes=tuple(changes),
        create=counts.count("create"),
        update=counts.count("update"),
        replace=counts.count("replace"),
        delete=counts.count("delete"),
        digest=digest(changes),
        resource_types=tuple(sorted({entry["type"] for entry in resources})),
        serial=serial,
        lineage=lineage,
    )


def difference(approved: Iterable[Mapping[str, Any]], current: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Say, one change a line, what is planned now and wasn't approved, and the reverse."""
    before, now = ({canonical_json(change): change for change in changes} for changes in (approved, current))
    lines = [f"no longer planned: {_said(change)}" for text, change in before.items() if text not in now]
    lines += [f"now planned: {_said(change)}" for text, change in now.items() if text not in before]
    return tuple(lines)


def secrets_of(document: Mapping[str, Any]) -> set[str]:
    """Return the texts that terraform marks sensitive anywhere in a plan, for masking log lines."""
    found: set[str] = set()
    for entry in (
        *document.get("resource_changes", ()),
        *({"change": change} for change in document.get("output_changes", {}).values()),
    ):
        for side in ("before", "after"):
            _collect(entry["change"].get(side), entry["change"].get(f"{side}_sensitive", False), found)
    return found


def texts(value: Any) -> Iterable[str]:
    """Every text and number within a value, as text."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def _collect(value: Any, sensitive: Any, found: set[str]) -> None:
    if sensitive is True:
        found.update(texts(value))
    elif isinstance(sensitive, Mapping) and isinstance(value, Mapping):
        for key, mark in sensitive.items():
            _collect(value.get(key), mark, found)
    elif isinstance(sensitive, list) and isinstance(value, list):
        for item, mark in zip(value, sensitive, strict=False):
            _collect(item, mark, found)


def _action(entry: Mapping[str, Any]) -> str | None:
    return _ACTIONS.get(tuple(entry["change"]["actions"]))


def _address(entry: Mapping[str, Any]) -> str:
    deposed = f" (deposed {entry['deposed']})" if "deposed" in entry else ""
    return f"{entry['address']}{deposed}"


def _change(entry: Mapping[str, Any], address: str, redactor: Redactor, moment: str | None) -> dict[str, Any]:
    change = entry["change"]
    before = redactor.value(change.get("before"), change.get("before_sensitive", False))
    after = redactor.value(change.get("after"), change.get("after_sensitive", False), change.get("after_unknown", False))
    return {"address": address, "action": _action(entry), "before": before, "after": _timeless(after, moment)}


def _output(name: str, change: Mapping[str, Any], redactor: Redactor, moment: str | None) -> dict[str, Any]:
    marks = {
        f"{side}_sensitive": True if redactor.is_secret(name, change.get(side)) else change.get(f"{side}_sensitive", False)
        for side in ("before", "after")
    }
    return _change({"change": {**change, **marks}}, f"output.{name}", redactor, moment)


def _timeless(value: Any, moment: str | None) -> Any:
    if not moment:
        return value
    if isinstance(value, str):
        return value.replace(moment, _PLAN_TIME)
    if isinstance(value, dict):
        return {key: _timeless(item, moment) for key, item in value.items()}
    if isinstance(value, list):
        return [_timeless(item, moment) for item in value]
    return value


def _said(change: Mapping[str, Any]) -> str:
    return f"{change['action']} {change['address']} → {canonical_json(change['after'])}"


def _maps(marks: Any) -> Mapping[str, Any]:
    return marks if isinstance(marks, Mapping) else {}


def _lists(marks: Any) -> list[Any]:
    return marks if isinstance(marks, list) else []


def _at(items: Sequence[Any], index: int, otherwise: Any) -> Any:
    return items[index] if index < len(items) else otherwise
