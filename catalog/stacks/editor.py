"""Edits YAML by splicing text at positions: what isn't edited keeps its comments, order, quoting and spaces byte for byte.

`set_value(text, path, value)` replaces just the characters of what differs, inserts a key where the path ends, and then reads
the result again: an edit that would change anything else is refused, never written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.errors import EstateError, Invalid
from catalog.stacks import documents, rendering
from catalog.stacks.rendering import Layout
from catalog.stacks.spans import Entry, Span, read_spans

Path = tuple[str | int, ...]
Splice = tuple[int, int, str]  # from, to, and the text that stands there instead


def set_value(text: bytes, path: Sequence[str | int], value: Any) -> bytes:
    """Return the YAML text with the value at the path (keys and list indexes) replaced, or created with its parents.

    A map set over a map touches only the entries that differ. An index equal to the list's length appends. Raises Invalid
    when the path leads through a scalar, or when the text can't be edited without changing something else.
    """
    steps = tuple(path)
    before = documents.load(text, "").value
    return _edited(text, before, _with(before, steps, value, steps), steps)


def unset_value(text: bytes, path: Sequence[str | int]) -> bytes:
    """Return the YAML text without the entry at the path; unchanged when nothing is written there."""
    steps = tuple(path)
    before = documents.load(text, "").value
    return _edited(text, before, _without(before, steps), steps)


def _edited(content: bytes, before: Any, wanted: Any, path: Path) -> bytes:
    if _same(before, wanted):
        return content
    bom = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    try:
        text = content.removeprefix(bom).decode()
        result = bom + _spliced(text, before, wanted).encode()
        after = documents.load(result, "").value
    except (UnicodeError, EstateError) as error:
        raise _refusal(path) from error
    if not _same(after, wanted):
        raise _refusal(path)
    return result


def _refusal(path: Path) -> Invalid:
    return Invalid(
        f"{_dotted(path)} can't be set without changing something else in the file",
        hint="An anchor, an alias or an unusual layout is in the way: edit this file by hand.",
        path=tuple(map(str, path)),
    )


def _dotted(path: Path) -> str:
    return ".".join(map(str, path)) or "the document"


def _same(one: Any, other: Any) -> bool:
    """Compare as YAML values: 1, 1.0 and true differ."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124 — two NaN are the same text


def _with(before: Any, steps: Path, value: Any, path: Path) -> Any:
    """The document's value with the path set, the old one untouched."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        if not isinstance(before, list) or not 0 <= step <= len(before):
            raise Invalid(f"{_dotted(path)}: there is no item {step} to set", path=tuple(map(str, path)))
        below = before[step] if step < len(before) else None
        return [*before[:step], _with(below, rest, value, path), *before[step + 1 :]]
    if before is not None and not isinstance(before, dict):
        raise Invalid(f"{_dotted(path)} leads through a value that is no map, before {step}", path=tuple(map(str, path)))
    entries = before or {}
    return {**entries, step: _with(entries.get(step), rest, value, path)}


def _without(before: Any, steps: Path) -> Any:
    step, rest = steps[0], steps[1:]
    if isinstance(before, dict) and step in before:
        return {key: _without(item, rest) if key == step else item for key, item in before.items() if rest or key != step}
    if isinstance(before, list) and isinstance(step, int) and 0 <= step < len(before):
        return [*before[:step], *([_without(before[step], rest)] if rest else []), *before[step + 1 :]]
    return before


def _spliced(text: str, before: Any, wanted: Any) -> str:
    root = read_spans(text)
    layout = _layout(text, root)
    if root is None:
        lead = "" if not text or text.endswith("\n") else layout.newline
        lines = [rendering.flow(wanted)] if rendering.is_inline(wanted) else rendering.block(wanted, layout)
        return text + lead + layout.newline.join(lines) + layout.newline
    splices = _Splicer(text, layout).changes(root, before, wanted, _Host(after=None, indent=-layout.step))
    return _applied(text, splices)


def _applied(text: str, splices: list[Splice]) -> str:
    parts: list[str] = []
    position = 0
    for start, end, replacement in sorted(splices, key=lambda splice: splice[0]):
        parts += (text[position:start], replacement)
        position = max(position, end)
    return "".join((*parts, text[position:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Host:
    """What holds a value: where its introducer (`key:` or `-`) ends, the column of that, and whether it is `{}` or `[]`."""

    after: int | None
    indent: int
    flow: bool = False
    is_item: bool = False
    lacks_colon: bool = False


class _Splicer:
    """Finds the splices that make one written value what is wanted; knows the text and its layout."""

    def __init__(self, text: str, layout: Layout) -> None:
        self.text = text
        self.layout = layout

    def changes(self, span: Span, before: Any, wanted: Any, host: _Host) -> list[Splice]:
        """Entry by entry where map meets map, item by item where a list keeps or gains items, wholesale otherwise."""
        if _same(before, wanted):
            return []
        if span.kind == "map" and span.entries and isinstance(wanted, dict) and wanted:
            found = self._map_changes(span, before, wanted)
            if found is not None:
                return found
        if span.kind == "list" and span.items and isinstance(wanted, list) and len(wanted) >= len(span.items):
            return self._list_changes(span, before, wanted)
        return [self._replacement(span, wanted, host)]

    def _map_changes(self, span: Span, before: dict[str, Any], wanted: dict[str, Any]) -> list[Splice] | None:
        written = {entry.key: entry for entry in span.entries if entry.key is not None}
        kept = [entry for entry in span.entries if entry.key is None or entry.key in wanted]
        # What `<<` brought can be overridden but not taken away.
        if not kept or any(key not in wanted and key not in written for key in before):
            return None
        added = {
            key: value for key, value in wanted.items() if key not in written and not (key in before and _same(before[key], value))
        }
        splices = self._removals(span, wanted)
        for key, entry in written.items():
            if key in wanted:
                splices += self.changes(entry.value, before[key], wanted[key], self._entry_host(span, entry))
        return splices + (self._added_entries(span, kept[-1], added) if added else [])

    def _entry_host(self, span: Span, entry: Entry) -> _Host:
        colon = self.text.find(":", entry.key_end, max(entry.value.start, entry.key_end + 1))
        after = colon + 1 if colon >= 0 else entry.key_end
        return _Host(after=after, indent=entry.column, flow=span.flow, lacks_colon=colon < 0)

    def _removals(self, span: Span, wanted: dict[str, Any]) -> list[Splice]:
        splices: list[Splice] = []
        has_kept = False
        for number, entry in enumerate(span.entries):
            if entry.key is None or entry.key in wanted:
                has_kept = True
            elif not span.flow and self._begins_line(entry.start):
                splices.append((self._line_start(entry.start), self._next_line(entry.end), ""))
            elif has_kept:
                splices.append((span.entries[number - 1].end, entry.end, ""))
            else:
                splices.append((entry.start, span.entries[number + 1].start, ""))
        return splices

    def _added_entries(self, span: Span, last: Entry, added: dict[str, Any]) -> list[Splice]:
        if span.flow:
            return [(last.end, last.end, "".join(f", {rendering.flow_entry(*entry)}" for entry in added.items()))]
        lines = [line for entry in added.items() for line in rendering.block_entry(*entry, self.layout)]
        return [self._below(last.end, lines, span.column)]

    def _list_changes(self, span: Span, before: list[Any], wanted: list[Any]) -> list[Splice]:
        splices: list[Splice] = []
        for item, old, new in zip(span.items, before, wanted, strict=False):
            splices += self.changes(item, old, new, self._item_host(span, item))
        added = wanted[len(span.items) :]
        if not added:
            return splices
        end = span.items[-1].end
        if span.flow:
            return [*splices, (end, end, "".join(f", {rendering.flow(item)}" for item in added))]
        lines = [line for item in added for line in rendering.block_item(item, self.layout)]
        return [*splices, self._below(end, lines, span.column)]

    def _item_host(self, span: Span, item: Span) -> _Host:
        dash = self.text.rfind("-", 0, item.start)
        return _Host(after=dash + 1, indent=span.column, flow=span.flow, is_item=True)

    def _below(self, end: int, lines: list[str], column: int) -> Splice:
        """Insert lines below the line on which something ends."""
        position = self._line_end(end)
        return position, position, "".join(self.layout.newline + " " * column + line for line in lines)

    def _replacement(self, span: Span, wanted: Any, host: _Host) -> Splice:
        if host.flow or rendering.is_inline(wanted):
            return self._inline(span, wanted, host)
        lines = rendering.block(wanted, self.layout)
        newline = self.layout.newline
        if host.after is None:
            return span.start, span.end, newline.join(lines)
        if host.is_item:
            start, column, lead = self._item_start(span, host)
            return start, span.end, lead + (newline + " " * column).join(lines)
        # Below a key: what follows the old value on the key's line is its comment and stays there.
        column = self._child_column(span, wanted, host)
        body = "".join(newline + " " * column + line for line in lines)
        if "\n" in self.text[host.after : span.start]:
            comment = self.text[host.after : self._line_end(host.after)].rstrip()
            return host.after, span.end, comment + body
        line_end = self._line_end(span.end)
        return host.after, line_end, self.text[span.end : line_end].rstrip() + body

    def _inline(self, span: Span, wanted: Any, host: _Host) -> Splice:
        shown = (
            rendering.flow(wanted) if host.flow or isinstance(wanted, (dict, list)) else rendering.scalar(wanted, like=span.style)
        )
        if host.flow and not isinstance(wanted, (dict, list)):
            shown = rendering.scalar(wanted, flow=True, like=span.style)
        if host.lacks_colon:
            shown = ": " + shown
        if host.after is not None and not host.flow and "\n" in self.text[host.after : span.start]:
            comment = self.text[host.after : self._line_end(host.after)].rstrip()
            return host.after, span.end, f" {shown}{comment}"
        needs_space = span.start > 0 and self.text[span.start - 1] in ":-" and not host.lacks_colon
        return span.start, span.end, (" " if needs_space else "") + shown

    def _item_start(self, span: Span, host: _Host) -> tuple[int, int, str]:
        """Where an item's block begins, its column, and the space it needs after the dash."""
        assert host.after is not None
        if span.start == host.after or "\n" in self.text[host.after : span.start]:
            return host.after, host.indent + 2, " "
        return span.start, span.start - self._line_start(span.start), ""

    def _child_column(self, span: Span, wanted: Any, host: _Host) -> int:
        is_map = isinstance(wanted, dict)
        if span.kind == ("map" if is_map else "list") and not span.flow and (span.entries or span.items):
            return span.column
        return host.indent + (self.layout.step if is_map else self.layout.list_indent)

    def _line_start(self, position: int) -> int:
        return self.text.rfind("\n", 0, position) + 1

    def _line_end(self, position: int) -> int:
        """Where a line's characters end, before its line break."""
        end = self.text.find("\n", position)
        if end < 0:
            return len(self.text)
        return end - 1 if end > position and self.text[end - 1] == "\r" else end

    def _next_line(self, position: int) -> int:
        end = self.text.find("\n", position)
        return len(self.text) if end < 0 else end + 1

    def _begins_line(self, position: int) -> bool:
        return not self.text[self._line_start(position) : position].strip()


def _layout(text: str, root: Span | None) -> Layout:
    """Learn a text's habits from what is written: the commonest step, whether lists are indented, the line end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    steps: list[int] = []
    lists: list[int] = []
    _measure(root, steps, lists)
    step = _commonest([found for found in steps if found > 0], 2)
    list_indent = _commonest(lists, step)
    return Layout(step=step, list_indent=list_indent, newline=newline)


def _commonest(numbers: list[int], otherwise: int) -> int:
    return max(sorted(set(numbers)), key=numbers.count) if numbers else otherwise


def _measure(span: Span | None, steps: list[int], lists: list[int]) -> None:
    if span is None or span.flow:
        return
    for entry in span.entries:
        if entry.value.entries and not entry.value.flow:
            steps.append(entry.value.column - entry.column)
        if entry.value.items and not entry.value.flow:
            lists.append(entry.value.column - entry.column)
        _measure(entry.value, steps, lists)
    for item in span.items:
        _measure(item, steps, lists)
