"""Manifests: one YAML file each, and what it becomes when its imports are merged below it.

In go a tree and the configuration, out come `Merged` values: the merged content (shared between stacks wherever equal), and the
tree of files that made it, from which provenance is told later. Every file is parsed once and every import prefix merged once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from catalog.errors import EstateError
from catalog.stacks import documents, hints
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.documents import Document
from catalog.stacks.files import Files, extension, join
from catalog.stacks.findings import Findings
from catalog.stacks.imports import Import, Resolver, read_imports
from catalog.stacks.merging import EMPTY, Map, Memo, appended, holds_append, merge
from catalog.stacks.scalars import Timestamp
from catalog.stacks.stages import Stages
from catalog.values import Diagnostic, SourceLocation

_PARSE_WORDS = (
    "invalid stack manifest: failed to parse YAML for locals extraction "
    "(hint: if this file contains Go template directives, rename it to .yaml.tmpl): {error}\n\n"
    "File being processed: {file}\nstack manifest '{file}'"
)


_LINE = re.compile(r"(?:unmarshal errors:\n *)?line \d+: ")


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
class Manifest:
    """One file as read.

    `path` lies in the tree, `file` is relative to the estate, `relative` to the stacks directory, `name` is that without extension.
    """

    path: str
    file: str
    name: str
    relative: str
    content_hash: str
    document: Document = field(repr=False)
    value: Map = field(repr=False)
    imports: tuple[Import, ...] = field(repr=False)
    has_append: bool
    has_text: bool
    diagnostics: tuple[Diagnostic, ...] = field(repr=False)

    def location(self, path: tuple[str | int, ...]) -> SourceLocation | None:
        """Where a path is written in this file, following no import."""
        return self.document.location(path)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scope:
    """The `overrides` in force while a file is read: its ancestors' own, and what earlier imports leaked, for both types."""

    terraform: tuple[Map, Map] = (EMPTY, EMPTY)  # written in this file and its ancestors, come from imports
    helmfile: tuple[Map, Map] = (EMPTY, EMPTY)

    def key(self) -> tuple[int, ...]:
        """An identity for memos: equal keys are the same maps."""
        return (*map(id, self.terraform), *map(id, self.helmfile))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Merged:
    """A manifest with its imports merged below it.

    `parts` are the merged imports in order; `has_text` tells whether any file holds templates or functions; `mentions` tells, for
    each component (type, name), the manifest that writes it last.
    """

    manifest: Manifest
    value: Map = field(repr=False)
    parts: tuple[Merged, ...] = field(repr=False)
    scope: Scope = field(repr=False)
    has_append: bool
    has_text: bool
    mentions: dict[tuple[str, str], Manifest] = field(repr=False)

    def contributions(self, chain: tuple[str, ...] = ()) -> Iterator[tuple[Manifest, tuple[str, ...]]]:
        """Every file in the order in which it was merged, each with the import chain from the top-level manifest to it."""
        below = (*chain, self.manifest.file)
        for part in self.parts:
            yield from part.contributions(below)
        yield self.manifest, below


class Manifests:
    """Reads and merges the manifests of one estate, each once."""

    def __init__(
        self, files: Files, config: AtmosConfig, *, strict: bool, stages: Stages, cache: ParsedCache | None = None
    ) -> None:
        self.files = files
        self.config = config
        self.strict = strict
        self.stages = stages
        self.cache = cache
        self.memo = Memo()
        self.resolver = Resolver(files, config, strict=strict)
        self.strategy = config.list_strategy
        self._read: dict[str, Manifest | EstateError] = {}
        self._merged: dict[tuple[str, tuple[int, ...]], Merged | EstateError] = {}
        self._kept: list[Scope] = []  # identities in keys are good only while the scopes live
        self._empty = Scope()

    def read(self, path: str) -> Manifest:
        """Return one file as read; raises EstateError (the same one each time) when it can't be."""
        known = self._read.get(path)
        if known is None:
            try:
                known = self._parsed(path)
            except EstateError as error:
                known = error
            self._read[path] = known
        if isinstance(known, EstateError):
            raise known.with_traceback(None)
        return known

    def merged(self, path: str) -> Merged:
        """Return a top-level manifest with its imports merged; raises EstateError when any of them can't be read."""
        return self._merge(path, self._empty, ())

    def read_paths(self) -> dict[str, Manifest | EstateError]:
        """Every file asked for so far, as read or with its error."""
        return self._read

    def in_cycles(self) -> set[str]:
        """The manifests that an import cycle kept from being merged; where a cycle is found depends on where reading began."""
        return {
            path for (path, _), known in self._merged.items() if isinstance(known, EstateError) and known.code == "IMPORT_CYCLE"
        }

    def adopt(self, other: Manifests, changed: frozenset[str], touched: frozenset[str]) -> None:
        """Take over what another reading knows: the files (tree paths) that didn't change, the merges that no change touches."""
        self.memo = other.memo if other.memo.is_worth_keeping() else Memo()
        self._kept, self._empty = list(other._kept), other._empty
        for written in other.resolver.known:
            self.resolver.look(written)
        self._read = {path: known for path, known in other._read.items() if path not in changed}
        self._merged = {key: known for key, known in other._merged.items() if key[0] not in touched}

    def _parsed(self, path: str) -> Manifest:
        file = self.relative_to_estate(path)
        relative = self._relative_to_stacks(path)
        try:
            content = self.files.tree.read(path)
        except (OSError, UnicodeError) as error:
            raise EstateError(
                f"error reading file: {relative}: {error}", code="YAML", location=SourceLocation(file=file)
            ) from error
        content_hash = content_key(content)
        try:
            document = self.stages.file(self._document(content, content_hash, file), EMPTY)
            value = self._content(document, relative)
        except EstateError as error:
            # Lenient messages leave the line to the location, so that moving a line doesn't make another diagnostic.
            words = _PARSE_WORDS.format(error=error.message, file=relative) if self.strict else _LINE.sub("", error.message)
            raise EstateError(words, code="YAML", hint=error.hint, location=error.location) from error
        findings = Findings(strict=self.strict)
        imports = read_imports(value, document, relative, findings)
        hints.of_manifest(document, value, relative, findings, is_text_template=b"{{" in content)
        return Manifest(
            path=path,
            file=file,
            name=stack_file_name(relative),
            relative=relative,
            content_hash=content_hash,
            document=document,
            value=value,
            imports=imports,
            has_append=b"!append" in content and holds_append(value),
            has_text=b"{{" in content or document.first_function is not None,
            diagnostics=tuple(findings.diagnostics),
        )

    def _document(self, content: bytes, content_hash: str, file: str) -> Document:
        if self.cache is None:
            return documents.load(content, file)
        key = f"{content_hash}:{file}"
        known = self.cache.get(key)
        if known is None:
            known = documents.load(content, file)
            self.cache.put(key, known)
        return known

    def _content(self, document: Document, relative: str) -> Map:
        value = document.value
        if value is None:
            return EMPTY
        if not isinstance(value, dict):
            kind = "!!seq" if isinstance(value, list) else "!!str"
            words = f"yaml: unmarshal errors:\n  line 1: cannot unmarshal {kind} into map[string]interface {{}}"
            raise EstateError(words, code="YAML", location=SourceLocation(file=document.file, line=1, column=1), hint=relative)
        erased = _without_timestamps(value) if document.has_timestamps else value
        return erased if isinstance(erased, dict) else EMPTY

    def _merge(self, path: str, scope: Scope, chain: tuple[str, ...]) -> Merged:
        key = (path, scope.key())
        known = self._merged.get(key)
        if known is None:
            try:
                known = self._with_imports(self.read(path), scope, (*chain, path))
            except EstateError as error:
                known = error
            self._merged[key] = known
        if isinstance(known, EstateError):
            raise known.with_traceback(None)
        return known

    def _with_imports(self, manifest: Manifest, scope: Scope, chain: tuple[str, ...]) -> Merged:
        scope = self._entered(manifest, scope)
        parts: list[Merged] = []
        for wanted in manifest.imports:
            for path in self._targets(manifest, wanted, chain):
                part = self._merge(path, scope, chain)
                scope = self._leaked(scope, part.scope)
                parts.append(part)
        own = self._overridden(manifest, scope)
        return Merged(
            manifest=manifest,
            value=self._value(parts, own, manifest),
            parts=tuple(parts),
            scope=scope,
            # A merge of two or more resolves every `!append`; a lone file keeps its own for the component merge.
            has_append=(manifest.has_append or any(part.has_append for part in parts)) and len(parts) + bool(own) < 2,
            has_text=manifest.has_text or any(part.has_text for part in parts),
            mentions=_mentions(parts, manifest),
        )

    def _targets(self, manifest: Manifest, wanted: Import, chain: tuple[str, ...]) -> list[str]:
        paths = self.resolver.find(wanted, manifest.relative, manifest.path)
        for path in paths:
            if path in chain:
                loop = " -> ".join(self._relative_to_stacks(step) for step in (*chain[chain.index(path) :], path))
                raise EstateError(
                    f"circular import: {loop}",
                    code="IMPORT_CYCLE",
                    hint="Take one of these imports out; the manifests of the cycle can't be resolved.",
                    location=wanted.location,
                )
        return paths

    def _value(self, parts: list[Merged], own: Map, manifest: Manifest) -> Map:
        layers = [part.value for part in parts if part.value] + ([own] if own else [])
        appends = [part.has_append for part in parts if part.value] + ([manifest.has_append] if own else [])
        if len(layers) < 2:
            return layers[0] if layers else EMPTY
        result, strategy = EMPTY, self.strategy
        for layer, has_append in zip(layers, appends, strict=True):
            if has_append:
                result = merge(result, appended(layer, result, strategy), strategy)
            else:
                result = self.memo.merge(result, layer, strategy)
        return result

    def _entered(self, manifest: Manifest, scope: Scope) -> Scope:
        """The scope inside a file: its own overrides, with its ancestors' over them."""
        everywhere = _section(manifest, "overrides", ())
        terraform = _section(manifest, "overrides", ("terraform",))
        helmfile = _section(manifest, "overrides", ("helmfile",))
        if not (everywhere or terraform or helmfile):
            return scope
        return self._keep(
            Scope(
                terraform=(self._joined(everywhere, terraform, scope.terraform[0]), scope.terraform[1]),
                helmfile=(self._joined(everywhere, helmfile, scope.helmfile[0]), scope.helmfile[1]),
            )
        )

    def _leaked(self, scope: Scope, part: Scope) -> Scope:
        """The scope after an import: what was in force inside it stays in force for what follows."""
        terraform = self._joined(scope.terraform[1], part.terraform[1], part.terraform[0])
        helmfile = self._joined(scope.helmfile[1], part.helmfile[1], part.helmfile[0])
        if terraform is scope.terraform[1] and helmfile is scope.helmfile[1]:
            return scope
        return self._keep(Scope(terraform=(scope.terraform[0], terraform), helmfile=(scope.helmfile[0], helmfile)))

    def _joined(self, *layers: Map) -> Map:
        result = EMPTY
        for layer in layers:
            result = self.memo.merge(result, layer, self.strategy)
        return result

    def _keep(self, scope: Scope) -> Scope:
        self._kept.append(scope)
        return scope

    def _overridden(self, manifest: Manifest, scope: Scope) -> Map:
        """The file's own content, each of its components carrying the overrides in force."""
        own = manifest.value
        components = own.get("components")
        if not isinstance(components, dict):
            return own
        changed = dict(components)
        for kind, layers in (("terraform", scope.terraform), ("helmfile", scope.helmfile)):
            overrides = self._joined(layers[1], layers[0])
            written = components.get(kind)
            if overrides and isinstance(written, dict):
                changed[kind] = {
                    name: {**entry, "overrides": overrides} if isinstance(entry, dict) else entry for name, entry in written.items()
                }
        return {**own, "components": changed} if changed != components else own

    def relative_to_estate(self, path: str) -> str:
        """Return a tree path relative to the estate's directory."""
        return _relative(path, self.config.base_path)

    def _relative_to_stacks(self, path: str) -> str:
        return _relative(path, self.config.stacks_path)


def content_key(content: bytes) -> str:
    """Return the hash by which a file's content is known."""
    return hashlib.sha256(content).hexdigest()


def stack_file_name(relative: str) -> str:
    """Return a manifest's name as Atmos tells it: without `.yaml` or `.yml`; other extensions stay."""
    return relative.removesuffix(".yaml").removesuffix(".yml")


def _relative(path: str, directory: str) -> str:
    if not directory:
        return path
    if path.startswith(directory + "/"):
        return path[len(directory) + 1 :]
    ups = directory.count("/") + 1
    return join("../" * ups + path)


def _section(manifest: Manifest, key: str, below: tuple[str, ...]) -> Map:
    value: Any = manifest.value
    for step in below:
        value = value.get(step, EMPTY)
        if not isinstance(value, dict):
            words = f"invalid {step} section in the stack manifest '{manifest.relative}'"
            raise EstateError(words, code="SECTION", location=manifest.location((step,)))
    section = value.get(key, EMPTY)
    if not isinstance(section, dict):
        words = f"invalid {' '.join((*below, key))} section in the stack manifest '{manifest.relative}'"
        raise EstateError(words, code="SECTION", location=manifest.location((*below, key)))
    return section


def _mentions(parts: list[Merged], manifest: Manifest) -> dict[tuple[str, str], Manifest]:
    found: dict[tuple[str, str], Manifest] = {}
    for part in parts:
        found.update(part.mentions)
    components = manifest.value.get("components")
    for kind, entries in components.items() if isinstance(components, dict) else ():
        if isinstance(entries, dict):
            found.update(dict.fromkeys(((kind, name) for name in entries), manifest))
    return found


def _without_timestamps(value: Any) -> Any:
    """Dates are lost in Atmos' merge copy: they become empty maps."""
    if isinstance(value, Timestamp):
        return EMPTY
    if isinstance(value, dict):
        return {key: _without_timestamps(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_timestamps(item) for item in value]
    return value


def is_manifest_path(path: str) -> bool:
    """Tell whether a file's name is that of YAML, a template included."""
    return extension(path.removesuffix(".tmpl")) in (".yaml", ".yml")
