"""Which keys a list is sorted by: those of the orders asked for, then the tie that makes the order unique."""

from __future__ import annotations

from dataclasses import replace

from catalog.store.compile.source import Key, Source, ToMany


def keys(relation: ToMany, source: Source, order: tuple[tuple[str, bool], ...]) -> tuple[Key, ...]:
    """Return the sort keys of a list; `order` of none is the relation's own, else the source's. The tie follows the last direction."""
    asked = order or relation.order or source.order
    listed = tuple(_turned(key, descending) for name, descending in asked for key in source.orders[name])
    tie = source.tie if relation.tie is None else relation.tie
    turned = bool(asked) and asked[-1][1]
    return listed + tuple(_turned(key, turned) for key in tie)


def _turned(key: Key, descending: bool) -> Key:
    if key.fixed or not descending:
        return key
    return replace(key, descending=not key.descending)
