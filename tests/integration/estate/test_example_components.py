"""The example's components under the real terraform: they plan, apply and go, with no cloud and no download."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from catalog.stacks import estate
from catalog.stacks.tree import DirectoryTree, MemoryTree

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.terraform


class Terraform:
    """The terraform program in one copied component directory, with a clean environment."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __call__(self, *arguments: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.directory), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        done = subprocess.run(
            ["terraform", *arguments], cwd=self.directory, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def instances() -> dict[str, dict[str, Any]]:
    """Vars of each component's instance in testenv-01, by component."""
    everything = DirectoryTree(ROOT)
    tree = MemoryTree({path: everything.read(path) for path in everything.paths() if path.startswith(("atmos.yaml", "stacks/"))})
    (stack,) = [one for one in estate.resolve(tree).stacks if one.name == "plat-testenv-01-dev"]
    return {
        one.component: {"vars": one.sections["vars"], "backend": one.sections["backend"]}
        for one in stack.instances
        if not one.abstract
    }


@pytest.fixture(scope="module")
def components(instances: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Terraform]:
    """Each component copied, with varfile and backend as Atmos writes them, and initialised."""
    place = tmp_path_factory.mktemp("components")
    shutil.copytree(
        ROOT / "components" / "terraform",
        place / "terraform",
        ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tf.json"),
    )
    prepared = {}
    for component, instance in instances.items():
        directory = place / "terraform" / component
        (directory / "backend.tf.json").write_text(json.dumps({"terraform": {"backend": {"local": instance["backend"]}}}))
        (directory / "x.terraform.tfvars.json").write_text(json.dumps(instance["vars"]))
        prepared[component] = Terraform(directory)
        prepared[component]("init", "-input=false", "-no-color")
    return prepared


def test_all_components_plan_without_a_warning(components: dict[str, Terraform]):
    """Seventeen components plan something to create from their stack's vars, and terraform has nothing to warn of."""
    plans = {
        name: run("plan", "-input=false", "-no-color", "-var-file=x.terraform.tfvars.json") for name, run in components.items()
    }

    assert len(plans) == 17
    assert not [name for name, plan in plans.items() if "Warning" in plan]
    assert not [name for name, plan in plans.items() if ", 0 to change, 0 to destroy." not in plan or "Plan: 0 to add" in plan]


def test_vpc_lives_a_whole_life(components: dict[str, Terraform], instances: dict[str, dict[str, Any]]):
    """Applied, a VPC is at rest; other tags change it in place; destroyed, nothing is left."""
    run = components["vpc"]
    changed = {**instances["vpc"]["vars"], "tags": {"Team": "payments"}}
    (run.directory / "y.terraform.tfvars.json").write_text(json.dumps(changed))

    run("apply", "-auto-approve", "-input=false", "-no-color", "-var-file=x.terraform.tfvars.json")
    assert "No changes" in run("plan", "-input=false", "-no-color", "-var-file=x.terraform.tfvars.json")
    assert " to change, 0 to destroy" in run("plan", "-input=false", "-no-color", "-var-file=y.terraform.tfvars.json")
    assert "Destroy complete" in run("destroy", "-auto-approve", "-input=false", "-no-color", "-var-file=x.terraform.tfvars.json")


def test_disabled_component_is_empty(components: dict[str, Terraform]):
    """With `enabled` false every component plans nothing to create."""
    arguments = ("-input=false", "-no-color", "-var-file=x.terraform.tfvars.json", "-var=enabled=false")
    plans = {name: run("plan", *arguments) for name, run in components.items()}

    assert not [name for name, plan in plans.items() if "to add" in plan and "Plan: 0 to add" not in plan]
