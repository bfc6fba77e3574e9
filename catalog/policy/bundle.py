"""A bundle: the Rego policies of an estate and the data beside them, as one value with a digest.

Policies lie where `schemas.opa.base_path` of atmos.yaml says, `stacks/schemas/opa` where it says nothing: every `*.rego` below,
tests (`*_test.rego`) among them, and `data.json` or `data.yaml`, which stand in `data` under the names of their directories, as
in OPA's own bundles.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from catalog import values
from catalog.errors import Invalid
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.tree import Tree

DEFAULT_BASE = "stacks/schemas/opa"

_DATA: Mapping[str, Callable[[str], Any]] = {"data.json": json.loads, "data.yaml": yaml.safe_load, "data.yml": yaml.safe_load}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Texts of policies by path, and data. The digest names exactly this content."""

    files: Mapping[str, str]
    data: Mapping[str, Any] = field(repr=False)
    digest: str

    def document(self) -> dict[str, Any]:
        """The bundle as plain JSON, for `from_document` later."""
        return {"files": dict(self.files), "data": dict(self.data)}


def wanted(path: str) -> bool:
    """Whether a file below the base belongs to a bundle."""
    return path.endswith(".rego") or posixpath.basename(path) in _DATA


def read(files: Mapping[str, bytes]) -> Bundle:
    """Return the bundle of files by their path below the base; raises Invalid for data that can't be read or doesn't fit together."""
    texts: dict[str, str] = {}
    data: dict[str, Any] = {}
    for path in sorted(filter(wanted, files)):
        text = files[path].decode("utf-8-sig", "replace")
        if path.endswith(".rego"):
            texts[path] = text
        else:
            _add(data, path, text)
    return from_document({"files": texts, "data": data})


def from_document(document: Mapping[str, Any]) -> Bundle:
    """Return the bundle that a document of `Bundle.document` holds."""
    plain = {"files": dict(document["files"]), "data": dict(document["data"])}
    return Bundle(**plain, digest=values.digest(plain))


def of(tree: Tree, config: AtmosConfig, *, base: str | None = None) -> Bundle:
    """Return the bundle of an estate; `base` is another directory of it than the configuration names. Raises Invalid, as `read` does."""
    written = base or str(config.get("schemas", "opa", "base_path", otherwise="")) or DEFAULT_BASE
    prefix = posixpath.normpath(posixpath.join(config.base_path, written)) + "/"
    return read({path.removeprefix(prefix): tree.read(path) for path in tree.paths() if path.startswith(prefix) and wanted(path)})


def _add(data: dict[str, Any], path: str, text: str) -> None:
    try:
        value = _DATA[posixpath.basename(path)](text)
    except (ValueError, yaml.YAMLError) as error:
        raise Invalid(f"{path} can't be read: {error}", hint="it must be JSON or YAML", path=(path,)) from error
    if not isinstance(value, Mapping):
        raise Invalid(f"{path} is no map", hint="data of policies is a map of names to values", path=(path,))
    place = data
    for name in filter(None, posixpath.dirname(path).split("/")):
        place = place.setdefault(name, {})
    for name, entry in value.items():
        if str(name) in place:
            raise Invalid(f"{path} says {name} a second time", hint="each name of data stands in one file", path=(path,))
        place[str(name)] = entry
