"""Resolution is described by data: each case of tests/cases is a small estate and what it must become."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from given import Given

from catalog.engines.template import Engine
from catalog.errors import EstateError
from catalog.stacks import documents, estate
from catalog.stacks.evaluation import Processing
from catalog.stacks.resolved import ResolvedEstate
from catalog.stacks.tree import MemoryTree

CASES = Path(__file__).parents[2] / "cases"

# What a case is read with unless it brings an atmos.yaml of its own; `config` replaces top-level keys.
CONFIG = {
    "base_path": ".",
    "stacks": {"base_path": "stacks", "included_paths": ["deploy/**/*"], "name_pattern": "{stage}"},
    "components": {"terraform": {"base_path": "components/terraform"}},
}


def cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {case['name']}")
        for path in sorted(CASES.glob("*.yaml"))
        for case in documents.load(path.read_bytes(), path.name).value
    ]


def resolved(case: dict[str, Any], engine: Engine) -> ResolvedEstate:
    texts = {"atmos.yaml": json.dumps({**copy.deepcopy(CONFIG), **case.get("config", {})}), **case["files"]}
    if case.get("directory") == "estate":
        del texts["atmos.yaml"]
    tree = MemoryTree({path: text.encode() for path, text in texts.items() if text is not None})
    return estate.resolve(
        tree,
        directory=case.get("directory", "."),
        strict=not case.get("lenient", False),
        environment=case.get("environment", {}),
        engine=engine,
        lookup=lookup(case),
        processing=processing(**case.get("processing", {})),
        validate=case.get("validate", True),
    )


def lookup(case: dict[str, Any]) -> Given | None:
    """What the case says of the world: `given` everything, `process` the variables alone."""
    given = case.get("given", {"variables": case["process"]} if "process" in case else None)
    return None if given is None else Given(**given)


def processing(*, skip: tuple[str, ...] = (), **more: Any) -> Processing:
    return Processing(skip=frozenset(skip), **more)


def entries(found: ResolvedEstate) -> dict[str, dict[str, dict[str, Any]]]:
    result: dict[str, dict[str, dict[str, Any]]] = {}
    for stack in found.stacks:
        for instance in stack.instances:
            result.setdefault(stack.name, {}).setdefault(instance.type, {})[instance.name] = instance.sections
    return result


def place(location: object) -> str:
    return ":".join(str(location).split(":")[:2]) if location else ""


@pytest.mark.parametrize("case", cases())
def test_the_estate_becomes_what_the_case_says(case: dict[str, Any], template_engine: Engine) -> None:
    """Values, names, edges, diagnostics and errors are those written in the case."""
    if "error" in case:
        with pytest.raises(EstateError) as raised:
            resolved(case, template_engine)
        assert case["error"] in str(raised.value)
        return
    found = resolved(case, template_engine)
    assert_entries(case, entries(found))
    assert_told(case, found)


def assert_entries(case: dict[str, Any], found: dict[str, dict[str, dict[str, Any]]]) -> None:
    for stack, kinds in case.get("stacks", {}).items():
        for kind, components in kinds.items():
            for name, sections in components.items():
                entry = found[stack][kind][name]
                assert {key: entry[key] for key in sections} == sections
    for stack, kinds in case.get("keys", {}).items():
        for kind, components in kinds.items():
            for name, keys in components.items():
                assert sorted(found[stack][kind][name]) == keys.split()
    if "stacks" in case and not case.get("names"):
        assert sorted(found) == sorted(case["stacks"])
    if "names" in case:
        assert sorted(found) == case["names"]


def assert_told(case: dict[str, Any], found: ResolvedEstate) -> None:
    told = [f"{item.severity} {item.code} {place(item.location)}".strip() for item in found.diagnostics]
    if case.get("lenient"):
        assert sorted(told) == sorted(case.get("diagnostics", []))
        assert sorted(found.broken) == sorted(case.get("broken", []))
        assert sorted(map(" ".join, found.broken_instances)) == sorted(case.get("lost", []))
        assert found.unreadable is case.get("unreadable", False)
    if "messages" in case:
        assert set(case["messages"]) <= {item.message for item in found.diagnostics}
    if "edges" in case:
        edges = [
            f"{edge.source[0]}/{edge.source[2]} -> {edge.target[0]}/{edge.target[2]} via {edge.via} at {place(edge.location)}"
            for edge in found.dependencies
        ]
        assert sorted(edges) == sorted(case["edges"])
    if "unresolved" in case:
        assert {f"{key[0]}/{key[2]}": list(texts) for key, texts in found.unresolved_dependencies.items()} == case["unresolved"]
    if "workflows" in case:
        assert [f"{item.file} {item.name}" for item in found.workflows] == case["workflows"]
