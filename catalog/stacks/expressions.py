"""What a yq expression finds in data: plain paths here, everything else by yq itself.

Atmos reads what yq prints as YAML again, so text that looks like a number becomes one, and an empty text nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from catalog.errors import NotGiven
from catalog.stacks import scalars

Query = Callable[[str, Any], Any]

_PATH = re.compile(r"(?:\.[A-Za-z_][A-Za-z0-9_-]*|\[[0-9]+\])+")
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]")
_HARMLESS = re.compile(r"[A-Za-z0-9/_](?:[\w ./@:+=,()*?!;~%-]*[\w./@+=,()*?!;~%-])?", re.ASCII)
_WHOLE = 1e6  # from here on Go writes whole floats with an exponent, which is read as a float again

_UNFOUND = object()


def select(expression: str, value: Any, query: Query | None) -> Any:
    """Return what the expression gives for the value; raises EstateError in yq's words, NotGiven where only yq can tell and isn't there."""
    found = _walked(expression, value) if _PATH.fullmatch(expression) and expression[0] == "." else _UNFOUND
    if found is not _UNFOUND:
        printed = _printed(found)
        if printed is not _UNFOUND:
            return printed
    if query is None:
        raise NotGiven(f"the expression {expression} can't be evaluated here")
    return query(expression, value)


def output(expression: str) -> str:
    """Return an expression as Atmos completes it: an output's name becomes its path."""
    return expression if expression.startswith(".") else f".{expression}"


def _walked(expression: str, value: Any) -> Any:
    for name, index in _STEP.findall(expression):
        if value is None:
            continue
        if name and isinstance(value, dict):
            value = value.get(name)
        elif index and isinstance(value, list):
            value = value[int(index)] if int(index) < len(value) else None
        else:
            return _UNFOUND
    return value


def _printed(value: Any) -> Any:
    """A value after yq has printed it and YAML has read it again."""
    if isinstance(value, str):
        is_same = _HARMLESS.fullmatch(value) and ": " not in value and scalars.plain(value) == value
        return value if is_same else None if not value else _UNFOUND
    return _nested(value)


def _nested(value: Any) -> Any:
    if isinstance(value, dict):
        items = {key: _nested(item) for key, item in value.items()}
        return _UNFOUND if any(item is _UNFOUND for item in items.values()) else items
    if isinstance(value, list):
        found = [_nested(item) for item in value]
        return _UNFOUND if any(item is _UNFOUND for item in found) else found
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _WHOLE else value
    return value if value is None or isinstance(value, (str, bool, int)) else _UNFOUND
