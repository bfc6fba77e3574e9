"""The rare beside the common: the rarest tenant, a selector that nothing fits, a viewer without grants, as ratios to the common case.

    python benchmarks/graph/extremes.py [--instances 100000] [--rounds 7] [--repeat 60] [--json]

The estate has one tenant with a single stack, last of all in every order. Rounds are interleaved; what counts are the ratios of
medians to the common case of the same list: everything, seen by who sees everything.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import scratch
import synthetic

from catalog.graph.execution import Graph
from catalog.records import SYSTEM

PROMISED = 3.0  # for the rarest tenant, a selector that nothing fits and a viewer without grants; teams are told beside them
_FIELDS = "nodes { id name state stack { name } costEstimate { status monthly { amount currency } } } pageInfo { hasNextPage }"
LIST = f"query($n: Int) {{ componentInstances(first: $n) {{ {_FIELDS} }} }}"
SELECTED = f"query($n: Int, $s: String) {{ componentInstances(first: $n, where: {{labels: $s}}) {{ {_FIELDS} }} }}"
STACKS = "query($n: Int) { stacks(first: $n) { nodes { id name environment { name } tenant { name } } pageInfo { hasNextPage } } }"
SERVICES = "query($n: Int) { services(first: $n) { nodes { id slug owner { slug } costEstimate { monthly { amount } } } } }"
SEARCH = "query($q: String!) { search(query: $q, first: 20) { nodes { score node { ... on Node { id } } } } }"
_RARE = """
insert into tenant (id, organization_id, name, hidden) values ('ten_rare', 'org_1', 'zz-rare', false);
update stack set tenant_id = 'ten_rare' where id = (select id from stack order by name desc limit 1);
update component_instance a set tenant_id = 'ten_rare' from stack s where s.id = a.stack_id and s.tenant_id = 'ten_rare';
update component_instance set labels = '{"tier": "web"}' where id in (select id from component_instance order by id limit 20000);
"""
RARE = scratch.viewer("rare", tenants=("ten_rare",))
# What is asked rarely, and the common case that it is held against.
CASES = {
    "instances of the rarest tenant": ((LIST, {"n": 50}, RARE), (LIST, {"n": 50}, SYSTEM)),
    "instances, no grants": ((LIST, {"n": 50}, scratch.NOBODY), (LIST, {"n": 50}, SYSTEM)),
    "instances of one team": ((LIST, {"n": 50}, scratch.VIEWERS["a team"]), (LIST, {"n": 50}, SYSTEM)),
    "instances of a team in a tenant": ((LIST, {"n": 50}, scratch.VIEWERS["a team in a tenant"]), (LIST, {"n": 50}, SYSTEM)),
    "a selector that nothing fits": (
        (SELECTED, {"n": 50, "s": "tier=nowhere"}, SYSTEM),
        (SELECTED, {"n": 50, "s": "tier=web"}, SYSTEM),
    ),
    "a selector, rarest tenant": ((SELECTED, {"n": 50, "s": "tier=web"}, RARE), (SELECTED, {"n": 50, "s": "tier=web"}, SYSTEM)),
    "stacks of the rarest tenant": ((STACKS, {"n": 50}, RARE), (STACKS, {"n": 50}, SYSTEM)),
    "stacks, no grants": ((STACKS, {"n": 50}, scratch.NOBODY), (STACKS, {"n": 50}, SYSTEM)),
    "services, rarest tenant": ((SERVICES, {"n": 50}, RARE), (SERVICES, {"n": 50}, SYSTEM)),
    "search, rarest tenant": ((SEARCH, {"q": "instance"}, RARE), (SEARCH, {"q": "instance"}, SYSTEM)),
    "search that finds nothing": ((SEARCH, {"q": "xyzzyplugh"}, SYSTEM), (SEARCH, {"q": "instance"}, SYSTEM)),
}


def arguments():
    """What the command was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--repeat", type=int, default=60)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


async def median(graph, asked, repeat: int) -> float:
    """The median time of one way to ask, in milliseconds."""
    document, variables, scope = asked
    taken = []
    for _ in range(repeat):
        begun = time.perf_counter()
        response = await graph.execute(document, variables, None, scope)
        taken.append(time.perf_counter() - begun)
    assert response.ok, response.body[:500]
    return statistics.median(taken) * 1000


async def measure(database, given) -> dict[str, Any]:
    """Run the rounds of every case."""
    async with database.connection() as connection:
        await connection.execute(_RARE)
        await connection.execute("vacuum analyze")
    graph, report = Graph(database, database.config), {}
    for name, (rare, common) in CASES.items():
        rounds = [(await median(graph, rare, given.repeat), await median(graph, common, given.repeat)) for _ in range(given.rounds)]
        ratios = sorted(one / other for one, other in rounds)
        report[name] = {
            "rare_ms": round(statistics.median(one for one, _ in rounds), 3),
            "common_ms": round(statistics.median(other for _, other in rounds), 3),
            "ratio": round(statistics.median(ratios), 2),
            "low": round(ratios[0], 2),
            "high": round(ratios[-1], 2),
        }
    return report


def is_promised(name: str) -> bool:
    """Whether a case is among those that are promised."""
    return "team" not in name


def tell(report: dict[str, Any]) -> None:
    """Print the ratios."""
    for name, one in report.items():
        print(
            f"{name:32} {one['rare_ms']:8.3f} ms beside {one['common_ms']:8.3f} ms: {one['ratio']:.2f} × ({one['low']:.2f}–{one['high']:.2f})"
            f"{'' if one['ratio'] <= PROMISED else '   more than promised' if is_promised(name) else '   (nothing promised)'}"
        )


async def main() -> int:
    """Make a database, fill it, measure, print."""
    given = arguments()
    async with scratch.filled(synthetic.Size(instances=given.instances)) as database:
        report = await measure(database, given)
    print(json.dumps(report)) if given.json else tell(report)
    return 1 if any(one["ratio"] > PROMISED and is_promised(name) for name, one in report.items()) else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
