"""`catalog policy` on directories, without a database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from catalog.cli.policy import policy
from catalog.errors import CatalogError, Invalid, NotFound

GOOD = 'package g\n\ndeny contains "x" if input.x\n'
TESTS = "package g_test\n\nimport data.g\n\ntest_yes if count(g.deny) == 0 with input as {}\n"


def estate(directory: Path, files: dict[str, str], configuration: str = "") -> Path:
    (directory / "atmos.yaml").write_text(
        f'base_path: "."\nstacks: {{base_path: stacks, included_paths: ["**/*"]}}\n{configuration}'
    )
    for path, text in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return directory


def run(*arguments: str) -> Result:
    return CliRunner().invoke(policy, arguments, catch_exceptions=False)


def test_tests_run_where_the_configuration_says(tmp_path: Path) -> None:
    """`schemas.opa.base_path` names the directory, `--bundle` another one."""
    files = {
        "rules/g.rego": GOOD,
        "rules/g_test.rego": TESTS,
        "other/g.rego": GOOD,
        "other/g_test.rego": TESTS.replace("_yes", "_no"),
    }
    place = estate(tmp_path, files, "schemas: {opa: {base_path: rules}}\n")

    found = json.loads(run("test", "--estate", str(place), "--format", "json").stdout)
    other = json.loads(run("test", "--estate", str(place), "--bundle", "other", "--format", "json").stdout)

    assert [(one["name"], one["outcome"], one["file"]) for one in found] == [("test_yes", "PASSED", "g_test.rego")]
    assert [one["name"] for one in other] == ["test_no"]


def test_a_failing_test_fails_the_command(tmp_path: Path) -> None:
    """It is named with its place and what it printed; those that pass are counted."""
    failing = TESTS + 'test_bad if { print("because"); count(g.deny) == 7 }\n'
    place = estate(tmp_path, {"stacks/schemas/opa/g.rego": GOOD, "stacks/schemas/opa/g_test.rego": failing})

    with pytest.raises(CatalogError, match="1 of 2 tests failed"):
        run("test", "--estate", str(place))
    shown = CliRunner().invoke(policy, ["test", "--estate", str(place)]).output
    assert "FAILED g_test.test_bad (g_test.rego:6)" in shown
    assert "because" in shown


def test_a_broken_policy_is_named_with_its_line(tmp_path: Path) -> None:
    """File, line and OPA's own words; an estate without policies says where they would be."""
    place = estate(tmp_path, {"stacks/schemas/opa/g.rego": "package g\n\ndeny contains x if true\n"})
    with pytest.raises(Invalid, match=r"unsafe") as raised:
        run("list", "--estate", str(place))
    assert str(raised.value.location) == "g.rego:3"

    with pytest.raises(NotFound, match="no policies"):
        run("list", "--estate", str(place), "--bundle", "nowhere")


def test_the_list_says_when_each_is_asked(tmp_path: Path) -> None:
    """Package, points, severity and title."""
    written = "# METADATA\n# title: G\n# custom: {points: [INDEX]}\n" + GOOD
    place = estate(tmp_path, {"stacks/schemas/opa/g.rego": written, "stacks/schemas/opa/g_test.rego": TESTS})

    (row,) = json.loads(run("list", "--estate", str(place), "--format", "json").stdout)
    assert (row["package"], row["points"], row["severity"], row["title"]) == ("g", ["INDEX"], "ERROR", "G")
