"""Where the values of instances come from: every file and line that set one, at the revision that was indexed, without its secrets.

Nothing of this is stored. One stack's manifests are read again for it, and what was read is kept for the next question: a few readings
a process. Blocks; run it in a thread.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from catalog.config import Config
from catalog.engines import hcl
from catalog.engines.answers import Answers
from catalog.engines.template import Engine
from catalog.errors import NotFound, Unavailable
from catalog.indexer import code, comparing, estates, redaction, sources
from catalog.indexer.comparing import Comparison
from catalog.indexer.redaction import MARK, Redactor, safe
from catalog.indexer.sources import Position
from catalog.indexer.stack_rows import component_path, kind_of
from catalog.records import Estate
from catalog.stacks import estate as resolver
from catalog.stacks import provenance
from catalog.stacks.resolved import ProvenanceEntry, ResolvedEstate, ResolvedInstance
from catalog.stacks.tree import Tree
from catalog.values import SourceLocation

_KEPT = 8  # readings, each of the manifests of one stack
_KEPT_CODE = 256  # what the code of components says of secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One instance: its estate, the revision to read (None: the directory as it lies there), and what names it there.

    `manifest` is the top-level manifest that it comes from, relative to the estate; `kind` is its type as the records keep it.
    """

    estate: Estate = field(compare=False)
    revision: str | None
    manifest: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one layer says about a value, secrets redacted. `imports` is the way of files that led to it, the manifest's own first.

    `component` names the base or the component whose layer it is.
    """

    value: Any
    location: SourceLocation | None
    imports: tuple[str, ...]
    layer: str
    component: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    resolved: ResolvedEstate
    templates: bool  # whether templates were rendered


class _Ending(Collection[str]):
    """The paths of a tree that end as a path relative to the estate does, wherever in the tree the estate lies."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and (path == self._path or path.endswith(f"/{self._path}"))

    def __iter__(self) -> Iterator[str]:
        return iter((self._path,))

    def __len__(self) -> int:
        return 1


class Readings:
    """The readings that one process keeps; it reads one at a time. Those of directories are not kept: their files may change."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._alone = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, str], _Reading] = OrderedDict()
        self._secrets: OrderedDict[tuple[str, str, str], frozenset[str]] = OrderedDict()
        self._comparisons: OrderedDict[tuple[str, str, str], Comparison] = OrderedDict()
        self._templates: Engine | None = None
        self._answers: Answers | None = None

    def words(self, subject: Subject, path: str) -> tuple[Word, ...]:
        """Return what set the value at a path (`vars.tags.team`, `vars.list[0]`) of an instance, the last word first.

        Raises NotFound when the instance can't be resolved there, Unavailable when the revision or the directory can't be read.
        """
        with self._alone:
            resolved, instance, secrets = self._read(subject)
        entries = resolved.provenance(instance.stack, instance.type, instance.name, path)
        steps = provenance.parse(path, instance.sections)
        redactor = Redactor(redaction.read_key(self._config.redaction_key_file), self._config.secret_keys)
        return tuple(_word(entry, steps, redactor, secrets) for entry in entries)

    def comparison(self, estate: Estate, base: str, head: str) -> Comparison:
        """Return what differs between two revisions of an estate, each given in full.

        Raises Unavailable when a revision or the directory can't be read.
        """
        key = (estate.id, base, head)
        with self._alone:
            kept = self._comparisons.get(key)
            if kept is None:
                kept = comparing.compare(estate, self._config, base, head)
            _keep(self._comparisons, key, kept, _KEPT)
        return kept

    def _read(self, subject: Subject) -> tuple[ResolvedEstate, ResolvedInstance, frozenset[str]]:
        key = (subject.estate.id, subject.revision or "", subject.manifest)
        templates = self._engine()
        reading = self._kept.get(key) if subject.revision is not None else None
        if reading is not None and reading.templates is (templates is not None):
            self._kept.move_to_end(key)
            instance = _instance(reading.resolved, subject)
            known = self._secrets.get(self._code_key(subject, reading.resolved, instance))
            if known is not None:
                return reading.resolved, instance, known
        with self._opened(subject) as files:
            resolved = resolver.resolve(
                files,
                config_path=subject.estate.config_path,
                engine=templates,
                only=_Ending(subject.manifest),
                validate=False,
            )
            instance = _instance(resolved, subject)
            secrets = self._secrets_of(files, component_path(instance, resolved.component_base_paths))
        if subject.revision is not None:
            _keep(self._kept, key, _Reading(resolved=resolved, templates=templates is not None), _KEPT)
            _keep(self._secrets, self._code_key(subject, resolved, instance), secrets, _KEPT_CODE)
        return resolved, instance, secrets

    @contextmanager
    def _opened(self, subject: Subject) -> Iterator[Tree]:
        """Lend the estate's files; who asks needn't know where in this machine they are missing."""
        estate = subject.estate
        if subject.revision is None and estate.kind == estates.GIT:
            raise NotFound(f"{estate.name} has no reading of {subject.name} that succeeded", code="NOT_INDEXED")
        try:
            with sources.opened(estate, self._config, Position(ref=estate.ref, revision=subject.revision)) as (_, files):
                yield files
        except Unavailable as error:
            raise Unavailable(f"the files of {estate.name} can't be read here", hint="index the estate again") from error

    @staticmethod
    def _code_key(subject: Subject, resolved: ResolvedEstate, instance: ResolvedInstance) -> tuple[str, str, str]:
        path = component_path(instance, resolved.component_base_paths) or ""
        return subject.estate.id, subject.revision or "", path

    def _secrets_of(self, files: Tree, path: str | None) -> frozenset[str]:
        """The variables that the component's code marks sensitive; without the engine more than there are, never fewer."""
        if path is None:
            return frozenset()
        if self._answers is None:
            self._answers = Answers(self._config.cache)
        return code.read(files, path, hcl.open_if_ready(self._config.cache), self._answers).sensitive

    def _engine(self) -> Engine | None:
        if self._templates is None:
            engine = Engine(self._config.cache)
            self._templates = engine if engine.ready() else None
        return self._templates


def _keep(kept: OrderedDict[tuple[str, str, str], Any], key: tuple[str, str, str], value: Any, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)


def _instance(resolved: ResolvedEstate, subject: Subject) -> ResolvedInstance:
    """The instance itself. Read alone, its stack may bear another name than where names clash: its manifest tells it."""
    for stack in resolved.stacks:
        for instance in stack.instances:
            if instance.name == subject.name and kind_of(instance.type) == subject.kind:
                return instance
    where = f"at {subject.revision}" if subject.revision else "as its directory lies there now"
    raise NotFound(
        f"{subject.manifest} gives no {subject.name} {where}",
        code="NOT_RESOLVED",
        hint="the diagnostics of its estate tell why",
    )


def _word(entry: ProvenanceEntry, steps: Sequence[str | int], redactor: Redactor, secrets: Collection[str]) -> Word:
    location = entry.location
    return Word(
        value=_redacted(entry.value, steps, redactor, secrets),
        location=None if location is None else SourceLocation(file=safe(location.file), line=location.line, column=location.column),
        imports=tuple(map(safe, entry.import_chain)),
        layer=entry.layer,
        component=safe(entry.component) if entry.component else None,
    )


def _redacted(value: Any, steps: Sequence[str | int], redactor: Redactor, secrets: Collection[str]) -> Any:
    """The value as the document at that path would show it: what stands under a secret is its mark."""
    found: Any = redaction.storable(value)[0]
    for step in reversed(steps):
        found = [found] if isinstance(step, int) else {step: found}
    assert isinstance(found, Mapping)
    found = redactor.sections(found, secrets)
    for step in steps:
        if isinstance(found, Mapping) and MARK in found:
            return found
        found = found[0 if isinstance(step, int) else step]
    return found
