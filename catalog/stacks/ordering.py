"""Order in a graph of what needs what: levels that can be taken side by side, and the rings that have no order.

A graph is a map from each thing to what it needs; the order of the map decides wherever nothing else does, so that equal graphs give
equal answers. What is needed and isn't in the map is left out of account.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

from catalog.stacks.resolved import ResolvedDependency

T = TypeVar("T", bound=Hashable)
Key = tuple[str, str, str]  # stack, component type, name


def levels(needs: Mapping[T, Collection[T]]) -> tuple[tuple[T, ...], ...]:
    """Return the things in levels: each needs only things of earlier levels. What stands in a ring, or needs one, is in none."""
    open_needs = {thing: len(set(needed) & needs.keys()) for thing, needed in needs.items()}
    needed_by: dict[T, list[T]] = {}
    for thing, needed in needs.items():
        for other in dict.fromkeys(needed):
            needed_by.setdefault(other, []).append(thing)
    places = {thing: place for place, thing in enumerate(needs)}
    ready = [thing for thing, count in open_needs.items() if not count]
    found: list[tuple[T, ...]] = []
    while ready:
        found.append(tuple(ready))
        free = []
        for thing in ready:
            for other in needed_by.get(thing, ()):
                open_needs[other] -= 1
                if not open_needs[other]:
                    free.append(other)
        ready = sorted(free, key=places.__getitem__)
    return tuple(found)


def needed_by(dependencies: Iterable[ResolvedDependency]) -> dict[Key, set[Key]]:
    """Return which instances need each, by the estate's edges."""
    found: dict[Key, set[Key]] = {}
    for edge in dependencies:
        found.setdefault(edge.target, set()).add(edge.source)
    return found


def reach(start: T, edges: Mapping[T, Collection[T]]) -> set[T]:
    """Return what edges lead to from a thing, directly or by way of others; not the thing itself."""
    found: set[T] = set()
    frontier = {start}
    while frontier:
        frontier = {target for thing in frontier for target in edges.get(thing, ())} - found - {start}
        found |= frontier
    return found


def rings(needs: Mapping[T, Collection[T]]) -> tuple[tuple[T, ...], ...]:
    """Return one ring of each knot of things that need each other: (a, b, c) means that a needs b, b needs c, and c needs a.

    It is a shortest one through the knot's first thing.
    """
    places = {thing: place for place, thing in enumerate(needs)}
    found = [_ring(min(knot, key=places.__getitem__), knot, needs) for knot in knots(needs)]
    return tuple(sorted(found, key=lambda ring: places[ring[0]]))


def knots(needs: Mapping[T, Collection[T]]) -> Iterator[frozenset[T]]:
    """Yield each set of things that all need each other, directly or through others; a thing that needs itself is one too."""
    number: dict[T, int] = {}
    lowest: dict[T, int] = {}
    waiting: dict[T, None] = {}  # those whose knot isn't complete yet, in the order in which they were met
    for start in needs:
        if start in number:
            continue
        path = [(start, iter(needs[start]))]
        number[start] = lowest[start] = len(number)
        waiting[start] = None
        while path:
            thing, rest = path[-1]
            for other in rest:
                if other not in needs:
                    continue
                if other not in number:
                    number[other] = lowest[other] = len(number)
                    waiting[other] = None
                    path.append((other, iter(needs[other])))
                    break
                if other in waiting:
                    lowest[thing] = min(lowest[thing], number[other])
            else:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[thing])
                if lowest[thing] == number[thing]:
                    yield from _knot(thing, waiting, needs)


def _knot(thing: T, waiting: dict[T, None], needs: Mapping[T, Collection[T]]) -> Iterator[frozenset[T]]:
    """Take what was met since a thing: all of it is one knot with it."""
    taken = []
    while True:
        other, _ = waiting.popitem()
        taken.append(other)
        if other == thing:
            break
    if len(taken) > 1 or thing in needs[thing]:
        yield frozenset(taken)


def _ring(start: T, knot: Collection[T], needs: Mapping[T, Collection[T]]) -> tuple[T, ...]:
    before: dict[T, T] = {}
    queue = deque([start])
    while True:
        thing = queue.popleft()
        for other in needs[thing]:
            if other == start:
                return _way(thing, start, before)
            if other in knot and other not in before:
                before[other] = thing
                queue.append(other)


def _way(end: T, start: T, before: Mapping[T, T]) -> tuple[T, ...]:
    way = [end]
    while way[-1] != start:
        way.append(before[way[-1]])
    return tuple(reversed(way))
