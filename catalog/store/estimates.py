"""Writes imported estimates of instances: rows of their own beside what the indexer reads in the estate, with a history.

Of each source the latest counts, and what was before it is kept as superseded. An instance shows the imported estimate before what its
metadata says, in the order of `CostSource`; one that knows nothing is kept but never hides what the estate says.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from catalog import records
from catalog.store import services, snapshots, tables
from catalog.store.services import Unsettled

_IMPORTED = "source in ('INFRACOST', 'PRICE_BOOK')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An instance that may be estimated: what names it, and where its component's code lies."""

    id: str
    stack: str
    name: str
    path: str | None
    workspace: str | None


async def instances(connection: asyncpg.Connection) -> list[Instance]:
    """Return every Terraform instance that is there."""
    rows = await connection.fetch(
        """select i.id, s.name as stack, i.name, c.path, i.workspace
        from component_instance i join stack s on s.id = i.stack_id left join component c on c.id = i.component_id
        where i.type = 'TERRAFORM' and not i.abstract and i.removed_at is null order by s.name, i.name, i.id"""
    )
    return [Instance(**row) for row in rows]


async def write(connection: asyncpg.Connection, estimates: Sequence[Any], items: Sequence[Any], *, dated: bool) -> int:
    """Write estimates with their items, show them where they count, and return how many took the place of an earlier one.

    One that is there already, by its id, stays as it is; where the file doesn't say when it was made (`dated` of False), it counts anew.
    """
    await snapshots.lock(connection)
    there = await tables.present(connection, records.CostEstimate, [row.id for row in estimates])
    fresh = [row for row in estimates if row.id not in there]
    subjects = sorted({row.subject_id for row in estimates})
    before = await connection.fetchval(
        f"select count(distinct subject_id) from cost_estimate where subject_id = any($1::text[]) and {_IMPORTED}", subjects
    )
    await tables.insert(connection, records.CostEstimate, fresh)
    fresh_ids = {row.id for row in fresh}
    await tables.insert(connection, records.CostItem, [row for row in items if row.estimate_id in fresh_ids])
    if there and not dated:
        await connection.execute(
            "update cost_estimate set estimated_at = now() where id = any($1::text[]) and superseded_at is not null", sorted(there)
        )
    await connection.execute(
        f"""update cost_estimate e set superseded_at = n.following from (
            select id, lead(estimated_at) over (partition by subject_id, source order by estimated_at, id) as following
            from cost_estimate where subject_id = any($1::text[]) and {_IMPORTED}
        ) n where n.id = e.id and e.superseded_at is distinct from n.following""",
        subjects,
    )
    names = await prefer(connection, subjects)
    await services.settle(connection, Unsettled(names=frozenset(names)))
    return int(before)


async def prefer(connection: asyncpg.Connection, instance_ids: Collection[str]) -> list[str]:
    """Let instances show their imported estimates where they have one, and return the names of those that didn't.

    Whoever writes rows of instances calls this afterwards, in the same transaction.
    """
    if not await connection.fetchval(f"select exists (select from cost_estimate where {_IMPORTED})"):
        return []
    rows = await connection.fetch(
        f"""update component_instance i
        set cost_estimate_id = e.id, cost_status = e.status, monthly = e.monthly, currency = e.currency
        from (
            select distinct on (subject_id) * from cost_estimate
            where subject_id = any($1::text[]) and {_IMPORTED} and superseded_at is null and status <> 'UNKNOWN'
            order by subject_id, source
        ) e where e.subject_id = i.id and i.cost_estimate_id is distinct from e.id returning i.name""",
        sorted(instance_ids),
    )
    return sorted({row[0] for row in rows})
