"""Which instances differ between two readings of an estate, why (in Atmos' words), and how many others depend on them.

Pure: two resolved estates in, `Affected` values out, ordered by stack, type and name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.stacks import ordering
from catalog.stacks.affected import SECTIONS
from catalog.stacks.resolved import ResolvedDependency, ResolvedEstate, ResolvedInstance

Key = tuple[str, str, str]  # stack, component type as Atmos spells it, name

# Section → the reason that a difference in it is, in the order in which `atmos describe affected` names them.
REASONS: Mapping[str, str] = {section: f"stack.{section}" for section in ("metadata", *SECTIONS, "settings")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """One instance that differs: its key, the reasons, its section's hash afterwards (None: deleted), and its dependents."""

    stack: str
    type: str
    name: str
    component: str
    reasons: tuple[str, ...]
    deleted: bool
    dependents: int
    section_hash: str | None

    @property
    def key(self) -> Key:
        """The natural key within the estate."""
        return (self.stack, self.type, self.name)


def by_key(estate: ResolvedEstate) -> dict[Key, ResolvedInstance]:
    """Return every instance of an estate by its natural key."""
    return {(one.stack, one.type, one.name): one for stack in estate.stacks for one in stack.instances}


def between(before: ResolvedEstate, after: ResolvedEstate, *, always: Iterable[Key] = ()) -> tuple[Affected, ...]:
    """Return what differs, and what `always` names even when it doesn't. Abstract instances deploy nothing and are left out."""
    old, new = by_key(before), by_key(after)
    kept = set(always)
    dependents = ordering.needed_by(after.dependencies)
    found = []
    for key in sorted({**old, **new}):
        reasons = _reasons(old.get(key), new.get(key))
        one = new.get(key) or old[key]
        if (reasons or key in kept) and not one.abstract:
            found.append(
                Affected(
                    stack=one.stack,
                    type=one.type,
                    name=one.name,
                    component=one.component,
                    reasons=reasons,
                    deleted=key not in new,
                    dependents=len(ordering.reach(key, dependents)),
                    section_hash=section_hash(one.sections) if key in new else None,
                )
            )
    return tuple(found)


def section_hash(sections: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hex, of a resolved section."""
    text = json.dumps(sections, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def levels(keys: Sequence[Key], dependencies: Sequence[ResolvedDependency]) -> tuple[tuple[Key, ...], ...]:
    """Order instances so that each comes after those it depends on: level by level; a cycle is left as one last level."""
    needs: dict[Key, set[Key]] = {key: set() for key in keys}
    for edge in dependencies:
        if edge.source in needs and edge.target != edge.source:
            needs[edge.source].add(edge.target)
    ordered = ordering.levels(needs)
    done = {key for level in ordered for key in level}
    left = tuple(key for key in needs if key not in done)
    return (*ordered, left) if left else ordered


def _reasons(old: ResolvedInstance | None, new: ResolvedInstance | None) -> tuple[str, ...]:
    if new is None:
        return ("deleted",)
    if old is new:  # readings share what no change could touch
        return ()
    before = old.sections if old is not None else {}
    return tuple(reason for section, reason in REASONS.items() if _differs(before.get(section), new.sections.get(section)))


def _differs(before: Any, after: Any) -> bool:
    return before is not after and before != after
