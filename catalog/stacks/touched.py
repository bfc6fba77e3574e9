"""Which stacks a set of changed files can reach, told from what manifests import as written, without merging any of them.

Comparing two estates needs only these: what no change reaches is equal on both sides, and was refused before or is sound. Where
that can't be told so (imports that only rendering tells, components that read other components), nothing is said and everything has
to be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from catalog.errors import EstateError
from catalog.stacks import discovery
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.decoding import COMPONENT_TYPES
from catalog.stacks.documents import Document
from catalog.stacks.files import Files, join
from catalog.stacks.findings import Findings
from catalog.stacks.imports import read_imports
from catalog.stacks.manifests import Manifests, is_manifest_path
from catalog.stacks.sources import ParsedCache, Source
from catalog.stacks.templates import Templates

# Text by which a component reads others, of whatever stack.
_READS_OTHERS = re.compile(rb"atmos\.Component|!(?:terraform|store)\b")
# Actions that take whole lines in and out of a manifest.
_CONTROL = re.compile(r"\{\{-?\s*(?:if|else|end|range|with|define|block|template|include)\b")
# Sections that name files whose change affects a component, which only the resolved component tells.
_NOWHERE = Document(file="", value=None, places=None)
_NAMES_FILES = re.compile(rb"\b(?:files?|folders?|sops)\b[\"']?\s*:")


def touched(
    head: Files,
    base: Files,
    config: AtmosConfig,
    changed: Iterable[str],
    *,
    templates: Templates | None = None,
    cache: ParsedCache | None = None,
) -> frozenset[str] | None:
    """Return the top-level manifests of either tree that changed files can reach; None where only reading everything tells.

    `changed` names every file that differs between the trees. Raises EstateError for a manifest of the head that can't be read.
    """
    differing = frozenset(changed)
    if _moves_code(head, base, config, differing):
        return None
    here = Manifests(head, config, strict=True, templates=templates, cache=cache)
    there = Manifests(base, config, strict=True, templates=templates, cache=cache)
    importers: dict[str, set[str]] = {}
    reached = {path for path in differing if _is_manifest(path, config)}
    for path in _manifests(head, base, config):
        sides = [manifests for files, manifests in ((head, here), (base, there)) if files.has(path)]
        # What is equal on both sides is read once, but may import what only one side has.
        readers = sides if path in differing else [sides[0]]
        for reader in readers:
            written = _imports(reader, path)
            if written is None:
                return None
            for manifests in sides:
                known = manifests.resolver.known
                for name in written:
                    for target in (known.get(name) or manifests.resolver.look(name))[1]:
                        importers.setdefault(target, set()).add(path)
    for manifests in (here, there):
        reached |= {path for path, looked in manifests.looked_for().items() if not differing.isdisjoint(looked)}
    tops = {path for files in (head, base) for path in discovery.top_level(files, config, Findings(strict=False))}
    return frozenset(_with_importers(reached, importers) & tops)


def only_manifests(files: Iterable[str], head: Files, config: AtmosConfig) -> bool:
    """Tell whether changed files are manifests, none of which any component can name as a file of its own."""
    named = list(files)
    if not named:
        return True
    if not all(_is_manifest(path, config) for path in named):
        return False
    return not any(_NAMES_FILES.search(head.tree.read(path)) for path in head.below(config.stacks_path) if is_manifest_path(path))


def _manifests(head: Files, base: Files, config: AtmosConfig) -> list[str]:
    found = {path for files in (head, base) for path in files.below(config.stacks_path) if is_manifest_path(path)}
    return sorted(found)


def _is_manifest(path: str, config: AtmosConfig) -> bool:
    return path.startswith(f"{config.stacks_path}/") and is_manifest_path(path)


def _imports(manifests: Manifests, path: str) -> list[str] | None:
    """The paths that a manifest imports; None where that isn't certain, or where its components read others."""
    try:
        if _READS_OTHERS.search(manifests.files.tree.read(path)):
            return None
        source = manifests.source(path)
        if source.error is not None or _is_uncertain(source):
            return None
        wanted = read_imports(source.value, _NOWHERE, source.relative)
    except EstateError:
        return None
    return None if any(each.has_template for each in wanted) else [each.path for each in wanted]


def _is_uncertain(source: Source) -> bool:
    return bool(source.template) and "import" in source.value and _CONTROL.search(source.template) is not None


def _moves_code(head: Files, base: Files, config: AtmosConfig, differing: frozenset[str]) -> bool:
    """Tell whether a directory of code came or went: a `component:` attribute may point at it."""
    bases = [join(config.base_path, place) for kind in COMPONENT_TYPES if (place := config.component_base_path(kind))]
    folders = {path.rpartition("/")[0] for path in differing if any(path.startswith(f"{place}/") for place in bases)}
    return any(head.has_directory(folder) != base.has_directory(folder) for folder in folders)


def _with_importers(reached: set[str], importers: Mapping[str, set[str]]) -> set[str]:
    waiting = list(reached)
    while waiting:
        for path in importers.get(waiting.pop(), ()):
            if path not in reached:
                reached.add(path)
                waiting.append(path)
    return reached
