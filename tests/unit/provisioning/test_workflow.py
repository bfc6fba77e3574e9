"""The steps of a request, chosen."""

import pytest

from catalog.errors import Invalid
from catalog.provisioning import workflow
from catalog.records import ProvisioningAction, StepKind
from catalog.stacks import governance

APPLY = ProvisioningAction.APPLY_COMPONENT


def steps(*written, can_plan=True):
    parsed = governance.parse({"steps": list(written)})
    return workflow.steps_for(APPLY, parsed, can_plan=can_plan)


def kinds(planned):
    return [step.kind.value for step in planned]


def test_without_a_workflow_the_built_in_one_runs():
    """Plan, approval, provision: what an estate without a governed workflow gets."""
    assert kinds(workflow.steps_for(APPLY, None, can_plan=True)) == ["PLAN", "APPROVAL_GATE", "PROVISION"]


def test_an_executor_that_can_not_plan_gets_no_plan_step():
    """Where nothing can plan, the gate decides on the preview."""
    assert kinds(workflow.steps_for(APPLY, None, can_plan=False)) == ["APPROVAL_GATE", "PROVISION"]


def test_a_plan_precedes_the_first_gate():
    """Nobody is asked to approve what was not planned."""
    planned = steps({"cost_analysis": "metadata"}, {"approval_gate": "catalog approval"}, {"provision": "terraform"})
    assert kinds(planned) == ["COST_ANALYSIS", "PLAN", "APPROVAL_GATE", "PROVISION"]


def test_a_plan_that_the_workflow_names_is_not_doubled():
    """An explicit plan step stays the only one."""
    planned = steps({"plan": "terraform"}, {"approval_gate": "catalog approval"}, {"provision": "terraform"})
    assert kinds(planned) == ["PLAN", "APPROVAL_GATE", "PROVISION"]


def test_without_a_gate_the_plan_precedes_provisioning():
    """What is applied was planned, also where nobody is asked."""
    assert kinds(steps({"provision": "terraform"})) == ["PLAN", "PROVISION"]


def test_steps_that_do_not_apply_are_skipped_with_a_reason():
    """Deploying and registering mean nothing for one component; notifying nobody neither. Each says so."""
    planned = steps({"provision": "terraform"}, {"deploy": "argocd"}, {"register": "service"}, {"notify": "developer notification"})
    assert [step.kind for step in planned if step.skip] == [StepKind.DEPLOY, StepKind.REGISTER, StepKind.NOTIFY]


def test_notify_with_addresses_is_carried_out():
    """A notification that names addresses is really sent."""
    assert steps({"provision": "terraform"}, {"notify": {"to": ["json://x"]}})[-1].skip is None


@pytest.mark.parametrize(
    ("step", "named"),
    [
        ({"cost_analysis": "infracost breakdown"}, "infracost breakdown"),
        ({"cost_analysis": "price book"}, "price book"),
        ({"provision": "pull request"}, "pull request"),
        ({"name": "hello", "type": "shell", "command": "echo"}, "hello"),
    ],
)
def test_a_tool_that_is_not_there_yet_fails_up_front(step, named):
    """A request never stops half-way for want of a tool: it is refused when asked, with the step's name."""
    with pytest.raises(Invalid, match=named) as caught:
        steps(step, {"provision": "terraform"})
    assert caught.value.path[0] == "workflow"


def test_an_unreadable_workflow_is_refused_with_its_reason():
    """A step that could not be read is never silently left out of governance."""
    with pytest.raises(Invalid, match="aproval_gate"):
        steps({"aproval_gate": "catalog approval"}, {"provision": "terraform"})


def test_an_ordinary_workflow_is_refused():
    """Only a governed workflow governs."""
    with pytest.raises(Invalid, match="not governed"):
        steps({"command": "terraform apply vpc"})


def test_a_workflow_without_provision_is_refused():
    """A workflow that provisions nothing can't carry out a request."""
    with pytest.raises(Invalid, match="no provision step"):
        steps({"approval_gate": "catalog approval"})


def test_other_actions_are_refused_by_name():
    """What this version can't do is said at once."""
    with pytest.raises(Invalid, match="PROVISION_SERVICE") as caught:
        workflow.steps_for(ProvisioningAction.PROVISION_SERVICE, None, can_plan=True)
    assert caught.value.path == ("action",)


def test_a_gate_reads_its_options():
    """Approvers, quorum and expiry come from the workflow; without them one approver of any kind decides."""
    planned = steps({"approval_gate": {"approvers": ["team:x"], "quorum": 2, "expires": "1h"}}, {"provision": "terraform"})
    assert workflow.gates(planned) == (workflow.Gate(approvers=("team:x",), quorum=2, expires=3600),)
    assert workflow.gates(workflow.BUILT_IN) == (workflow.Gate(approvers=None, quorum=1, expires=None),)


@pytest.mark.parametrize(
    ("commands", "components"),
    [
        (["terraform plan vpc", "terraform apply vpc -auto-approve", "terraform deploy eks"], {"vpc", "eks"}),
        (["terraform apply --all"], None),
        (["terraform deploy {{ .component }}"], None),
        (["validate stacks"], set()),
    ],
)
def test_what_an_ordinary_workflow_applies(commands, components):
    """The components of its terraform apply and deploy steps; None when a step takes whatever is asked for."""
    parsed = governance.parse({"steps": [{"command": command} for command in commands]})
    assert workflow.terraform_components(parsed.steps) == components
