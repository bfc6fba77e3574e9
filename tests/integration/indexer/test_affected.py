"""`affected(base:, head:)`: what differs between two revisions of an estate, for whoever may see it."""

from __future__ import annotations

import json

import pytest

from catalog.graph.execution import Graph
from catalog.records import ANONYMOUS, SYSTEM, GrantScope, PrincipalKind, Role, Scope

ASK = """query($base: String!, $head: String!, $estate: String, $first: Int, $after: String) {
  affected(base: $base, head: $head, estate: $estate, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
    nodes { stackName componentType componentName deleted reasons dependents instance { name } } } }"""


@pytest.fixture
def asked(catalog, engine_cache):
    """Ask what differs."""
    catalog.config.cache.mkdir(parents=True, exist_ok=True)
    graph = Graph(catalog.database, catalog.config)

    async def ask(base, head, scope=SYSTEM, **more):
        return json.loads((await graph.execute(ASK, {"base": base, "head": head, **more}, None, scope)).body)

    return ask


def told(answer):
    """(stack, component, deleted, reasons) of each row."""
    assert "errors" not in answer, answer
    return [(row["stackName"], row["componentName"], row["deleted"], row["reasons"]) for row in answer["data"]["affected"]["nodes"]]


async def test_what_differs_is_told_with_atmos_reasons(catalog, branch, files, asked):
    """A variable, the code of a component, and what is gone; the other way round the reasons are those of the way back."""
    manifest = files["stacks/orgs/dev.yaml"]
    branch.commit({"stacks/orgs/dev.yaml": manifest + "    vpc:\n      vars: {cidr: 10.9.0.0/16}\n"})
    await catalog.index(f"file://{branch.path}", name="shop")
    first, second = branch.revisions[0], branch.revisions[-1]

    answer = await asked(first, second)
    assert told(answer) == [("plat-dev", "vpc", False, ["stack.vars"])]
    row = answer["data"]["affected"]["nodes"][0]
    assert (row["componentType"], row["instance"]) == ("TERRAFORM", {"name": "vpc"})
    assert answer["data"]["affected"]["totalCount"] == 1
    assert told(await asked(second, first)) == [("plat-dev", "vpc", False, ["stack.vars"])]
    assert told(await asked(second, "HEAD")) == []

    branch.commit({"components/terraform/vpc/main.tf": 'resource "terraform_data" "another" {}\n'})
    await catalog.index(f"file://{branch.path}", name="shop")
    changed = told(await asked(second, branch.revisions[-1]))
    assert changed
    assert {component for _, component, _, _ in changed} == {"vpc"}
    assert all("component" in reasons for *_, reasons in changed)


async def test_pages_are_cut_as_of_every_list(catalog, branch, asked):
    """`first` and `after` lead through all of it, once each."""
    branch.commit({"components/terraform/vpc/main.tf": 'resource "terraform_data" "another" {}\n'})
    await catalog.index(f"file://{branch.path}", name="shop")
    ends = (branch.revisions[0], branch.revisions[-1])
    everything = told(await asked(*ends))
    assert len(everything) > 1

    found, after = [], None
    while True:
        page = await asked(*ends, first=1, after=after)
        found += told(page)
        if not page["data"]["affected"]["pageInfo"]["hasNextPage"]:
            break
        after = page["data"]["affected"]["pageInfo"]["endCursor"]
    assert found == everything


async def test_only_what_is_in_sight_is_told(catalog, branch, asked):
    """A viewer of another tenant sees and counts nothing, nobody no estate."""
    branch.commit({"components/terraform/vpc/main.tf": 'resource "terraform_data" "another" {}\n'})
    await catalog.index(f"file://{branch.path}", name="shop")
    ends = (branch.revisions[0], branch.revisions[-1])
    grant = GrantScope(role=Role.VIEWER, teams=None, tenants=frozenset({"ten_other"}))
    other = Scope(principal_id="prn_x", name="X", email=None, kind=PrincipalKind.PERSON, grants=(grant,))

    assert (await asked(*ends, scope=other))["data"]["affected"]["totalCount"] == 0
    refused = await asked(*ends, scope=ANONYMOUS)
    assert [problem["extensions"]["code"] for problem in refused["errors"]] == ["NOT_FOUND"]


@pytest.mark.parametrize("wrong", ["nothing", "--output=/x", "HEAD:atmos.yaml", ""])
async def test_what_is_no_revision_is_said(catalog, branch, asked, wrong):
    """An unknown revision, and one that would be an option of git, are the same mistake."""
    await catalog.index(f"file://{branch.path}", name="shop")

    answer = await asked("HEAD", wrong)
    (problem,) = answer["errors"]
    assert (problem["path"], problem["extensions"]["code"]) == (["affected"], "NOT_FOUND")
