"""Measure the resolver on generated estates: whole `describe stacks` processes, cold and warm, and one edited leaf file.

    python benchmarks/resolver/measure.py GENERATE_ESTATE [--stacks 10 100 500 1000] [--runs 3] [--atmos PATH [--atmos-up-to 100]]

GENERATE_ESTATE is the program that writes the estates: 40 components and 40 abstract bases a stack, with and without Go templates.
Cold is a process that finds no cache of ours (but Python's own); warm is the same again. Told are wall time, CPU time and peak memory
of the process, how wall time grows with the number of stacks (the exponent: 1 is linear), and how long a process that holds the
estate takes to resolve it again after the edit of one leaf file. Cold and warm must print the same bytes; with `--atmos`, the real
program is measured in the same run and its output compared by value.

Promised: at 1,000 stacks 20 times the speed of the real program, at most 1.5 GB, and an edited leaf file within 100 ms.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from catalog.engines.template import Engine
from catalog.stacks import estate
from catalog.stacks.tree import DirectoryTree, OverlayTree

SHAPES = {10: (2, 5, 1), 100: (2, 5, 10), 500: (4, 5, 25), 1000: (4, 10, 25)}  # stacks → tenants, accounts, regions
MEMORY, LEAF, RATIO = 1.5 * 1000**3, 0.1, 20.0
EDITS = 9


@dataclass(frozen=True)
class Run:
    """One finished process: seconds of wall and CPU time, bytes of peak memory, the digest of what it printed."""

    wall: float
    cpu: float
    memory: int
    digest: str


def run(command: list[str], place: Path, environment: dict[str, str], output: Path) -> Run:
    """Run a command in an estate with its output in a file; raises when it fails."""
    began = time.perf_counter()
    with output.open("wb") as file, tempfile.TemporaryFile() as problems:
        process = subprocess.Popen(command, cwd=place, env=environment, stdout=file, stderr=problems, stdin=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            problems.seek(0)
            raise SystemExit(f"{' '.join(command)} failed in {place}:\n{problems.read().decode()[-2000:]}")
    with output.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Run(wall=wall, cpu=used.ru_utime + used.ru_stime, memory=used.ru_maxrss * 1024, digest=digest)


def median(runs: list[Run]) -> Run:
    """The run in the middle by wall time, with the largest memory of all."""
    middle = sorted(runs, key=lambda each: each.wall)[len(runs) // 2]
    return Run(wall=middle.wall, cpu=middle.cpu, memory=max(each.memory for each in runs), digest=middle.digest)


def row(estate_name: str, what: str, found: Run, note: str = "") -> None:
    print(
        f"| {estate_name} | {what} | {found.wall:.2f} s | {found.cpu:.2f} s | {found.memory / 1e6:,.0f} MB | {note} |", flush=True
    )


def growth(points: list[tuple[int, float]]) -> float:
    """The exponent by which time grows with size: the slope of a line through both logarithms."""
    xs, ys = ([math.log(point[axis]) for point in points] for axis in (0, 1))
    return statistics.linear_regression(xs, ys).slope


def leaf_edits(place: Path, home: Path) -> float:
    """Seconds that resolving again takes after the edit of one leaf file, the median of several."""
    tree = DirectoryTree(place)
    leaves = [path for path in tree.paths() if path.startswith("stacks/orgs/") and not path.endswith("/_defaults.yaml")]
    engine = Engine(home)
    found = estate.resolve(tree, engine=engine)
    gc.freeze()
    seconds = []
    for number in range(EDITS):
        path = leaves[number * len(leaves) // EDITS]
        edited = OverlayTree(tree, {path: tree.read(path).replace(b"vars:\n", f'vars:\n  edited: "{number}"\n'.encode(), 1)})
        began = time.perf_counter()
        again = estate.resolve(edited, engine=engine, previous=found, changed=[path])
        seconds.append(time.perf_counter() - began)
        assert any(stack.vars.get("edited") == str(number) for stack in again.stacks), path
    return statistics.median(seconds)


def differences(ours: Path, theirs: Path) -> int:
    """How many instances the two programs print differently."""
    one, other = (json.loads(path.read_bytes()) for path in (ours, theirs))

    def instances(printed):
        return {
            (stack, kind, name): entry
            for stack, below in printed.items()
            for kind, entries in below["components"].items()
            for name, entry in entries.items()
        }

    mine, real = instances(one), instances(other)
    return sum(mine.get(key) != real.get(key) for key in mine.keys() | real.keys())


class Bench:
    """One run of the benchmark; collects what isn't as promised."""

    def __init__(self, arguments: argparse.Namespace, scratch: Path) -> None:
        self.arguments = arguments
        self.scratch = scratch
        self.broken: list[str] = []
        root = Path(__file__).resolve().parents[2]
        self.ours = [sys.executable, "-m", "catalog", "describe", "stacks", "--format", "json"]
        self.environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root), "HOME": str(scratch / "nobody")}
        self.results: dict[tuple[bool, str], list[tuple[int, float]]] = {}

    def measure(self, stacks: int, *, templates: bool) -> None:
        name = f"{stacks:,}{' with templates' if templates else ''}"
        place = self.generated(stacks, templates=templates)
        home, output = self.scratch / "home", self.scratch / "ours.json"
        environment = {**self.environment, "CATALOG_HOME": str(home)}
        cold = []
        for _ in range(self.arguments.runs):
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            cold.append(run(self.ours, place, environment, output))
        warm = [run(self.ours, place, environment, output) for _ in range(self.arguments.runs)]
        if len({each.digest for each in (*cold, *warm)}) != 1:
            self.broken.append(f"{name}: cold and warm print different things")
        self.told(stacks, name, "cold", median(cold), templates=templates)
        self.told(stacks, name, "warm", median(warm), templates=templates)
        if median(cold).memory > MEMORY:
            self.broken.append(f"{name}: {median(cold).memory / 1e9:.2f} GB")
        if self.arguments.atmos and stacks <= self.arguments.atmos_up_to:
            self.compare(place, name, stacks, median(cold), templates=templates)
        output.unlink(missing_ok=True)
        seconds = leaf_edits(place, home / "cache")
        print(f"| {name} | one leaf file again | {seconds * 1000:.0f} ms | | | |", flush=True)
        if seconds > LEAF:
            self.broken.append(f"{name}: one leaf file takes {seconds * 1000:.0f} ms")

    def told(self, stacks: int, name: str, what: str, found: Run, *, templates: bool, note: str = "") -> None:
        row(name, what, found, note)
        self.results.setdefault((templates, what), []).append((stacks, found.wall))

    def compare(self, place: Path, name: str, stacks: int, ours: Run, *, templates: bool) -> None:
        """Measure the real program once and hold its output against ours."""
        output = self.scratch / "theirs.json"
        quiet = {**self.environment, "ATMOS_LOGS_LEVEL": "Off", "CI": "true"}
        real = run([str(self.arguments.atmos), *self.ours[3:]], place, quiet, output)
        ratio = real.wall / ours.wall
        differing = differences(self.scratch / "ours.json", output)
        note = f"{ratio:.1f} × ours cold, {real.cpu / ours.cpu:.1f} × its CPU, {differing} instances differ"
        self.told(stacks, name, "atmos", real, templates=templates, note=note)
        if differing:
            self.broken.append(f"{name}: {differing} instances differ from the real program's")
        if stacks >= 1000 and ratio < RATIO:
            self.broken.append(f"{name}: only {ratio:.1f} times as fast as the real program")
        output.unlink()

    def generated(self, stacks: int, *, templates: bool) -> Path:
        place = self.scratch / f"estate-{stacks}-{templates}"
        tenants, accounts, regions = SHAPES[stacks]
        shape = ["--tenants", tenants, "--accounts", accounts, "--regions", regions, "--components-per-stack", 40]
        flags = ["--templates"] if templates else []
        subprocess.run([sys.executable, self.arguments.generator, "--out", place, *map(str, shape), *flags], check=True)
        return place


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("generator", help="the generate_estate program")
    parser.add_argument("--stacks", type=int, nargs="+", choices=sorted(SHAPES), default=sorted(SHAPES))
    parser.add_argument("--runs", type=int, default=3, help="processes for each figure; the median is told")
    parser.add_argument("--templates", choices=("with", "without", "both"), default="both")
    parser.add_argument("--atmos", type=Path, help="the real program, to measure and compare with")
    parser.add_argument("--atmos-up-to", type=int, default=100, help="the largest number of stacks that it is run on")
    arguments = parser.parse_args()
    if not Path(arguments.generator).is_file():
        print(f"{arguments.generator} isn't here: nothing measured")
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        bench = Bench(arguments, Path(directory))
        print("| stacks | run | wall | CPU | peak memory | |\n|---|---|---|---|---|---|")
        for templates in {"both": (False, True), "with": (True,), "without": (False,)}[arguments.templates]:
            for stacks in sorted(arguments.stacks):
                bench.measure(stacks, templates=templates)
        for (templates, what), points in bench.results.items():
            if len(points) > 1:
                print(f"growth of {what}{' with templates' if templates else ''}: stacks ^ {growth(points):.2f}")
    for problem in bench.broken:
        print(f"not as promised: {problem}")
    return 1 if bench.broken else 0


if __name__ == "__main__":
    sys.exit(main())
