"""Mutations that nothing does yet say so, and change nothing."""

from __future__ import annotations

import json

import pytest

from catalog.errors import Unauthenticated

MUTATIONS = {
    "retryRequest": ("RetryRequestInput", {"id": "req_x", "idempotencyKey": "k"}),
    "revertRequest": ("RetryRequestInput", {"id": "req_x", "idempotencyKey": "k"}),
    "checkDrift": ("CheckDriftInput", {"instance": "ins_x", "idempotencyKey": "k"}),
}


def _document(name: str) -> str:
    return f"mutation($input: {MUTATIONS[name][0]}!) {{ {name}(input: $input) {{ errors {{ __typename code message }} }} }}"


@pytest.mark.parametrize("name", MUTATIONS)
async def test_what_is_not_there_yet_is_an_expected_failure(name, graph, world) -> None:
    """The answer names the code that clients tell it by, and what to do instead."""
    response = await graph.execute(_document(name), {"input": MUTATIONS[name][1]}, None, world.viewers()["admin"])
    problem = json.loads(response.body)["data"][name]["errors"][0]
    assert (problem["__typename"], problem["code"]) == ("Conflict", "NOT_AVAILABLE")
    assert "(" in problem["message"]


@pytest.mark.parametrize("name", MUTATIONS)
async def test_nobody_known_is_refused_before(name, graph, world) -> None:
    """Who isn't signed in learns no more than that."""
    with pytest.raises(Unauthenticated):
        await graph.execute(_document(name), {"input": MUTATIONS[name][1]}, None, world.viewers()["nothing"])
