"""What a viewer may see, in two halves: its shape, which is part of a plan, and its values, which are bound.

Comes from a `Scope`; goes into every source as a predicate. Two viewers of one shape share a statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from catalog.records import GrantScope, Role, Scope

# Above this many tenants one planned scan beats a scan per tenant.
MANY_TENANTS = 16
_VIEWERS = 1_024  # whose shape and values are kept: each is asked for with every operation
_APPROVING = frozenset((Role.APPROVER, Role.ADMIN))


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantShape:
    """Which of a viewer's grants limit what: some limit tenants only, some teams only, and so many both."""

    everything: bool
    tenants: bool
    teams: bool
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The shape of a viewer: of all grants, of those that may approve, and whether lists are read tenant by tenant."""

    sees: GrantShape
    approves: GrantShape
    by_tenant: bool


@lru_cache(maxsize=_VIEWERS)
def of(scope: Scope) -> Sight:
    """Return the shape of a viewer."""
    sees = _shape(scope.grants)
    tenants = frozenset[str]().union(*(grant.tenants for grant in scope.grants if grant.tenants is not None))
    narrow = not sees.everything and not sees.teams and len(tenants) <= MANY_TENANTS
    return Sight(sees=sees, approves=_shape(_approving(scope)), by_tenant=narrow)


@lru_cache(maxsize=_VIEWERS)
def values(scope: Scope) -> Mapping[str, Any]:
    """Return what a viewer's predicates are bound with, by name."""
    own_teams = frozenset[str]().union(scope.member_of, *(grant.teams for grant in scope.grants if grant.teams is not None))
    own_tenants = frozenset[str]().union(*(grant.tenants for grant in scope.grants if grant.tenants is not None))
    return {
        "me": scope.principal_id,
        "admin": scope.is_admin,
        "my_teams": sorted(own_teams),
        "my_tenants": sorted(own_tenants),
        **_values("sees", scope.grants),
        **_values("approves", _approving(scope)),
    }


class Viewer:
    """Writes a viewer's predicates; `bind` registers a named value of a type and returns its placeholder."""

    def __init__(self, sight: Sight, bind: Callable[[str, str], str]) -> None:
        self.sight = sight
        self._bind = bind

    @property
    def me(self) -> str:
        """The viewer's principal id, perhaps null."""
        return self._bind("me", "text")

    @property
    def admin(self) -> str:
        """Whether the viewer is an unrestricted admin."""
        return self._bind("admin", "bool")

    @property
    def my_teams(self) -> str:
        """The teams that the viewer is a member of or that its grants name."""
        return self._bind("my_teams", "text[]")

    @property
    def my_tenants(self) -> str:
        """The tenants that the viewer's grants name."""
        return self._bind("my_tenants", "text[]")

    @property
    def everything(self) -> bool:
        """Whether some grant names neither teams nor tenants."""
        return self.sight.sees.everything

    @property
    def nothing(self) -> bool:
        """Whether there is no grant at all."""
        return _empty(self.sight.sees)

    def rows(self, tenant: str, team: str) -> str:
        """The predicate of rows that have a tenant and, perhaps, an owning team: one grant's every set admits them."""
        return self._admitted("sees", self.sight.sees, tenant, team)

    def may_approve(self, tenant: str, team: str) -> str:
        """The predicate of targets that a grant of the viewer may decide about."""
        return self._admitted("approves", self.sight.approves, tenant, team)

    def _admitted(self, prefix: str, shape: GrantShape, tenant: str, team: str) -> str:
        if shape.everything:
            return "true"
        admitted = []
        if shape.tenants:
            admitted.append(f"{tenant} = any({self._bind(f'{prefix}_tenants', 'text[]')})")
        if shape.teams:
            admitted.append(self._of_teams(team, f"{prefix}_teams"))
        admitted += [
            f"({tenant} = any({self._bind(f'{prefix}_tenants_{pair}', 'text[]')}) and {self._of_teams(team, f'{prefix}_teams_{pair}')})"
            for pair in range(shape.pairs)
        ]
        return f"({' or '.join(admitted)})" if admitted else "false"

    def _of_teams(self, team: str, name: str) -> str:
        return f"({team} is null or {team} = any({self._bind(name, 'text[]')}))"


def _approving(scope: Scope) -> tuple[GrantScope, ...]:
    return tuple(grant for grant in scope.grants if grant.role in _APPROVING)


def _shape(grants: tuple[GrantScope, ...]) -> GrantShape:
    if any(grant.teams is None and grant.tenants is None for grant in grants):
        return GrantShape(everything=True, tenants=False, teams=False, pairs=0)
    return GrantShape(
        everything=False,
        tenants=any(grant.teams is None for grant in grants),
        teams=any(grant.tenants is None for grant in grants),
        pairs=len(_pairs(grants)),
    )


def _empty(shape: GrantShape) -> bool:
    return not (shape.everything or shape.tenants or shape.teams or shape.pairs)


def _values(prefix: str, grants: tuple[GrantScope, ...]) -> dict[str, Any]:
    tenants = frozenset[str]().union(*(g.tenants for g in grants if g.tenants is not None and g.teams is None))
    teams = frozenset[str]().union(*(g.teams for g in grants if g.teams is not None and g.tenants is None))
    bound: dict[str, Any] = {f"{prefix}_tenants": sorted(tenants), f"{prefix}_teams": sorted(teams)}
    for pair, grant in enumerate(_pairs(grants)):
        bound |= {f"{prefix}_tenants_{pair}": sorted(grant.tenants or ()), f"{prefix}_teams_{pair}": sorted(grant.teams or ())}
    return bound


def _pairs(grants: tuple[GrantScope, ...]) -> tuple[GrantScope, ...]:
    return tuple(grant for grant in grants if grant.teams is not None and grant.tenants is not None)
