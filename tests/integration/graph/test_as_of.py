"""Stacks and instances as they were."""

from __future__ import annotations

import json

import pytest

DOCUMENT = """
query Then($asOf: AsOfInput) {
  stack(name: "twin", estate: "acme-infra", asOf: $asOf) {
    id name state tags ownership { team { slug } location { url } } unowned { reason }
    cost { estimated { amount } unknownInstances partial }
    instances(first: 3, where: {stack: {name: {eq: "twin"}}}) {
      totalCount
      nodes {
        id name vars stack { name } costEstimate { status monthly { amount } } hiddenDependencies
        cost { estimated { amount } }
        dependsOn(first: 3) { totalCount edges { kind via depth location { url } node { name stack { name } } } }
        dependents(first: 3) { totalCount nodes { name } }
        all: dependsOn(first: 3, transitive: true) { totalCount edges { depth node { name } } }
        up: dependents(first: 3, transitive: true) { totalCount edges { depth node { name } } }
      }
    }
  }
  componentInstance(stack: "twin", component: "vpc", estate: "acme-infra", asOf: $asOf) { id }
}
"""


@pytest.mark.parametrize("as_of", [{"run": "run_0001"}, {"revision": "0101010"}, {"time": "2026-01-01T12:05:00Z"}])
async def test_smoke(graph, world, as_of) -> None:
    for name, scope in world.viewers().items():
        response = await graph.execute(DOCUMENT, {"asOf": as_of}, None, scope)
        print(name, json.dumps(json.loads(response.body))[:300])
        assert response.ok
