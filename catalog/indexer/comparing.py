"""Which instances of an estate differ between two of its revisions, as `atmos describe affected` tells it.

Both revisions are read from the repository, leniently: an instance that is broken at one of them counts as not being there. Blocks.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from catalog.config import Config
from catalog.engines import hcl
from catalog.engines.answers import Answers
from catalog.engines.template import Engine
from catalog.errors import NotFound, Unavailable
from catalog.indexer import code, estates, sources
from catalog.indexer.sources import Position
from catalog.indexer.stack_rows import kind_of
from catalog.records import Estate
from catalog.stacks import affected, ordering
from catalog.stacks import estate as resolver
from catalog.stacks.integrations import Integrations
from catalog.stacks.merging import Map
from catalog.stacks.templates import Templates
from catalog.stacks.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One instance that differs: what names it (`kind` is its type as the records keep it), why, and how many need it."""

    stack: str
    kind: str
    name: str
    deleted: bool
    reasons: tuple[str, ...]
    dependents: int


Comparison = tuple[Difference, ...]


def resolve(estate: Estate, config: Config, revision: str) -> str:
    """Return the full revision; raises NotFound for what is none, and where the estate has no revisions."""
    if estate.kind == estates.DIRECTORY:
        raise NotFound(f"{estate.name} is a plain directory, which has no revisions", path=("estate",))
    return estates.repository(config, estate).resolve(revision)


def compare(estate: Estate, config: Config, base: str, head: str) -> Comparison:
    """Compare two full revisions, in the order of stacks, types and names; raises Unavailable for what can't be read."""
    repository = estates.repository(config, estate)
    engine = Engine(config.cache)
    changed = repository.changed_files(base, head)
    inside = "" if estate.directory in {"", "."} else f"{estate.directory.rstrip('/')}/"
    files = tuple(path.removeprefix(inside) for path in changed if path.startswith(inside))
    with (
        sources.opened(estate, config, Position(ref=estate.ref, revision=base)) as (_, before),
        sources.opened(estate, config, Position(ref=estate.ref, revision=head)) as (_, after),
    ):
        there = resolver.resolve(before, config_path=estate.config_path, engine=engine, validate=False)
        here = resolver.resolve(after, config_path=estate.config_path, engine=engine, validate=False, previous=there, changed=files)
        if here.config is None:
            raise Unavailable(f"the configuration of {estate.name} can't be read at {head[:12]}")
        changes = affected.Changes(files=files, directory="", modules=_modules(after, config))
        records = affected.affected(here, there, changes, Integrations(config=here.config, templates=Templates(engine)))
    needed = ordering.needed_by(here.dependencies)
    return tuple(_difference(record, needed) for record in records)


def _difference(record: Map, needed: dict[ordering.Key, set[ordering.Key]]) -> Difference:
    stack, kind, name = str(record["stack"]), str(record["component_type"]), str(record["component"])
    return Difference(
        stack=stack,
        kind=kind_of(kind),
        name=name,
        deleted=bool(record.get("deleted")),
        reasons=tuple(map(str, record["affected_all"])),
        dependents=len(ordering.reach((stack, kind, name), needed)),
    )


def _modules(files: Tree, config: Config) -> affected.Modules:
    """Who knows which local modules the code in a directory calls."""
    engine, answers = hcl.open_prepared(config.cache), Answers(config.cache)

    @cache
    def called(directory: str) -> Sequence[str]:
        found = code.read(files, directory, engine, answers)
        return [
            posixpath.normpath(posixpath.join(directory, call.source)) for call in found.calls if call.source and not call.version
        ]

    return called
