"""Turns what somebody asks for into a draft: target, overlay, steps and preview, checked, with nothing written anywhere.

The draft is what `preview` shows, what `request` writes down and what the worker draws again before anything is committed.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from catalog import executors, values
from catalog.config import Config
from catalog.errors import Ambiguous, Conflict, Invalid, NotFound
from catalog.provisioning import costs, gate, head, judging, parameters, preview, workflow
from catalog.provisioning.ask import Ask
from catalog.provisioning.gate import Electorate
from catalog.provisioning.head import Drawn
from catalog.provisioning.judging import Decision
from catalog.provisioning.preview import Known, Preview
from catalog.provisioning.workflow import PlannedStep
from catalog.records import (
    Component,
    ComponentInstance,
    DecisionPoint,
    Estate,
    ProvisioningAction,
    ProvisioningRequest,
    Role,
    Scope,
    StepKind,
    StepState,
    Team,
)
from catalog.stacks import governance
from catalog.stacks.governance import GovernedWorkflow
from catalog.stacks.resolved import ResolvedEstate, WorkflowManifest
from catalog.store import budgets, locked
from catalog.store import requests as rows
from catalog.store.budgets import Standing
from catalog.store.requests import Target
from catalog.values import Money

_SHOWN = 50  # names of approvers in a preview


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A request that could be made: nothing of it is written yet."""

    target: Target
    team: Team
    drawn: Drawn
    workflow_id: str | None
    steps: tuple[PlannedStep, ...]
    executor: str
    preview: Preview


async def make(session: AsyncSession, config: Config, scope: Scope, ask: Ask) -> Draft:
    """Draw up a draft of what is asked; raises NotFound, Ambiguous or Invalid with the path of what doesn't hold."""
    workflow.supported(ask.action)
    target = await find(session, scope, ask)
    team = await _team(session, target, ask)
    check_parameters(target, ask.parameters)
    drawn = await asyncio.to_thread(head.draw, target.estate, key_of(target), ask.parameters)
    executor = executors.choose(target.estate.executor)
    chosen = _workflow(drawn.overlay.after, target.estate, ask)
    governed = governance.parse(chosen.document, chosen.location) if chosen else None
    steps = workflow.steps_for(ask.action, governed, can_plan=executor.can_plan)
    _check_workflow_tool(steps, drawn.overlay.after, target.instance.name)
    shown = await preview_of(
        session,
        config,
        target,
        drawn,
        action=ask.action,
        steps=steps,
        executor=executor.name,
        requester_id=scope.principal_id,
        team_id=team.id,
    )
    return Draft(
        target=target,
        team=team,
        drawn=drawn,
        workflow_id=await _workflow_id(session, target.estate, chosen),
        steps=steps,
        executor=executor.name,
        preview=shown,
    )


async def find(session: AsyncSession, scope: Scope, ask: Ask) -> Target:
    """Return the target that an ask names, when the viewer may see it; raises NotFound, or Ambiguous among several estates."""
    if not ask.stack or not ask.component:
        missing = "stack" if not ask.stack else "component"
        raise Invalid(f"{ask.action} needs a {missing}", path=(missing,))
    found = await rows.targets(
        session, estate=ask.estate, stack=ask.stack, component=ask.component, component_type=ask.component_type
    )
    in_sight = await locked.seen(session, scope, "component_instance", [target.instance.id for target in found])
    visible = [
        target
        for target in found
        if scope.admits(Role.VIEWER, tenant_id=target.instance.tenant_id, team_id=target.instance.team_id)
        and target.instance.id in in_sight
    ]
    if not visible:
        raise NotFound(
            f"there is no {ask.component_type.lower()} component {ask.component} in stack {ask.stack}",
            hint="`catalog get instances` lists what is there",
            path=("component",),
        )
    if len(visible) > 1:
        names = tuple(target.estate.name for target in visible)
        raise Ambiguous(f"several estates have {ask.component} in {ask.stack}", candidates=names, hint="name one", path=("estate",))
    return visible[0]


async def target_of(session: AsyncSession, found: ProvisioningRequest) -> Target:
    """Return what a request is about as it stands in the index; raises NotFound when it is gone."""
    estate = await rows.estate(session, found.estate_id)
    targets = await rows.targets(
        session,
        estate=estate.name if estate else None,
        stack=found.stack_name or "",
        component=found.component_name or "",
        component_type=found.component_type or "",
    )
    if not targets:
        raise NotFound(f"{found.component_name} is no longer in stack {found.stack_name}", hint="cancel the request")
    return targets[0]


def affected_ids(found: ProvisioningRequest) -> list[str]:
    """Return the ids of the instances that a request's preview names."""
    return [str(one["instanceId"]) for one in (found.preview or {}).get("affected", ())]


def key_of(target: Target) -> tuple[str, str, str]:
    """Return the target's natural key: stack, component type in upper case, name."""
    return (target.stack.name, target.instance.type, target.instance.name)


def check_parameters(target: Target, given: Mapping[str, Any]) -> None:
    """Raise Invalid for a parameter that is no variable, that its schema refuses, or that would carry a secret into Git."""
    if not isinstance(given, Mapping):
        raise Invalid("parameters are a map of variables to values", path=("parameters",))
    if not given:
        return
    component = target.component
    if component is None:
        raise Invalid(f"{target.instance.name} has no code in the catalog, so no variables", path=("parameters",))
    _check_read(component)
    for name, value in given.items():
        if isinstance(value, Mapping) and set(value) == {"$ref"}:
            raise Invalid(
                f"{name} names a secret, and this version looks none up",
                hint="set it in the estate by a commit",
                path=("parameters", name),
            )
    problems = parameters.validate(component.input_schema, given)
    if problems:
        raise Invalid(
            "; ".join(problem.message for problem in problems),
            hint=f"`catalog get components` and the component's inputSchema show what {component.name} takes",
            path=("parameters", *problems[0].path),
        )


def _check_read(component: Component) -> None:
    """Refuse to check against variables that nobody has read: anything would pass."""
    if component.input_schema.get("additionalProperties") is False:
        return
    if component.input_schema.get("x-pending"):
        raise Conflict(
            f"the variables of {component.name} are being read for the first time",
            code="NOT_READY",
            hint="try again in a few seconds",
            path=("parameters",),
        )
    raise Invalid(
        f"the code of {component.name} could not be read, so its variables are not known",
        hint="the estate's diagnostics say why",
        path=("parameters",),
    )


async def preview_of(
    session: AsyncSession,
    config: Config,
    target: Target,
    drawn: Drawn,
    *,
    action: ProvisioningAction,
    steps: Sequence[PlannedStep],
    executor: str,
    requester_id: str | None,
    team_id: str,
    request_id: str | None = None,
) -> Preview:
    """Preview a drawn request; what the files don't say (indexed costs, who may approve) is read from the index.

    `team_id` is on whose behalf, `request_id` the request where it was made already.
    """
    affected = preview.touched(drawn.overlay)
    ids = {preview.instance_id(target.estate.name, one.key): one for one in affected}
    indexed = await rows.instances(session, ids)
    gates = workflow.gates(steps)
    may_approve: tuple[str, ...] = ()
    if gates:
        may_approve = await names_of_approvers(session, target, gates[0], except_for=requester_id)
    known = Known(
        estate=target.estate.name,
        currency=await rows.currency(session, target.estate.organization_id),
        indexed={ids[key].key: cost for key, row in indexed.items() if (cost := _indexed_cost(row))},
        secret_keys=config.secret_keys,
    )
    decisions: tuple[Decision, ...] = ()
    if judging.asks(steps, DecisionPoint.REQUEST):
        change = await asyncio.to_thread(preview.cost_of, drawn.overlay, affected, known)
        document = await judged(session, config, target, drawn, action=action, requester_id=requester_id)
        standing = await budgets.look(session, team_id, change.delta, but=request_id)
        document |= {"affected": len(affected), "cost": _priced(change), "budget": _left(standing)}
        decisions = await asyncio.to_thread(judging.decide, config, drawn, steps, DecisionPoint.REQUEST, document)
    made = preview.build(
        drawn.overlay,
        affected,
        steps=steps,
        executor=executor,
        decisions=decisions,
        may_approve=may_approve,
        known=known,
    )
    return replace(made, team_id=team_id)


async def judged(
    session: AsyncSession,
    config: Config,
    target: Target,
    drawn: Drawn,
    *,
    action: ProvisioningAction,
    requester_id: str | None,
) -> dict[str, Any]:
    """Return what policies judge at every point: the target as it would be, whose it is, and who asks. Its secrets are hidden."""
    instance = drawn.overlay.target
    sections = instance.sections
    variables = sections.get("vars") or {}
    sensitive = [entry["name"] for entry in (target.component.inputs if target.component else []) if entry.get("sensitive")]
    owner = await rows.team_of(session, target.instance.team_id)
    people = await rows.principals(session, [requester_id] if requester_id else [])
    requester = next(iter(people.values()), None)
    return {
        "action": str(action),
        "estate": target.estate.name,
        "stack": instance.stack,
        "component": instance.name,
        "type": instance.type,
        **{name: variables.get(name) for name in _CONTEXT},
        "team": owner.slug if owner else None,
        "requester": {"name": requester.name, "email": requester.email} if requester else None,
        **{
            name: judging.redacted(sections.get(name) or {}, sensitive if name == "vars" else (), config.secret_keys)
            for name in ("vars", "settings", "metadata")
        },
    }


async def steps_of(session: AsyncSession, request_id: str) -> tuple[PlannedStep, ...]:
    """Return a request's steps as they were planned."""
    return tuple(
        PlannedStep(
            name=step.name,
            kind=StepKind(step.kind),
            tool=step.tool,
            options=step.options,
            skip=step.summary if step.state == StepState.SKIPPED else None,
        )
        for step in await rows.steps(session, request_id)
    )


# The variables that say where in an organisation something stands; null where they aren't set.
_CONTEXT = ("namespace", "tenant", "environment", "stage", "region")


def _priced(change: costs.CostChange) -> dict[str, Any]:
    """The cost of a request as policies compare it: money with its amount in whole cents beside the text."""
    return {
        key: {**value, "cents": _cents(Decimal(value["amount"]))} if isinstance(value, Mapping) else value
        for key, value in change.document().items()
    }


def _left(standing: Standing | None) -> dict[str, Any] | None:
    """A team's monthly budget as policies compare it, in whole cents of its currency; what isn't known is null."""
    if standing is None:
        return None
    left = None
    if standing.expected is not None and standing.committed is not None:
        left = standing.budget.amount - standing.expected - standing.committed
    return {
        "currency": standing.budget.currency,
        "cents": _cents(standing.budget.amount),
        "left_cents": _cents(left),
        "requested_cents": _cents(standing.requested),
    }


def _cents(amount: Decimal | None) -> int | None:
    return None if amount is None else round(amount * 100)


async def names_of_approvers(
    session: AsyncSession, target: Target, opened: workflow.Gate, *, except_for: str | None
) -> tuple[str, ...]:
    """Return the names of those who may decide, the requester left out."""
    found = await rows.approvers(
        session,
        tenant_id=target.instance.tenant_id,
        team_id=target.instance.team_id,
        organization_id=target.estate.organization_id,
        named=opened.approvers,
    )
    return tuple(one.name for one in found if one.id != except_for)[:_SHOWN]


async def electorate(session: AsyncSession, target: Target, opened: workflow.Gate, affected_ids: Sequence[str]) -> Electorate:
    """Return who may decide at a gate: about the target, and about what is affected of other tenants."""
    organization_id = target.estate.organization_id
    own = await rows.approvers(
        session,
        tenant_id=target.instance.tenant_id,
        team_id=target.instance.team_id,
        organization_id=organization_id,
        named=opened.approvers,
    )
    affected = await rows.instances(session, affected_ids)
    tenants = {row.tenant_id for row in affected.values()} - {target.instance.tenant_id}
    others = {
        tenant: await rows.approvers(session, tenant_id=tenant, team_id=None, organization_id=organization_id, named=None)
        for tenant in sorted(tenants)
    }
    return gate.Electorate(
        target=frozenset(one.id for one in own),
        quorum=opened.quorum,
        others={tenant: frozenset(one.id for one in found) for tenant, found in others.items()},
    )


def _indexed_cost(row: ComponentInstance) -> Money | None:
    return None if row.monthly is None or row.currency is None else Money(amount=row.monthly, currency=row.currency)


async def _team(session: AsyncSession, target: Target, ask: Ask) -> Team:
    if ask.team is not None:
        found = await rows.team(session, ask.team, target.estate.organization_id)
        if found is None:
            raise NotFound(f"there is no team {ask.team}", hint="`catalog get teams` lists them", path=("team",))
        return found
    found = await rows.team_of(session, target.instance.team_id)
    if found is None:
        raise Invalid(f"nobody owns {target.instance.name}: say on whose behalf you ask", path=("team",))
    return found


def _workflow(estate: ResolvedEstate, registered: Estate, ask: Ask) -> WorkflowManifest | None:
    """The workflow that the ask names, else the estate's for the action; None: the built-in one."""
    if ask.workflow:
        return pick(estate, ask.workflow, ask.workflow_file)
    named = registered.workflows.get(ask.action)
    return pick(estate, named["name"], named.get("file")) if named else None


def pick(estate: ResolvedEstate, name: str, file: str | None) -> WorkflowManifest:
    """Return the workflow of that name (and file); raises NotFound, or Ambiguous when several files have one."""
    found = [one for one in estate.workflows if one.name == name and (file is None or _is_file(one.file, file))]
    if not found:
        known = sorted({one.name for one in estate.workflows})
        close = difflib.get_close_matches(name, known, n=1)
        where = f" in {file}" if file else ""
        hint = f"did you mean {close[0]}?" if close else "`catalog get workflows` lists them"
        raise NotFound(f"the estate has no workflow {name}{where}", hint=hint, path=("workflow",))
    if len(found) > 1:
        files = tuple(sorted(one.file for one in found))
        raise Ambiguous(f"several files have a workflow {name}", candidates=files, path=("workflowFile",))
    return found[0]


def _is_file(path: str, written: str) -> bool:
    """A workflow file is named as the catalog shows it, or as `atmos workflow -f` does: folders and extension may be left out."""
    stem = path.rsplit(".", 1)[0]
    wanted = written.removesuffix(".yaml").removesuffix(".yml")
    return stem == wanted or stem.endswith(f"/{wanted}")


async def _workflow_id(session: AsyncSession, estate: Estate, chosen: WorkflowManifest | None) -> str | None:
    if chosen is None:
        return None
    workflow_id = values.global_id("Workflow", estate.name, chosen.file, chosen.name)
    return workflow_id if await rows.has_workflow(session, workflow_id) else None


def _check_workflow_tool(steps: Sequence[PlannedStep], estate: ResolvedEstate, component: str) -> None:
    """See that `provision: atmos workflow NAME` names a workflow whose terraform steps apply the target."""
    for step in steps:
        if step.kind is not StepKind.PROVISION or "workflow" not in step.options:
            continue
        chosen = pick(estate, step.options["workflow"], step.options.get("file"))
        parsed: GovernedWorkflow = governance.parse(chosen.document, chosen.location)
        applied = workflow.terraform_components(parsed.steps)
        if applied is not None and component not in applied:
            raise Invalid(
                f"step {step.name!r}: workflow {chosen.name} has no terraform step that applies {component}",
                hint=f"it applies {', '.join(sorted(applied)) or 'nothing'}",
                path=("workflow", step.name),
            )
