"""Where services run and what their parts cost, told by the rows of the estates: for services of seeds and registered ones alike.

A service runs in an environment that holds at least half of its parts as deployable instances: all of them make it COMPLETE,
fewer PARTIAL, with the missing ones named. A part's name means the instances of that name, else those of the physical component of
that name, whichever estate of the organisation has them. What is told here is a function of the rows, so it is told again wherever
one of them changed and nowhere else: by an index run at its end, and by whoever registers a service, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import asyncpg

from catalog import records
from catalog.records import CostSource, CostStatus, ServiceInstanceState
from catalog.store import tables
from catalog.store.rows import CostEstimateRow, ServiceInstanceComponentRow, ServiceInstanceRow
from catalog.values import global_id

# What a request is doing with a service instance is the request's to say; what is there, the rows'.
_KEPT_STATES = frozenset({ServiceInstanceState.PROVISIONING, ServiceInstanceState.FAILED, ServiceInstanceState.DECOMMISSIONED})
_THERE = "i.state <> 'REMOVED' and not i.abstract and i.enabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """What changed: services and components (ids), environments whose instances did, and names of instances and components."""

    services: frozenset[str] = frozenset()
    components: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


async def settle(connection: asyncpg.Connection, changed: Unsettled) -> None:
    """Tell again what follows from what changed: components of parts, computed costs, and where services run.

    The caller holds the lock of the writers of snapshots, and commits.
    """
    if not await connection.fetchval("select exists (select from service)"):
        return
    affected = await _affected(connection, changed)
    await _link(connection, affected)
    await _price(connection, affected)
    if changed.services:
        await _match(connection, "service_id", changed.services)
    if changed.environments:
        await _match(connection, "environment_id", changed.environments)


async def registered(connection: asyncpg.Connection) -> frozenset[tuple[str, str]]:
    """Return which services people registered, also those that the seeds override: (organisation, slug) each."""
    rows = await connection.fetch(
        "select o.name, v.slug from service v join organization o on o.id = v.organization_id"
        " where v.source = 'CATALOG' or v.overridden is not null"
    )
    return frozenset((row[0], row[1]) for row in rows)


async def _affected(connection: asyncpg.Connection, changed: Unsettled) -> list[str]:
    rows = await connection.fetch(
        """select distinct service_id from service_component
        where service_id = any($1::text[]) or name = any($2::text[]) or component_id = any($3::text[])""",
        sorted(changed.services),
        sorted(changed.names),
        sorted(changed.components),
    )
    return sorted({row[0] for row in rows} | changed.services)


# ── components and costs of parts ────────────────────────────────────────────────────────────────────────────────────────

# The component of that name, of Terraform before others, of the organisation's own estate before one that merely has a stack of it;
# else what the instances of that name are made of.
_LINK = f"""
update service_component p set component_id = f.component_id
from (
    select q.service_id, q.ordinal, coalesce(
        (
            select c.id from component c join estate e on e.id = c.estate_id
            where c.name = q.name and c.removed_at is null and (e.organization_id = v.organization_id or exists (
                select from stack x where x.estate_id = e.id and x.organization_id = v.organization_id and x.state <> 'REMOVED'
            ))
            order by e.organization_id <> v.organization_id, c.type <> 'TERRAFORM', c.path, c.id limit 1
        ),
        (
            select min(i.component_id) from component_instance i join tenant t on t.id = i.tenant_id
            where i.name = q.name and t.organization_id = v.organization_id and {_THERE}
        )
    ) as component_id
    from service_component q join service v on v.id = q.service_id where v.id = any($1::text[])
) f
where p.service_id = f.service_id and p.ordinal = f.ordinal and p.component_id is distinct from f.component_id
"""

# What the instances of a part's name agree on, else its component's own estimate, where that is a number. Each name is looked at
# once, however many services have such a part.
_PRICE = f"""
with named as materialized (
    select q.organization_id, q.name, min(i.currency) as currency, min(i.monthly) as monthly
    from (
        select distinct v.organization_id, p.name from service_component p join service v on v.id = p.service_id
        where v.id = any($1::text[])
    ) q
    join component_instance i on i.name = q.name and i.currency is not null and {_THERE}
    join tenant t on t.id = i.tenant_id and t.organization_id = q.organization_id
    group by 1, 2
    having count(i.monthly) = count(*) and min(i.monthly) = max(i.monthly) and min(i.currency) = max(i.currency)
)
select q.service_id, q.name, coalesce(a.currency, e.currency) as currency, coalesce(a.monthly, e.monthly) as monthly
from service_component q join service v on v.id = q.service_id
left join named a on a.organization_id = v.organization_id and a.name = q.name
left join component c on c.id = q.component_id
left join cost_estimate e on e.id = c.cost_estimate_id and e.monthly is not null and a.name is null
where q.service_id = any($1::text[]) order by q.service_id, q.ordinal
"""


async def _link(connection: asyncpg.Connection, services: Sequence[str]) -> None:
    await connection.execute(_LINK, services)


async def _price(connection: asyncpg.Connection, services: Sequence[str]) -> None:
    parts: dict[str, list[asyncpg.Record]] = {}
    for row in await connection.fetch(_PRICE, services):
        parts.setdefault(row["service_id"], []).append(row)
    said = {row.id: row for service, found in parts.items() for row in [computed(service, [tuple(item)[1:] for item in found])]}
    ids = [computed_id(service) for service in services]
    now = {row[0]: row for row in await tables.rows(connection, records.CostEstimate, "id", ids)}
    differing = [row for key, row in said.items() if key not in now or not tables.same(records.CostEstimate, row, now[key])]
    await tables.upsert(connection, records.CostEstimate, differing)
    await tables.delete(connection, records.CostEstimate, now.keys() - said.keys())
    await connection.execute(
        """update service v set computed_cost_estimate_id = n.estimate
        from unnest($1::text[], $2::text[]) as n(id, estimate)
        where v.id = n.id and v.computed_cost_estimate_id is distinct from n.estimate""",
        list(parts),
        [computed_id(service) for service in parts],
    )


def computed(service: str, parts: Iterable[tuple[str, str | None, Decimal | None]]) -> Any:
    """Return the estimate of a service as the sum of its parts: (name, currency, amount a month) each.

    What is unknown is named, never counted as zero; parts in several currencies have no sum.
    """
    listed = list(parts)
    unknown = [name for name, _, monthly in listed if monthly is None]
    priced = [(currency, monthly) for _, currency, monthly in listed if monthly is not None]
    currencies = {currency for currency, _ in priced}
    if len(currencies) == 1:
        status = CostStatus.PARTIAL if unknown else CostStatus.KNOWN
        reason = f"unknown: {', '.join(unknown)}" if unknown else None
        currency, monthly = currencies.pop(), sum((amount for _, amount in priced), Decimal(0))
    else:
        status, currency, monthly = CostStatus.UNKNOWN, None, None
        reason = "its parts are priced in several currencies" if currencies else "no part's cost is known"
    return CostEstimateRow(
        id=computed_id(service),
        subject_kind="Service",
        subject_id=service,
        status=status.value,
        currency=currency,
        monthly=monthly,
        low=None,
        high=None,
        reason=reason,
        unsupported=unknown,
        source=CostSource.COMPONENT_METADATA.value,
        file=None,
        line=None,
        estimated_at=None,
        superseded_at=None,
    )


def computed_id(service: str) -> str:
    """Return the id of the estimate that sums up a service's parts."""
    return global_id("CostEstimate", service, "computed")


# ── where services run ───────────────────────────────────────────────────────────────────────────────────────────────────

# Instances without a component row (its code lies elsewhere) still say in their document which one they are made of.
_BY_SERVICE = f"""
part as materialized (
    select p.service_id, v.organization_id, p.name, min(p.ordinal) as ordinal
    from service_component p join service v on v.id = p.service_id where p.service_id = any($1::text[]) group by 1, 2, 3
),
matched as (
    select q.service_id, s.environment_id, q.name, i.id, 0 as rank
    from part q join component_instance i on i.name = q.name
    join stack s on s.id = i.stack_id and s.organization_id = q.organization_id
    where {_THERE} and s.environment_id is not null
    union all
    select q.service_id, s.environment_id, q.name, i.id, 1
    from part q join component c on c.name = q.name join component_instance i on i.component_id = c.id
    join stack s on s.id = i.stack_id and s.organization_id = q.organization_id
    where {_THERE} and s.environment_id is not null
    union all
    select q.service_id, s.environment_id, q.name, i.id, 1
    from part q join stack s on s.organization_id = q.organization_id
    join component_instance i on i.stack_id = s.id and i.component_id is null join config g on g.hash = i.config_hash
    where g.document ->> 'component' = q.name and {_THERE} and s.environment_id is not null
)"""
_BY_ENVIRONMENT = f"""
place as materialized (
    select i.id, i.name, s.environment_id, s.organization_id, case when i.component_id is not null then c.name else (
        select g.document ->> 'component' from config g where g.hash = i.config_hash
    ) end as component
    from stack s join component_instance i on i.stack_id = s.id left join component c on c.id = i.component_id
    where s.environment_id = any($1::text[]) and {_THERE}
),
part as materialized (
    select p.service_id, v.organization_id, p.name, min(p.ordinal) as ordinal
    from service_component p join service v on v.id = p.service_id
    where v.organization_id in (select organization_id from place) group by 1, 2, 3
),
matched as (
    select q.service_id, l.environment_id, q.name, l.id, 0 as rank
    from place l join part q on q.name = l.name and q.organization_id = l.organization_id
    union all
    select q.service_id, l.environment_id, q.name, l.id, 1
    from place l join part q on q.name = l.component and q.organization_id = l.organization_id
)"""
_RUNNING = """
whole as materialized (
    select service_id, array_agg(name order by ordinal) as names from part group by 1
),
best as (
    select service_id, environment_id, name, min(rank) as rank from matched group by 1, 2, 3
),
there as (
    select m.service_id, m.environment_id, array_agg(distinct m.name) as names, array_agg(distinct m.id order by m.id) as members
    from matched m join best b using (service_id, environment_id, name, rank) group by 1, 2
)
select o.name as organization, v.slug, v.id as service_id, v.owner_id, e.id as environment_id, e.tenant_id, e.name as environment,
    array(select n.name from unnest(w.names) with ordinality as n(name, ordinal) where n.name <> all(t.names) order by n.ordinal)
        as missing, t.members
from there t join whole w on w.service_id = t.service_id and cardinality(t.names) * 2 >= cardinality(w.names)
join environment e on e.id = t.environment_id join service v on v.id = t.service_id
join organization o on o.id = v.organization_id
"""
_MATCHES = {
    "service_id": f"with {_BY_SERVICE}, {_RUNNING}",
    "environment_id": f"with {_BY_ENVIRONMENT}, {_RUNNING}",
}


async def _match(connection: asyncpg.Connection, column: str, keys: Collection[str]) -> None:
    """Bring the service instances of some services, or of some environments, to what is there."""
    found = await connection.fetch(_MATCHES[column], sorted(keys))
    now = {row[0]: ServiceInstanceRow(*row) for row in await tables.rows(connection, records.ServiceInstance, column, keys)}
    said = {row.id: (row, members) for row, members in (_instance(item, now) for item in found)}
    members = await _members(connection, now)
    differing = {key: ids for key, (_, ids) in said.items() if ids != members.get(key, [])}
    idle = [key for key, row in now.items() if key not in said and row.registered_by_id is None]
    await tables.delete(connection, records.ServiceInstance, idle)
    await tables.upsert(
        connection,
        records.ServiceInstance,
        [row for key, (row, _) in said.items() if now.get(key) != row],
    )
    await tables.delete(connection, records.ServiceInstanceComponent, differing.keys() & members.keys())
    await tables.insert(
        connection,
        records.ServiceInstanceComponent,
        [ServiceInstanceComponentRow(service_instance_id=key, instance_id=one) for key, ids in differing.items() for one in ids],
    )


def _instance(found: asyncpg.Record, now: Mapping[str, Any]) -> tuple[Any, list[str]]:
    identity = global_id("ServiceInstance", found["organization"], found["slug"], found["environment_id"])
    known = now.get(identity)
    state = ServiceInstanceState.PARTIAL if found["missing"] else ServiceInstanceState.COMPLETE
    if known is not None and known.registered_by_id is not None and known.state in _KEPT_STATES:
        state = ServiceInstanceState(known.state)
    row = ServiceInstanceRow(
        id=identity,
        tenant_id=found["tenant_id"],
        service_id=found["service_id"],
        environment_id=found["environment_id"],
        name=f"{found['slug']}-{found['environment']}",
        team_id=found["owner_id"],
        state=state.value,
        missing=found["missing"],
        registered_by_id=None if known is None else known.registered_by_id,
    )
    return row, found["members"]


async def _members(connection: asyncpg.Connection, service_instances: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for owner, member in await tables.rows(
        connection, records.ServiceInstanceComponent, "service_instance_id", service_instances, more="order by 1, 2"
    ):
        found.setdefault(owner, []).append(member)
    return found
