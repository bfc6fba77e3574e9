"""The first index of a large estate puts the secondary indexes of its tables off; nothing of that is left when it ends."""

from __future__ import annotations

import pytest

from catalog.indexer import first_load
from catalog.records import IndexRunState
from catalog.store import late_indexes

INDEXES = """
select pg_get_indexdef(indexrelid), indisvalid, indisready, indislive, indisunique, indcheckxmin from pg_index i
    join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' order by 1
"""
# What each index finds, and what a scan of its table finds.
FOUND = {
    "by name": ("component_instance", "name = 'vpc'"),
    "by labels": ("component_instance", 'labels @> \'{"Team": "platform"}\''),
    "a variable": ("config", "document -> 'vars' @> '{\"cidr\": \"10.0.0.0/16\"}'"),
    "changes": ("change", "at > 'epoch'"),
    "versions": ("instance_version", "config_hash > ''"),
    "dependents": ("dependency", "target_id > ''"),
    "estimates": ("cost_estimate", "subject_id > ''"),
}


@pytest.fixture
def put_off(monkeypatch):
    """Every estate is large; tells how many indexes each load put off."""
    counts = []
    real = late_indexes.put_off

    async def noting(connection, records):
        indexes = await real(connection, records)
        counts.append(len(indexes))
        return indexes

    monkeypatch.setattr(first_load, "_BATCH", 1)
    monkeypatch.setattr(late_indexes, "put_off", noting)
    return counts


async def answers(catalog):
    """What is found with indexes alone, and without any."""
    found = []
    for dear in (("enable_seqscan",), ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan")):
        async with catalog.database.transaction() as connection:
            for setting in dear:
                await connection.execute(f"set local {setting} = off")
            counted = "select count(*) from {} where {}"
            found.append({name: await connection.fetchval(counted.format(*asked)) for name, asked in FOUND.items()})
    return found


async def test_the_same_indexes_stand_after_a_large_first_load(catalog, place, put_off):
    """All indexes are there as they were, valid, and find what is in their tables; what follows brings them up to date as ever."""
    before = await catalog.ask(INDEXES)

    report = await catalog.index(place.path)

    assert report.state is IndexRunState.SUCCEEDED
    assert put_off[0] > 10
    assert await catalog.ask(INDEXES) == before
    by_index, by_scan = await answers(catalog)
    assert by_index == by_scan
    assert all(by_scan.values()), by_scan

    place.write({"stacks/orgs/prod.yaml": "import: [orgs/_defaults, catalog/vpc]\nvars: {stage: prod, more: yes}\n"})
    assert (await catalog.index(place.path)).changed == 1
    by_index, by_scan = await answers(catalog)
    assert by_index == by_scan


async def test_readers_are_not_kept_waiting_by_a_first_load(catalog, place, put_off, monkeypatch):
    """While it writes, others read its tables, also by their indexes, and see nothing of it yet."""
    seen = []
    real = first_load.FirstLoad._write

    async def reading(self, parts):
        await real(self, parts)
        async with catalog.database.transaction() as connection:
            await connection.execute("set local lock_timeout = '100ms'")
            await connection.execute("set local enable_seqscan = off")
            seen.append(await connection.fetchval("select count(*) from component_instance where name = 'vpc'"))

    monkeypatch.setattr(first_load.FirstLoad, "_write", reading)

    await catalog.index(place.path)

    assert put_off[0] > 10
    assert set(seen) == {0}
    assert await catalog.ask("select count(*) from component_instance where name = 'vpc'") == [(2,)]


async def test_a_failed_first_load_leaves_the_indexes_alone(catalog, place, put_off, monkeypatch):
    """When it breaks off, whatever it had put off takes rows again."""
    before = await catalog.ask(INDEXES)
    real = late_indexes.build

    async def failing(connection, indexes):
        await real(connection, list(indexes)[:3])
        raise RuntimeError("broken off")

    monkeypatch.setattr(late_indexes, "build", failing)
    with pytest.raises(RuntimeError):
        await catalog.index(place.path)

    assert await catalog.ask(INDEXES) == before
    assert await catalog.ask("select count(*) from component_instance") == [(0,)]

    monkeypatch.setattr(late_indexes, "build", real)
    await catalog.index(place.path)
    by_index, by_scan = await answers(catalog)
    assert by_index == by_scan
    assert all(by_scan.values()), by_scan


async def test_indexes_that_something_is_found_by_are_not_put_off(catalog, place, tmp_path, put_off):
    """A catalog that holds instances already is one that somebody reads: another estate's first load brings its indexes up to date."""
    await catalog.index(place.path)
    put_off.clear()

    another = tmp_path / "another"
    another.mkdir()
    for path in place.path.rglob("*"):
        if path.is_file():
            (another / path.relative_to(place.path)).parent.mkdir(parents=True, exist_ok=True)
            (another / path.relative_to(place.path)).write_bytes(path.read_bytes())
    report = await catalog.index(another)

    assert report.state is IndexRunState.SUCCEEDED
    assert put_off == []
    by_index, by_scan = await answers(catalog)
    assert by_index == by_scan
