"""How much templates may make of a little: they copy values into values, and a few lines can double one as often as they like.

Sizes count values and text, depths count levels. What stands in several places counts in each of them, though it is one object.
"""

from __future__ import annotations

from typing import Any

from catalog.errors import EstateError
from catalog.stacks import references

SIZE = 400_000  # values in a context or a local; so many characters of text count as one more
CHARACTERS = 25
DEPTH = 150
COPIES = 1_000_000  # values that the references of one file may copy


class Bounds:
    """Measures values, each map and list once."""

    def __init__(self) -> None:
        # The value is kept with the answer: an identity is only good while its object lives.
        self._known: dict[int, tuple[Any, int, int]] = {}

    def measure(self, value: Any) -> tuple[int, int]:
        """Return a value's size and depth."""
        if isinstance(value, str):
            return 1 + len(value) // CHARACTERS, 0
        if not isinstance(value, (dict, list)):
            return 1, 0
        known = self._known.get(id(value))
        if known is not None:
            return known[1], known[2]
        size, depth = 1, 0
        for item in value.values() if isinstance(value, dict) else value:
            one, below = self.measure(item)
            size += one
            depth = max(depth, below)
        self._known[id(value)] = (value, size, depth + 1)
        return size, depth + 1

    def check(self, value: Any, what: str) -> None:
        """Raise EstateError when a value is larger or deeper than anything that is meant."""
        size, depth = self.measure(value)
        if size > SIZE:
            raise EstateError(f"{what} holds more than {SIZE:,} values", code="SIZE", hint=_HINT)
        if depth > DEPTH:
            raise EstateError(f"{what} is nested deeper than {DEPTH} levels", code="SIZE", hint=_HINT)

    def check_copies(self, value: Any, data: dict[str, Any], what: str) -> None:
        """Raise EstateError when the references in a value copy too much of the data."""
        actions = 4 * self.measure(value)[0]  # no action of a template is shorter than six characters
        if sum(self.measure(item)[0] for item in data.values()) * actions > COPIES and self._copied(value, data) > COPIES:
            raise EstateError(f"the templates of {what} make more than {COPIES:,} values", code="SIZE", hint=_HINT)

    def _copied(self, value: Any, data: dict[str, Any]) -> int:
        if isinstance(value, str):
            return self._copied_by(value, data) if "{{" in value else 0
        if isinstance(value, dict):
            return sum(self._copied_by(key, data) + self._copied(item, data) for key, item in value.items())
        return sum(self._copied(item, data) for item in value) if isinstance(value, list) else 0

    def _copied_by(self, text: str, data: dict[str, Any]) -> int:
        """What one text copies; the engine bounds what it makes of one text itself."""
        pieces = references.parts(text) if "{{" in text else ()
        return sum(self.measure(references.look(piece, data))[0] for piece in pieces or () if not isinstance(piece, str))


_HINT = "Templates copy values into each other here until there are too many to be meant."
