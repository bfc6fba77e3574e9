"""Computes what must be written to bring the catalog from what it holds to the next snapshot: pure values in, steps out.

Two looks: the first, at hashes, tells which stacks differ; the second, at what these hold, tells which rows. What a broken manifest
held stays as it was, marked STALE; what is gone is marked REMOVED, and comes back to life when it reappears.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from catalog import records
from catalog.indexer import changes
from catalog.indexer.documents import Document, text_of
from catalog.indexer.redaction import json_text
from catalog.indexer.snapshot import Snapshot
from catalog.indexer.stack_rows import kind_of
from catalog.records import ChangeKind, FreshnessState
from catalog.store import history
from catalog.store.rows import ComponentInstanceRow, ConfigurationRow, ManifestImportRow, StackVersionRow
from catalog.store.snapshots import (
    BeginVersions,
    CloseVersions,
    CutEdges,
    Delete,
    Details,
    InsertMissing,
    Mark,
    Outline,
    Remove,
    Replace,
    Step,
    Tell,
    Told,
    Upsert,
)
from catalog.values import global_id

FRESH, STALE, REMOVED = (state.value for state in FreshnessState)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The run that writes: its id and time, the position it reads, and whose commit that is."""

    run_id: str
    at: datetime
    ref: str
    number: int
    revision: str | None = None
    author: str | None = None
    committed_at: datetime | None = None

    @property
    def happened_at(self) -> datetime:
        """When what is read came to be: when it was committed, else when it is read."""
        return self.committed_at or self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlined:
    """Which stacks to look into: those that differ, those that are gone, those whose manifest broke."""

    differing: frozenset[str]
    gone: frozenset[str]
    stale: frozenset[str]

    @property
    def touched(self) -> frozenset[str]:
        """All of them."""
        return self.differing | self.gone | self.stale


def outline(snapshot: Snapshot, now: Outline) -> Outlined:
    """Compare hashes of stacks."""
    differing = {
        identity
        for identity, part in snapshot.parts.items()
        if (known := now.stacks.get(identity)) is None or known.content_hash != part.content_hash or known.state != FRESH
    }
    absent = {
        identity: stack for identity, stack in now.stacks.items() if identity not in snapshot.parts and stack.state != REMOVED
    }
    broken = {identity for identity, stack in absent.items() if stack.manifest in snapshot.broken}
    stale = {identity for identity in broken if absent[identity].state != STALE}
    return Outlined(differing=frozenset(differing), gone=frozenset(absent.keys() - broken), stale=frozenset(stale))


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """What happens to instances. `changed` have another document, `touched` only another row; ids all, in a stable order."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    touched: tuple[str, ...]
    removed: tuple[str, ...]
    stale: tuple[str, ...]


def instances(snapshot: Snapshot, outlined: Outlined, details: Details) -> Instances:
    """Compare what the touched stacks hold with what they should."""
    wanted = {identity: row for stack in outlined.differing for identity, row in snapshot.parts[stack].instances.items()}
    added, changed, touched = [], [], []
    for identity, row in wanted.items():
        now = details.instances.get(identity)
        if now is None or now.state == REMOVED:
            added.append(identity)
        elif now.config_hash != row.config_hash:
            changed.append(identity)
        elif now.content_hash != row.content_hash or now.state != FRESH:
            touched.append(identity)
    removed, stale = [], []
    lost = _lost(snapshot)
    for identity, now in details.instances.items():
        if identity in wanted or now.state == REMOVED:
            continue
        if now.stack_id in outlined.stale or (now.stack_id, now.type, now.name) in lost:
            stale.append(identity)
        else:
            removed.append(identity)
    lists = {"added": added, "changed": changed, "touched": touched, "removed": removed, "stale": stale}
    return Instances(**{name: tuple(sorted(found)) for name, found in lists.items()})


def _lost(snapshot: Snapshot) -> set[tuple[str, str, str]]:
    """Instances lost alone, by (stack id, type, name)."""
    stacks: dict[str, list[str]] = {}
    for identity, part in snapshot.parts.items():
        stacks.setdefault(part.made_from[0].manifest, []).append(identity)
    return {
        (stack, kind_of(component_type), name)
        for manifest, component_type, name in snapshot.broken_instances
        for stack in stacks.get(manifest, ())
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both sides and what was found between them.

    `values` are the changed paths of changed instances, by id; `essences` are of what was removed, by the document's hash, where it
    may have been renamed. `loaded`: instances, with all that hangs on them, are written already.
    """

    snapshot: Snapshot
    outlined: Outlined
    now: Outline
    details: Details
    found: Instances
    moment: Moment
    loaded: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    essences: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> dict[str, Any]:
        """The instances that differing stacks should hold, by id."""
        return {key: row for stack in self.outlined.differing for key, row in self.snapshot.parts[stack].instances.items()}

    @property
    def documents(self) -> dict[str, Document]:
        """The documents that differing stacks should hold, by hash."""
        parts = self.snapshot.parts
        return {key: document for stack in self.outlined.differing for key, document in parts[stack].documents.items()}


class Comparing:
    """Collects what documents tell of changed and removed instances.

    `needed` are the hashes of the documents that the catalog holds and a comparison asks for: those of what changed, and those of
    what was removed when something was added that may be its heir.
    """

    def __init__(self, comparison: Comparison) -> None:
        self._comparison, self._rows, self._documents = comparison, comparison.rows, comparison.documents
        self._values: dict[str, str] = {}
        self._essences: dict[str, str] = {}
        found, now = comparison.found, comparison.details.instances
        self._changed: dict[str, list[str]] = {}
        for key in found.changed:
            self._changed.setdefault(now[key].config_hash, []).append(key)
        self._removed = {now[key].config_hash for key in found.removed} if found.added else set()
        self.needed = self._changed.keys() | self._removed

    def claim(self, older: MutableMapping[str, Mapping[str, Document]]) -> dict[str, Document]:
        """Take what is needed out of the documents of older stacks; those of touched stacks are let go, needed or not."""
        found: dict[str, Document] = {}
        for stack in self._comparison.outlined.touched:
            documents = older.pop(stack, {})
            found.update((key, document) for key, document in documents.items() if key in self.needed)
        return found

    def add_all(self, documents: MutableMapping[str, Document]) -> None:
        """Take in documents, each of which is let go once it is compared: all of them may be as large as the estate."""
        while documents:
            self.add(*documents.popitem())

    def add(self, config_hash: str, document: Document) -> None:
        """Take in one of the documents."""
        for key in self._changed.get(config_hash, ()):
            self._values[key] = json_text(changes.between(document, self._documents[self._rows[key].config_hash]))
        if config_hash in self._removed:
            self._essences[config_hash] = changes.essence(json.loads(text_of(document)))

    def done(self) -> Comparison:
        """The comparison with what was told."""
        return replace(self._comparison, values=self._values, essences=self._essences)


def steps(comparison: Comparison) -> list[Step]:
    """The steps for the estate's own rows, in an order that foreign keys allow; what `telling` gives comes after them.

    They need nothing that documents tell, so that these may be compared meanwhile.
    """
    snapshot, outlined, details, found = comparison.snapshot, comparison.outlined, comparison.details, comparison.found
    moment = comparison.moment
    if comparison.loaded:
        return _beside_instances(comparison)
    rows = comparison.rows
    estimates = {key: row for stack in outlined.differing for key, row in snapshot.parts[stack].estimates.items()}
    fresh, replaced = (*found.added, *found.changed), (*found.added, *found.changed, *found.touched)
    reworded = tuple(key for key in found.touched if details.instances[key].content_hash != rows[key].content_hash)
    stacks = _restated(comparison)
    return [
        # First, while the rows still say what ends.
        CloseVersions(history.INSTANCES, (*found.changed, *reworded, *found.removed), moment.ref, moment.number),
        CloseVersions(history.STACKS, ({*stacks} & details.stacks.keys()) | outlined.gone, moment.ref, moment.number),
        *_manifests(snapshot, comparison.now, moment),
        Upsert(records.CostEstimate, [estimates[key] for key in replaced if key in estimates]),
        *_components(snapshot, comparison.now, moment),
        *_workflows(snapshot, comparison.now),
        Upsert(records.Stack, [snapshot.parts[key].stack for key in sorted(outlined.differing)]),
        InsertMissing(records.Configuration, _Documents(comparison.documents, (rows[key].config_hash for key in fresh))),
        Upsert(records.ComponentInstance, [_dated(rows[key], details, moment) for key in replaced], keep=("drift",)),
        *_edges(comparison),
        # By their own ids: an instance's imported estimates are not the estate's to delete.
        Delete(
            records.CostEstimate,
            [global_id("CostEstimate", key) for key in replaced if key not in estimates and key in details.instances],
        ),
        BeginVersions((*fresh, *reworded), moment.ref, moment.number),
        Upsert(records.StackVersion, [_stack_version(snapshot.parts[key].stack, moment) for key in stacks]),
        Mark(records.Stack, outlined.gone, REMOVED, moment.at),
        Mark(records.Stack, outlined.stale, STALE),
        Mark(records.ComponentInstance, found.removed, REMOVED, moment.at),
        Mark(records.ComponentInstance, found.stale, STALE),
    ]


def telling(comparison: Comparison) -> list[Step]:
    """The steps after `steps`: what changed, told by the documents, and what is objectionable."""
    moment = comparison.moment
    diagnostics = _diagnostics(comparison.snapshot, comparison.now, moment)
    if comparison.loaded:
        return diagnostics
    changes = _changes(comparison)
    return [
        Tell(changes, run_id=moment.run_id, author=moment.author, revision=moment.revision, at=moment.happened_at),
        *diagnostics,
    ]


def _beside_instances(comparison: Comparison) -> list[Step]:
    """The steps of a first index whose instances are written already."""
    snapshot, now, moment = comparison.snapshot, comparison.now, comparison.moment
    parts = [snapshot.parts[key] for key in sorted(comparison.outlined.differing)]
    return [
        *_manifests(snapshot, now, moment),
        *_components(snapshot, now, moment),
        *_workflows(snapshot, now),
        Upsert(records.Stack, [part.stack for part in parts]),
        Upsert(records.StackVersion, [_stack_version(part.stack, moment) for part in parts]),
    ]


def _dated(row: Any, details: Details, moment: Moment) -> Any:
    """A row with the moment of its last change: now, unless only something beside its document moved."""
    now = details.instances.get(row.id)
    kept = now is not None and now.state != REMOVED and now.config_hash == row.config_hash
    changed_at = now.changed_at if now is not None and kept else moment.happened_at
    return (*row[:_CHANGED_AT], changed_at, *row[_CHANGED_AT + 1 :])


_CHANGED_AT = ComponentInstanceRow._fields.index("changed_at")


class _Documents(Sequence[Any]):
    """Rows of documents, whose texts are put together when they are asked for: all of them at once would be a lot of memory."""

    def __init__(self, documents: Mapping[str, Document], hashes: Iterable[str]) -> None:
        self._documents, self._hashes = documents, sorted(set(hashes))

    def __len__(self) -> int:
        return len(self._hashes)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        key = self._hashes[index]
        return ConfigurationRow(hash=key, document=text_of(self._documents[key]))


def _restated(comparison: Comparison) -> list[str]:
    """Stacks whose own rows are new or differ, whatever became of their instances."""
    known, parts = comparison.details.stacks, comparison.snapshot.parts
    return [key for key in sorted(comparison.outlined.differing) if known.get(key) != parts[key].stack.row_hash]


def _stack_version(row: Any, moment: Moment) -> Any:
    return StackVersionRow(
        stack_id=row.id, ref=moment.ref, from_number=moment.number, to_number=None, content_hash=row.row_hash, row=None
    )


def _manifests(snapshot: Snapshot, now: Outline, moment: Moment) -> list[Step]:
    differing = [row for identity, row in snapshot.manifests.items() if now.manifests.get(identity) != row.content_hash]
    imports = [
        ManifestImportRow(manifest_id=row.id, ordinal=ordinal, imported_id=imported)
        for row in differing
        for ordinal, imported in enumerate(snapshot.imports[row.id])
    ]
    gone = now.manifests.keys() - snapshot.manifests.keys()
    return [
        Upsert(records.Manifest, differing),
        Replace(records.ManifestImport, [row.id for row in differing], imports),
        Remove(records.Manifest, gone, moment.at),
        Delete(records.Manifest, gone, unreferenced=True),
    ]


def _components(snapshot: Snapshot, now: Outline, moment: Moment) -> list[Step]:
    differing = [row for identity, row in snapshot.components.items() if now.components.get(identity) != (row.content_hash, False)]
    by_subject = {row.subject_id: row for row in snapshot.component_estimates.values()}
    gone = [identity for identity, (_, removed) in now.components.items() if identity not in snapshot.components and not removed]
    return [
        Upsert(records.CostEstimate, [by_subject[row.id] for row in differing if row.id in by_subject]),
        Upsert(records.Component, differing),
        Delete(records.CostEstimate, [row.id for row in differing if row.id not in by_subject], column="subject_id"),
        Remove(records.Component, gone, moment.at),
    ]


def _workflows(snapshot: Snapshot, now: Outline) -> list[Step]:
    differing = [row for identity, row in snapshot.workflows.items() if now.workflows.get(identity) != row.content_hash]
    return [Upsert(records.Workflow, differing), Delete(records.Workflow, now.workflows.keys() - snapshot.workflows.keys())]


def _edges(comparison: Comparison) -> list[Step]:
    details, found, stale_stacks = comparison.details, comparison.found, comparison.outlined.stale
    parts = comparison.snapshot.parts
    wanted = {
        (row.source_id, row.target_id, row.via): row for key in comparison.outlined.differing for row in parts[key].dependencies
    }
    stale = set(found.stale) | {key for key, now in details.instances.items() if now.stack_id in stale_stacks}
    gone = [key for key in details.edges if key not in wanted and key[0] not in stale]
    different = [row for key, row in wanted.items() if details.edges.get(key) != tuple(row)]
    # Edges of others to what is removed go as well: nothing depends on what isn't there.
    return [CutEdges(gone), Upsert(records.Dependency, different), Delete(records.Dependency, found.removed, column="target_id")]


def _changes(comparison: Comparison) -> list[Told]:
    found, heirs = comparison.found, _heirs(comparison)
    inherited = set(heirs.values())
    run_id = comparison.moment.run_id

    def told(kind: ChangeKind, key: str, *, previous: str | None = None, values: str = "[]") -> Told:
        return Told(global_id("Change", run_id, key), kind.value, key, previous, values)

    return [
        *(told(ChangeKind.RENAMED if key in heirs else ChangeKind.ADDED, key, previous=heirs.get(key)) for key in found.added),
        *(told(ChangeKind.CHANGED, key, values=comparison.values[key]) for key in found.changed),
        *(told(ChangeKind.REMOVED, key) for key in found.removed if key not in inherited),
    ]


def _heirs(comparison: Comparison) -> dict[str, str]:
    found, rows, details = comparison.found, comparison.rows, comparison.details.instances
    if not found.added or not found.removed:
        return {}
    documents = comparison.documents
    now = [(key, (rows[key].stack_id, rows[key].type, rows[key].name)) for key in found.added]
    before = [(key, (details[key].stack_id, details[key].type, details[key].name)) for key in found.removed]
    essences = {key: changes.essence(json.loads(text_of(documents[rows[key].config_hash]))) for key in found.added}
    essences |= {key: comparison.essences[details[key].config_hash] for key in found.removed}
    return changes.renames(now, before, essences)


def _diagnostics(snapshot: Snapshot, now: Outline, moment: Moment) -> list[Step]:
    """What is new, what moved or says more, what is mended. `since` and the run that first saw it stay."""
    stacks = snapshot.parts.keys() | now.stacks.keys()
    broken = {stack.manifest: identity for identity, stack in now.stacks.items() if identity not in snapshot.parts}
    written = []
    for identity, row in snapshot.diagnostics.items():
        stack_id = row.stack_id if row.stack_id in stacks else broken.get(row.file)
        known = now.diagnostics.get(identity)
        kept = {"run_id": moment.run_id, "since": moment.at} if known is None else {"run_id": known[2], "since": known[-1]}
        placed = row._replace(stack_id=stack_id, **kept)
        if known is None or tuple(placed) != tuple(known):
            written.append(placed)
    return [
        Upsert(records.DiagnosticRecord, written),
        Delete(records.DiagnosticRecord, now.diagnostics.keys() - snapshot.diagnostics.keys()),
    ]
