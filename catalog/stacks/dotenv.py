"""Files of variables as shells and containers read them: `NAME=value` a line, as Go's godotenv understands them."""

from __future__ import annotations

import re

from catalog.errors import EstateError

_NAME = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)[ \t]*(?:=|:)[ \t]*")
_BLANK = re.compile(r"\s*(?:#[^\n]*)?(?:\n|\Z)")
_REFERENCE = re.compile(r"(\\)?(\$)(\()?\{?([A-Z0-9_]+)?\}?")
_ESCAPES = {"\\n": "\n", "\\r": "\r"}


def variables(text: str) -> dict[str, str]:
    """Return the variables of a text; raises EstateError at the first line that is none."""
    text = text.replace("\r\n", "\n")
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        blank = _BLANK.match(text, position)
        if blank and blank.end() > position:
            position = blank.end()
            continue
        name = _NAME.match(text, position)
        if name is None:
            line = text[position:].split("\n", 1)[0].strip()
            raise EstateError(f"unexpected character in variable name near '{line}'", code="INCLUDE")
        found[name["name"]], position = _value(text, name.end(), found)
    return found


def _value(text: str, start: int, known: dict[str, str]) -> tuple[str, int]:
    quote = text[start : start + 1]
    if quote not in {'"', "'"}:
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end]
        value = re.split(r"\s#", line, maxsplit=1)[0] if not line.startswith("#") else ""
        return _expanded(value.strip(), known), end + 1
    position = start + 1
    while position < len(text):
        if text[position] == quote and text[position - 1] != "\\":
            value = text[start:position].strip(quote)  # as godotenv does, which loses an escaped quote at the end
            return (value if quote == "'" else _expanded(_unescaped(value), known)), position + 1
        position += 1
    raise EstateError(f"unterminated quoted value {text[start:].split(chr(10), 1)[0]}", code="INCLUDE")


def _unescaped(value: str) -> str:
    return re.sub(r"\\([^$])", lambda found: _ESCAPES.get(found.group(), found.group(1)), value)


def _expanded(value: str, known: dict[str, str]) -> str:
    def replaced(found: re.Match[str]) -> str:
        if found[1] or found[3]:
            return found.group()[1:]
        return known.get(found[4], "") if found[4] else found.group()

    return _REFERENCE.sub(replaced, value)
