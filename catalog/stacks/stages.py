"""The passes that evaluate text: where Go templates, locals and YAML functions will stand in the pipeline.

Three places, as in Atmos: the *file* pass sees a manifest before its imports are resolved, the *component* pass sees one merged
component entry before functions, the *function* pass sees it afterwards. Until they are built, text with `{{` or a leading
`!function` stays as it is written; nothing is ever executed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.stacks.documents import Document

FilePass = Callable[[Document, Mapping[str, Any]], Document]
EntryPass = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """The passes in the order in which they run; each takes a value and returns the next one."""

    file: FilePass
    component: EntryPass
    functions: EntryPass


def _file_as_written(document: Document, context: Mapping[str, Any]) -> Document:
    del context
    return document


def _entry_as_written(entry: dict[str, Any]) -> dict[str, Any]:
    return entry


AS_WRITTEN = Stages(file=_file_as_written, component=_entry_as_written, functions=_entry_as_written)
