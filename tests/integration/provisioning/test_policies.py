"""Policies in Rego decide over a request: when it is made, once it is planned, when it is approved and before it is applied."""

from __future__ import annotations

import pytest

from catalog.errors import NotFound
from catalog.provisioning import decisions, requests
from catalog.provisioning.ask import Ask
from catalog.records import ProvisioningAction, RequestState, StepState

OPA = {"APPLY_COMPONENT": {"file": "stacks/workflows/policies.yaml", "name": "policies"}}
WORKFLOW = """\
workflows:
  policies:
    steps:
      - policy_check: opa eval
      - approval_gate: {quorum: 1}
      - provision: terraform
"""


def policy(name: str, points: str, rule: str) -> str:
    return f"# METADATA\n# title: About {name}\n# custom: {{points: [{points}]}}\npackage acme.{name}\n\n{rule}\n"


TAGGED = policy("tagged", "REQUEST", 'deny contains "name the team" if not input.vars.tags.Team')


@pytest.fixture
def governed(files, new_world, tmp_path, engine_cache):
    """Make a world whose requests ask these policies (name → text)."""

    async def make(**policies: str):
        files["stacks/workflows/policies.yaml"] = WORKFLOW
        files.update({f"stacks/schemas/opa/{name}.rego": text for name, text in policies.items()})
        (tmp_path / "home" / "cache").mkdir(parents=True)
        (tmp_path / "home" / "cache" / "engines").symlink_to(engine_cache / "engines")
        return await new_world(workflows=OPA)

    return make


async def evaluations(world, **where):
    """What is stored: (policy, point, passed, message) in order."""
    async with world.database.connection() as connection:
        found = await connection.fetch(
            "select e.*, p.package, i.document::text as input from policy_evaluation e join policy p on p.id = e.policy_id"
            " join policy_input i on i.digest = e.input_digest order by e.evaluated_at, p.package"
        )
    return [row for row in found if all(row[key] == value for key, value in where.items())]


async def test_the_preview_says_what_policies_say_and_the_request_keeps_it(governed):
    """A denial and a warning are in the preview, which writes nothing; the request is denied, and both are stored to be made again."""
    world = await governed(
        tagged=TAGGED, tagged_test="package acme.tagged_test\n", warns=policy("warns", "REQUEST", 'warn contains "mind" if true')
    )
    ask = Ask(action=ProvisioningAction.APPLY_COMPONENT, stack="dev", component="vpc", parameters={"tags": {"Team": ""}})
    shown = await requests.preview(world.database, world.config, world.requester, ask)
    assert [(one["policy"], one["passed"], one["severity"]) for one in shown.verdicts] == [
        ("acme.tagged", True, "ERROR"),
        ("acme.warns", False, "WARNING"),
    ]
    assert await evaluations(world) == []

    made = await world.request()
    await world.worker().advance(made)
    found, steps = await world.look(made)
    assert found.state == RequestState.AWAITING_APPROVAL
    assert steps[0].summary == "2 policies passed, 1 of them with a warning"
    stored = await evaluations(world, request_id=made.id)
    assert [(row["package"], row["point"], row["passed"], row["message"]) for row in stored] == [
        ("acme.tagged", "REQUEST", True, None),
        ("acme.warns", "REQUEST", True, "mind"),
    ]


async def test_a_denial_ends_the_request_before_anything_happens(governed):
    """It is DENIED with the policy's message; nothing is planned or committed."""
    world = await governed(tagged=policy("tagged", "REQUEST", 'deny contains "name the cost center" if not input.vars.tags.Unit'))
    before = world.repository.head()
    made = await world.request()
    await world.worker().advance(made)

    found, steps = await world.look(made)
    assert found.state == RequestState.DENIED
    assert (steps[0].state, steps[0].error) == (StepState.FAILED, "name the cost center")
    assert {step.state for step in steps[1:]} == {StepState.CANCELLED}
    assert world.repository.head() == before


@pytest.mark.parametrize(
    ("policies", "said"),
    [
        ({"broken": "package acme.broken\n\ndeny contains"}, "broken.rego"),
        ({}, "the estate has none"),
        ({"shape": policy("shape", "REQUEST", "deny if true")}, "no collection of messages"),
    ],
    ids=["broken", "none", "shape"],
)
async def test_what_can_t_be_asked_denies(governed, policies, said):
    """A bundle that doesn't compile, none at all, and an answer of the wrong shape let nothing through, and are kept as decisions."""
    world = await governed(**policies)
    made = await world.request()
    await world.worker().advance(made)

    found, steps = await world.look(made)
    assert found.state == RequestState.DENIED
    assert said in steps[0].error
    assert [row["passed"] for row in await evaluations(world)] == [False]


@pytest.mark.terraform
async def test_a_plan_that_policies_refuse_is_denied(governed):
    """What terraform plans is judged in the shape of its own JSON."""
    rule = (
        'deny contains sprintf("no %s", [c.type]) if {\n  some c in input.plan.resource_changes\n  "create" in c.change.actions\n}'
    )
    world = await governed(plans=policy("plans", "PLAN", rule))
    made = await world.request()
    await world.worker().advance(made)

    found, steps = await world.look(made)
    assert found.state == RequestState.DENIED
    assert [(step.kind, step.state, step.error) for step in steps[:2]] == [
        ("POLICY_CHECK", StepState.SUCCEEDED, None),
        ("PLAN", StepState.FAILED, "no terraform_data"),
    ]


@pytest.mark.terraform
async def test_policies_may_want_another_approval(governed):
    """The gate stays open, and says why, until the policies of APPROVAL are content too; each decision is kept."""
    rule = 'deny contains "two people must agree" if count({a.approver | some a in input.approvals}) < 2'
    world = await governed(two=policy("two", "APPROVAL, APPLY", rule))
    made = await world.request()
    await world.worker().advance(made)

    await world.approve(made)
    found, steps = await world.look(made)
    assert found.state == RequestState.AWAITING_APPROVAL
    assert "two people must agree" in steps[2].summary

    await world.approve(made, scope=world.other)
    await world.worker().advance(made)
    found, steps = await world.look(made)
    assert found.state == RequestState.SUCCEEDED
    assert [(row["point"], row["passed"]) for row in await evaluations(world)] == [
        ("APPROVAL", False),
        ("APPROVAL", True),
        ("APPLY", True),
    ]


@pytest.mark.terraform
async def test_what_is_refused_at_the_last_moment_is_not_committed(governed):
    """A policy of APPLY stops an approved request before its commit."""
    world = await governed(last=policy("last", "APPLY", 'deny contains "not now" if true'))
    before = world.repository.head()
    made = await world.request()
    await world.worker().advance(made)
    await world.approve(made)
    await world.worker().advance(made)

    found, _ = await world.look(made)
    assert (found.state, found.commit) == (RequestState.DENIED, None)
    assert world.repository.head() == before


async def test_secrets_reach_no_policy_and_no_row(governed, files):
    """What the code marks sensitive, and what a key calls a secret, is hidden from the input, which is stored."""
    files["stacks/orgs/dev.yaml"] += "        marks: visible\n        password: hunter2-canary\n        api_token: token-canary\n"
    world = await governed(
        sees=policy("sees", "REQUEST", 'deny contains sprintf("%v %v", [input.vars.password, input.vars.api_token]) if true')
    )
    made = await world.request(component="eks", parameters={"cidr": "10.1.0.0/16"})

    (row,) = await evaluations(world)
    assert "canary" not in row["input"] + row["message"]
    assert "$redacted" in row["message"]
    found, _ = await world.look(made)
    assert "canary" not in str(found.preview)


async def test_a_decision_is_made_again(governed):
    """The stored input, bundle and moment give the same verdict, also when the estate's policies say something else by now."""
    rule = 'deny contains sprintf("at %d", [time.now_ns()]) if true'
    world = await governed(clock=policy("clock", "REQUEST", rule))
    await world.request()
    (row,) = await evaluations(world)

    again = await decisions.replay(world.database, world.config, world.viewer, row["id"])
    assert (again.policy, again.passed, again.message) == ("acme.clock", row["passed"], row["message"])

    for scope, evaluation in ((world.stranger, row["id"]), (world.viewer, "pev_unknown")):
        with pytest.raises(NotFound):
            await decisions.replay(world.database, world.config, scope, evaluation)


async def test_a_server_is_asked_only_where_the_catalog_lets_it(governed, files):
    """An estate can't send its data to an address of its own choice: that denies, and says which setting would allow it."""
    world = await governed(tagged=TAGGED)
    files["stacks/workflows/policies.yaml"] = WORKFLOW
    ask = Ask(action=ProvisioningAction.APPLY_COMPONENT, stack="dev", component="vpc", workflow="elsewhere", parameters={})
    world.repository.commit(
        world.repository.head(),
        {
            "stacks/workflows/else.yaml": WORKFLOW.replace("policies:", "elsewhere:")
            .replace("opa eval", "{url: http://127.0.0.1:9}")
            .encode()
        },
        message="Ask elsewhere",
    )
    shown = await requests.preview(world.database, world.config, world.requester, ask)
    ((passed, message),) = [(one["passed"], one["message"]) for one in shown.verdicts]
    assert not passed
    assert "CATALOG_POLICY_SERVERS=http://127.0.0.1:9" in message
