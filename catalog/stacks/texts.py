"""Which values hold text that is still to be evaluated: Go templates and YAML functions.

Values are shared between stacks, so each map and list is looked through once and remembered by its identity.
"""

from __future__ import annotations

import re
from typing import Any

from catalog.stacks.documents import TAGS

TEMPLATE = 1
FUNCTION = 2
ASKING = 8  # text that reads what another component gave: outputs, a store, `atmos.Component`
REWRITTEN = 4  # text of several lines that yaml.v3 doesn't read back as it was before writing: it begins with a line end or a tab

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


class Texts:
    """Looks through values; `left` is the delimiter that begins a template."""

    def __init__(self, left: str = "{{") -> None:
        # The quotes of a delimiter may be those that a text gets when it is written.
        self.left = left.replace("'", "").replace('"', "") or left
        # The value is kept with the answer: an identity is only good while its object lives.
        self._known: dict[int, tuple[Any, int]] = {}

    def flags(self, value: Any) -> int:
        """Return TEMPLATE, FUNCTION, ASKING, REWRITTEN, several or 0 for a value with everything below it, keys included."""
        kind = type(value)
        if kind is str:
            return self.of_text(value)
        if kind is not dict and kind is not list:
            return self.of_text(value) if isinstance(value, str) else 0
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        found = self.glance(value)
        self._known[id(value)] = (value, found)
        return found

    def glance(self, value: dict[str, Any] | list[Any]) -> int:
        """Return the same for a map or list that is not worth remembering itself; what stands in it is remembered."""
        left, found, of_text, known_ones = self.left, 0, self.of_text, self._known
        if type(value) is dict:
            for key in value:
                if left in key:
                    found |= TEMPLATE
                if (key < LATEST_MARK or key > EARLIEST_ODD or key == "<<") and is_rewritten_key(key):
                    found |= REWRITTEN
        for item in value.values() if type(value) is dict else value:
            kind = type(item)
            if kind is str:
                if left in item or item < LATEST_MARK or item > EARLIEST_ODD:
                    found |= of_text(item)
            elif kind is dict or kind is list:
                known = known_ones.get(id(item))
                found |= known[1] if known is not None else self.flags(item)
            elif kind is not int and kind is not bool and item is not None:
                found |= self.flags(item)
        return found

    def learn(self, value: dict[str, Any] | list[Any], flags: int) -> None:
        """Take over what a new map or list holds from whoever made it."""
        self._known[id(value)] = (value, flags)

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
            found = TEMPLATE | ASKING if "atmos.Component" in text else TEMPLATE
        first = text[:1]
        if first == "!":
            if not _FUNCTION.match(text):
                return found
            return found | FUNCTION | ASKING if text.startswith(("!terraform.", "!store")) else found | FUNCTION
        return found | REWRITTEN if first in _REWRITTEN and "\n" in text else found
