"""Measure the import of charges, and reports of them: a million rows of FOCUS, made of the example estate's own instances.

    python benchmarks/costs/measure.py [--rows 1000000] [--rounds 5]

The catalog is an embedded Postgres in a temporary directory that has indexed the example estate; the file is packed CSV in the columns
that AWS exports. Told are rows a second and peak memory of the process, of a first import, of the same file again, and of one with
corrections; then the milliseconds of reports through the graph, cost control included. Memory is flat when a million rows need no more
than ten thousand do: see PROMISES.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import json
import random
import resource
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from catalog.config import Config
from catalog.cost import imports
from catalog.graph.execution import Graph
from catalog.indexer import estates, run
from catalog.records import SYSTEM, CostFormat
from catalog.store import migrations
from catalog.store.database import Database

ROOT = Path(__file__).resolve().parents[2]
PROMISES = {"first import, rows/s": 10_000, "memory of a million rows beyond that of ten thousand, MB": 100, "report, ms": 100}
MONTHS = 12
RESOURCES = 20_000  # which the charges are of: what one is tagged with stays
COLUMNS = (
    "ProviderName,PublisherName,InvoiceIssuerName,BillingAccountId,BillingAccountName,SubAccountId,SubAccountName,BillingPeriodStart,"
    "BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ChargeClass,ChargeDescription,ChargeFrequency,BilledCost,"
    "EffectiveCost,ListCost,ContractedCost,ListUnitPrice,PricingCategory,PricingQuantity,PricingUnit,BillingCurrency,ConsumedQuantity,"
    "ConsumedUnit,ServiceName,ServiceCategory,SkuId,SkuPriceId,ResourceId,ResourceName,ResourceType,RegionId,RegionName,"
    "AvailabilityZone,Tags"
)
SERVICES = (("AmazonEC2", "Compute"), ("AmazonRDS", "Databases"), ("AmazonS3", "Storage"), ("AmazonVPC", "Networking"))
REPORTS = {
    "by team and month": '{ costReport(groupBy: [TEAM, MONTH], period: {from: "2025-01-01", to: "2026-01-01"})'
    " { rows(first: 100) { nodes { keys { value } actual { amount } } } total { actual { amount } } } }",
    "by service and month": '{ costReport(groupBy: [SERVICE, MONTH], period: {from: "2025-01-01", to: "2026-01-01"})'
    " { rows(first: 100) { nodes { keys { value } actual { amount } } } total { actual { amount } } } }",
    "by tenant and category": '{ costReport(groupBy: [TENANT, CATEGORY], period: {from: "2025-01-01", to: "2026-01-01"})'
    " { rows(first: 100) { nodes { keys { value } actual { amount } } } total { actual { amount } } } }",
}


def month_of(number: int) -> datetime:
    return datetime(2025 + number // 12, number % 12 + 1, 1, tzinfo=UTC)


def write(path: Path, rows: int, instances: list[tuple[str, str, str]], *, corrected: float = 0.0) -> Decimal:
    """Write a file of charges and return what they come to; so many of them are corrected."""
    rnd, other = random.Random(7), random.Random(8)
    total = Decimal(0)
    with gzip.open(path, "wt", compresslevel=1, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        file.write(COLUMNS + "\n")
        for number in range(rows):
            month = number * MONTHS // rows
            first, last = month_of(month), month_of(month + 1)
            begins = first + timedelta(hours=rnd.randrange(24 * 28))
            thing = rnd.randrange(RESOURCES)
            stack, component, team = instances[thing % len(instances)]
            service, category = SERVICES[thing % len(SERVICES)]
            cost = Decimal(rnd.randrange(10**12)).scaleb(-11)
            if other.random() < corrected:
                cost += 1
            total += cost
            named = {"atmos:stack": stack, "atmos:component": component, "team": team}
            tags = {"Name": f"n{thing}"} if thing % 20 == 0 else named
            told = f"{cost:f}"
            writer.writerow((
                "AWS", "AWS", "AWS", "100000000002", "Example", f"2000000000{thing % 10:02}", "platform", f"{first:%Y-%m-%dT%H:%M:%SZ}",
                f"{last:%Y-%m-%dT%H:%M:%SZ}", f"{begins:%Y-%m-%dT%H:%M:%SZ}", f"{begins + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
                "Usage", "", f"{service} usage", "Usage-Based", told, told, told, told, "0.096", "Standard", number % 1000, "Hours", "USD",
                number % 1000, "Hours", service, category, f"SKU-{number % 500}", f"P-{number % 500}",
                f"arn:aws:{service}:eu-west-2:2000:{thing}", "", "Instance", "eu-west-2", "London", "eu-west-2a",
                json.dumps(tags, separators=(",", ":")),
            ))  # fmt: skip
    return total


def peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def take(database: Database, path: Path, name: str) -> tuple[float, imports.Report]:
    began = time.perf_counter()
    async with database.session() as session:
        report = await imports.take(session, imports.Source(path=path, name=name, format=CostFormat.FOCUS_CSV))
        await session.commit()
    return time.perf_counter() - began, report


async def ask(graph: Graph, document: str, rounds: int) -> float:
    """The median milliseconds of a report."""
    times = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        answer = json.loads((await graph.execute(document, None, None, SYSTEM)).body)
        times.append((time.perf_counter() - began) * 1000)
        assert "errors" not in answer, answer
    return statistics.median(times[1:])


async def measure(home: Path, rows: int, rounds: int) -> None:
    database = await Database.open(Config(home=home))
    try:
        await migrations.upgrade(database)
        config = Config(home=home)
        name = await estates.register(database, config, str(ROOT))
        await run.index(database, config, name)
        async with database.connection() as connection:
            found = await connection.fetch(
                """select s.name, i.name, coalesce(t.slug, 'nobody') from component_instance i join stack s on s.id = i.stack_id
                left join team t on t.id = i.team_id where not i.abstract"""
            )
        instances = [tuple(row) for row in found]
        small, large, corrected = (home / f"{kind}.csv.gz" for kind in ("small", "large", "corrected"))
        write(small, 10_000, instances)
        total = write(large, rows, instances)
        changed = write(corrected, rows, instances, corrected=0.01)
        print(f"{rows:,} rows, {large.stat().st_size / 2**20:.0f} MB packed; {len(instances)} instances")

        await take(database, small, "small.csv")
        async with database.transaction() as connection:
            await connection.execute("truncate charge_batch cascade")
        before = peak()
        for what, path, expected in (
            ("first import", large, total),
            ("the same again", large, total),
            ("1 % corrected", corrected, changed),
        ):
            seconds, report = await take(database, path, "aws.csv")
            assert report.rejected == 0
            async with database.connection() as connection:
                stored, parts = await connection.fetchrow(
                    "select (select sum(effective) from charge), (select sum(amount) from allocation)"
                )
            assert stored == expected, (stored, expected)
            landed = "not allocated" if parts is None else "allocated, exactly" if parts == expected else f"allocated, but {parts}"
            print(f"{what:20} {seconds:7.1f} s  {rows / seconds:9,.0f} rows/s  replaced {report.replaced:,}  {landed}")
        print(f"memory: {before:.0f} MB after ten thousand rows, {peak():.0f} MB after all of them")
        async with database.connection() as connection:
            await connection.execute("analyze")
        graph = Graph(database, config)
        for what, document in REPORTS.items():
            print(f"{what:25} {await ask(graph, document, rounds):7.1f} ms")
    finally:
        await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="catalog-costs-") as place:
        Path(place).chmod(0o755)
        asyncio.run(measure(Path(place), given.rows, given.rounds))


if __name__ == "__main__":
    main()
