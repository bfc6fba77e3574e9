"""Plain values out as HCL: files of assignments set as Atmos sets them, all that is nested as Terraform's own formatter does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from catalog.stacks.scalars import go_float

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def assignments(values: Mapping[str, Any]) -> str:
    """Return a file of assignments as Atmos sets it: by key, a blank line between them, no line end behind the last."""
    return "\n\n".join(f"{_key(key)} = {_value(values[key], 0)}" for key in sorted(values))


def attributes(values: Mapping[str, Any], indent: int = 0) -> str:
    """Return one assignment per key, by key; those on one line stand below each other with their equals signs aligned."""
    pad = " " * indent
    lines = [(_key(key), _value(values[key], indent)) for key in sorted(values)]
    return "".join(f"{pad}{name.ljust(width)} = {text}\n" for (name, text), width in zip(lines, _widths(lines), strict=True))


def backend(kind: str, values: Mapping[str, Any]) -> str:
    """Return the block that configures a backend."""
    return f'terraform {{\n  backend "{kind}" {{\n{attributes(values, 4)}  }}\n}}\n'


def _widths(lines: list[tuple[str, str]]) -> list[int]:
    """The width of each name: that of the longest in its run of values on one line."""
    widths = [len(name) for name, _ in lines]
    start = 0
    for end in range(len(lines) + 1):
        if end == len(lines) or "\n" in lines[end][1]:
            widths[start:end] = [max(widths[start:end], default=0)] * (end - start)
            start = end + 1
    return widths


def _key(key: str) -> str:
    return key if _IDENTIFIER.fullmatch(key) else _text(key)


def _value(value: Any, indent: int) -> str:
    if isinstance(value, dict):
        return f"{{\n{attributes(value, indent + 2)}{' ' * indent}}}" if value else "{}"
    if isinstance(value, list):
        return f"[{', '.join(_value(item, indent) for item in value)}]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return go_float(value)
    return str(value) if isinstance(value, int) else _text(str(value))


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
