"""The structured replacement: a scalar that is one plain reference becomes the value it refers to, with its type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.stacks import references


def replaced(value: Any, data: Mapping[str, Any]) -> Any:
    """Return the value with every such scalar replaced whose path the data has; the very same object where there is none."""
    if isinstance(value, str):
        path = references.single(value)
        if path is None:
            return value
        found = references.look(path, data)
        return value if found is references.MISSING else found
    if isinstance(value, dict):
        changed = {key: new for key, item in value.items() if (new := replaced(item, data)) is not item}
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        items = [replaced(item, data) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value
