"""The audit log: one chain, which nothing changes and which tells when something did."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from catalog.records import SYSTEM
from catalog.store import audit


async def _record(database, count: int) -> None:
    async with database.session() as session:
        for number in range(count):
            await audit.record(session, SYSTEM, "test", None, {"number": number})
        await session.commit()


async def test_events_are_chained_without_gaps_whoever_writes_at_once(database) -> None:
    """Many writers at once make one sequence, and the chain proves every event of it."""
    await asyncio.gather(*(_record(database, 5) for _ in range(8)))
    async with database.session() as session:
        found = (await session.execute(text("select sequence, id, hash from audit_event order by sequence"))).all()
        assert [row.sequence for row in found][-40:] == list(range(found[-1].sequence - 39, found[-1].sequence + 1))
        assert all(row.id == f"aud_{row.hash[:32]}" for row in found)
        assert await audit.broken(session) is None


@pytest.mark.parametrize(
    "statement", ["update audit_event set actor = 'nobody'", "delete from audit_event", "truncate audit_event"]
)
async def test_events_are_kept_as_they_are(database, statement) -> None:
    """No statement changes or removes an event."""
    await _record(database, 1)
    async with database.session() as session:
        with pytest.raises(DBAPIError, match="kept as they are"):
            await session.execute(text(statement))


@pytest.mark.parametrize(
    "tampering",
    [
        "update audit_event set actor = 'somebody else' where sequence = (select max(sequence) - 1 from audit_event)",
        "delete from audit_event where sequence = (select max(sequence) - 1 from audit_event)",
    ],
)
async def test_the_chain_tells_what_was_tampered_with(database, tampering) -> None:
    """Whoever gets round the triggers, by changing or by removing an event, is found out."""
    await _record(database, 3)
    async with database.session() as session:
        await session.execute(text("alter table audit_event disable trigger user"))
        last = await session.scalar(text("select max(sequence) from audit_event"))
        await session.execute(text(tampering))
        assert await audit.broken(session) in {last - 1, last}
        await session.rollback()
