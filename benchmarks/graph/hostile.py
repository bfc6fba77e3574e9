"""A hundred hostile requests a second beside good traffic: what they do to the good ones' p99.

    python benchmarks/graph/hostile.py [--instances 5000] [--rounds 3] [--seconds 10] [--rate 100] [--scratch DIR] [--json FILE]

Good traffic is the list page of `compare.py` over four connections, each asking again once it is answered. Hostile ones are documents
that the limits refuse, another one each time so that nothing is kept of them, sent by a principal of
their own at a steady rate, however slowly they are answered. Rounds alternate with and without them.
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

import compare
import httpx

from catalog.store import embedded

GOOD_CONNECTIONS = 4
RATE_LIMIT = "1"  # as the catalog comes: whoever is refused a hundred times in a minute isn't read any more


def arguments():
    """What the command was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--json", type=Path, help="write every figure there")
    return parser.parse_args()


def documents(number: int) -> str:
    """A hostile document; none is like another."""
    mark = f"# {number}\n"
    kinds = (
        lambda: "{ " + " ".join(f"a{n}: __typename" for n in range(400)) + " }",  # aliases
        lambda: "{ " + "teams { nodes { services { nodes { owner { " * 30 + "slug" + " } } } } }" * 30 + " }",  # depth
        lambda: "{ __typename " + "@skip(if: false) " * 300 + "}",  # directives
        lambda: (
            "{ teams(first: 100) { nodes { services(first: 100) { nodes { instances(first: 100) { nodes { name } } } } } } }"
        ),  # nodes
        lambda: (
            "query { ...A } " + " ".join(f"fragment {chr(65 + n)} on Query {{ ...{chr(66 + n)} }}" for n in range(20))
        ),  # fragments
        lambda: "{ " + "__schema { types { fields { type { fields { type { name } } } } } } " * 8 + "}",  # introspection
        lambda: "{ " + "x " * 3_000 + "}",  # tokens
        lambda: "{ noSuchField" + "X" * 40_000 + " }",  # a large one
    )
    return mark + kinds[number % len(kinds)]()


async def good(client: httpx.AsyncClient, peer: compare.Peer, end: float, times: list[float]) -> None:
    """Ask for the list page until the end."""
    body = json.dumps(peer.bodies["a"])
    while time.perf_counter() < end:
        began = time.perf_counter()
        answer = await client.post(peer.address("a"), content=body)
        times.append((time.perf_counter() - began) * 1_000)
        assert answer.status_code == 200, answer.text


async def hostile(
    client: httpx.AsyncClient, peer: compare.Peer, end: float, rate: int, statuses: dict[int, int], first: int
) -> int:
    """Send so many a second until the end; return how many."""
    sent, began, running = 0, time.perf_counter(), set()

    async def one(number: int) -> None:
        with contextlib.suppress(httpx.HTTPError):
            answer = await client.post(peer.address("a"), json={"query": documents(number)})
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1

    while time.perf_counter() < end:
        task = asyncio.create_task(one(first + sent))
        running.add(task)
        task.add_done_callback(running.discard)
        sent += 1
        await asyncio.sleep(max(0, began + sent / rate - time.perf_counter()))
    await asyncio.gather(*running)
    return sent


async def measure(peer: compare.Peer, foe: compare.Peer, given) -> list[dict]:
    """Run the rounds."""
    found, sent = [], 0
    headers = {"Content-Type": "application/json", "Accept": "application/graphql-response+json"}
    limits = httpx.Limits(max_connections=200)
    async with (
        httpx.AsyncClient(headers=headers | {"Authorization": f"Bearer {peer.token}"}, limits=limits, timeout=30) as friends,
        httpx.AsyncClient(headers=headers | {"Authorization": f"Bearer {foe.token}"}, limits=limits, timeout=30) as foes,
    ):
        await asyncio.gather(*(good(friends, peer, time.perf_counter() + 1, []) for _ in range(GOOD_CONNECTIONS)))
        for number in range(given.rounds):
            for attacked in (False, True):
                times: list[float] = []
                statuses: dict[int, int] = {}
                end = time.perf_counter() + given.seconds
                work = [good(friends, peer, end, times) for _ in range(GOOD_CONNECTIONS)]
                if attacked:
                    work.append(hostile(foes, foe, end, given.rate, statuses, sent))
                sent += sum(result or 0 for result in await asyncio.gather(*work))
                times.sort()
                told = {"p50": statistics.median(times), "p99": times[len(times) * 99 // 100], "requests": len(times)}
                found.append({"round": number, "attacked": attacked, "statuses": statuses} | told)
    return found


def main() -> None:
    """Fill, serve, attack, print."""
    given = arguments()
    with contextlib.ExitStack() as ends:
        scratch = given.scratch or Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="catalog-bench-")))
        scratch.mkdir(parents=True, exist_ok=True)
        home = scratch / f"home-{given.instances}"
        home.mkdir(exist_ok=True)
        for each in (scratch, home):
            each.chmod(0o755)
        server = embedded.start(home)
        ends.callback(server.close)
        asyncio.run(compare.prepare(home, server.url, given.instances))
        served = ends.enter_context(compare.Served(scratch, server.url, home, rate=RATE_LIMIT))
        peer = served.start("catalog", {})
        foe = compare.Peer(name="catalog", url=peer.url, bodies=peer.bodies, token=served.token("hostile@bench.test"))
        found = asyncio.run(measure(peer, foe, given))
    for each in found:
        print(
            f"{'attacked' if each['attacked'] else 'alone':9} p50 {each['p50']:7.2f} ms  p99 {each['p99']:7.2f} ms"
            f"  {each['requests'] / given.seconds:7.0f} a second  {each['statuses'] or ''}"
        )
    pairs = list(zip(found[1::2], found[::2], strict=True))
    for key in ("p50", "p99"):
        ratios = [attacked[key] / alone[key] for attacked, alone in pairs]
        print(f"{key} attacked ÷ alone: {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
