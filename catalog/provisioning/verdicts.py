"""What verdicts do to a request: told line by line in a step's log, and one denial ends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.provisioning.context import Outcome
from catalog.provisioning.lifecycle import Move, StepMove
from catalog.provisioning.log import StepLog


async def tell(log: StepLog, verdicts: Sequence[Mapping[str, Any]]) -> None:
    """Write each verdict into a step's log."""
    for verdict in verdicts:
        said = "passed" if verdict["passed"] else verdict["severity"]
        await log.say(f"{said}: {verdict['policy']} {verdict['message'] or ''}".rstrip())


def denial(verdicts: Sequence[Mapping[str, Any]]) -> Outcome | None:
    """Return the outcome of a step whose policies deny; None where none does."""
    denying = [verdict for verdict in verdicts if not verdict["passed"] and verdict["severity"] == "ERROR"]
    if not denying:
        return None
    policies = {verdict["policy"] for verdict in verdicts}
    return Outcome(
        move=StepMove.FAIL,
        summary=f"denied by {len({verdict['policy'] for verdict in denying})} of {len(policies)} policies",
        error="; ".join(str(verdict["message"]) for verdict in denying),
        hint="change the parameters so that the policies hold",
        result={"verdicts": list(verdicts)},
        ends=Move.DENY,
    )


def passed(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """Say how many policies passed, and how many of them only warned."""
    policies = {verdict["policy"] for verdict in verdicts}
    warning = {verdict["policy"] for verdict in verdicts if not verdict["passed"]}
    return f"{len(policies)} policies passed" + (f", {len(warning)} of them with a warning" if warning else "")
