"""What the rows of governed provisioning promise, whatever the code above them does."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from catalog import values
from catalog.errors import Conflict, Forbidden
from catalog.records import Approval, ApprovalDecision, ProvisioningRequest, RequestState, RequestStep, StepKind, StepState
from catalog.store import live, notify
from catalog.store import requests as rows

NOW = datetime.now(UTC)


def request_of(world, name, *, target="dev/TERRAFORM/vpc", state=RequestState.AWAITING_APPROVAL, **more):
    ids = {
        kind: values.global_id(kind, *key)
        for kind, key in {"Tenant": ("acme", "core"), "Team": ("acme", "platform"), "Estate": ("acme",)}.items()
    }
    return ProvisioningRequest(
        id=name, estate_id=ids["Estate"], tenant_id=ids["Tenant"], action="APPLY_COMPONENT", state=state, target=target, team_id=ids["Team"], requester_id=world.requester.principal_id,
        executor="dry_run", stack_name="dev", component_name="vpc", component_type="TERRAFORM", created_at=NOW, updated_at=NOW, **more,
    )  # fmt: skip


def step_of(name, ordinal, state=StepState.PENDING, **more):
    return RequestStep(request_id=name, ordinal=ordinal, name=f"s{ordinal}", kind=StepKind.PLAN, state=state, **more)


async def put(world, *requests, steps=()):
    async with world.database.session() as session:
        for request in requests:
            await rows.add(session, request, [step for step in steps if step.request_id == request.id])
        await session.commit()


async def test_one_active_request_holds_a_target(world):
    """A second active request for a target is a Conflict naming the first; a finished one no longer holds it."""
    await put(world, request_of(world, "r1"))
    with pytest.raises(Conflict, match=r"held by request #1 \(AWAITING_APPROVAL\)"):
        await put(world, request_of(world, "r2"))
    await put(
        world,
        request_of(world, "r3", target="dev/TERRAFORM/eks"),
        request_of(world, "r4", target="x", state=RequestState.FAILED),
        request_of(world, "r5", target="x"),
    )
    async with world.database.session() as session:
        assert (await rows.active(session, values.global_id("Estate", "acme"), "x")).id == "r5"
        assert await rows.id_of(session, 1) == "r1"


async def test_the_database_keeps_requester_and_approver_apart(world):
    """Nobody's own approval can be written, whatever code tries; nor a second one, nor one that lies about the requester."""
    await put(world, request_of(world, "r1"))

    async def decide(principal_id, requester_id=world.requester.principal_id):
        async with world.database.session() as session:
            await rows.decide(
                session,
                Approval(
                    request_id="r1",
                    requester_id=requester_id,
                    principal_id=principal_id,
                    decision=ApprovalDecision.APPROVED,
                    digest="d",
                    at=NOW,
                ),
            )
            await session.commit()

    with pytest.raises(Forbidden, match="of their own"):
        await decide(world.requester.principal_id)
    with pytest.raises(Exception, match="approval_request_id_requester_id_fkey"):
        await decide(world.requester.principal_id, requester_id=world.approver.principal_id)
    await decide(world.approver.principal_id)
    with pytest.raises(Conflict, match="already"):
        await decide(world.approver.principal_id)
    async with world.database.session() as session:
        await rows.void_approvals(session, "r1")
        await session.commit()
    await decide(world.approver.principal_id)
    async with world.database.session() as session:
        assert [one.void for one in await rows.approvals(session, "r1")] == [True, False]


async def test_a_key_is_claimed_once(world):
    """A replay gets the stored payload, another body a Conflict, a concurrent duplicate waits for the first."""
    key = {"principal_id": world.requester.principal_id, "mutation": "m", "key": "k"}

    async def duplicate():
        async with world.database.session() as session:
            return await rows.claim(session, **key, body_hash="a")

    async with world.database.session() as session:
        assert await rows.claim(session, **key, body_hash="a") is None
        waiting = asyncio.create_task(duplicate())
        done, _ = await asyncio.wait({waiting}, timeout=0.2)
        assert not done
        await rows.keep(session, **key, payload={"id": "r1"})
        await session.commit()
    assert await waiting == {"id": "r1"}
    async with world.database.session() as session:
        with pytest.raises(Conflict, match="something else"):
            await rows.claim(session, **key, body_hash="b")


async def test_a_key_whose_first_use_failed_is_free(world):
    """When the first use is rolled back, the duplicate that waited goes ahead itself."""
    key = {"principal_id": world.requester.principal_id, "mutation": "m", "key": "k2", "body_hash": "a"}
    async with world.database.session() as first:
        await rows.claim(first, **key)
        async with world.database.session() as second:
            waiting = asyncio.create_task(rows.claim(second, **key))
            await asyncio.wait({waiting}, timeout=0.1)
            await first.rollback()
            assert await waiting is None


async def test_log_lines_count_within_the_request_and_wake(world):
    """Lines of all steps share one sequence without gaps, what Postgres can't hold is replaced, and a listener is woken."""
    await put(world, request_of(world, "r1"))
    messages = notify.listen(world.database, live.CHANNEL)
    assert await anext(messages) is None
    await rows.append_log(world.database, "r1", 0, [(NOW, "STDOUT", "one"), (NOW, "STDERR", "nul \x00 and \ud800")])
    await rows.append_log(world.database, "r1", 1, [(NOW, "SYSTEM", "three")])
    assert await anext(messages) == live.of_request("r1")
    await messages.aclose()
    async with world.database.connection() as connection:
        found = await connection.fetch("select sequence, ordinal, stream, text from step_log order by sequence")
    assert [tuple(row) for row in found] == [
        (1, 0, "STDOUT", "one"),
        (2, 0, "STDERR", "nul \N{REPLACEMENT CHARACTER} and ?"),
        (3, 1, "SYSTEM", "three"),
    ]


async def test_a_request_is_held_by_one(world):
    """A held request can't be held again; when the holder's connection ends, however, it can."""
    async with rows.hold(world.database, "r1") as first:
        assert first is not None
        async with rows.hold(world.database, "r1") as second:
            assert second is None
        async with rows.hold(world.database, "r2") as other:
            assert other is not None
    async with rows.hold(world.database, "r1") as again:
        assert again is not None


async def test_an_estate_is_waited_for(world):
    """Two requests of one estate commit and apply one after the other."""
    order = []

    async def second():
        async with rows.hold(world.database, "r2") as hold, hold.estate("e"):
            order.append("second")

    async with rows.hold(world.database, "r1") as hold:
        async with hold.estate("e"):
            waiting = asyncio.create_task(second())
            await asyncio.wait({waiting}, timeout=0.2)
            order.append("first")
        await waiting
    assert order == ["first", "second"]


async def test_due_is_what_a_worker_must_look_at(world):
    """Moving requests, expired gates and unexamined unknowns are due; waiting, examined and final ones are not."""
    past, later = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
    state = RequestState
    await put(
        world,
        request_of(world, "moving", target="1", state=state.APPROVED),
        request_of(world, "waiting", target="2", expires_at=later),
        request_of(world, "patient", target="3"),
        request_of(world, "late", target="4", expires_at=past),
        request_of(world, "unknown", target="5", state=state.APPLY_UNKNOWN),
        request_of(world, "examined", target="6", state=state.APPLY_UNKNOWN),
        request_of(world, "done", target="7", state=state.SUCCEEDED),
        steps=[step_of("unknown", 0, StepState.UNKNOWN), step_of("examined", 0, StepState.UNKNOWN, error="can't tell")],
    )
    async with world.database.session() as session:
        assert await rows.due(session) == ["moving", "late", "unknown"]


async def test_what_is_not_there_is_null(world):
    """A request without a plan yet has no plan to the database either: JSON's own null would look like one."""
    await put(world, request_of(world, "r1"), steps=[step_of("r1", 0)])
    async with world.database.connection() as connection:
        assert await connection.fetchval("select plan is null and preview is null from provisioning_request")
        assert await connection.fetchval("select intent is null and result is null from request_step")


async def test_one_step_runs_at_a_time(world):
    """The database refuses a second RUNNING step of a request."""
    with pytest.raises(Exception, match="request_step_running"):
        await put(world, request_of(world, "r1"), steps=[step_of("r1", 0, StepState.RUNNING), step_of("r1", 1, StepState.RUNNING)])


async def test_approvers_are_whom_grants_admit_and_gates_name(world):
    """An approver's grant must admit the target; a gate may name teams, by membership, and addresses."""
    target = {
        "tenant_id": values.global_id("Tenant", "acme", "core"),
        "team_id": values.global_id("Team", "acme", "platform"),
        "organization_id": values.global_id("Organization", "acme"),
    }
    async with world.database.session() as session:
        everybody = await rows.approvers(session, **target, named=None)
        team = await rows.approvers(session, **target, named=["team:platform"])
        named = await rows.approvers(session, **target, named=["team:nobody", "other@acme.test", "viewer@acme.test"])
    assert [[one.name for one in found] for found in (everybody, team, named)] == [["Approver", "Other"], ["Approver"], ["Other"]]


async def test_a_log_line_does_not_wait_for_a_decision(world):
    """Who writes lines holds the request's events, who decides holds its row and needs the events to commit: neither may wait for both."""
    await put(world, request_of(world, "req_lines", target="dev/TERRAFORM/lines"), steps=[step_of("req_lines", 0)])
    async with world.database.session() as session:
        found = await rows.lock(session, "req_lines")
        await rows.step(session, "req_lines", 0)
        async with asyncio.timeout(20):
            await rows.append_log(world.database, "req_lines", 0, [(NOW, "SYSTEM", "while somebody decides")])
        found.state = RequestState.REJECTED
        await session.commit()
