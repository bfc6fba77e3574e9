"""Who may decide at a gate, and when it closes: a pure count over who may and who did.

A request that affects instances of other tenants needs, beside its own quorum, an approver of each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Electorate:
    """Who may decide (principal ids): for the target, `quorum` of them, and one for each other tenant that is affected."""

    target: frozenset[str]
    quorum: int
    others: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def everybody(self) -> frozenset[str]:
        """Whoever has a say at all."""
        return self.target.union(*self.others.values())


def closes(electorate: Electorate, approved: Iterable[str]) -> bool:
    """Whether these approvals are enough. An approval of somebody whose grant is gone since does not count."""
    said = frozenset(approved)
    return len(said & electorate.target) >= electorate.quorum and all(said & of_tenant for of_tenant in electorate.others.values())
