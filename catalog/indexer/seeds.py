"""Reads seeds: what the organisation says about itself. YAML files in, frozen values with positions out.

    estates.yaml    which estates there are, and where
    teams.yaml      organisations, teams with their members, principals
    tenants.yaml    the tenant mapping: stacks → organisation, tenant, team, environment, region; titles of tenants
    services.yaml   offerings and what they consist of
    kpis.yaml       what the platform is measured by
    allocation.yaml how charges are allocated, and what is shared
    rates.csv       what currencies are worth
    measurements/   what people measured, as CSV

Each file stands alone: one that can't be read gives a diagnostic with file and line, and its last good version is used
instead; the others are as they are.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from catalog.errors import CatalogError
from catalog.indexer import measurements, seed_references
from catalog.indexer.seed_files import FILES, TABLES
from catalog.indexer.seed_reader import Entry
from catalog.indexer.seed_values import NONE, Seeds
from catalog.stacks import documents
from catalog.stacks.tree import DirectoryTree, Tree
from catalog.values import Diagnostic, Severity, SourceLocation

DIRECTORY = "seeds"
MEASUREMENTS = "measurements/"

__all__ = ["DIRECTORY", "NONE", "Seeds", "load"]


def load(source: Path | Tree, *, prefix: str = DIRECTORY, kept: Path | None = None) -> Seeds:
    """Read the seeds of a directory or tree; locations name files below `prefix`.

    `kept` is a directory that holds the last good version of each file: what reads well is copied there, what doesn't is read from
    there, with a diagnostic. A broken file without a last good version says nothing: what it once said stays in the catalog.
    """
    tree = DirectoryTree(source) if isinstance(source, Path) else source
    present = set(tree.paths())
    seeds = NONE
    for name in (*FILES, *TABLES):
        if name in present:
            seeds = _with_file(seeds, name, tree.read(name), f"{prefix}/{name}" if prefix else name, kept)
    for name in sorted(path for path in present if path.startswith(MEASUREMENTS) and path.endswith(".csv")):
        measured, faults = measurements.read(tree.read(name), f"{prefix}/{name}" if prefix else name)
        seeds = replace(seeds, measurements=(*seeds.measurements, *measured), diagnostics=(*seeds.diagnostics, *faults))
    return replace(seeds, diagnostics=(*seeds.diagnostics, *seed_references.check(seeds)))


def _with_file(seeds: Seeds, name: str, content: bytes, shown: str, kept: Path | None) -> Seeds:
    try:
        result = _read_file(seeds, name, content, shown)
    except CatalogError as error:
        last_good = kept / name if kept is not None and (kept / name).is_file() else None
        return _without_file(seeds, name, error, shown, last_good)
    if kept is not None:
        _keep(kept / name, content)
    return result


def _without_file(seeds: Seeds, name: str, error: CatalogError, shown: str, last_good: Path | None) -> Seeds:
    location = error.location or SourceLocation(file=shown, line=1)
    message = f"the last good version of {shown} stays: {error.message}"
    found = Diagnostic(severity=Severity.ERROR, code="SEED_BROKEN", message=message, hint=error.hint, location=location)
    diagnostics, broken, unread = (*seeds.diagnostics, found), seeds.broken | {name}, seeds.unread
    try:
        seeds = _read_file(seeds, name, last_good.read_bytes(), shown) if last_good is not None else seeds
    except CatalogError:
        # It was good beside another file that says less now.
        last_good = None
    if last_good is None:
        unread |= {name}
    return replace(seeds, diagnostics=diagnostics, broken=broken, unread=unread)


def _read_file(seeds: Seeds, name: str, content: bytes, shown: str) -> Seeds:
    if name in TABLES:
        return TABLES[name](content, shown, seeds)
    document = documents.load(content, shown)
    if document.value is None:
        return seeds
    found: list[Diagnostic] = []
    entry = Entry(document, (), document.value, found.append)
    result = FILES[name](entry, seeds)
    entry.finish()
    return replace(result, diagnostics=(*seeds.diagnostics, *found))


def _keep(path: Path, content: bytes) -> None:
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f"{path.suffix}.new")
    draft.write_bytes(content)
    draft.replace(path)
