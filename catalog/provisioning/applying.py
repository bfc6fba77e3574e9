"""The provision step: draw again, compare with what was approved, commit, apply; and what to do when that was interrupted.

Under the estate's lock, so that between drawing and committing nothing else moves its branch. The intent tells how far it came:
until `apply` begins, carrying it out again is harmless (a commit is found by its trailer); from then on it never happens blindly.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalog import values
from catalog.errors import CatalogError, PlanChanged, Unavailable
from catalog.executors import Executor, Identity
from catalog.gitops import Signature
from catalog.provisioning import draft, head, judging, plans, transitions, verdicts, workplace
from catalog.provisioning.context import Outcome, Work, intent, lives
from catalog.provisioning.head import Drawn
from catalog.provisioning.lifecycle import Move, StepMove
from catalog.provisioning.preview import Preview
from catalog.provisioning.workflow import PlannedStep
from catalog.provisioning.workplace import Place, Workplace
from catalog.records import DecisionPoint, Estate, ProvisioningAction, ProvisioningRequest, StepState
from catalog.store import requests as rows
from catalog.store import run_queue
from catalog.store.requests import Target

_log = logging.getLogger(__name__)

TRAILER = "Atmos-Request-Id"
# The intent's phase from which on an interruption leaves an unknown.
APPLY = "apply"
_LOOK = 0.2  # seconds between looks at a process that is ending


async def plan(work: Work) -> Outcome:
    """Carry out a plan step: in a private clone, with nothing committed."""
    subject = await _draw(work)
    async with workplace.opened(_place(work, subject)) as place:
        levels = await place.plan(work.log)
    planned = plans.document(subject.shown, levels)
    denied = await _ask(work, subject, DecisionPoint.PLAN, planned)
    changes = _shown_now(subject, planned)
    if denied is not None:
        return replace(denied, result=plans.counts(levels), changes=changes)
    return Outcome(move=StepMove.SUCCEED, summary=plans.summary(levels), result=plans.counts(levels), changes=changes)


async def provision(work: Work) -> Outcome:
    """Carry out a provision step, as far as it did not happen already."""
    await work.log.say("waiting for the estate")
    async with work.held.estate(work.request.estate_id):
        subject = await _draw(work)
        await _tell_fake(work, subject)
        committed = await _committed(work, subject)
        async with workplace.opened(_place(work, subject)) as place:
            levels = await place.plan(work.log)
            planned = _planned(subject, levels, committed)
            if not _still_approved(work.request, subject, planned, committed):
                return _reopened(work.request, subject, planned, committed)
            if committed is None:
                denied = await _ask(work, subject, DecisionPoint.APPLY, planned)
                if denied is not None:
                    return denied
                await _commit(work, subject)
            return await _apply(work, place, subject, levels, resumed=False)


async def _ask(work: Work, subject: Subject, point: DecisionPoint, planned: Mapping[str, Any] | None) -> Outcome | None:
    """Ask the policies about the plan; None where nothing stops the request."""
    steps, request, config = subject.steps, work.request, work.context.config
    if not judging.asks(steps, point):
        return None
    async with work.context.database.session() as session:
        approvals = await rows.approvals(session, request.id)
        document = await draft.judged(
            session,
            config,
            subject.target,
            subject.drawn,
            action=ProvisioningAction(request.action),
            requester_id=request.requester_id,
        )
        document |= {
            "plan": judging.planned(planned),
            "approvals": [{"approver": one.principal_id, "at": one.at.isoformat()} for one in approvals if not one.void],
        }
        decisions = await asyncio.to_thread(judging.decide, config, subject.drawn, steps, point, document)
        await judging.keep(session, subject.estate, request, decisions)
        await session.commit()
    said = [verdict.document() for decision in decisions for verdict in decision.verdicts]
    await verdicts.tell(work.log, said)
    return verdicts.denial(said)


async def examine(work: Work) -> Outcome:
    """Find out what an interrupted apply left to do, by a fresh plan, once whoever applied has really ended.

    Nothing left: it is done. What is left was approved: apply that. Else a person decides.
    """
    async with work.held.estate(work.request.estate_id):
        await _wait_for_end(work)
        subject = await _draw(work)
        async with workplace.opened(_place(work, subject)) as place:
            left = await place.plan(work.log)
            foreign = plans.outside(left, _approved_levels(work.request))
            if foreign:
                return _undecided(left, foreign)
            await work.log.say(f"what is left to do is within what was approved: {plans.summary(left)}")
            return await _apply(work, place, subject, left, resumed=True)


async def _wait_for_end(work: Work) -> None:
    """Wait for the program that an interrupted worker had started: its guard interrupts it, and ending well may take a while."""
    program = (work.step.intent or {}).get("program")
    if program and lives(program):
        await work.log.say(f"waiting for process {program['pid']}, which the interrupted worker had started, to end")
    while lives(program):  # noqa: ASYNC110 — another process's end gives no event
        await asyncio.sleep(_LOOK)


def _undecided(left: Sequence[Mapping[str, Any]], foreign: tuple[str, ...]) -> Outcome:
    return Outcome(
        move=StepMove.LOSE,
        summary="interrupted while applying; what is left to do is not what was approved",
        error=f"left to do: {plans.summary(left)}; not approved: {'; '.join(foreign)}",
        hint="look at what is there, then say so with `catalog resolve`; `not-applied` has the rest planned and approved anew",
        result={"left": [dict(one) for one in left], "difference": list(foreign)},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A request drawn upon its estate as it is now: what would change, its preview, and the executor that would do it."""

    target: Target
    drawn: Drawn
    shown: Preview
    steps: tuple[PlannedStep, ...]
    executor: Executor

    @property
    def estate(self) -> Estate:
        """The estate."""
        return self.target.estate


def _planned(subject: Subject, levels: Sequence[Mapping[str, Any]], committed: str | None) -> dict[str, Any] | None:
    """The plan as it is now; None where the executor can't plan and the preview is all there is."""
    if not subject.executor.can_plan:
        return None
    return plans.remaining(committed, levels) if committed else plans.document(subject.shown, levels)


def _still_approved(
    request: ProvisioningRequest, subject: Subject, planned: Mapping[str, Any] | None, committed: str | None
) -> bool:
    """Whether this is what was approved; once it is committed, the planned changes alone count, since the files are in."""
    if committed is None:
        return request.digest == (subject.shown.digest if planned is None else planned["digest"])
    if planned is None or planned["digest"] == request.digest:
        return True
    return bool(values.canonical_json(planned["levels"]) == values.canonical_json(_approved_levels(request)))


def _approved_levels(request: ProvisioningRequest) -> Sequence[Mapping[str, Any]]:
    levels: Sequence[Mapping[str, Any]] = (request.plan or {}).get("levels", ())
    return levels


def _reopened(request: ProvisioningRequest, subject: Subject, planned: Mapping[str, Any] | None, committed: str | None) -> Outcome:
    changes = {"plan": planned, "digest": planned["digest"]} if committed and planned else _shown_now(subject, planned)
    return Outcome(
        move=StepMove.AGAIN,
        summary="what was approved is no longer what would happen",
        changes=changes,
        reopens=True,
        difference=plans.difference(request.plan, planned or {"levels": []}),
    )


async def _apply(work: Work, place: Workplace, subject: Subject, planned: Sequence[Mapping[str, Any]], *, resumed: bool) -> Outcome:
    """Apply instance by instance, level by level; each is planned afresh and must still be what was approved."""
    if not await _intend(work, APPLY, resume=resumed):
        return Outcome(move=StepMove.CANCEL, summary="cancelled before anything was applied")
    outputs: dict[str, Any] = {}
    done: list[dict[str, Any]] = []
    try:
        for key in itertools.chain(*place.levels):
            approved = plans.approved(planned, key) if subject.executor.can_plan else None
            applied = await place.apply_one(key, approved, work.log)
            outputs[plans.name_of(key)] = dict(applied.outputs)
            done.append({"instance": plans.name_of(key), "serial": applied.serial, "lineage": applied.lineage})
    except PlanChanged as error:
        await work.log.say(error.message)
        levels = await place.plan(work.log)
        return _reopened(work.request, subject, plans.remaining(work.request.commit or "", levels), work.request.commit or "")
    except CatalogError as error:
        return await _failed(work, subject, error, done)
    await _reindex(work, subject.estate)
    return Outcome(
        move=StepMove.SUCCEED,
        summary=_said(work, subject, planned, resumed=resumed),
        result={"outputs": outputs, "applied": done, **plans.counts(planned)},
    )


def _said(work: Work, subject: Subject, planned: Sequence[Mapping[str, Any]], *, resumed: bool) -> str:
    if not subject.executor.can_plan:
        return "dry run: nothing was executed"
    if resumed and not any(one["changes"] for one in planned):
        return "applied; its worker died before it could say so, and a fresh plan found nothing left to do"
    interrupted = resumed or (work.step.intent or {}).get("interrupted")
    again = f", at attempt {work.step.attempt} after an interruption" if interrupted else ""
    return f"applied: {plans.summary(planned)}{again}"


async def _failed(work: Work, subject: Subject, error: CatalogError, done: Sequence[Mapping[str, Any]]) -> Outcome:
    """Applying failed: the branch says what is wanted, the request says what is not yet so."""
    await _reindex(work, subject.estate)
    committed = f"{work.request.commit[:12]} is committed, " if work.request.commit else ""
    return Outcome(
        move=StepMove.FAIL,
        summary=f"{committed}but not applied" + (f" beyond {', '.join(one['instance'] for one in done)}" if done else ""),
        error=error.message,
        hint=error.hint or "request it again once the cause is gone: what is committed is planned and applied then",
        result={"applied": [dict(one) for one in done]},
        ends=Move.FAIL,
    )


async def _draw(work: Work) -> Subject:
    """Draw the request upon the branch as it is now, with the steps and the executor it was made with."""
    request, context = work.request, work.context
    executor = context.executor_for(request.executor)
    if executor.name != request.executor:
        raise Unavailable(
            f"the request was made for {request.executor}, which this worker has not: {executor.reason or executor.name}",
            hint="install it where the worker runs, then request it again",
        )
    async with context.database.session() as session:
        target = await draft.target_of(session, request)
        drawn = await asyncio.to_thread(head.draw, target.estate, draft.key_of(target), request.parameters)
        steps = await draft.steps_of(session, request.id)
        shown = await draft.preview_of(
            session,
            context.config,
            target,
            drawn,
            action=ProvisioningAction(request.action),
            steps=steps,
            executor=request.executor,
            requester_id=request.requester_id,
            team_id=request.team_id,
            request_id=request.id,
        )
    return Subject(target=target, drawn=drawn, shown=shown, steps=steps, executor=executor)


def _place(work: Work, subject: Subject) -> Place:
    component = subject.target.component
    inputs = component.inputs if component is not None else []
    return Place(
        config=work.context.config,
        estate=subject.estate,
        executor=subject.executor,
        drawn=subject.drawn,
        touched=[one for _, one in subject.shown.affected],
        request_id=work.request.id,
        redaction_key=work.context.redaction_key,
        sensitive=frozenset(entry["name"] for entry in inputs if entry.get("sensitive")),
        started=lambda program: _note_program(work, program),
    )


async def _note_program(work: Work, program: Identity) -> None:
    """Write down who really works, before it begins: whoever takes over waits for its end."""
    async with work.context.database.session() as session:
        step = await rows.step(session, work.request.id, work.step.ordinal)
        if step is not None and step.intent is not None:
            step.intent = {**step.intent, "program": intent(program)}
            await session.commit()


def _shown_now(subject: Subject, planned: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a request shows from now on, and the digest that an approval must name."""
    return {
        "preview": subject.shown.document(),
        "plan": None if planned is None else dict(planned),
        "digest": subject.shown.digest if planned is None else planned["digest"],
        "base_revision": subject.drawn.base,
        "may_approve": list(subject.shown.may_approve),
    }


async def _committed(work: Work, subject: Subject) -> str | None:
    """The commit that this request made already, here or before an interruption; found by its trailer."""
    request = work.request
    if request.commit or not request.base_revision:
        return request.commit
    store = head.repository(subject.estate, work.context.config)
    found = await asyncio.to_thread(store.find, TRAILER, request.id, since=request.base_revision)
    if found:
        await _record_commit(work, found)
    return found


async def _commit(work: Work, subject: Subject) -> None:
    """Commit the request's files upon the branch; nothing to write, nothing to commit."""
    request, drawn = work.request, subject.drawn
    if not drawn.overlay.changes or drawn.base is None:
        await work.log.say("every value stands in the estate already: nothing to commit")
        return
    async with work.context.database.session() as session:
        approvals = [one.principal_id for one in await rows.approvals(session, request.id) if not one.void]
        people = await rows.principals(session, [request.requester_id, *approvals])
    signatures = {key: Signature(name=one.name, email=one.email) for key, one in people.items()}
    author = signatures[request.requester_id]
    trailers = [(TRAILER, request.id), ("Requested-By", str(author)), *(("Approved-By", str(signatures[one])) for one in approvals)]
    store = head.repository(subject.estate, work.context.config)
    revision = await asyncio.to_thread(
        store.commit, drawn.base, drawn.overlay.changes, message=_message(request), trailers=trailers, author=author
    )
    await work.log.say(f"committed {revision[:12]} to {subject.estate.ref}")
    await _record_commit(work, revision)


def _message(request: ProvisioningRequest) -> str:
    title = f"{request.component_name} in {request.stack_name}: set {', '.join(sorted(request.parameters)) or 'nothing'}"
    about = f"Request #{request.number}."
    return f"{title}\n\n{about} {request.justification or ''}".rstrip()


async def _record_commit(work: Work, revision: str) -> None:
    work.request.commit = revision
    async with work.context.database.session() as session:
        found = await rows.lock(session, work.request.id)
        if found is not None:
            found.commit = revision
            await rows.wake(session, found.id)
            await session.commit()


async def _intend(work: Work, phase: str, *, resume: bool) -> bool:
    """Write down what begins now, before it begins; False when the step is no longer ours to carry out."""
    async with work.context.database.session() as session:
        found = await rows.lock(session, work.request.id)
        step = next((one for one in await rows.steps(session, work.request.id) if one.ordinal == work.step.ordinal), None)
        if found is None or step is None or step.state != (StepState.UNKNOWN if resume else StepState.RUNNING):
            return False
        said = intent(work.context.process, phase=phase, commit=work.request.commit)
        if resume:
            transitions.start(step, said, StepMove.RESUME)
            transitions.move(found, Move.RESUME)
            work.step.attempt = step.attempt
        else:
            step.intent = said
        await rows.wake(session, found.id)
        await session.commit()
    return True


async def _reindex(work: Work, estate: Estate) -> None:
    """Read the estate again, so that the graph shows what was committed; if that fails, the queue sees to it later."""
    await work.log.say(f"indexing {estate.name}")
    try:
        await work.context.reindex(estate.name, None)
    except Exception as error:  # noqa: BLE001 — what was applied stays applied, whatever indexing says
        _log.exception("indexing %s after request %s failed", estate.name, work.request.number)
        await work.log.say(f"indexing failed and is tried again: {error}")
        async with work.context.database.session() as session:
            await run_queue.ask(session, estate.id)
            await session.commit()


async def _tell_fake(work: Work, subject: Subject) -> None:
    if not subject.executor.can_plan:
        await work.log.say(
            f"{subject.executor.name} serves: {subject.executor.reason or 'it was asked for'}; nothing real is touched"
        )
