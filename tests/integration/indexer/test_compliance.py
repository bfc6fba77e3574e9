"""Instances are judged by their estate's policies, behind the index run that wrote them."""

from __future__ import annotations

import json

import pytest

from catalog.engines.rego import RegoEngine
from catalog.graph.execution import Graph
from catalog.indexer import compliance
from catalog.records import SYSTEM

COST = """\
# METADATA
# title: A cost center is tagged
# custom: {points: [INDEX]}
package acme.cost

deny contains "name a cost center" if not input.vars.tags.CostCenter
"""
OWNED = "# METADATA\n# custom: {points: [INDEX, REQUEST]}\npackage acme.owned\n\ndeny contains input.component if not input.team\n"
ASKED = "package acme.asked\n\ndeny contains 1 if false\n"
FILES = {f"stacks/schemas/opa/{name}.rego": text for name, text in (("cost", COST), ("owned", OWNED), ("asked", ASKED))}


@pytest.fixture
def judge(catalog, rego_engine: RegoEngine):
    """Index the estate, and judge what is behind; return how many verdicts were added."""

    async def index_and_judge(url):
        await catalog.index(url, name="shop")
        before = await catalog.ask("select count(*) from policy_evaluation")
        await compliance.judge_all(catalog.database, catalog.config, rego_engine)
        after = await catalog.ask("select count(*) from policy_evaluation")
        return after[0][0] - before[0][0]

    return index_and_judge


async def verdicts(catalog):
    return await catalog.ask(
        "select p.package, s.name, i.name, e.passed, e.message from policy_evaluation e join policy p on p.id = e.policy_id"
        " join component_instance i on i.id = e.instance_id join stack s on s.id = i.stack_id"
        " order by e.evaluated_at, p.package, s.name, i.name"
    )


async def test_every_instance_is_judged_once(catalog, branch, judge):
    """By the policies of INDEX alone, each instance that could be applied; nothing changes, nothing is judged again."""
    branch.commit(FILES)

    assert await judge(branch.url) == 6
    assert await verdicts(catalog) == [
        ("acme.cost", "plat-dev", "eks", False, "name a cost center"),
        ("acme.cost", "plat-dev", "vpc", False, "name a cost center"),
        ("acme.cost", "plat-prod", "vpc", False, "name a cost center"),
        ("acme.owned", "plat-dev", "eks", True, None),
        ("acme.owned", "plat-dev", "vpc", True, None),
        ("acme.owned", "plat-prod", "vpc", True, None),
    ]
    assert await judge(branch.url) == 0
    assert [row[0] for row in await catalog.ask("select package from policy order by package")] == [
        "acme.asked",
        "acme.cost",
        "acme.owned",
    ]


async def test_what_changed_is_judged_again(catalog, branch, files, judge):
    """An instance that says something else is judged anew, the others aren't; another policy judges all of them."""
    branch.commit(FILES)
    await judge(branch.url)
    branch.commit(
        {
            "stacks/orgs/prod.yaml": files["stacks/orgs/prod.yaml"]
            + "components: {terraform: {vpc: {vars: {tags: {CostCenter: c}}}}}\n"
        }
    )
    assert await judge(branch.url) == 2
    assert (await verdicts(catalog))[-2:] == [
        ("acme.cost", "plat-prod", "vpc", True, None),
        ("acme.owned", "plat-prod", "vpc", True, None),
    ]

    branch.commit({"stacks/schemas/opa/cost.rego": COST.replace("CostCenter", "Unit")})
    assert await judge(branch.url) == 6
    assert not any(passed for package, _, _, passed, _ in (await verdicts(catalog))[-6:] if package == "acme.cost")


async def test_compliance_is_a_number(catalog, branch, files, judge):
    """The share of instances whose last verdict passed, by policy; null for one that judges no instances."""
    tagged = "components: {terraform: {vpc: {vars: {tags: {CostCenter: c}}}}}\n"
    branch.commit({**FILES, "stacks/orgs/prod.yaml": files["stacks/orgs/prod.yaml"] + tagged})
    await judge(branch.url)
    graph = Graph(catalog.database, catalog.config)
    answer = json.loads((await graph.execute("{ policies { nodes { package compliance } } }", None, None, SYSTEM)).body)

    found = {one["package"]: one["compliance"] for one in answer["data"]["policies"]["nodes"]}
    assert found == {"acme.asked": None, "acme.cost": pytest.approx(1 / 3), "acme.owned": 1.0}


async def test_broken_policies_leave_the_last_verdicts(catalog, branch, judge, caplog):
    """What doesn't compile judges nothing, and says so in the log; mended, it judges."""
    branch.commit(FILES)
    await judge(branch.url)
    branch.commit({"stacks/schemas/opa/cost.rego": "package acme.cost\n\ndeny contains"})
    assert await judge(branch.url) == 0
    assert "don't compile: cost.rego" in caplog.text

    branch.commit({"stacks/schemas/opa/cost.rego": COST.replace("name a", "where is the")})
    assert await judge(branch.url) == 6


async def test_an_estate_without_policies_costs_nothing(catalog, branch, judge):
    """No policy, no verdict, and it isn't looked at again before the next run."""
    assert await judge(branch.url) == 0
    async with catalog.database.connection() as connection:
        assert await compliance.compliance.behind(connection) == []


async def test_secrets_are_not_judged(catalog, branch, judge):
    """What is judged is what is indexed: what a key calls a secret is not in it."""
    sees = "# METADATA\n# custom: {points: [INDEX]}\npackage acme.sees\n\ndeny contains input.vars.db_password\n"
    branch.commit({"stacks/schemas/opa/sees.rego": sees})
    await judge(branch.url)

    stored = await catalog.ask("select string_agg(document::text, '') from policy_input")
    assert "hunter2" not in stored[0][0]
    assert "hunter2" not in str(await verdicts(catalog))
