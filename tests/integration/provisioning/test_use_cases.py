"""Preview, request, approve, reject, cancel: what people may do and what they are told."""

import asyncio

import pytest
from sqlalchemy import select

from catalog.errors import Conflict, Forbidden, Invalid, NotFound, PlanChanged, Unauthenticated
from catalog.provisioning import requests
from catalog.provisioning.ask import Ask
from catalog.records import ANONYMOUS, AuditEvent, ProvisioningAction, RequestState, StepKind, StepState
from catalog.store import audit
from catalog.store import requests as rows

GOVERNED = {"APPLY_COMPONENT": {"file": "stacks/workflows/governed.yaml", "name": "governed"}}


def ask(parameters=None, **more):
    given = {"tags": {"Team": "payments", "Owner": "jo"}} if parameters is None else parameters
    return Ask(**{"action": ProvisioningAction.APPLY_COMPONENT, "stack": "dev", "component": "vpc", "parameters": given, **more})


async def preview(world, *, scope=None, **more):
    return await requests.preview(world.database, world.config, scope or world.requester, ask(**more))


async def request(world, *, scope=None, key="k", **more):
    return await requests.request(world.database, world.config, scope or world.requester, ask(**more), idempotency_key=key)


async def counts(world):
    async with world.database.connection() as connection:
        tables = ("provisioning_request", "request_step", "step_log", "approval", "idempotency", "pgqueuer")
        return {table: await connection.fetchval(f"select count(*) from {table}") for table in tables}


async def test_a_preview_shows_the_change_and_writes_nothing(world):
    """The diff touches the lines that change, keeps comments and order; who is affected, what it costs and who may approve is said."""
    before, head = await counts(world), world.repository.head()
    shown = await preview(world)
    assert shown.files[0].path == "stacks/orgs/dev.yaml"
    changed = [line for line in shown.files[0].diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert changed == [
        "-          Team: platform    # who answers for it",
        "+          Team: payments    # who answers for it",
        "+          Owner: jo",
    ]
    assert [(one.name, one.reasons, one.dependents) for _, one in shown.affected] == [("vpc", ("stack.vars",), 1)]
    document = shown.document()
    assert (document["costBefore"], document["costAfter"], document["costDelta"]["amount"]) == (
        {"amount": "50", "currency": "USD"},
        {"amount": "50", "currency": "USD"},
        "0",
    )
    assert document["unknownInstances"] == 0
    assert shown.requires_approval
    assert shown.may_approve == ("Approver", "Other")
    assert (await counts(world), world.repository.head()) == (before, head)


async def test_a_preview_digest_names_content_not_moments(world):
    """The same wish gives the same digest, also after an unrelated commit; another wish, or a change of what it touches, another."""
    first = (await preview(world)).digest
    world.repository.commit(world.repository.head(), {"README.md": b"Another.\n"}, message="Unrelated")
    assert (await preview(world)).digest == first
    assert (await preview(world, parameters={"tags": {"Team": "web"}})).digest != first
    dev = world.repository.tree(world.repository.head()).read("stacks/orgs/dev.yaml")
    world.repository.commit(
        world.repository.head(), {"stacks/orgs/dev.yaml": dev.replace(b"10.0.0.0", b"10.9.0.0")}, message="Related"
    )
    assert (await preview(world)).digest != first


@pytest.mark.parametrize(
    ("more", "error", "words", "path"),
    [
        ({"component": "vcp"}, NotFound, "no terraform component vcp", ("component",)),
        ({"stack": "prod"}, NotFound, "in stack prod", ("component",)),
        ({"estate": "other"}, NotFound, "no terraform component", ("component",)),
        ({"stack": None}, Invalid, "needs a stack", ("stack",)),
        ({"team": "nobody"}, NotFound, "no team nobody", ("team",)),
        ({"parameters": {"tag": {}}}, Invalid, "did you mean 'tags'", ("parameters", "tag")),
        ({"parameters": {"cidr": 7}}, Invalid, "cidr", ("parameters", "cidr")),
        ({"parameters": {"password": "hunter2"}}, Invalid, "sensitive", ("parameters", "password")),
        ({"parameters": {"password": {"$ref": "x"}}}, Invalid, "looks none up", ("parameters", "password")),
        ({"workflow": "nothing"}, NotFound, "no workflow nothing", ("workflow",)),
        ({"workflow": "priced"}, Invalid, "cost_analysis.*price book", ("workflow", "cost_analysis")),
        ({"action": ProvisioningAction.DESTROY_COMPONENT}, Invalid, "DESTROY_COMPONENT", ("action",)),
    ],
)
async def test_what_does_not_hold_is_refused_with_its_path(shared_world, more, error, words, path):
    """Each wish that can't be is refused before anything is written, naming what is wrong and where; secrets are not repeated."""
    before = await counts(shared_world)
    for act in (preview, request):
        with pytest.raises(error, match=words) as caught:
            await act(shared_world, **more)
        assert caught.value.path == path
        assert "hunter2" not in str(caught.value)
    assert await counts(shared_world) == before


async def test_an_overridden_value_is_refused(new_world, files):
    """A value that something stronger sets would not take effect: that is said, not committed."""
    files["stacks/orgs/dev.yaml"] += "\nterraform:\n  overrides:\n    vars: {cidr: 10.7.0.0/16}\n"
    world = await new_world()
    with pytest.raises(Invalid, match="would not take effect"):
        await preview(world, parameters={"cidr": "10.8.0.0/16"})


async def test_a_request_is_written_whole(new_world):
    """A request holds its target with its steps, preview and digest, and a job that advances it, all in one transaction."""
    world = await new_world(workflows=GOVERNED)
    made = await request(world, justification="because")
    assert (made.number, made.state, made.executor, made.target) == (1, RequestState.PENDING, "terraform", "dev/TERRAFORM/vpc")
    assert made.digest == made.preview["digest"]
    assert made.base_revision == world.repository.head()
    async with world.database.session() as session:
        steps = await rows.steps(session, made.id)
    assert [(step.kind, step.state) for step in steps] == [
        (StepKind.COST_ANALYSIS, StepState.PENDING),
        (StepKind.POLICY_CHECK, StepState.PENDING),
        (StepKind.PLAN, StepState.PENDING),
        (StepKind.APPROVAL_GATE, StepState.PENDING),
        (StepKind.PROVISION, StepState.PENDING),
        (StepKind.DEPLOY, StepState.SKIPPED),
        (StepKind.NOTIFY, StepState.PENDING),
    ]
    assert (await counts(world))["pgqueuer"] == 1


async def test_a_replay_returns_the_same_request(world):
    """The same key and wish give the same request, also side by side; the same key with another wish is a Conflict."""
    first, second = await asyncio.gather(request(world), request(world))
    assert first.id == second.id
    assert (await request(world)).id == first.id
    with pytest.raises(Conflict, match="something else"):
        await request(world, parameters={"cidr": "10.3.0.0/16"})
    assert (await counts(world))["provisioning_request"] == 1


async def test_a_target_has_one_active_request(world):
    """While a request holds a target, another is refused with the first one's number; nothing of it stays."""
    await request(world)
    before = await counts(world)
    with pytest.raises(Conflict, match="#1") as caught:
        await request(world, key="other")
    assert caught.value.code == "TARGET_BUSY"
    assert await counts(world) == before


async def test_only_requesters_request(shared_world):
    """Viewers see and may preview, but not request; strangers don't even learn that the target is there; nobody is nobody."""
    await preview(shared_world, scope=shared_world.viewer)
    with pytest.raises(Forbidden, match="may not request"):
        await request(shared_world, scope=shared_world.viewer)
    with pytest.raises(NotFound):
        await request(shared_world, scope=shared_world.stranger)
    with pytest.raises(Unauthenticated):
        await request(shared_world, scope=ANONYMOUS)


@pytest.mark.parametrize(("kind", "writable", "words"), [("directory", False, "plain directory"), ("git", False, "read-only")])
async def test_a_read_only_estate_can_be_previewed_but_not_changed(new_world, kind, writable, words):
    """Where nothing can be committed a preview still shows, and a request says why it can't be."""
    world = await new_world(kind=kind, writable=writable)
    assert (await preview(world)).files
    with pytest.raises(Conflict, match=words):
        await request(world)


async def wait_at_gate(world, **more):
    """A request whose gate is open, as its worker leaves it."""
    made = await request(world, **more)
    async with world.database.session() as session:
        found = await rows.lock(session, made.id)
        for step in await rows.steps(session, made.id):
            step.state = {StepKind.APPROVAL_GATE: StepState.WAITING, StepKind.PROVISION: StepState.PENDING}.get(
                step.kind, StepState.SUCCEEDED
            )
        found.state = RequestState.AWAITING_APPROVAL
        await session.commit()
    return made


async def decide(world, act, made, *, scope=None, digest=None):
    return await act(world.database, world.config, scope or world.approver, made.id, digest=digest or made.digest)


async def test_an_approval_names_what_was_seen(world):
    """Another digest than the request's current one is PlanChanged, and nothing is decided; the right one approves."""
    made = await wait_at_gate(world)
    with pytest.raises(PlanChanged) as caught:
        await decide(world, requests.approve, made, digest="what I saw before")
    assert caught.value.current == made.digest
    approved = await decide(world, requests.approve, made)
    assert approved.state == RequestState.APPROVED
    with pytest.raises(Conflict, match="awaits no approval: it is APPROVED"):
        await decide(world, requests.approve, made, scope=world.other)


async def test_who_may_decide(new_world):
    """Neither the requester nor a viewer nor who the gate doesn't name decides; a stranger sees no request."""
    world = await new_world(workflows=GOVERNED)
    made = await wait_at_gate(world)
    with pytest.raises(Forbidden, match="their own"):
        await decide(world, requests.approve, made, scope=world.requester)
    with pytest.raises(Forbidden, match="may not decide") as caught:
        await decide(world, requests.approve, made, scope=world.other)
    assert caught.value.hint == "may decide: Approver"
    with pytest.raises(Forbidden):
        await decide(world, requests.reject, made, scope=world.viewer)
    with pytest.raises(NotFound):
        await decide(world, requests.approve, made, scope=world.stranger)
    assert (await decide(world, requests.approve, made)).state == RequestState.APPROVED


async def test_a_rejection_ends_it(world):
    """One rejection ends a request: its steps are cancelled and its target is free."""
    made = await wait_at_gate(world)
    rejected = await decide(world, requests.reject, made)
    assert rejected.state == RequestState.REJECTED
    assert rejected.finished_at is not None
    async with world.database.session() as session:
        assert [step.state for step in await rows.steps(session, made.id)] == [
            StepState.SUCCEEDED,
            StepState.FAILED,
            StepState.CANCELLED,
        ]
    await request(world, key="again")


async def test_its_requester_cancels(world):
    """Who asked may call it off, twice if they like; others may not; and not once it is being applied."""
    made = await request(world)
    with pytest.raises(Forbidden):
        await requests.cancel(world.database, world.config, world.approver, made.id)
    for _ in range(2):
        cancelled = await requests.cancel(world.database, world.config, world.requester, made.id, reason="never mind")
        assert cancelled.state == RequestState.CANCELLED
    again = await request(world, key="again")
    async with world.database.session() as session:
        (await rows.lock(session, again.id)).state = RequestState.PROVISIONING
        await session.commit()
    with pytest.raises(Conflict, match="PROVISIONING can't cancel"):
        await requests.cancel(world.database, world.config, world.requester, again.id)


async def test_what_people_do_is_in_the_audit_log(world):
    """Each thing done is one event that names who did it to what; a replay, a repetition and a refusal are none."""
    made = await request(world)
    await request(world)
    with pytest.raises(Forbidden):
        await requests.cancel(world.database, world.config, world.approver, made.id)
    for _ in range(2):
        await requests.cancel(world.database, world.config, world.requester, made.id, reason="never mind")
    async with world.database.session() as session:
        found = (
            (await session.execute(select(AuditEvent).where(AuditEvent.subject_id == made.id).order_by("sequence"))).scalars().all()
        )
        assert await audit.broken(session) is None
    assert [(one.action, one.actor_id) for one in found] == [
        (action, world.requester.principal_id) for action in ("requestProvisioning", "cancelRequest")
    ]
    assert found[1].detail == {"number": made.number, "reason": "never mind"}
