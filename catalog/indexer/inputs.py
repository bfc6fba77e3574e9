"""Says as one hash what a reading of an estate reads, without reading it: the revision and everything beside it that counts.

Equal hashes mean equal snapshots, so that a process without memory of the last reading can tell that nothing changed. A plain
directory has no revision, hence no hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import catalog
from catalog.config import Config
from catalog.engines import cache as engines
from catalog.engines import hcl
from catalog.engines.template import Engine
from catalog.indexer import redaction
from catalog.indexer.sources import Position
from catalog.records import Estate
from catalog.store.organizations import Home
from catalog.values import digest


def fingerprint(
    estate: Estate,
    home: Home,
    config: Config,
    position: Position,
    *,
    engine: hcl.HclEngine | None = None,
    templates: Engine | None = None,
) -> str | None:
    """The hash of what would be read at a position; None where only reading can tell. Blocks."""
    if position.revision is None:
        return None
    return digest(
        {
            "program": _program(),
            "estate": [estate.name, estate.directory, estate.config_path],
            "revision": position.revision,
            "home": _plain(home),
            "seeds": None if config.seeds is None else list(_files(config.seeds)),
            "redaction": [redaction.mark_of(redaction.read_key(config.redaction_key_file)), config.secret_keys],
            "engines": [
                engine is not None or engines.ready("hcl", config.cache),
                templates is not None or engines.ready("template", config.cache),
            ],
        }
    )


@cache
def _program() -> str:
    """The hash of the program's own files, by their sizes and times: another program may read the same otherwise."""
    root = Path(catalog.__file__).parent
    stats = [(path, path.stat()) for pattern in ("*.py", "*.yaml", "*.wasm*") for path in sorted(root.rglob(pattern))]
    return digest([[str(path.relative_to(root)), found.st_size, found.st_mtime_ns] for path, found in stats])


def _files(place: Path) -> Iterator[list[str]]:
    """The files of a directory, or the one file, with the hashes of their contents."""
    found = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
    for path in found:
        yield [str(path), hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""]


def _plain(value: Any) -> Any:
    """A value as JSON can hold it, the same in every process."""
    if is_dataclass(value):
        return [_plain(getattr(value, item.name)) for item in fields(value)]
    if isinstance(value, Mapping):
        return sorted((str(key), _plain(item)) for key, item in value.items())
    if isinstance(value, AbstractSet):
        return sorted(map(repr, value))
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return repr(value)
