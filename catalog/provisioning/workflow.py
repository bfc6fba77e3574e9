"""Chooses the steps of a request: the estate's governed workflow or the built-in one, for an action and an executor.

Pure: a workflow's steps in, planned steps out. What this version can't carry out is refused here, before anything is written,
with the step's name; a request never stops half-way for want of a tool.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalog.errors import Invalid
from catalog.records import ProvisioningAction, StepKind
from catalog.stacks.governance import GovernedWorkflow, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step of a request as it will be carried out; `skip` says why it won't be."""

    name: str
    kind: StepKind
    tool: str | None
    options: Mapping[str, Any]
    skip: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Who may decide and how many must: `approvers` of None admits every approver whose grant admits the target."""

    approvers: tuple[str, ...] | None
    quorum: int
    expires: int | None  # seconds after the gate opened

    def document(self) -> dict[str, Any]:
        """The gate as plain JSON: a part of what an approval holds for."""
        return {
            "approvers": None if self.approvers is None else list(self.approvers),
            "quorum": self.quorum,
            "expires": self.expires,
        }


# What an estate without a governed workflow for the action gets.
BUILT_IN = (
    PlannedStep(name="plan", kind=StepKind.PLAN, tool="terraform", options={}),
    PlannedStep(name="approval", kind=StepKind.APPROVAL_GATE, tool="catalog approval", options={}),
    PlannedStep(name="provision", kind=StepKind.PROVISION, tool="terraform", options={}),
)

# Action → the kinds of steps that mean something for it; the others are skipped.
APPLIES: Mapping[ProvisioningAction, frozenset[StepKind]] = {
    ProvisioningAction.APPLY_COMPONENT: frozenset(StepKind) - {StepKind.DEPLOY, StepKind.REGISTER},
}

# (kind, tool) that this version carries out. `atmos workflow NAME` is looked up by its first two words.
CARRIED_OUT = frozenset(
    {
        (StepKind.COST_ANALYSIS, "metadata"),
        (StepKind.POLICY_CHECK, "rules"),
        (StepKind.POLICY_CHECK, "opa eval"),
        (StepKind.PLAN, "terraform"),
        (StepKind.APPROVAL_GATE, "backstage approval"),
        (StepKind.APPROVAL_GATE, "catalog approval"),
        (StepKind.PROVISION, "terraform"),
        (StepKind.PROVISION, "dry run"),
        (StepKind.PROVISION, "atmos workflow"),
        (StepKind.NOTIFY, "developer notification"),
    }
)


def supported(action: ProvisioningAction) -> None:
    """Raise Invalid for an action that this version doesn't carry out."""
    if action not in APPLIES:
        known = ", ".join(APPLIES)
        raise Invalid(f"{action} can't be carried out by this version", hint=f"it carries out {known}", path=("action",))


def steps_for(action: ProvisioningAction, workflow: GovernedWorkflow | None, *, can_plan: bool) -> tuple[PlannedStep, ...]:
    """Plan the steps of a request, with a plan step before the first gate; raises Invalid naming a step that can't be carried out.

    `workflow` of None is the built-in one. A plan step is left out where the executor can't plan.
    """
    supported(action)
    written = BUILT_IN if workflow is None else _written(workflow)
    planned = tuple(_applied(step, action) for step in written)
    if workflow is not None and not any(step.kind is StepKind.PROVISION for step in planned):
        raise Invalid("the workflow has no provision step", hint="add `- provision: terraform`", path=("workflow",))
    return _with_plan(planned) if can_plan else tuple(step for step in planned if step.kind is not StepKind.PLAN)


def gate(step: PlannedStep) -> Gate:
    """Read a gate's options."""
    return gate_of(step.options)


def gate_of(options: Mapping[str, Any]) -> Gate:
    """Read a gate's options as they stand in its row."""
    approvers = options.get("approvers")
    return Gate(
        approvers=None if approvers is None else tuple(approvers),
        quorum=int(options.get("quorum", 1)),
        expires=options.get("expires"),
    )


def gates(steps: Sequence[PlannedStep]) -> tuple[Gate, ...]:
    """Every gate that will be waited at, in order."""
    return tuple(gate(step) for step in steps if step.kind is StepKind.APPROVAL_GATE and step.skip is None)


def terraform_components(steps: Sequence[Step]) -> frozenset[str] | None:
    """Return the components that an ordinary workflow's terraform steps apply; None: one of them applies whatever is asked for."""
    found: set[str] = set()
    for step in steps:
        words = (step.command or "").split()
        if step.kind != "ATMOS" or words[:1] != ["terraform"] or words[1:2] not in (["apply"], ["deploy"]):
            continue
        named = [word for word in words[2:3] if not word.startswith("-")]
        if not named or "$" in named[0] or "{" in named[0]:
            return None
        found.update(named)
    return frozenset(found)


def _written(workflow: GovernedWorkflow) -> tuple[PlannedStep, ...]:
    if workflow.diagnostics:
        first = workflow.diagnostics[0]
        raise Invalid(f"the workflow can't be read: {first.message}", hint=first.hint, path=("workflow",), location=first.location)
    if not workflow.governed:
        raise Invalid("the workflow is not governed", hint="name one with an approval_gate or provision step", path=("workflow",))
    return tuple(
        PlannedStep(name=step.name, kind=StepKind(step.kind), tool=step.tool, options=step.options) for step in workflow.steps
    )


def _applied(step: PlannedStep, action: ProvisioningAction) -> PlannedStep:
    if step.kind not in APPLIES[action]:
        return replace(step, skip=f"{step.kind.lower()} does not apply to {action}")
    if step.kind is StepKind.NOTIFY and not step.options.get("to"):
        return replace(step, skip="no addresses: name them as `notify: {to: [...]}`")
    if (step.kind, _tool_name(step)) not in CARRIED_OUT:
        named = step.tool or step.kind.lower()
        tools = sorted(tool for kind, tool in CARRIED_OUT if kind is step.kind)
        hint = f"this version carries out {', '.join(tools)}" if tools else "leave the step out"
        raise Invalid(f"step {step.name!r} can't be carried out: {named}", hint=hint, path=("workflow", step.name))
    return step


def _tool_name(step: PlannedStep) -> str | None:
    words = (step.tool or "").split()
    return "atmos workflow" if words[:2] == ["atmos", "workflow"] else step.tool


def _with_plan(steps: tuple[PlannedStep, ...]) -> tuple[PlannedStep, ...]:
    """Put a plan before the first gate, or before the first provision where there is none, unless one stands there already."""
    first = next(
        (index for index, step in enumerate(steps) if step.kind in {StepKind.APPROVAL_GATE, StepKind.PROVISION, StepKind.PLAN}), 0
    )
    if steps[first].kind is StepKind.PLAN:
        return steps
    return (*steps[:first], BUILT_IN[0], *steps[first:])
