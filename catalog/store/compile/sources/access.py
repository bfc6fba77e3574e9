"""Sources of access: principals, their grants and their tokens."""

from __future__ import annotations

from catalog import records
from catalog.store.compile.source import Column, Format, Key, Source, ToMany, ToOne, columns_of
from catalog.store.compile.sources import visibility

_ROLES = ", ".join(f"'{role}'" for role in records.Role)

SOURCES = (
    Source(
        name="principal",
        rows="principal",
        columns=columns_of(
            records.Principal,
            roles=Column(
                sql=f"array(select r from unnest(array[{_ROLES}]) with ordinality as u(r, n) where r in"
                " (select g.role from principal_grant g where g.principal_id = {a}.id) order by n)",
                format=Format.TEXTS,
                nullable=False,
            ),
        ),
        relations={
            "member_of": ToMany(
                target="team", link="{b}.id in (select m.team_id from team_member m where m.principal_id = {a}.id)", proven=True
            ),
            "grants": ToMany(target="grant", link="{b}.principal_id = {a}.id", tie=()),
        },
        orders={"name": (Key(sql="{b}.name", type="text"),)},
        order=(("name", False),),
        visible=visibility.principal,
    ),
    Source(
        name="grant",
        rows="principal_grant",
        columns=columns_of(records.Grant),
        relations={
            "teams": ToMany(target="team", link="{b}.id = any({a}.teams)", present="{a}.teams is not null", proven=True),
            "tenants": ToMany(target="tenant", link="{b}.id = any({a}.tenants)", present="{a}.tenants is not null", proven=True),
        },
        orders={"id": (Key(sql="{b}.id", type="int4"),)},
        order=(("id", False),),
    ),
    Source(
        name="access_token",
        rows="access_token",
        columns=columns_of(records.AccessToken),
        relations={"principal": ToOne(target="principal", on="{b}.id = {a}.principal_id", proven=True, key="principal_id")},
        orders={"created_at": (Key(sql="{b}.created_at", type="timestamptz", descending=True),)},
        order=(("created_at", False),),
        visible=visibility.token,
    ),
)
