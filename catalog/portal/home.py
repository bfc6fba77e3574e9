"""The first page: what is indexed, by the graph's own answer to whoever looks; without a viewer only how to sign in."""

from __future__ import annotations

import json
from typing import Any

from catalog import errors
from catalog.graph.execution import Graph
from catalog.portal import pages
from catalog.records import ANONYMOUS, Scope
from catalog.store import readiness
from catalog.store.database import Database

DOCUMENT = """
query Home {
  viewer { name email roles }
  estates(first: 50) {
    totalCount
    nodes {
      name repository ref directory revision indexedAt writable
      lastRun { state manifests stacks componentInstances startedAt finishedAt }
      diagnostics(first: 5) { totalCount nodes { severity message hint location { file line } } }
    }
  }
  stacks(first: 1) { totalCount }
  components(first: 1) { totalCount }
  componentInstances(first: 1) { totalCount }
  services(first: 1) { totalCount }
  teams(first: 1) { totalCount }
  provisioningRequests(first: 5, orderBy: [{ field: NUMBER, direction: DESC }]) {
    totalCount
    nodes { number action state stackName componentName requester updatedAt }
  }
}
"""


async def render(graph: Graph, database: Database, scope: Scope, *, problem: str | None = None) -> str:
    """Render the page for a viewer; ANONYMOUS sees counts and how to sign in, nothing by name."""
    if scope == ANONYMOUS:
        return pages.home(viewer=None, counts=await _counts(database), data=None, problem=problem)
    response = await graph.execute(DOCUMENT, None, "Home", scope)
    answer: dict[str, Any] = json.loads(response.body)
    if not answer.get("data"):
        raise errors.Unavailable(f"the graph could not say what is indexed: {answer['errors'][0]['message']}")
    return pages.home(viewer=answer["data"]["viewer"], counts=None, data=answer["data"], problem=problem)


async def _counts(database: Database) -> readiness.Counts | None:
    """How much is there; None while the database can't say."""
    try:
        return await readiness.read(database)
    except errors.Unavailable:
        return None
