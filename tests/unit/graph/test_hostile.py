"""Hostile documents: each is refused with its code before the database is touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from catalog.config import Config
from catalog.graph.execution import Graph
from catalog.records import GrantScope, PrincipalKind, Role, Scope

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "graph" / "hostile.yaml").read_text())
VIEWER = Scope(
    principal_id="prn_1",
    name="eve",
    email=None,
    kind=PrincipalKind.PERSON,
    grants=(GrantScope(role=Role.VIEWER, teams=None, tenants=None),),
)


class Untouchable:
    """Stands where the database would: whoever reaches for it has gone too far."""

    @property
    def reader(self) -> Untouchable:
        """What reads are handed to; naming it asks for nothing yet."""
        return Untouchable()

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"the database was reached for: {name}")


def document(case: dict) -> str:
    """What is sent."""
    if "document" in case:
        return case["document"]
    times, repeat = case["times"], case["repeat"]
    middle = "".join(repeat.replace("{n}", str(number)).replace("{m}", str(number + 1)) for number in range(times))
    return case["head"] + middle + case["tail"] + case.get("close", "") * times + case.get("end", "")


def variables(case: dict) -> dict:
    """The variables that go with it."""
    if "deep" in case:
        value: dict = {}
        for _ in range(case["deep"]):
            value = {"not": value}
        return {case["variable"]: value}
    if "long" in case:
        return {case["variable"]: [case["value"]] * case["long"]}
    return case.get("variables", {})


def test_there_are_many() -> None:
    """Of every kind, each once."""
    assert len({document(case) + str(variables(case)) for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
async def test_it_is_refused_before_the_database_is_touched(case, tmp_path) -> None:
    """With its code and with a message, and again when it is sent again."""
    graph = Graph(Untouchable(), Config(home=tmp_path))
    for _ in range(2):
        response = await graph.execute(document(case), variables(case), None, VIEWER)
        answer = json.loads(response.body)
        assert response.is_request_error
        assert "data" not in answer
        assert answer["errors"][0]["extensions"]["code"] == case["code"], answer["errors"][0]["message"]
        assert answer["errors"][0]["message"]
