"""`POST /webhooks/git/{estate}` over HTTP, on a real database."""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from catalog.records import Estate, IndexRun, Organization
from catalog.values import global_id
from catalog.web import app

SECRET = "open sesame"
A, B = "a" * 40, "b" * 40


def estate(name, **more):
    return Estate(
        id=global_id("Estate", name),
        name=name,
        organization_id="org",
        kind="git",
        path=f"/nowhere/{name}",
        ref="main",
        directory=".",
        writable=True,
        executor="dry_run",
        workflows={},
        removal_limit=20,
        **more,
    )


@pytest.fixture(autouse=True)
async def estates(database, tmp_path):
    """One estate with a secret in the environment, one with a secret in a file, one without; no run yet."""
    (tmp_path / "secret").write_text(f"{SECRET} of a file\n")
    async with database.connection() as connection:
        await connection.execute("truncate organization, pgqueuer cascade")
    async with database.session() as session:
        session.add(Organization(id="org", name="acme", currency="USD"))
        await session.flush()
        session.add(estate("shop", webhook_secret="env:HOOK"))
        session.add(estate("filed", webhook_secret=f"file:{tmp_path}/secret"))
        session.add(estate("unset", webhook_secret="env:NOWHERE"))
        session.add(estate("silent"))
        await session.commit()


@pytest.fixture
async def host(database, config):
    """A Git host's client: it holds no token of the catalog's."""
    made = app.create(database, replace(config, environment={"HOOK": SECRET}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url="http://catalog.test") as client:
        yield client


def push(ref="refs/heads/main", after=A, *, secret=SECRET, event="push"):
    """What GitHub sends: body and headers."""
    body = json.dumps({"ref": ref, "after": after}).encode()
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"content": body, "headers": {"X-GitHub-Event": event, "X-Hub-Signature-256": signature}}


async def runs(database):
    async with database.connection() as connection:
        found = await connection.fetch("select r.id, e.name, r.state, r.asked from index_run r join estate e on e.id = r.estate_id")
        jobs = await connection.fetch("select payload from pgqueuer where entrypoint = 'index_estate'")
    assert sorted(json.loads(job["payload"])["run_id"] for job in jobs) == sorted(row["id"] for row in found)
    return [tuple(row)[1:] for row in found]


async def test_a_push_asks_for_a_run(host, database):
    """A signed push to the estate's branch queues a run and its job, and answers with its id."""
    response = await host.post("/webhooks/git/shop", **push())
    assert response.status_code == 202
    async with database.connection() as connection:
        assert await connection.fetchval("select id from index_run") == response.json()["run"]
    assert await runs(database) == [("shop", "QUEUED", None)]


async def test_the_secret_may_lie_in_a_file(host, database):
    """A reference to a file leads to its content without the line break at its end."""
    assert (await host.post("/webhooks/git/filed", **push(secret=f"{SECRET} of a file"))).status_code == 202
    assert await runs(database) == [("filed", "QUEUED", None)]


async def test_deliveries_that_are_doubled_or_replayed_ask_once(host, database):
    """Whatever comes while a run waits is answered by that run."""
    answers = [(await host.post("/webhooks/git/shop", **push(after=after))).json()["run"] for after in (A, A, B)]
    assert len(set(answers)) == 1
    assert await runs(database) == [("shop", "QUEUED", None)]


@pytest.mark.parametrize(("state", "revision", "count"), [("SUCCEEDED", A, 1), ("RUNNING", A, 1), ("HELD", A, 1), ("FAILED", A, 2), ("SUCCEEDED", B, 2)])  # fmt: skip
async def test_what_has_been_read_is_not_read_again(host, database, state, revision, count):
    """A delivery of the revision that the latest run has read asks for nothing, unless that run failed."""
    async with database.session() as session:
        found = {"id": "run", "estate_id": global_id("Estate", "shop"), "ref": "main", "number": 1, "revision": revision}
        session.add(IndexRun(**found, state=state, started_at=datetime.now(UTC)))
        await session.commit()
    response = await host.post("/webhooks/git/shop", **push())
    assert response.status_code == 202
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from index_run") == count


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (push("refs/heads/feature"), "refs/heads/feature is not the branch that is indexed"),
        (push("refs/heads/main/2"), "refs/heads/main/2 is not the branch that is indexed"),
        (push(after="0" * 40), "the branch was deleted"),
        (push(event="ping"), "nothing was pushed"),
        (push(event="issues"), "nothing was pushed"),
    ],
)
async def test_other_deliveries_ask_for_nothing(host, database, sent, reason):
    """Another branch, a deletion, a ping and other events are taken, with the reason why nothing follows."""
    response = await host.post("/webhooks/git/shop", **sent)
    assert (response.status_code, response.json()) == (202, {"run": None, "reason": reason})
    assert await runs(database) == []


async def test_who_is_not_proven_learns_nothing(host, database):
    """A wrong secret, no signature, an estate without secret and one that doesn't exist get the same refusal."""
    unsigned = push() | {"headers": {"X-GitHub-Event": "push"}}
    answers = [
        await host.post("/webhooks/git/shop", **push(secret="wrong")),
        await host.post("/webhooks/git/shop", **unsigned),
        await host.post("/webhooks/git/silent", **push()),
        await host.post("/webhooks/git/silent", **push(secret="")),
        await host.post("/webhooks/git/unset", **push(secret="")),
        await host.post("/webhooks/git/nowhere", **push()),
        await host.post("/webhooks/git/%00", **push()),
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(403, answers[0].text)}
    assert await runs(database) == []


async def test_a_delivery_that_can_not_be_read_is_refused(host):
    """What is signed and yet no JSON is a client's error."""
    signature = "sha256=" + hmac.new(SECRET.encode(), b"{", hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": "push", "X-Hub-Signature-256": signature}
    response = await host.post("/webhooks/git/shop", content=b"{", headers=headers)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "INVALID")


async def test_a_large_push_is_taken_and_a_huge_one_refused(host):
    """A body may be larger than one of the graph's, up to five MiB."""
    padded = {"ref": "refs/heads/main", "after": A, "commits": ["x" * (1024 * 1024)]}
    body = json.dumps(padded).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": "push", "X-Hub-Signature-256": signature}
    assert (await host.post("/webhooks/git/shop", content=body, headers=headers)).status_code == 202
    assert (await host.post("/webhooks/git/shop", content=b" " * (5 * 1024 * 1024 + 1), headers=headers)).status_code == 413


async def test_only_posts_are_deliveries(host):
    """Another method is none."""
    assert (await host.get("/webhooks/git/shop")).status_code == 405
