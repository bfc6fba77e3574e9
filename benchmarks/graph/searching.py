"""The statement that ranks what a search finds, for the bare statement and for the peers' function: the catalog's own, said alone.

It is many lines of what a search is (exact names, beginnings, words, words much alike); a second one would be another search. What the
comparison measures is all that is around it.
"""

from __future__ import annotations

import re

from catalog.records import SYSTEM
from catalog.store.compile import sight
from catalog.store.compile.sources.search import hits


class _FirstRows:
    """The first so many rows, by a number that is bound."""

    limit = "limit 101"

    def __init__(self, size: str) -> None:
        self._size = size

    def head(self, ordered: str) -> str:
        return f"select * from ({ordered} limit 101) g limit {self._size}"

    def order(self, *written: str) -> str:
        return ", ".join(written)

    def beyond(self, *_keys: str) -> str:
        return "true"


def statement(words: str, size: str) -> str:
    """The rows (id, kind, rank, name) that some words find, as far as a viewer without restrictions sees them."""
    written = hits(sight.Viewer(sight.of(SYSTEM), lambda _name, kind: f"null::{kind}"), _FirstRows(size))
    written = re.sub(r"\{sees_\w+\}", "true", written).replace("{arg_query}", words).replace("{arg_kinds}", "null::text[]")
    left = re.search(r"\{[a-z_]+\}", written)
    assert left is None, left
    return written.replace("{{", "{").replace("}}", "}")
