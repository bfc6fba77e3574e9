"""Decides what is next for a request, from its rows alone. Pure: whoever asks twice gets the same answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.provisioning.lifecycle import PASSED
from catalog.records import FINAL_STATES, ProvisioningRequest, RequestState, RequestStep, StepKind, StepState


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do: it is final, waits for people, or was examined without a result."""


@dataclass(frozen=True, slots=True)
class Run:
    """The step is to be carried out."""

    ordinal: int


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The step is RUNNING and whoever ran it let go: it was interrupted."""

    ordinal: int


@dataclass(frozen=True, slots=True)
class Examine:
    """What the step applied is not known, and nobody has looked yet."""

    ordinal: int


@dataclass(frozen=True, slots=True)
class Expire:
    """The time to decide at this gate is over."""

    ordinal: int


@dataclass(frozen=True, slots=True)
class Finish:
    """Every step is done."""


Next = Rest | Run | TakeOver | Examine | Expire | Finish


def of(request: ProvisioningRequest, steps: Sequence[RequestStep], now: datetime) -> Next:
    """Return what is next, asked while nobody else holds the request."""
    if request.state in FINAL_STATES:
        return Rest()
    for step in steps:
        match step.state:
            case StepState.RUNNING:
                return TakeOver(step.ordinal)
            case StepState.UNKNOWN:
                return Rest() if step.error else Examine(step.ordinal)
            case StepState.WAITING:
                return Expire(step.ordinal) if _is_over(request, now) else Rest()
            case StepState.PENDING:
                return Run(step.ordinal)
            case _ if step.state in PASSED or _may_fail(step):
                continue
            case _:
                return Rest()
    return Finish()


def _is_over(request: ProvisioningRequest, now: datetime) -> bool:
    return request.state == RequestState.AWAITING_APPROVAL and request.expires_at is not None and request.expires_at <= now


def _may_fail(step: RequestStep) -> bool:
    """A message that could not be delivered doesn't undo what was applied."""
    return step.kind == StepKind.NOTIFY and step.state == StepState.FAILED
