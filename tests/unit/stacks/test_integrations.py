"""Spacelift and Atlantis know an instance by the name that its settings, its context or its stack give it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catalog.engines.template import Engine
from catalog.errors import EstateError
from catalog.stacks import estate
from catalog.stacks.integrations import Integrations, with_context
from catalog.stacks.merging import Map
from catalog.stacks.resolved import ResolvedInstance
from catalog.stacks.templates import Templates
from catalog.stacks.tree import MemoryTree

PATTERN = {"name_pattern": "{tenant}-{stage}"}


def read(
    settings: Map,
    *,
    stacks: Map = PATTERN,
    kind: str = "terraform",
    engine: Engine | None = None,
    manifest: str = "",
    **config: Any,
) -> tuple[Integrations, ResolvedInstance]:
    """One instance `net/vpc` of the stack core-dev with these settings."""
    told = {
        "base_path": ".",
        "stacks": {"base_path": "stacks", "included_paths": ["deploy/*"], **stacks},
        "components": {kind: {"base_path": f"components/{kind}"}},
        **config,
    }
    component = {"vars": {"attributes": ["x", "y"]}, "settings": settings}
    stack = f"{manifest}\nvars: {{tenant: core, stage: dev}}\ncomponents: {json.dumps({kind: {'net/vpc': component}})}\n"
    files = {"atmos.yaml": json.dumps(told), "stacks/deploy/dev.yaml": stack}
    found = estate.resolve(MemoryTree({path: text.encode() for path, text in files.items()}), engine=engine)
    assert found.config is not None
    return Integrations(config=found.config, templates=Templates(engine)), found.stacks[0].instances[0]


@pytest.mark.parametrize(
    ("spacelift", "name"),
    [
        ({"workspace_enabled": True}, "core-dev-net-vpc"),
        ({"workspace_enabled": True, "stack_name": "own/name"}, "own/name"),
        ({"workspace_enabled": True, "stack_name": "own", "stack_name_pattern": "{stage}-{component}"}, "dev-net-vpc"),
        ({"workspace_enabled": False, "stack_name": "own"}, None),
        ({"stack_name": "own"}, None),
        ("text", None),
    ],
)
def test_spacelift_names(spacelift: Any, name: str | None) -> None:
    """A pattern before a name before the stack's own; none unless the workspace is enabled."""
    integrations, instance = read({"spacelift": spacelift})
    assert integrations.names(instance).get("spacelift_stack") == name
    assert integrations.known_names(instance).get("spacelift_stack") == name


def test_the_stack_of_a_spacelift_name_is_the_one_of_the_configuration(template_engine: Engine) -> None:
    """Whatever name the manifest gives itself."""
    enabled = {"spacelift": {"workspace_enabled": True}}
    stacks = {"name_template": "{{ .vars.stage }}-{{ .vars.tenant | upper }}"}
    integrations, instance = read(enabled, stacks=stacks, engine=template_engine, manifest="name: own")
    assert instance.stack == "own"
    assert integrations.names(instance) == {"spacelift_stack": "dev-CORE-net-vpc"}


def test_a_name_without_a_rule_is_refused_only_where_atmos_insists() -> None:
    """Without template and pattern there is no name; the catalog's reading goes on without one."""
    settings = {"spacelift": {"workspace_enabled": True}, "atlantis": {"project_template": {"name": "{stage}"}}}
    integrations, instance = read(settings, stacks={}, manifest="name: own")
    with pytest.raises(EstateError, match=r"'stacks\.name_template' .* needs to be specified"):
        integrations.names(instance)
    assert integrations.known_names(instance) == {"atlantis_project": "dev"}


@pytest.mark.parametrize(
    ("atlantis", "name"),
    [
        ({"project_template_name": "Shared"}, "core/net-vpc"),
        ({"project_template_name": "none"}, None),
        ({"project_template_name": "Shared", "project_template": {"name": "{stage}-{attributes}"}}, "dev-x-y"),
        ({"project_template": {"name": 5}}, None),
        ({}, None),
    ],
)
def test_atlantis_names(atlantis: Map, name: str | None) -> None:
    """A template of the instance's own before one of the configuration, named in any case."""
    templates = {"atlantis": {"project_templates": {"shared": {"name": "{tenant}/{component}"}}}}
    integrations, instance = read({"atlantis": atlantis}, integrations=templates)
    assert integrations.names(instance).get("atlantis_project") == name


def test_other_types_have_names_only_when_described() -> None:
    """Lists know them of Terraform alone."""
    integrations, instance = read({"atlantis": {"project_template": {"name": "{stage}"}}}, kind="helmfile")
    assert integrations.names(instance) == integrations.known_names(instance) == {}
    assert integrations.names(instance, is_described=True) == {"atlantis_project": "dev"}


def test_tokens_are_those_of_the_context() -> None:
    """What the context lacks is empty, and what is no token stays."""
    _, instance = read({})
    assert (
        with_context("{tenant}.{region}.{workspace}.{component-path}.{mine}", instance, component_path="a/b") == "core...a/b.{mine}"
    )
