"""A list of 50 instances and one instance by id: compiled beside the bare hand-written statement, on the same connections.

    python benchmarks/graph/small.py [--instances 20000] [--rounds 7] [--repeat 200] [--json] [--sql]

Rounds are interleaved; what counts are the ratios of their medians. Both answers must be equal.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import nested
import synthetic

from catalog.config import Config
from catalog.graph.execution import Graph
from catalog.records import SYSTEM
from catalog.store import embedded, migrations
from catalog.store.database import Database

LIST = """query List($n: Int) { componentInstances(first: $n) {
  nodes { id name type state stack { name } costEstimate { status monthly { amount currency } } } pageInfo { hasNextPage } } }"""
NODE = """query Node($id: ID!) { node(id: $id) { id ... on ComponentInstance {
  name type state vars stack { name estate { name } } costEstimate { status monthly { amount currency } } } } }"""
BARE_LIST = f"""
select '{{"componentInstances":{{"nodes":['||coalesce(string_agg(j, ',') filter (where rn <= $1), '')||'],"pageInfo":{{"hasNextPage":'||(count(*) > $1)||'}}}}}}'
from (select rn, case when rn <= $1 then '{{"id":"'||a.id||'","name":'||to_json(a.name)||',"type":"'||a.type||'","state":"'||a.state
  ||'","stack":{{"name":'||(select to_json(s.name)::text from stack s where s.id = a.stack_id)||'}},"costEstimate":'
  ||{nested._COST % "a.cost_estimate_id"}||'}}' end as j
  from (select a.*, row_number() over (order by name, id) as rn from component_instance a where removed_at is null order by name, id limit 101) a
  order by rn limit $1 + 1) q
"""  # noqa: E501, SLF001
BARE_NODE = f"""
select '{{"node":'||coalesce((select '{{"id":"'||a.id||'","name":'||to_json(a.name)||',"type":"'||a.type||'","state":"'||a.state
  ||'","vars":'||coalesce(c.document->'vars', '{{}}')||',"stack":{{"name":'||to_json(s.name)||',"estate":{{"name":'||to_json(e.name)
  ||'}}}},"costEstimate":'||{nested._COST % "a.cost_estimate_id"}||'}}'
  from component_instance a join config c on c.hash = a.config_hash join stack s on s.id = a.stack_id join estate e on e.id = s.estate_id
  where a.id = $1), 'null')||'}}'
"""  # noqa: SLF001


def arguments():
    """What the command was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--repeat", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--sql", action="store_true", help="print the compiled statements")
    return parser.parse_args()


async def measure(database, document: str, variables: dict, bare_sql: str, given) -> dict:
    """Run the rounds of one query."""
    graph = Graph(database, database.config)
    statement, _ = await graph.statement(document, variables, None, SYSTEM)

    async def compiled() -> bytes:
        return (await graph.execute(document, variables, None, SYSTEM)).body

    async def bare() -> bytes:
        return await database.reader.fetch_text(bare_sql, list(variables.values()), generic=True)

    assert json.loads(await compiled())["data"] == json.loads(await bare()), "the two answers differ"
    rounds = [(await nested.median(compiled, given.repeat), await nested.median(bare, given.repeat)) for _ in range(given.rounds)]
    ratios = sorted(one / other for one, other in rounds)
    return {
        "compiled_ms": round(statistics.median(one for one, _ in rounds), 3),
        "bare_ms": round(statistics.median(other for _, other in rounds), 3),
        "ratio": {"median": round(statistics.median(ratios), 3), "low": round(ratios[0], 3), "high": round(ratios[-1], 3)},
        "bytes": len(await compiled()),
        "generic": statement.generic,
        "sql": statement.sql,
    }


async def main() -> None:
    """Make a database, fill it, measure, print."""
    given = arguments()
    home = Path(tempfile.mkdtemp(prefix="catalog-bench-"))
    home.chmod(0o755)
    server = embedded.start(home)
    try:
        database = await Database.open(Config(home=home, database_url=server.url))
        await migrations.upgrade(database)
        await synthetic.fill(database, synthetic.Size(instances=given.instances))
        async with database.connection() as connection:
            identity = await connection.fetchval("select id from component_instance order by id limit 1")
        report = {
            "list of 50": await measure(database, LIST, {"n": 50}, BARE_LIST, given),
            "by id": await measure(database, NODE, {"id": identity}, BARE_NODE, given),
        }
        await database.close()
    finally:
        server.close()
        shutil.rmtree(home, ignore_errors=True)
    if given.json:
        print(json.dumps(report))
        return
    for name, one in report.items():
        if given.sql:
            print(one["sql"], "\n")
        ratio = one["ratio"]
        print(
            f"{name:10} compiled {one['compiled_ms']:7.3f} ms   bare {one['bare_ms']:7.3f} ms   {ratio['median']:.2f} × bare"
            f" ({ratio['low']:.2f}–{ratio['high']:.2f}), {given.rounds} rounds, {one['bytes']} bytes"
        )


if __name__ == "__main__":
    asyncio.run(main())
