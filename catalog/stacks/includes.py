"""`!include` and `!include.raw`: other files' content in the place of a scalar, put there when a manifest is parsed.

The content is read by the file's extension: YAML (whose own tags mean nothing there), JSON, HCL, dotenv; anything else is text. It
goes once through YAML, as in Atmos, so numbers have the types that YAML gives them. Indexing never leaves the tree for a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from catalog.errors import EstateError, NotGiven
from catalog.stacks import arguments, documents, dotenv, encoding
from catalog.stacks.documents import Document, Include
from catalog.stacks.expressions import Query, select
from catalog.stacks.files import join
from catalog.stacks.functions import decoded
from catalog.stacks.lookup import NOTHING, Deferred, Lookup
from catalog.stacks.tree import Tree
from catalog.values import SourceLocation

_REMOTE = re.compile(
    r"(?:https?|s3|gcs|git|oci|scp|sftp|github)://|.*::|(?:github\.com|gitlab\.com|bitbucket\.org)/|[\w.-]+@[\w.-]+:"
)
_KNOWN_NAMES = frozenset({".json", ".yaml", ".yml", ".hcl", ".tf", ".tfvars", ".env", ".txt", ".md"})
_LARGEST = 10_000_000  # bytes; what indexing includes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Where included files are looked for.

    `base` is Atmos' base path in the tree, `working` the working directory where there is one, `root` the tree's absolute path, for
    messages. `query` evaluates yq expressions, `attributes` reads HCL. With `lose`, a file that can't be included is reported and its
    text stays; without it, errors are raised.
    """

    tree: Tree
    base: str = ""
    working: str | None = None
    root: str = ""
    query: Query | None = None
    attributes: Callable[[bytes, str], Any] | None = None
    lookup: Lookup = NOTHING
    lose: Callable[[EstateError], None] | None = None


def resolved(document: Document, path: str, reader: Reader) -> tuple[Document, frozenset[str]]:
    """Return a manifest's document with its includes replaced, and the files of the tree that were looked for, found or not.

    `path` is the manifest's in the tree. What is included has the place of its include. Raises EstateError in Atmos' words.
    """
    if not document.has_includes:
        return document, frozenset()
    walk = _Walk(document, path, reader)
    value, places = walk.node(document.value, document.places, None)
    return replace(document, value=value, places=places, has_includes=False), frozenset(walk.looked)


class _Walk:
    """One document's includes, and the files looked for."""

    def __init__(self, document: Document, path: str, reader: Reader) -> None:
        self.file = document.file
        self.path = path
        self.reader = reader
        self.looked: set[str] = set()
        self.seen: dict[int, tuple[Any, Any]] = {}

    def node(self, value: Any, places: Any, at: tuple[int, int] | None) -> tuple[Any, Any]:
        """Return a value and its places, with includes replaced; at tells where it is written."""
        if isinstance(value, Include):
            found = self._included(value, at)
            return found, _placed(found, at)
        if not isinstance(value, (dict, list)):
            return value, places
        known = self.seen.get(id(value))
        if known is None:
            known = self.seen[id(value)] = self._map(value, places) if isinstance(value, dict) else self._list(value, places)
        return known

    def _map(self, value: dict[str, Any], places: Any) -> tuple[Any, Any]:
        items, where = {}, {}
        for key, item in value.items():
            line, column, below = places[key]
            items[key], inner = self.node(item, below, (line, column))
            where[key] = (line, column, inner)
        return items, where

    def _list(self, value: list[Any], places: Any) -> tuple[Any, Any]:
        items, where = [], []
        for item, (line, column, below) in zip(value, places, strict=True):
            found, inner = self.node(item, below, (line, column))
            items.append(found)
            where.append((line, column, inner))
        return items, where

    def _included(self, text: Include, at: tuple[int, int] | None) -> Any:
        location = SourceLocation(file=self.file, line=at[0], column=at[1]) if at else SourceLocation(file=self.file, line=1)
        name, _, rest = text.partition(" ")
        try:
            target, expression = arguments.include(rest)
            value = self._content(target, as_text=name == "!include.raw")
            return _through_yaml(select(expression, value, self.reader.query)) if expression else value
        except EstateError as error:
            if isinstance(error, NotGiven):
                error = EstateError(f"{text}: {error.message}", code="INCLUDE", hint=error.hint)
            located = EstateError(error.message, code="INCLUDE", hint=error.hint, location=location)
            if self.reader.lose is None:
                raise located from error
            self.reader.lose(located)
            return Deferred(text)

    def _content(self, target: str, *, as_text: bool) -> Any:
        content = self._read(target)
        if self.reader.lose is not None and len(content) > _LARGEST:
            raise EstateError(f"the included file '{target}' is larger than {_LARGEST:,} bytes")
        return _through_yaml(content.decode("utf-8", "replace") if as_text else self._data(content, target))

    def _read(self, target: str) -> bytes:
        if _REMOTE.match(target):
            return self.reader.lookup.fetch(target)
        for place in self._places(target):
            found = self._file(place)
            if found is not None:
                return found
        raise self._missing(target)

    def _places(self, target: str) -> list[str]:
        if target.startswith("/"):
            return [target]
        folder = self.path.rpartition("/")[0]
        is_relative = target.split("/", maxsplit=1)[0] in {".", "..", ""}
        return [*([join(folder, target)] if is_relative else []), join(self.reader.base, target)]

    def _file(self, place: str) -> bytes | None:
        is_outside = place.startswith(("/", "../"))
        if is_outside and self.reader.root and place.startswith(f"{self.reader.root}/"):
            place, is_outside = place[len(self.reader.root) + 1 :], False
        if is_outside:
            return self.reader.lookup.file(place)
        self.looked.add(place)
        try:
            return self.reader.tree.read(place)
        except (OSError, UnicodeError, ValueError):
            return None

    def _missing(self, target: str) -> EstateError:
        root = self.reader.root if self.reader.lose is None else ""  # a diagnostic doesn't depend on where the estate lies
        manifest, base = (join_root(root, place) for place in (self.path, self.reader.base or "."))
        return EstateError(
            "the !include function references a file that does not exist: could not find local file "
            f"'{target}' (tried relative to manifest '{manifest}' and base path '{base}')",
            hint="Without ./ a path begins at the base path of atmos.yaml, not beside the manifest.",
        )

    def _data(self, content: bytes, target: str) -> Any:
        kind = kind_of(target)
        if kind == ".json":
            return _json(content)
        if kind in {".yaml", ".yml"}:
            return documents.load(content, target, tags=False).value
        if kind in {".hcl", ".tf", ".tfvars"}:
            return self._hcl(content, target)
        return dotenv.variables(content.decode("utf-8", "replace")) if kind == ".env" else content.decode("utf-8", "replace")

    def _hcl(self, content: bytes, target: str) -> Any:
        if self.reader.attributes is None:
            raise NotGiven("HCL can't be read here")
        try:
            return self.reader.attributes(content, target)
        except EstateError as error:
            raise EstateError(f"failed to process HCL file, file: {target}, error: {error.message}") from error


def kind_of(target: str) -> str:
    """Return the extension that decides how a file is read, with its dot, in lower case; empty when there is none."""
    name = target.partition("#")[0].partition("?")[0].rsplit("/", 1)[-1].lower()
    if name.startswith(".env."):
        return ".env"
    stem, dot, ending = name.rpartition(".")
    extension = f"{dot}{ending}" if ending else ""
    return extension if stem or extension in _KNOWN_NAMES else ""


def join_root(root: str, path: str) -> str:
    """Return a path of the tree as an absolute one, where the tree has a root."""
    return f"{root}/{path}".removesuffix("/.").rstrip("/") if root else path


def _json(content: bytes) -> Any:
    text = content.decode("utf-8", "replace")
    value = decoded(text)
    if value is text:
        raise EstateError("invalid JSON in the included file")
    return value


def _through_yaml(value: Any) -> Any:
    """A value as YAML gives it back: whole numbers of JSON become integers, a leading line end of a text is lost."""
    if isinstance(value, str) and "\n" not in value:
        return value
    return documents.load(encoding.encode(value).encode("utf-8", "surrogatepass"), "").value


def _placed(value: Any, at: tuple[int, int] | None) -> Any:
    """Places for an included value: everywhere its include's."""
    line, column = at or (1, 1)
    if isinstance(value, dict):
        return {key: (line, column, _placed(item, at)) for key, item in value.items()}
    return [(line, column, _placed(item, at)) for item in value] if isinstance(value, list) else None
