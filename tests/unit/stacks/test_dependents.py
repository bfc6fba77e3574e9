"""Who depends on a component, told as Atmos tells it: every rule on small estates, answers seen with the real program."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catalog.errors import EstateError
from catalog.stacks import estate
from catalog.stacks.dependents import Dependents
from catalog.stacks.integrations import Integrations
from catalog.stacks.templates import Templates
from catalog.stacks.tree import MemoryTree

CONFIG = {
    "base_path": ".",
    "stacks": {"base_path": "stacks", "included_paths": ["deploy/*"], "name_pattern": "{stage}"},
    "components": {"terraform": {"base_path": "components/terraform"}},
}


def of(stacks: dict[str, Any], config: dict[str, Any] | None = None, **options: Any) -> Dependents:
    """The dependents of an estate, one manifest per stack."""
    files = {"atmos.yaml": {**CONFIG, **(config or {})}}
    for name, components in stacks.items():
        files[f"stacks/deploy/{name}.yaml"] = {"vars": {"stage": name}, "components": components}
    tree = MemoryTree({path: json.dumps(value).encode() for path, value in files.items()})
    resolved = estate.resolve(tree, strict=True, validate=False)
    assert resolved.config is not None
    return Dependents.of(resolved, Integrations(config=resolved.config, templates=Templates()), **options)


def told(found: Dependents, component: str, stack: str) -> list[str]:
    return [record["stack_slug"] for record in found.describe(component, stack)]


def old(**context: str) -> dict[str, Any]:
    return {"settings": {"depends_on": {"1": context}}}


def new(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"dependencies": {"components": list(entries), **more}}


VPC: dict[str, Any] = {"vpc": {}}


@pytest.mark.parametrize(
    ("component", "dev", "qa"),
    [
        (old(component="vpc"), ["dev-app"], []),
        (old(component="vpc", stage="qa"), [], ["dev-app"]),
        (old(component="vpc", stack="qa"), [], []),
        (new({"component": "vpc"}), ["dev-app"], []),
        (new({"name": "vpc"}), ["dev-app"], []),
        (new({"component": "vpc", "stack": "qa"}), [], ["dev-app"]),
        (new({"component": "vpc", "kind": "helmfile"}), ["dev-app"], []),
        (new({"component": "vpc"}, {"component": "vpc"}), ["dev-app", "dev-app"], []),
        # A name that contradicts its component stays what its component says, and ends the reading of aliases.
        (new({"component": "vpc", "name": "x"}, {"name": "vpc"}), ["dev-app"], []),
        (new({"kind": "file", "path": "x", "component": "vpc"}), [], []),
        # The new style silences the old one; a value of a wrong type silences the new one.
        ({**new({"component": "other"}), **old(component="vpc")}, [], []),
        ({**new({"component": "other"}, tools={"terraform": 1.9}), **old(component="vpc")}, ["dev-app"], []),
        ({**new({"kind": "file", "path": "x"}), **old(component="vpc")}, ["dev-app"], []),
        ({"metadata": {"enabled": False}, **old(component="vpc")}, [], []),
        ({"metadata": {"type": "abstract"}, **old(component="vpc")}, [], []),
        ({"settings": {"depends_on": {"1": {"component": "vpc", "stage": 5}}}}, [], []),
        ({"settings": {"depends_on": [{"component": "vpc"}]}}, [], []),
    ],
)
def test_declarations_mean_what_atmos_takes_them_for(component: dict[str, Any], dev: list[str], qa: list[str]) -> None:
    """Each form of a declaration names the components that Atmos finds by it, and no others."""
    found = of({"dev": {"terraform": {**VPC, "app": component}}, "qa": {"terraform": VPC}})
    assert (told(found, "vpc", "dev"), told(found, "vpc", "qa")) == (dev, qa)


def test_context_that_isnt_written_is_compared() -> None:
    """In the old style, variables of the context that a declaration doesn't name must be equal on both sides."""
    here = {"vpc": {"vars": {"tenant": "a"}}, "app": {"vars": {"tenant": "b"}, **old(component="vpc", stage="dev")}}
    assert told(of({"dev": {"terraform": here}}), "vpc", "dev") == []


def test_the_same_name_elsewhere_is_no_dependent() -> None:
    """An instance of the name that was asked for is never told, in whatever stack."""
    found = of({"dev": {"terraform": VPC}, "qa": {"terraform": {"vpc": old(component="vpc", stage="dev")}}})
    assert told(found, "vpc", "dev") == []


def test_every_type_counts_and_order_is_by_slug() -> None:
    """Dependents of all types are told, by their slugs."""
    found = of({"dev": {"terraform": {**VPC, "b/x": old(component="vpc")}, "helmfile": {"a": old(component="vpc")}}})
    assert [(each["component_type"], each["stack_slug"], each["component_path"]) for each in found.describe("vpc", "dev")] == [
        ("helmfile", "dev-a", "a"),
        ("terraform", "dev-b-x", "components/terraform/b/x"),
    ]


def test_a_record_has_the_fields_of_atmos_in_its_order() -> None:
    """Context, the names of Spacelift and Atlantis and the settings stand where Atmos has them."""
    settings = {
        "depends_on": {"1": {"component": "vpc"}},
        "spacelift": {"workspace_enabled": True, "stack_name_pattern": "{stage}-{component}!"},
        "atlantis": {"project_template_name": "p"},
    }
    config = {"integrations": {"atlantis": {"project_templates": {"p": {"name": "{stage}/{component}"}}}}}
    found = of({"dev": {"terraform": {**VPC, "a/b": {"settings": settings}}}}, config, include_settings=True)
    assert list(found.describe("vpc", "dev")[0].items()) == [
        ("component", "a/b"),
        ("component_type", "terraform"),
        ("component_path", "components/terraform/a/b"),
        ("stage", "dev"),
        ("stack", "dev"),
        ("stack_slug", "dev-a-b"),
        ("spacelift_stack", "dev-a-b!"),
        ("atlantis_project", "dev/a-b"),
        ("dependents", None),
        ("included_in_dependents", False),
        ("settings", settings),
    ]


def test_a_manifests_path_reads_that_manifest_alone() -> None:
    """`-s` by path finds the component; new declarations don't name stacks so, and other manifests aren't read."""
    stacks = {
        "dev": {"terraform": {**VPC, "app": new({"component": "vpc"}), "by-context": old(component="vpc", stage="dev")}},
        "qa": {"terraform": {"far": old(component="vpc", stage="dev")}},
    }
    assert told(of(stacks), "vpc", "deploy/dev") == ["dev-by-context"]
    assert told(of(stacks), "vpc", "dev") == ["dev-app", "dev-by-context", "qa-far"]


@pytest.mark.parametrize("name", ["nope", "vpc"])
def test_what_is_not_there_is_refused(name: str) -> None:
    """An unknown component, or a known one in an unknown stack, is an error in Atmos' words."""
    with pytest.raises(EstateError, match=r"Could not find the component `\w+` in the stack `none`"):
        of({"dev": {"terraform": VPC}}).describe(name, "none")


def test_a_context_variable_of_a_wrong_type_fails_the_command() -> None:
    """Atmos decodes the context of every component, and refuses numbers, maps and other texts there, each told."""
    wrong = {"vars": {"tenant": 5, "component": {"a": 1}, "attributes": "x", "region": True}}
    with pytest.raises(EstateError) as raised:
        of({"dev": {"terraform": {**VPC, "odd": wrong}}})
    assert raised.value.message.splitlines() == [
        "decoding failed due to the following error(s):",
        "",
        "'tenant' expected type 'string', got unconvertible type 'int'",
        "'region' expected type 'string', got unconvertible type 'bool'",
        "'component' expected type 'string', got unconvertible type 'map[string]interface {}'",
        "'attributes' source data must be an array or slice, got string",
    ]
