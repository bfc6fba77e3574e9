"""Finds what a README says first: from Markdown as people and generators write it to one paragraph of plain text."""

from __future__ import annotations

import re

_LONGEST = 1000
# What stands before or between prose: metadata, comments, markup in capitals and lower case, code.
_FRONT_MATTER = re.compile(r"\A\ufeff?---\n.*?\n---\s*(?:\n|\Z)", re.DOTALL)
_ASIDE = re.compile(r"<!--.*?-->|^(```|~~~).*?^\1[ \t]*$", re.DOTALL | re.MULTILINE)
_GENERATED = re.compile(r"<!-- BEGIN_TF_DOCS -->.*?(?:<!-- END_TF_DOCS -->|\Z)", re.DOTALL)
_HEADING = re.compile(r"[ ]{0,3}#{1,6}(?![#!])")
_UNDERLINE = re.compile(r"[ ]{0,3}(?:=+|-+)\s*$")
# Blocks that are no prose: tables, rules, lists, quotes, directives, HTML, indented code, link definitions, lone images.
_NO_PROSE = re.compile(r"\s*(?:[|]|<|!\[|\[!|:::|>|[-*_]{3,}\s*$|[-*+]\s|\d+[.)]\s|\[[^\]]+\]:)|\t| {4}")
# What terraform-docs writes where there is nothing to list.
_FILLER = re.compile(r"No (?:requirements|providers|modules|resources|inputs|outputs)\.")
_INLINE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])"), ""),  # images
    (re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\[[^\]]*\])"), r"\1"),  # links
    (re.compile(r"<(https?://[^>\s]+)>"), r"\1"),
    (re.compile(r"</?[A-Za-z][^>]*>"), ""),
    (re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*]+)(?<=\S)\*(?!\w)"), r"\1"),
    (re.compile(r"`([^`]*)`"), r"\1"),
    (re.compile(r"\\([\\`*_{}\[\]()#+.!>~-])"), r"\1"),
    (re.compile(r"\s+"), " "),
)


def summary(text: str | None) -> str | None:
    """The first paragraph of prose as plain text, cut at a word where it is very long; None where there is none."""
    rest = _FRONT_MATTER.sub("", (text or "").replace("\r\n", "\n"), count=1)
    rest = _ASIDE.sub("\n", _GENERATED.sub("\n", rest))
    for block in re.split(r"\n[ \t]*\n", rest):
        prose = _plain(_without_headings(block.strip("\n").splitlines()))
        if prose and not _FILLER.fullmatch(prose):
            return prose if len(prose) <= _LONGEST else f"{prose[:_LONGEST].rsplit(' ', 1)[0]}…"
    return None


def _without_headings(lines: list[str]) -> list[str]:
    """The lines of a block up to its first that is no prose; nothing when prose doesn't stand at its head."""
    while lines and (_HEADING.match(lines[0]) or (len(lines) > 1 and _UNDERLINE.match(lines[1]))):
        lines = lines[2:] if len(lines) > 1 and _UNDERLINE.match(lines[1]) else lines[1:]
    end = next((at for at, line in enumerate(lines) if _NO_PROSE.match(line) or _HEADING.match(line)), len(lines))
    return lines[:end]


def _plain(lines: list[str]) -> str:
    text = "\n".join(lines)
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    return text.strip()
