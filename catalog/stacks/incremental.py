"""What a reading may take over from the one before: everything that no changed file can reach.

The import graph tells: a manifest is touched when it changed, when what one of its imports means changed (a file came or went),
or when it imports a touched one. The result of reading on is the same as that of reading everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from catalog.engines.rendering import Renderer
from catalog.errors import EstateError
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.components import Components
from catalog.stacks.decoding import COMPONENT_TYPES
from catalog.stacks.evaluation import Processing
from catalog.stacks.files import Files, join
from catalog.stacks.lookup import Lookup
from catalog.stacks.manifests import Manifests, content_key
from catalog.stacks.naming import Naming
from catalog.stacks.schema import Judge
from catalog.stacks.stack_files import StackFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a reading was made with beside the files: the engine, what may be asked of the world, and what is evaluated."""

    engine: Renderer | None
    lookup: Lookup | None
    processing: Processing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """What one reading keeps for the next: configuration, files, manifests and what was judged of them, stacks by path."""

    strict: bool
    config: AtmosConfig = field(repr=False)
    rules: Rules = field(repr=False)
    files: Files = field(repr=False)
    manifests: Manifests = field(repr=False)
    components: Components = field(repr=False)
    naming: Naming = field(repr=False)
    versions: bytes | None = field(repr=False)
    judge: Judge | None = field(repr=False)
    stacks: Mapping[str, StackFile] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which tree paths changed, and which manifests that touches (the changed ones among them)."""

    changed: frozenset[str]
    touched: frozenset[str]


def is_comparable(old: Reading, config: AtmosConfig, rules: Rules, *, strict: bool) -> bool:
    """Tell whether an older reading was made under the same rules, so that anything of it may be kept."""
    return (
        old.strict == strict
        and old.rules == rules
        and (old.config.base_path, old.config.stacks_path, old.config.directory)
        == (config.base_path, config.stacks_path, config.directory)
        and old.config.values == config.values
    )


def reach(old: Reading, manifests: Manifests, changed: Iterable[str] | None) -> Reach | None:
    """Return what a change reaches; None when it reaches everything (a directory of code came or went).

    `manifests` is the new, still empty reader. Without `changed` every file that was read is compared by its content.
    """
    files = manifests.files
    moved = files.known ^ old.files.known
    if _moves_code(old, files, moved):
        return None
    direct = moved | (_differing(old, files) if changed is None else frozenset(changed))
    direct |= {path for path, looked in old.manifests.looked_for().items() if not direct.isdisjoint(looked)}
    touched = {path for path in old.manifests.read_paths() if path in direct} | (direct & files.known)
    touched |= old.manifests.in_cycles()
    if moved:
        touched |= old.manifests.asking(_meaning_otherwise(old.manifests, manifests))
    return Reach(changed=direct, touched=_importers(old.manifests.imports_of(), touched))


def _moves_code(old: Reading, files: Files, moved: frozenset[str]) -> bool:
    """Tell whether a directory below the components came or went: a `component:` attribute may point at it."""
    bases = [join(old.config.base_path, base) for kind in COMPONENT_TYPES if (base := old.config.component_base_path(kind))]
    for path in moved:
        if any(path.startswith(base + "/") for base in bases):
            folder = path.rpartition("/")[0]
            if files.has_directory(folder) != old.files.has_directory(folder):
                return True
    return False


def _differing(old: Reading, files: Files) -> frozenset[str]:
    manifests = {path for path in old.manifests.read_paths() if _differs(path, old, files)}
    included = {place: key for looked in old.manifests.looked_for().values() for place, key in looked.items()}
    return frozenset(
        manifests | {path for path, key in included.items() if files.has(path) and _has_other_content(path, key, old, files)}
    )


def _differs(path: str, old: Reading, files: Files) -> bool:
    try:
        return not files.has(path) or _has_other_content(path, old.manifests.source(path).content_hash, old, files)
    except EstateError:
        return True


def _has_other_content(path: str, key: str | None, old: Reading, files: Files) -> bool:
    before, now = old.files.tree.fingerprint(path), files.tree.fingerprint(path)
    if before is not None and now is not None:
        return before != now
    try:
        return content_key(files.tree.read(path)) != key
    except (OSError, UnicodeError):
        return True


def _meaning_otherwise(old: Manifests, new: Manifests) -> set[str]:
    """The paths of imports that now mean other files."""
    return {written for written, found in old.resolver.known.items() if new.resolver.look(written) != found}


def _importers(imports: Mapping[str, tuple[str, ...]], touched: set[str]) -> frozenset[str]:
    """Everything touched, with all that imports it, directly or not."""
    reached = set(touched)
    size = 0
    while size < len(reached):
        size = len(reached)
        reached.update(path for path, targets in imports.items() if path not in reached and not reached.isdisjoint(targets))
    return frozenset(reached)
