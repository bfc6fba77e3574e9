"""What atmos.yaml decides: read from where Atmos looks, decoded, with paths relative to the tree.

Strict reading looks where Atmos looks (parents within the tree, what the caller hands in from the system and home directories, the
environment handed in); lenient reading only looks in the estate's directory.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import config_files, decoding, store_options
from catalog.stacks.config_files import Configuration
from catalog.stacks.config_functions import World
from catalog.stacks.decoding import COMPONENT_TYPES, Keys
from catalog.stacks.documents import Document
from catalog.stacks.files import Files, join
from catalog.stacks.findings import Findings
from catalog.stacks.lookup import NOTHING, Lookup
from catalog.stacks.merging import Map, merge
from catalog.values import SourceLocation

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
    "settings": {"list_merge_strategy": "replace"},
    "templates": {"settings": {"enabled": True, "sprig": {"enabled": True}, "gomplate": {"enabled": True}}},
}

# Environment variables that decide like keys do. A list is split at its commas and nowhere else; a boolean must be one.
_VARIABLES: dict[str, Keys] = {
    "ATMOS_BASE_PATH": ("base_path",),
    "ATMOS_STACKS_BASE_PATH": ("stacks", "base_path"),
    "ATMOS_STACKS_INCLUDED_PATHS": ("stacks", "included_paths"),
    "ATMOS_STACKS_EXCLUDED_PATHS": ("stacks", "excluded_paths"),
    "ATMOS_STACKS_NAME_PATTERN": ("stacks", "name_pattern"),
    "ATMOS_STACKS_NAME_TEMPLATE": ("stacks", "name_template"),
    "ATMOS_SETTINGS_LIST_MERGE_STRATEGY": ("settings", "list_merge_strategy"),
    "ATMOS_WORKFLOWS_BASE_PATH": ("workflows", "base_path"),
    "ATMOS_VENDOR_BASE_PATH": ("vendor", "base_path"),
    "ATMOS_SCHEMAS_ATMOS_MANIFEST": ("schemas", "atmos", "manifest"),
    "ATMOS_SCHEMAS_JSONSCHEMA_BASE_PATH": ("schemas", "jsonschema", "base_path"),
    "ATMOS_SCHEMAS_OPA_BASE_PATH": ("schemas", "opa", "base_path"),
    "ATMOS_SCHEMAS_CUE_BASE_PATH": ("schemas", "cue", "base_path"),
    "ATMOS_DESCRIBE_PROVENANCE": ("describe", "provenance"),
    "ATMOS_DESCRIBE_COMPONENT_FILTER": ("describe", "component", "filter"),
    **{f"ATMOS_COMPONENTS_{name.upper()}_BASE_PATH": ("components", name, "base_path") for name in COMPONENT_TYPES},
    **{f"ATMOS_COMPONENTS_{name.upper()}_COMMAND": ("components", name, "command") for name in COMPONENT_TYPES},
    "ATMOS_COMPONENTS_TERRAFORM_APPEND_USER_AGENT": ("components", "terraform", "append_user_agent"),
    "ATMOS_COMPONENTS_HELMFILE_KUBECONFIG_PATH": ("components", "helmfile", "kubeconfig_path"),
    "ATMOS_COMPONENTS_HELMFILE_HELM_AWS_PROFILE_PATTERN": ("components", "helmfile", "helm_aws_profile_pattern"),
    "ATMOS_COMPONENTS_HELMFILE_CLUSTER_NAME_PATTERN": ("components", "helmfile", "cluster_name_pattern"),
}
_FLAGS: dict[str, Keys] = {
    "ATMOS_COMPONENTS_TERRAFORM_APPLY_AUTO_APPROVE": ("components", "terraform", "apply_auto_approve"),
    "ATMOS_COMPONENTS_TERRAFORM_DEPLOY_RUN_INIT": ("components", "terraform", "deploy_run_init"),
    "ATMOS_COMPONENTS_TERRAFORM_INIT_RUN_RECONFIGURE": ("components", "terraform", "init_run_reconfigure"),
    "ATMOS_COMPONENTS_TERRAFORM_INIT_PASS_VARS": ("components", "terraform", "init", "pass_vars"),
    "ATMOS_COMPONENTS_TERRAFORM_PLAN_SKIP_PLANFILE": ("components", "terraform", "plan", "skip_planfile"),
    "ATMOS_COMPONENTS_TERRAFORM_AUTO_GENERATE_BACKEND_FILE": ("components", "terraform", "auto_generate_backend_file"),
    "ATMOS_COMPONENTS_HELMFILE_USE_EKS": ("components", "helmfile", "use_eks"),
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
        return _patterns(self.get("stacks", "included_paths", otherwise=[]))

    @property
    def excluded_paths(self) -> list[str]:
        """Patterns that drop them again."""
        return _patterns(self.get("stacks", "excluded_paths", otherwise=[]))

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A configuration that the caller chooses: files, then directories, in the tree. Nothing is looked for elsewhere then."""

    files: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()


def _patterns(listed: Any) -> list[str]:
    """The texts of a list; an item that a function left without a value is empty, as it is to Go."""
    return ["" if item is None else str(item) for item in listed]


def load(
    files: Files,
    directory: str,
    *,
    findings: Findings,
    config_path: str | None = None,
    selection: Selection | None = None,
    environment: Mapping[str, str] | None = None,
    inherited: Sequence[ConfigFile] = (),
    git_root: str | None = None,
    lookup: Lookup = NOTHING,
    profiles: Sequence[str] = (),
) -> AtmosConfig:
    """Find, read and decode the configuration; raises EstateError when it can't be read.

    `config_path` is the directory (or file) that the configuration lies in, within the tree, `selection` several of them: what
    `--config-path` and `--config` name. `lookup` answers YAML functions; `profiles` are those that the caller chooses.
    """
    environment = environment or {}
    reader = Configuration(
        files, findings, World(files=files, working=directory, lookup=lookup, findings=findings, environment=environment), git_root
    )
    chosen = selection or _selected(files, directory, config_path, environment)
    for text in inherited if chosen is None else ():
        reader.inherit(text.content, text.name)
    _read(reader, directory, chosen, environment)
    values = reader.values
    if not reader.sources:
        values = _DEFAULTS if git_root is None else reader.fragments(git_root, _DEFAULTS)
        reader.values = values
    environment = {**config_files.promoted(values), **environment}
    anchor = directory if reader.anchor is None else reader.anchor
    reader.read_profiles(list(profiles) or _profiles(reader.values, environment), anchor)
    values, is_runtime = _with_variables(reader.values, environment)
    decoded = decoding.decoded(values, findings, lambda keys: _location(reader.sources, keys))
    store_options.check(decoded, environment, findings, lambda keys: _location(reader.sources, keys))
    base_path = _base_path(
        files,
        str(decoding.get(decoded, ("base_path",), "")),
        anchor,
        directory,
        source="runtime" if is_runtime else "config",
        git_root=git_root,
    )
    root = str(getattr(files.tree, "root", "")) if findings.strict else ""  # lenient reading doesn't depend on where a copy lies
    base_path = _without_repeats(root, base_path)
    return AtmosConfig(
        directory=anchor,
        working=directory,
        base_path=base_path,
        stacks_path=_without_repeats(root, join(base_path, str(decoding.get(decoded, ("stacks", "base_path"), "")))),
        values=decoded,
        sources=tuple(reader.sources),
    )


def _read(reader: Configuration, directory: str, selection: Selection | None, environment: Mapping[str, str]) -> None:
    """Read every file, from the lowest to the highest."""
    if selection is not None:
        _read_selected(reader, selection)
        return
    named = environment.get("ATMOS_CLI_CONFIG_PATH", "")
    alone = bool(named) or not reader.findings.strict
    for place in config_files.places(reader.files, directory, git_root=reader.git_root, alone=alone):
        reader.read_directory(place)
    found = _in_tree(reader.files, directory, named) if named else None
    if found is not None:
        reader.read_directory(found)


def _read_selected(reader: Configuration, selection: Selection) -> None:
    for path in selection.files:
        if not reader.files.has(path):
            raise EstateError(f"file not found --config file '{path}' does not exist", code="CONFIG")
        reader.read_chosen(path)
    for place in selection.directories:
        if not reader.files.has_directory(place):
            raise EstateError(f"atmos config directory not found --config-path directory '{place}' does not exist", code="CONFIG")
        if not reader.read_directory(place) and not reader.files.has(join(place, ".atmos.yaml")):
            raise EstateError(f"atmos configuration file not found in directory {place}", code="CONFIG")
        if reader.files.has(join(place, ".atmos.yaml")) and reader.anchor != place:
            reader.read_file(join(place, ".atmos.yaml"))


def _selected(files: Files, directory: str, config_path: str | None, environment: Mapping[str, str]) -> Selection | None:
    """What the caller or the environment chooses; None where the configuration is to be looked for."""
    chosen = _named(files, directory, environment, "ATMOS_CONFIG")
    directories = _named(files, directory, environment, "ATMOS_CONFIG_PATH")
    if config_path is not None:
        is_file = files.has(config_path)
        chosen, directories = (*chosen, *((config_path,) if is_file else ())), () if is_file else (config_path,)
    return Selection(files=chosen, directories=directories) if chosen or directories else None


def _named(files: Files, directory: str, environment: Mapping[str, str], variable: str) -> tuple[str, ...]:
    """The paths within the tree that a variable lists."""
    texts = (text.strip() for text in environment.get(variable, "").split(","))
    found = (_in_tree(files, directory, text) for text in texts if text)
    return tuple(path for path in found if path is not None)


def _profiles(values: Map, environment: Mapping[str, str]) -> list[str]:
    chosen = [name.strip() for name in environment.get("ATMOS_PROFILE", "").split(",") if name.strip()]
    default = decoding.get(values, ("profiles", "default"), "")
    return chosen or ([default.strip()] if isinstance(default, str) and default.strip() else [])


def _with_variables(values: Map, environment: Mapping[str, str]) -> tuple[Map, bool]:
    """Lay the environment over the values; tells also whether it says where the estate lies."""
    for variable, keys in _VARIABLES.items():
        if environment.get(variable):
            values = merge(values, decoding.nested(keys, environment[variable]))
    for variable, keys in _FLAGS.items():
        text = environment.get(variable)
        if text:
            try:
                values = merge(values, decoding.nested(keys, decoding.flag(text)))
            except ValueError as error:
                raise EstateError(f'strconv.ParseBool: parsing "{text}": invalid syntax', code="CONFIG") from error
    return values, bool(environment.get("ATMOS_BASE_PATH"))


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
    directory = config.get("stacks", "base_path")
    if directory and not files.has_directory(config.stacks_path):
        raise EstateError(
            "Missing Configuration: the atmos.yaml CLI config file specifies the directory for Atmos stacks as "
            f"{directory}, but the directory does not exist.",
            code="CONFIG",
            hint=_elsewhere(files, str(directory)),
            location=config.location("stacks", "base_path") or location,
        )
    for keys, words in needed:
        if not config.get(*keys):
            hint = (
                None
                if config.get("stacks")
                else "This configuration says nothing of stacks: is the estate's atmos.yaml another one?"
            )
            raise EstateError(words, code="CONFIG", hint=hint, location=location)


def _elsewhere(files: Files, directory: str) -> str | None:
    """Say where a directory of that name lies, if there is just one."""
    wanted = "/" + directory.strip("./")
    found = {path[: at + len(wanted)].strip("/") for path in files.paths if (at := f"/{path}".find(f"{wanted}/")) >= 0}
    if wanted == "/" or len(found) != 1:
        return None
    return f"There is '{found.pop()}'; base_path and stacks.base_path say where it is looked for."


def _in_tree(files: Files, directory: str, path: str) -> str | None:
    """Turn a path from the environment into one within the tree; None where it lies outside."""
    root = str(getattr(files.tree, "root", ""))
    if path.startswith("/"):
        path = os.path.realpath(path)  # as the tree's root is: an estate may be named through a link
        return path[len(root) :].strip("/") if root and (path + "/").startswith(root + "/") else None
    return join(directory, path)


def _base_path(files: Files, path: str, anchor: str, directory: str, *, source: str, git_root: str | None) -> str:
    """Where the estate's own directory is: what `base_path` means depends on how it is written and who wrote it."""
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


def _without_repeats(root: str, path: str) -> str:
    """Drop directories that a path names twice in a row, two or more at a time, as Atmos does.

    So an estate in `deploy/live` may say `base_path: deploy/live` of itself, though the path is looked for below it.
    """
    parts = posixpath.normpath(f"{root}/{path}" if root else path or ".").split("/")
    begin = 1 if parts[0] == "" else 0
    length = 2
    while length * 2 <= len(parts) - begin:
        for start in range(begin, len(parts) - length * 2 + 1):
            if parts[start : start + length] == parts[start + length : start + length * 2]:
                del parts[start + length : start + length * 2]
                length = 1  # the shortest repeats first, again
                break
        length += 1
    kept = "/".join(parts)
    return join(posixpath.relpath(kept, root)) if root else join(kept)


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
