"""Says what changed between two resolved documents, path by path, and which removed instance an added one is the heir of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.indexer.documents import Document, text_of
from catalog.indexer.redaction import MARK, json_text
from catalog.values import digest

_PLAIN = re.compile(r"[^.\[\]\"]+")
# What a rename doesn't touch: the rest of a document tells where the instance stands.
_ESSENCE = ("vars", "settings", "env", "metadata", "component", "providers", "overrides", "command")


def values(before: Any, after: Any) -> list[dict[str, Any]]:
    """The paths whose values differ, each with both values; what one side lacks is null there."""
    return list(_walk(before, after, ""))


def between(before: Document, after: Document) -> list[dict[str, Any]]:
    """The same for documents: only the pieces that differ are read."""
    old, new = set(before), set(after)
    return values(json.loads(text_of(old - new)), json.loads(text_of(new - old)))


def _walk(before: Any, after: Any, path: str) -> Iterator[dict[str, Any]]:
    if _is_map(before) and _is_map(after):
        for key in sorted({*before, *after}):
            yield from _walk(before.get(key), after.get(key), _joined(path, key))
    elif isinstance(before, list) and isinstance(after, list) and before and after:
        for number in range(max(len(before), len(after))):
            yield from _walk(_at(before, number), _at(after, number), f"{path}[{number}]")
    elif _differ(before, after):
        yield {"path": path, "before": before, "after": after}


def _differ(before: Any, after: Any) -> bool:
    """Python calls 1 and True equal, also inside lists; JSON doesn't."""
    if type(before) is not type(after) or before != after:
        return True
    return isinstance(before, (dict, list)) and json_text(before) != json_text(after)


def _is_map(value: Any) -> bool:
    """A redacted value is one value, not a map to look into."""
    return isinstance(value, dict) and MARK not in value


def _joined(path: str, key: str) -> str:
    if not _PLAIN.fullmatch(key):
        quoted = key.replace("\\", "\\\\").replace('"', '\\"')
        return f'{path}["{quoted}"]'
    return f"{path}.{key}" if path else key


def _at(values: list[Any], number: int) -> Any:
    return values[number] if number < len(values) else None


def essence(document: Mapping[str, Any]) -> str:
    """The hash of what an instance is, wherever it stands."""
    return digest([document.get(key) for key in _ESSENCE])


def renames(
    added: Iterable[tuple[str, tuple[str, str, str]]],
    removed: Iterable[tuple[str, tuple[str, str, str]]],
    essences: Mapping[str, str],
) -> dict[str, str]:
    """Find for added instances the removed ones they are heirs of: added id → removed id.

    Each instance is an id and (stack id, type, name), `essences` are theirs by id. An heir says exactly the same, either under
    another name in its stack or under its old name in another, and nobody else is in question.
    """
    candidates: dict[tuple[Any, ...], list[list[str]]] = {}
    for side, instances in enumerate((added, removed)):
        for identity, (stack, kind, name) in instances:
            for place in (("stack", stack), ("name", name)):
                candidates.setdefault((essences[identity], kind, *place), [[], []])[side].append(identity)
    found: dict[str, str] = {}
    for heirs, gone in candidates.values():
        if len(heirs) == len(gone) == 1 and heirs[0] not in found and gone[0] not in found.values():
            found[heirs[0]] = gone[0]
    return found
