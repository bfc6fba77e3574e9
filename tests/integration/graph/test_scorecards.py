"""Scorecards, budgets and request schemas of services and teams, against a plain model over random worlds, for every viewer."""

from __future__ import annotations

import json
import random
from decimal import Decimal

import graph_world
from graph_reference import Store
from test_differential import Differences

from catalog import records
from catalog.config import Config
from catalog.graph.execution import Graph
from catalog.store.database import Database
from catalog.values import global_id

CARDS = """{
  services(first: 50) { nodes { slug budget { amount currency } requestSchema cost { budget { amount } }
    scorecard { score checks { name title passed detail } } } }
  teams(first: 50) { nodes { slug scorecard { checks { detail passed name } score } } }
}"""
WORLDS = 8


def shuffled(seed: int) -> graph_world.World:
    """A world whose services, teams, instances, runs and diagnostics say anything at all of what scorecards ask."""
    world, rnd = graph_world.World(seed), random.Random(seed)
    for row in world.rows:
        change = CHANGES.get(type(row))
        if change is not None:
            change(row, rnd)
    named = [world.instances[place] for place in rnd.sample(range(len(world.instances)), 5)]
    world.rows += [
        records.DiagnosticRecord(
            id=global_id("Diagnostic", "made", str(number)),
            estate_id=instance.estate_id,
            run_id=next(row.id for row in world.rows if isinstance(row, records.IndexRun)),
            severity=rnd.choice(("ERROR", "ERROR", "WARNING")),
            code="MADE",
            message=f"made {number}",
            stack_id=rnd.choice((instance.stack_id, None)),
            component_name=rnd.choice((instance.name, None, "another")),
            since=graph_world.EPOCH,
        )
        for number, instance in enumerate(named)
    ]
    return world


def _service(row, rnd) -> None:
    row.description = rnd.choice((None, "", "  ", "For shopping"))
    row.lifecycle = rnd.choice(list(records.Lifecycle)).value
    row.lifecycle_stated = rnd.random() < 0.5
    row.budget = rnd.choice((None, Decimal(0), Decimal("12.50"), Decimal(100_000)))
    row.budget_currency = None if row.budget is None else rnd.choice(("USD", "USD", "EUR"))
    row.public = rnd.random() < 0.7


def _team(row, rnd) -> None:
    row.chat = rnd.choice((None, "#chat"))
    row.budget = rnd.choice((None, Decimal(1), Decimal(1_000_000)))
    row.budget_currency = None if row.budget is None else rnd.choice(("USD", "USD", "EUR"))


def _instance(row, rnd) -> None:
    row.owner_source = rnd.choice((None, "TAG", "ORGANIZATION_DEFAULT", "CODEOWNERS_WILDCARD"))
    if row.removed_at is None:
        row.state = "STALE" if rnd.random() < 0.04 else "FRESH"
    if rnd.random() < 0.8:
        row.monthly, row.currency = Decimal(rnd.randint(0, 40)), "USD"


def _run(row, rnd) -> None:
    row.state = rnd.choice(("SUCCEEDED", "SUCCEEDED", *records.IndexRunState))
    row.backfill = rnd.random() < 0.2
    row.asked = row.id  # of those that wait no two ask for the same


CHANGES = {
    records.Service: _service,
    records.Team: _team,
    records.ComponentInstance: _instance,
    records.IndexRun: _run,
    records.ServiceInstance: lambda row, rnd: setattr(row, "state", rnd.choice(list(records.ServiceInstanceState)).value),
}


async def test_scorecards_equal_a_plain_model(new_database, tmp_path) -> None:
    """Whatever the rows say and whoever looks: the same checks in the same order with the same outcome, and the share passed.

    No check is idle: over the random worlds each is passed by one and not by another.
    """
    outcomes: dict[str, set[bool]] = {}
    for seed in range(WORLDS):
        world = shuffled(seed)
        database = await Database.open(Config(home=tmp_path, database_url=await new_database()))
        await graph_world.load(database, world)
        graph = Graph(database, database.config)
        differences = Differences(graph, await Store.load(database), world.viewers())
        told = [await differences.compare(CARDS, {}, viewer) for viewer in differences.viewers]
        assert told == [None] * len(told)
        for kind, check in await checks(graph, world.viewers()["admin"]):
            outcomes.setdefault(f"{kind}: {check['name']}", set()).add(check["passed"])
        await database.close()
    assert {name for name, seen in outcomes.items() if len(seen) == 1} <= {"teams: members"}


async def checks(graph, viewer) -> list[tuple[str, dict]]:
    """Every check of every service and team in sight."""
    data = json.loads((await graph.execute(CARDS, {}, None, viewer)).body)["data"]
    return [
        (kind, check) for kind in ("services", "teams") for node in data[kind]["nodes"] for check in node["scorecard"]["checks"]
    ]


async def test_a_score_is_the_share_of_the_checks_that_apply(graph, world) -> None:
    """Between 0 and 1, four decimals at most, and each check is named once."""
    answer = json.loads((await graph.execute(CARDS, {}, None, world.viewers()["admin"])).body)
    cards = [node["scorecard"] for kind in ("services", "teams") for node in answer["data"][kind]["nodes"]]
    assert cards
    for card in cards:
        passed = sum(check["passed"] for check in card["checks"])
        assert card["score"] == round(passed / len(card["checks"]), 4)
        assert len({check["name"] for check in card["checks"]}) == len(card["checks"])
