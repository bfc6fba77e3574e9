"""The contexts of imports: template data that a file is read with, each content once.

Equal contexts are one object, so that its identity is a key: a file imported a thousand times with the same context is read once.
"""

from __future__ import annotations

import json
from typing import Any

from catalog.stacks.bounds import Bounds
from catalog.stacks.merging import EMPTY, Map, holds_append, merge


class Contexts:
    """Knows every context of one estate."""

    def __init__(self, strategy: str) -> None:
        self.bounds = Bounds()
        self._strategy = strategy
        self._by_content: dict[str, Map] = {}
        # What was asked for is kept with the answer: an identity is only good while its object lives.
        self._known: dict[int, tuple[Map, Map]] = {id(EMPTY): (EMPTY, EMPTY)}
        self._merged: dict[tuple[int, int], Map] = {}
        self._wrapped: dict[int, bool] = {}

    def one(self, context: Map) -> Map:
        """Return the one object with this content; nothing at all is always `EMPTY`.

        Raises EstateError for one that is larger than anything that is meant.
        """
        if not context:
            return EMPTY
        known = self._known.get(id(context))
        if known is None:
            self.bounds.check(context, "the context")
            content = json.dumps(context, sort_keys=True, ensure_ascii=False, default=repr)
            found = self._by_content.setdefault(content, context)
            known = self._known[id(context)] = (context, found)
            self._known[id(found)] = (found, found)
        return known[1]

    def merged(self, own: Map, inherited: Map) -> Map:
        """Return an import's own context with the importing file's over it: the outer one wins."""
        own, inherited = self.one(own), self.one(inherited)
        if not own or not inherited:
            return own or inherited
        key = (id(own), id(inherited))
        found = self._merged.get(key)
        if found is None:
            found = self._merged[key] = self.one(merge(own, inherited, self._strategy))
        return found

    def without(self, context: Map, key: str) -> Map:
        """Return a context without one of its keys."""
        if key not in context:
            return context
        return self.one({name: value for name, value in context.items() if name != key})

    def holds_append(self, context: Map) -> bool:
        """Tell whether any list of a context is wrapped by `!append`."""
        known: Any = self._wrapped.get(id(context))
        if known is None:
            known = self._wrapped[id(context)] = holds_append(self.one(context))
        return bool(known)
