"""The JSON of `atmos describe stacks` and `describe component`, from a resolved estate."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from typing import Any

from catalog.errors import EstateError, NotFound
from catalog.stacks import scalars, varfile
from catalog.stacks.merging import Map
from catalog.stacks.resolved import ResolvedEstate, ResolvedInstance, ResolvedStack

# What `describe component` shows unless told otherwise.
_COMPONENT_KEYS = (
    "backend",
    "component",
    "dependencies",
    "env",
    "hooks",
    "imports",
    "metadata",
    "overrides",
    "providers",
    "settings",
    "vars",
)


def stacks(
    resolved: ResolvedEstate,
    *,
    stack: str | None = None,
    components: Collection[str] = (),
    component_types: Collection[str] = (),
    sections: Collection[str] = (),
    include_empty_stacks: bool = False,
) -> Map:
    """Return what `describe stacks` prints: stack → components → type → name → entry, filtered as its flags do.

    `stack` is a stack's name or its manifest's; `components` also keeps every instance of a physical component.
    """
    result: Map = {}
    if include_empty_stacks:
        result = {name: {"components": {}} for name in resolved.empty_stacks if stack in (None, name)}
    for instance in _instances(resolved.stacks):
        is_wanted = (
            (stack is None or stack in (instance.stack, instance.sections.get("atmos_stack_file")))
            and (not component_types or instance.type in component_types)
            and (not components or instance.name in components or instance.component in components)
        )
        if not is_wanted:
            continue
        entry = {key: value for key, value in instance.sections.items() if not sections or key in sections}
        if entry:
            below = result.setdefault(instance.stack, {"components": {}})["components"]
            below.setdefault(instance.type, {})[instance.name] = entry
    return result


def component(
    resolved: ResolvedEstate, name: str, stack: str, *, component_type: str | None = None, everything: bool = False
) -> Map:
    """Return what `describe component` prints for an instance; raises NotFound in Atmos' words."""
    found = find(resolved, name, stack, component_type=component_type)
    sections: Map = dict(found.sections)
    if found.type == "terraform":
        sections["workspace"] = varfile.workspace(found)
    manifest = next((item for item in resolved.manifests if item.path == found.manifest), None)
    sections["imports"] = sorted(_imports(resolved, found.manifest)) if manifest else []
    if everything:
        return sections
    return {key: value for key, value in sections.items() if key in _COMPONENT_KEYS}


def find(resolved: ResolvedEstate, name: str, stack: str, *, component_type: str | None = None) -> ResolvedInstance:
    """Return the instance of that name in the stack (by its name or its manifest's); raises NotFound."""
    for instance in _instances(resolved.stacks):
        if (
            instance.name == name
            and stack in (instance.stack, instance.sections.get("atmos_stack_file"))
            and component_type in (None, instance.type)
        ):
            return instance
    raise NotFound(
        f"Could not find the component {name} in the stack {stack}.",
        hint="Check that all the context variables are correctly defined in the manifests, and that the names are spelt right.",
    )


def _instances(found: Sequence[ResolvedStack]) -> list[ResolvedInstance]:
    return [instance for stack in found for instance in stack.instances]


def _imports(resolved: ResolvedEstate, path: str) -> set[str]:
    """Every manifest that one imports, directly or not, by its name."""
    known = {manifest.path: manifest for manifest in resolved.manifests}
    names: set[str] = set()
    waiting = list(known[path].imports)
    while waiting:
        manifest = known.get(waiting.pop())
        if manifest is not None and manifest.name not in names:
            names.add(manifest.name)
            waiting += manifest.imports
    return names


def to_json(value: Any) -> str:
    """Return the JSON text that Atmos prints: two spaces, sorted keys, no trailing `.0`, a line end.

    Raises EstateError for infinities and NaN, which JSON can't hold.
    """
    return json.dumps(_printable(value), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(item) for item in value]
    if isinstance(value, float):
        if math.isinf(value) or math.isnan(value):
            raise EstateError(f"json: unsupported value: {scalars.go_float(value)}", code="VALUE")
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    return value
