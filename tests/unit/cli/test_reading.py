"""Where strict reading looks, as Atmos does, and what lenient reading never looks at."""

import pytest

from catalog import errors
from catalog.cli import reading

CONFIG = "base_path: {base}\nstacks: {{base_path: {stacks}, included_paths: ['**/*'], name_pattern: '{{stage}}'}}\n"
MANIFEST = "vars: {stage: dev}\ncomponents: {terraform: {vpc: {vars: {a: 1}}}}\n"


@pytest.fixture
def estate(tmp_path, monkeypatch):
    """An estate whose directory is `work/estate`, with a manifest; the home directory is empty."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    directory = tmp_path / "work" / "estate"
    (directory / "stacks").mkdir(parents=True)
    (directory / "stacks" / "dev.yaml").write_text(MANIFEST)
    return directory


def names(directory, *, strict, config_path=None):
    resolved = reading.resolve(reading.Source(directory=directory, config_path=config_path), strict=strict)
    return [stack.name for stack in resolved.stacks]


def test_configuration_of_a_parent_counts_strictly(estate):
    """From a directory below, strict reading finds the parent's atmos.yaml."""
    (estate / "atmos.yaml").write_text(CONFIG.format(base=".", stacks="stacks"))
    below = estate / "components"
    below.mkdir()
    assert names(below, strict=True) == ["dev"]


def test_base_path_may_lie_above(estate):
    """An estate may lie above its own atmos.yaml; strict reading follows base_path there."""
    (estate / "config").mkdir()
    (estate / "config" / "atmos.yaml").write_text(CONFIG.format(base="..", stacks="stacks"))
    assert names(estate / "config", strict=True) == ["dev"]


def test_configuration_elsewhere_is_named(estate):
    """--config-path names the directory of atmos.yaml inside the estate, for both readings."""
    (estate / "config").mkdir()
    (estate / "config" / "atmos.yaml").write_text(CONFIG.format(base="..", stacks="stacks"))
    assert names(estate, strict=True, config_path="config") == ["dev"]
    assert names(estate, strict=False, config_path="config") == ["dev"]


def test_home_configuration_counts_strictly_only(estate, tmp_path):
    """The home directory's atmos.yaml lies below the estate's own in strict reading; lenient reading never sees it."""
    (tmp_path / "home" / ".atmos").mkdir(parents=True)
    (tmp_path / "home" / ".atmos" / "atmos.yaml").write_text("stacks: {name_pattern: '{stage}-{stage}'}\n")
    (estate / "atmos.yaml").write_text("base_path: .\nstacks: {base_path: stacks, included_paths: ['**/*']}\n")
    assert names(estate, strict=True) == ["dev-dev"]
    assert names(estate, strict=False) == ["dev"]


def test_what_is_no_directory_is_wrong_use(tmp_path):
    """An estate that isn't there is wrong use, for both readings."""
    for strict in (True, False):
        with pytest.raises(errors.WrongUse):
            names(tmp_path / "nowhere", strict=strict)


def test_unknown_names_come_with_what_is_there(estate):
    """A stack or component that isn't there is answered with those that are."""
    (estate / "atmos.yaml").write_text(CONFIG.format(base=".", stacks="stacks"))
    resolved = reading.resolve(reading.Source(directory=estate, config_path=None), strict=False)
    with pytest.raises(errors.NotFound, match="prod") as no_stack:
        reading.instance(resolved, "prod", "vpc")
    assert "dev" in no_stack.value.hint
    with pytest.raises(errors.NotFound, match="eks") as no_component:
        reading.instance(resolved, "dev", "eks")
    assert "vpc" in no_component.value.hint
