"""The states of requests and steps and the moves between them, as two tables: what is not a row can't happen.

    PENDING ─▶ PREVIEWING ─▶ PLANNING ─▶ AWAITING_APPROVAL ─▶ APPROVED ─▶ PROVISIONING ─▶ DEPLOYING ─▶ SUCCEEDED
                                              ▲                  │             │  ▲
                                              └── what was approved is no longer what would happen
                                                                               ▼  │
                                                                           APPLY_UNKNOWN

Pure: states in, states out; the rows are `store`'s, the acting is `advance`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from catalog.errors import Conflict
from catalog.records import FINAL_STATES, RequestState, StepKind, StepState

R = RequestState
S = StepState


class Move(StrEnum):
    """What can happen to a request."""

    PREVIEW = "PREVIEW"  # its cost or its policies are looked at
    PLAN = "PLAN"  # the executor says what it would do
    ASK = "ASK"  # a gate opens, or opens again since what was approved is no longer what would happen
    APPROVE = "APPROVE"  # the last gate closed, or there is none
    REJECT = "REJECT"
    EXPIRE = "EXPIRE"
    DENY = "DENY"  # a policy says no
    CANCEL = "CANCEL"
    PROVISION = "PROVISION"
    LOSE = "LOSE"  # whoever applied is gone: what was applied is not known
    RESUME = "RESUME"  # what is left is known again and within what was approved
    DEPLOY = "DEPLOY"
    SUCCEED = "SUCCEED"
    FAIL = "FAIL"


class StepMove(StrEnum):
    """What can happen to a step."""

    START = "START"
    WAIT = "WAIT"
    SUCCEED = "SUCCEED"
    FAIL = "FAIL"
    SKIP = "SKIP"
    CANCEL = "CANCEL"
    LOSE = "LOSE"
    RESUME = "RESUME"
    AGAIN = "AGAIN"  # back to the start: interrupted without effect, or its outcome no longer holds


_BEFORE_APPROVAL = (R.PENDING, R.PREVIEWING, R.PLANNING)
_ACTIVE = tuple(state for state in R if state not in FINAL_STATES)

# Move → where it may start, and where it leads.
_MOVES: Mapping[Move, tuple[tuple[RequestState, ...], RequestState]] = {
    Move.PREVIEW: ((R.PENDING,), R.PREVIEWING),
    Move.PLAN: ((R.PENDING, R.PREVIEWING), R.PLANNING),
    Move.ASK: ((*_BEFORE_APPROVAL, R.APPROVED, R.PROVISIONING), R.AWAITING_APPROVAL),
    Move.APPROVE: ((*_BEFORE_APPROVAL, R.AWAITING_APPROVAL), R.APPROVED),
    Move.REJECT: ((R.AWAITING_APPROVAL,), R.REJECTED),
    Move.EXPIRE: ((R.AWAITING_APPROVAL,), R.EXPIRED),
    Move.DENY: ((*_BEFORE_APPROVAL, R.APPROVED, R.PROVISIONING), R.DENIED),
    # Calling off what is unknown gives up on finding out: what was applied stays, and the target is free to be planned anew.
    Move.CANCEL: ((*_BEFORE_APPROVAL, R.AWAITING_APPROVAL, R.APPROVED, R.APPLY_UNKNOWN), R.CANCELLED),
    Move.PROVISION: ((R.APPROVED,), R.PROVISIONING),
    Move.LOSE: ((R.PROVISIONING,), R.APPLY_UNKNOWN),
    Move.RESUME: ((R.APPLY_UNKNOWN,), R.PROVISIONING),
    Move.DEPLOY: ((R.PROVISIONING,), R.DEPLOYING),
    Move.SUCCEED: ((R.APPROVED, R.PROVISIONING, R.DEPLOYING), R.SUCCEEDED),
    Move.FAIL: (_ACTIVE, R.FAILED),
}

# (state, move) → the next state.
MOVES: Mapping[tuple[RequestState, Move], RequestState] = {
    (source, move): target for move, (sources, target) in _MOVES.items() for source in sources
}

_STEP_MOVES: Mapping[StepMove, tuple[tuple[StepState, ...], StepState]] = {
    StepMove.START: ((S.PENDING,), S.RUNNING),
    StepMove.WAIT: ((S.PENDING, S.SUCCEEDED), S.WAITING),  # a gate that had closed opens again
    StepMove.SUCCEED: ((S.RUNNING, S.WAITING, S.UNKNOWN), S.SUCCEEDED),
    StepMove.FAIL: ((S.RUNNING, S.WAITING, S.UNKNOWN), S.FAILED),
    StepMove.SKIP: ((S.PENDING, S.RUNNING), S.SKIPPED),
    StepMove.CANCEL: ((S.PENDING, S.RUNNING, S.WAITING, S.UNKNOWN), S.CANCELLED),
    StepMove.LOSE: ((S.RUNNING,), S.UNKNOWN),
    StepMove.RESUME: ((S.UNKNOWN,), S.RUNNING),
    StepMove.AGAIN: ((S.RUNNING, S.UNKNOWN), S.PENDING),
}
STEP_MOVES: Mapping[tuple[StepState, StepMove], StepState] = {
    (source, move): target for move, (sources, target) in _STEP_MOVES.items() for source in sources
}

FINAL_STEP_STATES = (S.FAILED, S.SKIPPED, S.CANCELLED)
# A step that is done, for good or for now: what follows it may start.
PASSED = (S.SUCCEEDED, S.SKIPPED)

# Which state a request is in while a step of this kind runs; kinds without a row leave it where it is.
STATE_OF_KIND: Mapping[StepKind, Move] = {
    StepKind.COST_ANALYSIS: Move.PREVIEW,
    StepKind.POLICY_CHECK: Move.PREVIEW,
    StepKind.PLAN: Move.PLAN,
    StepKind.APPROVAL_GATE: Move.ASK,
    StepKind.PROVISION: Move.PROVISION,
    StepKind.DEPLOY: Move.DEPLOY,
}


def move(state: RequestState, move: Move) -> RequestState:
    """Return the state that a move leads to; raises Conflict (code NOT_IN_THIS_STATE) where the table has no such row."""
    target = MOVES.get((state, move))
    if target is None:
        raise Conflict(f"a request that is {state} can't {move.lower()}", code="NOT_IN_THIS_STATE", hint=_allowed(state))
    return target


def may(state: RequestState, move: Move) -> bool:
    """Whether the table has that row."""
    return (state, move) in MOVES


def step(state: StepState, move: StepMove) -> StepState:
    """Return the state that a move leads a step to; raises Conflict where the table has no such row."""
    target = STEP_MOVES.get((state, move))
    if target is None:
        raise Conflict(f"a step that is {state} can't {move.lower()}", code="NOT_IN_THIS_STATE")
    return target


def entering(state: RequestState, kind: StepKind) -> RequestState:
    """Return the request's state while a step of that kind runs: phases go forward only, so a late policy check changes nothing."""
    wanted = STATE_OF_KIND.get(kind)
    return MOVES.get((state, wanted), state) if wanted else state


def _allowed(state: RequestState) -> str:
    moves = sorted(move.lower() for source, move in MOVES if source is state)
    return f"from there: {', '.join(moves)}" if moves else "it is final"
