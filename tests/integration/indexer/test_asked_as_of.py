"""`asOf` over a real history: what the graph says of a position is what it said when that was the present."""

import json

import pytest

from catalog.graph.execution import Graph
from catalog.indexer import run
from catalog.records import GrantScope, PrincipalKind, Role, Scope

ADMIN = Scope(
    principal_id="pri_1",
    name="admin",
    email=None,
    kind=PrincipalKind.PERSON,
    grants=(GrantScope(role=Role.ADMIN, teams=None, tenants=None),),
    member_of=frozenset(),
)
STACK = """
query Stack($name: String!, $asOf: AsOfInput) {
  stack(name: $name, estate: "shop", asOf: $asOf) {
    id name manifest { path } namespace account stage region labels tags vars state
    ownership { team { slug } source value location { file line } } unowned { reason source value }
    cost { currency estimated { amount } unknownInstances partial }
    instances(first: 100, orderBy: [{field: STACK}, {field: NAME}]) {
      totalCount
      nodes {
        id name type abstract enabled locked state inherits workspace backendType config stack { id vars } changedAt
        ownership { team { slug } source value location { file line } }
        costEstimate { id status monthly { amount currency } low { amount } reason source location { file line } }
        dependsOn { totalCount edges { kind via depth location { file line } node { id name stack { name } } } }
        dependents { totalCount edges { kind via depth location { file line } node { id name stack { name } } } }
        everything: dependsOn(transitive: true) { edges { depth node { id } } }
        everybody: dependents(transitive: true) { edges { depth node { id } } }
        hiddenDependencies unresolvedDependencies
      }
    }
  }
}
"""


async def said(catalog, names, as_of=None):
    """What the graph says of stacks, by name; None of those that aren't there."""
    graph = Graph(catalog.database, catalog.config)
    found = {}
    for name in names:
        answer = json.loads((await graph.execute(STACK, {"name": name, "asOf": as_of}, None, ADMIN)).body)
        assert "errors" not in answer, answer
        found[name] = answer["data"]["stack"]
    return found


def timeless(value):
    """The same without when things changed: a catalog that is told the past later knows that only from when it begins to know."""
    if isinstance(value, dict):
        return {name: timeless(inner) for name, inner in value.items() if name != "changedAt"}
    return [timeless(inner) for inner in value] if isinstance(value, list) else value


async def names_of(catalog):
    """Every stack that a catalog ever knew."""
    return [name for (name,) in await catalog.ask("select name from stack order by 1")]


@pytest.mark.parametrize("seed", range(2))
async def test_what_was_said_once_is_said_of_then(catalog, another, branch, files, edits, seed):
    """Of every revision and of every run the graph says what it said when that was read last, also where the past is told later."""
    told = {}
    for edit in [{}, *edits(files, seed, 10)]:
        revision = branch.commit(edit)
        report = await catalog.index(branch.url, name="shop", confirmed=True)
        told[revision, report.run_id] = await said(catalog, await names_of(catalog))

    everything = await names_of(catalog)
    later = await another()
    await later.index(branch.url, name="shop")
    [report async for report in run.index_range(later.database, later.config, "shop", branch.revisions[0])]
    for (revision, run_id), then in told.items():
        expected = dict.fromkeys(everything) | then
        assert await said(catalog, everything, {"revision": revision}) == expected
        assert await said(catalog, everything, {"run": run_id}) == expected
        assert timeless(await said(later, everything, {"revision": revision[:12]})) == timeless(expected)
