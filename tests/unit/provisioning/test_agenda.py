"""What is next for a request."""

from datetime import UTC, datetime, timedelta

import pytest

from catalog.provisioning import agenda
from catalog.records import FINAL_STATES, ProvisioningRequest, RequestState, RequestStep, StepKind, StepState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
S = StepState


def step(ordinal, state, kind=StepKind.PLAN, error=None):
    return RequestStep(request_id="r", ordinal=ordinal, name="x", kind=kind, state=state, error=error)


def following(*states, state=RequestState.PLANNING, expires_at=None):
    request = ProvisioningRequest(id="r", state=state, expires_at=expires_at)
    return agenda.of(
        request, [one if isinstance(one, RequestStep) else step(number, one) for number, one in enumerate(states)], NOW
    )


def test_the_first_pending_step_runs():
    """Steps run in order; those that succeeded or were skipped are passed."""
    assert following(S.SUCCEEDED, S.SKIPPED, S.PENDING, S.PENDING) == agenda.Run(2)


def test_a_running_step_that_nobody_holds_was_interrupted():
    """Who holds a request and finds a step RUNNING takes it over; nothing behind it starts."""
    assert following(S.SUCCEEDED, S.RUNNING, S.PENDING) == agenda.TakeOver(1)


def test_an_unknown_step_is_examined_once():
    """What was applied is looked into; where that gave no answer, a person has to."""
    assert following(step(0, S.UNKNOWN), S.PENDING, state=RequestState.APPLY_UNKNOWN) == agenda.Examine(0)
    assert following(step(0, S.UNKNOWN, error="no"), S.PENDING, state=RequestState.APPLY_UNKNOWN) == agenda.Rest()


def test_a_gate_rests_until_its_time_is_over():
    """An open gate waits for people, and not for ever."""
    waiting = RequestState.AWAITING_APPROVAL
    assert following(S.WAITING, S.PENDING, state=waiting) == agenda.Rest()
    assert following(S.WAITING, S.PENDING, state=waiting, expires_at=NOW + timedelta(seconds=1)) == agenda.Rest()
    assert following(S.WAITING, S.PENDING, state=waiting, expires_at=NOW) == agenda.Expire(0)


def test_a_failed_message_does_not_hold_a_request_up():
    """What was applied stays applied though nobody could be told."""
    assert following(S.SUCCEEDED, step(1, S.FAILED, StepKind.NOTIFY)) == agenda.Finish()


def test_a_failed_step_holds_it_up():
    """Behind any other failed step nothing runs."""
    assert following(step(0, S.FAILED), S.PENDING) == agenda.Rest()


@pytest.mark.parametrize("state", FINAL_STATES)
def test_final_is_final(state):
    """A final request is never taken up again, whatever its steps say."""
    assert following(S.RUNNING, S.PENDING, state=state) == agenda.Rest()


def test_all_done_finishes():
    """When every step is done the request is."""
    assert following(S.SUCCEEDED, S.SKIPPED) == agenda.Finish()
