"""When a remote is asked again, and when its answer calls for a run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.records import IndexRunState
from catalog.store.run_queue import Latest
from catalog.worker import polling

A, B = "a" * 40, "b" * 40


@pytest.mark.parametrize(
    ("state", "revision", "seconds", "news"),
    [
        (None, None, 0, True),
        ("SUCCEEDED", A, 0, False),
        ("RUNNING", A, 0, False),
        ("HELD", A, 9999, False),
        ("SUCCEEDED", B, 0, True),
        ("RUNNING", B, 0, True),
        ("HELD", B, 0, True),
        ("FAILED", B, 0, True),
        ("FAILED", A, 599, False),
        ("FAILED", A, 601, True),
    ],
)
def test_news(state, revision, seconds, news):
    """A branch is news when the latest run is not at it; one that failed there is tried again after ten intervals."""
    latest = None if state is None else Latest(state=IndexRunState(state), revision=revision, seconds=seconds)
    assert polling.is_news(latest, A, 60) is news


@given(interval=st.floats(1, 86_400), failures=st.integers(0, 10_000))
def test_waits(interval, failures):
    """A wait is about the interval, longer after failures, and never much longer than a quarter of an hour or the interval."""
    wait = polling.wait(interval, failures)
    assert 0.9 * interval <= wait <= 1.1 * max(interval, 900.0)
    if not failures:
        assert wait <= 1.1 * interval
