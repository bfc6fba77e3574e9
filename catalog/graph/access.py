"""Who acts: principals, what they may, and their tokens."""

from datetime import datetime

import strawberry

from catalog.graph import enums, names
from catalog.graph.declarations import column, items, one, reads_from
from catalog.graph.nodes import Node


@reads_from("principal")
@strawberry.type(description="Somebody or something that acts.")
class Principal(Node):
    name: str = column("name", "The name.")
    email: str = column("email", "The e-mail address; principals are shown to themselves and to admins.")
    kind: enums.PrincipalKind = column("kind", "A human being or a program.")
    roles: list[enums.Role] = column("roles", "The roles that its grants give, from the least to the greatest.")
    member_of: list[names.TeamType] = items("member_of", "The teams that it is a member of; membership restricts nothing.")
    grants: list[names.GrantType] = items("grants", "What it may, and where.")


@reads_from("grant")
@strawberry.type(description="A role for a set of teams and a set of tenants; null: all.")
class Grant:
    role: enums.Role = column("role", "The role.")
    teams: list[names.TeamType] | None = items("teams", "Only what these teams own; null: all teams.")
    tenants: list[names.TenantType] | None = items("tenants", "Only what lies in these tenants; null: all tenants.")


@reads_from("access_token")
@strawberry.type(description="A token of a principal; the secret itself is shown once and never stored.")
class AccessToken(Node):
    name: str = column("name", "What it is for.")
    prefix: str = column("prefix", "How it begins.")
    principal: names.PrincipalType = one("principal", "Whose it is.")
    created_at: datetime = column("created_at", "When it was made.")
    expires_at: datetime | None = column("expires_at", "When it ends.")
    last_used_at: datetime | None = column("last_used_at", "When it was last used.")
    revoked_at: datetime | None = column("revoked_at", "When it was revoked.")
