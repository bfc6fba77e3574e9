"""Reading through the compiler."""

from __future__ import annotations

import json


async def ask(graph, scope, document, **variables):
    response = await graph.execute(document, variables, None, scope)
    return json.loads(response.body)


async def test_everything_of_a_stack_is_read_in_one_statement(graph, world) -> None:
    """A nested query answers."""
    answer = await ask(
        graph,
        world.viewers()["admin"],
        """{
      viewer { id name email roles memberOf { slug } grants { role teams { slug } tenants { name } } }
      stacks(first: 3) { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor node { id name estate { name lastRun { state } } manifest { path imports { nodes { path } } } tenant { name } environment { name kind team { slug } }
          labels tags vars ownership { team { slug } source location { file line url } } cost { currency estimated { amount currency } unknownInstances partial }
          instances(first: 2) { nodes { name vars config hiddenDependencies costEstimate { status monthly { amount } } dependsOn { edges { kind via node { name } location { file line } } } } } } } }
    }""",
    )
    assert "errors" not in answer, json.dumps(answer, indent=1)
    print(json.dumps(answer, indent=1)[:3000])
