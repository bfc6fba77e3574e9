"""Reads an estate at one position into a snapshot: resolution, seeds, components' code. Blocks; run it in a thread.

`Memory` is what one process keeps between readings of the same estates, so that reading again costs what changed.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from catalog.config import Config
from catalog.engines import hcl
from catalog.engines.answers import Answers
from catalog.engines.template import Engine
from catalog.errors import EstateError
from catalog.indexer import (
    code,
    codeowners,
    component_facts,
    component_rows,
    redaction,
    reuse,
    seed_claims,
    seeds,
    snapshot,
    sources,
)
from catalog.indexer.component_facts import ComponentFacts
from catalog.indexer.documents import Document
from catalog.indexer.seed_values import Seeds, currency_of
from catalog.indexer.snapshot import Progress, Snapshot, Subject
from catalog.indexer.sources import Position
from catalog.indexer.stack_rows import StackPart
from catalog.records import Estate
from catalog.stacks import estate as resolver
from catalog.stacks.manifests import MemoryCache
from catalog.stacks.resolved import ResolvedEstate
from catalog.stacks.tree import SubTree, Tree
from catalog.store.organizations import Home
from catalog.values import Diagnostic, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The last reading of one estate."""

    position: Position
    resolved: ResolvedEstate
    components: Mapping[tuple[str, str], ComponentFacts]
    diagnostics: tuple[Diagnostic, ...]
    snapshot: Snapshot


@dataclass(slots=True)
class Memory:
    """What a process keeps between readings; mutable, one for a process. Two readings of one estate must not overlap."""

    readings: dict[str, Kept] = field(default_factory=dict)
    parsed: MemoryCache = field(default_factory=MemoryCache)
    answers: Answers | None = None
    templates: Engine | None = None
    uses: dict[str, component_rows.Uses] = field(default_factory=dict)
    since_collection: int = 0
    is_large: bool = False

    def documents(self, estate_id: str) -> dict[str, Mapping[str, Document]]:
        """The documents of the last snapshot of an estate, if this process took it, by the stack's id and their hash."""
        kept = self.readings.get(estate_id)
        return {} if kept is None else {key: part.documents for key, part in kept.snapshot.parts.items()}


# What large readings make lives long and is kept from Python's collector, whose walks over it would be felt. What they leave behind is
# collected here: it takes about a second at a thousand stacks.
_READINGS_PER_COLLECTION = 16


def read(
    estate: Estate,
    home: Home,
    config: Config,
    position: Position,
    *,
    memory: Memory,
    engine: hcl.HclEngine | None = None,
    templates: Engine | None = None,
    progress: Progress | None = None,
    past: bool = False,
    on_part: Callable[[StackPart], None] | None = None,
) -> Snapshot:
    """Read the estate and take its snapshot; `home` is where it belongs.

    `past` tells that the position is none of the present: its seeds are not what the catalog falls back on when a file breaks.
    `on_part` is called with what each stack holds as soon as that is made.

    Engines that aren't handed in are used where they are compiled already; what needs one that isn't stays *pending*. Raises
    EstateError when the estate's configuration can't be read, so that nothing is known.
    """
    with _unwatched(memory):
        kept = memory.readings.get(estate.id)
        templates = templates or _compiled_templates(config, memory)
        with sources.opened(estate, config, position) as (whole, files):
            said = _seeds(whole, estate, config, home, keep=not past)
            changed = sources.changed_between(estate, config, kept.position.revision, position) if kept else None
            _tell(progress, "reading manifests")
            resolved = resolver.resolve(
                files,
                config_path=estate.config_path,
                engine=templates,
                cache=memory.parsed,
                previous=kept.resolved if kept else None,
                changed=changed,
            )
            if resolved.unreadable:
                raise _unreadable(resolved)
            _tell(progress, "reading components")
            codes = _Codes(config, memory, engine, estate.id)
            components, diagnostics = codes.read(files, resolved, currency_of(said, home.organization))
            subject = Subject(
                estate=estate.name,
                organization=home.organization,
                redaction_key=redaction.read_key(config.redaction_key_file),
                secret_keys=config.secret_keys,
                foreign=home.foreign,
                claims=config.seeds is None,
            )
            previous = None if kept is None else reuse.reusable(kept.snapshot, resolved)
            # From here on the last reading is gone: of what every stack was made anew from, nothing is held twice. Should the
            # snapshot fail, the next reading begins from nothing.
            kept = memory.readings.pop(estate.id, None) and None
            taken = snapshot.take(
                resolved,
                said,
                components,
                subject,
                codeowners=codeowners.read(whole, estate.directory),
                registered=home.registered,
                diagnostics=diagnostics,
                previous=previous,
                progress=progress,
                on_part=on_part,
            )
        if templates is None and any(item.code == "TEMPLATE" for item in resolved.diagnostics):
            taken = replace(taken, pending=True)
    memory.readings[estate.id] = Kept(
        position=position, resolved=resolved, components=components, diagnostics=diagnostics, snapshot=taken
    )
    memory.since_collection += 1
    if memory.is_large and memory.since_collection >= _READINGS_PER_COLLECTION:
        memory.since_collection = 0
        gc.unfreeze()
        gc.collect()
        gc.freeze()
    return taken


@contextmanager
def _unwatched(memory: Memory) -> Iterator[None]:
    """Keep the garbage collector away while an estate is read, and from what large readings made ever after."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        memory.is_large |= gc.get_count()[0] > _MANY
        if memory.is_large:
            gc.freeze()
        if was_enabled:
            gc.enable()


_MANY = 100_000  # objects


def _compiled_templates(config: Config, memory: Memory) -> Engine | None:
    """The template engine where it is compiled already; the same one for each reading, which may keep what it rendered."""
    if memory.templates is None:
        engine = Engine(config.cache)
        memory.templates = engine if engine.ready() else None
    return memory.templates


def _seeds(whole: Tree, estate: Estate, config: Config, home: Home, *, keep: bool) -> Seeds:
    """The configured seeds, else what counts of those in the estate's own repository; good versions are kept below the home."""
    kept = config.home / "seeds"
    if config.seeds is not None:
        return seeds.load(config.seeds, kept=kept / "all")
    return seed_claims.settle(seeds.load(SubTree(whole, seeds.DIRECTORY), kept=kept / estate.name if keep else None), home)


@dataclass(frozen=True, slots=True)
class _Codes:
    """Reads components' code with the engine at hand."""

    config: Config
    memory: Memory
    engine: hcl.HclEngine | None
    estate_id: str

    def read(
        self, files: Tree, resolved: ResolvedEstate, currency: str
    ) -> tuple[dict[tuple[str, str], ComponentFacts], tuple[Diagnostic, ...]]:
        uses = self.memory.uses.setdefault(self.estate_id, {})
        found = component_rows.find(files, resolved, uses)
        if self.memory.answers is None:
            self.memory.answers = Answers(self.config.cache)
        engine = self.engine or hcl.open_if_ready(self.config.cache)
        codes = code.read_all(files, sorted({path for _, path in found}), engine, self.memory.answers)
        components, diagnostics = component_facts.read_all(files, found, codes, currency)
        return components, (*diagnostics, *component_rows.without_code(files, resolved, uses))


def _unreadable(resolved: ResolvedEstate) -> EstateError:
    worst = next((item for item in resolved.diagnostics if item.severity is Severity.ERROR), None)
    if worst is None:
        return EstateError("the estate's configuration can't be read")
    return EstateError(worst.message, code=worst.code, hint=worst.hint, location=worst.location)


def _tell(progress: Progress | None, what: str) -> None:
    if progress is not None:
        progress(0, 0, what)
