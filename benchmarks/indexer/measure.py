"""Measure the indexer on a generated estate: a full index, an unchanged one, and re-indexing after edits of growing reach.

    python benchmarks/indexer/measure.py GENERATE_ESTATE [--tenants 4 --accounts 10 --regions 25 --components-per-stack 20]

The estate is a Git repository, the catalog an embedded Postgres, both in a temporary directory. Told are wall time, peak memory of
the process, and what the write cost: the bytes of write-ahead log. Promised: at 1,000 stacks an edit of one leaf file is re-indexed
within 300 ms, and what is written is proportional to what changed.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from catalog.config import Config
from catalog.indexer import estates, run
from catalog.store import migrations
from catalog.store.database import Database

LEAF = "stacks/orgs/acme/core/dev/us-east-1.yaml"
# What is edited → how often: a leaf, what a tenant's account shares, what a region shares, what all share.
EDITS = (
    ("one leaf file", LEAF, 5),
    ("an account's defaults", "stacks/orgs/acme/core/dev/_defaults.yaml", 2),
    ("a region's mixin", "stacks/mixins/region/us-east-1.yaml", 2),
    ("the organisation's defaults", "stacks/orgs/acme/_defaults.yaml", 1),
)
PROMISE = 0.3


def git(place: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.com", "-c", "commit.gpgsign=false", "-c", "gc.auto=0"]
    subprocess.run(["git", *who, "-C", str(place), *arguments], check=True, stdout=subprocess.DEVNULL)


def edit(place: Path, name: str, number: int) -> None:
    """Set one variable of the file and commit it."""
    file = place / name
    lines = file.read_text().splitlines(keepends=True)
    at = lines.index("vars:\n") + 1
    lines[at:] = [f'  edited: "{number}"\n', *(line for line in lines[at:] if not line.startswith("  edited:"))]
    file.write_text("".join(lines))
    git(place, "commit", "--quiet", "-am", f"edit {number}")


async def log_position(database: Database) -> int:
    async with database.connection() as connection:
        return int(await connection.fetchval("select pg_current_wal_lsn() - '0/0'::pg_lsn"))


async def timed(database: Database, memory: run.Memory, what: str) -> float:
    before, began = await log_position(database), time.perf_counter()
    report = await run.index(database, database.config, "bench", memory=memory)
    seconds = time.perf_counter() - began
    written = await log_position(database) - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = f"+{report.added} ~{report.changed} ={report.unchanged}"
    print(f"| {what} | {seconds:.2f} s | {counts} | {written / 1024:,.0f} KB | {peak:,.0f} MB |")
    if report.error is not None:
        raise report.error
    return seconds


async def measure(place: Path, home: Path) -> bool:
    database = await Database.open(Config(home=home))
    try:
        await migrations.upgrade(database)
        await estates.register(database, database.config, f"file://{place}", name="bench")
        memory = run.Memory()
        print("| run | wall time | instances | log written | peak memory |\n|---|---|---|---|---|")
        await timed(database, memory, "full index")
        await timed(database, memory, "nothing changed")
        leaf = []
        for what, name, times in EDITS:
            for number in range(times):
                edit(place, name, number)
                seconds = await timed(database, memory, what)
                if name == LEAF:
                    leaf.append(seconds)
        await timed(database, run.Memory(), "nothing changed, in a new process")
        median = statistics.median(leaf)
        print(f"\none leaf file: median {median * 1000:.0f} ms, promised {PROMISE * 1000:.0f} ms")
        return median <= PROMISE
    finally:
        await database.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("generator", help="the generate_estate program")
    known, shape = parser.parse_known_args()
    shape = shape or ["--tenants", "4", "--accounts", "10", "--regions", "25", "--components-per-stack", "20"]
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory:
        place, home = Path(directory, "estate"), Path(directory, "home")
        home.mkdir()
        Path(directory).chmod(0o755)
        subprocess.run([sys.executable, known.generator, "--out", str(place), *shape], check=True)
        git(place, "init", "--quiet", "--initial-branch=main")
        git(place, "add", ".")
        git(place, "commit", "--quiet", "-m", "estate")
        return 0 if asyncio.run(measure(place, home)) else 1


if __name__ == "__main__":
    sys.exit(main())
