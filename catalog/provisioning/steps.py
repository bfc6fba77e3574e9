"""What each kind of step does when its turn comes; the gate and what touches the estate are elsewhere (`advance`, `applying`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from catalog.errors import CatalogError
from catalog.notifications import Message
from catalog.provisioning import applying, verdicts
from catalog.provisioning.context import Outcome, Work
from catalog.provisioning.lifecycle import StepMove
from catalog.records import StepKind


async def cost_analysis(work: Work) -> Outcome:
    """Say what the request costs a month, from the costs that the estate declares."""
    shown = work.request.preview or {}
    before, after, delta = (_money(shown.get(key)) for key in ("costBefore", "costAfter", "costDelta"))
    unknown = int(shown.get("unknownInstances") or 0)
    said = f"{before} a month before, {after} after, a difference of {delta}"
    if unknown:
        said += f"; nobody knows the cost of {unknown} instance{'s' if unknown > 1 else ''}"
    await work.log.say(said)
    keys = ("costBefore", "costAfter", "costDelta", "unknownInstances")
    return Outcome(move=StepMove.SUCCEED, summary=said, result={key: shown.get(key) for key in keys})


async def policy_check(work: Work) -> Outcome:
    """Let the verdicts on the preview decide: one ERROR that didn't pass denies the request."""
    said = (work.request.preview or {}).get("verdicts", [])
    await verdicts.tell(work.log, said)
    denied = verdicts.denial(said)
    return denied or Outcome(move=StepMove.SUCCEED, summary=verdicts.passed(said), result={"verdicts": said})


async def notify(work: Work) -> Outcome:
    """Tell the step's addresses what came of the request. That nobody could be told undoes nothing."""
    request = work.request
    message = Message(
        title=f"Request #{request.number}: {request.component_name} in {request.stack_name}",
        text="\n".join(line for line in (f"State: {request.state}", request.justification, request.commit) if line),
    )
    addresses = list(work.step.options.get("to", ()))
    try:
        await work.context.channel.send(message, addresses)
    except CatalogError as error:
        return Outcome(move=StepMove.FAIL, error=error.message, hint=error.hint, ends=None)
    return Outcome(move=StepMove.SUCCEED, summary=f"told {len(addresses)} address{'es' if len(addresses) > 1 else ''}")


CARRY_OUT: Mapping[StepKind, Callable[[Work], Awaitable[Outcome]]] = {
    StepKind.COST_ANALYSIS: cost_analysis,
    StepKind.POLICY_CHECK: policy_check,
    StepKind.PLAN: applying.plan,
    StepKind.PROVISION: applying.provision,
    StepKind.NOTIFY: notify,
}


def _money(value: Mapping[str, Any] | None) -> str:
    return "an unknown amount" if value is None else f"{value['amount']} {value['currency']}"
