"""Where the configuration is found."""

from __future__ import annotations

import pytest
from given import Given

from catalog.errors import EstateError
from catalog.stacks import estate
from catalog.stacks.tree import DirectoryTree

CONFIG = 'base_path: ".."\nstacks: {base_path: stacks, included_paths: ["**/*"], name_pattern: "{stage}"}\n'
STACK = "vars: {stage: dev}\ncomponents: {terraform: {vpc: {vars: {cidr: 10.0.0.0/16}}}}\n"


def test_a_configuration_named_through_a_link_is_found(tmp_path):
    """A link to the estate names the same configuration as the estate's own path."""
    real = tmp_path / "real"
    (real / "config").mkdir(parents=True)
    (real / "stacks").mkdir()
    (real / "config" / "atmos.yaml").write_text(CONFIG)
    (real / "stacks" / "dev.yaml").write_text(STACK)
    link = tmp_path / "link"
    link.symlink_to(real)
    named = {"ATMOS_CLI_CONFIG_PATH": str(link / "config")}
    resolved = estate.resolve(DirectoryTree(link), strict=True, environment=named)
    assert [stack.name for stack in resolved.stacks] == ["dev"]


FUNCTIONS = """
base_path: .
stacks: {base_path: stacks, included_paths: ["**/*"], name_pattern: "{stage}"}
integrations:
  github:
    one: !random 5 6
    zero: !random 1
    any: !random
    raw: !include.raw inc.yaml
    here: !cwd
    below: !cwd  conf/x
"""


def evaluated(directory, configuration):
    (directory / "stacks").mkdir()
    (directory / "stacks" / "dev.yaml").write_text(STACK)
    (directory / "inc.yaml").write_text("q: 1\n")
    (directory / "atmos.yaml").write_text(configuration)
    resolved = estate.resolve(DirectoryTree(directory), strict=True, environment={}, lookup=Given())
    return resolved.stacks[0].instances[0].sections["settings"]["integrations"]["github"]


def test_the_configuration_s_own_functions_are_evaluated(tmp_path):
    """Numbers lie between their bounds, the working directory is the process's, included text comes as it is written."""
    found = evaluated(tmp_path, FUNCTIONS)
    assert found.pop("one") in (5, 6)
    assert found.pop("zero") in (0, 1)
    assert 0 <= found.pop("any") <= 65535
    assert found == {
        "raw": "q: 1\n",
        "here": str(tmp_path),
        "below": str(tmp_path / "conf" / "x"),
    }


def test_in_maps_of_lists_only_what_is_included_is_there(tmp_path):
    """A function in such a map is the text after its tag, and a tag alone nothing."""
    found = evaluated(tmp_path, f"{FUNCTIONS}    list: [{{part: !include inc.yaml, who: !env WHO, more: [!cwd , 1]}}]\n")
    assert found["list"] == [{"part": {"q": 1}, "who": "WHO", "more": [None, 1]}]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("!random 1 x", "failed to execute yaml function: !random 1 x error invalid Atmos YAML function"),
        ("!random 7 7", "min value (7) must be less than max value (7)"),
        ("!include gone.yaml", "failed to preprocess YAML functions"),
    ],
)
def test_functions_of_the_configuration_that_fail_are_told(tmp_path, function, words):
    """By the function as it is written, and why."""
    with pytest.raises(EstateError) as raised:
        evaluated(tmp_path, f"base_path: {function}\n")
    assert words in raised.value.message
