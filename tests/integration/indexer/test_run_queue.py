"""Runs that are asked for, and estates' repositories that move."""

import asyncio

import pytest

from catalog.errors import Conflict
from catalog.indexer import estates, run
from catalog.store import index_runs, run_queue


@pytest.fixture
async def shop(catalog, place):
    """The small estate, indexed once; its id."""
    await catalog.index(place.path)
    ((estate_id,),) = await catalog.ask("select id from estate")
    return estate_id


async def ask(catalog, estate_id, revision=None):
    async with catalog.database.transaction() as connection:
        return await run_queue.ask(connection, estate_id, revision)


async def jobs(catalog):
    return [
        row[0] for row in await catalog.ask("select convert_from(payload, 'utf8')::json ->> 'run_id' from pgqueuer order by id")
    ]


async def test_many_who_ask_at_once_get_one_run(catalog, shop):
    """However many ask for the same while it waits, there is one run and one job."""
    runs = await asyncio.gather(*(ask(catalog, shop) for _ in range(8)))
    assert len(set(runs)) == 1
    assert await jobs(catalog) == runs[:1]


async def test_a_run_that_was_not_committed_was_never_asked_for(catalog, shop):
    """Run and job exist when, and only if, the transaction commits."""
    async with catalog.database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await run_queue.ask(connection, shop)
        await transaction.rollback()
    assert await catalog.ask("select count(*) from index_run where state = 'QUEUED'") == [(0,)]
    assert await jobs(catalog) == []


async def test_a_queued_run_becomes_the_one_that_runs(catalog, shop):
    """A run keeps its id from asking to its end; a second delivery of its job finds that it is done."""
    asked = await ask(catalog, shop)
    report = await run.index(catalog.database, catalog.config, "shop", run_id=asked)
    assert (report.run_id, report.state) == (asked, "SUCCEEDED")
    with pytest.raises(Conflict):
        await run.index(catalog.database, catalog.config, "shop", run_id=asked)
    assert await ask(catalog, shop) != asked


async def test_what_is_running_is_not_repaired(catalog, shop):
    """A RUNNING run whose estate is locked has somebody; one whose lock is free has failed."""
    await catalog.ask("update index_run set state = 'RUNNING'")
    async with catalog.database.connection() as connection:
        async with index_runs.alone(catalog.database, shop):
            assert await run_queue.repair(connection) == 0
        assert await run_queue.repair(connection) == 1
        assert await run_queue.repair(connection) == 0
    assert await catalog.ask("select state, error from index_run") == [("FAILED", "the indexer was interrupted")]
    assert await jobs(catalog) == []


async def test_a_dead_run_of_a_job_gets_another(catalog, shop):
    """A run that was asked for and whose worker died is put into the queue again at once."""
    asked = await ask(catalog, shop)
    await catalog.ask("update pgqueuer set status = 'picked'")
    await catalog.ask("update index_run set state = 'RUNNING' where id = $1", asked)
    async with catalog.database.connection() as connection:
        assert await run_queue.repair(connection) == 1
    assert await jobs(catalog) == [asked, asked]
    assert (await run.index(catalog.database, catalog.config, "shop", run_id=asked)).state == "SUCCEEDED"


async def test_a_confirmation_counts_for_what_was_shown(catalog, shop, place):
    """A confirmed run removes exactly what it was held for: if something else would go, it is held again."""
    prod = (place.path / "stacks/orgs/prod.yaml").read_text()
    place.remove("stacks/orgs/prod.yaml")
    held = await run.index(catalog.database, catalog.config, "shop")
    assert (held.state, held.removed) == ("HELD", 1)

    async def confirm():
        async with catalog.database.session() as session:
            await run_queue.confirm(session, held.run_id, "ada@acme.example")
            await session.commit()

    place.write({"stacks/orgs/prod.yaml": prod})
    dev = (place.path / "stacks/orgs/dev.yaml").read_text()
    place.remove("stacks/orgs/dev.yaml")
    await confirm()
    other = await run.index(catalog.database, catalog.config, "shop", run_id=held.run_id)
    assert (other.state, other.removed) == ("HELD", 2)

    place.write({"stacks/orgs/dev.yaml": dev})
    place.remove("stacks/orgs/prod.yaml")
    await confirm()
    again = await run.index(catalog.database, catalog.config, "shop", run_id=held.run_id)
    assert (again.state, again.removed) == ("HELD", 1)
    await confirm()
    assert (await run.index(catalog.database, catalog.config, "shop", run_id=held.run_id)).state == "SUCCEEDED"
    assert await catalog.ask("select count(*) from stack where removed_at is null") == [(1,)]


async def test_what_was_held_is_settled_by_the_next_good_run(catalog, shop, place):
    """Once the estate has been read well, an older held run has nothing to decide any more."""
    text = (place.path / "stacks/orgs/prod.yaml").read_text()
    place.remove("stacks/orgs/prod.yaml")
    held = await run.index(catalog.database, catalog.config, "shop")
    place.write({"stacks/orgs/prod.yaml": text})
    await run.index(catalog.database, catalog.config, "shop")
    assert await catalog.ask("select state, error from index_run where id = $1", held.run_id) == [
        ("FAILED", "the estate has been read since")
    ]
    async with catalog.database.session() as session:
        with pytest.raises(Conflict):
            await run_queue.confirm(session, held.run_id, "ada@acme.example")


async def test_a_managed_repository_follows_its_address(catalog, place, git, tmp_path):
    """An estate whose address changes in the seeds is read from the new one."""
    other = tmp_path / "moved"
    for directory, size in ((place.path, "small"), (other, "large")):
        if directory == other:
            git(tmp_path, "clone", "--quiet", str(place.path), str(other))
            text = (other / "stacks/orgs/dev.yaml").read_text()
            (other / "stacks/orgs/dev.yaml").write_text(text.replace("size: small", f"size: {size}"))
            git(other, "commit", "--quiet", "-am", size)
        else:
            git(directory, "init", "--quiet")
            git(directory, "add", ".")
            git(directory, "commit", "--quiet", "-m", size)
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for directory in (place.path, other):
        (seeds / "estates.yaml").write_text(f"estates: [{{name: shop, organization: acme, url: 'file://{directory}'}}]\n")
        await estates.register_seeds(catalog.database, catalog.config, seeds)
        await run.index(catalog.database, catalog.config, "shop")
    assert await catalog.ask("select document #>> '{vars,size}' from component_instance i join config c on c.hash = i.config_hash where i.name = 'eks'") == [("large",)]  # fmt: skip
    assert await catalog.ask("select poll from estate") == [(60,)]
