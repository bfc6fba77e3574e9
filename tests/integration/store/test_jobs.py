"""The queue delivers what was committed, at once, at least once, and ends in good order."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from catalog.records import Organization
from catalog.store import jobs, notify

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 20  # seconds after which a test that waits has failed
WORKER = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from catalog.config import Config
from catalog.store import jobs
from catalog.store.database import Database

async def hang(payload):
    print("begun", payload["number"], flush=True)
    await asyncio.Event().wait()

async def main():
    database = await Database.open(Config(home=Path("."), database_url=sys.argv[1]))
    pace = jobs.Pace(heartbeat=timedelta(seconds=1), limits={"slow": 1})
    await jobs.consume(database, {"slow": hang}, asyncio.Event(), pace=pace)

asyncio.run(main())
"""


class Desk:
    """A handler that notes what it gets, and can be told to hold on to it or to fail."""

    def __init__(self):
        self.got: asyncio.Queue = asyncio.Queue()
        self.release = asyncio.Event()
        self.release.set()
        self.failures = 0

    async def __call__(self, payload):
        await self.got.put(payload)
        if self.failures:
            self.failures -= 1
            raise RuntimeError("this time not")
        await self.release.wait()

    async def next(self):
        return await asyncio.wait_for(self.got.get(), PATIENCE)


@asynccontextmanager
async def working(database, handlers, **pace):
    """A worker in the background, ended in good order."""
    shutdown = asyncio.Event()
    task = asyncio.create_task(jobs.consume(database, handlers, shutdown, pace=jobs.Pace(**pace)))
    try:
        yield shutdown
    finally:
        shutdown.set()
        await asyncio.wait_for(task, PATIENCE)


@pytest.fixture
def desk():
    """Where jobs arrive."""
    return Desk()


async def put(database, kind, payload, **options):
    """Put a job in a transaction of its own."""
    async with database.transaction() as connection:
        await jobs.enqueue(connection, kind, payload, **options)


async def waiting(database):
    """How many jobs there are, waiting or begun."""
    async with database.connection() as connection:
        return await connection.fetchval("select count(*) from pgqueuer")


async def test_a_job_arrives_with_its_payload(fresh_database, desk):
    """A worker that waits is woken and gets the job; then the queue is empty."""
    async with working(fresh_database, {"advance_request": desk}):
        await put(fresh_database, "advance_request", {"request_id": "req_ä"})
        assert await desk.next() == {"request_id": "req_ä"}
    assert await waiting(fresh_database) == 0


async def test_jobs_wait_for_a_worker(fresh_database, desk):
    """What was put while nobody worked is done when somebody does."""
    for number in range(3):
        await put(fresh_database, "index_estate", {"number": number})
    async with working(fresh_database, {"index_estate": desk}):
        assert [(await desk.next())["number"] for _ in range(3)] == [0, 1, 2]


async def test_a_job_shares_the_fate_of_its_transaction(fresh_database):
    """A job put by a session that rolls back never was, and one put by a session that commits is there with the rows."""
    async with fresh_database.session() as session:
        session.add(Organization(id="org", name="fnx", currency="USD"))
        await session.flush()
        await jobs.enqueue(session, "index_estate", {})
    assert await waiting(fresh_database) == 0
    async with fresh_database.session() as session:
        await jobs.enqueue(session, "index_estate", {})
        session.add(Organization(id="org", name="fnx", currency="USD"))
        await session.commit()
    assert await waiting(fresh_database) == 1


async def test_a_waiting_job_is_enough(fresh_database):
    """A second job of the same key is not put while the first waits; other keys and other kinds are."""
    for _ in range(3):
        await put(fresh_database, "advance_request", {"request_id": "a"}, dedupe="a")
    await put(fresh_database, "advance_request", {"request_id": "b"}, dedupe="b")
    await put(fresh_database, "index_estate", {}, dedupe="a")
    assert await waiting(fresh_database) == 3


async def test_a_job_held_back_does_not_stand_in(fresh_database):
    """A job for later does not swallow one of the same key for now."""
    await put(fresh_database, "advance_request", {}, dedupe="a", after=timedelta(hours=1))
    await put(fresh_database, "advance_request", {}, dedupe="a")
    assert await waiting(fresh_database) == 2


async def test_a_job_that_has_begun_is_not_enough(fresh_database, desk):
    """What changes while a job of the same key is being worked on gets a job of its own: no wake-up is lost."""
    desk.release.clear()
    async with working(fresh_database, {"advance_request": desk}):
        await put(fresh_database, "advance_request", {"request_id": "a"}, dedupe="a")
        await desk.next()
        await put(fresh_database, "advance_request", {"request_id": "a"}, dedupe="a")
        assert await desk.next() == {"request_id": "a"}
        desk.release.set()


async def test_a_job_that_stands_in_waits_for_the_commit(fresh_database, desk):
    """A waiting job that stands in for another is not begun before the rows of both are committed."""
    await put(fresh_database, "advance_request", {"request_id": "a"}, dedupe="a")
    async with fresh_database.transaction() as connection:
        await jobs.enqueue(connection, "advance_request", {"request_id": "a"}, dedupe="a")
        await connection.execute("insert into organization (id, name, currency) values ('org', 'fnx', 'USD')")
        seen = []

        async def look(payload):
            async with fresh_database.connection() as other:
                seen.append(await other.fetchval("select count(*) from organization"))
            await desk(payload)

        async with working(fresh_database, {"advance_request": look, "other": desk}):
            await put(fresh_database, "other", {"other": True})
            assert await desk.next() == {"other": True}  # the worker is at work, and skips the locked job
            await connection.execute("commit")
            await connection.execute("begin")
            assert await desk.next() == {"request_id": "a"}
    assert seen == [1]


async def test_a_failed_job_is_tried_again(fresh_database, desk, caplog):
    """A handler's error is logged with its cause and the job delivered again."""
    desk.failures = 1
    async with working(fresh_database, {"advance_request": desk}):
        await put(fresh_database, "advance_request", {"request_id": "a"})
        await desk.next()
        assert await desk.next() == {"request_id": "a"}
    assert "this time not" in caplog.text
    assert await waiting(fresh_database) == 0


async def test_a_job_can_be_held_back(fresh_database, desk):
    """A job for later is not delivered before one for now, though it was put first."""
    async with working(fresh_database, {"advance_request": desk}):
        await put(fresh_database, "advance_request", {"request_id": "later"}, after=timedelta(seconds=1))
        await put(fresh_database, "advance_request", {"request_id": "now"})
        assert await desk.next() == {"request_id": "now"}
        assert await desk.next() == {"request_id": "later"}


async def test_shutdown_finishes_what_has_begun_and_begins_nothing(fresh_database, desk):
    """A worker that is told to stop ends its job first, and leaves the rest to others."""
    desk.release.clear()
    async with working(fresh_database, {"index_estate": desk}) as shutdown:
        await put(fresh_database, "index_estate", {"number": 1})
        await desk.next()
        shutdown.set()
        await put(fresh_database, "index_estate", {"number": 2})
        desk.release.set()
    assert desk.got.empty()
    assert await waiting(fresh_database) == 1


async def test_a_kind_is_limited_across_workers(fresh_database, desk):
    """However many work, no more jobs of a kind run at once than its limit says."""
    desk.release.clear()
    other = Desk()
    limit = {"index_estate": 1}
    async with (
        working(fresh_database, {"index_estate": desk, "advance_request": other}, limits=limit),
        working(fresh_database, {"index_estate": desk, "advance_request": other}, limits=limit),
    ):
        for number in (1, 2):
            await put(fresh_database, "index_estate", {"number": number})
        assert await desk.next() == {"number": 1}
        for number in range(6):  # both workers are awake and look for work
            await put(fresh_database, "advance_request", {"number": number})
            await other.next()
        assert desk.got.empty()
        desk.release.set()
        assert await desk.next() == {"number": 2}


async def test_a_job_survives_its_worker(fresh_database, desk):
    """The job of a worker that was killed in the middle is delivered again, limits notwithstanding."""
    await put(fresh_database, "slow", {"number": 7})
    url = fresh_database.config.database_url
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, url, cwd=ROOT, stdout=subprocess.PIPE)
    assert await asyncio.wait_for(worker.stdout.readline(), PATIENCE) == b"begun 7\n"
    os.kill(worker.pid, signal.SIGKILL)
    await worker.communicate()
    async with working(fresh_database, {"slow": desk}, heartbeat=timedelta(seconds=1), limits={"slow": 1}):
        assert await desk.next() == {"number": 7}


async def test_a_long_job_is_not_given_to_another(fresh_database, desk):
    """A job that lasts longer than the heartbeat limit stays with its worker while that is alive."""
    desk.release.clear()
    beat = timedelta(milliseconds=400)
    async with (
        working(fresh_database, {"slow": desk}, heartbeat=beat),
        working(fresh_database, {"slow": desk}, heartbeat=beat),
    ):
        await put(fresh_database, "slow", {"number": 1})
        await desk.next()
        beaten = "select heartbeat - created > interval '1.5 s' from pgqueuer, pg_sleep(0.05)"  # almost four times the limit
        async with fresh_database.connection() as connection:
            while not await connection.fetchval(beaten):
                pass
        await put(fresh_database, "slow", {"number": 2})
        assert await desk.next() == {"number": 2}
        assert desk.got.empty()
        desk.release.set()


async def test_a_lost_connection_does_not_end_the_worker(fresh_database, desk):
    """When the server ends the queue's connection the worker connects again and goes on."""
    async with working(fresh_database, {"advance_request": desk}):
        await put(fresh_database, "advance_request", {"number": 1})
        await desk.next()
        async with fresh_database.connection() as connection:
            await connection.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        await put(fresh_database, "advance_request", {"number": 2})
        assert await desk.next() == {"number": 2}


class TestNotify:
    """Messages between processes."""

    async def test_messages_arrive_when_they_are_committed(self, fresh_database):
        """A listener gets what is sent on its channel, in order, once the sender commits."""
        async with aclosing(notify.listen(fresh_database, "steps")) as messages:
            assert await anext(messages) is None  # it listens now
            async with fresh_database.session() as session:
                await notify.send(session, "steps", "lost")  # rolled back
            async with fresh_database.transaction() as connection:
                await notify.send(connection, "other", "elsewhere")
                await notify.send(connection, "steps", "one")
                await notify.send(connection, "steps", "two")
            assert [await anext(messages), await anext(messages)] == ["one", "two"]

    async def test_silence_asks_to_look(self, fresh_database):
        """When nothing comes for a while the listener is told to look for itself."""
        async with aclosing(notify.listen(fresh_database, "steps", every=0.01)) as messages:
            assert [await anext(messages), await anext(messages)] == [None, None]

    async def test_a_lost_connection_asks_to_look(self, fresh_database):
        """After its connection was lost the listener listens again and is told to look for itself."""
        async with aclosing(notify.listen(fresh_database, "steps")) as messages:
            await anext(messages)
            async with fresh_database.connection() as connection:
                await connection.execute(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where query like 'LISTEN%' and datname = current_database()"
                )
            assert [await anext(messages), await anext(messages)] == [None, None]  # lost, and listening again
            async with fresh_database.connection() as connection:
                await notify.send(connection, "steps", "again")
            assert await anext(messages) == "again"
