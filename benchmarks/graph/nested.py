"""One nested query (team → services → instances → componentInstances → dependsOn, with costs), three ways, side by side.

    python benchmarks/graph/nested.py [--instances 20000] [--page 5] [--rounds 7] [--repeat 30] [--json] [--sql]

- compiled: `Graph.execute`, as the server calls it
- bare: a hand-written statement for the same answer, through the same pool of connections
- stock: graphql-core's own execution with one data loader a relation (one SQL statement a level)

Rounds are interleaved; what counts are the ratios of their medians. All three answers must be equal.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from graphql import build_schema, execute, parse
from strawberry.dataloader import DataLoader

sys.path.insert(0, str(Path(__file__).parent))

import synthetic

from catalog.config import Config
from catalog.graph import schema
from catalog.graph.execution import Graph
from catalog.records import SYSTEM
from catalog.store import embedded, migrations
from catalog.store.database import Database

DOCUMENT = """query Nested($n: Int) {
  teams(first: $n) { nodes { slug title
    services(first: $n) { nodes { slug title costEstimate { status monthly { amount currency } }
      instances(first: $n) { nodes { name state
        componentInstances(first: $n) { nodes { id name type costEstimate { status monthly { amount currency } }
          dependsOn(first: $n) { nodes { id name costEstimate { status monthly { amount currency } } } } } } } } } } } } }"""

_COST = """coalesce((select '{"status":"'||c.status||'","monthly":'||case when c.monthly is null then 'null' else
  '{"amount":"'||trim_scale(c.monthly)||'","currency":'||to_json(c.currency)||'}' end||'}' from cost_estimate c where c.id = %s), 'null')"""
BARE = f"""
select '{{"teams":{{"nodes":['||coalesce(string_agg('{{"slug":'||to_json(t.slug)||',"title":'||to_json(t.title)||',"services":{{"nodes":['||coalesce((
  select string_agg('{{"slug":'||to_json(s.slug)||',"title":'||to_json(s.title)||',"costEstimate":'||{_COST % "s.cost_estimate_id"}||',"instances":{{"nodes":['||coalesce((
    select string_agg('{{"name":'||to_json(i.name)||',"state":"'||i.state||'","componentInstances":{{"nodes":['||coalesce((
      select string_agg('{{"id":"'||a.id||'","name":'||to_json(a.name)||',"type":"'||a.type||'","costEstimate":'||{_COST % "a.cost_estimate_id"}||',"dependsOn":{{"nodes":['||coalesce((
        select string_agg('{{"id":"'||d.id||'","name":'||to_json(d.name)||',"costEstimate":'||{_COST % "d.cost_estimate_id"}||'}}', ',') from (
          select d.* from dependency e join component_instance d on d.id = e.target_id
          where e.source_id = a.id and d.removed_at is null order by d.name, d.id, e.via limit $1) d), '')||']}}}}', ',') from (
        select a.* from service_instance_component l join component_instance a on a.id = l.instance_id
        where l.service_instance_id = i.id and a.removed_at is null order by a.name, a.id limit $1) a), '')||']}}}}', ',') from (
      select * from service_instance i where i.service_id = s.id order by i.name, i.id limit $1) i), '')||']}}}}', ',') from (
    select * from service s where s.owner_id = t.id order by s.slug, s.id limit $1) s), '')||']}}}}', ','), '')||']}}}}' from (
  select * from team t order by t.slug, t.id limit $1) t
"""  # noqa: E501


def arguments():
    """What the command was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=20_000)
    parser.add_argument("--page", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--repeat", type=int, default=30)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--sql", action="store_true", help="print the compiled statement")
    return parser.parse_args()


# ── stock execution ──────────────────────────────────────────────────────────────────────────────────────────────────

_TOP = "select * from (select x.*, row_number() over (partition by x.parent order by {order}) as rn from ({rows}) x) x where rn <= {page}"
_RELATIONS = {
    ("Team", "services"): ("select owner_id as parent, * from service where owner_id = any($1)", "slug, id"),
    ("Service", "instances"): ("select service_id as parent, * from service_instance where service_id = any($1)", "name, id"),
    ("ServiceInstance", "componentInstances"): (
        (
            "select l.service_instance_id as parent, a.* from service_instance_component l join component_instance a"
            " on a.id = l.instance_id where l.service_instance_id = any($1) and a.removed_at is null"
        ),
        "name, id",
    ),
    ("ComponentInstance", "dependsOn"): (
        (
            "select e.source_id as parent, e.via, d.* from dependency e join component_instance d on d.id = e.target_id"
            " where e.source_id = any($1) and d.removed_at is null"
        ),
        "name, id, via",
    ),
}


class Stock:
    """graphql-core over data loaders."""

    def __init__(self, database, page: int) -> None:
        self.database, self.page = database, page
        self.schema = build_schema(schema.sdl())
        self.document = parse(DOCUMENT)

    async def run(self) -> bytes:
        """Answer the query."""
        loaders = {key: DataLoader(load_fn=self._children(*relation)) for key, relation in _RELATIONS.items()}
        costs = DataLoader(load_fn=self._costs)

        async def resolve(parent, info, **_given):
            key = (info.parent_type.name, info.field_name)
            if key in loaders:
                return {"nodes": await loaders[key].load(parent["id"])}
            if key == ("Query", "teams"):
                return {"nodes": await self._fetch(f"select * from team order by slug, id limit {self.page}")}
            if info.field_name == "costEstimate":
                return await costs.load(parent["cost_estimate_id"])
            if info.field_name == "monthly":
                return (
                    None
                    if parent["monthly"] is None
                    else {"amount": f"{parent['monthly'].normalize():f}", "currency": parent["currency"]}
                )
            return parent[info.field_name]

        def plain(parent, info, **given):
            key = (info.parent_type.name, info.field_name)
            if key in loaders or key == ("Query", "teams") or info.field_name in {"costEstimate", "monthly"}:
                return resolve(parent, info, **given)
            return parent[info.field_name]

        result = await execute(self.schema, self.document, variable_values={"n": self.page}, field_resolver=plain)
        assert not result.errors, result.errors
        return json.dumps({"data": result.data}, separators=(",", ":")).encode()

    def _children(self, rows: str, order: str):
        sql = _TOP.format(rows=rows, order=order, page=self.page)

        async def load(ids):
            found: dict[str, list] = {one: [] for one in ids}
            for row in await self._fetch(sql, ids):
                found[row["parent"]].append(row)
            return [found[one] for one in ids]

        return load

    async def _costs(self, ids):
        found = {row["id"]: row for row in await self._fetch("select * from cost_estimate where id = any($1)", ids)}
        return [found.get(one) for one in ids]

    async def _fetch(self, sql: str, *given):
        async with self.database.connection() as connection:
            return await connection.fetch(sql, *given)


# ── measuring ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def median(run, repeat: int) -> float:
    """The median time of so many runs, in milliseconds."""
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        await run()
        times.append((time.perf_counter() - began) * 1_000)
    return statistics.median(times)


async def measure(database, given) -> dict:
    """Run the rounds."""
    graph = Graph(database, database.config)
    variables = {"n": given.page}
    statement, bound = await graph.statement(DOCUMENT, variables, None, SYSTEM)
    stock = Stock(database, given.page)

    async def compiled() -> bytes:
        return (await graph.execute(DOCUMENT, variables, None, SYSTEM)).body

    async def bare() -> bytes:
        return await database.reader.fetch_text(BARE, [given.page], generic=True)

    async def alone() -> bytes:
        return await database.reader.fetch_text(statement.sql, bound, generic=statement.generic)

    answers = [json.loads(await compiled())["data"], json.loads(await bare()), json.loads(await stock.run())["data"]]
    assert answers[0] == answers[1] == answers[2], "the three answers differ"
    ways = {"compiled": compiled, "bare": bare, "statement": alone, "stock": stock.run}
    repeat = {"stock": max(3, given.repeat // 10)}
    rounds: list[dict[str, float]] = []
    for _ in range(given.rounds):
        rounds.append({name: await median(run, repeat.get(name, given.repeat)) for name, run in ways.items()})
    middle = {name: statistics.median(one[name] for one in rounds) for name in ways}
    ratios = {name: sorted(one[name] / one["bare"] for one in rounds) for name in ways}
    return {
        "rows": synthetic.Size(instances=given.instances).counts(),
        "page": given.page,
        "bytes": len(await compiled()),
        "generic": statement.generic,
        "milliseconds": {name: round(value, 3) for name, value in middle.items()},
        "ratio_to_bare": {
            name: {"median": round(statistics.median(found), 3), "low": round(found[0], 3), "high": round(found[-1], 3)}
            for name, found in ratios.items()
        },
        "stock_to_compiled": round(statistics.median(one["stock"] / one["compiled"] for one in rounds), 2),
        "rounds": given.rounds,
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
        report = await measure(database, given)
        await database.close()
    finally:
        server.close()
        shutil.rmtree(home, ignore_errors=True)
    if given.json:
        print(json.dumps(report))
        return
    if given.sql:
        print(report["sql"], "\n")
    print(
        f"one statement of {len(report['sql'])} characters, {report['bytes']} bytes of answer, {report['rounds']} interleaved rounds"
    )
    for name, ratio in report["ratio_to_bare"].items():
        print(
            f"{name:10} {report['milliseconds'][name]:9.3f} ms   {ratio['median']:6.2f} × bare   ({ratio['low']:.2f}–{ratio['high']:.2f})"
        )
    print(f"stock ÷ compiled: {report['stock_to_compiled']}")


if __name__ == "__main__":
    asyncio.run(main())
