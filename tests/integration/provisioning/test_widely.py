"""Requests that touch more than one instance, more than one tenant, or an estate that lies elsewhere."""

import asyncio
import posixpath

import pytest

from catalog import values
from catalog.errors import Invalid
from catalog.records import RequestState, StepState

pytestmark = pytest.mark.terraform

INHERITING = """
    vpc-copy:
      metadata: {component: vpc, inherits: [vpc]}
      settings:
        depends_on:
          1: {component: vpc}
"""


async def through(world, made, *scopes):
    """Advance, let these approve, advance."""
    worker = world.worker()
    await worker.advance(made)
    for scope in scopes or (world.approver,):
        await world.approve(made, scope=scope)
    await worker.advance(made)
    return await world.look(made)


async def test_what_inherits_is_applied_behind_it(new_world, files):
    """An instance that inherits the changed value is affected, planned and applied too, after what it depends on."""
    files["stacks/orgs/dev.yaml"] += INHERITING.removeprefix("\n")
    world = await new_world()
    found, steps = await through(world, await world.request())
    assert found.state == RequestState.SUCCEEDED
    assert [level["instances"] for level in found.plan["levels"]] == [["dev/vpc"], ["dev/vpc-copy"]]
    assert [one["instance"] for one in steps[2].result["applied"]] == ["dev/vpc", "dev/vpc-copy"]
    assert found.preview["unknownInstances"] == 0
    assert found.preview["costAfter"] == {"amount": "100", "currency": "USD"}


async def test_another_tenant_that_is_affected_has_a_say(new_world, files):
    """A request that affects an instance of another tenant waits until an approver of that tenant has approved as well."""
    files["stacks/orgs/dev.yaml"] += INHERITING.removeprefix("\n")
    world = await new_world()
    elsewhere = values.global_id("Tenant", "acme", "elsewhere")
    async with world.database.connection() as connection:
        # As an instance of a stack of another tenant would stand in the index.
        await connection.execute(
            "insert into stack select (jsonb_populate_record(s, jsonb_build_object('id', 'stk_x', 'name', 'x', 'tenant_id', $1::text))).* from stack s",
            elsewhere,
        )
        await connection.execute(
            "insert into component_instance select (jsonb_populate_record(i, jsonb_build_object("
            "'id', $1::text, 'name', 'vpc-copy', 'stack_id', 'stk_x', 'tenant_id', $2::text))).* from component_instance i where name = 'vpc'",
            values.global_id("ComponentInstance", "acme", "dev", "TERRAFORM", "vpc-copy"),
            elsewhere,
        )
        # Whose grant names core alone can't speak for elsewhere.
        await connection.execute(
            "update principal_grant set tenants = array[$1::text] where principal_id = $2",
            values.global_id("Tenant", "acme", "core"),
            world.approver.principal_id,
        )
    made = await world.request()
    worker = world.worker()
    await worker.advance(made)
    assert (await world.approve(made)).state == RequestState.AWAITING_APPROVAL
    assert (await world.approve(made, scope=world.stranger)).state == RequestState.APPROVED


async def test_requests_of_one_estate_go_one_after_the_other(world):
    """Two approved requests that write the same file are both committed, none sends the other back."""
    worker = world.worker()
    first, second = await world.request(), await world.request(key="eks", component="eks")
    for made in (first, second):
        await worker.advance(made)
        await world.approve(made)
    await asyncio.gather(worker.advance(first), world.worker().advance(second))
    for made in (first, second):
        found, steps = await world.look(made)
        assert (found.state, steps[2].attempt) == (RequestState.SUCCEEDED, 1)
    text = world.repository.tree().read("stacks/orgs/dev.yaml").decode()
    assert text.count("Team: payments") == 2


async def test_a_quorum_of_two(new_world, files):
    """A gate that needs two stays open after the first approval."""
    files["stacks/workflows/governed.yaml"] = (
        "workflows:\n  two:\n    steps:\n      - approval_gate: {quorum: 2}\n      - provision: terraform\n"
    )
    world = await new_world()
    made = await world.request(workflow="two")
    worker = world.worker()
    await worker.advance(made)
    assert (await world.look(made))[0].required_approvals == 2
    assert (await world.approve(made)).state == RequestState.AWAITING_APPROVAL
    approved = await world.approve(made, scope=world.other)
    assert approved.state == RequestState.APPROVED
    _, steps = await world.look(made)
    assert steps[1].summary == "approved by Approver, Other"


async def test_without_a_gate_nobody_is_asked(new_world, files):
    """A governed workflow without a gate goes straight through; the steps of an ordinary workflow apply the target."""
    files["stacks/workflows/governed.yaml"] = (
        "workflows:\n  direct:\n    steps:\n      - provision: atmos workflow apply\n"
        "  apply:\n    steps:\n      - command: terraform apply vpc\n  other:\n    steps:\n      - provision: atmos workflow apply -f governed\n"
    )
    world = await new_world()
    made = await world.request(workflow="direct")
    assert made.required_approvals == 0
    await world.worker().advance(made)
    found, steps = await world.look(made)
    assert (found.state, [step.state for step in steps]) == (RequestState.SUCCEEDED, [StepState.SUCCEEDED] * 2)
    with pytest.raises(Invalid, match="no terraform step that applies eks"):
        await world.request(key="other", workflow="other", component="eks")


async def test_an_estate_in_a_folder(new_world, files):
    """An estate that lies in a folder of its repository is written and applied there."""
    for path in list(files):
        files[posixpath.join("platform", path)] = files.pop(path)
    world = await new_world()
    async with world.database.connection() as connection:
        await connection.execute("update estate set directory = 'platform'")
    found, _ = await through(world, await world.request())
    assert found.state == RequestState.SUCCEEDED
    assert found.preview["files"][0]["path"] == "platform/stacks/orgs/dev.yaml"


async def test_an_instance_that_is_gone_fails_its_request(world):
    """When the target leaves the estate before it is applied, the request says so and ends."""
    made = await world.request()
    worker = world.worker()
    await worker.advance(made)
    await world.approve(made)
    text = world.repository.tree().read("stacks/orgs/dev.yaml").replace(b"    vpc:\n", b"    vpc2:\n")
    world.repository.commit(world.repository.head(), {"stacks/orgs/dev.yaml": text}, message="Gone")
    await worker.advance(made)
    found, steps = await world.look(made)
    assert (found.state, steps[2].state) == (RequestState.FAILED, StepState.FAILED)
    assert "no component vpc in stack dev" in steps[2].error


@pytest.mark.parametrize("value", ["!terraform.output vpc dev id", "'{{ .vars.stage }}'"])
async def test_a_value_that_is_not_known_is_not_applied(new_world, files, value):
    """A value that something else would have to give first is refused when it is planned, not applied as the text it is."""
    files["stacks/orgs/dev.yaml"] = files["stacks/orgs/dev.yaml"].replace("10.0.0.0/16 ", value)
    world = await new_world()
    made = await world.request()
    await world.worker().advance(made)
    found, steps = await world.look(made)
    assert found.state == RequestState.FAILED
    assert "vars.cidr is" in steps[0].error
