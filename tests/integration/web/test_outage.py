"""The web while its database is down, and after it has come back."""

import asyncio

import httpx
import pytest

from catalog.access import principals, tokens
from catalog.config import Config
from catalog.records import Role
from catalog.store import embedded, migrations
from catalog.store.database import Database
from catalog.web import app


@pytest.fixture
async def outage(home):
    """A server of its own, and a web on it that knows nothing of how it is run."""
    server = await asyncio.to_thread(embedded.start, home)
    config = Config(home=home, database_url=server.url)
    database = await Database.open(config)
    await migrations.upgrade(database)
    async with database.session() as session:
        await principals.add(session, "ada@example.org", Role.ADMIN)
        secret = await tokens.create(session, "ada@example.org", name="test")
        await session.commit()
    transport = httpx.ASGITransport(app.create(database, config))
    headers = {"Authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://catalog", headers=headers) as client:
        yield client, server
    await database.close()


async def test_outage_is_said_and_ends(outage, home):
    """While Postgres is down every path says so with 503 and the process lives; when it is back, so is the graph."""
    client, server = outage
    query = {"query": "{ viewer { email } }"}
    assert (await client.post("/graphql", json=query)).status_code == 200
    await asyncio.to_thread(server.close)
    answer = await client.post("/graphql", json=query)
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
    assert (await client.get("/livez")).status_code == 200
    client.headers.pop("Authorization")
    page = await client.get("/")
    assert (page.status_code, "The database does not answer" in page.text) == (200, True)
    again = await asyncio.to_thread(embedded.start, home)
    assert (await client.get("/readyz")).json()["reasons"] == ["no estate has been indexed yet"]
    await asyncio.to_thread(again.close)
