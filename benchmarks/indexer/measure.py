"""Measure the indexer on a generated estate: a full index, an unchanged one, and re-indexing after edits of growing reach.

    python benchmarks/indexer/measure.py GENERATE_ESTATE [--tenants 4 --accounts 10 --regions 25 --components-per-stack 40]

The estate is a Git repository, the catalog an embedded Postgres, both in a temporary directory. Told are wall time, peak memory of
the process, and what the write cost: the bytes of write-ahead log. Promised at 1,000 stacks of 40 components, on two processors that
do nothing else: see PROMISES; what is written is proportional to what changed.
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

LEAF_FILE = "stacks/orgs/acme/core/dev/us-east-1.yaml"
FULL, UNCHANGED, ANEW, LEAF, EVERYTHING = (
    "full index",
    "nothing changed",
    "nothing changed, without memory of it",
    "one leaf file",
    "the organisation's defaults",
)
# What is promised → seconds at most; an edit that reaches everything takes no longer than a full index took.
PROMISES = {FULL: 15.0, UNCHANGED: 2.0, ANEW: 2.0, LEAF: 0.3}
PEAK = 1500  # MB
# What is edited → how often: a leaf, what a tenant's account shares, what a region shares, what all share.
EDITS = (
    (LEAF, LEAF_FILE, 5),
    ("an account's defaults", "stacks/orgs/acme/core/dev/_defaults.yaml", 2),
    ("a region's mixin", "stacks/mixins/region/us-east-1.yaml", 2),
    (EVERYTHING, "stacks/orgs/acme/_defaults.yaml", 1),
)


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


def told(taken: dict[str, float]) -> bool:
    """Print what was promised beside what was measured; tell whether it was kept."""
    promises = {**PROMISES, EVERYTHING: taken[FULL]}
    kept = [taken[what] <= promised for what, promised in promises.items()]
    print("\n| promised | at most | measured |\n|---|---|---|")
    for what, promised in promises.items():
        print(f"| {what} | {promised:.1f} s | {taken[what]:.2f} s |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| peak memory | {PEAK:,} MB | {peak:,.0f} MB |")
    return all(kept) and peak <= PEAK


async def measure(place: Path, home: Path) -> bool:
    database = await Database.open(Config(home=home))
    try:
        await migrations.upgrade(database)
        await estates.register(database, database.config, f"file://{place}", name="bench")
        memory = run.Memory()
        print("| run | wall time | instances | log written | peak memory |\n|---|---|---|---|---|")
        taken = {what: await timed(database, memory, what) for what in (FULL, UNCHANGED)}
        for what, name, times in EDITS:
            seconds = []
            for number in range(times):
                edit(place, name, number)
                seconds.append(await timed(database, memory, what))
            taken[what] = statistics.median(seconds)
        taken[ANEW] = await timed(database, run.Memory(), ANEW)
        return told(taken)
    finally:
        await database.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("generator", help="the generate_estate program")
    known, shape = parser.parse_known_args()
    shape = shape or ["--tenants", "4", "--accounts", "10", "--regions", "25", "--components-per-stack", "40"]
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
