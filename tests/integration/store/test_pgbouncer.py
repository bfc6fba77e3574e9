"""Behind a real pgbouncer in transaction mode, where each transaction may meet another server connection."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio

from catalog.access import principals
from catalog.graph import exporting
from catalog.graph.execution import Graph
from catalog.records import SYSTEM, Role
from catalog.store import report_roles
from catalog.store.database import Database

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
SETTINGS = """\
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = 3
server_reset_query_always = 0
ignore_startup_parameters = extra_float_digits
"""


@pytest.fixture(scope="module")
def pgbouncer(config) -> Iterator[int]:
    """The port of a pgbouncer before the session's server, with three connections to each database."""
    if PROGRAM is None:
        pytest.skip("pgbouncer is not on this machine")
    place = Path(tempfile.mkdtemp(prefix="catalog-test-"))
    place.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = free.getsockname()[1]
    host, port = _server(config.database_url)
    user = urlsplit(config.database_url).username or "postgres"
    (place / "users.txt").write_text(f'"{user}" ""\n"pooled_dashboard" ""\n')
    settings = SETTINGS.format(host=host, port=port, listen=listen, users=place / "users.txt")
    (place / "pgbouncer.ini").write_text(settings)
    as_somebody = ["--user", "nobody"] if os.geteuid() == 0 else []
    command = [PROGRAM, "--quiet", *as_somebody, place / "pgbouncer.ini"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield listen
    process.terminate()
    process.wait()
    shutil.rmtree(place)


def _server(url: str) -> tuple[str, str]:
    """Where the server listens: its socket's directory, or its host, and its port."""
    parts = urlsplit(url)
    asked = dict(pair.partition("=")[::2] for pair in parts.query.split("&"))
    return asked.get("host") or parts.hostname or "127.0.0.1", str(asked.get("port") or parts.port or 5432)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pooled(config, database, pgbouncer) -> Database:
    """The database behind the pooler, with somebody and something in it."""
    async with database.session() as session:
        await principals.add(session, "ada@example.org", Role.ADMIN, name="Ada")
        await session.commit()
    parts = urlsplit(config.database_url)
    url = f"postgresql://{parts.username or 'postgres'}@127.0.0.1:{pgbouncer}{parts.path}"
    behind = replace(config, database_url=url, database_direct_url=config.database_url, database_pooled=True)
    for _ in range(200):  # until it listens
        try:
            opened = await Database.open(behind)
            break
        except Exception as error:  # noqa: BLE001
            told = error
            await asyncio.sleep(0.05)
    else:
        raise told
    yield opened
    await opened.close()


async def test_the_graph_answers(pooled):
    """Compiled reads of both classes, many at once, more than there are server connections."""
    graph = Graph(pooled, pooled.config)
    documents = [
        "{ principals { nodes { name } totalCount } }",
        "query ($n: Int) { teams(first: $n) { nodes { slug } } stacks { totalCount } }",
        '{ componentInstances(where: {name: {eq: "vpc"}}) { nodes { id } } }',
    ]
    for _ in range(5):
        answers = await asyncio.gather(*(graph.execute(one, {}, None, SYSTEM) for one in documents * 10))
        assert all(answer.ok for answer in answers), next(answer.body for answer in answers if not answer.ok)
    assert b'"Ada"' in answers[0].body


async def test_lists_are_exported(pooled):
    """An export holds its transaction, and so its server connection, to its end; what it sets is gone with it."""
    graph = Graph(pooled, pooled.config)
    for _ in range(8):
        export = await exporting.export(graph, "{ principals { nodes { name } } }", None, None, SYSTEM)
        rows = [json.loads(row) async for batch in export.batches for row in batch]
        assert {"name": "Ada"} in rows
    async with pooled.connection() as connection:
        assert await connection.fetchval("show idle_in_transaction_session_timeout") == "0"


async def test_sessions_write(pooled):
    """Records are written and read by sessions, whose statements have no names."""
    for number in range(6):
        async with pooled.session() as session:
            await principals.add(session, f"p{number}@example.org", Role.VIEWER)
            await session.commit()
    async with pooled.connection() as connection:
        assert await connection.fetchval("select count(*) from principal where email like 'p_@example.org'") == 6


async def test_reports_are_the_roles_own(pooled, database, pgbouncer, config):
    """A dashboard behind the pooler sees as its role, not as whoever used the server connection before."""
    async with database.transaction() as connection:
        await connection.execute("drop role if exists pooled_dashboard")
        await principals_of(connection)
        await report_roles.add(connection, "pooled_dashboard", "nobody@example.org")
    try:
        url = f"postgresql://pooled_dashboard@127.0.0.1:{pgbouncer}{urlsplit(config.database_url).path}"
        for _ in range(4):
            dashboard = await asyncpg.connect(url, statement_cache_size=0)
            assert await dashboard.fetchval("select session_user") == "pooled_dashboard"
            assert await dashboard.fetchval("select count(*) from report.kpis") == 0
            await dashboard.close()
    finally:
        async with database.transaction() as connection:
            await report_roles.remove(connection, "pooled_dashboard")


async def principals_of(connection):
    """Somebody without any grant."""
    await connection.execute(
        "insert into principal (id, name, email, kind, created_at) values ('prn_x', 'x', 'nobody@example.org', 'PERSON', now())"
    )
