"""What HTTP adds to an answer: tags, compression, and pages of other origins."""

from __future__ import annotations

import dataclasses

import httpx
import pytest
import pytest_asyncio

from catalog import config as configuration
from catalog import errors
from catalog.access import principals, tokens
from catalog.records import Role
from catalog.web import app, conditional

ORIGIN = "http://catalog.test"
PORTAL = "https://portal.example.org"
QUERY = "{ viewer { name } }"


async def _added(database, email: str, name: str) -> str:
    async with database.session() as session:
        await principals.add(session, email, Role.VIEWER, name=name)
        secret = await tokens.create(session, email, name="test")
        await session.commit()
    return secret


@pytest_asyncio.fixture(loop_scope="session")
async def client(database, config):
    """A program that sends a viewer's token; pages of one other origin may call too."""
    made = app.create(database, dataclasses.replace(config, cors_origins=(PORTAL,)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url=ORIGIN) as client:
        client.headers["Authorization"] = f"Bearer {await _added(database, 'ada@example.org', 'Ada')}"
        yield client


async def test_same_answer_is_not_sent_twice(client):
    """A query by GET carries a tag; who has the answer of that tag gets 304 without a body, also through a list of tags."""
    first = await client.get("/graphql", params={"query": QUERY})
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert {"Authorization", "Cookie"} <= {part.strip() for part in first.headers["vary"].split(",")}
    for given in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = await client.get("/graphql", params={"query": QUERY}, headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await client.get("/graphql", params={"query": QUERY}, headers={"If-None-Match": '"other"'})).status_code == 200


async def test_other_answers_have_other_tags(client, database):
    """Changed data, another viewer and another media type each make another tag, so nobody is told to keep what is stale."""
    tag = (await client.get("/graphql", params={"query": QUERY})).headers["etag"]
    kept = {"If-None-Match": tag}
    typed = {"Accept": "application/graphql-response+json"}
    assert (await client.get("/graphql", params={"query": QUERY}, headers=kept | typed)).status_code == 200
    other = {"Authorization": f"Bearer {await _added(database, 'bob@example.org', 'Bob')}"}
    assert (await client.get("/graphql", params={"query": QUERY}, headers=kept | other)).json()["data"]["viewer"]["name"] == "Bob"
    async with database.session() as session:
        await principals.add(session, "ada@example.org", Role.VIEWER, name="Countess")
        await session.commit()
    changed = await client.get("/graphql", params={"query": QUERY}, headers=kept)
    assert changed.json()["data"]["viewer"]["name"] == "Countess"


@pytest.mark.parametrize("query", ["{ nothing }", "{", "{ services(first: 1000) { totalCount } }"])
async def test_refusals_are_not_kept(client, query):
    """What was refused has no tag and may not be stored."""
    answer = await client.get("/graphql", params={"query": query})
    assert "etag" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


async def test_posted_answers_are_not_kept(client):
    """A POST has no tag: nothing between the client and the catalog may answer in its place."""
    answer = await client.post("/graphql", json={"query": QUERY}, headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.headers.get("etag"), answer.headers["cache-control"]) == (200, None, "no-store")


@pytest.mark.parametrize(
    ("given", "named"),
    [(None, False), ("", False), ('"a"', True), ('W/"a"', True), ('"b" , W/"a"', True), ("*", True), ('"b"', False), ("a", False)],
)
def test_tags_are_compared_weakly(given, named):
    """Strong or weak, alone or in a list, a tag is found; nothing else is."""
    assert conditional.matches(given, 'W/"a"') is named


async def test_large_answers_are_compressed(client):
    """An answer of more than a kilobyte is compressed for who takes that, and reads the same."""
    query = "{ __schema { types { name description } } }"
    small = await client.post("/graphql", json={"query": query}, headers={"Accept-Encoding": "gzip"})
    plain = await client.post("/graphql", json={"query": query}, headers={"Accept-Encoding": "identity"})
    assert small.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert "Accept-Encoding" in small.headers["vary"]
    assert int(small.headers["content-length"]) < len(plain.content) / 2
    assert small.json()["data"] == plain.json()["data"]


_ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}


async def test_configured_origins_may_call(client):
    """A page of a configured origin may send a token and read the answer, its id and its tag; a cookie never comes along."""
    before = await client.options("/graphql", headers=_ASKS | {"Origin": PORTAL})
    assert before.status_code == 200
    assert before.headers["access-control-allow-origin"] == PORTAL
    assert "authorization" in before.headers["access-control-allow-headers"].lower()
    answer = await client.post("/graphql", json={"query": QUERY}, headers={"Origin": PORTAL})
    assert answer.json()["data"]
    assert answer.headers["access-control-allow-origin"] == PORTAL
    assert {"ETag", "X-Request-Id"} <= set(answer.headers["access-control-expose-headers"].split(", "))
    for each in (before, answer):
        assert "access-control-allow-credentials" not in each.headers
        assert "Origin" in each.headers["vary"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", PORTAL + ".evil.example", PORTAL.upper(), "http://portal.example.org"]
)
async def test_other_origins_may_not(client, origin):
    """A browser that asks for another origin is not told that it may read anything."""
    before = await client.options("/graphql", headers=_ASKS | {"Origin": origin})
    assert before.status_code == 400
    answer = await client.post("/graphql", json={"query": QUERY}, headers={"Origin": origin})
    for each in (before, answer):
        assert "access-control-allow-origin" not in each.headers


async def test_no_origin_may_unless_configured(database, config):
    """Without configuration no page of another origin may read."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.create(database, config)), base_url=ORIGIN) as client:
        answer = await client.options("/graphql", headers=_ASKS | {"Origin": PORTAL})
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("text", "origins"),
    [("", ()), (" , ", ()), ("https://a.example", ("https://a.example",)), ("HTTP://A:8/, https://b", ("http://a:8", "https://b"))],
)
def test_origins_are_read_from_the_environment(text, origins):
    """CATALOG_CORS_ORIGINS names origins, separated by commas."""
    assert configuration.read({"CATALOG_CORS_ORIGINS": text}).cors_origins == origins


@pytest.mark.parametrize(
    "text", ["*", "portal.example.org", "https://a/b", "https://*.example.org", "ftp://a", "https://u@a", "null"]
)
def test_what_is_no_origin_is_refused(text):
    """No wildcard, no path, no scheme but that of the web: a slip must not open the catalog to everybody."""
    with pytest.raises(errors.WrongUse, match="CATALOG_CORS_ORIGINS"):
        configuration.read({"CATALOG_CORS_ORIGINS": text})
