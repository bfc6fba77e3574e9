"""Runs of the indexer as processes: killed at any moment, started at once, led by files, branches and the queue.

The database is the embedded one, which the test uses beside the commands; locks that the test holds stop a command at a known place.
"""

import asyncio
import contextlib
import itertools
import json
import shutil
import signal
import subprocess

import outside
import pytest

from catalog.config import Config
from catalog.indexer import estates
from catalog.store import index_runs, migrations, run_queue, snapshots
from catalog.store.database import Database

pytestmark = pytest.mark.acceptance

PATIENCE = 60  # seconds until what another process makes true is given up

ATMOS = """\
base_path: "."
components: {terraform: {base_path: components/terraform}}
stacks: {base_path: stacks, included_paths: ["*"], name_pattern: "{stage}"}
"""


def manifest(stage, size):
    return f"vars: {{stage: {stage}}}\ncomponents:\n  terraform:\n    vpc: {{vars: {{size: {size}}}}}\n    eks: {{vars: {{size: {size}}}}}\n"


class Place:
    """An estate in a directory, and a catalog beside it."""

    def __init__(self, directory, home, database):
        self.directory, self.home, self.database = directory, home, database
        self.environment = outside.environment(home, PYTHONUNBUFFERED="1", CATALOG_SEEDS=str(directory.parent / "nowhere"))

    def write(self, **sizes):
        """One stack for each stage, every instance of the size given."""
        (self.directory / "stacks").mkdir(parents=True, exist_ok=True)
        (self.directory / "atmos.yaml").write_text(ATMOS)
        for file in (self.directory / "stacks").iterdir():
            file.unlink()
        for stage, size in sizes.items():
            (self.directory / "stacks" / f"{stage}.yaml").write_text(manifest(stage, size))

    def start(self, *arguments):
        """Start `catalog …`."""
        return subprocess.Popen(
            [*outside.COMMAND, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def index(self, *more):
        """Index the directory to the end, and return its row."""
        done = outside.command("index", str(self.directory), "--format", "json", *more, env=self.environment)
        assert done.code == 0, done.err
        return done.json[0]

    async def ask(self, statement, *arguments):
        async with self.database.connection() as connection:
            return [tuple(row) for row in await connection.fetch(statement, *arguments)]

    async def served(self):
        """What the catalog says now: the size of each stack's instances, and how many there are."""
        rows = await self.ask(
            """select s.name, c.document -> 'vars' ->> 'size', count(*) from component_instance i join stack s on s.id = i.stack_id
            join config c on c.hash = i.config_hash where i.removed_at is null and s.removed_at is null group by 1, 2"""
        )
        return {(stack, size): count for stack, size, count in rows}

    async def until(self, statement, *arguments):
        """Wait until a statement gives a row, however long that takes, and return it."""
        async with asyncio.timeout(PATIENCE):
            while not (rows := await self.ask(statement, *arguments)):  # noqa: ASYNC110 — another process makes it true
                await asyncio.sleep(0.02)
        return rows[0]


@pytest.fixture(scope="module")
async def database(tmp_path_factory):
    """One database for all tests here: it stays up whoever is killed."""
    opened = await Database.open(Config(home=tmp_path_factory.mktemp("freshness") / "home"))
    yield opened
    await opened.close()


@pytest.fixture
async def place(database, tmp_path):
    """An estate without stacks yet, and an empty catalog."""
    async with database.connection() as connection:
        await connection.execute("drop schema if exists report cascade; drop schema public cascade; create schema public")
    await migrations.upgrade(database)
    shutil.rmtree(database.config.repositories, ignore_errors=True)
    return Place(tmp_path / "shop", database.config.home, database)


# ── killed ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

WAITS_FOR_TABLE = """
select a.pid from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.relation = $1::text::regclass and not l.granted and a.application_name like 'catalog index%'
"""
WAITS_ADVISORY = """
select min(a.pid) from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and not l.granted and a.application_name like 'catalog index%' having count(*) = $1
"""
# Where a run is stopped: before its row is written, when it has read everything, and at tables that it writes, first to last.
STOPS = ("index_run", "the writing", "manifest", "config", "stack", "component_instance", "instance_version", "change")


@contextlib.asynccontextmanager
async def stopped_at(place, stop):
    """Hold a lock that a run needs at a known place of its way; readers need none of it."""
    async with place.database.transaction() as connection:
        if stop == "the writing":
            await snapshots.lock(connection)
        else:
            await connection.execute(f'lock table "{stop}" in exclusive mode')
        yield


async def until_stopped(place, stop):
    """Wait until a run waits for the lock that stops it."""
    if stop == "the writing":
        await place.until(WAITS_ADVISORY, 1)
    else:
        await place.until(WAITS_FOR_TABLE, f'"{stop}"')


async def test_a_killed_run_leaves_the_old_version_and_the_next_one_repairs(place):
    """Wherever a run is killed, the catalog serves what it served before; the next run brings what the killed one would have."""
    place.write(dev=0, old=0)
    place.index()
    before = {("dev", "0"): 2, ("old", "0"): 2}
    for number, stop in enumerate(STOPS, start=1):
        place.write(dev=number, **{f"new{number}": number})
        async with stopped_at(place, stop):
            process = place.start("index", str(place.directory), "--confirmed")
            await until_stopped(place, stop)
            assert await place.served() == before, stop
            process.send_signal(signal.SIGKILL)
            process.communicate()
            assert await place.served() == before, stop
        await place.until("select 1 where not exists (select 1 from pg_stat_activity where application_name like 'catalog index%')")
        assert await place.served() == before, stop
        row = place.index("--confirmed")
        before = {("dev", str(number)): 2, (f"new{number}", str(number)): 2}
        assert (row["state"], row["added"], row["changed"], row["removed"]) == ("SUCCEEDED", 2, 2, 2), stop
        assert await place.served() == before, stop
    states = await place.ask("select state, error, count(*) from index_run group by 1, 2 order by 1")
    assert states == [("FAILED", "the indexer was interrupted", len(STOPS) - 1), ("SUCCEEDED", None, len(STOPS) + 1)]


# ── at once ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_one_works_while_the_other_waits(place):
    """Of two commands on one estate, the second begins when the first has ended."""
    place.write(dev=0)
    place.index()
    place.write(dev=1)
    async with stopped_at(place, "change"):
        first = place.start("index", str(place.directory))
        await until_stopped(place, "change")
        second = place.start("index", str(place.directory))
        await place.until(WAITS_ADVISORY, 1)
        assert await place.ask("select count(*) from index_run where state = 'RUNNING'") == [(1,)]
    assert [process.communicate() and process.returncode for process in (first, second)] == [0, 0]
    runs = await place.ask("select changed, started_at, finished_at from index_run order by started_at")
    assert [changed for changed, _, _ in runs] == [0, 2, 0]
    assert all(after[1] >= before[2] for before, after in itertools.pairwise(runs))


async def test_two_at_once_are_one_after_the_other(place):
    """Commands that start at the same moment read and write one after the other, and one of them finds what is new."""
    place.write(dev=0)
    place.index()
    place.write(dev=1)
    ((estate_id,),) = await place.ask("select id from estate")
    async with index_runs.alone(place.database, estate_id):
        processes = [place.start("index", str(place.directory)) for _ in range(2)]
        await place.until(WAITS_ADVISORY, 2)
    assert [process.communicate() and process.returncode for process in processes] == [0, 0]
    runs = await place.ask("select changed, started_at, finished_at from index_run order by started_at")
    assert [changed for changed, _, _ in runs] == [0, 2, 0]
    assert all(after[1] >= before[2] for before, after in itertools.pairwise(runs))


# ── watched ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Watching:
    """`catalog index --watch`, its runs line by line."""

    def __init__(self, place, *targets):
        self.process = place.start("index", *targets, "--watch", "--format", "json")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def next(self, **expected):
        """The next run of which all this is true."""
        with outside.killing_after(outside.PATIENCE, self.process):
            for line in self.process.stdout:
                run = json.loads(line)
                if expected.items() <= run.items():
                    return run
        raise AssertionError(self.process.stderr.read())

    def end(self, number):
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said.strip().splitlines()[-1]


async def test_a_directory_is_followed(place):
    """Each change of a file leads to a run; a half-saved file is an error until the next one, and keeps what was good."""
    place.write(dev=0, prod=0)
    file = place.directory / "stacks" / "dev.yaml"
    with Watching(place, str(place.directory)) as watching:
        watching.next(state="SUCCEEDED", added=4)
        file.write_text(manifest("dev", 1))
        watching.next(state="SUCCEEDED", changed=2, errors=0)
        file.write_text(manifest("dev", 2) + "  broken: [\n")
        watching.next(state="SUCCEEDED", errors=1)
        assert await place.served() == {("dev", "1"): 2, ("prod", "0"): 2}
        file.write_text(manifest("dev", 2))
        watching.next(state="SUCCEEDED", changed=2, errors=0)
        (place.directory / "stacks" / "qa.yaml").write_text(manifest("qa", 3))
        watching.next(state="SUCCEEDED", added=2)
        assert watching.end(signal.SIGINT) == (0, "stopped")
    assert await place.served() == {("dev", "2"): 2, ("prod", "0"): 2, ("qa", "3"): 2}


async def test_a_directory_that_is_replaced_is_followed_on(place, tmp_path):
    """A directory that goes away is an error that is said; what takes its place is read and followed."""
    place.write(dev=0)
    with Watching(place, str(place.directory)) as watching:
        watching.next(state="SUCCEEDED", added=2)
        place.directory.rename(tmp_path / "elsewhere")
        place.write(dev=1)
        watching.next(state="SUCCEEDED", changed=2)
        place.write(dev=2)
        watching.next(state="SUCCEEDED", changed=2)
        assert watching.end(signal.SIGTERM) == (0, "stopped")


def git(directory, *arguments):
    who = (
        "-c",
        "user.name=Ada",
        "-c",
        "user.email=ada@acme.example",
        "-c",
        "init.defaultBranch=main",
        "-c",
        "commit.gpgsign=false",
    )
    done = subprocess.run(["git", *who, "-C", str(directory), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(place, **sizes):
    """Commit the estate with such sizes and return the revision."""
    place.write(**sizes)
    if not (place.directory / ".git").exists():
        git(place.directory, "init", "--quiet")
    git(place.directory, "add", "--all")
    git(place.directory, "commit", "--quiet", "-m", "a change")
    return git(place.directory, "rev-parse", "HEAD")


async def test_a_repository_is_followed_by_its_branch(place):
    """Each commit on the branch leads to a run at it; what is only written into the working tree leads to none."""
    first = commit(place, dev=0)
    with Watching(place, f"file://{place.directory}") as watching:
        watching.next(state="SUCCEEDED", revision=first, added=2)
        second = commit(place, dev=1)
        watching.next(state="SUCCEEDED", revision=second, changed=2)
        place.write(dev=2)
        git(place.directory, "switch", "--quiet", "-c", "other")
        git(place.directory, "commit", "--quiet", "-am", "elsewhere")
        git(place.directory, "switch", "--quiet", "main")
        third = commit(place, dev=3)
        watching.next(state="SUCCEEDED", revision=third, changed=2)
        assert watching.end(signal.SIGTERM) == (0, "stopped")
    assert {row[0] for row in await place.ask("select revision from index_run")} == {first, second, third}


# ── by a worker ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def working(place):
    """A worker process, told to end when the block ends."""
    process = place.start("worker")
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


async def test_a_worker_polls_a_remote(place):
    """A commit in the remote of an estate that is polled is indexed by itself, once."""
    seeds = place.directory.parent / "seeds"
    seeds.mkdir()
    first = commit(place, dev=0)
    address = f"file://{place.directory}"
    (seeds / "estates.yaml").write_text(f"estates: [{{name: shop, organization: acme, url: '{address}', poll: 1s}}]\n")
    await estates.register_seeds(place.database, place.database.config, seeds)
    indexed = "select 1 from index_run where revision = $1 and state = 'SUCCEEDED'"
    with working(place):
        await place.until(indexed, first)
        second = commit(place, dev=1)
        await place.until(indexed, second)
        ((asked,),) = await place.ask("select asked_at from estate_remote")
        await place.until("select 1 from estate_remote where asked_at > $1", asked)
    assert await place.ask("select revision from index_run order by started_at") == [(first,), (second,)]
    assert await place.ask("select revision, failures, error from estate_remote") == [(second, 0, None)]


async def test_a_queued_run_survives_its_worker(place):
    """A run whose worker is killed is done by the next one, under the same id."""
    place.write(dev=0)
    place.index()
    place.write(dev=1)
    ((estate_id,),) = await place.ask("select id from estate")
    async with place.database.transaction() as connection:
        run = await run_queue.ask(connection, estate_id)
    async with stopped_at(place, "change"):
        first = place.start("worker")
        await place.until("select 1 from pg_locks where relation = 'change'::regclass and not granted")
        first.kill()
        first.communicate()
    with working(place):
        await place.until("select 1 from index_run where id = $1 and state = 'SUCCEEDED'", run)
    assert await place.served() == {("dev", "1"): 2}
    assert await place.ask("select count(*) from index_run") == [(2,)]


async def test_a_confirmed_run_is_done_under_its_id(place):
    """A run that is held and confirmed removes what it was held for, and nothing else may go with it."""
    place.write(dev=0, one=0, two=0)
    place.index()
    place.write(dev=0, one=0)
    held = outside.command("index", str(place.directory), "--format", "json", env=place.environment)
    assert held.code == 1
    run = held.json[0]["run"]
    assert f"catalog confirm {run}" in held.err
    place.write(dev=0)
    async with place.database.session() as session:
        await run_queue.confirm(session, run, "ada@acme.example")
        await session.commit()
    state = "select held_reason from index_run where id = $1 and state = $2"
    with working(place):
        assert "4 of 6" in (await place.until(state, run, "HELD"))[0]
        assert len(await place.served()) == 3
        place.write(dev=0)
        async with place.database.session() as session:
            await run_queue.confirm(session, run, "ada@acme.example")
            await session.commit()
        await place.until(state, run, "SUCCEEDED")
    assert await place.served() == {("dev", "0"): 2}
    assert await place.ask("select decided_by, removed from index_run where id = $1", run) == [("ada@acme.example", 4)]


async def test_a_lost_job_is_made_up_for(place):
    """A queued run without a job is found by the look that every worker takes."""
    place.write(dev=0)
    place.index()
    ((estate_id,),) = await place.ask("select id from estate")
    async with place.database.transaction() as connection:
        run = await run_queue.ask(connection, estate_id)
        await connection.execute("delete from pgqueuer")
    with working(place):
        await place.until("select 1 from index_run where id = $1 and state = 'SUCCEEDED'", run)


async def test_a_run_that_can_not_begin_has_failed(place):
    """A queued run of a revision that nobody knows fails with the reason, and leaves its job done."""
    commit(place, dev=0)
    outside.command("index", f"file://{place.directory}", env=place.environment)
    ((estate_id,),) = await place.ask("select id from estate")
    async with place.database.transaction() as connection:
        run = await run_queue.ask(connection, estate_id, "f" * 40)
    with working(place):
        (error,) = await place.until("select error from index_run where id = $1 and state = 'FAILED'", run)
        await place.until("select 1 where not exists (select 1 from pgqueuer where entrypoint = $1)", run_queue.JOB)
    assert "has no revision" in error
