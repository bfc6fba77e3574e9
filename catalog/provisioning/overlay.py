"""Writes a request's parameters into a copy of the estate that exists only in memory, and reads the estate again from there.

Pure: a tree and parameters in; the changed files, both readings and the target on both sides out. Nothing is written.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import CatalogError, Conflict, Invalid, NotFound
from catalog.provisioning.affected import Key, by_key
from catalog.stacks import editor
from catalog.stacks import estate as estates
from catalog.stacks.resolved import ResolvedEstate, ResolvedInstance
from catalog.stacks.tree import OverlayTree, Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """An estate with a request's parameters written in: the tree, the files that differ, and both readings.

    `changes` is repository path → new bytes, `originals` the same paths' bytes before; empty when every value stands there already.
    """

    tree: Tree = field(repr=False)
    changes: Mapping[str, bytes]
    originals: Mapping[str, bytes] = field(repr=False)
    before: ResolvedEstate = field(repr=False)
    after: ResolvedEstate = field(repr=False)
    target: ResolvedInstance = field(repr=False)  # afterwards
    directory: str = "."

    def text(self, path: str) -> tuple[str, str]:
        """Return a changed file's text before and after."""
        return self.originals[path].decode("utf-8", "replace"), self.changes[path].decode("utf-8", "replace")

    def source_hash(self, component_type: str, component: str) -> str | None:
        """Return a hash of every file of a component's directory; None where there is no code."""
        base = self.after.component_base_paths.get(component_type)
        if base is None:
            return None
        prefix = posixpath.normpath(posixpath.join(self.directory, base, component)) + "/"
        found = hashlib.sha256()
        paths = [path for path in self.tree.paths() if path.startswith(prefix)]
        for path in paths:
            key = self.tree.fingerprint(path) or hashlib.sha256(self.tree.read(path)).hexdigest()
            found.update(f"{path.removeprefix(prefix)}\0{key}\0".encode("utf-8", "surrogatepass"))
        return found.hexdigest() if paths else None


def write(
    tree: Tree,
    before: ResolvedEstate,
    *,
    directory: str,
    config_path: str | None,
    target: Key,
    parameters: Mapping[str, Any],
) -> Overlay:
    """Write parameters as variables of the target where its stack's own manifest holds them, and read the estate again.

    `before` is the reading of the tree as it is; what the change can't reach is shared with it. A map is merged into the map that
    stands there, as Atmos merges one layer over another; scalars and lists take its place. Raises NotFound when the estate has no
    such instance, Invalid when a value can't be written or would not take effect there.
    """
    instance = _instance(before, target)
    path, original, text = _edit(tree, directory, instance, parameters)
    if text == original:
        return Overlay(tree=tree, changes={}, originals={}, before=before, after=before, target=instance, directory=directory)
    changes = {path: text}
    overlaid = OverlayTree(tree, changes)
    after = estates.resolve(overlaid, directory=directory, config_path=config_path, previous=before, changed=changes)
    changed = _instance(after, target)
    _took_effect(changed, parameters, path=path)
    return Overlay(
        tree=overlaid,
        changes=changes,
        originals={path: original},
        before=before,
        after=after,
        target=changed,
        directory=directory,
    )


def _instance(estate: ResolvedEstate, target: Key) -> ResolvedInstance:
    found = by_key(estate).get(target)
    if found is None:
        stack, _, name = target
        raise NotFound(f"the estate has no component {name} in stack {stack} at this revision", hint="index it again")
    if found.abstract:
        raise Invalid(f"{found.name} is abstract: it is only inherited from", path=("component",))
    if not found.enabled:
        raise Invalid(f"{found.name} is disabled in {found.stack}", hint="enable it in metadata", path=("component",))
    if found.locked:
        raise Conflict(f"{found.name} in {found.stack} is locked by metadata.locked", code="LOCKED")
    return found


def _edit(tree: Tree, directory: str, instance: ResolvedInstance, parameters: Mapping[str, Any]) -> tuple[str, bytes, bytes]:
    """The path of the manifest that holds the instance, and its bytes without and with the parameters."""
    path = posixpath.normpath(posixpath.join(directory, instance.manifest))
    if parameters and path.endswith(".tmpl"):
        raise Invalid(f"{path} is a template, which can't be edited at a position", hint="change it by a commit", path=("stack",))
    original = text = tree.read(path)
    for variable, value in parameters.items():
        try:
            text = _merge(text, ("components", instance.type, instance.name, "vars", variable), value)
        except CatalogError as error:
            raise Invalid(f"{path} can't be edited: {error.message}", hint=error.hint, path=("parameters", variable)) from error
    return path, original, text


def _merge(text: bytes, path: tuple[str, ...], value: Any) -> bytes:
    if not isinstance(value, Mapping) or not value:
        return editor.set_value(text, path, value)
    for key, item in value.items():
        text = _merge(text, (*path, str(key)), item)
    return text


def _took_effect(instance: ResolvedInstance, parameters: Mapping[str, Any], *, path: str) -> None:
    resolved = instance.sections.get("vars") or {}
    for variable, value in parameters.items():
        if not _holds(resolved.get(variable), value):
            raise Invalid(
                f"{variable} written in {path} would not take effect: something stronger sets it",
                hint=f"catalog explain {instance.name} -s {instance.stack} vars.{variable} shows what (an override, most likely)",
                path=("parameters", variable),
            )


def _holds(resolved: Any, wanted: Any) -> bool:
    """Whether a resolved value is what was written: a map merges with what it inherits, so its written keys count."""
    if isinstance(wanted, Mapping) and isinstance(resolved, Mapping):
        return all(key in resolved and _holds(resolved[key], value) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(resolved, list):
        # Lists may be configured to append or merge: what was written is at least in it.
        return all(any(_holds(found, value) for found in resolved) for value in wanted)
    return type(resolved) is type(wanted) and bool(resolved == wanted)
