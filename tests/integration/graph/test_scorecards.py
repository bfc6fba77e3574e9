"""Scorecards, budgets and request schemas of services and teams, against a plain model over random worlds, for every viewer."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from decimal import Decimal

import graph_world
from graph_reference import Store
from test_differential import Differences

from catalog import records
from catalog.config import Config
from catalog.graph.execution import Graph
from catalog.store.compile import SOURCES
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


PLANTED = {
    ("service", "scorecard"): ("component_instance_i", "service_instance_y", "component_c", "diagnostic_d"),
    ("team", "scorecard"): ("component_instance_i", "service_v", "diagnostic_d"),
    ("service", "request_schema"): ("component_c",),
}


async def test_a_rule_of_visibility_left_out_is_noticed(new_database, tmp_path) -> None:
    """Whichever rule a card or a schema forgets, some viewer's answer is another one in some of the worlds."""
    unnoticed = {(place, rule) for place, rules in PLANTED.items() for rule in rules}
    for seed in range(WORLDS):
        world = shuffled(seed)
        database = await Database.open(Config(home=tmp_path, database_url=await new_database()))
        await graph_world.load(database, world)
        store = await Store.load(database)
        for place, rule in sorted(unnoticed):
            planted = Differences(Graph(database, database.config, sources=without(*place, rule)), store, world.viewers())
            if any([await planted.compare(CARDS, {}, viewer) for viewer in planted.viewers]):
                unnoticed.discard((place, rule))
        await database.close()
    assert not unnoticed


async def test_how_an_estate_was_read_is_told_to_whoever_sees_it(fresh_database) -> None:
    """Who sees a single instance, but no stack, learns nothing of the runs of its estate from a scorecard."""
    world = shuffled(1)
    alone, service = lonely(world)
    await graph_world.load(fresh_database, world)
    store = await Store.load(fresh_database)
    document = f'{{ node(id: "{service}") {{ ... on Service {{ scorecard {{ checks {{ name detail }} }} }} }} }}'
    outcomes = [
        await Differences(Graph(fresh_database, fresh_database.config, sources=sources), store, {"alone": alone}).compare(
            document, {}, "alone"
        )
        for sources in (SOURCES, without("service", "scorecard", "estate_u"))
    ]
    assert outcomes[0] is None
    assert outcomes[1] is not None


def lonely(world: graph_world.World) -> tuple[records.Scope, str]:
    """A viewer who sees one instance and nothing around it, and a public service that is made of it; its estate's last run failed."""
    asked = {row.instance_id for row in world.rows if isinstance(row, records.ProvisioningRequest)}
    made = next(row for row in world.rows if isinstance(row, records.ServiceInstanceComponent) and row.instance_id not in asked)
    instance = next(row for row in world.instances if row.id == made.instance_id)
    service = next(row.service_id for row in world.rows if getattr(row, "id", None) == made.service_instance_id)
    for row in world.rows:
        if isinstance(row, (records.Stack, records.ComponentInstance)):
            row.team_id = world.teams["platform"]
        elif isinstance(row, records.IndexRun):
            row.state, row.backfill = "FAILED", False
        elif isinstance(row, records.Service):
            row.public = True
    instance.team_id, instance.removed_at, instance.state = world.teams["web"], None, "FRESH"
    grant = records.GrantScope(role=records.Role.VIEWER, teams=frozenset({world.teams["web"]}), tenants=None)
    viewer = replace(world.viewers()["main"], grants=(grant,))
    return viewer, service


def without(name: str, member: str, rule: str) -> dict:
    """The sources, one of whose relations or columns forgets a rule."""
    source, marked = SOURCES[name], f"{{sees_{rule}}}"
    if member in source.columns:
        column = source.columns[member]
        assert marked in column.sql
        return SOURCES | {
            name: replace(source, columns=source.columns | {member: replace(column, sql=column.sql.replace(marked, "true"))})
        }
    relation = source.relations[member]
    assert marked in relation.rows
    return SOURCES | {
        name: replace(source, relations=source.relations | {member: replace(relation, rows=relation.rows.replace(marked, "true"))})
    }


async def test_a_score_is_the_share_of_the_checks_that_apply(graph, world) -> None:
    """Between 0 and 1, four decimals at most, and each check is named once."""
    answer = json.loads((await graph.execute(CARDS, {}, None, world.viewers()["admin"])).body)
    cards = [node["scorecard"] for kind in ("services", "teams") for node in answer["data"][kind]["nodes"]]
    assert cards
    for card in cards:
        passed = sum(check["passed"] for check in card["checks"])
        assert card["score"] == round(passed / len(card["checks"]), 4)
        assert len({check["name"] for check in card["checks"]}) == len(card["checks"])
