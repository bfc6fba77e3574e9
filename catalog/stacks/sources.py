"""Files as they are written: read once, parsed once, before locals, contexts and templates make manifests of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from catalog.errors import EstateError
from catalog.stacks import documents, includes
from catalog.stacks.documents import Document
from catalog.stacks.files import Files, extension
from catalog.stacks.findings import Findings
from catalog.stacks.includes import Reader
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.scalars import Timestamp
from catalog.stacks.tree import Tree
from catalog.values import Diagnostic, SourceLocation

_SIZE_LIMIT = 10_000_000  # bytes of a manifest that indexing reads; a machine generated this, and parsing it takes seconds


class ParsedCache(Protocol):
    """Remembers parsed files between readings, by a key of content and path."""

    def get(self, key: str) -> Document | None:
        """The document kept under the key."""
        ...

    def put(self, key: str, document: Document) -> None:
        """Keep a document under the key."""
        ...


class MemoryCache:
    """A cache in memory: for a process that reads an estate again and again."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}

    def get(self, key: str) -> Document | None:
        """The document kept under the key."""
        return self._documents.get(key)

    def put(self, key: str, document: Document) -> None:
        """Keep a document under the key."""
        self._documents[key] = document


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file as written.

    `path` lies in the tree, `file` is relative to the estate, `relative` to the stacks directory. `value` is what the text says as
    it stands, dates included; where it isn't YAML (a template may not be), `error` tells and `value` is empty. `template` is the
    text of a file that may hold actions of templates, its own or of what it includes, empty for any other.
    """

    path: str
    file: str
    relative: str
    content_hash: str
    document: Document = field(repr=False)
    value: Map = field(repr=False)
    template: str = field(repr=False)
    is_empty: bool = False
    mentions_append: bool = False
    error: EstateError | None = None
    diagnostics: tuple[Diagnostic, ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """The manifest's name as Atmos tells it: without `.yaml` or `.yml`; other extensions stay."""
        return self.relative.removesuffix(".yaml").removesuffix(".yml")

    @property
    def is_template(self) -> bool:
        """Tell whether the file's name makes its text a template, whatever it is read with."""
        return self.relative.endswith((".yaml.tmpl", ".yml.tmpl"))

    def location(self, path: tuple[str | int, ...]) -> SourceLocation:
        """Where a path is written, or the nearest thing above it; the file itself at last."""
        while path:
            found = self.document.location(path)
            if found is not None:
                return found
            path = path[:-1]
        return SourceLocation(file=self.file, line=1)


class _Remembering:
    """A tree that remembers what was read of it, by the key of the content; None for a file that isn't there."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.keys: dict[str, str | None] = {}

    def paths(self) -> Iterable[str]:
        """Every file's path, in lexical order."""
        return self._tree.paths()

    def read(self, path: str) -> bytes:
        """The file's bytes; raises FileNotFoundError when the tree has no such file."""
        self.keys[path] = None
        content = self._tree.read(path)
        self.keys[path] = content_key(content)
        return content

    def fingerprint(self, path: str) -> str | None:
        """The tree's own key."""
        return self._tree.fingerprint(path)


class Sources:
    """Reads the files of one tree.

    `looked` tells, by manifest (tree path), the files that its includes looked for, with the keys of their contents; None for a file
    that isn't there. `delimiter` makes levels of keys (`settings.yaml.key_delimiter`).
    """

    def __init__(self, files: Files, reader: Reader, *, strict: bool, cache: ParsedCache | None, delimiter: str = "") -> None:
        self.looked: dict[str, dict[str, str | None]] = {}
        self._files = files
        self._cache = cache
        self._delimiter = delimiter
        self._findings = Findings(strict=strict)
        self._remembering = _Remembering(reader.tree)
        self._reader = replace(reader, tree=self._remembering, lose=None if strict else self._findings.lose)

    def read(self, path: str, file: str, relative: str) -> Source:
        """Return a file as written; raises EstateError where it can't be read at all."""
        try:
            content = self._files.tree.read(path)
        except (OSError, UnicodeError) as error:
            raise EstateError(
                f"error reading file: {relative}: {error}", code="YAML", location=SourceLocation(file=file, line=1)
            ) from error
        if len(content) > _SIZE_LIMIT and not self._findings.strict:
            raise EstateError(
                f"{relative} is larger than {_SIZE_LIMIT // 1_000_000} MB",
                code="TOO_LARGE",
                hint="Larger files are read by the commands alone; data belongs in files of its own.",
                location=SourceLocation(file=file, line=1),
            )
        content_hash = content_key(content)
        document, value, problem = Document(file=file, value=None, places=None), EMPTY, None
        try:
            document = self.included(self._document(content, content_hash, file), path)
            value = as_map(document)
        except EstateError as error:
            problem = error
        lost = self.taken()
        is_template = b"{{" in content or path in self.looked
        return Source(
            path=path,
            file=file,
            relative=relative,
            content_hash=content_hash,
            document=document,
            value=value,
            template=content.decode("utf-8", "replace") if is_template else "",
            is_empty=not content,
            mentions_append=b"!append" in content,
            error=problem,
            diagnostics=lost,
        )

    def included(self, document: Document, path: str) -> Document:
        """Return a manifest's document with its includes replaced; raises EstateError in Atmos' words, in strict reading."""
        if not document.has_includes:
            return document
        found, looked = includes.resolved(document, path, self._reader)
        self.looked.setdefault(path, {}).update((place, self._remembering.keys.get(place)) for place in looked)
        return replace(found, has_timestamps=True)

    def taken(self) -> tuple[Diagnostic, ...]:
        """Return what was lost since this was last asked."""
        found = tuple(self._findings.diagnostics)
        self._findings.diagnostics.clear()
        return found

    def _document(self, content: bytes, content_hash: str, file: str) -> Document:
        if self._cache is None:
            return documents.load(content, file, delimiter=self._delimiter)
        key = f"{content_hash}:{self._delimiter}:{file}" if self._delimiter else f"{content_hash}:{file}"
        known = self._cache.get(key)
        if known is None:
            known = documents.load(content, file, delimiter=self._delimiter)
            self._cache.put(key, known)
        return known


def as_map(document: Document) -> Map:
    """Return a document's content; nothing at all is an empty map, anything but a map an EstateError in yaml.v3's words."""
    value = document.value
    if value is None:
        return EMPTY
    if not isinstance(value, dict):
        kind = "!!seq" if isinstance(value, list) else "!!str"
        words = f"yaml: unmarshal errors:\n  line 1: cannot unmarshal {kind} into map[string]interface {{}}"
        raise EstateError(words, code="YAML", location=SourceLocation(file=document.file, line=1, column=1))
    return value


def content_key(content: bytes) -> str:
    """Return the hash by which a file's content is known."""
    return hashlib.sha256(content).hexdigest()


def without_timestamps(value: Any) -> Any:
    """Return a value without its dates, which Atmos' merge makes empty maps; the very same one when it has none."""
    if isinstance(value, Timestamp):
        return EMPTY
    if isinstance(value, dict):
        changed = {key: new for key, item in value.items() if (new := without_timestamps(item)) is not item}
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        items = [without_timestamps(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def without_new_timestamps(value: Any, before: Any) -> Any:
    """Return the same for a value of which only what is not in the one before, at the same place, can hold dates."""
    if value is before:
        return value
    if isinstance(value, dict) and isinstance(before, dict):
        changed = {key: new for key, item in value.items() if (new := without_new_timestamps(item, before.get(key))) is not item}
        return {**value, **changed} if changed else value
    return without_timestamps(value)


def is_manifest_path(path: str) -> bool:
    """Tell whether a file's name is that of YAML, a template included."""
    return extension(path.removesuffix(".tmpl")) in (".yaml", ".yml")
