"""Finds and reads atmos.yaml: which files it is made of, in which order, and what they decide about stacks.

Strict reading looks where Atmos looks (parents within the tree, what the caller hands in from the system and home directories, the
environment handed in); lenient reading only looks in the estate's directory. Paths in the result are relative to the tree.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import decoding, documents
from catalog.stacks.decoding import COMPONENT_TYPES
from catalog.stacks.documents import Document
from catalog.stacks.files import Files, join
from catalog.stacks.findings import Findings
from catalog.stacks.merging import EMPTY, Map, merge
from catalog.values import SourceLocation

NAMES = ("atmos.yaml", "atmos.yml")

# Keys whose case is kept; viper lower-cases every other.
_CASED = (("env",), ("templates", "settings", "env"), ("auth", "identities"))

# What an estate without any atmos.yaml is read with.
_DEFAULTS: Map = {
    "base_path": ".",
    "stacks": {
        "base_path": "stacks",
        "included_paths": ["orgs/**/*"],
        "excluded_paths": ["**/_defaults.yaml"],
        "name_pattern": "{tenant}-{environment}-{stage}",
    },
    "components": {name: {"base_path": f"components/{name}"} for name in ("terraform", "helmfile", "packer", "kubernetes")},
    "workflows": {"base_path": "stacks/workflows"},
    "templates": {"settings": {"enabled": True, "sprig": {"enabled": True}, "gomplate": {"enabled": True}}},
}

# Environment variables that decide like keys do; a list is comma separated.
_VARIABLES: dict[str, tuple[str, ...]] = {
    "ATMOS_BASE_PATH": ("base_path",),
    "ATMOS_STACKS_BASE_PATH": ("stacks", "base_path"),
    "ATMOS_STACKS_INCLUDED_PATHS": ("stacks", "included_paths"),
    "ATMOS_STACKS_EXCLUDED_PATHS": ("stacks", "excluded_paths"),
    "ATMOS_STACKS_NAME_PATTERN": ("stacks", "name_pattern"),
    "ATMOS_STACKS_NAME_TEMPLATE": ("stacks", "name_template"),
    "ATMOS_SETTINGS_LIST_MERGE_STRATEGY": ("settings", "list_merge_strategy"),
    "ATMOS_WORKFLOWS_BASE_PATH": ("workflows", "base_path"),
    "ATMOS_SCHEMAS_ATMOS_MANIFEST": ("schemas", "atmos", "manifest"),
    **{f"ATMOS_COMPONENTS_{name.upper()}_BASE_PATH": ("components", name, "base_path") for name in COMPONENT_TYPES},
    **{f"ATMOS_COMPONENTS_{name.upper()}_COMMAND": ("components", name, "command") for name in COMPONENT_TYPES},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """A configuration text from outside the tree (system or home directory), handed in by a strict caller."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AtmosConfig:
    """What atmos.yaml decides.

    `directory` is where it lies, `working` where the command was given, `base_path` the estate's own directory, `stacks_path` that of
    the manifests, all within the tree.
    """

    directory: str
    working: str = ""
    base_path: str
    stacks_path: str
    values: Map = field(repr=False)
    sources: tuple[Document, ...] = field(repr=False)

    def get(self, *keys: str, otherwise: Any = None) -> Any:
        """The value at the keys, else the default; null counts as absent."""
        return decoding.get(self.values, keys, otherwise)

    @property
    def included_paths(self) -> list[str]:
        """Patterns that select top-level manifests, relative to the stacks directory."""
        return list(self.get("stacks", "included_paths", otherwise=[]))

    @property
    def excluded_paths(self) -> list[str]:
        """Patterns that drop them again."""
        return list(self.get("stacks", "excluded_paths", otherwise=[]))

    @property
    def name_pattern(self) -> str:
        """`stacks.name_pattern`, empty when unset."""
        return str(self.get("stacks", "name_pattern", otherwise=""))

    @property
    def name_template(self) -> str:
        """`stacks.name_template`, empty when unset; it wins over the pattern."""
        return str(self.get("stacks", "name_template", otherwise=""))

    @property
    def list_strategy(self) -> str:
        """How lists merge unless a component says otherwise."""
        return str(self.get("settings", "list_merge_strategy", otherwise="") or "replace")

    @property
    def templates_enabled(self) -> bool:
        """Whether components are rendered as Go templates."""
        return self.get("templates", "settings", "enabled", otherwise=False) is True

    def component_base_path(self, kind: str) -> str:
        """Where a component type's code lies, relative to the estate; empty when unset."""
        return str(self.get("components", kind, "base_path", otherwise=""))

    def location(self, *keys: str) -> SourceLocation | None:
        """Where a key is written: in the last source that has it."""
        return _location(self.sources, keys)


def load(
    files: Files,
    directory: str,
    *,
    findings: Findings,
    config_path: str | None = None,
    environment: Mapping[str, str] | None = None,
    inherited: Sequence[ConfigFile] = (),
    git_root: str | None = None,
) -> AtmosConfig:
    """Find, read and decode the configuration; raises EstateError when it can't be read.

    `config_path` is the directory (or file) that ATMOS_CLI_CONFIG_PATH or `--config-path` would name, within the tree.
    """
    environment = environment or {}
    config_path = config_path or _relative(files, directory, environment.get("ATMOS_CLI_CONFIG_PATH"))
    reader = _Reader(files)
    for text in inherited:
        reader.add(documents.load(text.content, text.name))
    places = _places(files, directory, config_path, strict=findings.strict)
    for place in places:
        reader.read_directory(place)
    reader.read_profiles(places[-1] if places else directory, environment.get("ATMOS_PROFILE", ""))
    values = reader.values if reader.sources else _DEFAULTS
    source = "config"
    for variable, keys in _VARIABLES.items():
        if environment.get(variable):
            values = merge(values, decoding.nested(keys, decoding.typed(keys, environment[variable])))
            source = "runtime" if keys == ("base_path",) else source
    decoded = decoding.decoded(values, findings, lambda keys: _location(reader.sources, keys))
    anchor = places[-1] if places else directory
    base_path = _base_path(
        files, str(decoding.get(decoded, ("base_path",), "")), anchor, directory, source=source, git_root=git_root
    )
    return AtmosConfig(
        directory=anchor,
        working=directory,
        base_path=base_path,
        stacks_path=join(base_path, str(decoding.get(decoded, ("stacks", "base_path"), ""))),
        values=decoded,
        sources=tuple(reader.sources),
    )


def check(config: AtmosConfig, files: Files) -> None:
    """Insist on what resolving needs: where stacks lie and which manifests are top-level; raises EstateError in Atmos' words."""
    needed = (
        (
            ("stacks", "base_path"),
            "stack base path must be provided in 'stacks.base_path' config or ATMOS_STACKS_BASE_PATH' ENV variable",
        ),
        (
            ("stacks", "included_paths"),
            "at least one path must be provided in 'stacks.included_paths' config or ATMOS_STACKS_INCLUDED_PATHS' ENV variable",
        ),
    )
    location = SourceLocation(file=config.sources[-1].file) if config.sources else None
    for keys, words in needed:
        if not config.get(*keys):
            raise EstateError(words, code="CONFIG", location=location)
    if not files.has_directory(config.stacks_path):
        directory = config.get("stacks", "base_path")
        raise EstateError(
            "Missing Configuration: the atmos.yaml CLI config file specifies the directory for Atmos stacks as "
            f"{directory}, but the directory does not exist.",
            code="CONFIG",
            location=config.location("stacks", "base_path") or location,
        )


class _Reader:
    """Collects configuration files from the lowest to the highest."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.values: Map = EMPTY
        self.sources: list[Document] = []

    def read_directory(self, directory: str) -> None:
        """Read a directory's atmos.yaml with what lies below it in priority: imports, atmos.d, .atmos.d."""
        path = (
            directory
            if self.files.has(directory)
            else next((join(directory, name) for name in NAMES if self.files.has(join(directory, name))), None)
        )
        if path is None:
            return
        folder = path.rpartition("/")[0]
        main = self._document(path)
        for imported in self._imports(main, folder):
            self.add(self._document(imported))
        for extra in ("atmos.d", ".atmos.d"):
            for found in _shallow_first(self.files.below(join(folder, extra))):
                self.add(self._document(found))
        self.add(main)

    def read_profiles(self, directory: str, chosen: str) -> None:
        """Read the chosen profiles over everything else; raises EstateError for one that doesn't exist."""
        default = decoding.get(self.values, ("profiles", "default"), "")
        names = [name.strip() for name in chosen.split(",") if name.strip()] or ([str(default)] if default else [])
        base = decoding.get(self.values, ("profiles", "base_path"), "")
        for name in names:
            folders = [join(directory, str(place), name) for place in (base, "profiles", ".atmos/profiles") if place]
            folder = next((place for place in folders if self.files.has_directory(place)), None)
            if folder is None:
                words = f"profile not found: Profile {name} does not exist in any configured location"
                raise EstateError(words, code="CONFIG")
            for path in _shallow_first(self.files.below(folder)):
                self.add(self._document(path))

    def add(self, document: Document) -> None:
        """Merge one document over what was read before."""
        if isinstance(document.value, dict):
            self.values = merge(self.values, _lowered(document.value, ()))
        self.sources.append(document)

    def _document(self, path: str) -> Document:
        try:
            return documents.load(self.files.tree.read(path), path)
        except EstateError as error:
            words = f"failed to read config: {path.rpartition('.')[0]}: While parsing config: {error.message}"
            raise EstateError(words, code="CONFIG", hint=error.hint, location=error.location) from error

    def _imports(self, document: Document, folder: str) -> Iterable[str]:
        wanted = document.value.get("import") if isinstance(document.value, dict) else None
        for pattern in wanted if isinstance(wanted, list) else []:
            # Imports that can't be found, remote ones among them, are ignored as Atmos ignores them.
            if isinstance(pattern, str):
                yield from self.files.find(join(folder, pattern))


def _places(files: Files, directory: str, config_path: str | None, *, strict: bool) -> list[str]:
    """The directories (or the file) to read atmos.yaml from, lowest priority first."""
    own = any(files.has(join(directory, name)) for name in NAMES) or any(
        files.has_directory(join(directory, name)) for name in ("atmos.d", ".atmos.d")
    )
    places = [directory] if own else []
    if strict and not own and config_path is None:
        places = _parents(files, directory)
    return [*places, config_path] if config_path is not None else places


def _parents(files: Files, directory: str) -> list[str]:
    while directory:
        directory = directory.rpartition("/")[0]
        if any(files.has(join(directory, name)) for name in (*NAMES, ".atmos.yaml")):
            return [directory]
    return []


def _relative(files: Files, directory: str, path: str | None) -> str | None:
    """Turn a path from the environment into one within the tree; None where it lies outside."""
    if not path:
        return None
    root = str(getattr(files.tree, "root", ""))
    if path.startswith("/"):
        path = os.path.realpath(path)  # as the tree's root is: an estate may be named through a link
        return path[len(root) :].strip("/") if root and (path + "/").startswith(root + "/") else None
    return join(directory, path)


def _shallow_first(paths: Iterable[str]) -> list[str]:
    found = [path for path in paths if path.endswith((".yaml", ".yml"))]
    return sorted(found, key=lambda path: (path.count("/"), path))


def _lowered(value: Any, path: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        if path in _CASED:
            return value
        return {key.lower(): _lowered(item, (*path, key.lower())) for key, item in value.items()}
    if isinstance(value, list):
        return [_lowered(item, path) for item in value]
    return value


def _base_path(files: Files, path: str, anchor: str, directory: str, *, source: str, git_root: str | None) -> str:
    """Where the estate's own directory is: what `base_path` means depends on how it is written and who wrote it."""
    anchor = anchor.rpartition("/")[0] if files.has(anchor) else anchor
    root = str(getattr(files.tree, "root", "")) + "/"
    if path.startswith("/"):
        return join(path[len(root) :]) if (path + "/").startswith(root) else join("..", path)
    if path == "." or path.startswith(("./", "..")):
        return join(directory if source == "runtime" else anchor, path)
    if git_root is not None:
        found = join(git_root, path)
        return (
            found
            if not path or files.has_directory(found) or not files.has_directory(join(directory, path))
            else join(directory, path)
        )
    order = (directory, anchor) if source == "runtime" and path else (anchor, directory)
    return next((join(place, path) for place in order if files.has_directory(join(place, path))), join(anchor, path))


def _location(sources: Sequence[Document], keys: Sequence[str]) -> SourceLocation | None:
    return next((found for source in reversed(sources) if (found := _cased_location(source, keys)) is not None), None)


def _cased_location(document: Document, keys: Sequence[str]) -> SourceLocation | None:
    path: list[str] = []
    value = document.value
    for key in keys:
        found = next((name for name in value if name.lower() == key), None) if isinstance(value, dict) else None
        if found is None:
            return None
        path.append(found)
        value = value[found]
    return document.location(path)
