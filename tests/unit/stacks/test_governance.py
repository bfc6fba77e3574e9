"""The steps of a workflow, read."""

import pytest

from catalog.stacks import governance
from catalog.values import SourceLocation

HERE = SourceLocation(file="stacks/workflows/governed.yaml", line=3)

GOVERNED = {
    "description": "…",
    "steps": [
        {"name": "governed", "type": "shell", "command": "exit 1"},
        {"cost_analysis": "infracost breakdown"},
        {"policy_check": "opa eval"},
        {"approval_gate": {"approvers": ["team:platform"], "quorum": 2, "expires": "1d12h"}},
        {"provision": "atmos workflow apply-environment"},
        {"deploy": "argocd"},
        {"register": "service"},
        {"notify": {"to": ["mailto://a@b"]}},
    ],
}


def parse(*steps):
    return governance.parse({"steps": list(steps)}, HERE)


def codes(workflow):
    return [diagnostic.code for diagnostic in workflow.diagnostics]


def test_a_governed_workflow_gives_its_steps_without_the_guard():
    """The guard step is left out; every other step keeps its kind, its tool and its options."""
    workflow = governance.parse(GOVERNED, HERE)
    assert workflow.governed
    assert workflow.diagnostics == ()
    assert [(step.kind, step.tool) for step in workflow.steps] == [
        ("COST_ANALYSIS", "infracost breakdown"),
        ("POLICY_CHECK", "opa eval"),
        ("APPROVAL_GATE", "catalog approval"),
        ("PROVISION", "atmos workflow apply-environment"),
        ("DEPLOY", "argocd"),
        ("REGISTER", "service"),
        ("NOTIFY", "developer notification"),
    ]
    assert workflow.steps[2].options == {"approvers": ["team:platform"], "quorum": 2, "expires": 129600}
    assert workflow.steps[3].options == {"workflow": "apply-environment"}
    assert workflow.steps[6].options == {"to": ["mailto://a@b"]}


def test_an_ordinary_workflow_is_not_governed():
    """Ordinary steps are ATMOS or SHELL, are named as Atmos names them, and inherit the workflow's stack."""
    workflow = governance.parse(
        {
            "stack": "dev",
            "steps": [
                {"command": "terraform plan vpc"},
                {"name": "hi", "type": "shell", "command": "echo"},
                {"command": "x", "stack": "prod"},
            ],
        }
    )
    assert not workflow.governed
    assert [(step.name, step.kind, step.command, step.stack) for step in workflow.steps] == [
        ("step1", "ATMOS", "terraform plan vpc", "dev"),
        ("hi", "SHELL", "echo", None),
        ("step3", "ATMOS", "x", "prod"),
    ]


def test_a_step_named_governed_in_an_ordinary_workflow_stays():
    """Only a governed workflow has a guard; elsewhere the name means nothing."""
    workflow = parse({"name": "governed", "type": "shell", "command": "true"})
    assert [step.name for step in workflow.steps] == ["governed"]


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ({"cost_analysis": "infracost"}, "WORKFLOW_TOOL_UNKNOWN"),
        ({"cost_analysis": {"tool": "guess"}}, "WORKFLOW_TOOL_UNKNOWN"),
        ({"provision": "atmos workflow"}, "WORKFLOW_TOOL_UNKNOWN"),
        ({"provision": None}, "WORKFLOW_TOOL_UNKNOWN"),
        ({"provison": "terraform"}, "WORKFLOW_STEP_UNKNOWN"),
        ("provision", "WORKFLOW_STEP_SHAPE"),
        ({"provision": "terraform", "notify": "developer notification"}, "WORKFLOW_STEP_SHAPE"),
    ],
)
def test_a_step_that_nothing_answers_to_is_a_diagnostic_and_the_rest_stays(step, code):
    """One bad step costs that step and says where; the others stay."""
    workflow = parse(step, {"register": "service"})
    assert codes(workflow) == [code]
    assert workflow.diagnostics[0].location == HERE
    assert [found.kind for found in workflow.steps] == ["REGISTER"]


@pytest.mark.parametrize(
    ("option", "code"),
    [
        ({"quorum": 0}, "WORKFLOW_OPTION_INVALID"),
        ({"quorum": True}, "WORKFLOW_OPTION_INVALID"),
        ({"expires": "soon"}, "WORKFLOW_OPTION_INVALID"),
        ({"approvers": [1]}, "WORKFLOW_OPTION_INVALID"),
        ({"quorom": 1}, "WORKFLOW_OPTION_UNKNOWN"),
    ],
)
def test_an_option_that_does_not_hold_is_a_diagnostic(option, code):
    """The gate stays without the option, which a diagnostic names."""
    workflow = parse({"approval_gate": option})
    assert codes(workflow) == [code]
    assert workflow.steps[0].options == {}


def test_a_misspelt_step_is_told_its_nearest_name():
    """The hint of an unknown step names the step it resembles."""
    assert parse({"provison": "terraform"}).diagnostics[0].hint == "did you mean provision?"


def test_rules_are_a_policy_tool():
    """`policy_check: {rules: …}` means the built-in rules, not OPA."""
    assert parse({"policy_check": {"rules": []}}).steps[0].tool == "rules"


def test_a_workflow_file_can_be_named():
    """`provision: atmos workflow NAME -f FILE` keeps both."""
    assert parse({"provision": "atmos workflow up -f infra.yaml"}).steps[0].options == {"workflow": "up", "file": "infra.yaml"}


@pytest.mark.parametrize(
    ("text", "value"), [("24h", 86400), ("1d 12h", 129600), (60, 60), ("", None), (0, None), ("h", None), (True, None), (1.5, None)]
)
def test_time_spans(text, value):
    """Spans are counted in seconds; what is none is None."""
    assert governance.seconds(text) == value


def test_no_steps():
    """A workflow without a list of steps has none."""
    assert governance.parse({"steps": "x"}).steps == ()
