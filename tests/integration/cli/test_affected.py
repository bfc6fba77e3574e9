"""What a change affects, asked of real repositories and directories as a person asks it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.cli import program

CONFIG = """\
base_path: .
stacks: {base_path: stacks, included_paths: ['deploy/*'], name_pattern: '{stage}'}
components: {terraform: {base_path: components}}
"""
FILES = {
    "atmos.yaml": CONFIG,
    "components/vpc/main.tf": 'module "net" { source = "../lib/net" }\n',
    "components/lib/net/main.tf": "# net\n",
    "stacks/base.yaml": "vars: {size: 1}\n",
    "stacks/deploy/dev.yaml": "import: [base]\nvars: {stage: dev}\ncomponents: {terraform: {vpc: {}, app: {}}}\n",
    "stacks/deploy/qa.yaml": "vars: {stage: qa}\ncomponents: {terraform: {vpc: {}}}\n",
}

Run = Callable[..., tuple[int, str, str]]


def write(directory: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)


def git(directory: Path, *arguments: str) -> str:
    """Run git as somebody without a configuration."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "GIT_CONFIG_NOSYSTEM": "1"}
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@fnx.example", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(directory: Path, message: str = "change") -> str:
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", message)
    return git(directory, "rev-parse", "HEAD")


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """A repository with one commit."""
    directory = tmp_path / "estate"
    write(directory, FILES)
    git(directory, "init", "-q")
    commit(directory, "first")
    return directory


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, engine_cache: Path) -> Run:
    """Run `describe affected` and return (exit code, stdout, stderr)."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CATALOG_HOME", str(engine_cache.parent / "none"))

    def run_command(directory: Path, *arguments: str) -> tuple[int, str, str]:
        code = program.run(["describe", "affected", "--estate", str(directory), *arguments])
        return code, *capsys.readouterr()

    return run_command


@pytest.fixture
def told(run: Run) -> Callable[..., dict[str, list[str]]]:
    """Run it and return the reasons by slug."""

    def tell(directory: Path, *arguments: str) -> dict[str, list[str]]:
        code, out, err = run(directory, *arguments)
        assert code == 0, err
        return {record["stack_slug"]: record["affected_all"] for record in json.loads(out)}

    return tell


def test_a_revision_is_compared_with_the_files_at_hand(estate: Path, told: Any) -> None:
    """Committed edits count, edits of manifests count before they are committed, and nothing is checked out or left behind."""
    assert told(estate, "--base", "HEAD") == {}
    write(estate, {"stacks/base.yaml": "vars: {size: 2}\n"})
    before = git(estate, "status", "--porcelain")
    assert told(estate, "--base", "main") == {"dev-app": ["stack.vars"], "dev-vpc": ["stack.vars"]}
    assert git(estate, "status", "--porcelain") == before
    assert git(estate, "worktree", "list").count("\n") == 0
    commit(estate)
    assert told(estate, "--base", "HEAD") == {}
    assert told(estate, "--base", "HEAD~1", "--stack", "dev") == {"dev-app": ["stack.vars"], "dev-vpc": ["stack.vars"]}


def test_code_counts_once_it_is_committed(estate: Path, told: Any) -> None:
    """As in Atmos, changed code and called modules are told by the commits, for every instance."""
    write(estate, {"components/lib/net/main.tf": "# changed\n"})
    assert told(estate, "--base", "HEAD") == {}
    revision = commit(estate)
    assert told(estate, "--sha", f"{revision}~1") == {"dev-vpc": ["component.module"], "qa-vpc": ["component.module"]}
    write(estate, {"components/vpc/readme.md": "x\n"})
    commit(estate)
    assert told(estate, "--ref", "HEAD~1") == {"dev-vpc": ["component"], "qa-vpc": ["component"]}


def test_what_git_calls_changed_and_atmos_doesnt(estate: Path, told: Any) -> None:
    """Files that only moved, binary ones, and empty ones that come, are no change of code."""
    (estate / "components/vpc/logo.png").write_bytes(b"\0\1\2")
    write(estate, {"components/vpc/empty.tf": ""})
    git(estate, "mv", "components/vpc/main.tf", "components/vpc/moved.tf")
    commit(estate)
    assert told(estate, "--base", "HEAD~1") == {}


def test_what_only_the_base_has_is_deleted(estate: Path, told: Any) -> None:
    """A stack whose manifest is gone, and a component that is gone, come last."""
    (estate / "stacks/deploy/qa.yaml").unlink()
    write(estate, {"stacks/deploy/dev.yaml": "import: [base]\nvars: {stage: dev}\ncomponents: {terraform: {vpc: {}}}\n"})
    assert told(estate, "--base", "HEAD") == {"dev-app": ["deleted"], "qa-vpc": ["deleted.stack"]}


def test_the_base_is_read_by_the_configuration_at_hand(estate: Path, told: Any) -> None:
    """Atmos reads both sides by the atmos.yaml that is there: renaming stacks by it changes nothing."""
    write(estate, {"atmos.yaml": CONFIG.replace("'{stage}'", "'{stage}-{stage}'")})
    assert told(estate, "--base", "HEAD") == {}


def test_an_estate_below_the_root_of_its_repository(estate: Path, tmp_path: Path, told: Any) -> None:
    """Paths are told apart from the repository's."""
    whole = tmp_path / "whole"
    whole.mkdir()
    (estate / ".git").rename(tmp_path / "old-git")
    estate.rename(whole / "estate")
    git(whole, "init", "-q")
    commit(whole)
    write(whole / "estate", {"components/vpc/main.tf": "# changed\n"})
    commit(whole)
    assert told(whole / "estate", "--base", "HEAD~1") == {"dev-vpc": ["component"], "qa-vpc": ["component"]}


def test_directories_and_clones(estate: Path, tmp_path: Path, told: Any) -> None:
    """`--base DIR` compares with a plain directory, `--repo-path` with another clone."""
    other = tmp_path / "other"
    write(other, FILES)
    write(estate, {"components/vpc/main.tf": "# changed\n"})
    expected = {"dev-vpc": ["component"], "qa-vpc": ["component"]}
    assert told(estate, "--base", str(other)) == expected
    assert told(estate, "--repo-path", str(other)) == expected


def test_dependents_settings_and_formats(estate: Path, run: Run, tmp_path: Path) -> None:
    """Flags may stand alone or with a value; the result is JSON, YAML, or a matrix for a workflow."""
    app = "settings: {depends_on: {1: {component: vpc}}}"
    write(
        estate,
        {"stacks/deploy/qa.yaml": f"vars: {{stage: qa}}\ncomponents: {{terraform: {{vpc: {{vars: {{n: 1}}}}, app: {{{app}}}}}}}\n"},
    )
    commit(estate)
    write(estate, {"stacks/deploy/qa.yaml": (estate / "stacks/deploy/qa.yaml").read_text().replace("n: 1", "n: 2")})
    found = json.loads(run(estate, "--base", "HEAD", "--include-dependents=true", "--include-settings")[1])
    assert [(each["component"], [dependent["component"] for dependent in each["dependents"]]) for each in found] == [
        ("vpc", ["app"])
    ]
    assert found[0]["dependents"][0]["settings"] == {"depends_on": {"1": {"component": "vpc"}}}
    assert run(estate, "--base", "HEAD", "--format", "yaml")[1].startswith("- component: vpc\n  component_type: terraform\n")
    matrix = {"stack": "qa", "component": "vpc", "component_path": "components/vpc", "component_type": "terraform"}
    assert json.loads(run(estate, "--base", "HEAD", "--format", "matrix")[1]) == {"include": [matrix]}
    output = tmp_path / "output"
    output.write_text("before=1\n")
    run(estate, "--base", "HEAD", "--format", "matrix", "--output-file", str(output))
    assert output.read_text().splitlines()[::2] == ["before=1", "count=1"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--base", "nowhere"], 1, "git reference not found on local filesystem: nowhere"),
        ([], 1, "refs/remotes/origin/HEAD"),
        (["--upload"], 2, "uploads nothing"),
        (["--clone-target-ref"], 2, "clones nothing"),
        (["--repo-path", "x", "--base", "HEAD"], 2, "--repo-path can't be used with"),
        (["--repo-path", "nowhere"], 2, "is not a directory"),
        (["--base", "HEAD", "--output-file", "x"], 2, "only supported with --format=matrix"),
    ],
)
def test_refusals(estate: Path, run: Run, arguments: list[str], code: int, words: str) -> None:
    """What can't be compared is said on stderr."""
    done = run(estate, *arguments)
    assert (done[0], done[1]) == (code, "")
    assert words in done[2]


def test_outside_of_any_repository(tmp_path: Path, run: Run) -> None:
    """A revision needs a repository, and the message names the other way."""
    write(tmp_path / "plain", FILES)
    code, out, err = run(tmp_path / "plain", "--base", "main")
    assert (code, out) == (1, "")
    assert "no Git repository" in err
    assert "--base DIR" in err


def test_an_estate_that_atmos_refuses(estate: Path, run: Run) -> None:
    """The estate at hand is validated as `describe stacks` validates it; the base isn't."""
    write(estate, {"stacks/deploy/qa.yaml": "vars: {stage: qa}\ncomponents: {terraform: {vpc: {unknown: 1}}}\n"})
    assert run(estate, "--base", "HEAD")[0] == 1
    commit(estate)
    write(estate, {"stacks/deploy/qa.yaml": FILES["stacks/deploy/qa.yaml"]})
    assert run(estate, "--base", "HEAD")[0] == 0
