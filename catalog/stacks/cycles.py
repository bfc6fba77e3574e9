"""Rings of dependencies, told where they are written: instances of which none can be applied before the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from catalog.stacks import ordering
from catalog.stacks.dependencies import Key
from catalog.stacks.resolved import ResolvedDependency
from catalog.values import Diagnostic, Severity

CODE = "DEPENDENCY_CYCLE"
_SHOWN = 10  # instances of a ring that a message names


def within(edges: Sequence[ResolvedDependency]) -> tuple[Diagnostic, ...]:
    """Return the rings among the edges of one stack that stay in it."""
    return tuple(_rings([edge for edge in edges if edge.source[0] == edge.target[0]]))


def between(stacks: Mapping[str, Sequence[ResolvedDependency]]) -> tuple[Diagnostic, ...]:
    """Return the rings that lead through several stacks, given the edges that leave each stack's instances.

    Only edges among stacks that need each other can be part of one: almost always there are none.
    """
    needs = {stack: dict.fromkeys(edge.target[0] for edge in edges if edge.target[0] != stack) for stack, edges in stacks.items()}
    told: list[Diagnostic] = []
    for knot in ordering.knots(needs):
        edges = [edge for stack in sorted(knot) for edge in stacks[stack] if edge.target[0] in knot]
        told += _rings(edges, several=True)
    return tuple(told)


def _rings(edges: Sequence[ResolvedDependency], *, several: bool = False) -> Iterator[Diagnostic]:
    needs: dict[Key, list[Key]] = {}
    for edge in edges:
        needs.setdefault(edge.source, []).append(edge.target)
    for ring in ordering.rings(dict(sorted(needs.items()))) if needs else ():
        # A knot over several stacks may hold rings that stay in one: these are told with their stack.
        if not several or len({key[0] for key in ring}) > 1:
            yield _told(ring, edges)


def _told(ring: Sequence[Key], edges: Iterable[ResolvedDependency]) -> Diagnostic:
    first, second = ring[0], ring[1]
    edge = next(edge for edge in edges if (edge.source, edge.target) == (first, second))
    one_stack = len({key[0] for key in ring}) == 1
    names = [key[2] if one_stack else f"{key[2]} of {key[0]}" for key in ring]
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    shown = " → ".join([*names[:_SHOWN], *more, names[0]])
    return Diagnostic(
        severity=Severity.WARNING,
        code=CODE,
        message=f"components depend on each other in a ring, so that none can be applied first: {shown}",
        hint=f"Remove one of the dependencies; this one is {edge.via}.",
        location=edge.location,
        stack=first[0],
        component=first[2],
    )
