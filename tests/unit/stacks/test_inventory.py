"""The rows that lists show: stacks, components and instances, chosen by pattern, tag and label, sorted by columns."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catalog.errors import EstateError
from catalog.stacks import estate, inventory
from catalog.stacks.merging import Map
from catalog.stacks.resolved import ResolvedEstate
from catalog.stacks.tree import MemoryTree

CONFIG: dict[str, Any] = {
    "base_path": ".",
    "stacks": {"base_path": "stacks", "included_paths": ["deploy/*"], "name_pattern": "{tenant}-{stage}"},
    "components": {"terraform": {"base_path": "components/terraform"}, "helmfile": {"base_path": "components/helmfile"}},
}
FILES = {
    "stacks/deploy/dev.yaml": """\
vars: {tenant: core, stage: dev}
components:
  terraform:
    vpc: {metadata: {component: network, tags: [net, 5], labels: {team: a, level: 1}}, settings: {x: 1}}
    base: {metadata: {type: abstract}}
    app: {metadata: {enabled: false, tags: [net, web], labels: {team: b}}}
  helmfile: {app: {}}
""",
    "stacks/deploy/prod.yaml": """\
vars: {tenant: core, stage: prod}
components: {terraform: {vpc: {metadata: {component: network, locked: true}}, app: {}}}
""",
    "stacks/deploy/ops.yaml": "vars: {tenant: ops, stage: dev}\ncomponents: {helmfile: {app: {}}}\n",
}


@pytest.fixture(scope="module")
def resolved() -> ResolvedEstate:
    texts = {"atmos.yaml": json.dumps(CONFIG), **FILES}
    return estate.resolve(MemoryTree({path: text.encode() for path, text in texts.items()}))


def shown(rows: list[Map], *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(row[key] for key in keys) for row in rows]


def test_stacks_are_rows_with_their_variables_and_manifest(resolved: ResolvedEstate) -> None:
    """One row per stack, with the number of its instances."""
    rows = {row["stack"]: row for row in inventory.stacks(resolved)}
    assert sorted(rows) == ["core-dev", "core-prod", "ops-dev"]
    assert rows["core-dev"]["vars"] == {"tenant": "core", "stage": "dev"}
    assert (rows["core-dev"]["manifest"], rows["core-dev"]["instances"]) == ("stacks/deploy/dev.yaml", 4)


def test_stacks_are_chosen_by_component(resolved: ResolvedEstate) -> None:
    """Those that have it, with its name in the row; a name that no stack has is refused."""
    rows = inventory.stacks(resolved, component="vpc")
    assert sorted(shown(rows, "stack", "component")) == [("core-dev", "vpc"), ("core-prod", "vpc")]
    with pytest.raises(EstateError, match="no stack has a component none"):
        inventory.stacks(resolved, component="none")


def test_stacks_are_chosen_by_what_their_instances_carry(resolved: ResolvedEstate) -> None:
    """A stack stays when one of its instances is kept; none kept is no error where the component exists."""
    rows = inventory.stacks(resolved, keep=lambda each: inventory.has_selectors(each, ["web"], {"team": "b"}))
    assert shown(rows, "stack") == [("core-dev",)]
    assert inventory.stacks(resolved, component="vpc", keep=lambda each: inventory.has_selectors(each, ["web"], {})) == []


def test_components_are_rows_by_name_and_type(resolved: ResolvedEstate) -> None:
    """Each with the number of its stacks; disabled or locked in one stack tells for the row, and locked is told first."""
    rows = inventory.components(resolved)
    assert shown(rows, "component", "type", "stack_count", "component_type", "component_folder", "status_text") == [
        ("app", "helmfile", 2, "real", "app", "enabled"),
        ("app", "terraform", 2, "real", "app", "disabled"),
        ("base", "terraform", 1, "abstract", "base", "enabled"),
        ("vpc", "terraform", 2, "real", "network", "locked"),
    ]
    assert (rows[3]["tags"], rows[3]["labels"]) == (["net"], {"team": "a"})


@pytest.mark.parametrize(
    ("pattern", "stacks"),
    [
        (None, ["core-dev", "core-prod", "ops-dev"]),
        ("", ["core-dev", "core-prod", "ops-dev"]),
        ("core-*", ["core-dev", "core-prod"]),
        ("*-dev", ["core-dev", "ops-dev"]),
        ("core-de?", ["core-dev"]),
        ("**", ["core-dev", "core-prod", "ops-dev"]),
        ("{core,ops}-dev", []),
        ("core", []),
    ],
)
def test_rows_are_chosen_by_a_pattern_of_the_stack(resolved: ResolvedEstate, pattern: str | None, stacks: list[str]) -> None:
    """Stars and question marks match, braces stand for themselves, and the whole name must match."""
    assert sorted({row["stack"] for row in inventory.instances(resolved, stack=pattern)}) == stacks
    assert sum(row["stack_count"] for row in inventory.components(resolved, stack=pattern)) == len(
        inventory.instances(resolved, stack=pattern)
    )


def test_instances_are_rows_by_stack_and_name(resolved: ResolvedEstate) -> None:
    """With the sections that columns ask for, empty where there is none, and what is true of the instance."""
    rows = inventory.instances(resolved)
    assert shown(rows, "stack", "component", "component_type") == [
        ("core-dev", "app", "helmfile"),
        ("core-dev", "app", "terraform"),
        ("core-dev", "base", "terraform"),
        ("core-dev", "vpc", "terraform"),
        ("core-prod", "app", "terraform"),
        ("core-prod", "vpc", "terraform"),
        ("ops-dev", "app", "helmfile"),
    ]
    vpc = rows[3]
    assert (vpc["component_folder"], vpc["settings"], vpc["env"], vpc["backend"]) == ("network", {"x": 1}, {}, {})
    assert shown(rows[:4], "enabled", "locked", "abstract") == [
        (True, False, False),
        (False, False, False),
        (True, False, True),
        (True, False, False),
    ]
    assert (rows[5]["locked"], rows[5]["manifest"]) == (True, "stacks/deploy/prod.yaml")


@pytest.mark.parametrize(
    ("tags", "labels", "wanted"),
    [
        ([], {}, True),
        (["x", "net"], {}, True),
        (["x"], {}, False),
        ([], {"team": "a"}, True),
        ([], {"team": "a", "other": "b"}, False),
        (["net"], {"team": "b"}, False),
    ],
)
def test_a_row_is_wanted_by_any_tag_and_all_labels(tags: list[str], labels: dict[str, str], wanted: bool) -> None:
    """Asking for nothing wants everything."""
    assert inventory.is_wanted({"tags": ["net", "web"], "labels": {"team": "a"}}, tags=tags, labels=labels) is wanted


def test_labels_are_read_from_a_flag() -> None:
    """Pairs by `=` or `:`, spaces cut, empty ones passed over; a pair without a key or a value sign is refused."""
    assert inventory.labels_of(" a=b , c:d=e,, f=") == {"a": "b", "c": "d=e", "f": ""}
    assert inventory.labels_of("") == {}
    for text in ("a", "=b", "a=b,c"):
        with pytest.raises(EstateError, match="invalid flag"):
            inventory.labels_of(text)


def test_cells_are_sorted_by_columns() -> None:
    """The first column decides, the next one among equals, in either direction; an unknown column is refused with its number."""
    rows = [["b", "1"], ["a", "1"], ["a", "2"]]
    by = inventory.sorters("name:ASC, number:descending,")
    assert by == [("Name", False), ("Number", True)]
    assert inventory.ordered(rows, ["Name", "Number"], by) == [["a", "2"], ["a", "1"], ["b", "1"]]
    assert inventory.ordered(rows, ["Name", "Number"], []) == rows
    with pytest.raises(EstateError, match='sorter 1: column "Size" not found'):
        inventory.ordered(rows, ["Name"], [("Name", False), ("Size", True)])


@pytest.mark.parametrize(("text", "words"), [("name", "invalid sort spec"), ("name:up", 'invalid sort order "up"')])
def test_a_sorter_that_is_none_is_refused(text: str, words: str) -> None:
    """In Atmos' words."""
    with pytest.raises(EstateError, match=words):
        inventory.sorters(text)
