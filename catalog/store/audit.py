"""What people did, one event after the other, each sealed with the hash of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog import values
from catalog.records import Scope

_RECORD = text(
    "insert into audit_event (actor_id, actor, action, subject_id, detail)"
    " values (:actor_id, :actor, :action, :subject_id, cast(:detail as jsonb))"
)
# The first event whose hash isn't that of its own content and of the event before it, or that has lost its predecessor.
_BROKEN = text(
    "select min(q.sequence) from (select e.sequence, e.previous_hash, e.hash, catalog_audit_hash(e) as told,"
    " lag(e.sequence, 1, 0::bigint) over w as before, lag(e.hash, 1, '') over w as hash_before"
    " from audit_event e window w as (order by e.sequence)) q"
    " where q.hash <> q.told or q.previous_hash <> q.hash_before or q.sequence <> q.before + 1"
)


async def record(
    session: AsyncSession, scope: Scope, action: str, subject_id: str | None = None, detail: Mapping[str, Any] | None = None
) -> None:
    """Write that a viewer did something, in the transaction that does it; the last thing before its commit, since others wait.

    `action` is the mutation's name, `subject_id` the global id of what it was done to; `detail` never holds a secret.
    """
    actor = {"actor_id": scope.principal_id, "actor": scope.name or scope.email or "system"}
    await session.flush()
    told = values.canonical_json(dict(detail or {}))
    await session.execute(_RECORD, {**actor, "action": action, "subject_id": subject_id, "detail": told})


async def broken(session: AsyncSession) -> int | None:
    """Return the sequence of the first event that the chain doesn't prove, None when it proves them all."""
    found: int | None = await session.scalar(_BROKEN)
    return found
