"""What Atmos writes beside Terraform code before it runs: the varfile, the backend file, and where they go."""

from __future__ import annotations

import re
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import json_text
from catalog.stacks.files import join
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.resolved import ResolvedEstate, ResolvedInstance

_ENDINGS = {
    "terraform": "terraform.tfvars.json",
    "helmfile": "helmfile.vars.yaml",
    "packer": "packer.vars.json",
}


def varfile(instance: ResolvedInstance) -> tuple[str, str]:
    """Return the varfile's name and its JSON text: the variables, sorted and indented."""
    ending = _ENDINGS.get(instance.type.lower(), f"{instance.type.lower()}.vars.json")
    return _name(instance, ending), "".join(json_text.in_file(json_text.pieces(instance.sections.get("vars") or EMPTY)))


def planfile(instance: ResolvedInstance) -> str:
    """Return the name that Atmos gives a saved plan."""
    return _name(instance, "planfile")


def backend(instance: ResolvedInstance, *, workspace: str | None = None) -> tuple[str, Map]:
    """Return the backend file's name and value; raises EstateError in Atmos' words where the backend lacks what it needs.

    `workspace` replaces its token in the settings of Terraform Cloud, by default the instance's own; empty, it stays.
    """
    kind = instance.sections.get("backend_type")
    if not kind:
        raise EstateError("'backend_type' is missing for the component", code="BACKEND", hint=f"Set it for {instance.name}.")
    settings = instance.sections.get("backend")
    if not isinstance(settings, dict):
        raise EstateError("'backend' config is missing for the component", code="BACKEND", hint=f"Set it for {instance.name}.")
    for needed_by, key, words in _NEEDED:
        if kind == needed_by and not isinstance(settings.get(key), str):
            raise EstateError(words, code="BACKEND", hint=f"{instance.name} in {instance.stack} has none.")
    if kind == "cloud":
        told = str(instance.sections.get("workspace", "")) if workspace is None else workspace
        return "backend.tf.json", {"terraform": {"cloud": _with_workspace(settings, told) if told else settings}}
    return "backend.tf.json", {"terraform": {"backend": {kind: settings}}}


_NEEDED = (
    ("s3", "workspace_key_prefix", "backend config is missing 'workspace_key_prefix'"),
    ("gcs", "bucket", "bucket is required for gcs backend"),
)
# Atmos replaces every token of a context in which only the workspace is known.
_TOKEN = re.compile(
    r"\{(base-component|component|component-path|namespace|environment|region|tenant|stage|workspace|terraform_workspace|attributes)\}"
)


def _with_workspace(value: Any, workspace: str) -> Any:
    if isinstance(value, dict):
        return {_with_workspace(key, workspace): _with_workspace(item, workspace) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_workspace(item, workspace) for item in value]
    if isinstance(value, str):
        return _TOKEN.sub(lambda found: workspace if found[1] == "terraform_workspace" else "", value)
    return value


def working_directory(instance: ResolvedInstance, base_path: str) -> str:
    """Return where the component's code lies, relative to the estate; `base_path` is its type's."""
    return join(base_path, physical(instance))


def code_directory(estate: ResolvedEstate, instance: ResolvedInstance, folder: str | None = None) -> str:
    """Return where a component's code lies in the tree of its estate; `folder` is another than that of the component's commands."""
    base_path = estate.config.base_path if estate.config is not None else ""
    return join(base_path, estate.component_base_paths.get(instance.type, ""), folder or physical(instance))


def physical(instance: ResolvedInstance) -> str:
    """Return the physical component as Terraform commands find it.

    Unlike in `describe stacks`, an inherited `metadata.component` counts.
    """
    metadata = instance.sections.get("metadata") or EMPTY
    inherited = metadata.get("component")
    return inherited if isinstance(inherited, str) and inherited else instance.component


def workspace(instance: ResolvedInstance) -> str:
    """Return the workspace as Terraform commands use it: instances of another component carry their name behind the stack's."""
    told = str(instance.sections.get("workspace", ""))
    metadata = instance.sections.get("metadata") or EMPTY
    is_explicit = any(isinstance(metadata.get(key), str) for key in ("terraform_workspace", "terraform_workspace_pattern"))
    if told == "default" or is_explicit or physical(instance) == instance.name:
        return told
    return f"{told}-{instance.name}".replace("/", "-")


def _name(instance: ResolvedInstance, ending: str) -> str:
    component = physical(instance)
    folders = component.rpartition("/")[0].replace("/", "-")
    last = instance.name.rpartition("/")[2]
    return "-".join(part for part in (instance.stack.replace("/", "-"), folders, last) if part) + "." + ending
