"""Subscriptions over a real socket: what is told, to whom, and what ends a conversation."""

import asyncio
import contextlib
import json

import graph_world
import httpx
import pytest
import pytest_asyncio
import websockets
from sqlalchemy import delete, select, update
from sqlmodel import col

from catalog.access import principals, tokens
from catalog.records import AccessToken, Grant, Principal, Role
from catalog.store import requests as rows
from catalog.values import global_id
from catalog.web import live, websocket

REQUEST = global_id("ProvisioningRequest", "6")  # PLANNING
FOLLOW = """
subscription ($id: ID!, $after: Int) {
  provisioningRequest(id: $id, after: $after) { sequence kind step line { text } request { state } }
}
"""


_RUN = """
insert into index_run (id, estate_id, ref, number, state, started_at, backfill, manifests, stacks, component_instances, added, changed,
    removed, unchanged)
select $1, id, ref, 1, 'RUNNING', now(), false, 0, 0, 0, 0, 0, 0, 0 from estate where name = 'acme-infra' limit 1
"""
_CHANGE = """
insert into change (id, estate_id, run_id, tenant_id, kind, instance_id, stack_name, component_type, component_name, values, revision, at)
select $1, i.estate_id, (select r.id from index_run r where r.estate_id = i.estate_id and not r.backfill limit 1), i.tenant_id, 'ADDED', i.id,
    's', i.type, i.name, '[]', $2, now()
from component_instance i join tenant t on t.id = i.tenant_id where t.name = 'core' and not t.hidden limit 1
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def secrets(database):
    """A token of each principal of the world, by name."""
    await graph_world.load(database, graph_world.World())
    async with database.session() as session:
        made = {name: await tokens.create(session, f"{name}@acme.test", name="live") for name in ("admin", "main", "pay")}
        await session.commit()
    return made


@contextlib.asynccontextmanager
async def connected(address, secret=None, *, protocol=websocket.PROTOCOL, init=True, **options):
    """A websocket, initialised with a token."""
    async with websockets.connect(f"ws://{address}/graphql", subprotocols=[protocol], **options) as socket:
        if init:
            await say(socket, type="connection_init", payload={"Authorization": f"Bearer {secret}"} if secret else {})
            assert (await heard(socket))["type"] == "connection_ack"
        yield socket


async def say(socket, **message):
    """Send a message."""
    await socket.send(json.dumps(message))


async def heard(socket):
    """The next message."""
    return json.loads(await asyncio.wait_for(socket.recv(), 10))


async def closed(socket):
    """The code that the other side closed with."""
    try:
        while True:
            await heard(socket)
    except websockets.ConnectionClosed as end:
        return end.rcvd.code


async def subscribe(socket, document, name="1", **variables):
    """Start an operation."""
    await say(socket, type="subscribe", id=name, payload={"query": document, "variables": variables})


async def log(database, *texts):
    """Say lines of the request."""
    now = graph_world.at(0)
    await rows.append_log(database, REQUEST, 0, [(now, "STDOUT", text) for text in texts])


async def test_events_come_in_order_and_resume(served, database, secrets):
    """Everything behind a sequence comes, then what happens meanwhile; a client that resumes gets what followed its last one."""
    await log(database, "before")
    async with connected(served, secrets["admin"]) as socket:
        await subscribe(socket, FOLLOW, id=REQUEST, after=0)
        told = [await heard(socket)]
        while told[-1]["payload"]["data"]["provisioningRequest"]["line"]["text"] != "before":
            told.append(await heard(socket))
        await log(database, "one", "two")
        told += [await heard(socket), await heard(socket)]
    events = [message["payload"]["data"]["provisioningRequest"] for message in told]
    sequences = [event["sequence"] for event in events]
    assert sequences == sorted(set(sequences))
    assert [event["line"]["text"] for event in events[-2:]] == ["one", "two"]
    async with connected(served, secrets["admin"]) as socket:
        await subscribe(socket, FOLLOW, id=REQUEST, after=sequences[-2])
        assert (await heard(socket))["payload"]["data"]["provisioningRequest"]["line"]["text"] == "two"


async def test_a_request_out_of_sight_is_not_there(served, secrets):
    """Who may not see a request hears what who asks for one that doesn't exist hears."""
    async with connected(served, secrets["main"]) as socket:
        for name, asked in (("hidden", REQUEST), ("missing", "prq_missing")):
            await subscribe(socket, FOLLOW, name, id=asked)
            message = await heard(socket)
            assert (message["type"], message["id"]) == ("error", name)
            assert [error["extensions"]["code"] for error in message["payload"]] == ["NOT_FOUND"]


async def test_a_lost_grant_ends_what_it_showed(served, database, secrets):
    """When a viewer may not see a request any more, its subscription ends at once, and nothing later is told."""
    async with database.session() as session:
        await principals.add(session, "watcher@acme.test", Role.ADMIN, name="Watcher")
        secret = await tokens.create(session, "watcher@acme.test", name="live")
        await session.commit()
    async with connected(served, secret) as socket:
        await subscribe(socket, FOLLOW, id=REQUEST, after=0)
        assert (await heard(socket))["type"] == "next"
        async with database.session() as session:
            owner = select(col(Principal.id)).where(col(Principal.email) == "watcher@acme.test").scalar_subquery()
            await session.execute(delete(Grant).where(col(Grant.principal_id) == owner))
            await session.commit()
        while (message := await heard(socket))["type"] == "next":
            pass
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == "NOT_FOUND"
        await log(database, "unheard")
        await say(socket, type="ping")
        assert (await heard(socket))["type"] == "pong"


async def test_a_revoked_token_closes_the_connection(served, database, secrets):
    """A connection doesn't outlive the token that opened it."""
    async with connected(served, secrets["pay"]) as socket:
        await subscribe(socket, "subscription { catalogChanges { sequence } }")
        await subscribe(socket, "{ viewer { name } }", "2")
        assert (await heard(socket))["id"] == "2"
        async with database.session() as session:
            owner = global_id("Principal", "pay@acme.test")
            await session.execute(
                update(AccessToken).where(col(AccessToken.principal_id) == owner).values(revoked_at=graph_world.at(0))
            )
            await session.commit()
        assert await closed(socket) == websocket.FORBIDDEN


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        # CVE-2026-35523: nothing is answered before who asks has been proven.
        ([{"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { name } }"}}], websocket.UNAUTHORIZED),
        ([{"type": "connection_init"}], websocket.FORBIDDEN),
        ([{"type": "connection_init", "payload": {"Authorization": "Bearer atc_wrong"}}], websocket.FORBIDDEN),
        ([{"type": "connection_init", "payload": {"Authorization": 1}}], websocket.FORBIDDEN),
        ([{"type": "start"}], websocket.UNAUTHORIZED),
        (["no"], websocket.BAD_MESSAGE),
    ],
)
async def test_a_beginning_without_proof_ends_the_connection(served, secrets, messages, code):
    """Before the acknowledgement nothing but a proof is accepted."""
    async with connected(served, init=False) as socket:
        for message in messages:
            await socket.send(message if isinstance(message, str) else json.dumps(message))
        assert await closed(socket) == code


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([{"type": "connection_init"}], websocket.INITIALISED_TWICE),
        ([{"type": "start", "id": "1"}], websocket.BAD_MESSAGE),
        ([{"type": "subscribe", "payload": {"query": "{ viewer { name } }"}}], websocket.BAD_MESSAGE),
        ([{"type": "subscribe", "id": "1", "payload": {}}], websocket.BAD_MESSAGE),
        ([{"type": "ping", "payload": 1}], websocket.BAD_MESSAGE),
        (
            [{"type": "subscribe", "id": "1", "payload": {"query": "subscription { indexRun { sequence } }"}}] * 2,
            websocket.DUPLICATE,
        ),
    ],
)
async def test_a_message_against_the_protocol_ends_the_connection(served, secrets, messages, code):
    """What the protocol doesn't allow closes the connection with the protocol's code."""
    async with connected(served, secrets["admin"]) as socket:
        for message in messages:
            await say(socket, **message)
        assert await closed(socket) == code


async def test_the_older_protocol_is_refused(served):
    """CVE-2026-35523: `graphql-ws`, which let subscriptions begin without a proof, isn't spoken."""
    async with websockets.connect(f"ws://{served}/graphql", subprotocols=["graphql-ws"]) as socket:
        assert await closed(socket) == websocket.PROTOCOL_REFUSED


async def test_a_cookie_from_another_origin_is_no_proof(served, secrets):
    """A page of another origin can open a websocket with the browser's cookie: it proves nothing."""
    headers = {"Cookie": f"catalog_session={secrets['admin']}"}
    for origin, code in (("http://evil.example", websocket.FORBIDDEN), (f"http://{served}", None)):
        async with connected(served, init=False, additional_headers=headers, origin=origin) as socket:
            await say(socket, type="connection_init")
            if code is None:
                assert (await heard(socket))["type"] == "connection_ack"
            else:
                assert await closed(socket) == code


async def test_runs_tell_their_states(served, database, secrets):
    """Each state that a run enters is an event, for who sees its estate; another estate's are none of a subscription to one."""
    run = global_id("IndexRun", "live")
    document = 'subscription { indexRun(estate: "acme-infra", after: 0) { sequence done total run { id state } } }'
    async with connected(served, secrets["admin"]) as socket:
        await subscribe(socket, document)
        async with database.connection() as connection:
            await connection.execute(_RUN, run)
            await connection.execute("update index_run set state = 'SUCCEEDED', stacks = 7 where id = $1", run)
        told = []
        while not told or told[-1]["total"] is None:
            message = await heard(socket)
            event = message["payload"]["data"]["indexRun"]
            told += [event] if event["run"]["id"] == run else []
    assert told[-1]["run"]["state"] == "SUCCEEDED"
    assert (told[-1]["done"], told[-1]["total"]) == (7, 7)


async def test_changes_are_told_to_who_sees_them(served, database, secrets):
    """A change reaches who sees its instance, and a filter asks only for some; another tenant's viewer hears nothing of it."""
    document = 'subscription { catalogChanges(after: 0, where: {revision: {eq: "told"}}) { sequence change { kind revision } } }'
    async with connected(served, secrets["admin"]) as admin, connected(served, secrets["main"]) as main:
        for socket in (admin, main):
            await subscribe(socket, document)
        async with database.connection() as connection:
            await connection.execute(_CHANGE, "chg_live_1", "else")
            await connection.execute(_CHANGE, "chg_live_2", "told")
        assert (await heard(admin))["payload"]["data"]["catalogChanges"]["change"]["revision"] == "told"
        await subscribe(main, "{ viewer { name } }", "3")
        assert (await heard(main))["id"] == "3"


async def test_subscriptions_are_counted(served, secrets):
    """CVE-2026-35526: so many operations a connection, so many subscriptions a viewer; one too many is refused, the others go on."""
    document = "subscription { indexRun { sequence } }"
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(connected(served, secrets["admin"])) for _ in range(3)]
        for socket in sockets[:2]:
            for number in range(live.PER_CONNECTION):
                await subscribe(socket, document, str(number))
            await say(socket, type="ping")
            assert (await heard(socket))["type"] == "pong"
        for socket in (sockets[0], sockets[2]):
            await subscribe(socket, document, "more")
            message = await heard(socket)
            assert (message["id"], message["type"]) == ("more", "error")
            assert message["payload"][0]["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
        await say(sockets[0], type="complete", id="0")
        await say(sockets[0], type="ping")
        assert (await heard(sockets[0]))["type"] == "pong"


async def test_what_is_wrong_with_an_operation_is_its_error(served, secrets):
    """A document that doesn't hold ends its operation, not the connection."""
    async with connected(served, secrets["admin"]) as socket:
        await subscribe(socket, "subscription { nothing }", "a")
        await subscribe(socket, "subscription { indexRun(after: -1) { sequence } }", "b")
        codes = {}
        for _ in range(2):
            message = await heard(socket)
            codes[message["id"]] = message["payload"][0]["extensions"]["code"]
        assert codes == {"a": "GRAPHQL_VALIDATION_FAILED", "b": "BAD_USER_INPUT"}


async def test_server_sent_events_resume_by_their_id(served, database, secrets):
    """A stream tells events with their sequence as id; `Last-Event-ID` resumes behind one."""
    await log(database, "streamed", "last")
    headers = {"Authorization": f"Bearer {secrets['admin']}", "Accept": "text/event-stream"}
    body = {"query": FOLLOW, "variables": {"id": REQUEST, "after": 0}}
    async with httpx.AsyncClient(base_url=f"http://{served}", headers=headers, timeout=10) as client:

        async def read(until, **more):
            async with client.stream("POST", "/graphql", json=body, headers=more) as response:
                assert response.headers["content-type"].startswith("text/event-stream")
                lines = []
                async for line in response.aiter_lines():
                    lines.append(line)
                    if until in line:
                        break
                return lines

        lines = await read('"last"')
        ids = [line.removeprefix("id: ") for line in lines if line.startswith("id: ")]
        again = await read('"last"', **{"Last-Event-ID": ids[-2]})
        assert [line for line in again if line.startswith("id: ")] == [f"id: {ids[-1]}"]
        refused = await client.post("/graphql", json={"query": "subscription { nothing }"})
        assert "GRAPHQL_VALIDATION_FAILED" in refused.text
        assert refused.text.endswith("event: complete\ndata:\n\n")


async def test_a_subscription_needs_a_stream(served, secrets):
    """Asked for in a plain request, a subscription is refused with the ways to subscribe."""
    headers = {"Authorization": f"Bearer {secrets['admin']}"}
    async with httpx.AsyncClient(base_url=f"http://{served}", headers=headers) as client:
        answer = await client.post("/graphql", json={"query": "subscription { indexRun { sequence } }"})
        assert answer.json()["errors"][0]["extensions"]["code"] == "SUBSCRIPTION"
