"""Where the pieces of a YAML text begin and end: the editor's view of a document, in characters.

`read_spans` walks libyaml's events once. A span ends where its last written character ends, not where the next token begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from catalog.stacks import scalars

Event = Any  # PyYAML's stubs know neither an event's marks nor its fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One written value: `kind` is map, list, scalar or alias.

    `style` is a scalar's quote; `flow` tells `{}` and `[]`; `column` is that of a map's keys or a list's dashes.
    """

    kind: str
    start: int
    end: int
    column: int
    flow: bool = False
    style: str | None = None
    entries: tuple[Entry, ...] = ()
    items: tuple[Span, ...] = ()
    has_merge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key of a map, where the key is written, and its value."""

    key: str | None
    start: int
    key_end: int
    column: int
    value: Span

    @property
    def end(self) -> int:
        """Where the entry's last character ends."""
        return max(self.key_end, self.value.end)


def read_spans(text: str) -> Span | None:
    """Return the spans of the first document's value; None where the text holds no value at all."""
    parser = CParser(text)
    events = iter(parser.get_event, None)
    for event in events:
        if type(event) is DocumentStartEvent:
            return _span(next(events), events, text)
        if type(event) is StreamEndEvent:
            break
    return None


def _span(event: Event, events: Iterator[Any], text: str) -> Span:
    kind = type(event)
    start, column = event.start_mark.index, event.start_mark.column
    if kind is ScalarEvent:
        end = event.end_mark.index
        if event.style in ("|", ">"):
            end = max(start + 1, len(text[:end].rstrip()))
        return Span(kind="scalar", start=start, end=end, column=column, style=event.style)
    if kind is AliasEvent:
        return Span(kind="alias", start=start, end=event.end_mark.index, column=column)
    return (_map if kind is MappingStartEvent else _list)(event, events, text)


def _map(event: Event, events: Iterator[Any], text: str) -> Span:
    entries: list[Entry] = []
    has_merge = False
    end = event.end_mark.index
    key: Event
    for key in events:
        if type(key) is MappingEndEvent:
            end = _end(key) if event.flow_style else end
            break
        name = _span(key, events, text)
        value = _span(next(events), events, text)
        end = max(name.end, value.end)
        is_scalar = type(key) is ScalarEvent
        has_merge = has_merge or (is_scalar and key.value == "<<" and key.implicit[0])
        entries.append(
            Entry(key=_key(key) if is_scalar else None, start=name.start, key_end=name.end, column=name.column, value=value)
        )
    return Span(
        kind="map",
        start=event.start_mark.index,
        end=end,
        column=entries[0].column if entries else event.start_mark.column,
        flow=bool(event.flow_style),
        entries=tuple(entries),
        has_merge=has_merge,
    )


def _end(event: Event) -> int:
    end: int = event.end_mark.index
    return end


def _key(event: Event) -> str | None:
    if event.value == "<<" and event.implicit[0]:
        return None
    return scalars.key(scalars.plain(event.value) if event.implicit[0] else event.value)


def _list(event: Event, events: Iterator[Any], text: str) -> Span:
    items: list[Span] = []
    end = event.end_mark.index
    item: Event
    for item in events:
        if type(item) is SequenceEndEvent:
            end = _end(item) if event.flow_style else end
            break
        items.append(_span(item, events, text))
        end = items[-1].end
    return Span(
        kind="list",
        start=event.start_mark.index,
        end=end,
        column=_dash_column(text, items[0].start) if items and not event.flow_style else event.start_mark.column,
        flow=bool(event.flow_style),
        items=tuple(items),
    )


def _dash_column(text: str, start: int) -> int:
    dash = text.rfind("-", 0, start)
    return dash - (text.rfind("\n", 0, dash) + 1)
