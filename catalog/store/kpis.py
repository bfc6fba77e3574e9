"""What the platform is measured by: the twelve measures, each defined once, and what was measured.

A measure with a statement is measured by the catalog itself, over the thirty days before a moment; the others are people's to measure
and come from the seeds. Where a statement finds nothing to count there is no value, and the sample is zero: no data is not a zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import asyncpg

from catalog.records import KpiDirection

PERIOD = timedelta(days=30)
_UP, _DOWN = KpiDirection.HIGHER_IS_BETTER, KpiDirection.LOWER_IS_BETTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A measure. `statement` gives its value and of how many that is, for the period from $1 until $2; empty where only people can."""

    name: str
    title: str
    unit: str
    direction: KpiDirection
    description: str = ""
    population: str = ""
    statement: str = ""
    baseline: Decimal | None = None
    target: Decimal | None = None


_LEAD_TIME = """
select percentile_cont(0.5) within group (order by extract(epoch from finished_at - created_at) / 60)::numeric, count(*)
from provisioning_request where state = 'SUCCEEDED' and action in ({actions}) and finished_at >= $1 and finished_at < $2
"""
# In the currency of most organisations, by the rates of each month's first day; without such a rate nothing is told.
_MONTHS = """
with home as (select currency from organization group by 1 order by count(*) desc, 1 limit 1),
month as (
    select m.month, sum(m.amount * catalog_rate(m.currency, home.currency, m.month)) as amount,
        bool_and(catalog_rate(m.currency, home.currency, m.month) is not null) as known
    from cost_month m cross join home where m.month < date_trunc('month', $2 at time zone 'UTC') and $1 < $2 group by 1
)
"""
DEFINITIONS = (
    Definition(
        name="time-to-provision",
        title="Time to provision a service",
        description="How long it takes from a request to what runs: half of them take less.",
        unit="minutes",
        direction=_DOWN,
        population="Requests for services and components that succeeded in the thirty days before.",
        statement=_LEAD_TIME.format(actions="'PROVISION_SERVICE', 'APPLY_COMPONENT'"),
        baseline=Decimal(2880),
        target=Decimal(30),
    ),
    Definition(
        name="environment-setup",
        title="Environment setup",
        description="How long it takes to set up an environment: half of them take less.",
        unit="minutes",
        direction=_DOWN,
        population="Requests for environments that succeeded in the thirty days before.",
        statement=_LEAD_TIME.format(actions="'ONBOARD_ENVIRONMENT'"),
        baseline=Decimal(240),
        target=Decimal(15),
    ),
    Definition(
        name="issue-resolution",
        title="Issue resolution",
        description="How long it takes until an issue with the platform is resolved.",
        unit="hours",
        direction=_DOWN,
        population="Issues, as people count them.",
        baseline=Decimal(48),
        target=Decimal(4),
    ),
    Definition(
        name="developer-onboarding",
        title="Developer onboarding",
        description="How long it takes until a new developer has deployed a change.",
        unit="days",
        direction=_DOWN,
        population="New developers, as people count them.",
        baseline=Decimal(14),
        target=Decimal(2),
    ),
    Definition(
        name="infrastructure-cost",
        title="Infrastructure cost",
        description="By how much the last complete month costs more, or less, than the first one that charges are known of.",
        unit="percent",
        direction=_DOWN,
        population="Complete months that charges are known of.",
        statement=_MONTHS
        + """select case when bool_and(known) and count(*) > 1 and min(amount) filter (where month = first) > 0 then
        round(100 * (min(amount) filter (where month = last) / min(amount) filter (where month = first) - 1), 2) end,
        case when count(*) > 1 then count(*) else 0 end
        from (select month.*, min(month) over () as first, max(month) over () as last from month) m""",
        baseline=Decimal(0),
        target=Decimal(-20),
    ),
    Definition(
        name="policy-compliance",
        title="Automated policy compliance",
        description="The share of what policies judged that passed when it was last judged.",
        unit="percent",
        direction=_UP,
        population="The last verdict of each policy on each instance, or on each request where no instance is told.",
        statement="""
select round(100 * avg(passed::int), 2), count(*) from (
    select distinct on (policy_id, coalesce(instance_id, request_id)) passed from policy_evaluation
    where evaluated_at < $2 and $1 < $2 order by policy_id, coalesce(instance_id, request_id), evaluated_at desc, id desc
) v
""",
        target=Decimal(95),
    ),
    Definition(
        name="operational-incidents",
        title="Operational incidents",
        description="By how much there are more incidents in a month, or fewer, than before the platform.",
        unit="percent",
        direction=_DOWN,
        population="Incidents of a month, as people count them.",
        baseline=Decimal(0),
        target=Decimal(-60),
    ),
    Definition(
        name="developers-per-platform-engineer",
        title="Developers per platform engineer",
        description="How many people of other teams there are for each one of a platform team.",
        unit="people",
        direction=_UP,
        population="Members of teams that the seeds name.",
        statement="""
select round(count(*) filter (where not t.platform)::numeric / nullif(count(*) filter (where t.platform), 0), 2), count(*)
from person p join team t on t.id = p.team_id where $1::timestamptz < $2::timestamptz
""",
        target=Decimal(10),
    ),
    Definition(
        name="time-to-market",
        title="Time to market",
        description="By how much it takes longer, or less long, from an idea to its users than before the platform.",
        unit="percent",
        direction=_DOWN,
        population="Features, as people count them.",
        baseline=Decimal(0),
        target=Decimal(-40),
    ),
    Definition(
        name="developer-satisfaction",
        title="Developer satisfaction",
        description="What developers think of the platform, from 1 to 5.",
        unit="points",
        direction=_UP,
        population="Answers to surveys.",
        target=Decimal(4),
    ),
    Definition(
        name="self-service-teams",
        title="Teams using self-service",
        description="The share of teams that own something and asked for a change themselves.",
        unit="percent",
        direction=_UP,
        population="Teams that own an instance or a service; a request of the thirty days before counts.",
        statement="""
select round(100 * avg((exists (select from provisioning_request r
    where r.team_id = t.id and r.created_at >= $1 and r.created_at < $2))::int), 2), count(*)
from team t where exists (select from component_instance i where i.team_id = t.id and i.removed_at is null)
    or exists (select from service s where s.owner_id = t.id)
""",
        target=Decimal(80),
    ),
    Definition(
        name="cost-allocated",
        title="Cost allocated to teams",
        description="The share of what was charged for the last complete month that a team owns.",
        unit="percent",
        direction=_UP,
        population="Parts of charges of the last complete month that charges are known of, by their amounts.",
        statement="""
with home as (select currency from organization group by 1 order by count(*) desc, 1 limit 1)
select case when bool_and(m.worth is not null) and sum(m.worth) > 0 then
    round(100 * coalesce(sum(m.worth) filter (where m.team_id is not null), 0) / sum(m.worth), 2) end, coalesce(sum(m.parts), 0)::bigint
from (
    select l.team_id, l.parts, l.amount * catalog_rate(l.currency, home.currency, l.month) as worth from cost_month l cross join home
    where l.month = (select max(c.month) from cost_month c where c.month < date_trunc('month', $2 at time zone 'UTC') and $1 < $2)
) m
""",
        target=Decimal(100),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the seeds say of a measure: of one that is defined here, what differs; of another one, all there is. None: nothing."""

    name: str
    title: str | None = None
    description: str | None = None
    unit: str | None = None
    population: str | None = None
    direction: KpiDirection | None = None
    baseline: Decimal | None = None
    target: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a measure was on a day, and of how many."""

    name: str
    at: date
    value: Decimal | None
    sample_size: int


_KPI_COLUMNS = ("ordinal", "title", "description", "statement", "population", "unit", "direction", "baseline", "target")
_DEFINE = (
    f"insert into kpi (name, {', '.join(_KPI_COLUMNS)}) values ({', '.join(f'${n}' for n in range(1, len(_KPI_COLUMNS) + 2))})"
    f" on conflict (name) do update set {', '.join(f'{name} = excluded.{name}' for name in _KPI_COLUMNS)}"
)
_KEEP = """insert into kpi_point (name, at, value, sample_size) values ($1, $2, $3, $4)
on conflict (name, at) do update set value = excluded.value, sample_size = excluded.sample_size"""


def defined(said: Iterable[Said]) -> tuple[Definition, ...]:
    """Return all measures: the twelve, with what the seeds say of them, and those that only the seeds know."""
    told = {one.name: one for one in said}
    known = {one.name for one in DEFINITIONS}
    own = [Definition(name=name, title=name, unit="", direction=_UP) for name in told if name not in known]
    return tuple(_with(one, told.get(one.name)) for one in (*DEFINITIONS, *own))


def _with(definition: Definition, said: Said | None) -> Definition:
    if said is None:
        return definition
    names = ("title", "description", "unit", "population", "direction", "baseline", "target")
    return replace(definition, **{name: value for name in names if (value := getattr(said, name)) is not None})


async def define(connection: asyncpg.Connection, said: Sequence[Said]) -> None:
    """Write the definitions; seeds that name no measure change none that is written already, nor take any away."""
    if not said and await connection.fetchval("select exists(select from kpi)"):
        return
    rows = [
        (
            one.name,
            number,
            one.title,
            one.description,
            one.statement.strip(),
            one.population,
            one.unit,
            one.direction.value,
            one.baseline,
            one.target,
        )
        for number, one in enumerate(defined(said))
    ]
    await connection.execute("delete from kpi where name <> all($1::text[])", [row[0] for row in rows])
    await connection.executemany(_DEFINE, rows)


async def keep(connection: asyncpg.Connection, points: Iterable[Point]) -> None:
    """Write points; one of the same measure and day takes the other's place."""
    await connection.executemany(_KEEP, [(one.name, one.at, one.value, one.sample_size) for one in points])


async def measure(connection: asyncpg.Connection, now: datetime) -> tuple[Point, ...]:
    """Measure what the catalog itself can, and keep it as today's."""
    points = []
    for one in DEFINITIONS:
        if one.statement:
            value, size = await connection.fetchrow(one.statement, now - PERIOD, now)
            points.append(Point(name=one.name, at=now.date(), value=value, sample_size=size if value is not None else 0))
    await keep(connection, points)
    return tuple(points)
