"""Costs through the served graph: uploads, imports of them, and who may do either."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import os

import httpx
import pytest

from catalog.access import principals, tokens
from catalog.cost import uploads
from catalog.records import Role
from catalog.web import app

IMPORT = """mutation($input: ImportCostsInput!) { importCosts(input: $input) {
  report { rows accepted replaced rejected(first: 2) { totalCount nodes { row column reason } pageInfo { hasNextPage } } }
  errors { __typename code message path } } }"""
HEADER = "BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,BillingCurrency,BilledCost,EffectiveCost,ResourceId"


def charges(*costs: str, start: int = 0) -> str:
    period = "2026-05-01T00:00:00Z,2026-06-01T00:00:00Z,2026-05-02T00:00:00Z,2026-05-03T00:00:00Z"
    rows = (f"{period},Usage,USD,{cost},{cost},i-{start + number}" for number, cost in enumerate(costs))
    return "\n".join((HEADER, *rows, ""))


@pytest.fixture(scope="module")
async def secrets(database):
    """Tokens of two admins and of an approver."""
    made = {}
    async with database.session() as session:
        for name, role in (("ada", Role.ADMIN), ("bo", Role.ADMIN), ("cy", Role.APPROVER)):
            await principals.add(session, f"{name}@example.org", role, name=name)
            made[name] = await tokens.create(session, f"{name}@example.org", name="test")
        await session.commit()
    return made


@pytest.fixture
def client(database, config, secrets):
    """Make a client of the served application for one of them, or for nobody."""
    application = app.create(database, config)

    def make(who: str | None = "ada") -> httpx.AsyncClient:
        headers = {} if who is None else {"Authorization": f"Bearer {secrets[who]}"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://catalog.test", headers=headers)

    return make


@pytest.fixture
def take(client):
    """Run importCosts and return its payload."""

    async def call(who: str = "ada", **given: object) -> dict:
        given = {"format": "FOCUS_CSV", "idempotencyKey": "k", **given}
        answer = (await client(who).post("/graphql", json={"query": IMPORT, "variables": {"input": given}})).json()
        assert "errors" not in answer, answer
        return answer["data"]["importCosts"]

    return call


async def test_a_file_is_uploaded_imported_and_gone(client, take, config) -> None:
    """What was sent is imported under its own name, by its sender alone, and is removed then."""
    body = gzip.compress(charges("1", "2", "nothing", "nil", "none").encode())
    sent = await client().post("/uploads", params={"name": "aws.csv.gz"}, content=body)
    told = sent.json()

    assert sent.status_code == 201
    assert (told["name"], told["size"], told["sha256"]) == ("aws.csv.gz", len(body), hashlib.sha256(body).hexdigest())
    foreign = await take("bo", upload=told["id"], idempotencyKey="upload")
    assert [(one["__typename"], one["code"]) for one in foreign["errors"]] == [("NotFound", "NOT_FOUND")]
    payload = await take(upload=told["id"], idempotencyKey="upload")
    assert payload["errors"] == []
    assert payload["report"] == {
        "rows": 5,
        "accepted": 2,
        "replaced": 0,
        "rejected": {
            "totalCount": 3,
            "nodes": [
                {"row": 3, "column": "BilledCost", "reason": "'nothing' is not a number"},
                {"row": 4, "column": "BilledCost", "reason": "'nil' is not a number"},
            ],
            "pageInfo": {"hasNextPage": True},
        },
    }
    assert list((config.home / "uploads").iterdir()) == []
    assert await take(upload=told["id"], idempotencyKey="upload") == payload


async def test_a_key_imports_once_and_only_what_it_was_first_used_for(take) -> None:
    """A replay returns the stored report, concurrent duplicates wait for the first, and another body is a conflict."""
    given = {"content": charges("1", "2", start=100), "name": "once.csv", "idempotencyKey": "once"}

    first, second = await asyncio.gather(take(**given), take(**given))
    other = await take(**given | {"content": charges("3")})

    assert first == second
    assert (first["report"]["accepted"], first["report"]["replaced"]) == (2, 0)
    assert [(one["__typename"], one["code"]) for one in other["errors"]] == [("Conflict", "IDEMPOTENCY_KEY_REUSED")]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "INVALID"),
        ({"content": "x", "upload": "upl_x"}, "INVALID"),
        ({"content": "lineItem/Cost\n1\n"}, "INVALID"),
        ({"content": "{}", "format": "INFRACOST"}, "INVALID"),
        ({"content": "{}", "format": "OPENCOST", "currency": "COINS"}, "INVALID"),
        ({"content": charges("1")[:-20]}, "INVALID"),
        ({"content": charges("1"), "idempotencyKey": ""}, "INVALID"),
        ({"upload": "upl_" + "0" * 32}, "NOT_FOUND"),
        ({"upload": "../token"}, "NOT_FOUND"),
    ],
)
async def test_what_can_not_be_imported_is_an_expected_failure_and_frees_its_key(take, given, code) -> None:
    """The answer says what is wrong, and the same key may be used for what was meant."""
    payload = await take(**{"idempotencyKey": "bad", **given})

    assert payload["report"] is None
    assert [one["code"] for one in payload["errors"]] == [code]


async def test_only_admins_import_and_upload(client, take) -> None:
    """Whoever else asks is refused, and so is a page of another origin that comes with a cookie."""
    payload = await take("cy", content=charges("1"))
    refused = await client("cy").post("/uploads", params={"name": "a.csv"}, content=b"x")
    unknown = await client(None).post("/uploads", params={"name": "a.csv"}, content=b"x")

    assert [one["__typename"] for one in payload["errors"]] == ["Forbidden"]
    assert (refused.status_code, unknown.status_code) == (403, 401)


@pytest.mark.parametrize(("name", "body"), [("", b"x"), ("a\nb", b"x"), ("a" * 300, b"x"), ("a.csv", b"")])
async def test_an_upload_has_a_name_and_content(client, name, body) -> None:
    """What would be nothing, or have no name that corrections come under, is refused."""
    assert (await client().post("/uploads", params={"name": name}, content=body)).status_code == 400


async def test_a_large_file_streams_to_the_disk_and_one_that_is_too_large_leaves_nothing(client, config, monkeypatch) -> None:
    """Far more than a request may carry elsewhere is taken; past the limit, announced or not, nothing is kept."""
    large = await client().post("/uploads", params={"name": "large.csv"}, content=os.urandom(3 << 20))
    monkeypatch.setattr(uploads, "LARGEST", 2 << 20)
    announced = await client().post("/uploads", params={"name": "a.csv"}, content=bytes(3 << 20))

    async def endless():
        while True:
            yield bytes(1 << 19)

    unannounced = await client().post("/uploads", params={"name": "a.csv"}, content=endless())

    assert large.status_code == 201
    assert (announced.status_code, unannounced.status_code) == (413, 413)
    assert {path.name.partition(".")[0] for path in (config.home / "uploads").iterdir()} == {large.json()["id"]}
    uploads.remove(config, large.json()["id"])


async def test_all_uploads_together_have_a_bound_and_old_ones_make_room(client, config, monkeypatch) -> None:
    """A full store refuses more until what is a day old is gone."""
    kept = (await client().post("/uploads", params={"name": "a.csv"}, content=bytes(1000))).json()["id"]
    monkeypatch.setattr(uploads, "MOST", 1500)
    full = await client().post("/uploads", params={"name": "b.csv"}, content=bytes(1000))
    for path in (config.home / "uploads").iterdir():
        os.utime(path, (0, 0))
    again = await client().post("/uploads", params={"name": "b.csv"}, content=bytes(1000))

    assert (full.status_code, full.json()["errors"][0]["extensions"]["code"]) == (409, "NO_ROOM")
    assert again.status_code == 201
    assert not (config.home / "uploads" / kept).exists()
    uploads.remove(config, again.json()["id"])


async def test_an_upload_that_breaks_off_leaves_nothing(serving, database, config, secrets) -> None:
    """Ten gigabytes announced and a few bytes sent: no file, and no room taken."""
    announced = uploads.LARGEST - 1
    async with serving(database, config) as (address, _):
        host, _, port = address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST /uploads?name=a.csv HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secrets['ada']}\r\nContent-Length: {announced}\r\n\r\n"
        writer.write(head.encode() + bytes(3 << 20))
        await writer.drain()
        async with asyncio.timeout(10):
            while not any(path.stat().st_size for path in (config.home / "uploads").iterdir()):  # noqa: ASYNC110 — files have no events
                await asyncio.sleep(0.01)
            writer.close()
            while list((config.home / "uploads").iterdir()):  # noqa: ASYNC110 — files have no events
                await asyncio.sleep(0.01)
        del reader
