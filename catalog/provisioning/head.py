"""The estate as it stands: its repository, the tree of its branch's tip, and the overlay of a request upon it.

Blocking (git and the resolver): call from a thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import Conflict, Unavailable
from catalog.gitops import Repository
from catalog.provisioning import overlay as overlays
from catalog.provisioning.affected import Key
from catalog.provisioning.overlay import Overlay
from catalog.records import Estate
from catalog.stacks.tree import DirectoryTree, Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A request drawn upon the estate at `base` (None: a plain directory, which has no revisions)."""

    base: str | None
    overlay: Overlay


def repository(estate: Estate) -> Repository:
    """Return the estate's repository; raises Unavailable when the catalog keeps none."""
    if estate.path is None:
        raise Unavailable(f"estate {estate.name} has no repository here", hint="index it again")
    return Repository(Path(estate.path), ref=estate.ref)


def writable(estate: Estate) -> None:
    """Raise Conflict (code READ_ONLY) with the reason when nothing can be committed to the estate."""
    if estate.kind == "directory":
        raise Conflict(
            f"estate {estate.name} is a plain directory, which is read-only here",
            code="READ_ONLY",
            hint="register it in seeds/estates.yaml as a Git repository, or with `managed: true`",
        )
    if not estate.writable:
        raise Conflict(
            f"estate {estate.name} is read-only", code="READ_ONLY", hint="its entry in seeds/estates.yaml says what may be written"
        )


def draw(estate: Estate, target: tuple[str, str, str], parameters: Mapping[str, Any]) -> Drawn:
    """Draw parameters upon the tip of the estate's branch; `target` is (stack, component type in upper case, name)."""
    if estate.kind == "directory":
        return Drawn(base=None, overlay=_draw(estate, DirectoryTree(estate.path or "."), target, parameters))
    store = repository(estate)
    base = store.head()
    return Drawn(base=base, overlay=_draw(estate, store.tree(base), target, parameters))


def _draw(estate: Estate, tree: Tree, target: tuple[str, str, str], parameters: Mapping[str, Any]) -> Overlay:
    return overlays.write(
        tree, directory=estate.directory, config_path=estate.config_path, target=_lower(target), parameters=parameters
    )


def _lower(target: tuple[str, str, str]) -> Key:
    stack, component_type, name = target
    return (stack, component_type.lower(), name)
