"""What `atmos describe stacks` and `describe component` print, from a resolved estate, and the text in which it is printed."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from catalog.errors import EstateError, NotFound
from catalog.stacks import encoding, json_text, scalars, varfile
from catalog.stacks.json_text import Record
from catalog.stacks.merging import Map
from catalog.stacks.resolved import ResolvedEstate, ResolvedInstance, ResolvedStack

# What `describe component` shows unless told otherwise: the sections that a manifest can define.
SCHEMA_KEYS = (
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
# The order in which Atmos looks for a component that may have several types.
_TYPES = ("terraform", "helmfile", "packer", "ansible", "container", "emulator", "kubernetes", "helm")


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
        entry = {key: value for key, value in instance.sections.items() if key in sections} if sections else instance.sections
        if entry:
            below = result.setdefault(instance.stack, {"components": {}})["components"]
            below.setdefault(instance.type, {})[instance.name] = entry
    return result


def component(
    resolved: ResolvedEstate, name: str, stack: str, *, component_type: str | None = None, everything: bool = False
) -> Map:
    """Return what `describe component` prints for an instance; raises NotFound in Atmos' words."""
    found = find(resolved, name, stack, component_type=component_type)
    sections: Map = {**found.sections, "workspace": varfile.workspace(found), "imports": imports(resolved, found)}
    if everything:
        return {**sections, "atmos_stack": stack, "stack": stack, "component_type": found.type}
    return schema_keys(sections)


def schema_keys(sections: Mapping[str, Any]) -> Map:
    """Return those sections that a manifest can define."""
    return {key: value for key, value in sections.items() if key in SCHEMA_KEYS}


def find(
    resolved: ResolvedEstate, name: str, stack: str, *, component_type: str | None = None, by_path: bool = True
) -> ResolvedInstance:
    """Return the instance of that name in the stack, by the stack's name or (`by_path`) its manifest's path; raises NotFound.

    Where several types have the name, it is the first that Atmos looks for.
    """
    found = [
        instance
        for instance in _instances(resolved.stacks)
        if instance.name == name and _is_in(instance, stack, by_path) and component_type in (None, instance.type)
    ]
    known = [instance for instance in found if instance.type in _TYPES]
    if known:
        return min(known, key=lambda instance: _TYPES.index(instance.type))
    raise not_found(resolved, name, stack, by_path=by_path)


def not_found(resolved: ResolvedEstate, name: str, stack: str, *, by_path: bool = True) -> NotFound:
    """Return the error for a component that a stack doesn't have, with the stack's name where a manifest's was given."""
    meant = next((each.stack for each in _instances(resolved.stacks) if each.sections.get("atmos_stack_file") == stack), None)
    if meant is not None and meant != stack and ("/" not in stack or not by_path):
        return NotFound(f"Stack {stack} not found.", hint=f"Did you mean {meant}?")
    return NotFound(
        f"Could not find the component {name} in the stack {stack}.\n"
        "Check that all the context variables are correctly defined in the stack manifests.\n"
        "Are the component and stack names correct? Did you forget an import?"
    )


def _is_in(instance: ResolvedInstance, stack: str, by_path: bool) -> bool:
    """Tell whether `-s` means the instance's stack: a manifest's path counts where it is one, with a slash."""
    return stack == instance.stack or (by_path and "/" in stack and stack == instance.sections.get("atmos_stack_file"))


def _instances(found: Sequence[ResolvedStack]) -> Iterator[ResolvedInstance]:
    return (instance for stack in found for instance in stack.instances)


def imports(resolved: ResolvedEstate, instance: ResolvedInstance) -> list[str]:
    """Return the names of every manifest that an instance's one imports, directly or not."""
    known = {manifest.path: manifest for manifest in resolved.manifests}
    names: set[str] = set()
    waiting = list(known[instance.manifest].imports) if instance.manifest in known else []
    while waiting:
        manifest = known.get(waiting.pop())
        if manifest is not None and manifest.name not in names:
            names.add(manifest.name)
            waiting += manifest.imports
    return sorted(names)


def to_json(value: Any) -> str:
    """Return the JSON text that Atmos prints: two spaces, sorted keys, no trailing `.0`, a line end.

    Raises EstateError for infinities and NaN, which JSON can't hold.
    """
    return "".join(json_text.pieces(value))


def to_yaml(value: Any) -> str:
    """Return the YAML text that Atmos prints."""
    return encoding.encode(value)


def printable(value: Any) -> Any:
    """Return a value as JSON holds it, with its maps in the order in which they are printed."""
    if isinstance(value, Record):
        return {key: printable(item) for key, item in value.items()}
    if isinstance(value, dict):
        return {key: printable(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [printable(item) for item in value]
    if isinstance(value, float):
        if math.isinf(value) or math.isnan(value):
            raise EstateError(f"json: unsupported value: {scalars.go_float(value)}", code="VALUE")
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    if isinstance(value, scalars.Timestamp):
        return encoding.moment(value)
    return value
