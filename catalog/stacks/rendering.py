"""Plain values out as YAML text, for the editor: plain where that is safe, quoted where any reader could misread it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from catalog.stacks import scalars

_AMBIGUOUS = re.compile(r"(?i)y|n|yes|no|on|off|<<|=|[-+]?[0-9][0-9_]*(:[0-9_.]+)+|[-+.]?[0-9][0-9_.,eExXoObB+-]*")
_PLAIN = re.compile(r"[^\s!&*?|>'\"%@`#,\[\]{}:=<~-][^\n\t]*|-[^\s-][^\n\t]*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a text is laid out: spaces a level, whether lists are indented below their key, and its line end."""

    step: int = 2
    list_indent: int = 2
    newline: str = "\n"


def scalar(value: Any, *, flow: bool = False, like: str | None = None) -> str:
    """Return a scalar's text; `like` is the quote that was there and is kept where possible."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if not isinstance(value, str):
        return str(value)
    if like == "'" and _is_line(value):
        return "'" + value.replace("'", "''") + "'"
    return value if like != '"' and is_plain(value, flow=flow) else double_quoted(value)


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    return repr(value)


def is_plain(text: str, *, flow: bool) -> bool:
    """Tell whether text can stand without quotes and is text to every reader, YAML 1.1 ones included."""
    return (
        _is_line(text)
        and _PLAIN.fullmatch(text) is not None
        and text.strip() == text
        and _AMBIGUOUS.fullmatch(text) is None
        and ": " not in text
        and " #" not in text
        and not text.endswith(":")
        and not text.startswith(("---", "..."))
        and not (flow and any(mark in text for mark in ",[]{}:"))
        and scalars.plain(text) == text
    )


def _is_line(text: str) -> bool:
    return text.isprintable() and not any(mark in text for mark in "\u2028\u2029\u0085\ufeff")


def double_quoted(text: str) -> str:
    """Return text in double quotes, with everything unprintable escaped."""
    return '"' + "".join(_escaped(mark) for mark in text) + '"'


def _escaped(mark: str) -> str:
    if mark in _ESCAPES:
        return _ESCAPES[mark]
    if mark.isprintable() and mark != "\ufeff":
        return mark
    code = ord(mark)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def flow(value: Any, *, like: str | None = None) -> str:
    """Return any value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(flow_entry(key, item) for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value, flow=True, like=like)


def flow_entry(key: str, value: Any) -> str:
    """Return one entry of a map on one line."""
    return f"{scalar(key, flow=True)}: {flow(value)}"


def is_inline(value: Any) -> bool:
    """Tell whether a value stands on its key's line: scalars and empty collections."""
    return not (isinstance(value, (dict, list)) and value)


def block(value: Any, layout: Layout) -> list[str]:
    """Return a non-empty map or list as lines, the first level not indented."""
    lines: list[str] = []
    if isinstance(value, dict):
        for key, item in value.items():
            lines += block_entry(key, item, layout)
        return lines
    for item in value:
        lines += block_item(item, layout)
    return lines


def block_entry(key: str, value: Any, layout: Layout) -> list[str]:
    """Return one entry of a map as lines."""
    name = scalar(key)
    if is_inline(value):
        return [f"{name}: {flow(value) if isinstance(value, (dict, list)) else scalar(value)}"]
    indent = " " * (layout.step if isinstance(value, dict) else layout.list_indent)
    return [f"{name}:", *(indent + line for line in block(value, layout))]


def block_item(value: Any, layout: Layout) -> list[str]:
    """Return one item of a list as lines."""
    if is_inline(value):
        return [f"- {flow(value) if isinstance(value, (dict, list)) else scalar(value)}"]
    first, *rest = block(value, layout)
    return [f"- {first}", *("  " + line for line in rest)]
