"""Reads `seeds/allocation.yaml`: how charges are allocated, as a document that `cost.allocation` means rules by.

Rules of money are exact or none: whatever doesn't hold, such as fixed parts that aren't 100 together, breaks the file, and the last good
one stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from catalog.cost import allocation
from catalog.indexer.seed_reader import Entry

_WHOLE = Decimal(100)  # percent


def read(entry: Entry) -> dict[str, Any]:
    """The document of a file; raises Invalid with the place of what doesn't hold."""
    below = entry.below("allocation")
    if below is None:
        return {}
    tags = below.below("tags")
    document = {
        "tags": {} if tags is None else _keys(tags),
        "accounts": _names(below, "accounts"),
        "services": _names(below, "services"),
        "resources": [_resource(item) for item in below.entries("resources")],
        "shared": [_shared(item) for item in below.entries("shared")],
    }
    below.finish()
    return document


def _keys(entry: Entry) -> dict[str, list[str]]:
    said = {name: list(entry.texts(name)) for name in allocation.TAG_KEYS}
    entry.finish()
    return {name: keys for name, keys in said.items() if keys}


def _names(entry: Entry, key: str) -> dict[str, str]:
    """A map of names; numbers that names look like are read as written."""
    value = entry.get(key) or {}
    if not isinstance(value, Mapping) or not all(isinstance(name, (str, int)) for name in value.values()):
        raise entry.invalid(key, "a map of names")
    return {str(name): str(other) for name, other in value.items()}


def _resource(entry: Entry) -> dict[str, str]:
    said = {name: entry.required(name) for name in ("id", "stack", "component")}
    entry.finish()
    return said


def _shared(entry: Entry) -> dict[str, Any]:
    split = _one_of(entry, "split", allocation.SPLITS, allocation.EVEN)
    among = _one_of(entry, "among", allocation.TARGETS, "team")
    matching, tags = _matching(entry)
    said = {
        "name": entry.required("name"),
        "match": matching,
        "tags": tags,
        "split": split,
        "among": among,
        "weights": _weights(entry, split),
    }
    entry.finish()
    return said


def _one_of(entry: Entry, key: str, options: tuple[str, ...], default: str) -> str:
    value = entry.text(key) or default
    if value not in options:
        raise entry.invalid(key, f"one of {', '.join(options)}")
    return value


def _matching(entry: Entry) -> tuple[dict[str, str], dict[str, str]]:
    below = entry.below("match")
    if below is None:
        raise entry.invalid("match", "there: it says which charges are shared")
    said = {name: text for name in allocation.MATCHABLE if (text := below.text(name)) is not None}
    tags = _names(below, "tags")
    below.finish()
    if not said and not tags:
        raise entry.invalid("match", f"more than nothing: {', '.join(allocation.MATCHABLE)} or tags")
    return said, tags


def _weights(entry: Entry, split: str) -> list[list[str]]:
    value = entry.get("weights") or {}
    if not isinstance(value, Mapping):
        raise entry.invalid("weights", "a map of names and numbers")
    try:
        weights = {str(name): Decimal(str(weight).removesuffix("%")) for name, weight in value.items()}
    except InvalidOperation as error:
        raise entry.invalid("weights", "a map of names and numbers") from error
    if not all(weight.is_finite() and weight >= 0 for weight in weights.values()):
        raise entry.invalid("weights", "of numbers that are zero or more")
    if split == allocation.FIXED and sum(weights.values()) != _WHOLE:
        raise entry.invalid("weights", f"100 percent together, but {sum(weights.values())}")
    if split == allocation.USAGE and not any(weights.values()):
        raise entry.invalid("weights", "there: usage is told by weights")
    return [[name, str(weight)] for name, weight in weights.items()]
