"""Which stacks a change can reach, told without merging; and that comparing only these tells the same as comparing all."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.stacks import affected, changes, estate, touched
from catalog.stacks.affected import Changes
from catalog.stacks.files import Files
from catalog.stacks.integrations import Integrations
from catalog.stacks.templates import Templates
from catalog.stacks.tree import MemoryTree

ATMOS = """\
base_path: .
stacks: {base_path: stacks, included_paths: ['deploy/**/*'], name_pattern: '{stage}'}
components: {terraform: {base_path: components}}
"""
FILES = {
    "atmos.yaml": ATMOS,
    "components/vpc/main.tf": "",
    "stacks/catalog/a.yaml": "import: [catalog/b]\nvars: {a: 1}\n",
    "stacks/catalog/b.yaml": "vars: {b: 1}\n",
    "stacks/catalog/x/c.yaml": "vars: {c: 1}\n",
    "stacks/deploy/one.yaml": "import: [catalog/a]\nvars: {stage: one}\ncomponents: {terraform: {vpc: {}}}\n",
    "stacks/deploy/two.yaml": "import: [catalog/x/*]\nvars: {stage: two}\ncomponents: {terraform: {vpc: {}}}\n",
}


def tree(files: dict[str, str], **changed: str | None) -> MemoryTree:
    found = {**files, **{path.replace("__", "/") + ".yaml": text for path, text in changed.items()}}
    return MemoryTree({path: text.encode() for path, text in found.items() if text is not None})


def reach(files: dict[str, str], head: MemoryTree) -> Any:
    base = tree(files)
    config = estate.resolve(base, strict=True, validate=False).config
    assert config is not None
    return touched.touched(Files(head), Files(base), config, changes.differing(head, base))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"stacks__catalog__b": "vars: {b: 2}\n"}, ["one"]),
        ({"stacks__catalog__x__new": "vars: {n: 1}\n"}, ["two"]),
        ({"stacks__catalog__x__c": None}, ["two"]),
        ({"stacks__deploy__new": "vars: {stage: new}\n"}, ["new"]),
        ({"stacks__deploy__two": None}, ["two"]),
        ({"stacks__deploy__one": "import: [catalog/x/c]\n"}, ["one"]),
        ({"stacks__other": "vars: {}\n"}, []),
    ],
)
def test_a_change_reaches_what_imports_it(changed: dict[str, str | None], expected: list[str]) -> None:
    """Directly or not, by name or by pattern, on either side; files that come and go too."""
    found = reach(FILES, tree(FILES, **changed))
    assert found == {f"stacks/deploy/{name}.yaml" for name in expected}


@pytest.mark.parametrize(
    "text",
    [
        "import: ['catalog/{{ .x }}']\n",
        "{{ if true }}\nimport: [catalog/a]\n{{ end }}\n",
        "# {{ if true }}\nimport: [catalog/a]\n# {{ end }}\n",
        "vars: {a: !terraform.state vpc .id}\n",
        'vars: {a: "{{ (atmos.Component `vpc` `one`).vars.a }}"}\n',
        "vars: {a: !store s vpc id}\n",
    ],
)
def test_what_only_reading_tells_is_not_guessed(text: str) -> None:
    """Rendered imports and components that read others make no answer, so that everything is read."""
    files = {**FILES, "stacks/catalog/x/c.yaml": text}
    base, head = tree(files), tree(files, stacks__catalog__b="vars: {b: 2}\n")
    config = estate.resolve(tree(FILES), strict=True, validate=False).config
    assert config is not None
    assert touched.touched(Files(head), Files(base), config, ["stacks/catalog/b.yaml"]) is None


def test_code_that_comes_or_goes_is_not_guessed() -> None:
    """A directory of code may be what a `component` attribute points at."""
    head = MemoryTree({**tree(FILES).files, "components/new/main.tf": b""})
    assert reach(FILES, head) is None


@pytest.mark.parametrize(
    ("files", "more", "expected"),
    [
        ([], "", True),
        (["stacks/catalog/b.yaml"], "", True),
        (["components/vpc/main.tf"], "", False),
        (["README.md"], "", False),
        (["stacks/catalog/b.yaml"], "dependencies: {files: [stacks/catalog/b.yaml]}\n", False),
        (["stacks/catalog/b.yaml"], "settings: {depends_on: {1: {folder: stacks}}}\n", False),
    ],
)
def test_files_that_components_may_name(files: list[str], more: str, expected: bool) -> None:
    """A changed manifest is only a manifest unless some component may have it as a file."""
    head = tree(FILES, stacks__catalog__x__c=more or "vars: {}\n")
    config = estate.resolve(tree(FILES), strict=True, validate=False).config
    assert config is not None
    assert touched.only_manifests(files, Files(head), config) is expected


def manifests(seed: int) -> dict[str, str]:
    """A random estate: manifests that import others of higher numbers, some of them stacks."""
    chance = random.Random(seed)
    files = {"atmos.yaml": ATMOS, "components/c/main.tf": ""}
    for number in range(8):
        imports = sorted(chance.sample(range(number + 1, 9), k=min(8 - number, chance.randint(0, 2)))) if number < 8 else []
        is_stack = number < 4
        lines = [f"import: [{', '.join(f'catalog/{target}' for target in imports if target >= 4)}]"]
        lines.append(f"vars: {{{f'stage: s{number}, ' if is_stack else ''}v{number}: {chance.randint(0, 1)}}}")
        lines.append(f"components: {{terraform: {{c{chance.randint(0, 1)}: {{vars: {{w: {chance.randint(0, 2)}}}}}}}}}")
        files[f"stacks/{'deploy' if is_stack else 'catalog'}/{number}.yaml"] = "\n".join(lines) + "\n"
    files["stacks/catalog/8.yaml"] = "vars: {last: 1}\n"
    return files


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.sets(st.integers(0, 7), max_size=3))
def test_comparing_what_is_reached_tells_what_comparing_all_tells(one: int, other: int, numbers: set[int]) -> None:
    """For any estate and any edit of some of its files, the answer is the same; so it is when the base builds upon the head."""
    base_files, donor = manifests(one), manifests(other)
    edited = {path: text for path, text in donor.items() if path[-6:-5].isdigit() and int(path[-6:-5]) in numbers}
    head, base = tree({**base_files, **edited}), tree(base_files)
    whole_head = estate.resolve(head, strict=True, validate=False)
    whole_base = estate.resolve(base, strict=True, validate=False, config=whole_head.config)
    only = touched.touched(Files(head), Files(base), whole_head.config, changes.differing(head, base))  # type: ignore[arg-type]
    assert only is not None
    part = estate.resolve(head, strict=True, validate=False, only=only)
    built_upon = estate.resolve(base, strict=True, validate=False, config=part.config, previous=part, only=only)
    integrations = Integrations(config=whole_head.config, templates=Templates())  # type: ignore[arg-type]
    nothing = Changes(files=(), directory="", modules=lambda _: ())
    expected = affected.affected(whole_head, whole_base, nothing, integrations)
    assert affected.affected(part, built_upon, nothing, integrations) == expected
