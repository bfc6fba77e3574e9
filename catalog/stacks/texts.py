"""Which values hold text that is still to be evaluated: Go templates and YAML functions.

Values are shared between stacks, so each map and list is looked through once and remembered by its identity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from catalog.stacks.documents import TAGS

TEMPLATE = 1
FUNCTION = 2
ASKING = 8  # text that reads what another component gave: outputs, a store, `atmos.Component`
REWRITTEN = 4  # text of several lines that yaml.v3 doesn't read back as it was before writing: it begins with a line end or a tab
KEYS = 16  # a key of this very map, or of one below, holds a template or is rewritten

# Text that begins with a function's name, where no character follows that would make it another name; `!unset` needs no end.
_FUNCTION = re.compile(rf"!unset|(?:{'|'.join(re.escape(tag) for tag in sorted(TAGS, key=len, reverse=True))})(?![A-Za-z0-9._-])")

# Only text before the one or after the other in order can begin with a mark that counts: `!`, a line end, a tab.
LATEST_MARK = '"'
EARLIEST_ODD = "\u2027"
_REWRITTEN = ("\n", "\t", "\u2028", "\u2029")


def is_function(text: str) -> bool:
    """Tell whether a text is a YAML function, tagged or quoted."""
    return text[:1] == "!" and _FUNCTION.match(text) is not None


def is_rewritten_key(key: str) -> bool:
    """Tell whether yaml.v3 doesn't read a key back as it was before writing."""
    return key == "<<" or (key[:1] in _REWRITTEN and "\n" in key)


# The keys of a map, or numbers of a list's items.
Steps = tuple[Any, ...]


class Texts:
    """Looks through values; `left` is the delimiter that begins a template."""

    def __init__(self, left: str = "{{") -> None:
        # The quotes of a delimiter may be those that a text gets when it is written.
        self.left = left.replace("'", "").replace('"', "") or left
        # The value is kept with the answer: an identity is only good while its object lives.
        self._known: dict[int, tuple[Any, int, Steps]] = {}
        self._plain_keys: set[str] = set()

    def flags(self, value: Any) -> int:
        """Return TEMPLATE, FUNCTION, ASKING, REWRITTEN, KEYS, several or 0 for a value with everything below it, keys included."""
        kind = type(value)
        if kind is str:
            return self.of_text(value)
        if kind is not dict and kind is not list:
            return self.of_text(value) if isinstance(value, str) else 0
        known = self._known.get(id(value))
        return known[1] if known is not None else self._remembered(value)[1]

    def steps(self, value: dict[str, Any] | list[Any]) -> Steps:
        """Return the keys or numbers of the items that hold anything."""
        known = self._known.get(id(value))
        return known[2] if known is not None else self._remembered(value)[2]

    def _remembered(self, value: dict[str, Any] | list[Any]) -> tuple[Any, int, Steps]:
        found = self._known[id(value)] = (value, *self.look_through(value))
        return found

    def glance(self, value: dict[str, Any] | list[Any]) -> int:
        """Return the flags of a map or list that is not worth remembering itself; what stands in it is remembered."""
        return self.look_through(value)[0]

    def look_through(self, value: dict[str, Any] | list[Any]) -> tuple[int, Steps]:
        """Return the flags and the steps of a map or list, without remembering it itself."""
        left, found, of_text, known_ones = self.left, 0, self.of_text, self._known
        steps: list[Any] = []
        # The numbers of a list are no keys.
        plain_keys: Any = self._plain_keys if type(value) is dict else range(len(value))
        items: Iterable[tuple[Any, Any]] = value.items() if type(value) is dict else enumerate(value)
        for step, item in items:
            if step not in plain_keys:
                found |= self._of_key(step)
            kind = type(item)
            if kind is str:
                if left in item or item < LATEST_MARK or item > EARLIEST_ODD:
                    flags = of_text(item)
                    if flags:
                        found |= flags
                        steps.append(step)
            elif kind is dict or kind is list:
                if item:
                    known = known_ones.get(id(item))
                    flags = known[1] if known is not None else self._remembered(item)[1]
                    if flags:
                        found |= flags
                        steps.append(step)
            elif kind is not int and kind is not bool and item is not None:
                flags = self.flags(item)
                if flags:
                    found |= flags
                    steps.append(step)
        return found, tuple(steps)

    def learn(self, value: dict[str, Any] | list[Any], flags: int, steps: Steps) -> None:
        """Take over what a new map or list holds from whoever made it."""
        self._known[id(value)] = (value, flags, steps)

    def _of_key(self, key: str) -> int:
        if self.left in key:
            return TEMPLATE | KEYS
        if is_rewritten_key(key):
            return REWRITTEN | KEYS
        self._plain_keys.add(key)
        return 0

    def has_template(self, value: Any) -> bool:
        """Tell whether a value holds a Go template."""
        return bool(self.flags(value) & TEMPLATE)

    def has_function(self, value: Any) -> bool:
        """Tell whether a value holds a YAML function."""
        return bool(self.flags(value) & FUNCTION)

    def of_text(self, text: str) -> int:
        """Return the same for one text."""
        found = 0
        if self.left in text:
            found = TEMPLATE | ASKING if "atmos.Component" in text or "atmos.Store" in text else TEMPLATE
        first = text[:1]
        if first == "!":
            if not _FUNCTION.match(text):
                return found
            return found | FUNCTION | ASKING if text.startswith(("!terraform.", "!store")) else found | FUNCTION
        return found | REWRITTEN if first in _REWRITTEN and "\n" in text else found
