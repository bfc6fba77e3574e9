"""The whole way of a request with real git and real terraform: plan, approval, commit, apply, re-index."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from catalog.provisioning import requests
from catalog.records import RequestState, StepState
from catalog.store import requests as rows

pytestmark = pytest.mark.terraform
GOVERNED = {"APPLY_COMPONENT": {"file": "stacks/workflows/governed.yaml", "name": "governed"}}


def states(steps):
    return [step.state for step in steps]


async def test_from_request_to_applied(new_world):
    """Planned, approved, committed with trailers, applied, indexed, told: state lies in the home, and nothing is left beside it."""
    world = await new_world(workflows=GOVERNED)
    worker = world.worker()
    made = await world.request(justification="The team moved")
    await worker.advance(made)
    found, steps = await world.look(made)
    assert found.state == RequestState.AWAITING_APPROVAL
    assert (found.plan["create"], found.plan["levels"][0]["resourceTypes"]) == (1, ["terraform_data"])
    assert found.digest == found.plan["digest"] != found.preview["digest"]
    assert found.may_approve == ["Approver"]
    assert found.expires_at - found.updated_at > timedelta(hours=23)
    assert world.repository.head() == found.base_revision

    await world.approve(made)
    await worker.advance(made)
    found, steps = await world.look(made)
    assert found.state == RequestState.SUCCEEDED
    assert states(steps) == [*[StepState.SUCCEEDED] * 5, StepState.SKIPPED, StepState.SUCCEEDED]
    provision = steps[4]
    assert provision.summary == "applied: 1 to create"
    assert provision.result["outputs"] == {"dev/vpc": {"cidr": "10.0.0.0/16"}}

    commit = world.repository.commit_info(found.commit)
    assert commit.revision == world.repository.head()
    assert commit.author == "Requester <requester@acme.test>"
    assert commit.trailers == (
        ("Atmos-Request-Id", made.id),
        ("Requested-By", "Requester <requester@acme.test>"),
        ("Approved-By", "Approver <approver@acme.test>"),
    )
    assert "The team moved" in commit.message
    text = world.repository.tree().read("stacks/orgs/dev.yaml").decode()
    assert "Team: payments    # who answers for it" in text

    assert worker.indexed == [("acme", found.commit)]
    assert worker.channel.sent[0][0].title == "Request #1: vpc in dev"
    assert list(world.config.state.rglob("*.tfstate"))
    assert not list((world.config.home / "work").iterdir())
    lines = await world.log(made)
    assert any("Apply complete" in line for line in lines)
    assert any(line.startswith("committed ") for line in lines)


async def test_advancing_twice_does_nothing_twice(world):
    """A job delivered twice, side by side, plans once and applies once."""
    first, second = world.worker(), world.worker()
    made = await world.request()
    await asyncio.gather(first.advance(made), second.advance(made))
    await world.approve(made)
    await asyncio.gather(first.advance(made), second.advance(made))
    await first.advance(made)
    found, steps = await world.look(made)
    assert found.state == RequestState.SUCCEEDED
    assert [step.attempt for step in steps] == [1, 0, 1]
    assert len(first.indexed) + len(second.indexed) == 1


async def test_an_unrelated_merge_voids_nothing(world):
    """What somebody else commits elsewhere does not send a request back; its commit goes upon theirs."""
    worker = world.worker()
    made = await world.request()
    await worker.advance(made)
    await world.approve(made)
    other = world.repository.commit(world.repository.head(), {"README.md": b"More.\n"}, message="Unrelated")
    await worker.advance(made)
    found, _ = await world.look(made)
    assert found.state == RequestState.SUCCEEDED
    assert world.repository.find("Atmos-Request-Id", made.id, since=other) == found.commit


async def test_a_change_of_what_was_approved_asks_again(world):
    """When what would happen is no longer what was approved, nothing is committed: the gate opens again and says what differs."""
    worker = world.worker()
    made = await world.request()
    await worker.advance(made)
    approved, _ = await world.look(made)
    await world.approve(made)
    dev = world.repository.tree(world.repository.head()).read("stacks/orgs/dev.yaml")
    moved = world.repository.commit(
        world.repository.head(), {"stacks/orgs/dev.yaml": dev.replace(b"10.0.0.0", b"10.9.0.0")}, message="Related"
    )
    await worker.advance(made)
    found, steps = await world.look(made)
    assert found.state == RequestState.AWAITING_APPROVAL
    assert found.digest != approved.digest
    assert world.repository.head() == moved
    assert states(steps) == [StepState.SUCCEEDED, StepState.WAITING, StepState.PENDING]
    assert any("10.9.0.0" in line for line in steps[1].result["difference"])
    async with world.database.session() as session:
        assert [one.void for one in await rows.approvals(session, made.id)] == [True]

    await world.approve(made)
    await worker.advance(made)
    found, steps = await world.look(made)
    assert found.state == RequestState.SUCCEEDED
    assert steps[2].result["outputs"] == {"dev/vpc": {"cidr": "10.9.0.0/16"}}
    assert "interruption" not in steps[2].summary


async def test_a_failed_apply_says_what_is_not_so(new_world, files):
    """When applying fails, the branch says what is wanted and the request what is not yet so, with terraform's words."""
    files["components/terraform/vpc/main.tf"] += (
        'resource "terraform_data" "bad" {\n  provisioner "local-exec" {\n    command = "echo no luck; exit 3"\n  }\n}\n'
    )
    world = await new_world()
    worker = world.worker()
    made = await world.request()
    await worker.advance(made)
    await world.approve(made)
    await worker.advance(made)
    found, steps = await world.look(made)
    assert (found.state, steps[2].state) == (RequestState.FAILED, StepState.FAILED)
    assert "exit status 3" in steps[2].error
    assert steps[2].summary == f"{found.commit[:12]} is committed, but not applied"
    assert worker.indexed == [("acme", found.commit)]


async def test_a_failed_plan_fails_the_request(new_world, files):
    """Code that terraform refuses fails the plan step, before anybody is asked and with nothing committed."""
    files["components/terraform/vpc/main.tf"] += "nonsense {}\n"
    world = await new_world()
    made = await world.request()
    await world.worker().advance(made)
    found, steps = await world.look(made)
    assert states(steps) == [StepState.FAILED, StepState.CANCELLED, StepState.CANCELLED]
    assert "Unsupported block type" in steps[0].error
    assert any("nonsense" in line for line in await world.log(made))
    assert (found.state, world.repository.head()) == (RequestState.FAILED, found.base_revision)


async def test_a_policy_denies(new_world):
    """A rule that doesn't hold denies a request before it is planned."""
    world = await new_world(workflows=GOVERNED)
    made = await world.request({"cidr": "10.2.0.0/16"})
    dev = world.repository.tree(world.repository.head()).read("stacks/orgs/dev.yaml")
    await requests.cancel(world.database, world.config, world.requester, made.id)
    world.repository.commit(
        world.repository.head(), {"stacks/orgs/dev.yaml": dev.replace(b"Team: platform", b"Owner: nobody")}, message="No team"
    )
    made = await world.request({"cidr": "10.2.0.0/16"}, key="again")
    await world.worker().advance(made)
    found, steps = await world.look(made)
    assert found.state == RequestState.DENIED
    assert states(steps)[:3] == [StepState.SUCCEEDED, StepState.FAILED, StepState.CANCELLED]
    assert "vars.tags.Team" in steps[1].error


async def test_a_gate_expires(new_world):
    """When nobody decides in time the request ends EXPIRED and its target is free."""
    world = await new_world(workflows=GOVERNED)
    worker = world.worker()
    made = await world.request()
    await worker.advance(made)
    async with world.database.session() as session:
        (await rows.lock(session, made.id)).expires_at = datetime.now(UTC) - timedelta(seconds=1)
        await session.commit()
        assert await rows.due(session) == [made.id]
    await worker.advance(made)
    found, steps = await world.look(made)
    assert (found.state, steps[3].state, steps[4].state) == (RequestState.EXPIRED, StepState.FAILED, StepState.CANCELLED)
    await world.request(key="again")


async def test_applying_what_stands_there_commits_nothing(world):
    """A request without parameters applies the estate as it is: no commit, a real apply."""
    worker = world.worker()
    made = await world.request({})
    await worker.advance(made)
    await world.approve(made)
    await worker.advance(made)
    found, steps = await world.look(made)
    assert (found.state, found.commit) == (RequestState.SUCCEEDED, None)
    assert steps[2].result["create"] == 1


async def test_without_terraform_the_dry_run_serves_visibly(new_world, tmp_path):
    """Where no terraform is found the request says dry_run, its steps and log say that nothing real was touched."""
    world = await new_world(executor="dry_run")
    worker = world.worker()
    made = await world.request()
    assert made.executor == "dry_run"
    await worker.advance(made)
    await world.approve(made)
    await worker.advance(made)
    found, steps = await world.look(made)
    assert found.state == RequestState.SUCCEEDED
    assert [step.kind for step in steps] == ["APPROVAL_GATE", "PROVISION"]
    assert steps[1].summary == "dry run: nothing was executed"
    assert any("nothing is executed" in line for line in await world.log(made))
    assert not world.config.state.exists()


async def test_a_request_made_for_terraform_is_not_faked(world, tmp_path):
    """A worker without terraform fails a request that was made for it, instead of pretending."""
    worker = world.worker(path=str(tmp_path))
    made = await world.request()
    await worker.advance(made)
    found, steps = await world.look(made)
    assert found.state == RequestState.FAILED
    assert "made for terraform" in steps[0].error


async def test_a_cancelled_request_is_not_taken_up(world):
    """What was cancelled while nobody looked stays so."""
    made = await world.request()
    await requests.cancel(world.database, world.config, world.requester, made.id)
    await world.worker().advance(made)
    found, steps = await world.look(made)
    assert (found.state, states(steps)) == (RequestState.CANCELLED, [StepState.CANCELLED] * 3)
