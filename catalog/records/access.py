"""Records of access: principals, their grants and memberships, their tokens; and `Scope`, a viewer as a plain value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from catalog.records import columns


class PrincipalKind(StrEnum):
    """A human being or a program."""

    PERSON = "PERSON"
    SERVICE = "SERVICE"


class Role(StrEnum):
    """What a grant allows; each includes those before it."""

    VIEWER = "VIEWER"
    REQUESTER = "REQUESTER"
    APPROVER = "APPROVER"
    ADMIN = "ADMIN"


class Principal(SQLModel, table=True):
    """Somebody or something that acts: who asks, who decides."""

    id: str = columns.identity()
    name: str = columns.text()
    email: str = columns.text(unique=True)
    kind: str = columns.text()
    created_at: datetime = columns.time()
    disabled_at: datetime | None = columns.time(nullable=True)

    __table_args__ = (columns.one_of("kind", PrincipalKind),)


class Grant(SQLModel, table=True):
    """A role for a set of teams and a set of tenants (ids); null: all."""

    __tablename__ = "principal_grant"

    id: int | None = Field(default=None, primary_key=True)
    principal_id: str = columns.reference("principal.id")
    role: str = columns.text()
    teams: list[str] | None = Field(default=None, sa_type=ARRAY(columns.C_TEXT))
    tenants: list[str] | None = Field(default=None, sa_type=ARRAY(columns.C_TEXT))
    seeded: bool = Field(default=False, nullable=False)  # what the seeds say, which alone change it

    __table_args__ = (columns.one_of("role", Role),)


class TeamMember(SQLModel, table=True):
    """A principal's membership of a team: it restricts nothing, `team:` approvers are found by it."""

    __tablename__ = "team_member"

    principal_id: str = Field(sa_type=columns.C_TEXT, foreign_key="principal.id", primary_key=True, ondelete="CASCADE")
    team_id: str = Field(sa_type=columns.C_TEXT, foreign_key="team.id", primary_key=True, ondelete="CASCADE", index=True)


class AccessToken(SQLModel, table=True):
    """A token's hash; the secret itself is shown once and never stored.

    Of kind API it is a program's, of kind LINK it signs a browser in once, of kind SESSION it is what that browser gets.
    """

    __tablename__ = "access_token"

    id: str = columns.identity()
    principal_id: str = columns.reference("principal.id")
    kind: str = columns.text()  # API | LINK | SESSION
    name: str = columns.text()
    prefix: str = columns.text()
    hash: bytes = Field(nullable=False)
    created_at: datetime = columns.time()
    expires_at: datetime | None = columns.time(nullable=True)
    last_used_at: datetime | None = columns.time(nullable=True)
    revoked_at: datetime | None = columns.time(nullable=True)

    __table_args__ = (UniqueConstraint("hash"), columns.one_of("kind", ("API", "LINK", "SESSION")))


class ReportRole(SQLModel, table=True):
    """A role of the database that reads reports as a principal does: what it sees follows from that principal's grants."""

    __tablename__ = "report_role"

    name: str = Field(sa_type=columns.C_TEXT, primary_key=True)
    principal_id: str = columns.reference("principal.id")


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantScope:
    """One grant of a viewer: team ids and tenant ids it is limited to; None: all."""

    role: Role
    teams: frozenset[str] | None
    tenants: frozenset[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A viewer: who it is and what their grants admit. `store` compiles it into predicates; no grant, no rows."""

    principal_id: str | None
    name: str
    email: str | None
    kind: PrincipalKind
    grants: tuple[GrantScope, ...]
    member_of: frozenset[str] = frozenset()

    @property
    def is_admin(self) -> bool:
        """Whether some grant is an unrestricted admin's."""
        return any(grant.role is Role.ADMIN and grant.teams is None and grant.tenants is None for grant in self.grants)

    @property
    def is_unrestricted(self) -> bool:
        """Whether some grant names neither teams nor tenants, so that every row is visible."""
        return any(grant.teams is None and grant.tenants is None for grant in self.grants)

    def may(self, role: Role) -> bool:
        """Whether some grant gives at least this role, for something."""
        order = list(Role)
        return any(order.index(grant.role) >= order.index(role) for grant in self.grants)

    def admits(self, role: Role, *, tenant_id: str, team_id: str | None) -> bool:
        """Whether one grant of at least this role admits a target of that tenant and owning team."""
        order = list(Role)
        return any(
            order.index(grant.role) >= order.index(role)
            and (grant.tenants is None or tenant_id in grant.tenants)
            and (grant.teams is None or team_id is None or team_id in grant.teams)
            for grant in self.grants
        )

    def admits_team(self, role: Role, team_id: str | None) -> bool:
        """Whether one grant of at least this role admits what belongs to a team and to no tenant; None: to no team either."""
        order = list(Role)
        return any(
            order.index(grant.role) >= order.index(role)
            and grant.tenants is None
            and (grant.teams is None or (team_id is not None and team_id in grant.teams))
            for grant in self.grants
        )


ANONYMOUS = Scope(principal_id=None, name="anonymous", email=None, kind=PrincipalKind.PERSON, grants=())
# What the catalog does on its own behalf: indexing, advancing requests.
SYSTEM = Scope(
    principal_id=None,
    name="catalog",
    email=None,
    kind=PrincipalKind.SERVICE,
    grants=(GrantScope(role=Role.ADMIN, teams=None, tenants=None),),
)
