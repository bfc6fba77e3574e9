"""Hides literal secrets in YAML text that is shown to people: a rendered file may hold some beside what a request changes.

Pure: text and the configured pattern of secret keys in, text with stars out, line for line.
"""

from __future__ import annotations

import re

STARS = "********"
_KEY = r"""(?P<key>["']?[\w.-]+["']?)(?P<colon>\s*:(?:\s+|$))"""
# An entry of its own line owns the rest of it; one inside braces ends at a comma or a bracket, unless it is quoted.
_LINE = re.compile(rf"(?P<before>\s*(?:-\s+)*){_KEY}(?P<value>[^{{\[\n].*|)")
_FLOW = re.compile(rf"""(?P<before>[{{,]\s*){_KEY}(?P<value>"(?:\\.|[^"\\])*"|'(?:''|[^'])*'|[^,}}\]\n]*)""")
_BLOCK = re.compile(r"(?:[|>][-+0-9]*)?\s*(?:#.*)?")
# What names a secret instead of holding it stays readable.
_REFERENCE = re.compile(r"(!|\{\{|\$\{|~$|null$|true$|false$)")


def mask(text: str, secret_keys: str) -> str:
    """Return the text with the value behind each secret key, and every line of a block below one, replaced by stars."""
    pattern = re.compile(secret_keys, re.IGNORECASE)
    shown: list[str] = []
    hiding: int | None = None  # lines deeper than this belong to a secret
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(" "))
        if hiding is not None and (not line.strip() or depth > hiding):
            shown.append(" " * depth + STARS if line.strip() else line)
            continue
        hiding = depth if _opens_block(line, pattern) else None
        entry = _LINE.fullmatch(line)
        shown.append(_masked(entry, pattern) if entry else _FLOW.sub(lambda match: _masked(match, pattern), line))
    return "\n".join(shown)


def _opens_block(line: str, pattern: re.Pattern[str]) -> bool:
    match = _LINE.fullmatch(line)
    return bool(match and _is_secret(match, pattern) and _BLOCK.fullmatch(match["value"]))


def _is_secret(match: re.Match[str], pattern: re.Pattern[str]) -> bool:
    return pattern.search(match["key"].strip("\"'")) is not None


def _masked(match: re.Match[str], pattern: re.Pattern[str]) -> str:
    value = match["value"].strip()
    if not _is_secret(match, pattern) or _BLOCK.fullmatch(value) or _REFERENCE.match(value):
        return match[0]
    return f"{match['before']}{match['key']}{match['colon']}{STARS}"
