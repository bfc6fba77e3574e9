"""Allocates charges: reads what they say and what costs can land on, has `allocation` decide, and has `store.allocations` write it.

    await allocate(connection, batches)    in the transaction that imports them
    await settle(connection)               in the transaction that changed the estate, the organisation or the rules

Both wait for whoever writes a snapshot: so no charge is allocated by what is just being changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any

import asyncpg

from catalog.cost import allocation
from catalog.cost.allocation import Decision, Directory, Environment, Instance, Part, Rules, Subject, Team, Tenant
from catalog.store import allocations, snapshots

_LOT = 5000  # of what charges say of themselves


async def allocate(connection: asyncpg.Connection, batches: Collection[str]) -> None:
    """Allocate the charges of some batches that are not yet."""
    await snapshots.lock(connection)
    keys = await allocations.stage_new(connection, batches)
    rules, directory = await surroundings(connection)
    # In lots: where every charge says something else of itself, memory holds a few thousand of them all the same.
    for start in range(0, len(keys), _LOT):
        known = await allocations.known(connection, keys[start : start + _LOT])
        decided = {key: allocation.decide(subject_of(one.document), rules, directory) for key, one in known.items()}
        await allocations.land(connection, _rows(decided), _digests(decided))
    await allocations.finish(connection)


async def settle(connection: asyncpg.Connection) -> int:
    """Allocate again what lands elsewhere now, and return how many kinds of charges that are.

    Without charges it costs one look; where neither rules nor what costs can land on have changed, reading these.
    """
    if not await allocations.any_known(connection):
        return 0
    rules, directory = await surroundings(connection)
    seen = _digest((allocation.REVISION, rules, directory))
    if await allocations.is_settled(connection, seen):
        return 0
    count, last = 0, ""
    while known := await allocations.known_after(connection, last, _LOT):
        last = max(known)
        decided = {key: allocation.decide(subject_of(one.document), rules, directory) for key, one in known.items()}
        moved = {key: decided[key] for key, now in _digests(decided) if now != known[key].decided}
        if moved:
            await allocations.stage_again(connection, moved)
            await allocations.land(connection, _rows(moved), _digests(moved))
            await allocations.finish(connection)
        count += len(moved)
    await allocations.mark_settled(connection, seen)
    return count


async def surroundings(connection: asyncpg.Connection) -> tuple[Rules, Directory]:
    """The rules that hold, and what costs can land on."""
    places = await allocations.places(connection)
    directory = Directory(
        instances=[Instance(**row) for row in places.instances],
        environments=[Environment(**row) for row in places.environments],
        teams=[Team(**(dict(row) | {"names": tuple(row["names"])})) for row in places.teams],
        tenants=[Tenant(**row) for row in places.tenants],
    )
    return allocation.rules_of(await allocations.rules(connection)), directory


def subject_of(document: Mapping[str, Any]) -> Subject:
    """What a charge says of itself, from the document that is kept of it."""
    return Subject(**document)


def _digests(decided: Mapping[str, Decision]) -> list[tuple[str, str]]:
    return [(key, _digest(decision.parts)) for key, decision in decided.items()]


def _digest(value: Any) -> str:
    """What frozen values say, hashed: by their representation, which is thrice as fast as canonical JSON."""
    return hashlib.blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _rows(decided: Mapping[str, Decision]) -> Iterator[tuple[Any, ...]]:
    for key, decision in decided.items():
        weights = allocation.whole_weights([part.weight for part in decision.parts])
        for ordinal, (part, weight) in enumerate(zip(decision.parts, weights, strict=True)):
            yield (key, ordinal, Decimal(weight), *_columns(part))


def _columns(part: Part) -> tuple[Any, ...]:
    return tuple(getattr(part, name) for name in allocations.PART[3:])
