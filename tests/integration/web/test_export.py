"""Lists as files over HTTP."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest
import pytest_asyncio
from pyarrow import parquet

from catalog.access import principals, tokens
from catalog.cost import imports
from catalog.graph.exporting import Column
from catalog.records import CostFormat, Role
from catalog.web import app, export

LIST = "{ principals { nodes { name email } } }"
CHARGES = """
select billing_period_start, billing_account_id, charge_class, description, publisher, period_start, period_end, category, provider,
       service_name, resource_id, region_id, currency, billed, effective, listed, contracted, pricing_quantity, consumed_unit, tags
from charge order by id"""
FOCUS = """\
BilledCost,BillingAccountId,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargeCategory,ChargeClass,ChargeDescription,\
ChargePeriodStart,ChargePeriodEnd,EffectiveCost,ListCost,ContractedCost,ProviderName,PublisherName,ServiceName,ResourceId,RegionId,\
PricingQuantity,ConsumedUnit,Tags
1.000000000000001,1234,USD,2026-05-01T00:00:00Z,2026-06-01T00:00:00Z,Usage,,"Hours, of ""x"" or so",2026-05-03T00:00:00Z,2026-05-04T00:00:00Z,\
0.9,1.2,,AWS,AWS,Amazon EC2,i-1,eu-west-2,24,Hours,"{""team"": ""core""}"
-3.50,1234,EUR,2026-05-01T00:00:00Z,2026-06-01T00:00:00Z,Credit,Correction,,2026-05-01T00:00:00Z,2026-05-02T00:00:00Z,\
-3.5,,,AWS,,Amazon S3,,,,,{}
"""
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
    shown = [Column(path=path, title=".".join(path), kind=None) for path in columns]
    return b"".join([part async for part in export.FORMATS[form].write(shown, _given(*batches))])


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


async def test_parquet():
    """A Parquet file has typed columns, exact amounts and a row group for many rows; lists and maps are texts of JSON."""
    kinds = {"n": "Int", "on": "Boolean", "at": "DateTime", "day": "Date", "cost.amount": "Decimal", "name": "String", "tags": None}
    columns = [Column(path=tuple(title.split(".")), title=title, kind=kind) for title, kind in kinds.items()]
    row = {"n": 1, "on": True, "at": "2026-05-01T02:00:00+02:00", "day": "2026-05-01", "name": "é", "tags": {"a": [1]}}
    rows = [row | {"cost": {"amount": "0.000000000000001"}}, row | {"cost": None, "n": None, "tags": None}]
    given = _given(*([json.dumps(rows[number % 2]).encode() for number in range(1000)] for _ in range(25)))
    file = b"".join([part async for part in export.FORMATS["parquet"].write(columns, given)])
    read = parquet.ParquetFile(io.BytesIO(file))
    assert read.metadata.num_row_groups == 3
    first, second = read.read().slice(0, 2).to_pylist()
    at = datetime(2026, 5, 1, tzinfo=UTC)
    assert first == {
        "n": 1,
        "on": True,
        "at": at,
        "day": at.date(),
        "cost.amount": Decimal("1e-15"),
        "name": "é",
        "tags": '{"a":[1]}',
    }
    assert (second["n"], second["cost.amount"], second["tags"]) == (None, None, None)
    assert read.metadata.num_rows == 25_000


async def test_parquet_of_a_list(client):
    """A list of the graph is exported as Parquet under its own name, also when nothing is in it."""
    answer = await client.get("/export/principals.parquet", params={"fields": "email,name"})
    assert answer.headers["content-disposition"] == 'attachment; filename="principals.parquet"'
    assert set(parquet.read_table(io.BytesIO(answer.content)).to_pydict()["name"]) == set(NAMES)
    empty = await client.get("/export/teams.parquet", params={"where": '{"slug": {"eq": "x"}}'})
    assert parquet.read_table(io.BytesIO(empty.content)).num_rows == 0


@pytest.mark.parametrize("form", ["csv", "parquet"])
async def test_exported_charges_are_focus(client, database, form, tmp_path):
    """Charges that are exported as FOCUS and imported again are the same charges, to the last decimal."""
    name, kind = f"again-{form}.csv", CostFormat.FOCUS_CSV
    (tmp_path / name).write_text(FOCUS)
    async with database.session() as session:
        await imports.take(session, imports.Source(path=tmp_path / name, name=name, format=kind, currency="USD"))
        await session.commit()
    answer = await client.get(f"/export/focus.{form}")
    assert answer.status_code == 200, answer.text
    async with database.connection() as connection:
        before = await connection.fetch(CHARGES)
    assert len(before) == 2
    (tmp_path / "exported").write_bytes(answer.content)
    kind = {"csv": CostFormat.FOCUS_CSV, "parquet": CostFormat.FOCUS_PARQUET}[form]
    async with database.session() as session:
        await imports.take(session, imports.Source(path=tmp_path / "exported", name=name, format=kind, currency="USD"))
        await session.commit()
    async with database.connection() as connection:
        assert await connection.fetch(CHARGES) == before
        await connection.execute("delete from charge; delete from charge_batch")


async def test_focus_is_no_json_lines(client):
    """FOCUS is a table: asking for it as JSON lines is told what there is instead."""
    answer = await client.get("/export/focus.ndjson")
    assert answer.status_code == 404
    assert "/export/charges.ndjson" in answer.json()["errors"][0]["extensions"]["hint"]
