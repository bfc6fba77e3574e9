"""Workflow files are kept, listed and described as Atmos does, and files that are none are passed over or told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catalog.errors import EstateError
from catalog.stacks import describe, estate, workflows
from catalog.stacks.files import Files
from catalog.stacks.merging import Map
from catalog.stacks.resolved import ResolvedEstate
from catalog.stacks.tree import MemoryTree

CONFIG: dict[str, Any] = {
    "base_path": ".",
    "stacks": {"base_path": "stacks", "included_paths": ["deploy/*"], "name_pattern": "{stage}"},
    "workflows": {"base_path": "workflows"},
}
RELEASE = """\
name: Releases
description: What is released
workflows:
  ship:
    description: Ship it
    stack: dev
    env: {N: 1, B: true, D: 2024-01-02, F: 2.5, E: }
    unknown: x
    steps:
      - command: terraform plan c
        stack: dev
        retry: {max_delay: 1m30s, initial_delay: 1.5s, max_attempts: 3, max_elapsed_time: }
      -
      - {name: own, type: shell, command: echo 1, interactive: false}
      - type: parallel
        steps: [{command: a}, {command: b, when: ci}]
  bare: {}
  empty:
"""
FILES = {
    "stacks/deploy/dev.yaml": "vars: {stage: dev}\ncomponents: {terraform: {c: {}}}\n",
    "workflows/release.yaml": RELEASE,
    "workflows/sub/more.yml": "workflows: {z: {steps: [{command: z}]}, a: {steps: []}}\n",
    "workflows/readme.md": "workflows: no YAML file",
}


def tree(config: Map = CONFIG, **more: str) -> MemoryTree:
    texts = {"atmos.yaml": json.dumps(config), **FILES, **{f"workflows/{name}.yaml": text for name, text in more.items()}}
    return MemoryTree({path: text.encode() for path, text in texts.items()})


def resolved(config: Map = CONFIG, *, strict: bool = True, **more: str) -> ResolvedEstate:
    return estate.resolve(tree(config, **more), strict=strict)


def manifests(config: Map = CONFIG, **more: str) -> dict[str, Map]:
    found = resolved(config)
    assert found.config is not None
    return workflows.manifests(Files(tree(config, **more)), found.config)


def test_every_workflow_is_kept_with_its_place() -> None:
    """By file and name, the document as written, a description only where it is text."""
    found = resolved(strict=False, odd="workflows: {w: {description: 5}}").workflows
    assert [(each.file, each.name, each.description) for each in found] == [
        ("workflows/odd.yaml", "w", None),
        ("workflows/release.yaml", "ship", "Ship it"),
        ("workflows/release.yaml", "bare", None),
        ("workflows/sub/more.yml", "z", None),
        ("workflows/sub/more.yml", "a", None),
    ]
    assert found[1].location is not None
    assert (found[1].location.file, found[1].location.line) == ("workflows/release.yaml", 4)
    assert found[3].document == {"steps": [{"command": "z"}]}


@pytest.mark.parametrize("text", ["- a\n", "workflows: [a]\n", "workflows: {w: text}\n"])
def test_a_file_that_is_no_workflow_file_is_told(text: str) -> None:
    """A diagnostic at the file, and every other file stays."""
    found = resolved(strict=False, broken=text)
    told = [item for item in found.diagnostics if item.location is not None and item.location.file == "workflows/broken.yaml"]
    assert [item.code for item in told] == ["WORKFLOW"]
    assert {each.file for each in found.workflows} == {"workflows/release.yaml", "workflows/sub/more.yml"}


def test_an_estate_without_a_workflow_directory_has_none() -> None:
    """No path in the configuration keeps nothing, and Atmos' listing refuses a directory that isn't there."""
    without = {**CONFIG, "workflows": {}}
    assert resolved(without, strict=False).workflows == ()
    for config in ({**CONFIG, "workflows": {"base_path": "nowhere"}}, {**without, "base_path": ""}):
        with pytest.raises(EstateError, match="the workflow directory does not exist"):
            manifests(config)


@pytest.mark.parametrize(
    "text",
    [
        "x: [",
        "a",
        "other: {}",
        "workflows: [a]",
        "workflows: {w: text}",
        "workflows: {w: {description: {}}}",
        "workflows: {w: {steps: {a: b}}}",
        "workflows: {w: {steps: [text]}}",
        "workflows: {w: {steps: [{command: [a]}]}}",
        "workflows: {w: {steps: [{steps: a}]}}",
        "workflows: {w: {steps: [{steps: [a]}]}}",
        "workflows: {w: {steps: [{retry: [a]}]}}",
        "workflows: {w: {steps: [{retry: {max_delay: 5}}]}}",
        "workflows: {w: {steps: [{retry: {max_delay: soon}}]}}",
        "workflows: {w: {steps: [{steps: [{retry: {initial_delay: ''}}]}]}}",
        "workflows: {w: {env: [a]}}",
        "workflows: {w: {env: {A: [a]}}}",
        "{name: {a: b}, workflows: {w: {}}}",
    ],
)
def test_what_does_not_fit_is_passed_over(text: str) -> None:
    """Atmos' commands show the other files and nothing of this one."""
    assert list(manifests(other=text)) == ["release.yaml", "sub/more.yml"]


def test_rows_count_the_steps_that_are_written() -> None:
    """One row per workflow; an empty item is no step, and what is missing is empty."""
    rows = {row["workflow"]: row for row in workflows.listing(manifests())}
    assert rows["ship"] == {"file": "release.yaml", "workflow": "ship", "description": "Ship it", "steps": 3}
    assert rows["empty"] == {"file": "release.yaml", "workflow": "empty", "description": "", "steps": 0}
    assert (rows["a"]["file"], rows["a"]["steps"], rows["z"]["steps"]) == ("sub/more.yml", 0, 1)


def test_names_are_described_as_list_and_map() -> None:
    """By file, the names sorted."""
    found = manifests()
    assert workflows.described(found, "map") == {"release.yaml": ["bare", "empty", "ship"], "sub/more.yml": ["a", "z"]}
    assert workflows.described(found, "list")[-2:] == [
        {"file": "sub/more.yml", "workflow": "a"},
        {"file": "sub/more.yml", "workflow": "z"},
    ]


def test_everything_is_described_in_json_as_atmos_holds_it() -> None:
    """Fields in their order, unknown ones gone, steps named, texts for single values, nanoseconds, nulls for conditions."""
    found = workflows.described(manifests(), "all")["release.yaml"]
    assert list(found) == ["name", "description", "workflows"]
    ship = found["workflows"]["ship"]
    assert list(ship) == ["description", "steps", "stack", "env"]
    assert ship["env"] == {"N": "1", "B": "true", "D": "2024-01-02", "F": "2.5", "E": ""}
    first, own, parallel = ship["steps"]
    assert list(first) == ["name", "command", "stack", "retry", "when", "continue"]
    assert list(first["retry"].items()) == [
        ("max_attempts", 3),
        ("initial_delay", 1_500_000_000),
        ("max_delay", 90_000_000_000),
    ]
    assert own == {"name": "own", "command": "echo 1", "type": "shell", "when": None, "continue": None}
    assert [(step["name"], step["command"], step["when"]) for step in parallel["steps"]] == [
        ("step3_step1", "a", None),
        ("step3_step2", "b", "ci"),
    ]
    assert found["workflows"]["empty"] == found["workflows"]["bare"] == {"steps": None}


def test_everything_is_described_in_yaml_without_nulls() -> None:
    """Durations as written, no conditions where there are none, an empty list for no steps."""
    found = workflows.described(manifests(), "all", format_="yaml")
    text = describe.to_yaml(found)
    assert "initial_delay: 1.5s\n" in text
    assert "when: " not in text.split("name: step3_step2")[0]
    assert "    empty:\n      steps: []\n" in text
    assert "max_delay: 1m30s\n" in text


@pytest.mark.parametrize(
    ("written", "number", "text"),
    [
        ("90s", 90 * 10**9, "1m30s"),
        ("1h30s", 3630 * 10**9, "1h0m30s"),
        ("1.5h", 5400 * 10**9, "1h30m0s"),
        ("1500ms", 1_500_000_000, "1.5s"),
        ("1500us", 1_500_000, "1.5ms"),
        ("10ms5ns", 10_000_005, "10.000005ms"),
        ("7ns", 7, "7ns"),
        (".5s", 500_000_000, "500ms"),
        ("-5s", -5 * 10**9, "-5s"),
        ("+2m", 120 * 10**9, "2m0s"),
        ("0", 0, "0s"),
    ],
)
def test_durations_are_numbers_in_json_and_spelled_in_yaml(written: str, number: int, text: str) -> None:
    """Nanoseconds, or the units of Go, whatever units were written."""
    found = manifests(retried=f"workflows: {{w: {{steps: [{{command: a, retry: {{max_delay: '{written}'}}}}]}}}}")
    for format_, wanted in (("json", number), ("yaml", text)):
        steps = workflows.described(found, "all", format_=format_)["retried.yaml"]["workflows"]["w"]["steps"]
        assert steps[0]["retry"] == {"max_delay": wanted}


def test_an_empty_retry_is_shown() -> None:
    """Unlike other empty maps of a step."""
    found = manifests(retried="workflows: {w: {steps: [{command: a, retry: {}, env: {}}]}}")
    step = workflows.described(found, "all")["retried.yaml"]["workflows"]["w"]["steps"][0]
    assert step == {"name": "step1", "command": "a", "retry": {}, "when": None, "continue": None}
