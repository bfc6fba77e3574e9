"""What people do about services, tokens and runs is in the audit log: each thing done is one event, a repetition or a refusal is none."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from catalog.access import principals
from catalog.records import Role
from catalog.store import audit

LOG = """query($subject: ID!) { auditLog(first: 20, where: {subject: $subject}) {
  nodes { action actor detail subject { __typename id } } } }"""
REGISTER = (
    """mutation($input: RegisterServiceInput!) { registerService(input: $input) { service { id } errors { code message } } }"""
)
UPDATE = """mutation($input: UpdateServiceInput!) { updateService(input: $input) { service { id } errors { code message } } }"""
RETIRE = """mutation($input: RetireServiceInput!) { retireService(input: $input) { service { id } errors { code message } } }"""
CREATE = """mutation($input: CreateAccessTokenInput!) { createAccessToken(input: $input) {
  accessToken { id prefix } secret errors { code message } } }"""
REVOKE = """mutation($input: RevokeAccessTokenInput!) { revokeAccessToken(input: $input) {
  accessToken { id revokedAt } errors { code message } } }"""
INDEX = """mutation($input: IndexEstateInput!) { indexEstate(input: $input) { run { id } errors { code message } } }"""
CONFIRM = (
    """mutation($input: ConfirmIndexRunInput!) { confirmIndexRun(input: $input) { run { id state } errors { code message } } }"""
)


@pytest.fixture
def act(graph, world):
    """Run a mutation as a viewer and return its payload."""

    async def call(viewer, document, **given):
        answer = json.loads((await graph.execute(document, {"input": given}, None, world.viewers()[viewer])).body)
        assert "errors" not in answer, answer
        return next(iter(answer["data"].values()))

    return call


@pytest.fixture
def told(graph, world, database):
    """The events about a thing, the first one first, as an admin reads them; the chain proves them all."""

    async def call(subject):
        answer = json.loads((await graph.execute(LOG, {"subject": subject}, None, world.viewers()["admin"])).body)
        assert "errors" not in answer, answer
        async with database.session() as session:
            assert await audit.broken(session) is None
        return answer["data"]["auditLog"]["nodes"][::-1]

    return call


async def test_what_is_done_about_a_service(act, told) -> None:
    """Registering, changing and retiring are told with what changed; replays, refusals and what changes nothing aren't."""
    given = {
        "idempotencyKey": "audit",
        "slug": "audited",
        "title": "Audited",
        "owner": "payments",
        "components": [{"name": "vpc", "layer": "INFRASTRUCTURE"}],
    }
    made = (await act("pay", REGISTER, **given))["service"]["id"]
    await act("pay", REGISTER, **given)
    assert (await act("asker", UPDATE, slug="audited", tier=1))["errors"]
    for _ in range(2):
        await act("pay", UPDATE, slug="audited", tier=1, description="Seen")
    for _ in range(2):
        await act("admin", RETIRE, slug="audited", reason="over")
    events = await told(made)
    assert [(one["action"], one["actor"], one["detail"]) for one in events] == [
        ("registerService", "pay", {"slug": "audited", "owner": "payments"}),
        ("updateService", "pay", {"slug": "audited", "version": 2, "changed": ["description", "tier"]}),
        ("retireService", "admin", {"slug": "audited", "reason": "over"}),
    ]
    assert {(one["subject"]["__typename"], one["subject"]["id"]) for one in events} == {("Service", made)}


async def test_what_is_done_about_a_token(act, told, database) -> None:
    """Making and revoking one are told, without its secret; revoking it again keeps when it ended, and is not told."""
    async with database.session() as session:
        await principals.add(session, "robot@acme.test", Role.VIEWER)
        await session.commit()
    assert (await act("pay", CREATE, principal="robot@acme.test", name="audited"))["errors"]
    made = await act("admin", CREATE, principal="robot@acme.test", name="audited", expiresAt="2099-01-01T00:00:00Z")
    token = made["accessToken"]
    assert (await act("pay", REVOKE, id=token["id"]))["errors"]
    ended = [(await act("admin", REVOKE, id=token["id"]))["accessToken"]["revokedAt"] for _ in range(2)]
    assert ended[0] == ended[1] is not None
    events = await told(token["id"])
    detail = {
        "principal": "robot@acme.test",
        "name": "audited",
        "prefix": token["prefix"],
        "expiresAt": "2099-01-01T00:00:00+00:00",
    }
    assert [(one["action"], one["actor"], one["detail"]) for one in events] == [
        ("createAccessToken", "admin", detail),
        ("revokeAccessToken", "admin", {}),
    ]
    assert made["secret"] not in json.dumps(events)


async def test_what_is_done_about_a_run(act, told, database) -> None:
    """Asking for a run and deciding on a held one are told once; what only an admin may do is not told of others."""
    assert (await act("pay", INDEX, estate="acme-infra", idempotencyKey="audit"))["errors"]
    runs = {(await act("admin", INDEX, estate="acme-infra", idempotencyKey="audit"))["run"]["id"] for _ in range(2)}
    (asked,) = runs
    assert [(one["action"], one["detail"]) for one in await told(asked)] == [
        ("indexEstate", {"estate": "acme-infra", "revision": None})
    ]
    async with database.session() as session:
        await session.execute(
            text("update index_run set state = 'HELD', held_reason = 'too much', removal_digest = 'd' where id = :run"),
            {"run": asked},
        )
        await session.commit()
    for _ in range(2):
        assert (await act("admin", CONFIRM, id=asked, accept=False, reason="by mistake"))["errors"] == []
    assert [(one["action"], one["detail"]) for one in await told(asked)][1:] == [
        ("confirmIndexRun", {"accept": False, "reason": "by mistake"})
    ]
