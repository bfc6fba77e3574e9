"""The table of states and moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import Conflict
from catalog.provisioning import lifecycle
from catalog.provisioning.lifecycle import MOVES, STEP_MOVES, Move, StepMove
from catalog.records import FINAL_STATES, RequestState, StepKind, StepState

walks = st.lists(st.sampled_from(Move), max_size=25)


def walk(moves):
    """Take the moves that the table allows, from the start."""
    state = RequestState.PENDING
    for move in moves:
        state = MOVES.get((state, move), state)
        yield state


@given(walks)
def test_no_move_leaves_a_final_state(moves):
    """Once final, a request stays as it is whatever is tried."""
    states = list(walk(moves))
    final = next((index for index, state in enumerate(states) if state in FINAL_STATES), len(states))
    assert len(set(states[final:])) <= 1


@given(walks)
def test_nothing_is_provisioned_that_was_not_approved(moves):
    """Every way to PROVISIONING leads through APPROVED, and after a gate opened again through APPROVED again."""
    approved = False
    for state in walk(moves):
        approved = {RequestState.APPROVED: True, RequestState.AWAITING_APPROVAL: False}.get(state, approved)
        assert state is not RequestState.PROVISIONING or approved


def reachable(start, table):
    found, frontier = {start}, {start}
    while frontier:
        frontier = {target for (source, _), target in table.items() if source in frontier} - found
        found |= frontier
    return found


def test_every_request_state_is_reachable():
    """No state of the vocabulary is dead."""
    assert reachable(RequestState.PENDING, MOVES) == set(RequestState)


def test_every_step_state_is_reachable():
    """No state of a step is dead."""
    assert reachable(StepState.PENDING, STEP_MOVES) == set(StepState)


@pytest.mark.parametrize("state", [state for state in RequestState if state not in FINAL_STATES])
def test_every_active_state_can_end(state):
    """From every active state some final one can be reached: no request holds its target for ever."""
    assert reachable(state, MOVES) & set(FINAL_STATES)


@pytest.mark.parametrize("state", lifecycle.FINAL_STEP_STATES)
def test_no_move_leaves_a_final_step(state):
    """A step that failed, was skipped or cancelled stays so."""
    assert not [row for row in STEP_MOVES if row[0] is state]


def test_applying_can_not_be_cancelled():
    """What is being applied is not cancelled under it; the message names what can be done."""
    with pytest.raises(Conflict, match="PROVISIONING can't cancel") as caught:
        lifecycle.move(RequestState.PROVISIONING, Move.CANCEL)
    assert "fail" in caught.value.hint


def test_an_unknown_apply_never_succeeds_by_itself():
    """Out of APPLY_UNKNOWN lead only finding out, failing, and calling it off."""
    assert {move for state, move in MOVES if state is RequestState.APPLY_UNKNOWN} == {Move.RESUME, Move.FAIL, Move.CANCEL}


def test_a_running_step_is_started_once():
    """Starting what already runs is refused."""
    with pytest.raises(Conflict):
        lifecycle.step(StepState.RUNNING, StepMove.START)


@pytest.mark.parametrize("kind", StepKind)
@pytest.mark.parametrize("state", RequestState)
def test_entering_a_step_never_leaves_the_table(state, kind):
    """A step changes the request's state by a row of the table, or not at all."""
    assert lifecycle.entering(state, kind) in {state, *(target for (source, _), target in MOVES.items() if source is state)}
