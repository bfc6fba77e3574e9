"""Writes the first index of an estate while it is read: what stacks hold goes to the server as soon as it is made.

There is nothing to compare with, so that every instance is written as it comes, in whatever order: foreign keys are proven when
everything is there. Reading keeps one processor busy and writing another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import asyncpg

from catalog import records
from catalog.indexer.difference import Moment
from catalog.indexer.snapshot import Snapshot
from catalog.indexer.stack_rows import StackPart
from catalog.records import ChangeKind
from catalog.store import loading, snapshots
from catalog.store.rows import ConfigurationRow
from catalog.store.snapshots import BeginVersions, InsertMissing, Tell, Told, Upsert
from catalog.values import global_id

# Instances that are written by one COPY.
_BATCH = 4000
_LOADED = (records.CostEstimate, records.ComponentInstance, records.Dependency, records.InstanceVersion, records.Change)


class FirstLoad:
    """The first index of an estate, inside a transaction whose foreign keys are `loading.leave_out`: parts in, rows out."""

    def __init__(self, connection: asyncpg.Connection, moment: Moment) -> None:
        self._connection, self._moment = connection, moment
        self._loop = asyncio.get_running_loop()
        self._made: asyncio.Queue[StackPart | None] = asyncio.Queue()
        self._documents: set[str] = set()

    def offer(self, part: StackPart) -> None:
        """Take a part over from the reading thread."""
        self._loop.call_soon_threadsafe(self._made.put_nowait, part)

    async def during(self, read: Callable[[], Snapshot]) -> Snapshot:
        """Read in a thread and write what it offers; what goes wrong in either is raised."""
        writing = asyncio.create_task(self._write_all())
        try:
            taken = await asyncio.to_thread(read)
        except BaseException:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            raise
        self._made.put_nowait(None)
        await writing
        await loading.resume(self._connection)
        return taken

    async def prove(self) -> None:
        """See that everything refers to something, now that everything is there."""
        await loading.prove(self._connection, _LOADED)

    async def _write_all(self) -> None:
        batch: list[StackPart] = []
        while (part := await self._made.get()) is not None:
            batch.append(part)
            if sum(len(item.instances) for item in batch) >= _BATCH:
                await self._write(batch)
                batch = []
        await self._write(batch)

    async def _write(self, parts: list[StackPart]) -> None:
        moment, at = self._moment, self._moment.happened_at
        instances = [row._replace(changed_at=at) for part in parts for row in part.instances.values()]
        keys = [row.id for row in instances]
        for step in (
            InsertMissing(records.Configuration, self._new(parts)),
            Upsert(records.CostEstimate, [row for part in parts for row in part.estimates.values()]),
            Upsert(records.ComponentInstance, instances),
            Upsert(records.Dependency, [row for part in parts for row in part.dependencies]),
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
        found = {key: text for part in parts for key, text in part.documents.items() if key not in self._documents}
        self._documents |= found.keys()
        return [ConfigurationRow(hash=key, document=found[key]) for key in sorted(found)]
