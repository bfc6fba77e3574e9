"""Writes the first index of an estate while it is read: what stacks hold goes to the server as soon as it is made.

There is nothing to compare with, so that every instance is written as it comes, in whatever order: foreign keys are proven when
everything is there, and in a catalog that holds no instance at all the secondary indexes of a large estate are built only then.
Reading keeps one processor busy and writing another.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable

import asyncpg
from sqlmodel import SQLModel

from catalog import records
from catalog.indexer.difference import Moment
from catalog.indexer.documents import text_of
from catalog.indexer.snapshot import Snapshot
from catalog.indexer.stack_rows import StackPart
from catalog.records import ChangeKind
from catalog.store import late_indexes, loading, snapshots
from catalog.store.rows import ComponentInstanceRow, ConfigurationRow
from catalog.store.snapshots import BeginVersions, Insert, InsertMissing, Tell, Told
from catalog.values import global_id

# Instances that are written by one COPY; an estate of fewer isn't worth putting indexes off.
_BATCH = 4000
_INDEXED: tuple[type[SQLModel], ...] = (records.Configuration, *snapshots.LOADED)
_CHANGED_AT = ComponentInstanceRow._fields.index("changed_at")
# Seconds after which the reading thread lets the writing one go on: a socket takes little at once, and the server must not wait.
_TURN = 0.0005


class FirstLoad:
    """The first index of an estate, inside a transaction whose foreign keys are `loading.leave_out`: parts in, rows out."""

    def __init__(self, connection: asyncpg.Connection, moment: Moment) -> None:
        self._connection, self._moment = connection, moment
        self._loop = asyncio.get_running_loop()
        self._made: asyncio.Queue[StackPart | None] = asyncio.Queue()
        self._documents: set[str] = set()
        self._late: list[str] | None = None

    def offer(self, part: StackPart) -> None:
        """Take a part over from the reading thread."""
        self._loop.call_soon_threadsafe(self._made.put_nowait, part)

    async def during(self, read: Callable[[], Snapshot]) -> Snapshot:
        """Read in a thread and write what it offers; what goes wrong in either is raised."""
        writing = asyncio.create_task(self._write_all())
        interval = sys.getswitchinterval()
        sys.setswitchinterval(_TURN)
        try:
            taken = await asyncio.to_thread(read)
        except BaseException:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            raise
        finally:
            sys.setswitchinterval(interval)
        self._made.put_nowait(None)
        await writing
        await loading.resume(self._connection)
        await late_indexes.build(self._connection, self._late or ())
        return taken

    async def prove(self) -> None:
        """See that everything refers to something, now that everything is there."""
        await snapshots.prove(self._connection)

    async def _write_all(self) -> None:
        batch: list[StackPart] = []
        while (part := await self._made.get()) is not None:
            batch.append(part)
            if sum(len(item.instances) for item in batch) >= _BATCH:
                await self._put_indexes_off()
                await self._write(batch)
                batch = []
        await self._write(batch)

    async def _put_indexes_off(self) -> None:
        if self._late is None:
            is_allowed = await late_indexes.are_allowed(self._connection, records.ComponentInstance)
            self._late = await late_indexes.put_off(self._connection, _INDEXED) if is_allowed else []

    async def _write(self, parts: list[StackPart]) -> None:
        moment, at = self._moment, self._moment.happened_at
        rows = [row for part in parts for row in part.instances.values()]
        instances = [(*row[:_CHANGED_AT], at, *row[_CHANGED_AT + 1 :]) for row in rows]
        keys = [row.id for row in rows]
        for step in (
            InsertMissing(records.Configuration, self._new(parts)),
            Insert(records.CostEstimate, [row for part in parts for row in part.estimates.values()]),
            Insert(records.ComponentInstance, instances),
            Insert(records.Dependency, [row for part in parts for row in part.dependencies]),
            BeginVersions(keys, moment.ref, moment.number),
            Tell(
                [Told(global_id("Change", moment.run_id, key), ChangeKind.ADDED.value, key) for key in keys],
                run_id=moment.run_id,
                author=moment.author,
                revision=moment.revision,
                at=at,
                stacks={part.stack.id: part.stack.name for part in parts},
            ),
        ):
            if not snapshots.is_empty(step):
                await snapshots.perform(self._connection, step)

    def _new(self, parts: Iterable[StackPart]) -> list[ConfigurationRow]:
        found = {key: document for part in parts for key, document in part.documents.items() if key not in self._documents}
        self._documents |= found.keys()
        return [ConfigurationRow(hash=key, document=text_of(found[key])) for key in sorted(found)]
