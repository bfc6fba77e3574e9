"""Search over many instances: how long the first page takes, for common and rare words, misspelled ones, and viewers of some tenants.

    python benchmarks/graph/search.py [--instances 200000] [--distinct] [--repeat 30] [--json]

Stacks of 20 instances share 40 names, as estates do; `--distinct` gives every instance a name of its own instead. `page` is the median
time of 20 hits with what they are and where, in milliseconds; `count` the same with the count of all hits.
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
from catalog.records import SYSTEM, GrantScope, PrincipalKind, Role, Scope
from catalog.store import embedded, migrations
from catalog.store.database import Database

NAMES = [
    "vpc",
    "vpc-flow-logs-bucket",
    "eks-cluster",
    "eks-addons",
    "eks-node-groups",
    "rds-postgres",
    "rds-mysql",
    "elasticache-redis",
    "s3-bucket-logs",
    "s3-bucket-data",
    "iam-roles",
    "iam-policies",
    "dns-delegated",
    "dns-primary",
    "acm-certificate",
    "alb",
    "nlb",
    "waf",
    "cloudtrail",
    "guardduty",
    "security-hub",
    "kms-keys",
    "ssm-parameters",
    "sns-topics",
    "sqs-queues",
    "lambda-ingest",
    "lambda-export",
    "ecs-cluster",
    "ecs-service-api",
    "ecs-service-web",
    "msk-kafka",
    "opensearch",
    "dynamodb-orders",
    "dynamodb-sessions",
    "ecr-repositories",
    "github-runners",
    "argocd",
    "monitoring-prometheus",
    "monitoring-grafana",
    "backup-vault",
]
INSTANCE = "(array[{names}])[1 + (i / {{stacks}} + s) % {count}]".format(
    names=", ".join(f"'{name}'" for name in NAMES), count=len(NAMES)
)
STACK = (
    "concat_ws('-', 'acme', 't' || (1 + s % 8), (array['ue1', 'ue2', 'uw2', 'ew1', 'ec1'])[1 + (s / 8) % 5],"
    " (array['dev', 'staging', 'prod'])[1 + (s / 40) % 3], lpad(s::text, 5, '0'))"
)
WORDS = (
    "vpc",
    "prod",
    "acme",
    "e",
    "vpc prod",
    "rds postgres",
    "vpc-flow-logs-bucket acme-t1-ue1-prod",
    "gaurdduty",
    "nothing-like-it",
)
DISTINCT_WORDS = ("instance", "instance-0000123", "stack", "service 12", "i")
PAGE = """query Page($q: String!) { search(query: $q, first: 20) { nodes { score highlight node { __typename ... on Node { id }
  ... on ComponentInstance { name stack { name } } ... on Stack { name } ... on Component { name } ... on Service { slug title } } } } }"""
COUNT = PAGE.replace("{ nodes", "{ totalCount nodes", 1)


def viewer(*tenants: str) -> Scope:
    """A viewer of some tenants."""
    grant = GrantScope(role=Role.VIEWER, teams=None, tenants=frozenset(tenants))
    return Scope(principal_id="pri_1", name="viewer", email=None, kind=PrincipalKind.PERSON, grants=(grant,))


VIEWERS = {"everything": SYSTEM, "3 of 8 tenants": viewer("ten_1", "ten_2", "ten_3"), "an empty tenant": viewer("ten_none")}


def arguments():
    """What the command was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=200_000)
    parser.add_argument("--distinct", action="store_true", help="no two instances of one name")
    parser.add_argument("--repeat", type=int, default=30)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


async def measure(database, words, given) -> list[dict]:
    """Search for each of some words as each viewer."""
    graph = Graph(database, database.config)
    rows = []
    for name, scope in VIEWERS.items():
        for word in words:
            times = {}
            for label, document in (("page", PAGE), ("count", COUNT)):

                async def run(document=document, word=word, scope=scope) -> bytes:
                    return (await graph.execute(document, {"q": word}, None, scope)).body

                answer = json.loads(await run())
                assert "errors" not in answer, answer
                times[label] = round(await nested.median(run, given.repeat), 2)
            rows.append({"viewer": name, "words": word, "hits": answer["data"]["search"]["totalCount"], **times})
    return rows


async def main() -> None:
    """Make a database, fill it, measure, print."""
    given = arguments()
    names = {} if given.distinct else {"instance_name": INSTANCE, "stack_name": STACK}
    home = Path(tempfile.mkdtemp(prefix="catalog-bench-"))
    home.chmod(0o755)
    server = embedded.start(home)
    try:
        database = await Database.open(Config(home=home, database_url=server.url))
        await migrations.upgrade(database)
        await synthetic.fill(database, synthetic.Size(instances=given.instances, **names))
        rows = await measure(database, DISTINCT_WORDS if given.distinct else WORDS, given)
        await database.close()
    finally:
        server.close()
        shutil.rmtree(home, ignore_errors=True)
    if given.json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(
            f"{row['viewer']:16} {row['words']:40} {row['hits']:8} hits   page {row['page']:8.2f} ms   count {row['count']:8.2f} ms"
        )
    print(f"median of pages: {statistics.median(row['page'] for row in rows)} ms")


if __name__ == "__main__":
    asyncio.run(main())
