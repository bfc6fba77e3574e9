"""The plans of all recipes at size: whether any reads a large table from end to end, or writes a temporary file.

    python benchmarks/graph/plans.py [--instances 100000] [--charges 120000] [--large 20000] [--json]

Each recipe runs as viewers of several shapes under EXPLAIN (ANALYZE), with names that exist in the synthetic estate. Ends with status 1
when there is something to tell.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import scratch
import synthetic

from catalog.graph.execution import Graph
from catalog.graph.faults import Rejected
from catalog.web.recipes import recipes

# What recipes are asked for, in the names of the synthetic estate.
NAMES = {
    "slug": "service-00007",
    "stack": "stack-000007",
    "component": "instance-0000007",
    "name": "team-0003",
    "environment": "env-7",
    "words": "instance 0000007",
}
_SLUG_OF_TEAM = "team-0003"


def arguments():
    """What the command was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=100_000)
    parser.add_argument("--charges", type=int, default=120_000)
    parser.add_argument("--large", type=int, default=20_000, help="rows from which a table is large")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def asked(recipe) -> dict[str, Any]:
    """The variables of a recipe, in names that exist."""
    given = {name: NAMES.get(name, value) for name, value in recipe.variables.items()}
    if "slug" in given and "team" in recipe.document:
        given["slug"] = _SLUG_OF_TEAM if "team(slug: $slug" in recipe.document else given["slug"]
    return given


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node of a plan and all below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


async def plan_of(database, statement, bound) -> dict[str, Any]:
    """The plan of a statement after it has run."""
    async with database.reader.connection(generic=statement.generic) as connection:
        told = await connection.fetchval(f"explain (analyze, buffers, format json) {statement.sql}", *bound)
    return json.loads(told)[0]


async def measure(database, given) -> dict[str, Any]:
    """Run every recipe as every viewer; return what was looked at and what there is to tell."""
    graph = Graph(database, database.config)
    async with database.connection() as connection:
        rows = {
            record["relname"]: int(record["reltuples"])
            for record in await connection.fetch("select relname, reltuples from pg_class where relkind = 'r'")
        }
    told, looked, refused, slowest = [], 0, set(), (0.0, "")
    for recipe in recipes():
        for name, scope in scratch.VIEWERS.items():
            try:
                statement, bound = await graph.statement(recipe.document, asked(recipe), None, scope)
            except (Rejected, AssertionError):
                refused.add(f"{recipe.persona}/{recipe.name}")
                continue
            explained = await plan_of(database, statement, bound)
            looked += 1
            place = f"{recipe.persona}/{recipe.name} as {name}"
            slowest = max(slowest, (explained["Execution Time"], place))
            for node in nodes(explained["Plan"]):
                table = node.get("Relation Name", "")
                if node["Node Type"] == "Seq Scan" and rows.get(table, 0) >= given.large and node["Actual Loops"]:
                    told.append({"recipe": place, "what": f"reads all of {table}", "ms": round(explained["Execution Time"], 1)})
                if node.get("Temp Written Blocks") and not any(b.get("Temp Written Blocks") for b in node.get("Plans", ())):
                    told.append(
                        {
                            "recipe": place,
                            "what": f"{node['Node Type']} writes a temporary file",
                            "ms": round(explained["Execution Time"], 1),
                        }
                    )
    unique = [dict(items) for items in dict.fromkeys(tuple(one.items()) for one in told)]
    return {
        "plans": looked,
        "not compiled alone": sorted(refused),
        "slowest": {"ms": round(slowest[0], 1), "recipe": slowest[1]},
        "large tables": sorted(name for name, count in rows.items() if count >= given.large),
        "told": unique,
    }


async def main() -> int:
    """Make a database, fill it, look, print."""
    given = arguments()
    async with scratch.filled(synthetic.Size(instances=given.instances, charges=given.charges)) as database:
        report = await measure(database, given)
    if given.json:
        print(json.dumps(report))
    else:
        print(f"{report['plans']} plans, slowest {report['slowest']['ms']} ms: {report['slowest']['recipe']}")
        print(f"large: {', '.join(report['large tables'])}")
        for one in report["told"]:
            print(f"{one['recipe']}: {one['what']} ({one['ms']} ms)")
    return 1 if report["told"] else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
