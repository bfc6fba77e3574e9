"""What people do with requests: preview, request, approve, reject, cancel, resolve. Each use-case is one transaction.

Scope in, rows out. A use-case checks who asks, decides by the table of moves, writes, and enqueues "advance request N"; what
a request then does, `advance` does. Errors are `catalog.errors`, with the path of what doesn't hold.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from catalog import values
from catalog.config import Config
from catalog.errors import Conflict, Forbidden, Invalid, NotFound, PlanChanged, Unauthenticated
from catalog.provisioning import budgets, draft, gate, head, judging, transitions, workflow
from catalog.provisioning.ask import Ask
from catalog.provisioning.draft import Draft
from catalog.provisioning.lifecycle import Move, StepMove
from catalog.provisioning.preview import Preview
from catalog.records import (
    Approval,
    ApprovalDecision,
    DecisionPoint,
    ProvisioningAction,
    ProvisioningRequest,
    RequestState,
    RequestStep,
    Role,
    Scope,
    StepKind,
    StepState,
)
from catalog.store import audit, jobs, locked, run_queue
from catalog.store import budgets as budget_rows
from catalog.store import requests as rows
from catalog.store.database import Database
from catalog.store.requests import Target

__all__ = ["Ask", "Preview", "UnknownOutcome", "approve", "cancel", "preview", "reject", "request", "resolve"]


class UnknownOutcome(StrEnum):
    """What a person found out about a request of unknown outcome."""

    APPLIED = "APPLIED"
    NOT_APPLIED = "NOT_APPLIED"
    ABANDON = "ABANDON"


_MUTATION = "requestProvisioning"
_KEY_LENGTH = 200


async def preview(database: Database, config: Config, scope: Scope, ask: Ask) -> Preview:
    """Show what a request would do; nothing is written and nothing is executed."""
    async with database.session() as session:
        return (await draft.make(session, config, scope, ask)).preview


async def request(database: Database, config: Config, scope: Scope, ask: Ask, *, idempotency_key: str) -> ProvisioningRequest:
    """Make a request, or return the one that the same key made.

    Raises what `draft.make` raises; BudgetExceeded where the workflow enforces the team's budget; Forbidden when no requester grant
    admits the target; Conflict when the estate is read-only, another request holds the target, or the key was used for something else.
    """
    principal_id = _principal(scope)
    if not 0 < len(idempotency_key) <= _KEY_LENGTH:
        raise Invalid(f"an idempotency key has 1 to {_KEY_LENGTH} characters", path=("idempotencyKey",))
    async with database.session() as session:
        # The claim comes first: a concurrent duplicate waits at it until this transaction ends.
        replayed = await rows.claim(
            session, principal_id=principal_id, mutation=_MUTATION, key=idempotency_key, body_hash=values.digest(ask.body())
        )
        if replayed is not None:
            return await _replayed(session, replayed)
        target = await draft.find(session, scope, ask)
        _may_request(scope, target)
        head.writable(target.estate)
        drafted = await draft.make(session, config, scope, ask)
        if budgets.are_enforced(drafted.steps):
            adds = drafted.preview.cost.delta
            budgets.check(await budget_rows.standing(session, drafted.team.id, adds), adds)
        made = await _add(session, scope, ask, drafted)
        await rows.keep(session, principal_id=principal_id, mutation=_MUTATION, key=idempotency_key, payload={"id": made.id})
        await _advance_later(session, made.id)
        await audit.record(session, scope, _MUTATION, made.id, {"number": made.number, "digest": made.digest})
        await session.commit()
        return made


async def approve(
    database: Database, config: Config, scope: Scope, request_id: str, *, digest: str, comment: str | None = None
) -> ProvisioningRequest:
    """Approve exactly what `digest` names; the last approval that a gate needs closes it.

    The policies that are asked at APPROVAL may want more than its quorum. Raises PlanChanged when the request is no longer what was
    shown, Forbidden for the requester and for whoever may not decide.
    """
    async with database.session() as session:
        found, step, electorate = await _at_gate(session, scope, request_id, digest)
        await rows.decide(session, _approval(found, scope, ApprovalDecision.APPROVED, comment))
        said = [one.principal_id for one in await rows.approvals(session, found.id) if not one.void]
        wanted = await _wanted(session, config, found, said) if gate.closes(electorate, said) else ()
        if wanted:
            step.summary = f"approved by {len(said)}, and the policies want more: {'; '.join(wanted)}"
        elif gate.closes(electorate, said):
            people = await rows.principals(session, said)
            names = ", ".join(sorted(one.name for one in people.values()))
            transitions.end(step, StepMove.SUCCEED, summary=f"approved by {names}")
            transitions.move(found, Move.APPROVE)
            found.expires_at = None
            await _advance_later(session, found.id)
        return await _commit(session, scope, found, "approveRequest", digest=digest, comment=comment)


async def reject(
    database: Database, config: Config, scope: Scope, request_id: str, *, digest: str, comment: str | None = None
) -> ProvisioningRequest:
    """Reject a request: one rejection is enough. Raises as `approve` does."""
    del config
    async with database.session() as session:
        found, step, _ = await _at_gate(session, scope, request_id, digest)
        await rows.decide(session, _approval(found, scope, ApprovalDecision.REJECTED, comment))
        transitions.end(step, StepMove.FAIL, summary=f"rejected by {scope.name}", error=comment)
        transitions.move(found, Move.REJECT)
        transitions.cancel(await rows.steps(session, found.id))
        return await _commit(session, scope, found, "rejectRequest", digest=digest, comment=comment)


async def cancel(
    database: Database, config: Config, scope: Scope, request_id: str, *, reason: str | None = None
) -> ProvisioningRequest:
    """Cancel a request that is not being applied yet; cancelling again changes nothing.

    Its requester may, and an admin of its target. What is being applied can't be: that is a Conflict. Where it is unknown what was
    applied, it stays applied, and the next request plans what is left.
    """
    del config
    principal_id = _principal(scope)
    async with database.session() as session:
        found = await _visible(session, scope, request_id)
        if found.state == RequestState.CANCELLED:
            return found
        owner = await _owner(session, found)
        if principal_id != found.requester_id and not scope.admits(Role.ADMIN, tenant_id=found.tenant_id, team_id=owner):
            raise Forbidden("only its requester or an admin cancels a request")
        if found.state == RequestState.APPLY_UNKNOWN:
            await _index_later(session, found)
        transitions.move(found, Move.CANCEL)
        said = f"cancelled by {scope.name}" + (f": {reason}" if reason else "")
        transitions.cancel(await rows.steps(session, found.id), said)
        return await _commit(session, scope, found, "cancelRequest", reason=reason)


async def resolve(
    database: Database, config: Config, scope: Scope, request_id: str, *, outcome: UnknownOutcome, comment: str
) -> ProvisioningRequest:
    """Say what an approver found out about a request of unknown outcome, where a fresh plan could not tell.

    APPLIED: it goes on behind the step. NOT_APPLIED: the step begins anew, plans, and asks again unless that is the approved plan.
    ABANDON: it fails. The estate is indexed again in each case. Raises Conflict in any other state.
    """
    del config
    async with database.session() as session:
        found = await _visible(session, scope, request_id)
        step = next((one for one in await rows.steps(session, found.id) if one.state == StepState.UNKNOWN), None)
        if found.state != RequestState.APPLY_UNKNOWN or step is None:
            raise Conflict(f"the outcome of request {found.number} is not unknown: it is {found.state}", code="NOT_IN_THIS_STATE")
        await _may_resolve(session, scope, found)
        said = f"resolved as {outcome} by {scope.name}: {comment}"
        if outcome is UnknownOutcome.ABANDON:
            transitions.end(step, StepMove.FAIL, summary=said, error=step.error)
            transitions.move(found, Move.FAIL)
            transitions.cancel(await rows.steps(session, found.id))
        else:
            transitions.end(step, StepMove.SUCCEED if outcome is UnknownOutcome.APPLIED else StepMove.AGAIN, summary=said)
            transitions.move(found, Move.RESUME)
            await _advance_later(session, found.id)
        await _index_later(session, found)
        return await _commit(session, scope, found, "resolveUnknown", outcome=str(outcome), comment=comment)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _principal(scope: Scope) -> str:
    if scope.principal_id is None:
        raise Unauthenticated("sign in first", hint="send a token: Authorization: Bearer atc_…")
    return scope.principal_id


def _may_request(scope: Scope, target: Target) -> None:
    instance = target.instance
    if not scope.admits(Role.REQUESTER, tenant_id=instance.tenant_id, team_id=instance.team_id):
        raise Forbidden(
            f"you may not request changes of {instance.name} in {target.stack.name}",
            hint="ask an admin for a requester grant that admits its tenant and team",
        )


async def _may_resolve(session: AsyncSession, scope: Scope, found: ProvisioningRequest) -> None:
    if found.requester_id == _principal(scope):
        raise rows.own_request()
    if not scope.admits(Role.APPROVER, tenant_id=found.tenant_id, team_id=await _owner(session, found)):
        raise Forbidden("only an approver of its target says what became of a request")


async def _replayed(session: AsyncSession, payload: Mapping[str, Any]) -> ProvisioningRequest:
    found = await rows.get(session, str(payload.get("id")))
    if found is None:
        raise NotFound("the request made under this idempotency key is gone", path=("idempotencyKey",))
    return found


async def _add(session: AsyncSession, scope: Scope, ask: Ask, made: Draft) -> ProvisioningRequest:
    now = datetime.now(UTC)
    target, shown = made.target, made.preview
    gates = workflow.gates(made.steps)
    found = ProvisioningRequest(
        id=values.global_id("ProvisioningRequest", uuid.uuid4().hex),
        estate_id=target.estate.id,
        tenant_id=target.instance.tenant_id,
        action=ask.action,
        state=RequestState.PENDING,
        workflow_id=made.workflow_id,
        environment_id=target.stack.environment_id,
        instance_id=target.instance.id,
        stack_name=target.stack.name,
        component_type=target.instance.type,
        component_name=target.instance.name,
        target="/".join(draft.key_of(target)),
        team_id=made.team.id,
        requester_id=_principal(scope),
        justification=ask.justification,
        parameters=dict(ask.parameters),
        executor=made.executor,
        preview=shown.document(),
        digest=shown.digest,
        base_revision=made.drawn.base,
        required_approvals=gates[0].quorum if gates else 0,
        may_approve=list(shown.may_approve),
        created_at=now,
        updated_at=now,
    )
    await rows.add(session, found, [_step(found.id, ordinal, step) for ordinal, step in enumerate(made.steps)])
    await judging.keep(session, target.estate, found, shown.decisions)
    await rows.wake(session, found.id)
    return found


def _step(request_id: str, ordinal: int, planned: workflow.PlannedStep) -> RequestStep:
    return RequestStep(
        request_id=request_id,
        ordinal=ordinal,
        name=planned.name,
        kind=planned.kind,
        tool=planned.tool,
        options=dict(planned.options),
        state=StepState.SKIPPED if planned.skip else StepState.PENDING,
        summary=planned.skip,
    )


async def _visible(session: AsyncSession, scope: Scope, request_id: str) -> ProvisioningRequest:
    """The request, locked, when the viewer may see it: its requester, or whose grant admits the target."""
    in_sight = await locked.seen(session, scope, "provisioning_request", [request_id])
    found = await rows.lock(session, request_id) if in_sight else None
    if found is None or not await sees(session, scope, found):
        raise NotFound(f"there is no request {request_id}", hint="`catalog get requests` lists them", path=("id",))
    return found


async def sees(session: AsyncSession, scope: Scope, found: ProvisioningRequest) -> bool:
    """Whether the viewer may see a request: its own, one of a target in sight, or one that affects what is in sight."""
    if found.requester_id == scope.principal_id:
        return True
    affected = await rows.instances(session, draft.affected_ids(found))
    if any(scope.admits(Role.VIEWER, tenant_id=row.tenant_id, team_id=row.team_id) for row in affected.values()):
        return True
    return scope.admits(Role.VIEWER, tenant_id=found.tenant_id, team_id=await _owner(session, found))


async def _owner(session: AsyncSession, found: ProvisioningRequest) -> str:
    """The team that owns the target; the one on whose behalf it was asked for when the target is gone or nobody's."""
    rows_by_id = await rows.instances(session, [found.instance_id] if found.instance_id else [])
    owners = [row.team_id for row in rows_by_id.values() if row.team_id]
    return owners[0] if owners else found.team_id


async def _at_gate(
    session: AsyncSession, scope: Scope, request_id: str, digest: str
) -> tuple[ProvisioningRequest, RequestStep, gate.Electorate]:
    """The request at its open gate, when the viewer may decide there on what the digest names."""
    principal_id = _principal(scope)
    found = await _visible(session, scope, request_id)
    if found.requester_id == principal_id:
        raise rows.own_request()
    steps = await rows.steps(session, found.id)
    step = next((one for one in steps if one.kind == StepKind.APPROVAL_GATE and one.state == StepState.WAITING), None)
    if found.state != RequestState.AWAITING_APPROVAL or step is None:
        raise Conflict(f"request {found.number} awaits no approval: it is {found.state}", code="NOT_IN_THIS_STATE")
    if found.expires_at is not None and found.expires_at <= datetime.now(UTC):
        raise Conflict(f"the time to decide on request {found.number} is over", code="EXPIRED", hint="request it again")
    target = await draft.target_of(session, found)
    electorate = await draft.electorate(session, target, workflow.gate_of(step.options), draft.affected_ids(found))
    if principal_id not in electorate.everybody:
        names = ", ".join(found.may_approve)
        raise Forbidden(f"you may not decide on request {found.number}", hint=f"may decide: {names}" if names else None)
    if digest != found.digest:
        raise PlanChanged(
            f"request {found.number} is no longer what this digest names",
            approved=digest,
            current=found.digest or "",
            difference=tuple((step.result or {}).get("difference", ())),
            hint="look at it again, then decide on its new digest",
        )
    return found, step, electorate


async def _wanted(session: AsyncSession, config: Config, found: ProvisioningRequest, approved: Sequence[str]) -> tuple[str, ...]:
    """What the policies still want before the gate closes."""
    steps = await draft.steps_of(session, found.id)
    if not judging.asks(steps, DecisionPoint.APPROVAL):
        return ()
    target = await draft.target_of(session, found)
    drawn = await asyncio.to_thread(head.draw, target.estate, draft.key_of(target), found.parameters)
    action = ProvisioningAction(found.action)
    document = await draft.judged(session, config, target, drawn, action=action, requester_id=found.requester_id)
    document |= {"plan": judging.planned(found.plan), "approvals": [{"approver": one} for one in approved]}
    decisions = await asyncio.to_thread(judging.decide, config, drawn, steps, DecisionPoint.APPROVAL, document)
    await judging.keep(session, target.estate, found, decisions)
    return tuple(str(verdict.message) for verdict in judging.denials(decisions))


def _approval(found: ProvisioningRequest, scope: Scope, decision: ApprovalDecision, comment: str | None) -> Approval:
    return Approval(
        request_id=found.id,
        requester_id=found.requester_id,
        principal_id=_principal(scope),
        decision=decision,
        comment=comment,
        digest=found.digest or "",
        at=datetime.now(UTC),
    )


async def _advance_later(session: AsyncSession, request_id: str) -> None:
    await jobs.enqueue(session, "advance_request", {"request_id": request_id}, dedupe=f"request:{request_id}")


async def _index_later(session: AsyncSession, found: ProvisioningRequest) -> None:
    """Whatever an interrupted request committed is to be seen in the graph."""
    await run_queue.ask(session, found.estate_id)


async def _commit(
    session: AsyncSession, scope: Scope, found: ProvisioningRequest, action: str, **detail: str | None
) -> ProvisioningRequest:
    await rows.wake(session, found.id)
    await audit.record(session, scope, action, found.id, {"number": found.number, **detail})
    await session.commit()
    return found
