"""What Atmos writes beside Terraform code before it runs: the varfile, the backend file, and where they go."""

from __future__ import annotations

import json
from typing import Any

from catalog.errors import EstateError
from catalog.stacks.files import join
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.resolved import ResolvedInstance

_ENDINGS = {
    "terraform": "terraform.tfvars.json",
    "helmfile": "helmfile.vars.yaml",
    "packer": "packer.vars.json",
}


def varfile(instance: ResolvedInstance) -> tuple[str, str]:
    """Return the varfile's name and its JSON text: the variables, sorted and indented."""
    text = json.dumps(instance.sections.get("vars") or EMPTY, indent=2, sort_keys=True, ensure_ascii=False)
    return _name(instance, _ENDINGS.get(instance.type.lower(), f"{instance.type.lower()}.vars.json")), text + "\n"


def planfile(instance: ResolvedInstance) -> str:
    """Return the name that Atmos gives a saved plan."""
    return _name(instance, "planfile")


def backend(instance: ResolvedInstance) -> tuple[str, Map]:
    """Return the backend file's name and value; raises EstateError when the component has no backend type."""
    kind = instance.sections.get("backend_type")
    if not kind:
        raise EstateError(f"'backend_type' is missing for the component: '{instance.name}'", code="BACKEND")
    settings = instance.sections.get("backend") or EMPTY
    if kind == "cloud":
        workspace = str(instance.sections.get("workspace", ""))
        return "backend.tf.json", {"terraform": {"cloud": _with_workspace(settings, workspace)}}
    return "backend.tf.json", {"terraform": {"backend": {kind: settings}}}


def _with_workspace(settings: Any, workspace: str) -> Any:
    workspaces = settings.get("workspaces")
    if not isinstance(workspaces, dict) or not isinstance(workspaces.get("name"), str):
        return settings
    name = workspaces["name"].replace("{terraform_workspace}", workspace)
    return {**settings, "workspaces": {**workspaces, "name": name}}


def working_directory(instance: ResolvedInstance, base_path: str) -> str:
    """Return where the component's code lies, relative to the estate; `base_path` is its type's."""
    return join(base_path, physical(instance))


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
