"""Ten thousand documents that nobody asked before: what memory they leave behind in our process and in Postgres.

    python benchmarks/graph/adhoc.py [--documents 10000] [--instances 2000] [--steps 10] [--json]

Every document is another one: names, aliases, fields, filters and pages differ. Memory is read from /proc after each step: ours, and
that of each server process which belongs to our connections. What counts is that the second half adds next to nothing to the first.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import scratch
import synthetic

from catalog.graph.execution import Graph
from catalog.records import SYSTEM

PROMISED = 0.10  # of what the first half needed, the second half may add at most
_FIELDS = ("id", "name", "type", "state", "enabled", "locked", "abstract", "drift", "changedAt", "hiddenDependencies", "vars")
_BELOW = (
    "stack { name }",
    "component { name path }",
    "costEstimate { status monthly { amount currency } }",
    "dependsOn(first: 3) { nodes { name } }",
    "dependents(first: 2) { totalCount }",
    "stack { environment { name kind } tenant { name } }",
)


def arguments():
    """What the command was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--instances", type=int, default=2_000)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def document(number: int) -> str:
    """The document of a number: no two are alike."""
    chance = random.Random(number)
    fields = " ".join(f"f{place}_{number}: {name}" for place, name in enumerate(chance.sample(_FIELDS, chance.randint(2, 8))))
    below = " ".join(dict.fromkeys(chance.sample(_BELOW[:5], chance.randint(0, 4))))
    where = chance.choice(("", f', where: {{name: {{startsWith: "instance-{number % 7}"}}}}', ", where: {locked: false}"))
    return f"query Q{number} {{ componentInstances(first: {chance.randint(1, 20)}{where}) {{ nodes {{ {fields} {below} }} }} }}"


def megabytes(pid: int | str) -> float:
    """What a process alone holds in memory: without pages that it shares."""
    told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return sum(int(told[name].split()[0]) for name in ("Private_Clean", "Private_Dirty")) / 1024


async def weigh(database) -> dict[str, Any]:
    """Our own memory, and that of the server's processes for our connections, each and together."""
    async with database.connection() as connection:
        pids = [row["pid"] for row in await connection.fetch("select pid from pg_stat_activity where application_name = 'catalog'")]
    gc.collect()
    servers = [megabytes(pid) for pid in pids]
    return {
        "ours": round(megabytes("self"), 1),
        "postgres": round(sum(servers), 1),
        "largest": round(max(servers), 1),
        "of": len(servers),
    }


async def measure(database, given) -> dict[str, Any]:
    """Ask all the documents, eight at once, and weigh after each step."""
    graph = Graph(database, database.config)
    steps = [await weigh(database)]
    each = given.documents // given.steps

    async def ask(numbers: range) -> None:
        for number in numbers:
            response = await graph.execute(document(number), None, None, SYSTEM)
            assert response.ok, (document(number), response.body[:300])

    for step in range(given.steps):
        first = step * each
        await asyncio.gather(*(ask(range(first + lane, first + each, 8)) for lane in range(8)))
        steps.append(await weigh(database))
    half = len(steps) // 2
    return {
        "documents": each * given.steps,
        "steps": steps,
        "added": {name: round(steps[-1][name] - steps[half][name], 1) for name in ("ours", "postgres")},
    }


def is_bounded(report: dict[str, Any]) -> bool:
    """Whether the second half added next to nothing."""
    half = report["steps"][len(report["steps"]) // 2]
    return all(added <= PROMISED * half[name] for name, added in report["added"].items())


def tell(report: dict[str, Any]) -> None:
    """Print the steps."""
    for number, step in enumerate(report["steps"]):
        done = number * report["documents"] // (len(report["steps"]) - 1)
        print(f"{done:7} documents: ours {step['ours']:7.1f} MB, Postgres {step['postgres']:7.1f} MB in {step['of']} processes")
    print(f"the second half added {report['added']['ours']} MB to ours and {report['added']['postgres']} MB to Postgres")


async def main() -> int:
    """Make a database, fill it, measure, print."""
    given = arguments()
    async with scratch.filled(synthetic.Size(instances=given.instances)) as database:
        report = await measure(database, given)
    print(json.dumps(report)) if given.json else tell(report)
    return 0 if is_bounded(report) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
