"""The structured replacement: a scalar that is one plain reference becomes the value it refers to, with its type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.stacks import references, versions
from catalog.stacks.texts import Texts


def replaced(value: Any, data: Mapping[str, Any], texts: Texts | None = None) -> Any:
    """Return the value with every such scalar replaced whose path the data has; the very same object where there is none.

    With `texts` nothing is looked through that is known to hold no template.
    """
    if isinstance(value, str):
        path = references.single(value)
        if path is None:
            return value
        found = references.look(path, data)
        if found is references.MISSING:
            return value
        return versions.plain(found) if path[0] == "version" else found
    if not isinstance(value, (dict, list)) or (texts is not None and not texts.has_template(value)):
        return value
    if isinstance(value, dict):
        changed = {key: new for key, item in value.items() if (new := replaced(item, data, texts)) is not item}
        return {**value, **changed} if changed else value
    items = [replaced(item, data, texts) for item in value]
    return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
