"""Writes where charges land: what charges say of themselves out, the parts that were decided in, the amounts split exactly by Postgres.

Charges that say the same land at the same places, so that a million charges come to some thousand decisions. All of it happens in a
transaction of the caller's, in few statements: triggers keep the sums of allocations once for each.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from catalog import records
from catalog.store import loading

# Parts of an amount have at least so many decimals, where it isn't a single part.
SCALE = 6
_DOCUMENT = (
    "jsonb_build_object('provider', c.provider, 'category', c.category, 'service', c.service_name, 'resource', c.resource_id,"
    " 'region', c.region_id, 'account', c.sub_account_id, 'account_name', c.sub_account_name,"
    " 'billing_account', c.billing_account_id, 'tags', c.tags)"
)
_DAY = "(c.period_start at time zone 'UTC')::date"
_PLACES = ("tenant_id", "team_id", "environment_id", "stack_id", "instance_id", "service_id")
PART = ("subject", "ordinal", "weight", "rule", "reason", *_PLACES)
_PARTS = f"""
create temp table allocation_part on commit drop as
select subject, ordinal, null::numeric as weight, rule, reason, {", ".join(_PLACES)} from allocation limit 0
"""
_KNOWN = "select key, document::text as document, decided from charge_subject"
_TO = (
    f"insert into allocation (charge_id, ordinal, subject, day, month, currency, rule, reason, {', '.join(_PLACES)}, share, amount)"
)
_FROM = "p.id, a.ordinal, p.subject, p.day, date_trunc('month', p.day)::date, p.currency, a.rule, a.reason, " + ", ".join(
    f"a.{name}" for name in _PLACES
)
# A whole charge at one place.
_WHOLE = f"""
{_TO} select {_FROM}, 1, p.effective from pending_charge p join allocation_part a on a.subject = p.subject
where not exists (select from allocation_part b where b.subject = a.subject and b.ordinal = 1)
"""
# Parts are cut off behind their last decimal; what is left goes, a unit each, to the largest remainders, the earlier of equal ones first.
# All in whole units: quotients and remainders of whole numbers are exact, and so is multiplying by a unit.
_SPLIT = f"""
with total as (
    select subject, sum(weight) as weight from allocation_part group by subject having count(*) > 1
), amount as (
    select p.*, t.weight as total, s.scale, abs(p.effective) * ('1e' || s.scale)::numeric as units
    from pending_charge p join total t on t.subject = p.subject
    cross join lateral (select greatest(scale(trim_scale(p.effective)), {SCALE}) as scale) s
), cut as (
    select m.id, a.ordinal, div(m.units * a.weight, m.total) as whole, mod(m.units * a.weight, m.total) as rest
    from amount m join allocation_part a on a.subject = m.subject
), ranked as (
    select id, ordinal, whole, row_number() over (partition by id order by rest desc, ordinal) as place,
        sum(whole) over (partition by id) as given
    from cut
)
{_TO} select {_FROM}, round(a.weight / p.total, 12),
    sign(p.effective) * (r.whole + (r.place <= p.units - r.given)::int) * ('1e-' || p.scale)::numeric
from amount p join allocation_part a on a.subject = p.subject join ranked r on r.id = p.id and r.ordinal = a.ordinal
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What charges say of themselves, and the digest of where they landed; None before the first time."""

    document: dict[str, Any]
    decided: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What costs can land on: rows by column names."""

    instances: Sequence[asyncpg.Record]
    environments: Sequence[asyncpg.Record]
    teams: Sequence[asyncpg.Record]
    tenants: Sequence[asyncpg.Record]


async def stage_new(connection: asyncpg.Connection, batches: Collection[str]) -> list[str]:
    """Take up the charges of some batches that landed nowhere yet; return the keys of what they say of themselves."""
    await connection.execute(
        f"""create temp table pending_charge on commit drop as
        select c.id, md5(d.document::text) as subject, {_DAY} as day, c.currency, c.effective
        from charge c cross join lateral (select {_DOCUMENT} as document) d
        where c.batch_id = any($1::text[]) and not exists (select from allocation a where a.charge_id = c.id)""",
        list(batches),
    )
    await connection.execute("create index on pending_charge (subject); analyze pending_charge")
    await connection.execute(
        f"""insert into charge_subject (key, document)
        select s.subject, {_DOCUMENT} from (
            select p.subject, min(p.id) as id from pending_charge p
            where not exists (select from charge_subject k where k.key = p.subject) group by p.subject
        ) s join charge c on c.id = s.id"""
    )
    return [row[0] for row in await connection.fetch("select distinct subject from pending_charge")]


async def stage_again(connection: asyncpg.Connection, keys: Collection[str]) -> None:
    """Take up the charges that say any of this, and forget where they landed."""
    await connection.execute(
        f"""create temp table pending_charge on commit drop as
        select c.id, a.subject, {_DAY} as day, c.currency, c.effective
        from (select distinct charge_id, subject from allocation where subject = any($1::text[])) a
        join charge c on c.id = a.charge_id""",
        list(keys),
    )
    await connection.execute("analyze pending_charge")
    await connection.execute("delete from allocation where subject = any($1::text[])", list(keys))


async def any_known(connection: asyncpg.Connection) -> bool:
    """Whether any charge was ever allocated."""
    found: bool = await connection.fetchval("select exists (select from charge_subject)")
    return found


async def known(connection: asyncpg.Connection, keys: Collection[str]) -> dict[str, Known]:
    """What charges say of themselves, by key."""
    return _known(await connection.fetch(f"{_KNOWN} where key = any($1::text[])", list(keys)))


async def known_after(connection: asyncpg.Connection, key: str, limit: int) -> dict[str, Known]:
    """The same of the next so many keys behind one; empty behind the last."""
    return _known(await connection.fetch(f"{_KNOWN} where key > $1 order by key limit $2", key, limit))


def _known(rows: Iterable[asyncpg.Record]) -> dict[str, Known]:
    return {row["key"]: Known(document=json.loads(row["document"]), decided=row["decided"]) for row in rows}


async def land(connection: asyncpg.Connection, parts: Iterable[Sequence[Any]], decided: Collection[tuple[str, str]]) -> None:
    """Write the allocations of the charges that are taken up: `parts` (`PART`; weights are whole numbers), and digests by key."""
    await connection.execute(_PARTS)
    await connection.copy_records_to_table("allocation_part", records=parts, columns=PART)
    await connection.execute("analyze allocation_part")
    parted = await connection.fetchval("select count(*) from pending_charge p join allocation_part a on a.subject = p.subject")
    # Charges are there: what is allocated is read from them.
    async with loading.together(connection, records.Allocation, parted, (records.Charge,)):
        await connection.execute(_WHOLE)
        await connection.execute(_SPLIT)
    await connection.execute(
        "update charge_subject s set decided = n.decided from unnest($1::text[], $2::text[]) n(key, decided) where n.key = s.key",
        [key for key, _ in decided],
        [digest for _, digest in decided],
    )
    await connection.execute("drop table allocation_part")


async def finish(connection: asyncpg.Connection) -> None:
    """Forget the charges that were taken up: all of them have landed."""
    await connection.execute("drop table pending_charge")


async def places(connection: asyncpg.Connection) -> Places:
    """Everything that costs can land on; removed instances too, since what they cost stays theirs."""
    instances = await connection.fetch(
        """select i.id, i.name, coalesce(c.name, split_part(c.path, '/', -1)) as component, s.name as stack, i.stack_id, i.tenant_id,
            s.environment_id, i.team_id, v.service_id, s.account, s.region, i.removed_at is null as live,
            case when i.currency = o.currency then i.monthly
                when i.monthly is not null then i.monthly * catalog_rate(i.currency, o.currency, (now() at time zone 'UTC')::date)
                end as monthly
        from component_instance i join stack s on s.id = i.stack_id join organization o on o.id = s.organization_id
        left join component c on c.id = i.component_id
        left join (
            select distinct on (w.instance_id) w.instance_id, e.id as service_id from service_instance_component w
            join service_instance u on u.id = w.service_instance_id join service e on e.id = u.service_id
            order by w.instance_id, e.slug, e.id
        ) v on v.instance_id = i.id
        where not i.abstract order by s.name, i.name, i.id"""
    )
    environments = await connection.fetch("select id, name, tenant_id, account, region, team_id from environment order by name, id")
    teams = await connection.fetch(
        """select t.id, t.slug, t.cost_center, array_remove(t.aliases || t.email || t.title, null) as names, h.tenant_id
        from team t left join (
            select distinct on (team_id) team_id, tenant_id from (
                select team_id, tenant_id, count(*) as instances from component_instance
                where team_id is not null and removed_at is null and not abstract group by 1, 2
            ) n order by team_id, instances desc, tenant_id
        ) h on h.team_id = t.id order by t.slug, t.id"""
    )
    tenants = await connection.fetch("select id, name from tenant where not hidden order by name, id")
    return Places(instances=instances, environments=environments, teams=teams, tenants=tenants)


async def rules(connection: asyncpg.Connection) -> dict[str, Any]:
    """How the seeds say that charges are allocated, as a document; empty while they say nothing."""
    found = await connection.fetchval("select document::text from allocation_rules where name = 'rules'")
    return {} if found is None else dict(json.loads(found))


async def write_rules(connection: asyncpg.Connection, document: dict[str, Any]) -> bool:
    """Keep the rules, and tell whether they are other ones than before."""
    if document == await rules(connection):
        return False
    await connection.execute(
        """insert into allocation_rules (name, document) values ('rules', $1::text::jsonb)
        on conflict (name) do update set document = excluded.document""",
        json.dumps(document),
    )
    return True


async def is_settled(connection: asyncpg.Connection, digest: str) -> bool:
    """Whether everything landed by just these rules and places, by their digest."""
    found = await connection.fetchval("select document->>'digest' from allocation_rules where name = 'settled'")
    return bool(found == digest)


async def mark_settled(connection: asyncpg.Connection, digest: str) -> None:
    """Note by what rules and places everything has landed."""
    await connection.execute(
        """insert into allocation_rules (name, document) values ('settled', jsonb_build_object('digest', $1::text))
        on conflict (name) do update set document = excluded.document""",
        digest,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A charge, and where its parts landed, as columns by name."""

    charge: dict[str, Any]
    document: dict[str, Any]
    parts: list[dict[str, Any]]


async def explain(connection: asyncpg.Connection, charge_id: str) -> Explained | None:
    """A charge with where it landed; None when there is no such charge."""
    charge = await connection.fetchrow(
        f"""select c.id, c.period_start, c.period_end, c.category, c.provider, c.service_name, c.resource_id, c.effective, c.currency,
            ({_DOCUMENT})::text as document from charge c where c.id = $1""",
        charge_id,
    )
    if charge is None:
        return None
    parts = await connection.fetch(
        """select a.ordinal, a.share, a.amount, a.currency, a.rule, a.reason, e.name as tenant, t.slug as team,
            n.name as environment, s.name as stack, i.name as instance, v.slug as service
        from allocation a left join tenant e on e.id = a.tenant_id left join team t on t.id = a.team_id
        left join environment n on n.id = a.environment_id left join stack s on s.id = a.stack_id
        left join component_instance i on i.id = a.instance_id left join service v on v.id = a.service_id
        where a.charge_id = $1 order by a.ordinal""",
        charge_id,
    )
    document = json.loads(charge["document"])
    return Explained(
        charge={key: value for key, value in charge.items() if key != "document"}, document=document, parts=[dict(p) for p in parts]
    )
