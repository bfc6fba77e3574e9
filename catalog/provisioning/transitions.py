"""Moves applied to rows: the table of `lifecycle` decides, the record changes, times are set. Nothing is committed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from catalog.provisioning import lifecycle
from catalog.provisioning.lifecycle import Move, StepMove
from catalog.records import FINAL_STATES, ProvisioningRequest, RequestState, RequestStep, StepKind, StepState


def move(request: ProvisioningRequest, move: Move) -> None:
    """Move a request; raises Conflict where the table has no such row."""
    request.state = lifecycle.move(RequestState(request.state), move)
    request.updated_at = datetime.now(UTC)
    if request.state in FINAL_STATES:
        request.finished_at = request.updated_at
        request.expires_at = None


def enter(request: ProvisioningRequest, kind: StepKind) -> None:
    """Put a request into the state in which steps of that kind run."""
    request.state = lifecycle.entering(RequestState(request.state), kind)
    request.updated_at = datetime.now(UTC)


def start(step: RequestStep, intent: Mapping[str, Any], move: StepMove = StepMove.START) -> None:
    """Start a step: its intent is written before its effect, and the attempt counted."""
    step.state = lifecycle.step(StepState(step.state), move)
    step.attempt += 1
    step.intent = dict(intent)
    step.started_at, step.finished_at = datetime.now(UTC), None
    step.summary = step.error = step.hint = None


def end(
    step: RequestStep,
    move: StepMove,
    *,
    summary: str | None = None,
    error: str | None = None,
    hint: str | None = None,
    result: Mapping[str, Any] | None = None,
) -> None:
    """End a step, for good or for now, with its outcome."""
    step.state = lifecycle.step(StepState(step.state), move)
    step.finished_at = None if step.state in {StepState.PENDING, StepState.WAITING} else datetime.now(UTC)
    step.summary, step.error, step.hint = summary or step.summary, error, hint
    if result is not None:
        step.result = dict(result)


def cancel(steps: Sequence[RequestStep], said: str | None = None) -> None:
    """Cancel every step that has not ended. One that runs finds out when it writes its outcome, which then counts no more."""
    for step in steps:
        if (StepState(step.state), StepMove.CANCEL) in lifecycle.STEP_MOVES:
            end(step, StepMove.CANCEL, summary=said)
