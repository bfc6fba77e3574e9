"""Lists as files over HTTP."""

from __future__ import annotations

import asyncio
import csv
import io
import json

import httpx
import pytest
import pytest_asyncio

from catalog.access import principals, tokens
from catalog.records import Role
from catalog.web import app, export

LIST = "{ principals { nodes { name email } } }"
NAMES = ["Ada", "=cmd()", 'say "hi", twice\nor more', "-1.50", "@éva"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def secret(database):
    """An admin's token, in a catalog of several principals."""
    async with database.session() as session:
        for number, name in enumerate(NAMES):
            await principals.add(session, f"p{number}@example.org", Role.ADMIN if number == 0 else Role.VIEWER, name=name)
        made = await tokens.create(session, "p0@example.org", name="test")
        await session.commit()
        return made


@pytest.fixture
def application(database, config):
    """The application."""
    return app.create(database, config)


@pytest_asyncio.fixture(loop_scope="session")
async def client(application, secret):
    """A program that sends the admin's token."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://catalog.test") as client:
        client.headers["Authorization"] = f"Bearer {secret}"
        yield client


async def test_json_lines(client):
    """One JSON value a line, as the graph shows them, under a name for the file."""
    answer = await client.post("/export/ndjson", json={"query": LIST})
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"] == 'attachment; filename="principals.ndjson"'
    assert answer.headers["cache-control"] == "no-store"
    told = await client.post("/graphql", json={"query": LIST})
    assert [json.loads(line) for line in answer.text.splitlines()] == told.json()["data"]["principals"]["nodes"]


async def test_csv(client):
    """CSV has a line of names and one a row; quotes, commas and line breaks survive, and nothing is a formula."""
    answer = await client.get("/export/principals.csv", params={"fields": "email,name"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    first, *rows = csv.reader(io.StringIO(answer.content.decode(), newline=""))
    assert first == ["email", "name"]
    shown = {row[1] for row in rows}
    assert shown == {"Ada", "'=cmd()", 'say "hi", twice\nor more', "-1.50", "'@éva"}


async def test_plain_fields_unless_named(client):
    """Without `fields` a list exports what its rows hold themselves; arguments are those of the graph, in JSON."""
    answer = await client.get("/export/teams.csv")
    assert answer.text.split("\r\n")[0].split(",")[:2] == ["id", "slug"]
    assert answer.text.count("\r\n") == 1
    some = await client.get("/export/teams.ndjson", params={"where": '{"slug": {"eq": "x"}}', "fields": "slug, organization.name"})
    assert (some.status_code, some.content) == (200, b"")


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/export/nothing.csv", {}, 404),
        ("GET", "/export/teams.xlsx", {}, 404),
        ("GET", "/export/teams", {}, 405),
        ("HEAD", "/export/teams.csv", {}, 405),
        ("POST", "/export/teams.csv", {}, 404),
        ("POST", "/export/xlsx", {"json": {"query": LIST}}, 404),
        ("POST", "/export/csv", {"json": {"query": "{"}}, 400),
        ("POST", "/export/csv", {"json": {}}, 400),
        ("POST", "/export/csv", {"content": LIST, "headers": {"Content-Type": "text/plain"}}, 415),
        ("POST", "/export/csv", {"json": {"query": "{ principals { totalCount } }"}}, 400),
        ("GET", "/export/teams.csv", {"params": {"fields": "nothing"}}, 400),
        ("GET", "/export/teams.csv", {"params": {"where": "{"}}, 400),
        ("GET", "/export/teams.csv", {"params": {"first": "5"}}, 400),
        ("GET", "/export/teams.csv", {"headers": {"Authorization": "Bearer atc_wrong"}}, 401),
        ("GET", "/export/teams.csv", {"headers": {"Authorization": ""}}, 401),
    ],
)
async def test_refusals(client, method, path, options, status):
    """What can't be exported has a status and errors in the graph's shape, never a file."""
    answer = await client.request(method, path, **options)
    assert answer.status_code == status
    if method != "HEAD":
        assert answer.json()["errors"][0]["extensions"]["code"]
    assert "content-disposition" not in answer.headers


async def test_nobody_exports_nothing(application):
    """Without a token there is no file, not even an empty one."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://catalog.test") as client:
        assert (await client.get("/export/teams.csv")).status_code == 401


async def test_only_so_many_at_once(client, application):
    """Exports hold connections, so a process has only so many under way; each that ends, however it ends, makes room."""
    for _ in range(10):
        assert (await client.get("/export/teams.csv")).status_code == 200
        assert (await client.get("/export/teams.csv", params={"fields": "nothing"})).status_code == 400
    for _ in range(4):
        application.state.exports.begin()
    busy = await client.get("/export/teams.csv")
    assert busy.status_code == 503
    assert busy.json()["errors"][0]["extensions"]["code"] == "BUSY"
    application.state.exports.end()
    assert (await client.get("/export/teams.csv")).status_code == 200


async def test_reader_that_goes_away_leaves_nothing(database, secret, application):
    """When a client goes away in the middle, its connection to the database is given back and its place is free."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/export/principals.csv",
        "raw_path": b"",
        "query_string": b"",
    }
    scope |= {
        "headers": [(b"authorization", f"Bearer {secret}".encode())],
        "scheme": "http",
        "server": ("catalog.test", 80),
        "asgi": {"version": "3.0"},
    }
    sent, gone = [], asyncio.Event()

    async def receive():
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)
        if message["type"] == "http.response.body":
            gone.set()
            await asyncio.Event().wait()

    await application(scope, receive, send)
    assert sent[0]["status"] == 200
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from pg_stat_activity where state like 'idle in transaction%'") == 0
    for _ in range(4):
        application.state.exports.begin()
    with pytest.raises(Exception, match="enough exports"):
        application.state.exports.begin()


async def _given(*batches):
    for batch in batches:
        yield batch


async def _written(form, columns, *batches):
    return b"".join([part async for part in export.FORMATS[form].write(columns, _given(*batches))])


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        ("", ""),
        ("a", "a"),
        ("+12", "+12"),
        ("-0.5", "-0.5"),
        ("-", "'-"),
        ("--", "'--"),
        ("-1-1", "'-1-1"),
        ("=1+1", "'=1+1"),
        ("\tx", "'\tx"),
        ("@x", "'@x"),
        (-5, "-5"),
        (1.5, "1.5"),
        (True, "true"),
        (False, "false"),
        ([], "[]"),
        (["é", 1], '["é",1]'),
        ({"=a": None}, '{"=a":null}'),
        ("\ud800", "?"),
    ],
)
async def test_cells(value, cell):
    """A cell holds a value so that a program reads it and a spreadsheet doesn't run it."""
    written = await _written("csv", (("x",),), [json.dumps({"x": value}).encode()])
    assert list(csv.reader(io.StringIO(written.decode(), newline=""))) == [["x"], [cell] if cell else [""]]


async def test_what_is_null_has_empty_cells():
    """A row, or a thing in it, that is null leaves its cells empty; the number of cells stays."""
    rows = [b'{"a":1,"b":{"c":{"d":2}}}', b'{"a":1,"b":null}', b'{"a":null,"b":{"c":null}}', b"null"]
    written = await _written("csv", (("a",), ("b", "c", "d")), rows[:2], rows[2:])
    assert written == b"a,b.c.d\r\n1,2\r\n1,\r\n,\r\n,\r\n"


async def test_no_rows():
    """An empty list is an empty file of lines, and a line of names in CSV."""
    assert await _written("ndjson", (("a",),)) == b""
    assert await _written("csv", (("a",),)) == b"a\r\n"
