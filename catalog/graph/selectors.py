"""Two small languages inside filters: Kubernetes label selectors, and paths into JSON documents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from catalog.graph.faults import bad_input
from catalog.store.selection import Op

_KEY = r"[A-Za-z0-9](?:[A-Za-z0-9._/\-]*[A-Za-z0-9])?"
_REQUIREMENTS: tuple[tuple[re.Pattern[str], Op], ...] = (
    (re.compile(rf"({_KEY})\s+in\s+\(([^()]*)\)"), Op.KEY_IN),
    (re.compile(rf"({_KEY})\s+notin\s+\(([^()]*)\)"), Op.KEY_NOT_IN),
    (re.compile(rf"!\s*({_KEY})"), Op.KEY_ABSENT),
    (re.compile(rf"({_KEY})\s*!=\s*([^=!,()]*)"), Op.KEY_NOT_IN),
    (re.compile(rf"({_KEY})\s*==?\s*([^=!,()]*)"), Op.INCLUDES),
    (re.compile(rf"({_KEY})"), Op.KEY_EXISTS),
)
_BETWEEN = re.compile(r",(?![^()]*\))")
_STEP = re.compile(r'\.?([^.\[\]"]+)|\[(\d{1,9})\]|\["((?:[^"\\]|\\.)*)"\]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement of a label selector: a key, what is asked of it, and values."""

    key: str
    op: Op
    values: tuple[str, ...] = ()


def parse(selector: str) -> tuple[Requirement, ...]:
    """Read a label selector, such as `tier=web,!legacy,region in (eu, us)`; raises Rejected for one that can't be read.

    Equalities come first and fold into one; `!=` and `notin` also match where the key is absent, as in Kubernetes.
    """
    if not selector.strip():
        return ()
    return tuple(_requirement(part.strip(), selector) for part in _BETWEEN.split(selector))


def _requirement(part: str, selector: str) -> Requirement:
    for pattern, op in _REQUIREMENTS:
        found = pattern.fullmatch(part)
        if found:
            given = found.group(2) if len(found.groups()) > 1 else ""
            return Requirement(key=found.group(1), op=op, values=tuple(value.strip() for value in given.split(",")))
    raise bad_input(
        f"the label selector {selector!r} can't be read at {part!r}: write k=v, k!=v, k in (a, b), k notin (a, b), k or !k"
    )


def path(text: str) -> tuple[str, ...]:
    """Read a path such as `ingress[0].port` or `tags["a.b"]` into its steps; raises Rejected for one that can't be read."""
    steps, place = [], 0
    while place < len(text):
        found = _STEP.match(text, place)
        if not found:
            break
        name, index, quoted = found.groups()
        steps.append(name or index or re.sub(r"\\(.)", r"\1", quoted))
        place = found.end()
    if not steps or place < len(text):
        raise bad_input(f"the path {text!r} can't be read: write it as in ingress[0].port")
    return tuple(steps)


def containment(text: str, value: Any) -> dict[str, Any] | None:
    """Return what a document contains whose value at a path is this; None where the path has index numbers."""
    steps = path(text)
    if "[" in text and re.search(r"\[\d+\]", text):
        return None
    found: Any = value
    for step in reversed(steps):
        found = {step: found}
    made: dict[str, Any] = found
    return made
