# ruff: noqa: E501  # statements are easier to read in few lines
"""Five operations side by side: the catalog as it is served, the bare statements, PostGraphile, and Strawberry in two ways.

    python benchmarks/graph/compare.py [--instances 200000] [--rounds 5] [--seconds 2] [--connections 1,32] [--only a,d]
        [--peers catalog,restricted,floor,postgraphile,strawberry_sql,strawberry_orm] [--scratch DIR] [--json FILE]

One process each, one at a time, one database, rounds interleaved; the load comes from wrk, one thread. `--scratch` keeps what was
installed (the peers, apart from the catalog's dependencies) and the database, so that a second run starts at once. What counts are
ratios: see README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).parent))

import operations
import search as words
import searching
import synthetic

from catalog.config import Config
from catalog.store import embedded, migrations
from catalog.store.database import Database

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PEERS = ("catalog", "restricted", "floor", "postgraphile", "strawberry_sql", "strawberry_orm")
TENANTS = ("tenant-1", "tenant-2", "tenant-3")
_READY = 30  # seconds


def arguments():
    """What the command was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--connections", default="1,32")
    parser.add_argument("--only", default=",".join(operations.CATALOG))
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--json", type=Path, help="write every figure there")
    return parser.parse_args()


# ── what is installed and served ─────────────────────────────────────────────────────────────────────────────────────


def install(scratch: Path, peers: list[str]) -> None:
    """Install the peers and wrk below a directory, once."""
    if not (scratch / "wrk" / "usr" / "bin" / "wrk").exists():
        (scratch / "wrk").mkdir(parents=True, exist_ok=True)
        _quietly(["apt-get", "download", "wrk", "libluajit-5.1-2"], scratch / "wrk")
        for package in (scratch / "wrk").glob("*.deb"):
            _quietly(["dpkg", "-x", package.name, "."], scratch / "wrk")
    if "postgraphile" in peers and not (scratch / "postgraphile" / "node_modules").exists():
        shutil.copytree(HERE / "peers" / "postgraphile", scratch / "postgraphile", dirs_exist_ok=True)
        # node's package brings its program in by a script of its own.
        _quietly(["npm", "install", "--no-audit", "--no-fund"], scratch / "postgraphile")
    if {"floor", "strawberry_sql", "strawberry_orm"} & {*peers} and not (scratch / "python").exists():
        _quietly([sys.executable, "-m", "venv", str(scratch / "python")], scratch)
        _quietly([str(scratch / "python/bin/pip"), "install", "-q", "-r", str(HERE / "requirements.txt")], scratch)


def _quietly(command: list[str], where: Path) -> None:
    made = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    if made.returncode:
        sys.exit(f"{' '.join(command)}\n{made.stdout}{made.stderr}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A server under test: where it listens and what it is asked, by operation."""

    name: str
    url: str
    bodies: dict[str, dict]
    token: str = ""

    def address(self, operation: str) -> str:
        return (
            f"{self.url}/{operation}" if self.name == "floor" else f"{self.url}/graphql{'/' if 'strawberry' in self.name else ''}"
        )


def _asked(documents: dict) -> dict[str, dict]:
    return {name: {"query": document, "variables": variables} for name, (document, variables) in documents.items()}


class Served:
    """The servers, each started when it is first needed and ended with the block."""

    def __init__(self, scratch: Path, url: str, home: Path, *, rate: str = "1000000") -> None:
        self._scratch, self._database, self._home, self._rate = scratch, url, home, rate
        self._running: list[subprocess.Popen] = []
        self._port = 8700

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(20)

    def start(self, name: str, peers: dict[str, Peer]) -> Peer:
        """Start a server and wait until it answers."""
        made = getattr(self, f"_{name}")(peers)
        _await(made)
        return made

    def _catalog(self, _peers) -> Peer:
        port = self._run([str(ROOT / ".venv/bin/catalog"), "serve"], CATALOG_RATE_LIMIT=self._rate)
        token = self.token("everything@bench.test")
        return Peer(name="catalog", url=f"http://127.0.0.1:{port}", bodies=_asked(operations.CATALOG), token=token)

    def _restricted(self, peers) -> Peer:
        """The same server, asked by a viewer of three tenants of eight."""
        token = self.token("restricted@bench.test", *(part for tenant in TENANTS for part in ("--tenant", tenant)))
        return Peer(name="restricted", url=peers["catalog"].url, bodies=peers["catalog"].bodies, token=token)

    def _floor(self, _peers) -> Peer:
        port = self._run(
            [str(self._scratch / "python/bin/python"), str(HERE / "peers/floor.py")], PEER_STATEMENTS=self._statements()
        )
        return Peer(name="floor", url=f"http://127.0.0.1:{port}", bodies=_asked(operations.CATALOG))

    def _postgraphile(self, _peers) -> Peer:
        shutil.copy(HERE / "peers/postgraphile/server.mjs", self._scratch / "postgraphile")
        command = [str(self._scratch / "postgraphile/node_modules/.bin/node"), str(self._scratch / "postgraphile/server.mjs")]
        parts = urlsplit(self._database)
        told = {"PGHOST": parse_qs(parts.query)["host"][0], "PGUSER": parts.username or "", "PGDATABASE": parts.path[1:]}
        port = self._run(command, NODE_ENV="production", **told)
        return Peer(name="postgraphile", url=f"http://127.0.0.1:{port}", bodies=_asked(operations.POSTGRAPHILE))

    def _strawberry_sql(self, _peers) -> Peer:
        return self._strawberry("strawberry_sql")

    def _strawberry_orm(self, _peers) -> Peer:
        return self._strawberry("strawberry_orm")

    def _strawberry(self, name: str) -> Peer:
        command = [str(self._scratch / "python/bin/python"), str(HERE / f"peers/{name}.py")]
        port = self._run(command, PEER_STATEMENTS=self._statements())
        return Peer(name=name, url=f"http://127.0.0.1:{port}", bodies=_asked(operations.STRAWBERRY))

    def _statements(self) -> str:
        file = self._scratch / "statements.json"
        file.write_text(json.dumps(operations.BARE | _search_statements()))
        return str(file)

    def _environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CATALOG_")}
        return kept | {"CATALOG_HOME": str(self._home), "CATALOG_DATABASE_URL": self._database} | more

    def _run(self, command: list[str], **environment: str) -> int:
        self._port += 1
        told = {"PEER_DATABASE_URL": self._database, "PEER_PORT": str(self._port), "CATALOG_PORT": str(self._port)}
        log = (self._scratch / f"{Path(command[-1]).stem}.log").open("w")
        self._running.append(
            subprocess.Popen(command, env=self._environment(**told, **environment), stdout=log, stderr=log, cwd=self._scratch)
        )
        return self._port

    def token(self, email: str, *more: str) -> str:
        """A token of a program that sees everything, or what its grant is limited to."""

        def run(*command: str) -> str:
            catalog = [str(ROOT / ".venv/bin/catalog"), *command]
            return subprocess.run(catalog, env=self._environment(), capture_output=True, text=True, check=True).stdout

        run("principal", "add", email, "--role", "viewer", "--service", *more)
        return json.loads(run("token", "create", email, "--format", "json"))["token"]


def _search_statements() -> dict[str, list]:
    found = f"({searching.statement('$1::text', '$2::int8')})"
    joined = f"from (select * from {found} h order by rank, name, id limit $2) h"
    instance = (
        '(select \'{"__typename":"ComponentInstance","id":"\'||i.id||\'","name":\'||to_json(i.name)||\',"stack":{"name":\'||to_json(s.name)||\'}}\''
        " from component_instance i join stack s on s.id = i.stack_id where i.id = h.id)"
    )
    stack = '(select \'{"__typename":"Stack","id":"\'||s.id||\'","name":\'||to_json(s.name)||\'}\' from stack s where s.id = h.id)'
    text = (
        'select \'{"search":{"nodes":[\'||coalesce(string_agg(\'{"score":\'||((100 - h.rank) / 100.0)::float8||\',"node":\'||'
        f"case h.kind when 'COMPONENT_INSTANCE' then {instance} when 'STACK' then {stack} end||'}}', ','), '')||']}}}}' {joined}"
    )
    flat = (
        "select json_build_object('search', json_build_object('nodes', coalesce(json_agg(json_build_object('score', 1 - h.rank / 100.0,"
        " 'typename', h.kind, 'id', h.id, 'name', coalesce(i.name, s.name), 'stack', u.name)), '[]'::json)))::text"
        f" {joined} left join component_instance i on i.id = h.id left join stack u on u.id = i.stack_id left join stack s on s.id = h.id"
    )
    values = [operations.WORDS, operations.HITS]
    return {"c": [text, values], "c_flat": [flat, values]}


def _await(peer: Peer) -> None:
    """Wait until a server answers the cheapest operation."""
    end = time.monotonic() + _READY
    while True:
        try:
            ask(peer, "e")
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end:
                sys.exit(f"{peer.name} doesn't listen")
            time.sleep(0.1)
        else:
            return


def ask(peer: Peer, operation: str) -> dict:
    """What a server answers."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {peer.token}"} if peer.token else {})
    request = urllib.request.Request(peer.address(operation), json.dumps(peer.bodies[operation]).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        sys.exit(f"{peer.name} answers {operation} with {error.code}: {error.read().decode()}")


# ── what the answers come to ─────────────────────────────────────────────────────────────────────────────────────────


def check(peers: dict[str, Peer], only: list[str]) -> dict[str, dict[str, int]]:
    """Compare what the servers answer with the floor; return how many bytes each answer has."""
    sizes: dict[str, dict[str, int]] = {}
    for operation in only:
        told = {name: ask(peer, operation) for name, peer in peers.items()}
        for name, answer in told.items():
            assert not answer.get("errors"), (name, operation, answer["errors"])
            sizes.setdefault(operation, {})[name] = len(json.dumps(answer["data"], separators=(",", ":")))
        if {"catalog", "floor"} <= {*told}:
            assert told["catalog"]["data"] == told["floor"]["data"], f"{operation}: the bare statement tells something else"
        counted = {name: _leaves(answer["data"]) for name, answer in told.items() if name != "restricted"}
        assert max(counted.values()) <= 1.5 * min(counted.values()), f"{operation}: {counted}"
    return sizes


def _leaves(value) -> int:
    """How many values an answer shows, so that nobody is measured at telling less."""
    if isinstance(value, dict):
        return sum(map(_leaves, value.values()))
    return sum(map(_leaves, value)) if isinstance(value, list) else 1


# ── measuring ────────────────────────────────────────────────────────────────────────────────────────────────────────


def load(scratch: Path, peer: Peer, operation: str, connections: int, seconds: float) -> dict:
    """Ask one thing for some seconds over so many connections."""
    body = scratch / "body.json"
    body.write_text(json.dumps(peer.bodies[operation]))
    environment = {
        "PATH": os.environ["PATH"],
        "LD_LIBRARY_PATH": ":".join(str(each) for each in (scratch / "wrk/usr/lib").glob("*-linux-gnu*")),
        "PEER_BODY": str(body),
        "PEER_TOKEN": peer.token,
    }
    command = [str(scratch / "wrk/usr/bin/wrk"), "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s"]
    ran = subprocess.run(
        [*command, "-s", str(HERE / "post.lua"), peer.address(operation)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(ran.stdout.strip().splitlines()[-1])
    assert not told["bad"], (peer.name, operation, ran.stdout)
    return told | {"rps": told["requests"] / told["seconds"]}


def measure(scratch: Path, peers: dict[str, Peer], given) -> list[dict]:
    """Run the rounds; each asks every server everything once."""
    found = []
    only, connections = given.only.split(","), [int(each) for each in given.connections.split(",")]
    for peer in peers.values():
        for operation in only:
            load(scratch, peer, operation, max(connections), 1)  # every connection plans its statement, every cache fills
    for number in range(given.rounds):
        for operation in only:
            for count in connections:
                for name, peer in peers.items():
                    told = load(scratch, peer, operation, count, given.seconds)
                    found.append({"round": number, "operation": operation, "connections": count, "peer": name} | told)
        print(f"round {number + 1} of {given.rounds}", file=sys.stderr)
    return found


def summary(found: list[dict], peers: list[str]) -> str:
    """The figures of each cell, and ratios within rounds: their medians, lowest and highest."""
    lines = []
    for count in sorted({each["connections"] for each in found}):
        lines.append(
            f"\n{count} connection{'s' if count > 1 else ''}: p50 / p99 in ms, requests a second; catalog against each: p50 ratio, rps ratio"
        )
        for operation in sorted({each["operation"] for each in found}):
            lines.append(f"  {operation}")
            cell = {
                peer: [each for each in found if (each["connections"], each["operation"], each["peer"]) == (count, operation, peer)]
                for peer in peers
            }
            for peer in peers:
                middle = {key: statistics.median(each[key] for each in cell[peer]) for key in ("p50", "p99", "rps")}
                against = ""
                if "catalog" in cell and peer != "catalog":
                    pairs = [pair for pair in zip(cell["catalog"], cell[peer], strict=True) if pair[1]["requests"]]
                    ratios = {key: [ours[key] / theirs[key] for ours, theirs in pairs] for key in ("p50", "rps")}
                    against = "   " + (
                        "   ".join(_spread(key, each) for key, each in ratios.items()) if pairs else "answered nothing"
                    )
                lines.append(f"    {peer:15} {middle['p50']:8.2f} / {middle['p99']:8.2f} {middle['rps']:9.0f}{against}")
    return "\n".join(lines)


def _spread(key: str, ratios: list[float]) -> str:
    return f"{key} × {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


async def prepare(home: Path, url: str, instances: int) -> None:
    """Fill the database, unless it is full."""
    database = await Database.open(Config(home=home, database_url=url))
    try:
        await migrations.upgrade(database)
        async with database.connection() as connection:
            if await connection.fetchval("select count(*) from team") == 0:
                size = synthetic.Size(
                    instances=instances,
                    documents=instances,
                    padding=2,
                    charges=instances * 5 // 2,
                    stack_name=words.STACK,
                    instance_name=words.INSTANCE,
                )
                await synthetic.fill(database, size)
            functions = (HERE / "peers/functions.sql").read_text()
            await connection.execute("drop schema if exists peer cascade")
            await connection.execute(functions.replace("{hits}", searching.statement("$1::text", "$2::int8")))
    finally:
        await database.close()


def main() -> None:
    """Install, fill, serve, compare, measure, print."""
    given = arguments()
    with contextlib.ExitStack() as ends:
        scratch = given.scratch or Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="catalog-bench-")))
        scratch.mkdir(parents=True, exist_ok=True)
        scratch.chmod(0o755)
        wanted = given.peers.split(",")
        install(scratch, wanted)
        home = scratch / f"home-{given.instances}"
        home.mkdir(exist_ok=True)
        home.chmod(0o755)
        server = embedded.start(home)
        ends.callback(server.close)
        asyncio.run(prepare(home, server.url, given.instances))
        served = ends.enter_context(Served(scratch, server.url, home))
        peers: dict[str, Peer] = {}
        for name in wanted:
            peers[name] = served.start(name, peers)
        sizes = check(peers, given.only.split(","))
        found = measure(scratch, peers, given)
    print(json.dumps(sizes))
    print(summary(found, wanted))
    if given.json:
        given.json.write_text(json.dumps({"sizes": sizes, "cells": found}, indent=1))


if __name__ == "__main__":
    main()
