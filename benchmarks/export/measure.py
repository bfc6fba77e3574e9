"""How fast lists are exported, and in how much memory: rows a second by the clock and by the process's own time, at two sizes.

    python benchmarks/export/measure.py [--rows 100000] [--rounds 3] [--json]

Each export runs over HTTP through the whole application, without compression, as a client on the same machine that throws away what it
gets. Memory is the peak of the exporting process above what it held before; that it is the same for a tenth of the rows is the promise.
The time of the process alone (user and system) is stated beside the clock, since on a busy machine only that one repeats.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "graph"))

import synthetic

from catalog.access import principals, tokens
from catalog.config import Config
from catalog.records import PrincipalKind, Role
from catalog.store import embedded, migrations
from catalog.store.database import Database

EXPORTS = {
    "narrow.ndjson": ("componentInstances", "ndjson", "id,name,type,state"),
    "narrow.csv": ("componentInstances", "csv", "id,name,type,state"),
    "joined.ndjson": ("componentInstances", "ndjson", "id,name,stack.name,stack.tenant.name,costEstimate.monthly.amount"),
    "joined.csv": ("componentInstances", "csv", "id,name,stack.name,stack.tenant.name,costEstimate.monthly.amount"),
    "joined.parquet": ("componentInstances", "parquet", "id,name,stack.name,stack.tenant.name,costEstimate.monthly.amount"),
}


def arguments() -> argparse.Namespace:
    """What the command was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def measured(url: str, secret: str, name: str) -> dict[str, float]:
    """Export once in a process of its own, which has nothing else in its memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (url, secret, name))


def _measured(url: str, secret: str, name: str) -> dict[str, float]:
    return asyncio.run(_export(url, secret, name))


async def _export(url: str, secret: str, name: str) -> dict[str, float]:
    from catalog.web import app  # noqa: PLC0415 — in this process alone

    listed, form, fields = EXPORTS[name]
    database = await Database.open(Config(home=Path("/nowhere"), database_url=url))
    application = app.create(database, database.config)
    await _get(application, secret, f"/export/stacks.{form}", "fields=name")  # what is loaded on first use
    before, began, used = _peak(reset=True), time.perf_counter(), time.process_time()
    size = await _get(application, secret, f"/export/{listed}.{form}", f"fields={fields}")
    measured = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - used}
    measured |= {"bytes": size, "peak": _peak() - before}
    await database.close()
    return measured


async def _get(application, secret: str, path: str, query: str) -> int:
    """Send a request as the server does and count the bytes of the answer."""
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(), "scheme": "http"}
    scope |= {"query_string": query.encode(), "server": ("catalog.test", 80), "asgi": {"version": "3.0"}}
    scope |= {"headers": [(b"authorization", f"Bearer {secret}".encode())]}
    size, status, gone = 0, 0, asyncio.Event()

    async def receive() -> dict[str, str]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message) -> None:
        nonlocal size, status
        status = message.get("status", status)
        size += len(message.get("body", b""))
        await asyncio.sleep(0)

    await application(scope, receive, send)
    if status != 200:
        raise SystemExit(f"{path}: status {status}")
    return size


def _peak(*, reset: bool = False) -> int:
    """The process's largest resident memory since the last reset, in bytes (Linux)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


async def prepared(url: str, rows: int) -> str:
    """Fill a database and return a token of a program that sees everything."""
    database = await Database.open(Config(home=Path("/nowhere"), database_url=url))
    await migrations.upgrade(database)
    await synthetic.fill(database, synthetic.Size(instances=rows))
    async with database.session() as session:
        await principals.add(session, "exports@example.org", Role.ADMIN, name="exports", kind=PrincipalKind.SERVICE)
        secret = await tokens.create(session, "exports@example.org", name="benchmark")
        await session.commit()
    await database.close()
    return secret


def main() -> None:
    """Measure and print."""
    asked = arguments()
    home = Path(tempfile.mkdtemp(prefix="catalog-export-"))
    home.chmod(0o755)
    server = embedded.start(home)
    try:
        found = {rows: _of_size(server, rows, asked.rounds) for rows in (asked.rows // 10, asked.rows)}
    finally:
        server.close()
        shutil.rmtree(home)
    if asked.json:
        print(json.dumps({"cores": os.cpu_count(), "rows": found}))
        return
    for name in EXPORTS:
        small, large = found[asked.rows // 10][name], found[asked.rows][name]
        rate, own = asked.rows / large["seconds"], asked.rows / large["cpu"]
        print(
            f"{name:16} {rate:9,.0f} rows/s  {own:9,.0f} rows/s of own time  {large['bytes'] / 1e6:6.1f} MB"
            f"  peak +{large['peak'] / 1e6:5.1f} MB (a tenth of the rows: +{small['peak'] / 1e6:5.1f} MB)"
        )


def _of_size(server: embedded.EmbeddedServer, rows: int, rounds: int) -> dict[str, dict[str, float]]:
    url = asyncio.run(_database(server.url, f"rows_{rows}"))
    secret = asyncio.run(prepared(url, rows))
    found: dict[str, list[dict[str, float]]] = {name: [] for name in EXPORTS}
    for _ in range(rounds):
        for name in EXPORTS:
            found[name].append(measured(url, secret, name))
    return {
        name: {key: statistics.median(one[key] for one in runs) for key in runs[0]} | {"best": min(one["seconds"] for one in runs)}
        for name, runs in found.items()
    }


async def _database(url: str, name: str) -> str:
    import asyncpg  # noqa: PLC0415

    connection = await asyncpg.connect(url)
    await connection.execute(f"create database {name}")
    await connection.close()
    return url.replace("/postgres?", f"/{name}?")


if __name__ == "__main__":
    main()
