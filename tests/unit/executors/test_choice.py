"""The executor is the one asked for, or the dry run that says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog import executors
from catalog.errors import Invalid
from catalog.executors import environment


def path_with(directory: Path, *programs: str) -> dict[str, str]:
    for program in programs:
        (directory / program).write_text("#!/bin/sh\n")
        (directory / program).chmod(0o755)
    return {"PATH": str(directory)}


@pytest.mark.parametrize(
    ("asked", "programs", "chosen"),
    [
        ("terraform", ("terraform", "tofu"), "terraform"),
        ("terraform", ("tofu",), "terraform"),
        ("tofu", ("tofu",), "terraform"),
        ("terraform", (), "dry_run"),
        ("dry_run", ("terraform",), "dry_run"),
        ("dry-run", (), "dry_run"),
    ],
)
def test_an_estate_gets_the_executor_it_asks_for_if_it_can_run(
    tmp_path: Path, asked: str, programs: tuple[str, ...], chosen: str
) -> None:
    """Terraform or tofu serve where one of them is; elsewhere nothing is pretended."""
    assert executors.choose(asked, path_with(tmp_path, *programs)).name == chosen


def test_the_dry_run_says_why_it_serves(tmp_path: Path) -> None:
    """Falling back is visible: the reason travels with the executor."""
    assert executors.choose("terraform", path_with(tmp_path)).reason == "neither terraform nor tofu is on PATH"
    assert executors.choose("dry_run", path_with(tmp_path)).reason is None


def test_an_unknown_executor_is_refused() -> None:
    """A misspelt executor is an error that names the known ones."""
    with pytest.raises(Invalid, match="there is no executor 'teraform'"):
        executors.choose("teraform", {})


async def test_the_dry_run_renders_and_changes_nothing(tmp_path: Path) -> None:
    """The log says what would be run, with the names of the variables and not their values."""
    lines: list[str] = []

    async def log(stream: str, text: str) -> None:
        lines.append(f"{stream} {text}")

    applied = await executors.DryRun(reason="no program").apply(a_job(tmp_path, vars={"size": "hunter2"}), log)

    assert applied == executors.Applied(outputs={}, serial=None, lineage=None)
    assert lines == [
        "SYSTEM dry run (no program): nothing is executed and nothing changes",
        "SYSTEM would run `terraform apply -var-file dev-db.terraform.tfvars.json` in components/terraform/db, workspace dev",
        "SYSTEM with the variables size",
    ]
    assert nothing_in(tmp_path)
    assert not (tmp_path / "private").exists()
    assert not (tmp_path / "state").exists()


def test_programs_get_credentials_and_nothing_of_the_catalogs_own(tmp_path: Path) -> None:
    """The environment of a program holds what clouds need, what the instance says, and no secret of the catalog."""
    process = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "AWS_PROFILE": "dev",
        "https_proxy": "http://proxy",
        "CATALOG_TOKEN": "atc_x",
        "CATALOG_DATABASE_URL": "postgres://secret",
        "TF_CLI_CONFIG_FILE": "/nowhere",
        "TF_WORKSPACE": "other",
    }
    job = a_job(
        tmp_path, env={"TF_CLI_ARGS_plan": "-parallelism=1", "DEBUG": True, "TF_DATA_DIR": "/elsewhere", "AWS_PROFILE": None}
    )

    assert environment.compose(job, process, tmp_path / "data") == {
        "PATH": "/bin",
        "HOME": "/home/me",
        "AWS_PROFILE": "dev",
        "https_proxy": "http://proxy",
        "TF_CLI_ARGS_plan": "-parallelism=1",
        "DEBUG": "true",
        "TF_DATA_DIR": str(tmp_path / "data"),
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
    }


def nothing_in(directory: Path) -> bool:
    return not list(directory.iterdir())


def a_job(root: Path, **changes: object) -> executors.Job:
    values: dict[str, object] = {
        "checkout": root,
        "component_path": "components/terraform/db",
        "component": "db",
        "stack": "dev",
        "workspace": "dev",
        "private": root / "private",
        "state": root / "state",
        "redaction_key": b"key",
    }
    return executors.Job(**{**values, **changes})  # type: ignore[arg-type]
