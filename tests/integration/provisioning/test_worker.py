"""A whole worker: jobs in, requests advanced, the estate indexed again, a good end."""

import asyncio
import json

import pytest

from catalog import worker
from catalog.notifications import MemoryChannel
from catalog.records import RequestState, StepState
from catalog.store import lookups, run_queue
from catalog.store import requests as rows

pytestmark = pytest.mark.terraform


class Running:
    """A worker in this process; `end` is its SIGTERM."""

    def __init__(self, world):
        self.shutdown = asyncio.Event()
        self.task = asyncio.create_task(worker.run(world.database, world.config, self.shutdown, channel=MemoryChannel()))

    async def end(self):
        self.shutdown.set()
        await self.task


async def until(world, made, *states):
    """The request, once it is in one of the states, however long that takes."""
    while True:
        found, steps = await world.look(made)
        if found.state in states:
            return found, steps
        await asyncio.sleep(0.05)


async def index(world):
    """Put the estate as it stands into the catalog, as the first index of an estate does."""
    async with world.database.session() as session:
        await run_queue.ask(session, await lookups.estate_id(session, world.estate))
        await session.commit()


async def tags(world):
    async with world.database.connection() as connection:
        return json.loads(
            await connection.fetchval(
                "select document -> 'vars' -> 'tags' from component_instance i join config c on c.hash = i.config_hash where i.name = 'vpc'"
            )
        )


async def test_a_worker_brings_a_request_to_its_end(world):
    """From the queue alone: planned, and after the approval applied and indexed again, so that the catalog shows the new value."""
    running = Running(world)
    await index(world)
    made = await world.request()
    await until(world, made, RequestState.AWAITING_APPROVAL)
    await world.approve(made)
    found, _ = await until(world, made, RequestState.SUCCEEDED, RequestState.FAILED)
    await running.end()
    assert found.state == RequestState.SUCCEEDED
    assert await tags(world) == {"Team": "payments", "CostCenter": "CC-1"}
    async with world.database.connection() as connection:
        assert await connection.fetchval("select revision from index_run order by started_at desc limit 1") == found.commit


async def test_a_worker_that_is_told_to_end_finishes_what_it_has(world, tmp_path):
    """Told to end while it applies, a worker applies to the end and returns; what came later waits for the next one."""
    running = Running(world)
    made = await world.request({"seconds": 1, "marks": str(tmp_path)})
    await until(world, made, RequestState.AWAITING_APPROVAL)
    await world.approve(made)
    await until(world, made, RequestState.PROVISIONING)
    running.shutdown.set()
    later = await world.request(key="later", component="eks")
    await running.end()
    found, steps = await world.look(made)
    assert (found.state, steps[2].attempt) == (RequestState.SUCCEEDED, 1)
    found, steps = await world.look(later)
    assert (found.state, steps[0].state) == (RequestState.PENDING, StepState.PENDING)


async def test_a_forgotten_request_is_found(world):
    """A request whose job was lost is advanced by the look that every worker takes."""
    made = await world.request()
    async with world.database.connection() as connection:
        await connection.execute("delete from pgqueuer")
    running = Running(world)
    await until(world, made, RequestState.AWAITING_APPROVAL)
    await running.end()
    async with world.database.session() as session:
        assert await rows.due(session) == []
