"""Manifests: one YAML file each, and what it becomes when its imports are merged below it.

In go a tree and the configuration, out come `Merged` values: the merged content (shared between stacks wherever equal), and the
tree of files that made it, from which provenance is told later. Every file is parsed once and taken through the file pass once for
each context that it is imported with; every import prefix is merged once.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from catalog.engines.rendering import Host
from catalog.errors import EstateError, NotGiven
from catalog.stacks import functions, hints
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.contexts import Contexts
from catalog.stacks.documents import Document
from catalog.stacks.file_pass import FilePass
from catalog.stacks.files import Files, join
from catalog.stacks.findings import Findings
from catalog.stacks.import_paths import Earlier, ImportPaths
from catalog.stacks.imports import Import, Resolver, read_imports
from catalog.stacks.includes import Reader
from catalog.stacks.locals import Evaluate
from catalog.stacks.lookup import NOTHING, Lookup
from catalog.stacks.merging import EMPTY, Map, Memo, appended, holds_append, merge
from catalog.stacks.naming import Naming
from catalog.stacks.override_scopes import NO_OVERRIDES, Scope, Scopes
from catalog.stacks.sources import MemoryCache, ParsedCache, Source, Sources, content_key, is_manifest_path
from catalog.stacks.templates import Settings, Templates
from catalog.stacks.texts import Texts
from catalog.stacks.versions import Tracker
from catalog.values import Diagnostic, SourceLocation

__all__ = ["Manifest", "Manifests", "MemoryCache", "Merged", "ParsedCache", "content_key", "is_manifest_path"]

# Bounds that real estates never meet: how deep imports nest, how many merges one manifest takes, and how often a file may return
# below itself with other contexts.
_DEPTH = 300
_MERGES = 5_000
_RETURNS = 8
_ENDLESS = ("IMPORT_CYCLE", "IMPORT_DEPTH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One file as it is read with one context.

    `path` lies in the tree, `file` is relative to the estate, `relative` to the stacks directory, `name` is that without extension.
    `value` is its content after the file pass, `context` what its imports are read with.
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
    context: Map = field(default_factory=lambda: EMPTY, repr=False)

    def location(self, path: tuple[str | int, ...]) -> SourceLocation | None:
        """Where a path is written in this file, following no import; a key made by a template is where the template stands."""
        found = self.document.location(path)
        return found if found is not None else self._made(path)

    def _made(self, path: tuple[str | int, ...]) -> SourceLocation | None:
        """Where a path is written of which some key is rendered. Rendering keeps the order and number of a map's keys."""
        here: Any = None
        value: Any = self.value
        places: Any = self.document.places
        for step in path:
            if isinstance(value, dict) and isinstance(places, dict) and step not in places and len(value) == len(places):
                written = dict(zip(value, places, strict=True)).get(str(step), "")
                here = places[written] if "{{" in written else None
            else:
                here = _item(places, step)
            if here is None:
                return None
            value, places = _item(value, step), here[2]
        return SourceLocation(file=self.document.file, line=here[0], column=here[1]) if here is not None else None


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

    def contributions(self) -> Iterator[tuple[Manifest, tuple[str, ...]]]:
        """Every file in the order in which it was merged, each with the import chain from the top-level manifest to it."""
        waiting: list[tuple[Merged, tuple[str, ...], bool]] = [(self, (self.manifest.file,), False)]
        while waiting:
            merged, chain, is_entered = waiting.pop()
            if is_entered or not merged.parts:
                yield merged.manifest, chain
                continue
            waiting.append((merged, chain, True))
            waiting.extend((part, (*chain, part.manifest.file), False) for part in reversed(merged.parts))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terms:
    """On what terms a file is read: the context that its import gives it, and the import's flags."""

    context: Map
    skip: bool = False
    ignore_missing: bool = False

    def key(self) -> tuple[int, bool, bool]:
        """An identity for memos."""
        return id(self.context), self.skip, self.ignore_missing


_Known = TypeVar("_Known")
ReadKey = tuple[str, int, bool, bool]
NodeKey = tuple[Any, ...]
TrailKey = tuple[Any, ...]


@dataclass(slots=True, kw_only=True)
class _Trail:
    """Where the imports of a file lead that is read on certain terms, whatever overrides are in force.

    `asked` are the paths that its imports ask for, rendered; `below` are the trails of what it imports.
    """

    read: ReadKey
    asked: dict[str, None] = field(default_factory=dict)
    below: dict[TrailKey, None] = field(default_factory=dict)
    error: EstateError | None = None
    targets: tuple[str, ...] | None = None  # what is asked for, found; the trail is dropped when that changes


@dataclass(slots=True, kw_only=True)
class _Node:
    """A file merged on certain terms. `failed_at` is the import that failed.

    `depends` tells whether any path below depends on what its importers imported before.
    """

    trail: TrailKey = ()
    result: Merged | EstateError | None = None
    depends: bool = False
    failed_at: SourceLocation | None = None


class _Way:
    """The files that are being merged, from the top-level manifest down, and how many were merged on the way."""

    def __init__(self) -> None:
        self.merges = 0
        self.paths: list[str] = []
        self._open: dict[ReadKey, int] = {}
        self._times: dict[str, int] = {}

    def loops(self, key: ReadKey) -> bool:
        """Tell whether a file is being merged already, on these terms or on ever other ones."""
        return self._open.get(key, 0) > 0 or self._times.get(key[0], 0) >= _RETURNS

    def enter(self, key: ReadKey) -> None:
        """Stand in one more file."""
        self.paths.append(key[0])
        self._open[key] = self._open.get(key, 0) + 1
        self._times[key[0]] = self._times.get(key[0], 0) + 1

    def leave(self, key: ReadKey) -> None:
        """Return from the file that was entered last."""
        self.paths.pop()
        self._open[key] -= 1
        self._times[key[0]] -= 1


class Manifests:
    """Reads and merges the manifests of one estate, each once.

    `lookup` answers the YAML functions of locals, `host` what templates ask for beyond their data.
    """

    def __init__(
        self,
        files: Files,
        config: AtmosConfig,
        *,
        strict: bool,
        templates: Templates | None = None,
        lookup: Lookup = NOTHING,
        cache: ParsedCache | None = None,
        host: Host | None = None,
    ) -> None:
        self.files = files
        self.config = config
        self.strict = strict
        self.lookup = lookup
        self.memo = Memo()
        self.resolver = Resolver(files, config, strict=strict)
        self.strategy = config.list_strategy
        self.templates = templates or Templates()
        self._environment = _environment(lookup)
        self._settings = Settings.of(config)
        self._host = host
        reader = _reader(files, config, self.templates, lookup)
        self._delimiter = str(config.get("settings", "yaml", "key_delimiter", otherwise=""))
        self._sources = Sources(files, reader, strict=strict, cache=cache, delimiter=self._delimiter)
        self._known: dict[str, Source | EstateError] = {}
        self._hints: dict[str, tuple[Diagnostic, ...]] = {}
        self._read: dict[ReadKey, Manifest | EstateError] = {}
        self._nodes: dict[NodeKey, _Node] = {}
        self._first = 0  # how many nodes the first reading made
        self._trails: dict[TrailKey, _Trail] = {}
        self._roots: dict[str, TrailKey] = {}
        self._live: dict[TrailKey, _Trail] | None = None
        self._told: dict[str, Any] = {}  # answers about what is live
        self._start(Contexts(self.strategy), Memo(), [])

    def _start(self, contexts: Contexts, memo: Memo, kept: list[Scope]) -> None:
        """Begin with what is remembered of values by their identity."""
        self.contexts = contexts
        self.memo = memo
        self._scopes = Scopes(memo, self.strategy)
        self._scopes.kept.extend(kept)
        self._pass = FilePass(
            strict=self.strict,
            contexts=contexts,
            templates=self.templates,
            texts=Texts(),
            evaluate=_weakly(self),
            included=self._sources.included,
            delimiter=self._delimiter,
            environment=self._environment,
            host=self._host,
            tracker=Tracker(self.config, self.files),
        )
        self._paths = ImportPaths(
            templates=self.templates,
            options=self._pass.options(),
            memo=memo,
            strategy=self.strategy,
            is_enabled=self._settings.enabled,
            ignore_missing=self._settings.ignore_missing,
        )

    def source(self, path: str) -> Source:
        """Return a file as it is written; raises EstateError (the same one each time) when it can't be read."""
        known = self._known.get(path)
        if known is None:
            try:
                known = self._sources.read(path, self.relative_to_estate(path), self.relative_to_stacks(path))
            except EstateError as error:
                known = error
            self._known[path] = known
        return _given(known)

    def merged(self, path: str) -> Merged:
        """Return a top-level manifest with its imports merged; raises EstateError when any of them can't be read."""
        return _given(self._root(path).result)

    def _root(self, path: str) -> _Node:
        node = self._node(path, self._own_terms(), NO_OVERRIDES, Earlier(), _Way())
        if self._roots.get(path) != node.trail:
            self._roots[path] = node.trail
            self._live = None
            self._told = {}
        return node

    def guilty_import(self, path: str) -> SourceLocation | None:
        """Where the import stands in a top-level manifest that kept it from being merged."""
        node = self._nodes.get(_key(path, self._own_terms(), NO_OVERRIDES))
        return node.failed_at if node is not None else None

    def refusal(
        self, path: str, judge: Callable[[Manifest], EstateError | None], known: dict[TrailKey, EstateError | None]
    ) -> EstateError | None:
        """Return the first thing that is wrong with a top-level manifest or with what it imports, in the order in which Atmos looks.

        `judge` judges a file as soon as it is read, before its imports are; `known` remembers what was judged, from call to call.
        """
        return self._refusal(self._root(path).trail, judge, known)

    def _refusal(
        self, key: TrailKey, judge: Callable[[Manifest], EstateError | None], known: dict[TrailKey, EstateError | None]
    ) -> EstateError | None:
        if key not in known:
            trail = self._trails[key]
            manifest = self._read.get(trail.read)
            found = judge(manifest) if isinstance(manifest, Manifest) else None
            for below in trail.below if found is None else ():
                found = found or self._refusal(below, judge, known)
            known[key] = found or trail.error
        return known[key]

    def _own_terms(self) -> Terms:
        return Terms(context=EMPTY, ignore_missing=self._settings.ignore_missing)

    def read_paths(self) -> Mapping[str, tuple[Manifest, ...] | EstateError]:
        """Every file that this reading is made of: as it was read, once for each context, or with its error."""
        return self._once("read", self._read_paths)

    def _read_paths(self) -> dict[str, tuple[Manifest, ...] | EstateError]:
        found: dict[str, dict[int, Manifest]] = {}
        errors: dict[str, EstateError] = {}
        for trail in self._alive().values():
            known = self._read.get(trail.read)
            if isinstance(known, EstateError):
                errors.setdefault(trail.read[0], known)
            elif known is not None:
                found.setdefault(trail.read[0], {})[id(known)] = known
        return {**errors, **{path: tuple(items.values()) for path, items in found.items()}}

    def imports_of(self) -> Mapping[str, tuple[str, ...]]:
        """The files (tree paths) that each file imports, in order, whatever it is read with."""
        return self._once("imports", self._imports_of)

    def _imports_of(self) -> dict[str, tuple[str, ...]]:
        result: dict[str, tuple[str, ...]] = {}
        for path, trails in self._by_path().items():
            if len(trails) == 1:
                result[path] = self._targets_of(trails[0])
                continue
            # The order is that of the first place in which any of them asks for it.
            places: dict[str, int] = {}
            for trail in trails:
                for place, target in enumerate(self._targets_of(trail)):
                    places[target] = min(places.get(target, place), place)
            result[path] = tuple(target for _, target in sorted((place, target) for target, place in places.items()))
        return result

    def _targets_of(self, trail: _Trail) -> tuple[str, ...]:
        if trail.targets is None:
            known, look = self.resolver.known, self.resolver.look
            trail.targets = tuple(
                dict.fromkeys(target for written in trail.asked for target in (known.get(written) or look(written))[1])
            )
        return trail.targets

    def asking(self, paths: set[str]) -> set[str]:
        """The files (tree paths) with an import that asks for one of the paths as they are written."""
        return {trail.read[0] for trail in self._alive().values() if not paths.isdisjoint(trail.asked)}

    def _by_path(self) -> dict[str, list[_Trail]]:
        found: dict[str, list[_Trail]] = {}
        for trail in self._alive().values():
            found.setdefault(trail.read[0], []).append(trail)
        return found

    def _once(self, name: str, tell: Callable[[], _Known]) -> _Known:
        """Return what is told of this reading, worked out once."""
        if name not in self._told:
            self._told[name] = tell()
        found: _Known = self._told[name]
        return found

    def _alive(self) -> dict[TrailKey, _Trail]:
        """The trails that this reading is made of, from its top-level manifests down; others are remembered from an older one."""
        if self._live is None:
            found: dict[TrailKey, _Trail] = {}
            waiting = list(self._roots.values())
            while waiting:
                key = waiting.pop()
                if key not in found:
                    trail = found[key] = self._trails[key]
                    waiting.extend(trail.below)
            self._live = found
        return self._live

    def looked_for(self) -> Mapping[str, Mapping[str, str | None]]:
        """The files that includes looked for with their contents' keys (None: not there), by the including manifest's tree path."""
        return self._sources.looked

    def in_cycles(self) -> set[str]:
        """The manifests that an import cycle kept from being merged; where a cycle is found depends on where reading began."""
        failed = ((trail.read[0], trail.error) for trail in self._alive().values())
        return {path for path, error in failed if error is not None and error.code in _ENDLESS}

    def adopt(self, other: Manifests, changed: frozenset[str], touched: frozenset[str], kept: Iterable[str]) -> None:
        """Take over what another reading knows.

        That is the files (tree paths) that didn't change, the merges that no change touches; `kept` are the top-level manifests that
        won't be asked for again.
        """
        self._start(other.contexts, other.memo if other.memo.is_worth_keeping() else Memo(), other._scopes.kept)
        for written in other.resolver.known:
            self.resolver.look(written)
        alive = other._alive()
        self._known = {path: known for path, known in other._known.items() if path not in changed}
        self._sources.looked |= {path: looked for path, looked in other._sources.looked.items() if path not in changed}
        self._hints = {path: known for path, known in other._hints.items() if path not in changed}
        self._trails = {key: trail for key, trail in alive.items() if key[0] not in touched}
        read = {trail.read for trail in alive.values()}
        self._read = {key: known for key, known in other._read.items() if key[0] not in changed and key in read}
        self._first = other._first or len(other._nodes)
        # What is merged under overrides that are gone can't be told from the rest; when there is much of it, all is merged anew.
        if len(other._nodes) <= 2 * self._first + 10_000:
            self._nodes = {key: node for key, node in other._nodes.items() if node.trail in self._trails}
        kept = set(kept)
        self._roots = {path: trail for path, trail in other._roots.items() if path in kept}

    def _manifest(self, path: str, terms: Terms, way: _Way) -> Manifest:
        key = (path, *terms.key())
        known = self._read.get(key)
        if known is None:
            try:
                known = self._passed(self.source(path), terms)
            except EstateError as error:
                known = self._in_chain(error, way) if self.strict and error.code != "IMPORT" else self._in_file(error, path)
            self._read[key] = known
        return _given(known)

    def _in_file(self, error: EstateError, path: str) -> EstateError:
        if error.location is not None:
            return error
        location = SourceLocation(file=self.relative_to_estate(path), line=1)
        return EstateError(error.message, code=error.code, hint=error.hint, location=location)

    def _in_chain(self, error: EstateError, way: _Way) -> EstateError:
        """Tell, as Atmos does, by which imports a file was reached that can't be read."""
        names = [self.relative_to_stacks(path) for path in way.paths]
        chain = "".join(f"\n{'  ' if number == 0 else '    '}→ {name}" for number, name in enumerate(names))
        words = f"{error.message}\n\nFile being processed: {names[-1]}\nImport chain:{chain}\nstack manifest '{names[-1]}'"
        return EstateError(words, code=error.code, hint=error.hint, location=error.location)

    def _passed(self, source: Source, terms: Terms) -> Manifest:
        passed = self._pass.passed(source, terms.context, skip=terms.skip, ignore_missing=terms.ignore_missing)
        document = passed.document
        return Manifest(
            path=source.path,
            file=source.file,
            name=source.name,
            relative=source.relative,
            content_hash=source.content_hash,
            document=document,
            value=passed.value,
            imports=read_imports(passed.value, document, source.relative),
            has_append=(source.mentions_append or self.contexts.holds_append(passed.context)) and holds_append(passed.value),
            has_text=bool(source.template) or document.first_function is not None,
            diagnostics=(
                *source.diagnostics,
                *self._hinted(source),
                *passed.diagnostics,
                *self._sources.taken(),
            ),
            context=passed.context,
        )

    def _hinted(self, source: Source) -> tuple[Diagnostic, ...]:
        """The hints on a file as it is written: what a context makes of it is not its own."""
        known = self._hints.get(source.path)
        if known is None:
            findings = Findings(strict=self.strict)
            hints.of_manifest(source.document, source.value, findings)
            known = self._hints[source.path] = tuple(findings.diagnostics)
        return known

    def evaluator(self, source: Source) -> Evaluate:
        """Return who evaluates the functions in a file's locals: they belong to no component, but to the stack that the file names."""
        here: list[functions.Here] = []

        def evaluate(text: str) -> Any:
            if not here:
                engine = self.templates.engine
                here.append(
                    functions.Here(
                        component="",
                        stack=self._stack_of(source),
                        lookup=self.lookup,
                        environment=self._environment,
                        query=engine.query if engine is not None else None,
                        describe=_refuse if self.strict else None,
                        texts=self._pass.texts,
                    )
                )
            value = functions.value(text, here[0])
            if value is functions.REMOVED:
                raise EstateError("failed to process YAML function in local: processed value missing", code="LOCALS")
            return value

        return evaluate

    def _stack_of(self, source: Source) -> str:
        name = source.name.removesuffix(".tmpl").removesuffix(".yaml").removesuffix(".yml")
        entry = {"vars": source.value.get("vars")}
        naming = Naming(self.config, self.templates, environment=self._environment, pure=not self.strict)
        named = naming.name(entry, name, source.value.get("name")).stack
        return name if "{{" in named else named

    def _node(self, path: str, terms: Terms, scope: Scope, earlier: Earlier, way: _Way) -> _Node:
        key = _key(path, terms, scope)
        node = self._nodes.get(key)
        if node is not None and node.depends:
            key = (*key, *map(id, self._paths.sections(earlier)))
            node = self._nodes.get(key)
        if node is None:
            way.merges += 1
            node = _Node()
            trail = _Trail(read=(path, *terms.key()))
            way.enter(trail.read)
            try:
                node.result = self._with_imports(node, trail, terms, scope, earlier, way)
            except EstateError as error:
                node.result = trail.error = error
            finally:
                way.leave(trail.read)
            before = tuple(map(id, self._paths.sections(earlier))) if node.depends else ()
            node.trail = (*trail.read, *before)
            self._trails.setdefault(node.trail, trail)
            # The first one found to depend stands under the shorter key too, to tell the next that there is more to look at.
            self._nodes.setdefault(key, node)
            self._nodes[(*_key(path, terms, scope), *before)] = node
        return node

    def _with_imports(self, node: _Node, trail: _Trail, terms: Terms, scope: Scope, earlier: Earlier, way: _Way) -> Merged:
        manifest = self._manifest(trail.read[0], terms, way)
        scope = self._scopes.entered(manifest.value, manifest.document, manifest.relative, scope)
        parts: list[Merged] = []
        if not self.strict:
            trail.asked.update((wanted.path, None) for wanted in manifest.imports if not self._paths.depends(wanted))
        for wanted in manifest.imports:
            node.failed_at = wanted.location
            node.depends = node.depends or self._paths.depends(wanted)
            below = self._terms_of(wanted, manifest)
            inside, before = scope, earlier
            for path in self._targets(trail, manifest, wanted, earlier):
                self._check(path, below, wanted, way)
                found = self._node(path, below, inside, before, way)
                trail.below[found.trail] = None
                node.depends = node.depends or found.depends
                part = _given(found.result)
                scope = self._scopes.leaked(scope, part.scope)
                earlier = earlier.and_then(part.value)
                parts.append(part)
        node.failed_at = None
        own = self._scopes.overridden(manifest.value, scope)
        return Merged(
            manifest=manifest,
            value=self._value(parts, own, manifest),
            parts=tuple(parts),
            scope=scope,
            # A merge of two or more resolves every `!append`; a lone file keeps its own for the component merge.
            has_append=(manifest.has_append or any(part.has_append for part in parts))
            and sum(1 for part in parts if part.value) + bool(own) < 2,
            has_text=manifest.has_text or any(part.has_text for part in parts),
            mentions=_mentions(parts, manifest),
        )

    def _terms_of(self, wanted: Import, manifest: Manifest) -> Terms:
        try:
            context = self.contexts.merged(wanted.context, manifest.context)
        except EstateError as error:
            raise EstateError(error.message, code=error.code, hint=error.hint, location=wanted.location) from error
        return Terms(
            context=context,
            skip=wanted.skip_templates_processing,
            ignore_missing=wanted.ignore_missing_template_values or self._settings.ignore_missing,
        )

    def _targets(self, trail: _Trail, manifest: Manifest, wanted: Import, earlier: Earlier) -> list[str]:
        written = self._paths.rendered(wanted, manifest.relative, earlier)
        trail.asked[written] = None
        return self.resolver.find(written, wanted, manifest.relative, manifest.path)

    def _check(self, path: str, terms: Terms, wanted: Import, way: _Way) -> None:
        if way.loops((path, *terms.key())):
            steps = (*way.paths[len(way.paths) - 1 - way.paths[::-1].index(path) :], path)
            raise EstateError(
                f"circular import: {' -> '.join(map(self.relative_to_stacks, steps))}",
                code="IMPORT_CYCLE",
                hint="Take one of these imports out; the manifests of the cycle can't be resolved.",
                location=wanted.location,
            )
        if way.merges >= _MERGES:
            raise EstateError(
                f"imports ask for more than {_MERGES} files, each once for every context",
                code="IMPORT_DEPTH",
                hint="Import a file once for each context that it is needed with.",
                location=wanted.location,
            )
        if len(way.paths) >= _DEPTH:
            raise EstateError(
                f"imports nest deeper than {_DEPTH} files",
                code="IMPORT_DEPTH",
                hint="Import the files from one place instead of from each other.",
                location=wanted.location,
            )

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

    def relative_to_estate(self, path: str) -> str:
        """Return a tree path relative to the estate's directory."""
        return _relative(path, self.config.base_path)

    def relative_to_stacks(self, path: str) -> str:
        """Return a tree path relative to the stacks directory."""
        return _relative(path, self.config.stacks_path)


def _key(path: str, terms: Terms, scope: Scope) -> NodeKey:
    return (path, *terms.key(), *scope.key())


def _refuse(component: str, stack: str, function: str) -> Map:
    """No component is known while manifests are read; Atmos reads them again to describe it, and again, without end."""
    raise EstateError(
        f"{function} in locals asks for the component '{component}' in the stack '{stack}' while the stack's manifests are being read",
        code="LOCALS",
        hint="Use the function in the component's own sections; Atmos never comes to an end here.",
    )


def _given(known: _Known | EstateError | None) -> _Known:
    """Return what is remembered, or raise it."""
    if isinstance(known, EstateError):
        raise known.with_traceback(None)
    if known is None:
        raise AssertionError("it is asked for before it is known")
    return known


def _reader(files: Files, config: AtmosConfig, templates: Templates, lookup: Lookup) -> Reader:
    engine, root = templates.engine, getattr(files.tree, "root", None)
    return Reader(
        tree=files.tree,
        base=config.base_path,
        root="" if root is None else str(root),
        query=engine.query if engine is not None else None,
        attributes=engine.attributes if engine is not None else None,
        lookup=lookup,
    )


def _item(value: Any, step: str | int) -> Any:
    """Return what stands in a map or list; None where nothing does."""
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _environment(lookup: Lookup) -> Mapping[str, str] | None:
    try:
        return lookup.environment()
    except NotGiven:
        return None


def _relative(path: str, directory: str) -> str:
    if not directory:
        return path
    if path.startswith(directory + "/"):
        return path[len(directory) + 1 :]
    ups = directory.count("/") + 1
    return join("../" * ups + path)


def _mentions(parts: list[Merged], manifest: Manifest) -> dict[tuple[str, str], Manifest]:
    found: dict[tuple[str, str], Manifest] = {}
    for part in parts:
        found.update(part.mentions)
    components = manifest.value.get("components")
    for kind, entries in components.items() if isinstance(components, dict) else ():
        if isinstance(entries, dict):
            found.update(dict.fromkeys(((kind, name) for name in entries), manifest))
    return found


def _weakly(manifests: Manifests) -> Callable[[Source], Evaluate]:
    """Who evaluates functions in the files of these manifests, without holding them: a large estate must go as soon as it is let go."""
    held = weakref.ref(manifests)

    def evaluator(source: Source) -> Evaluate:
        found = held()
        if found is None:
            raise ReferenceError("the manifests are gone")
        return found.evaluator(source)

    return evaluator
