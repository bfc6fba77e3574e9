"""Workers that die: nothing is lost, nothing is applied blindly, and the request says what is known."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from catalog.errors import Conflict, Forbidden
from catalog.executors import supervise
from catalog.provisioning import context, requests
from catalog.provisioning.requests import UnknownOutcome
from catalog.records import RequestState, StepState
from catalog.store import requests as rows

pytestmark = pytest.mark.terraform

DEAD = {"host": os.uname().nodename, "pid": 2**22 - 1, "start": "1"}


async def interrupt(world, made, ordinal, *, state, attempt=1, **more):
    """Leave the rows as a worker leaves them that dies while the step runs."""
    async with world.database.session() as session:
        found = await rows.lock(session, made.id)
        step = (await rows.steps(session, made.id))[ordinal]
        found.state, step.state, step.attempt, step.intent = state, StepState.RUNNING, attempt, {**DEAD, **more}
        await session.commit()


async def wait_for(file: Path):
    while not file.exists():  # noqa: ASYNC110, ASYNC240 — another process makes it
        await asyncio.sleep(0.05)


async def start_worker(world, made):
    script = Path(__file__).with_name("advancing.py")
    return await asyncio.create_subprocess_exec(
        sys.executable, str(script), str(world.config.home), world.config.database_url, made.id
    )


async def test_a_worker_killed_while_applying_leaves_an_unknown_that_a_person_resolves(world, tmp_path):
    """kill -9 during apply: the next worker waits for terraform's end, plans afresh, applies nothing, and says what is left.

    The half-made resource would have to be replaced, which nobody approved; a person says so, and is asked anew.
    """
    made = await world.request({"seconds": 60, "marks": str(tmp_path)})
    worker = world.worker()
    await worker.advance(made)
    await world.approve(made)
    process = await start_worker(world, made)
    await wait_for(tmp_path / "begun")
    process.send_signal(signal.SIGKILL)
    await process.wait()

    found, steps = await world.look(made)
    assert (found.state, steps[2].state) == (RequestState.PROVISIONING, StepState.RUNNING)
    await worker.advance(made)
    found, steps = await world.look(made)
    assert (found.state, steps[2].state) == (RequestState.APPLY_UNKNOWN, StepState.UNKNOWN)
    assert "replace terraform_data.slow[0]" in steps[2].error
    assert "catalog resolve" in steps[2].hint
    assert world.repository.head() == found.commit
    assert (tmp_path / "begun").read_text() == "begun\n"
    assert not context.lives(steps[2].intent["program"])
    async with world.database.session() as session:
        assert await rows.due(session) == []

    async def resolve(scope, outcome=UnknownOutcome.NOT_APPLIED):
        return await requests.resolve(world.database, world.config, scope, made.id, outcome=outcome, comment="looked at it")

    with pytest.raises(Forbidden):
        await resolve(world.requester)
    with pytest.raises(Forbidden):
        await resolve(world.viewer)
    await resolve(world.approver)
    with pytest.raises(Conflict, match="not unknown"):
        await resolve(world.approver)
    await worker.advance(made)
    found, steps = await world.look(made)
    assert (found.state, steps[1].state) == (RequestState.AWAITING_APPROVAL, StepState.WAITING)
    assert any("replace terraform_data.slow[0]" in line for line in steps[1].result["difference"])

    (tmp_path / "go").touch()
    await world.approve(made)
    await worker.advance(made)
    found, steps = await world.look(made)
    assert (found.state, steps[2].state) == (RequestState.SUCCEEDED, StepState.SUCCEEDED)
    assert world.repository.find("Atmos-Request-Id", made.id) == world.repository.head() == found.commit


async def test_what_turns_out_done_is_done(world):
    """When the worker died after the apply and before its outcome, a fresh plan finds nothing left: the request succeeds."""
    worker = world.worker()
    made = await world.request()
    await worker.advance(made)
    await world.approve(made)
    await worker.advance(made)
    found, steps = await world.look(made)
    serial = steps[2].result["applied"][0]["serial"]
    async with world.database.connection() as connection:
        await connection.execute("update provisioning_request set state = 'PROVISIONING', finished_at = null")
    await interrupt(world, made, 2, state=RequestState.PROVISIONING, phase="apply", commit=found.commit)
    await worker.advance(made)
    found, steps = await world.look(made)
    assert (found.state, steps[2].attempt) == (RequestState.SUCCEEDED, 2)
    assert "a fresh plan found nothing left to do" in steps[2].summary
    assert steps[2].result["applied"][0]["serial"] == serial


async def test_what_is_left_and_approved_is_continued(world):
    """When the worker died before anything was applied, what is left is what was approved: it is applied, once."""
    worker = world.worker()
    made = await world.request({})
    await worker.advance(made)
    await world.approve(made)
    await interrupt(world, made, 2, state=RequestState.PROVISIONING, phase="apply")
    await worker.advance(made)
    found, steps = await world.look(made)
    assert (found.state, steps[2].summary) == (RequestState.SUCCEEDED, "applied: 1 to create, at attempt 2 after an interruption")
    assert any("within what was approved" in line for line in await world.log(made))


async def test_a_commit_that_was_not_written_down_is_found(world):
    """When the worker died between commit and outcome, the commit is found by its trailer and not made twice."""
    worker = world.worker()
    made = await world.request()
    await worker.advance(made)
    await world.approve(made)
    text = world.repository.tree().read("stacks/orgs/dev.yaml").replace(b"Team: platform ", b"Team: payments ")
    commit = world.repository.commit(
        world.repository.head(), {"stacks/orgs/dev.yaml": text}, message="x", trailers={"Atmos-Request-Id": made.id}
    )
    await interrupt(world, made, 2, state=RequestState.PROVISIONING)
    await worker.advance(made)
    found, _ = await world.look(made)
    assert (found.state, found.commit, world.repository.head()) == (RequestState.SUCCEEDED, commit, commit)


async def test_an_interrupted_plan_begins_again_three_times_at_most(world):
    """A plan has no effect, so it begins again; a plan that keeps killing its worker fails after three attempts."""
    worker = world.worker()
    made = await world.request()
    await interrupt(world, made, 0, state=RequestState.PLANNING)
    await worker.advance(made)
    found, steps = await world.look(made)
    assert (found.state, steps[0].attempt) == (RequestState.AWAITING_APPROVAL, 2)

    again = await world.request(key="again", component="eks")
    await interrupt(world, again, 0, state=RequestState.PLANNING, attempt=3)
    await worker.advance(again)
    found, steps = await world.look(again)
    assert (found.state, steps[0].state) == (RequestState.FAILED, StepState.FAILED)
    assert "3 times" in steps[0].error


async def test_a_step_whose_worker_lives_is_left_alone(world):
    """A RUNNING step of a process that still lives is nobody else's, even when its connection was lost."""
    worker = world.worker()
    made = await world.request()
    await interrupt(world, made, 0, state=RequestState.PLANNING, **context.intent(supervise.identity(os.getppid())))
    await worker.advance(made)
    _, steps = await world.look(made)
    assert (steps[0].state, steps[0].attempt) == (StepState.RUNNING, 1)


async def test_a_worker_that_loses_its_database_connections_writes_what_came_of_it(world, tmp_path):
    """When every connection is cut while it applies, the worker finishes, and its outcome is written as if nothing had been."""
    made = await world.request({"seconds": 2, "marks": str(tmp_path)})
    worker = world.worker()
    await worker.advance(made)
    await world.approve(made)
    applying = asyncio.create_task(worker.advance(made))
    await wait_for(tmp_path / "begun")
    async with world.database.connection() as connection:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
    await applying
    found, steps = await world.look(made)
    assert (found.state, steps[2].state, steps[2].attempt) == (RequestState.SUCCEEDED, StepState.SUCCEEDED, 1)
    assert (tmp_path / "begun").read_text() == "begun\n"


async def leave_unknown(world, made):
    """Leave the rows as an examination leaves them that could not tell."""
    await interrupt(world, made, 2, state=RequestState.PROVISIONING, phase="apply")
    async with world.database.session() as session:
        found, (plan, gate, step) = await rows.lock(session, made.id), await rows.steps(session, made.id)
        plan.state = gate.state = StepState.SUCCEEDED
        found.state, step.state, step.error = RequestState.APPLY_UNKNOWN, StepState.UNKNOWN, "can't tell"
        await session.commit()


async def test_an_abandoned_request_ends(world):
    """ABANDON ends a request of unknown outcome as FAILED and frees its target."""
    made = await world.request()
    await leave_unknown(world, made)
    ended = await requests.resolve(
        world.database, world.config, world.approver, made.id, outcome=UnknownOutcome.ABANDON, comment="enough"
    )
    assert ended.state == RequestState.FAILED
    await world.request(key="again")


async def test_an_unknown_outcome_can_be_called_off(world):
    """Its requester may give up on a request of unknown outcome; the next request is planned from what is there."""
    made = await world.request()
    await leave_unknown(world, made)
    cancelled = await requests.cancel(world.database, world.config, world.requester, made.id)
    assert cancelled.state == RequestState.CANCELLED
    _, steps = await world.look(made)
    assert [step.state for step in steps] == [StepState.SUCCEEDED, StepState.SUCCEEDED, StepState.CANCELLED]
    worker = world.worker()
    again = await world.request(key="again")
    await worker.advance(again)
    await world.approve(again)
    await worker.advance(again)
    found, _ = await world.look(again)
    assert found.state == RequestState.SUCCEEDED


async def test_what_was_applied_is_told_by_a_person(world):
    """APPLIED lets a request of unknown outcome go on behind the step that was lost."""
    made = await world.request()
    await leave_unknown(world, made)
    await requests.resolve(
        world.database, world.config, world.approver, made.id, outcome=UnknownOutcome.APPLIED, comment="it is there"
    )
    await world.worker().advance(made)
    found, steps = await world.look(made)
    assert (found.state, steps[2].state) == (RequestState.SUCCEEDED, StepState.SUCCEEDED)
