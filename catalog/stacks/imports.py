"""The `import` section: which files a manifest imports, in which order, found as Atmos finds them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import EstateError
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.documents import Document
from catalog.stacks.files import Files, extension, join
from catalog.stacks.merging import EMPTY, Map
from catalog.values import SourceLocation

_EXTENSIONS = (".yaml", ".yml", ".yaml.tmpl", ".yml.tmpl")
_GIT_ADDRESS = re.compile(r"([\w.-]+@)?[\w.-]+\.[\w.-]+:[\w./-]+(\.git)?.*")
_DOMAINS = frozenset("com org net io dev co edu gov mil uk de fr jp cn au ca nl se no".split())  # noqa: SIM905 — a list of words reads best as words
_VERSION = re.compile(r"[vV]?\d+(\.\d+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One entry of the list.

    `path` is the path as Atmos resolves it first (relative ones joined to the importing file's directory), templates in it not yet
    rendered. `nested_imports` and `ttl` rule how remote imports are fetched; nothing is fetched here.
    """

    path: str
    location: SourceLocation | None
    context: Map = field(default_factory=lambda: EMPTY)
    skip_templates_processing: bool = False
    ignore_missing_template_values: bool = False
    skip_if_missing: bool = False
    nested_imports: str = ""
    ttl: str = ""

    @property
    def has_template(self) -> bool:
        """Tell whether the path is to be rendered, where templates are enabled."""
        return "{{" in self.path and not self.skip_templates_processing


def is_remote(path: str) -> bool:
    """Tell whether a path names something to download, as Atmos guesses it: a scheme, a repository, the name of a host."""
    if path.startswith(("/", "./", "../")):
        return False
    if "::" in path or "//" in path:
        return True
    host, slash, rest = path.partition("/")
    if _GIT_ADDRESS.fullmatch(path) or ".git" in rest or "/_git/" in slash + rest:
        return True
    name, _, ending = host.partition(".")
    if not name or not ending:
        return False
    if ending.lower().rpartition(".")[2] in _DOMAINS:
        return True
    return len(ending) > 1 and bool(slash) and not _VERSION.fullmatch(host)


def read_imports(value: Map, document: Document, relative: str) -> tuple[Import, ...]:
    """Return the manifest's imports; raises EstateError in Atmos' words when the section is malformed."""
    section = value.get("import")
    if section is None:
        return ()
    if not isinstance(section, list):
        words = f"invalid import section in the file '{relative}'"
        raise EstateError(words, code="IMPORT", location=document.location(("import",)), hint="`import` is a list of paths.")
    return tuple(_import(item, document.location(("import", number)), relative) for number, item in enumerate(section))


def _import(item: Any, location: SourceLocation | None, relative: str) -> Import:
    if isinstance(item, str) and item:
        return Import(path=_anchored(item, relative), location=location)
    if isinstance(item, dict) and _is_well_typed(item):
        if (item.get("nested_imports") or "local").strip().lower() not in ("local", "remote"):
            words = f"invalid import: nested_imports must be either 'local' or 'remote' in the file '{relative}'"
            raise EstateError(words, code="IMPORT", location=location)
        if not item.get("path"):
            raise EstateError(f"invalid import in the manifest '{relative}'", code="IMPORT", location=location)
        return Import(
            path=_anchored(item["path"], relative),
            location=location,
            context=item.get("context") or EMPTY,
            skip_templates_processing=item.get("skip_templates_processing") is True,
            ignore_missing_template_values=item.get("ignore_missing_template_values") is True,
            skip_if_missing=item.get("skip_if_missing") is True,
            nested_imports=item.get("nested_imports") or "",
            ttl=item.get("ttl") or "",
        )
    shown = "(empty)" if item == "" else f"'{item}'" if item is not None else ""
    raise EstateError(f"invalid import {shown}".rstrip() + f" in the file '{relative}'", code="IMPORT", location=location)


_FLAGS = ("skip_templates_processing", "ignore_missing_template_values", "skip_if_missing")
_WORDS = ("nested_imports", "ttl")


def _is_well_typed(item: Map) -> bool:
    return (
        all(isinstance(item.get(name) or "", str) for name in ("path", *_WORDS))
        and isinstance(item.get("context") or EMPTY, dict)
        and all(isinstance(item.get(name) or False, bool) for name in _FLAGS)
    )


def _anchored(path: str, relative: str) -> str:
    """Join `./x`, `../x` and `/x` to the importing file's directory; everything else is relative to the stacks directory."""
    first = path.split("/", 1)[0]
    if first in ("", ".", ".."):
        return join(relative.rpartition("/")[0], path.lstrip("/"))
    return path


class Resolver:
    """Finds what imports mean in one estate; remembers what it found, for the same paths are imported again and again."""

    def __init__(self, files: Files, config: AtmosConfig, *, strict: bool) -> None:
        self._files = files
        self._config = config
        self._strict = strict
        self.known: dict[str, tuple[str, list[str]]] = {}

    def find(self, written: str, wanted: Import, relative: str, importer: str) -> list[str]:
        """Return the tree paths that an import means, in merge order; raises EstateError when it means nothing.

        `written` is the import's path with its templates rendered.
        """
        if is_remote(written):
            if wanted.skip_if_missing:
                return []
            words = f"failed to download remote import '{written}' in file '{relative}'"
            raise EstateError(words, code="IMPORT", hint="Remote imports are not read; vendor the file.", location=wanted.location)
        path, found = self.known.get(written) or self.look(written)
        if path == importer:
            words = f"stack manifest imports itself: manifest '{relative}' imports itself via '{written}'"
            raise EstateError(words, code="IMPORT_CYCLE", location=wanted.location)
        # Atmos passes over a path in which a template is left, as where templates aren't enabled.
        if found or wanted.skip_if_missing or "{{" in written:
            return found
        words = f"stack import not found: import '{written}' in file '{relative}': failed to find import"
        raise EstateError(words, code="IMPORT", hint=self._hint(path), location=wanted.location)

    def look(self, written: str) -> tuple[str, list[str]]:
        """Return the tree path (or pattern) that a written path means, and the files that it finds."""
        path = join(self._config.stacks_path, self._with_extension(written))
        known = self.known[written] = (path, self._files.find(path) if self._is_inside(path) else [])
        return known

    def _is_inside(self, path: str) -> bool:
        """Nothing above the tree is ever read; lenient reading stays in the estate's directory."""
        base = self._config.base_path
        return not path.startswith("../") and (self._strict or not base or path.startswith(base + "/"))

    def _with_extension(self, path: str) -> str:
        ending, root = extension(path), self._config.stacks_path
        if ending:
            template = path + ".tmpl"
            return template if ending in (".yaml", ".yml") and self._files.has(join(root, template)) else path
        return next((path + ending for ending in _EXTENSIONS if self._files.has(join(root, path + ending))), path + ".yaml")

    def _hint(self, path: str) -> str:
        if not self._is_inside(path):
            return "The path leaves the estate's directory."
        if self._files.has_directory(path.removesuffix(".yaml")):
            return "That is a directory: import `…/*` for its files."
        name = path.rsplit("/", 1)[-1]
        near = next((found for found in self._files.paths if found.endswith("/" + name)), None)
        return f"Is {near} meant?" if near else "Create the file, correct the path, or say `skip_if_missing: true`."
