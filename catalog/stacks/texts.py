"""Which values hold text that is still to be evaluated: Go templates and YAML functions.

Values are shared between stacks, so each map and list is looked through once and remembered by its identity.
"""

from __future__ import annotations

import re
from typing import Any

from catalog.stacks.documents import TAGS

TEMPLATE = 1
FUNCTION = 2
REWRITTEN = 4  # text of several lines that yaml.v3 doesn't read back as it was before writing: it begins with a line end or a tab

# Text that begins with a function's name, where no character follows that would make it another name.
_FUNCTION = re.compile(rf"(?:{'|'.join(re.escape(tag) for tag in sorted(TAGS, key=len, reverse=True))})(?![A-Za-z0-9._-])")


def is_function(text: str) -> bool:
    """Tell whether a text is a YAML function, tagged or quoted."""
    return text[:1] == "!" and _FUNCTION.match(text) is not None


class Texts:
    """Looks through values; `left` is the delimiter that begins a template."""

    def __init__(self, left: str = "{{") -> None:
        self._left = left
        # The value is kept with the answer: an identity is only good while its object lives.
        self._known: dict[int, tuple[Any, int]] = {}

    def flags(self, value: Any) -> int:
        """Return TEMPLATE, FUNCTION, REWRITTEN, several or 0 for a value with everything below it, keys included."""
        kind = type(value)
        if kind is str:
            return self._of_text(value)
        if kind is not dict and kind is not list:
            return self._of_text(value) if isinstance(value, str) else 0
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        left, found = self._left, 0
        if kind is dict:
            for key, item in value.items():
                if left in key:
                    found |= TEMPLATE
                if item is not None and item is not True and item is not False:
                    found |= self.flags(item)
        else:
            for item in value:
                found |= self.flags(item)
        self._known[id(value)] = (value, found)
        return found

    def has_template(self, value: Any) -> bool:
        """Tell whether a value holds a Go template."""
        return bool(self.flags(value) & TEMPLATE)

    def has_function(self, value: Any) -> bool:
        """Tell whether a value holds a YAML function."""
        return bool(self.flags(value) & FUNCTION)

    def _of_text(self, text: str) -> int:
        found = TEMPLATE if self._left in text else 0
        first = text[:1]
        if first == "!":
            return found | FUNCTION if _FUNCTION.match(text) else found
        return found | REWRITTEN if first and first in "\n\t\u2028\u2029" and "\n" in text else found
