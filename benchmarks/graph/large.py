"""An operation of 20,000 nodes: how much of its time is spent in our process, and how much in Postgres.

    python benchmarks/graph/large.py [--instances 20000] [--repeat 20] [--json]

A page of 100 instances with their hundred dependencies, dependents and hops is the most that a person may ask for at once. `ours` is the
processor time of the process from document to bytes, the statement's own time not counted; `statement` the time that Postgres takes;
`stock` what graphql-core's executor would take for so many fields at the 4 to 5 µs that it takes for each.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import synthetic

from catalog.config import Config
from catalog.graph.execution import Graph
from catalog.graph.rates import Rates
from catalog.records import GrantScope, PrincipalKind, Role, Scope
from catalog.store import embedded, migrations
from catalog.store.database import Database

DOCUMENT = """query Large { componentInstances(first: 100) { nodes { id name state stack { name }
  dependsOn(first: 100) { nodes { id name type state } } dependents(first: 98) { nodes { id name type state } } } } }"""
PERSON = Scope(
    principal_id="pri_1",
    name="person",
    email=None,
    kind=PrincipalKind.PERSON,
    grants=(GrantScope(role=Role.VIEWER, teams=None, tenants=None),),
)
DENSE = """
insert into dependency (source_id, target_id, via, kind)
  select a.id, b.id, 'settings.depends_on', 'DECLARED'
  from (select id from component_instance order by name, id limit 100) a
  cross join (select id from component_instance order by name, id limit 100) b on conflict do nothing;
"""


def arguments():
    """What the command was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=20_000)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


async def measure(database, repeat: int) -> dict:
    """Run the operation and its statement alone, in turn."""
    graph = Graph(database, database.config, rates=Rates(1_000.0))
    statement, bound = await graph.statement(DOCUMENT, None, None, PERSON)
    ours, whole, alone, used = [], [], [], []
    for _ in range(repeat):
        began, busy = time.perf_counter(), time.process_time()
        answer = await graph.execute(DOCUMENT, None, None, PERSON)
        whole.append(time.perf_counter() - began)
        used.append(time.process_time() - busy)
        assert answer.ok, answer.body[:500]
        began, busy = time.perf_counter(), time.process_time()
        await database.reader.fetch_text(statement.sql, bound, generic=statement.generic)
        alone.append(time.perf_counter() - began)
        ours.append(used[-1] - (time.process_time() - busy))
    data = json.loads(answer.body)["data"]["componentInstances"]["nodes"]
    rows = len(data) + sum(len(each[key]["nodes"]) for each in data for key in ("dependsOn", "dependents"))
    fields = 5 * len(data) + 4 * (rows - len(data))
    return {
        "rows": rows,
        "bytes": len(answer.body),
        "whole_ms": round(1_000 * statistics.median(whole), 2),
        "statement_ms": round(1_000 * statistics.median(alone), 2),
        "process_ms": round(1_000 * statistics.median(used), 2),
        "ours_ms": round(1_000 * statistics.median(ours), 3),
        "stock_ms": round(fields * 4.5e-3, 1),
    }


async def main() -> None:
    """Make a database, fill it, measure, print."""
    given = arguments()
    with contextlib.ExitStack() as ends:
        home = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="catalog-bench-")))
        home.chmod(0o755)
        server = embedded.start(home)
        ends.callback(server.close)
        database = await Database.open(Config(home=home, database_url=server.url))
        await migrations.upgrade(database)
        await synthetic.fill(database, synthetic.Size(instances=given.instances))
        async with database.connection() as connection:
            await connection.execute(DENSE)
            await connection.execute("vacuum analyze")
        found = await measure(database, given.repeat)
        await database.close()
    if given.json:
        print(json.dumps(found))
        return
    print(f"{found['rows']} rows, {found['bytes']} bytes of answer")
    for name, words in (
        ("whole_ms", "from document to bytes"),
        ("statement_ms", "of these: the statement"),
        ("process_ms", "processor time of our process, taking the bytes in included"),
        ("ours_ms", "of these: parsing, limits, plan, response"),
        ("stock_ms", "what graphql-core would need for so many fields (estimate)"),
    ):
        print(f"{found[name]:9.2f} ms  {words}")


if __name__ == "__main__":
    asyncio.run(main())
