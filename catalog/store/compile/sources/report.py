"""Sources of cost reports: what instances are expected to cost and what charges landed on them, by what both can be grouped by.

A fact names where it belongs by ids alone; grouping goes by these, and only groups learn names. Both kinds of facts name the same
things, so that one filter and one grouping serve both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.store.compile.source import Key, Source, ToMany, ToOne, element_source, fraction, money, number, plain, text
from catalog.store.compile.sources.cost import COUNTED, TODAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """What costs can be grouped by: the fact's column, and what a group of its key `{k}` is called, through a join called `{d}`.

    `{m}` are the report's months. `id` tells the thing, where it is one of the catalog's. `budget` is what may be spent on it a month,
    for whom that concerns.
    """

    key: str
    join: str = ""
    value: str = "{k}"
    id: str = "null::text"
    budget: str | None = None


def _thing(source: str, name: str = "name", *, where: str = "", **more: str) -> Dimension:
    join = f"left join {source} {{d}} on {{d}}.id = {{k}}{where}"
    return Dimension(key=f"{source}_id", join=join, value=f"{{d}}.{name}", id="{d}.id", **more)


DIMENSIONS: Mapping[str, Dimension] = {
    "ORGANIZATION": _thing("organization"),
    # A charge stays where it landed: what it names may be out of sight by now, and so may an environment or a service that holds more.
    "TENANT": _thing("tenant", where=" and {sees_tenant_{d}}", budget="{admin} or {d}.id = any({my_tenants})"),
    "TEAM": _thing("team", "slug", where=" and {sees_team_{d}}", budget="{admin} or {d}.id = any({my_teams})"),
    "SERVICE": _thing("service", "slug", budget="{admin} or {d}.owner_id = any({my_teams})"),
    "ENVIRONMENT": _thing("environment", where=" and {sees_environment_{d}}"),
    "ACCOUNT": Dimension(key="account"),
    "REGION": Dimension(key="region"),
    "STACK": _thing("stack"),
    "COMPONENT": _thing("component"),
    "CATEGORY": Dimension(key="component_id", join="left join component {d} on {d}.id = {k}", value="{d}.category"),
    "COST_CENTER": Dimension(key="team_id", join="left join team {d} on {d}.id = {k} and {sees_team_{d}}", value="{d}.cost_center"),
    "MONTH": Dimension(key="month", join="left join {m} {d} on {d}.month = {k}", value="{d}.name"),
}
# An instance that several services are made of counts for the first of them, so that sums stay sums.
_SERVICE = (
    "(select v.id from service_instance_component w join service_instance u on u.id = w.service_instance_id"
    " join service v on v.id = u.service_id where w.instance_id = i.id and {sees_service_v} order by v.slug, v.id limit 1)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is expected and what was charged, in the currency of the report `{p}`, and in others: with the day whose rate counts."""

    native: str
    foreign: str


# Of estimates today's rate counts. Where nothing has to be converted, the sums of months are read, else those of days.
_LANDED = (
    "select l.instance_id, l.tenant_id, l.team_id, t.organization_id, l.environment_id, coalesce(s.account, e.account) as account,"
    " coalesce(s.region, e.region) as region, l.stack_id, i.component_id,"
    " (select v.id from service v where v.id = l.service_id and {{sees_service_v}}) as service_id, l.month, l.currency, {day} as day,"
    " null::numeric as estimated, 0 as known, 0 as unknown, l.amount as actual, 0 as instances"
    " from {table} l left join tenant t on t.id = l.tenant_id left join stack s on s.id = l.stack_id"
    " left join environment e on e.id = l.environment_id left join component_instance i on i.id = l.instance_id"
)
_ESTIMATED = (
    "select i.id as instance_id, i.tenant_id, i.team_id, s.organization_id, s.environment_id, s.account, s.region, i.stack_id,"
    f" i.component_id, {_SERVICE} as service_id, null::date as month, i.currency, {TODAY} as day, i.monthly as estimated,"
    " (i.monthly is not null)::int as known, (i.monthly is null)::int as unknown, null::numeric as actual, 1 as instances"
    f" from component_instance i join stack s on s.id = i.stack_id where {COUNTED} and {{sees_component_instance_i}}"
)
# The same by tenant and team alone, from sums that are kept: what is enough for the dimensions and the relations of `BY_TEAM`.
_LANDED_BY_TEAM = (
    "select l.tenant_id, l.team_id, l.month, l.currency, {day} as day, null::numeric as estimated, 0 as known, 0 as unknown,"
    " l.amount as actual, 0 as instances from {table} l"
)
_ESTIMATED_BY_TEAM = (
    f"select i.tenant_id, i.team_id, null::date as month, i.currency, {TODAY} as day, case when i.known > 0 then i.amount end as estimated,"
    # Postgres adds up integers faster than larger numbers.
    " i.known::int, (i.instances - i.known)::int as unknown, null::numeric as actual, i.instances::int"
    " from team_estimate i where {sees_component_instance_i}"
)


def _facts(estimated: str, landed: str, *, months: str) -> Facts:
    """Both kinds of facts. Others of another currency are looked for only where sums say that there are any."""
    in_months = "l.month between {p}.first and {p}.last and {sees_allocation_l}"
    charged = "exists(select from team_month c where c.month between {p}.first and {p}.last and c.currency <> {p}.currency)"
    expected = "exists(select from team_estimate c where c.currency <> {p}.currency)"
    return Facts(
        native=(
            f"({estimated} and (i.currency is null or i.currency = {{p}}.currency) union all"
            f" {landed.format(table=months, day='l.month')}"
            f" where l.currency = {{p}}.currency and {in_months})"
        ),
        foreign=(
            f"({estimated} and i.currency <> {{p}}.currency and {expected} union all"
            f" {landed.format(table='cost_day', day='l.day')} where l.currency <> {{p}}.currency and {in_months} and {charged})"
        ),
    )


FACTS = _facts(_ESTIMATED, _LANDED, months="cost_month")
FACTS_BY_TEAM = _facts(_ESTIMATED_BY_TEAM, _LANDED_BY_TEAM, months="team_month")
BY_TEAM = frozenset({"TENANT", "TEAM", "COST_CENTER", "MONTH", "tenant", "team"})
# Whether something is left out: of all there is, not of what the filter asks for, so that nobody learns what a filter would find.
PARTIAL = (
    "(exists(select from team_estimate e where not {sees_component_instance_e})"
    " or exists(select from team_month l where l.month between {p}.first and {p}.last"
    " and not {sees_allocation_l}))"
)
# The currency of most organisations in sight, where none is asked for; without any, nothing costs anything.
CURRENCY = (
    "coalesce({arg_currency}, (select o.currency from organization o where {sees_organization_o} group by o.currency"
    " order by count(*) desc, o.currency limit 1), 'USD')"
)


def _amount(name: str) -> tuple[Key, ...]:
    return (
        Key(sql=f"({{b}}.{name} is null)", type="bool", fixed=True),
        Key(sql=f"coalesce({{b}}.{name}, 0)", type="numeric"),
    )


SOURCES = (
    Source(
        name="cost_fact",
        rows="",
        columns={name: text(f"{{a}}.{name}") for name in ("account", "region")},
        relations={
            "organization": ToOne(target="organization", key="organization_id", proven=True),
            "tenant": ToOne(target="tenant", key="tenant_id"),
            "team": ToOne(target="team", key="team_id"),
            "service": ToOne(target="service", key="service_id"),
            "environment": ToOne(target="environment", key="environment_id"),
            "component": ToOne(target="component", key="component_id", proven=True),
        },
        key="instance_id",
    ),
    Source(
        name="cost_report",
        rows="",
        columns={
            "currency": text("{a}.currency", nullable=False),
            "unallocated_share": fraction(
                "(select round(case when sum(g.actual) <> 0 then coalesce(sum(g.actual) filter (where g.unowned), 0) / sum(g.actual)"
                " when sum(g.estimated) <> 0 then coalesce(sum(g.estimated) filter (where g.unowned), 0) / sum(g.estimated) end, 6)"
                " from {a}g g)"
            ),
        },
        relations={
            "rows": ToMany(target="cost_report_row", rows="{a}g {b}"),
            "total": ToOne(target="cost_summary", rows="(select * from {a}t)", proven=True),
        },
        key="currency",
    ),
    Source(
        name="cost_report_row",
        rows="",
        columns={
            "unknown_instances": number("{a}.unknown", nullable=False),
            "instances": number("{a}.instances", nullable=False),
        },
        relations={
            "keys": ToMany(
                target="cost_key",
                rows="unnest({a}.dimensions, {a}.called, {a}.things) with ordinality as {b}(dimension, value, id, n)",
                order=(("ordinal", False),),
                tie=(),
            ),
            "estimated": money("{a}.estimated", "{a}.currency"),
            "actual": money("{a}.actual", "{a}.currency"),
            "budget": money("{a}.budget", "{a}.currency"),
            "variance": money("{a}.variance", "{a}.currency"),
        },
        orders={"key": (Key(sql="{b}.place", type="text"),)}
        | {name: _amount(name) for name in ("estimated", "actual", "variance")},
        order=(("key", False),),
        tie=(Key(sql="{b}.ids", type="text"),),
        key="ids",
    ),
    element_source(
        name="cost_key",
        columns={
            "dimension": plain("{a}.dimension", nullable=False),
            "value": text("{a}.value"),
            "id": plain("{a}.id"),
        },
    ),
)
