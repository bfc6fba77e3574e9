"""Where the configuration is found."""

from __future__ import annotations

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
