"""What `describe component` tells of a component beside its sections: where its code lies and what it says, and the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.cli import reading

if TYPE_CHECKING:
    from catalog.engines.hcl import Module
    from catalog.stacks.merging import Map
    from catalog.stacks.resolved import ResolvedEstate, ResolvedInstance

_WITH_CODE = ("terraform", "helmfile", "packer")


def sections(place: reading.Place, resolved: ResolvedEstate, instance: ResolvedInstance) -> Map:
    """Return the keys that no manifest holds."""
    return {
        "component_info": _component_info(place, resolved, instance),
        "cli_args": ["describe", "component"],
        "tf_cli_vars": {},
        "atmos_cli_config": _configuration(resolved),
    }


def _component_info(place: reading.Place, resolved: ResolvedEstate, instance: ResolvedInstance) -> Map:
    from catalog.stacks import varfile  # noqa: PLC0415

    info: Map = {"component_type": instance.type}
    if instance.type in _WITH_CODE:
        directory = place.root / varfile.code_directory(resolved, instance)
        info["component_path"] = str(directory)
        if instance.type == "terraform":
            info["terraform_config"] = _terraform_config(directory)
    return info


def _terraform_config(directory: Path) -> Map | None:
    """What the code says about itself, in the shape of HashiCorp's inspector; None where there is none or it is broken."""
    if not directory.is_dir():
        return None
    files = {file.name: file.read_bytes() for file in sorted(directory.iterdir()) if file.name.endswith((".tf", ".tf.json"))}
    module = reading.hcl().parse_module(files)
    return None if any(problem.severity == "ERROR" for problem in module.problems) else _inspected(module, directory)


def _inspected(module: Module, directory: Path) -> Map:
    def place(file: str, line: int) -> Map:
        return {"filename": str(directory / file), "line": line}

    return {
        "path": str(directory),
        "variables": {
            each.name: {
                "name": each.name,
                "type": each.type_expression,
                "description": each.description or "",
                "default": each.default,
                "required": not each.has_default,
                "sensitive": each.sensitive,
                "deprecated": "",
                "pos": place(each.file, each.line),
            }
            for each in module.variables
        },
        "outputs": {
            each.name: {
                "name": each.name,
                "description": each.description or "",
                "sensitive": each.sensitive,
                "type": "",
                "deprecated": "",
                "pos": place(each.file, each.line),
            }
            for each in module.outputs
        },
        "requiredcore": list(module.required_version),
        "requiredproviders": {
            each.name: {
                "source": each.source or "",
                "versionconstraints": [each.version] if each.version else [],
                "configurationaliases": [],
            }
            for each in module.providers
        },
        "modulecalls": {
            each.name: {
                "name": each.name,
                "source": each.source or "",
                "version": each.version or "",
                "pos": place(each.file, each.line),
            }
            for each in module.modules
        },
        "diagnostics": [],
    }


def _configuration(resolved: ResolvedEstate) -> dict[str, Any]:
    """What of atmos.yaml a component's policies may want to know."""
    if resolved.config is None:
        return {}
    keys = ("base_path", "components", "stacks", "workflows")
    return {key: resolved.config.get(key, otherwise="" if key == "base_path" else {}) for key in keys}
