"""What is kept for the next time, within bounds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """The most recently used values: so many of them, and no more of them than weigh `heaviest` together."""

    def __init__(self, most: int, *, heaviest: int | None = None) -> None:
        self._most = most
        self._heaviest = heaviest
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.weight = 0

    def get(self, key: K) -> V | None:
        """Return a value and make it the latest used."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, weight: int = 1) -> None:
        """Keep a value; those that were not used for longest make room. One that is too heavy by itself isn't kept."""
        replaced = self._values.pop(key, None)
        self.weight += weight - (replaced[1] if replaced else 0)
        self._values[key] = (value, weight)
        while len(self._values) > self._most or (self._heaviest is not None and self.weight > self._heaviest):
            self.weight -= self._values.popitem(last=False)[1][1]

    def __len__(self) -> int:
        return len(self._values)
