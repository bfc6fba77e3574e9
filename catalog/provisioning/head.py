"""The estate as it stands: its repository, the tree of its branch's tip, and the overlay of a request upon it.

Blocking (git and the resolver): call from a thread.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.config import Config
from catalog.errors import Conflict, Unavailable
from catalog.gitops import Repository
from catalog.provisioning import overlay as overlays
from catalog.provisioning.affected import Key
from catalog.provisioning.overlay import Overlay
from catalog.records import Estate
from catalog.stacks import estate as estates
from catalog.stacks.resolved import ResolvedEstate
from catalog.stacks.tree import DirectoryTree, Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A request drawn upon the estate at `base` (None: a plain directory, which has no revisions)."""

    base: str | None
    overlay: Overlay


def repository(estate: Estate, config: Config | None = None) -> Repository:
    """Return the estate's repository; raises Unavailable when the catalog keeps none.

    Only with the configuration may it need the credentials for its remote: to fetch and to push.
    """
    if estate.path is None:
        raise Unavailable(f"estate {estate.name} has no repository here", hint="index it again")
    token = config.secret(estate.credentials) if config else None
    return Repository(Path(estate.path), ref=estate.ref, token=token)


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
        return Drawn(base=None, overlay=_draw(estate, DirectoryTree(estate.path or "."), None, target, parameters))
    store = repository(estate)
    base = store.head()
    with store.tree(base) as tree:
        return Drawn(base=base, overlay=_draw(estate, tree, base, target, parameters))


def _draw(estate: Estate, tree: Tree, base: str | None, target: tuple[str, str, str], parameters: Mapping[str, Any]) -> Overlay:
    # One at a time for each estate: readings that build on each other share what they hold.
    with _lock(estate.id):
        return overlays.write(
            tree,
            _read(estate, tree, base),
            directory=estate.directory,
            config_path=estate.config_path,
            target=_lower(target),
            parameters=parameters,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remembered:
    """The last reading of an estate's branch in this process: the next one costs what has changed since."""

    settings: tuple[str | None, ...]
    base: str
    resolved: ResolvedEstate


_KEPT = 4  # estates; a reading of 1,000 stacks takes some hundred megabytes
_readings: dict[str, _Remembered] = {}
_locks: dict[str, threading.Lock] = {}
_guard = threading.Lock()


def _read(estate: Estate, tree: Tree, base: str | None) -> ResolvedEstate:
    """Read the estate at a revision, building on the last reading where there is one."""
    settings = (estate.path, estate.directory, estate.config_path)
    kept = _readings.get(estate.id)
    if kept is not None and (kept.settings != settings or base is None):
        kept = None
    if kept is not None and kept.base == base:
        return kept.resolved
    resolved = estates.resolve(
        tree,
        directory=estate.directory,
        config_path=estate.config_path,
        previous=kept.resolved if kept else None,
        changed=repository(estate).changed_files(kept.base, base) if kept and base else None,
    )
    if base is not None:
        with _guard:
            _readings.pop(estate.id, None)
            _readings[estate.id] = _Remembered(settings=settings, base=base, resolved=resolved)
            for oldest in list(_readings)[:-_KEPT]:
                del _readings[oldest]
    return resolved


def _lock(estate_id: str) -> threading.Lock:
    with _guard:
        return _locks.setdefault(estate_id, threading.Lock())


def _lower(target: tuple[str, str, str]) -> Key:
    stack, component_type, name = target
    return (stack, component_type.lower(), name)
