"""The Rego engine: OPA's own library. Policies and data in, what their packages say about an input out.

A policy can't reach outside: `http.send`, `net.lookup_ip_addr` and `opa.runtime` are unknown functions here, so a policy that
calls one doesn't compile. Time and chance are handed in: the same bundle, input and moment give the same answer ever after.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from catalog.engines import cache
from catalog.engines.runner import Runner
from catalog.errors import Unavailable

NAME = "rego"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT = 8  # bundles compiled inside the engine at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a policy, in OPA's words; line and column count from 1 and are 0 where nothing is known."""

    code: str
    message: str
    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package: its dotted path, files, names of rules, and what the annotations of the package say."""

    path: str
    files: tuple[str, ...]
    rules: tuple[str, ...]
    title: str | None
    description: str | None
    custom: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a path gave: a value, nothing (`defined` is false), or OPA's error."""

    value: Any = None
    defined: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """How a test came out: PASSED, FAILED, SKIPPED (its name begins with `todo_`) or ERROR, and what it printed."""

    __test__ = False  # a result, and no test of pytest's

    package: str
    name: str
    file: str
    line: int
    outcome: str
    message: str
    printed: str
    milliseconds: float


class BrokenBundle(Exception):
    """A bundle with a policy that doesn't parse or compile; `problems` says where and why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(f"{first.file}:{first.line}: {first.message}")


class RegoEngine:
    """Evaluates bundles; compiles itself where that wasn't done yet (about three seconds, once a machine).

    A bundle is kept inside under the key it is given with, so the key must name its content. `deadline` is in seconds for one
    call, `memory` in megabytes. Threads may share an engine; they wait for each other.
    """

    def __init__(self, directory: Path, *, deadline: float = 10.0, memory: int = 1024) -> None:
        self._directory = directory
        self._limits: dict[str, Any] = {"deadline": deadline, "memory": memory, "tired": 256}
        self._runner: Runner | None = None
        self._kept: dict[str, int] = {}
        self._generation = 0
        self._next = 0

    def packages(self, key: str, files: Mapping[str, str], data: Mapping[str, Any]) -> tuple[Package, ...]:
        """Return a bundle's packages by path, those of tests included; raises BrokenBundle, or Unavailable when the engine fails."""
        runner = self._opened()
        with runner.lock:
            return tuple(_package(entry) for entry in self._read(runner, key, files, data))

    def evaluate(
        self, key: str, files: Mapping[str, str], data: Mapping[str, Any], *, paths: Sequence[str], document: Any, now: datetime
    ) -> dict[str, Found]:
        """Return what each path (`data.atmos.tags`) gives for an input; raises BrokenBundle, or Unavailable when the engine fails."""
        nanoseconds = (now - _EPOCH) // timedelta(microseconds=1) * 1_000
        runner = self._opened()
        with runner.lock:
            number = self._number(runner, key, files, data)
            asked = {"number": number, "paths": list(paths), "input": document, "now": nanoseconds}
            answer = _answer(runner, "evaluate", asked)
        return {path: _found(entry) for path, entry in answer["results"].items()}

    def test(self, key: str, files: Mapping[str, str], data: Mapping[str, Any], *, only: str = "") -> tuple[TestResult, ...]:
        """Run a bundle's tests, as `opa test` does; `only` is a regular expression (RE2) of their names."""
        runner = self._opened()
        with runner.lock:
            number = self._number(runner, key, files, data)
            answer = _answer(runner, "test", {"number": number, "filter": only})
        return tuple(TestResult(**{**entry, "package": entry["package"].removeprefix("data.")}) for entry in answer["tests"])

    def _opened(self) -> Runner:
        if self._runner is None:
            cache.prepare(NAME, self._directory)
            self._runner = Runner(NAME, self._directory, **self._limits)
        return self._runner

    def _number(self, runner: Runner, key: str, files: Mapping[str, str], data: Mapping[str, Any]) -> int:
        runner.ready()
        if runner.generation != self._generation or key not in self._kept:
            self._read(runner, key, files, data)
        return self._kept[key]

    def _read(self, runner: Runner, key: str, files: Mapping[str, str], data: Mapping[str, Any]) -> list[dict[str, Any]]:
        runner.ready()
        if runner.generation != self._generation:
            self._kept.clear()
            self._generation = runner.generation
        self._next += 1
        answer = _answer(runner, "read", {"number": self._next, "files": dict(files), "data": dict(data)})
        if "problems" in answer:
            raise BrokenBundle([Problem(**entry) for entry in answer["problems"]])
        known = self._kept.pop(key, None)
        self._kept[key] = self._next
        if known is None and len(self._kept) > _KEPT:
            known = self._kept.pop(next(iter(self._kept)))
        if known is not None:
            runner.ready().invoke("drop", known)
        packages: list[dict[str, Any]] = answer["packages"]
        return packages


def _answer(runner: Runner, export: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    text = json.dumps(asked, ensure_ascii=False, allow_nan=False, default=str)
    answer: dict[str, Any] = json.loads(runner.call(export, text.encode("utf-8", "replace")))
    if "error" in answer:
        raise Unavailable(f"the {NAME} engine gave up: {answer['error']}", code="ENGINE")
    return answer


def _package(entry: Mapping[str, Any]) -> Package:
    return Package(
        path=entry["path"],
        files=tuple(entry["files"]),
        rules=tuple(entry["rules"]),
        title=entry["title"] or None,
        description=entry["description"] or None,
        custom=entry["custom"],
    )


def _found(entry: Mapping[str, Any]) -> Found:
    return Found(value=entry.get("value"), defined="value" in entry, error=entry.get("error"))
