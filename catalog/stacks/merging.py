"""The one deep merge: maps below, maps above, and a new map that shares with both whatever neither changes.

Merged maps are never mutated, so any part of one may be part of another: merging costs what differs, not what there is.
The rules are Atmos' (a later null erases, `{}` changes nothing, lists follow a strategy, types never clash).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog.errors import EstateError
from catalog.stacks.documents import APPEND

Map = dict[str, Any]

EMPTY: Map = {}  # the one empty map, so that "nothing" has one identity

REPLACE = "replace"
STRATEGIES = (REPLACE, "append", "merge")


def check_strategy(strategy: str) -> str:
    """Return the list merge strategy; raises EstateError in Atmos' words when there is no such."""
    if strategy not in STRATEGIES:
        supported = ", ".join(STRATEGIES)
        raise EstateError(
            f"invalid list merge strategy: '{strategy}'. Supported list merge strategies are: {supported}", code="MERGE"
        )
    return strategy


def merge(lower: Map, higher: Map, strategy: str = REPLACE) -> Map:
    """Return the higher map laid over the lower one; either is returned itself when it already is the answer."""
    if not higher:
        return lower
    if not lower:
        return higher
    return _replaced(lower, higher) if strategy == REPLACE else _combined(lower, higher, strategy)


def _replaced(lower: Map, higher: Map) -> Map:
    result: Map | None = None
    for key, value in higher.items():
        if key in lower:
            old = lower[key]
            if old is value:
                continue
            if type(value) is dict and type(old) is dict:
                if not value:
                    continue
                merged = _replaced(old, value) if old else value
                if merged is old:
                    continue
                value = merged  # noqa: PLW2901 — the hottest loop of the resolver
        if result is None:
            result = lower.copy()
        result[key] = value
    return lower if result is None else result


def _combined(lower: Map, higher: Map, strategy: str) -> Map:
    result = lower.copy()
    for key, value in higher.items():
        old = lower.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = merge(old, value, strategy)
        elif isinstance(old, list) and isinstance(value, list):
            result[key] = old + value if strategy == "append" else _by_position(old, value, strategy)
        else:
            result[key] = value
    return result


def _by_position(lower: list[Any], higher: list[Any], strategy: str) -> list[Any]:
    """Merge maps standing at the same position; other items of the lower list stay, further ones of the higher follow."""
    paired = [
        merge(old, new, strategy) if isinstance(old, dict) and isinstance(new, dict) else old
        for old, new in zip(lower, higher, strict=False)
    ]
    return paired + lower[len(paired) :] + higher[len(paired) :]


def merge_all(layers: Sequence[Map], strategy: str = REPLACE, *, has_appends: bool = False) -> Map:
    """Return layers merged from the lowest to the highest; `!append` wrappers are resolved when any may hold one."""
    result = EMPTY
    for layer in layers:
        if layer:
            result = merge(result, appended(layer, result, strategy) if has_appends else layer, strategy)
    return result


def appended(higher: Map, lower: Map, strategy: str) -> Map:
    """Return the map with each `!append` wrapper replaced by the list it makes over the lower map."""
    result: Map | None = None
    for key, value in higher.items():
        if not isinstance(value, dict):
            continue
        below = lower.get(key)
        new: Any
        if is_append(value):
            items = value[APPEND]
            new = below + items if isinstance(below, list) and strategy != "append" else items
        else:
            new = appended(value, below if isinstance(below, dict) else EMPTY, strategy)
        if new is not value:
            result = dict(higher) if result is None else result
            result[key] = new
    return higher if result is None else result


def is_append(value: Map) -> bool:
    """Tell whether a map is the wrapper that `!append` makes."""
    return len(value) == 1 and isinstance(value.get(APPEND), list)


def holds_append(value: Any) -> bool:
    """Tell whether any map below a value is an `!append` wrapper."""
    if not isinstance(value, dict):
        return False
    return is_append(value) or any(holds_append(item) for item in value.values())


class Memo:
    """Remembers merges by the identity of what went in: a shared prefix is merged once however many stacks begin with it."""

    def __init__(self) -> None:
        # The inputs are kept with the result: an identity is only good while its object lives.
        self._merged: dict[tuple[int, int, str], tuple[Map, Map, Map]] = {}
        self._equal: dict[tuple[Any, ...], Any] = {}
        self._firsts: dict[int, tuple[Any, Any]] = {}
        self._first = 0

    def is_worth_keeping(self) -> bool:
        """Tell whether most of what is remembered may still be of use: an old memo has grown with values that are gone."""
        self._first = self._first or len(self._merged)
        return len(self._merged) <= self._first * 5 // 4 + 10_000

    def merge(self, lower: Map, higher: Map, strategy: str = REPLACE) -> Map:
        """Return `merge(lower, higher)`, remembered."""
        if not higher:
            return lower
        if not lower:
            return higher
        key = (id(lower), id(higher), strategy)
        known = self._merged.get(key)
        if known is None:
            known = self._merged[key] = (lower, higher, merge(lower, higher, strategy))
        return known[2]

    def first_equal(self, value: Any) -> Any:
        """Return the first map or list that was asked for with the same content, so that merging it again is remembered.

        Worth its cost for what many stacks write alike and much is merged onto: a stack's own sections.
        """
        kind = type(value)
        if kind is not dict and kind is not list:
            return value
        known = self._firsts.get(id(value))
        if known is not None:
            return known[1]
        found: Any
        if kind is dict:
            below = {key: self.first_equal(item) for key, item in value.items()}
            found = value if all(below[key] is item for key, item in value.items()) else below
            content = (kind, *below, *map(_identity, below.values()))
        else:
            items = [self.first_equal(item) for item in value]
            found = value if all(new is old for new, old in zip(items, value, strict=True)) else items
            content = (kind, *map(_identity, items))
        found = self._equal.setdefault(content, found) if value else found
        self._firsts[id(value)] = (value, found)
        self._firsts.setdefault(id(found), (found, found))
        return found


def _identity(value: Any) -> Any:
    """What tells a value from every other; maps and lists are known by identity. `1`, `1.0` and `true` are three values."""
    kind = type(value)
    if kind is str:
        return value
    if kind is dict or kind is list:
        return id(value), kind
    return (kind, repr(value)) if kind is float else (kind, value)
