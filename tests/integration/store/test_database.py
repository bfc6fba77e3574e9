"""Sessions, raw connections and the reader: what they promise, and what they say when Postgres is away."""

from __future__ import annotations

import asyncio
import os
import select
import signal

import asyncpg
import pytest
from sqlalchemy import text
from sqlmodel import select as query

from catalog import errors, records
from catalog.config import Config
from catalog.store import connecting, embedded, watcher
from catalog.store.database import Database


async def test_what_is_not_committed_is_not_there(database):
    """A session forgets what its caller did not commit."""
    organization = records.Organization(id="org_1", name="fnx", currency="USD")
    async with database.session() as session:
        session.add(organization)
        await session.flush()
    async with database.session() as session:
        assert (await session.scalars(query(records.Organization))).all() == []


async def test_an_error_rolls_a_transaction_back(database):
    """A raw transaction that ends in an error leaves nothing."""

    async def write_twice():
        async with database.transaction() as connection:
            await connection.execute("insert into organization (id, name, currency) values ('org_2', 'acme', 'USD')")
            await connection.execute(
                "insert into principal (id, name, email, kind, created_at) values ('p', 'p', 'p', 'ROBOT', now())"
            )

    with pytest.raises(asyncpg.CheckViolationError) as caught:
        await write_twice()
    assert caught.value.constraint_name == "kind_known"
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from organization") == 0


async def test_every_connection_tells_its_process_and_thinks_in_utc(config):
    """Sessions, raw connections and readers carry the process's name, UTC and no just-in-time compiler."""
    database = await Database.open(config, application="catalog web")
    show = "select concat_ws('|', current_setting('application_name'), current_setting('timezone'), current_setting('jit'))"
    async with database.session() as session:
        assert (await session.execute(text(show))).scalar_one() == "catalog web|UTC|off"
    async with database.connection() as connection:
        assert await connection.fetchval(show) == "catalog web|UTC|off"
    assert await database.reader.fetch_text(show, generic=True) == b"catalog web|UTC|off"
    await database.close()


async def test_no_connection_is_left_behind(config, database):
    """Closing a database closes every connection it opened."""
    other = await Database.open(config, application="catalog leaver")
    async with other.session() as session:
        await session.execute(text("select 1"))
    await asyncio.gather(*(other.reader.fetch_text("select 'x'", generic=generic) for generic in (True, False, True, False)))
    await other.close()
    count = "select count(*) from pg_stat_activity where application_name = 'catalog leaver'"
    async with database.connection() as connection:
        # A backend ends a moment after its client has gone; Postgres itself waits for that here.
        await connection.fetch(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'catalog leaver'"
        )
        assert await connection.fetchval(count) == 0


class TestReader:
    """Compiled reads."""

    @pytest.mark.parametrize(("generic", "mode"), [(True, "force_generic_plan"), (False, "force_custom_plan")])
    async def test_each_class_of_statement_has_its_pool(self, database, generic, mode):
        """Generic statements run where plans are generic, the others where they are custom."""
        assert await database.reader.fetch_text("select current_setting('plan_cache_mode')", generic=generic) == mode.encode()

    async def test_a_repeated_statement_is_planned_once(self, database):
        """A bounded statement that runs again is prepared and uses its generic plan: Postgres counts no custom one."""
        for name in ("a", "b", "c"):
            assert await database.reader.fetch_text("select 'to ' || $1::text", [name], generic=True) == f"to {name}".encode()
        counts = "select generic_plans, custom_plans from pg_prepared_statements where statement like '%to %' and statement like '%$1::text'"
        async with database.reader.connection(generic=True) as connection:
            assert [tuple(row) for row in await connection.fetch(counts)] == [(3, 0)]

    async def test_statements_are_kept_in_bounds(self, database):
        """A connection holds at most 128 prepared statements however many are asked."""
        for number in range(140):
            await database.reader.fetch_text(f"select '{number}'", generic=True)
        async with database.reader.connection(generic=True) as connection:
            assert await connection.fetchval("select count(*) from pg_prepared_statements") <= connecting.STATEMENTS

    async def test_one_reader_after_another_uses_one_connection(self, database):
        """The connection that was used last is used next."""
        pids = {await database.reader.fetch_text("select pg_backend_pid()::text", generic=True) for _ in range(5)}
        assert len(pids) == 1

    async def test_reading_cannot_write(self, database):
        """A compiled read that would write is refused by Postgres."""
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await database.reader.fetch_text(
                "insert into organization (id, name, currency) values ('o', 'o', 'USD') returning id", generic=True
            )

    async def test_text_arrives_as_it_is(self, database):
        """Text parameters and results of any language pass unchanged, alone and in arrays."""
        sql = "select $1::text || array_to_string($2::text[], ',')"
        assert await database.reader.fetch_text(sql, ["ä", ["日本", "ß"]], generic=False) == "ä日本,ß".encode()

    async def test_a_statement_that_takes_too_long_is_stopped(self, fresh_database):
        """A read that outlasts its time is stopped with a clear error, and the reader goes on."""
        async with fresh_database.reader.connection(generic=False) as connection:
            await connection.execute("set statement_timeout = '10ms'")
        with pytest.raises(errors.Unavailable, match="did not answer stacks") as caught:
            await fresh_database.reader.fetch_text("select pg_sleep(60)::text", generic=False, key="stacks")
        assert caught.value.code == "TIMEOUT"
        assert await fresh_database.reader.fetch_text("select 'on'", generic=False) == b"on"

    async def test_a_cancelled_read_leaves_no_answer_to_the_next(self, fresh_database):
        """A reader that is cancelled in the middle does not hand its answer to another."""
        reader = fresh_database.reader
        pid = await reader.fetch_text("select pg_backend_pid()::text", generic=False)
        waiting = asyncio.create_task(reader.fetch_text("select pg_advisory_lock(1)::text || pg_sleep(60)::text", generic=False))
        await until_active(fresh_database, int(pid))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await reader.fetch_text("select 'mine'", generic=False) == b"mine"

    async def test_a_lost_connection_is_replaced(self, database):
        """When the server ends idle connections, the next read goes on as if nothing had happened."""
        pid = await database.reader.fetch_text("select pg_backend_pid()::text", generic=True)
        async with database.connection() as connection:
            assert await connection.fetchval("select pg_terminate_backend($1, 5000)", int(pid))
        assert await database.reader.fetch_text("select 'again'", generic=True) == b"again"

    async def test_plans_survive_a_changed_table(self, database):
        """A statement prepared before a migration still answers after it."""
        async with database.connection() as connection:
            await connection.execute("create table growing as select 'x'::text as name")
            assert await database.reader.fetch_text("select g::text from growing g", generic=True) == b"(x)"
            await connection.execute("alter table growing add column more int default 1")
            assert await database.reader.fetch_text("select g::text from growing g", generic=True) == b"(x,1)"
            await connection.execute("drop table growing")


async def test_behind_a_pooler_nothing_is_named_and_nothing_is_set(config, server):
    """With `database_pooled` every way to ask works without named statements and without session settings."""
    pooled = await Database.open(Config(home=config.home, database_url=config.database_url, database_pooled=True))
    for generic in (True, False):
        async with pooled.reader.connection(generic=generic) as connection:
            assert await connection.fetchval("select $1::text", "x") == b"x"
            assert await connection.fetchval("select count(*) from pg_prepared_statements where name <> ''") == 0
            assert await connection.fetchval("select current_setting('application_name')") == b""
    async with pooled.session() as session:
        assert (await session.scalars(query(records.Organization).where(records.Organization.id == "x"))).all() == []
        assert (await session.execute(text("select count(*) from pg_prepared_statements"))).scalar_one() <= 1
    await pooled.close()


async def test_postgres_away_is_a_clear_error(tmp_path):
    """A server that doesn't answer is named, without its password."""
    away = Config(home=tmp_path, database_url="postgres://catalog:hunter2@127.0.0.1:1/catalog")
    with pytest.raises(errors.Unavailable, match=r"catalog:\*\*\*@127\.0\.0\.1:1/catalog doesn't answer") as caught:
        await Database.open(away)
    assert "hunter2" not in str(caught.value)


async def test_an_unknown_database_is_a_clear_error(tmp_path, database_url):
    """A server that refuses says why."""
    with pytest.raises(errors.Unavailable, match='database "no_such" does not exist'):
        await Database.open(Config(home=tmp_path, database_url=database_url("no_such")))


async def test_a_wrong_url_is_wrong_use(tmp_path):
    """A URL of another kind of database is refused before anything is tried."""
    with pytest.raises(errors.WrongUse, match="CATALOG_DATABASE_URL"):
        await Database.open(Config(home=tmp_path, database_url="mysql://localhost/x"))


async def test_the_process_outlives_its_database(home, programs):
    """While Postgres is away every way to ask raises Unavailable; when it is back the same process works again."""
    server = embedded.start(home, programs=programs)
    database = await Database.open(Config(home=home, database_url=server.url))
    kill(watcher.server_pid(server.data))
    with pytest.raises(errors.Unavailable):
        await database.reader.fetch_text("select 'x'", generic=True)
    with pytest.raises(errors.Unavailable):
        await database.ping()
    with pytest.raises(errors.Unavailable):
        await ask_in_a_session(database)
    back = await asyncio.to_thread(embedded.start, home, programs=programs)
    assert await database.reader.fetch_text("select 'x'", generic=True) == b"x"
    await database.ping()
    assert await ask_in_a_session(database) == 1
    await database.close()
    back.close()
    server.close()


async def test_a_killed_embedded_server_is_started_again(home):
    """A process that keeps its own embedded server heals it when it was killed."""
    database = await Database.open(Config(home=home))
    kill(watcher.server_pid(home / "postgres" / "data"))
    assert await database.reader.fetch_text("select 'x'", generic=True) == b"x"
    await database.ping()
    await database.close()
    assert watcher.server_pid(home / "postgres" / "data") is None


async def ask_in_a_session(database: Database) -> int:
    """Ask something through a session."""
    async with database.session() as session:
        return (await session.execute(text("select 1"))).scalar_one()


async def until_active(database: Database, pid: int) -> None:
    """Return when a backend is executing something."""
    async with database.connection() as connection:
        while await connection.fetchval("select state from pg_stat_activity where pid = $1", pid) != "active":
            pass


def kill(pid: int) -> None:
    """Kill a process and block until it is dead."""
    process = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    select.select([process], [], [])
    os.close(process)
