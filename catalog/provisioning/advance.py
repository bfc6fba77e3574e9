"""Advances a request as far as it goes by itself: reads its rows, decides what is next, acts, writes what came of it.

The intent is committed before the effect and the outcome after it. Whoever holds the request's lock advances it, nobody else; so
delivering "advance request N" twice, or to two machines, is harmless. A holder that finds a RUNNING step knows that whoever ran it
is gone.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from catalog.errors import CatalogError
from catalog.provisioning import agenda, applying, draft, lifecycle, steps, transitions, workflow
from catalog.provisioning.context import Context, Outcome, Work, intent, lives
from catalog.provisioning.lifecycle import Move, StepMove
from catalog.provisioning.log import StepLog
from catalog.records import FINAL_STATES, LogStream, ProvisioningRequest, RequestState, RequestStep, StepKind, StepState
from catalog.store import requests as rows
from catalog.store.requests import Hold

_log = logging.getLogger(__name__)

# How often a step without effect is begun when its worker keeps dying: a job that kills its worker would otherwise loop for ever.
ATTEMPTS = 3


async def advance(context: Context, request_id: str) -> None:
    """Advance a request until it rests. Returns at once when this process, or another, is advancing it already."""
    if request_id in context.active:
        return
    context.active.add(request_id)
    try:
        async with rows.hold(context.database, request_id) as held:
            while held is not None and await _once(context, held, request_id):
                pass
    finally:
        context.active.discard(request_id)


async def _once(context: Context, held: Hold, request_id: str) -> bool:
    """Take one turn; False when the request rests."""
    async with context.database.session() as session:
        request = await rows.lock(session, request_id)
        if request is None:
            return False
        found = await rows.steps(session, request_id)
        turn = agenda.of(request, found, datetime.now(UTC))
        work = await _begin(context, session, request, found, turn)
        if not isinstance(turn, agenda.Rest):
            await rows.wake(session, request_id)
        await session.commit()
    if isinstance(turn, agenda.TakeOver) and work is None:
        step = found[turn.ordinal]
        said = step.error or step.summary or ""
        await rows.append_log(context.database, request_id, step.ordinal, [(datetime.now(UTC), LogStream.SYSTEM, said)])
    if work is None:
        return not isinstance(turn, agenda.Rest)
    if work is Stay:
        return False
    assert isinstance(work, RequestStep)
    await _carry_out(context, held, request, work, examining=isinstance(turn, agenda.Examine))
    return True


class Stay:
    """Nothing to do now, though the rows alone would say so: whoever runs the step still lives."""


async def _begin(
    context: Context, session: AsyncSession, request: ProvisioningRequest, found: Sequence[RequestStep], turn: agenda.Next
) -> RequestStep | type[Stay] | None:
    """Write what this turn begins; return the step that is to be carried out, if one is."""
    match turn:
        case agenda.Run(ordinal) if found[ordinal].kind == StepKind.APPROVAL_GATE:
            await _open(session, request, found[ordinal])
        case agenda.Run(ordinal):
            _enter(request, found, StepKind(found[ordinal].kind))
            # What was begun and has no end was interrupted; what a reopened gate sent back has no intent any more.
            interrupted = found[ordinal].intent is not None
            transitions.start(found[ordinal], intent(context.process, interrupted=interrupted))
            return found[ordinal]
        case agenda.TakeOver(ordinal):
            if _is_running(context, found[ordinal]):
                return Stay
            _take_over(request, found, found[ordinal])
        case agenda.Examine(ordinal):
            return found[ordinal]
        case agenda.Expire(ordinal):
            transitions.end(found[ordinal], StepMove.FAIL, summary="nobody decided in time", hint="request it again")
            transitions.move(request, Move.EXPIRE)
            transitions.cancel(found)
        case agenda.Finish():
            transitions.move(request, Move.SUCCEED)
        case agenda.Rest():
            pass
    return None


def _is_running(context: Context, step: RequestStep) -> bool:
    """Whether the process that began the step still lives. This process has let go of it: it holds the request anew."""
    return lives(step.intent) and (step.intent or {}).get("pid") != context.process.pid


def _enter(request: ProvisioningRequest, found: Sequence[RequestStep], kind: StepKind) -> None:
    """Put the request into the step's state. What has no gate before it needs nobody's word: it counts as approved."""
    gates = [step for step in found if step.kind == StepKind.APPROVAL_GATE and step.state != StepState.SKIPPED]
    if kind is StepKind.PROVISION and not gates and lifecycle.may(RequestState(request.state), Move.APPROVE):
        transitions.move(request, Move.APPROVE)
    transitions.enter(request, kind)


async def _open(session: AsyncSession, request: ProvisioningRequest, step: RequestStep) -> None:
    """Open a gate: the request waits in its rows until people decide, or until it expires."""
    opened = workflow.gate_of(step.options)
    target = await draft.target_of(session, request)
    names = await draft.names_of_approvers(session, target, opened, except_for=request.requester_id)
    transitions.move(request, Move.ASK)
    transitions.end(step, StepMove.WAIT, summary=_asked(opened, names), hint=None if names else _NOBODY)
    step.started_at = datetime.now(UTC)
    request.required_approvals, request.may_approve = opened.quorum, list(names)
    request.expires_at = None if opened.expires is None else datetime.now(UTC) + timedelta(seconds=opened.expires)


_NOBODY = "nobody else has an approver grant that admits this target: ask an admin to give one"


def _asked(opened: workflow.Gate, names: Sequence[str]) -> str:
    needed = f"{opened.quorum} approval{'s' if opened.quorum > 1 else ''} needed"
    return f"{needed}; may decide: {', '.join(names)}" if names else f"{needed}; nobody may decide"


def _take_over(request: ProvisioningRequest, found: Sequence[RequestStep], step: RequestStep) -> None:
    """Say what became of a step whose worker is gone. What it may have applied is unknown, and never begun again blindly."""
    said = step.intent or {}
    who = f"worker {said.get('pid')} on {said.get('host')}"
    if step.kind == StepKind.PROVISION and said.get("phase") == applying.APPLY:
        transitions.end(
            step,
            StepMove.LOSE,
            summary=f"{who} ended while applying: what was applied is not known yet",
            hint="it is compared with a fresh plan now; it is not applied again before that",
        )
        transitions.move(request, Move.LOSE)
    elif step.attempt < ATTEMPTS:
        transitions.end(step, StepMove.AGAIN, summary=f"{who} ended before it had any effect; beginning again")
    else:
        transitions.end(
            step, StepMove.FAIL, error=f"its worker ended {step.attempt} times", hint="look at the worker's own log for the cause"
        )
        transitions.move(request, Move.FAIL)
        transitions.cancel(found)


async def _carry_out(context: Context, held: Hold, request: ProvisioningRequest, step: RequestStep, *, examining: bool) -> None:
    """Carry a step out and write its outcome; an error is an outcome too."""
    async with StepLog(context.database, request.id, step.ordinal) as log:
        work = Work(context=context, held=held, request=request, step=step, log=log)
        act = applying.examine if examining else steps.CARRY_OUT.get(StepKind(step.kind), _unknown)
        try:
            outcome = await act(work)
        except CatalogError as error:
            outcome = _refused(step, error.message, error.hint, examining=examining)
        except Exception:  # noqa: BLE001 — told under a number, logged once
            number = uuid.uuid4().hex[:12]
            _log.exception("step %s of request %s failed (%s)", step.name, request.number, number)
            outcome = _refused(
                step, f"something unexpected happened ({number})", "its worker's log tells more", examining=examining
            )
        if outcome.error:
            await log.say(outcome.error)
    await _write(context, request.id, step, outcome)


async def _unknown(work: Work) -> Outcome:
    return Outcome(move=StepMove.FAIL, error=f"{work.step.kind} can't be carried out by this version", ends=Move.FAIL)


def _refused(step: RequestStep, error: str, hint: str | None, *, examining: bool) -> Outcome:
    """An examination that fails leaves what it examined unknown, for a person to look at; any other step fails its request."""
    if examining:
        return Outcome(move=StepMove.LOSE, summary=step.summary, error=f"it could not be examined: {error}", hint=hint)
    return Outcome(move=StepMove.FAIL, error=error, hint=hint, ends=None if step.kind == StepKind.NOTIFY else Move.FAIL)


async def _write(context: Context, request_id: str, carried: RequestStep, outcome: Outcome) -> None:
    """Write a step's outcome with what it changes in its request, unless the request was ended in the meantime."""
    async with context.database.session() as session:
        request = await rows.lock(session, request_id)
        found = await rows.steps(session, request_id)
        step = next((one for one in found if one.ordinal == carried.ordinal), None)
        if request is None or step is None or request.state in FINAL_STATES or step.attempt != carried.attempt:
            return
        if step.state == StepState.UNKNOWN and outcome.move is StepMove.LOSE:
            step.summary, step.error, step.hint = outcome.summary or step.summary, outcome.error, outcome.hint
            step.result = dict(outcome.result or {})
        else:
            transitions.end(
                step, outcome.move, summary=outcome.summary, error=outcome.error, hint=outcome.hint, result=outcome.result
            )
        for name, value in outcome.changes.items():
            setattr(request, name, value)
        request.updated_at = datetime.now(UTC)
        if outcome.reopens:
            await _reopen(session, request, found, outcome)
        if outcome.ends is not None:
            transitions.move(request, outcome.ends)
            transitions.cancel(found)
        await rows.wake(session, request_id)
        await session.commit()


async def _reopen(session: AsyncSession, request: ProvisioningRequest, found: Sequence[RequestStep], outcome: Outcome) -> None:
    """Send a request back to its last gate: every approval is void, and the gate says what differs. Without a gate it goes on."""
    await rows.void_approvals(session, request.id)
    for step in found:
        if step.state == StepState.PENDING:
            step.intent = None
    gate = next((one for one in reversed(found) if one.kind == StepKind.APPROVAL_GATE and one.state == StepState.SUCCEEDED), None)
    if gate is None:
        return
    await _open(session, request, gate)
    gate.result = {"difference": list(outcome.difference)}
    gate.summary = f"opened again, since what was approved is no longer what would happen; {gate.summary}"
