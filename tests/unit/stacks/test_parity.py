"""The real Atmos is the judge: what it answered for public estates is what strict reading answers.

Estates that need Terraform's program are left to `parity/compare`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from catalog.cli.world import World
from catalog.engines.template import Engine
from catalog.errors import EstateError
from catalog.stacks import describe, estate
from catalog.stacks.evaluation import Processing
from catalog.stacks.tree import DirectoryTree

pytestmark = pytest.mark.shared

PARITY = Path(__file__).parents[4] / "shared" / "parity"


def goldens(family: str) -> list[Any]:
    paths = sorted((PARITY / family).glob("*.json"))
    found = [(path, json.loads(path.read_text())) for path in paths]
    return [pytest.param(golden, id=path.stem) for path, golden in found if is_within_reach(path, golden)]


def is_within_reach(path: Path, golden: dict[str, Any]) -> bool:
    return not ("needs" in golden or ".patched" in path.name)


def answer(golden: dict[str, Any], root: Path, engine: Engine) -> Any:
    environment = {key: value.replace("<ESTATE>", str(root)) for key, value in golden.get("env", {}).items()}
    arguments = golden.get("args", [])
    resolved = estate.resolve(
        DirectoryTree(root),
        directory=golden.get("dir", "."),
        strict=True,
        environment=environment,
        engine=engine,
        lookup=World(
            root, root / golden.get("dir", "."), {**environment, "PATH": os.environ["PATH"], "USER": "alice", "CI": "true"}
        ),
        processing=Processing(functions="--process-functions=false" not in arguments),
    )
    return json.loads(describe.to_json(describe.stacks(resolved)))


def without_realm(value: Any) -> Any:
    """Atmos derives the realm from the estate's absolute path."""
    if isinstance(value, dict):
        return {key: "<REALM>" if key == "realm" else without_realm(item) for key, item in value.items()}
    return [without_realm(item) for item in value] if isinstance(value, list) else value


def check(golden: dict[str, Any], root: Path, engine: Engine) -> None:
    if golden["exit"]:
        with pytest.raises(EstateError) as refused:
            answer(golden, root, engine)
        assert any(name in str(refused.value) for name in golden["mentions"])
        return
    assert without_realm(answer(golden, root, engine)) == without_realm(golden["stacks"])


@pytest.mark.parametrize("golden", goldens("golden"))
def test_describe_stacks_answers_as_atmos_does(shared: Path, template_engine: Engine, golden: dict[str, Any]) -> None:
    """The same stacks with the same values, or a refusal that names the same culprit."""
    check(golden, shared / "parity" / "estates" / golden["estate"], template_engine)


@pytest.mark.parametrize("golden", goldens("real/golden"))
def test_real_estates_answer_as_atmos_does(shared: Path, template_engine: Engine, golden: dict[str, Any]) -> None:
    """Two estates that people use, refused and accepted as Atmos refuses and accepts them."""
    check(golden, shared / "parity" / "real" / golden["estate"], template_engine)


def test_an_estate_that_atmos_refuses_is_read_leniently(shared: Path) -> None:
    """Every component instance of tf-atmos, as Atmos resolves it once patched, is there in the stack of its manifest."""
    golden = json.loads((shared / "parity/real/golden/tf-atmos.patched.json").read_text())
    found = estate.resolve(DirectoryTree(shared / "parity/real/tf-atmos"))
    entries = {
        (stack.manifest, item.type, item.name): without_names(item.sections) for stack in found.stacks for item in stack.instances
    }
    wanted = {
        (f"stacks/{entry['atmos_manifest']}.yaml", kind, name): without_names(entry)
        for stack in golden["stacks"].values()
        for kind, components in stack["components"].items()
        for name, entry in components.items()
    }
    assert entries == wanted
    assert not found.broken


def without_names(entry: Any) -> dict[str, Any]:
    """The patch gives the stacks names; leniently they are named by their manifests."""
    return {key: value for key, value in entry.items() if key not in ("stack", "atmos_stack", "workspace")}


@pytest.mark.parametrize(("provider", "stacks"), [("aws", 1), ("azure", 1), ("gcp", 1)])
def test_one_repository_may_hold_several_configurations(shared: Path, provider: str, stacks: int) -> None:
    """The accelerator is read leniently with each of its three configurations."""
    found = estate.resolve(DirectoryTree(shared / "parity/real/accelerator"), config_path=f"config/{provider}")
    assert len(found.stacks) >= stacks
    assert not found.unreadable
