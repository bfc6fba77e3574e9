"""What docs/graph.md shows works."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from catalog.graph import limits

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "graph.md"
EXAMPLES = re.findall(r"```graphql\n(.*?)```", GUIDE.read_text(), re.DOTALL)
GIVEN = {"key": "k-1", "id": "req_0", "digest": "d", "after": None}


@pytest.mark.parametrize("document", EXAMPLES, ids=range(len(EXAMPLES)))
async def test_an_example_of_the_guide_runs(document, graph, world) -> None:
    """Each answers without errors of the operation; what a use-case refuses here is in the payload."""
    variables = {name: value for name, value in GIVEN.items() if f"${name}:" in document}
    answer = json.loads((await graph.execute(document, variables, None, world.viewers()["admin"])).body)
    assert "errors" not in answer
    assert answer["data"]


def test_the_guide_states_the_limits_in_force() -> None:
    """The table of limits is the one that is applied."""
    text = GUIDE.read_text()
    assert f"{limits.ANONYMOUS.nodes:,} · {limits.PERSON.nodes:,} · {limits.SERVICE.nodes:,}" in text
    for number in (
        limits.PERSON.depth,
        limits.PERSON.aliases,
        limits.PERSON.root_fields,
        limits.PERSON.directives,
        limits.MAX_PAGE,
    ):
        assert f"| {number} |" in text
    assert f"| {limits.PERSON.tokens:,} |" in text
