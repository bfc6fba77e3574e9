"""State lies where the estate or the code says, and local state only below the catalog's home."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.executors import Job, backend

LOCAL = {
    "terraform": {
        "backend": {
            "local": {
                "path": "/state/components/terraform/db/default.tfstate",
                "workspace_dir": "/state/components/terraform/db/workspaces",
            }
        }
    }
}


def job(root: Path, files: dict[str, str], **changes: Any) -> Job:
    directory = root / "components/terraform/db"
    directory.mkdir(parents=True)
    for name, text in files.items():
        (directory / name).write_text(text)
    names = {"component_path": "components/terraform/db", "component": "db", "stack": "dev", "workspace": "dev"}
    places = {"checkout": root, "private": Path("/private"), "state": Path("/state")}
    return Job(**{**names, **places, "redaction_key": b"", **changes})


def code(declaration: str) -> dict[str, str]:
    return {"main.tf": f"terraform {{\n  {declaration}\n}}\n"}


@pytest.mark.parametrize(
    ("files", "backend_type"),
    [
        ({}, None),
        ({}, "local"),
        (code('backend "local" {\n path = "here"\n }'), None),
        (code('backend "local" {}'), "local"),
        (code('# backend "s3" {}'), None),
        ({"main.tf": 'resource "x" "y" {\n  backend = "z"\n}\n'}, ""),
    ],
)
def test_local_state_lies_below_the_state_directory(tmp_path: Path, files: dict[str, str], backend_type: str | None) -> None:
    """Whatever path a local backend names, its state never lies in a checkout."""
    found = backend.decide(job(tmp_path, files, backend_type=backend_type, backend={"path": "terraform.tfstate"}))

    assert found == backend.Backend(override=LOCAL)


@pytest.mark.parametrize(
    "files",
    [
        code('backend "s3" {\n bucket = "b"\n }'),
        code('cloud {\n organization = "o"\n }'),
        {"backend.tf.json": json.dumps({"terraform": [{"backend": {"gcs": {}}}]})},
    ],
)
def test_the_codes_own_backend_stands_when_the_estate_names_none(tmp_path: Path, files: dict[str, str]) -> None:
    """Code that says where its state lies is left alone."""
    assert backend.decide(job(tmp_path, files)) == backend.Backend()


def test_the_estates_settings_complete_a_declaration_of_the_same_type(tmp_path: Path) -> None:
    """A partial declaration is completed as `-backend-config` does, keeping what the code says itself."""
    settings = {"bucket": "b", "key": "k"}
    found = backend.decide(job(tmp_path, code('backend "s3" {\n encrypt = true\n }'), backend_type="s3", backend=settings))

    assert found == backend.Backend(settings=settings)


def test_the_estates_backend_replaces_none_or_another(tmp_path: Path) -> None:
    """What the estate says wins over what the code declares of another type."""
    found = backend.decide(job(tmp_path, code('backend "gcs" {}'), backend_type="s3", backend={"bucket": "b"}))

    assert found == backend.Backend(override={"terraform": {"backend": {"s3": {"bucket": "b"}}}})


def test_terraform_cloud_gets_the_workspace_in_its_name(tmp_path: Path) -> None:
    """Atmos' token in the workspace's name is replaced, and the block is `cloud`, not `backend`."""
    settings = {"organization": "o", "workspaces": {"name": "x-{terraform_workspace}"}}
    found = backend.decide(job(tmp_path, {}, backend_type="cloud", backend=settings))

    assert found.override == {"terraform": {"cloud": {"organization": "o", "workspaces": {"name": "x-dev"}}}}


def test_code_that_is_not_json_is_left_to_terraform(tmp_path: Path) -> None:
    """A broken file declares nothing; terraform will say what is wrong with it."""
    assert backend.declared(job(tmp_path, {"broken.tf.json": "{"}).directory) is None
