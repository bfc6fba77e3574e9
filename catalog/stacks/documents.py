"""YAML text in; plain values out, and beside them the line and column of every key and item.

Everybody who reads YAML reads it here: manifests, workflows, seeds and component metadata. libyaml splits the text into
events; what the events mean follows Go's yaml.v3 (`scalars`), because that is what Atmos sees: only the first document
counts, a duplicate key is an error, keys are text, `<<` merges maps, a date is a `Timestamp`. Atmos' own tags become text
(`!env HOME` is the string "!env HOME"), except `!append`, which wraps its list; `!include` becomes an `Include`, for `includes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from sys import intern
from typing import Any

import yaml
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

from catalog.errors import EstateError
from catalog.stacks import scalars
from catalog.values import SourceLocation

Event = Any  # PyYAML's stubs know neither an event's marks nor its fields

# A mapping's places: key → (line, column, places of the value). A sequence's: a list of the same. None below a scalar.
Places = dict[str, Any] | list[Any] | None

APPEND = "__atmos_append__"  # the wrapper's only key, as Atmos names it

# Atmos' own tags, in the order in which its error names them.
TAGS = (
    "!exec",
    "!secret",
    "!store",
    "!store.get",
    "!template",
    "!terraform.output",
    "!terraform.state",
    "!env",
    "!cel",
    "!include",
    "!include.raw",
    "!repo-root",
    "!git.root",
    "!git.sha",
    "!git.branch",
    "!git.ref",
    "!git.repository",
    "!git.owner",
    "!git.name",
    "!git.host",
    "!git.url",
    "!append",
    "!cwd",
    "!unset",
    "!random",
    "!literal",
    "!aws.account_id",
    "!aws.caller_identity_arn",
    "!aws.caller_identity_user_id",
    "!aws.region",
    "!aws.organization_id",
    "!emulator",
    "!version",
    "!tags",
    "!labels",
    "!labels.keys",
    "!labels.values",
)
_KNOWN_TAGS = frozenset(TAGS)
_YAML_TAG = "tag:yaml.org,2002:"

_INCLUDES = frozenset({"!include", "!include.raw"})

# Both bound what a small hostile file can ask for; real manifests stay far below.
_DEPTH_LIMIT = 150
_ALIAS_LIMIT = 400_000


class Tagged(str):  # noqa: SLOT000 - a subclass of str can't have slots of its own and needs none
    """A scalar that was written with a tag, where only such count as functions: the tag, and the scalar's text."""


class Include(str):  # noqa: SLOT000 - a subclass of str can't have slots of its own and needs none
    """A scalar tagged `!include` or `!include.raw`, as its text; a quoted string with the same text is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML document: its value (dicts, lists, scalars, `Timestamp`), and where everything is written.

    `file` is what locations name. `has_timestamps` and `has_includes` tell whether any value is a date or an `Include`,
    `first_function` is the line of the first text that begins with `!` (an Atmos function).
    """

    file: str
    value: Any
    places: Places = field(repr=False)
    has_timestamps: bool = False
    has_includes: bool = False
    first_function: int | None = None

    def location(self, path: Sequence[str | int]) -> SourceLocation | None:
        """Where the key or item at the path is written; None where the document has none. The empty path is the file itself."""
        here = place(self.places, path)
        if here is None:
            return SourceLocation(file=self.file, line=1, column=1) if not path else None
        return SourceLocation(file=self.file, line=here[0], column=here[1])


def place(places: Places, path: Sequence[str | int]) -> tuple[int, int] | None:
    """Return (line, column) of the key or item at a path, counted from 1; None where nothing is written there."""
    found: tuple[int, int, Places] | None = None
    for step in path:
        try:
            found = places[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return None
        places = found[2]
    return found[:2] if found else None


def load(content: bytes, file: str, *, tags: bool = True, marked: bool = False, delimiter: str = "") -> Document:
    """Read the first document of a YAML file; raises EstateError (code YAML) with the place and the parser's words.

    Without `tags`, any tag but YAML's own is dropped and its scalar is text, as in an included file. `marked`, every scalar with a tag,
    known or not, becomes a `Tagged`, as in atmos.yaml. With a `delimiter`, keys without quotes that hold it are levels: `a.b: 1` is
    `a: {b: 1}`, and of keys that come twice the later wins.
    """
    return _Reader(content, file, tags=tags, marked=marked, delimiter=delimiter).document()


class _Reader:
    """One pass over libyaml's events. Mutable while reading, gone afterwards."""

    def __init__(self, content: bytes, file: str, *, tags: bool, marked: bool, delimiter: str) -> None:
        self.content = content
        self.file = file
        self.tags = tags
        self.marked = marked
        self.delimiter = delimiter
        self.anchors: dict[str, tuple[Any, Places, int]] = {}
        self.open_anchors: set[str] = set()
        self.size = 0
        self.has_timestamps = False
        self.has_includes = False
        self.first_function: int | None = None
        self.parser = self._started()

    def _started(self) -> CParser:
        try:
            return CParser(self.content)
        except yaml.YAMLError as error:
            raise self._foreign(error) from error

    def document(self) -> Document:
        """Read up to the end of the first document."""
        try:
            value, places = self._first()
        except yaml.YAMLError as error:
            raise self._foreign(error) from error
        return Document(
            file=self.file,
            value=value,
            places=places,
            has_timestamps=self.has_timestamps,
            has_includes=self.has_includes,
            first_function=self.first_function,
        )

    def _first(self) -> tuple[Any, Places]:
        while True:
            event = self.parser.get_event()
            if type(event) is DocumentStartEvent:
                return self._node(self.parser.get_event(), 0)
            if event is None or type(event) is StreamEndEvent:
                return None, None

    def _node(self, event: Event, depth: int) -> tuple[Any, Places]:
        kind = type(event)
        self.size += 1
        if kind is ScalarEvent:
            value = self._scalar(event)
            if event.anchor:
                self.anchors[event.anchor] = (value, None, 1)
            return value, None
        if kind is AliasEvent:
            return self._alias(event)
        if depth > _DEPTH_LIMIT:
            raise self._error(f"nested deeper than {_DEPTH_LIMIT} levels", event)
        return self._collection(event, depth)

    def _collection(self, event: Event, depth: int) -> tuple[Any, Places]:
        anchor, before = event.anchor, self.size
        if anchor:
            self.open_anchors.add(anchor)
        read = self._mapping if type(event) is MappingStartEvent else self._sequence
        value, places = read(event, depth + 1)
        tag = event.tag
        if tag and tag[0] == "!" and tag != "!" and self.tags:
            self._known(tag, event)
            if tag in _INCLUDES:
                raise self._error("invalid function arguments at 1:1: expected arguments", event, prefix="")
            if tag == "!append" and isinstance(value, list):
                value, places = {APPEND: value}, {APPEND: (event.start_mark.line + 1, event.start_mark.column + 1, places)}
        if anchor:
            self.open_anchors.discard(anchor)
            self.anchors[anchor] = (value, places, self.size - before)
        return value, places

    def _alias(self, event: Event) -> tuple[Any, Places]:
        name = event.anchor
        if name in self.open_anchors:
            raise self._error(f"anchor '{name}' value contains itself", event)
        if name not in self.anchors:
            raise self._error(f"unknown anchor '{name}' referenced", event)
        value, places, size = self.anchors[name]
        self.size += size
        if self.size > _ALIAS_LIMIT:
            raise self._error("document contains excessive aliasing", event)
        return value, places

    def _sequence(self, _: Event, depth: int) -> tuple[list[Any], Places]:
        values: list[Any] = []
        places: list[Any] = []
        get_event: Callable[[], Event] = self.parser.get_event
        while True:
            event = get_event()
            if type(event) is SequenceEndEvent:
                return values, places
            value, below = self._node(event, depth)
            mark = event.start_mark
            values.append(value)
            places.append((mark.line + 1, mark.column + 1, below))

    def _mapping(self, _: Event, depth: int) -> tuple[dict[str, Any], Places]:
        values: dict[str, Any] = {}
        places: dict[str, Any] = {}
        merges: list[tuple[Any, Places]] = []
        merge_line = 0
        get_event: Callable[[], Event] = self.parser.get_event
        while True:
            event = get_event()
            kind = type(event)
            if kind is MappingEndEvent:
                break
            mark = event.start_mark
            if kind is ScalarEvent and event.value == "<<" and event.implicit[0]:
                if merges:
                    raise self._duplicate("<<", merge_line, event)
                merge_line = mark.line + 1
                merges.append(self._merged(get_event(), depth))
                continue
            key = self._key(event, depth)
            if self.delimiter:
                value, below = self._node(get_event(), depth)
                _put(values, places, self._steps(event, key), value, (mark.line + 1, mark.column + 1, below))
                continue
            if key in values:
                raise self._duplicate(key, places[key][0], event)
            values[key], below = self._node(get_event(), depth)
            places[key] = (mark.line + 1, mark.column + 1, below)
        return _with_merges(values, places, merges) if merges else (values, places)

    def _steps(self, event: Event, key: str) -> list[str]:
        """The levels that a key stands for."""
        if type(event) is not ScalarEvent or event.style in ("'", '"') or self.delimiter not in event.value:
            return [key]
        steps: list[str] = event.value.split(self.delimiter)
        return [intern(step) for step in steps] if all(steps) else [key]

    def _duplicate(self, key: str, first: int, event: Event) -> EstateError:
        lead = f"unmarshal errors:\n  line {event.start_mark.line + 1}: "
        return self._error(f"mapping key {_quoted(key)} already defined at line {first}", event, prefix=lead)

    def _merged(self, event: Event, depth: int) -> tuple[Any, Places]:
        value, places = self._node(event, depth)
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            raise self._error("yaml: map merge requires map or sequence of maps as the value", event, prefix="")
        return value, places

    def _key(self, event: Event, depth: int) -> str:
        value, _ = self._node(event, depth)
        if isinstance(value, (dict, list)):
            raise self._error("invalid map key", event, hint="text with Go templates belongs in quotes or in a .yaml.tmpl file")
        key = scalars.key(value)
        if key is None:
            raise self._error("a map key is null", event)
        return intern(key if type(key) is str else str(key))

    def _scalar(self, event: Event) -> Any:
        tag, text = event.tag, event.value
        if tag is None or tag == "!":
            if not event.implicit[0] or tag == "!":
                if text[:1] == "!":
                    self._function(event)
                return text
            value = scalars.plain(text)
        elif tag.startswith(_YAML_TAG):
            try:
                value = scalars.tagged(tag[len(_YAML_TAG) :], text)
            except ValueError as error:
                raise self._error(str(error), event) from error
        else:
            return self._custom(tag, text, event)
        if isinstance(value, scalars.Timestamp):
            self.has_timestamps = True
        return value

    def _custom(self, tag: str, text: str, event: Event) -> Any:
        if not self.tags:
            return text
        if self.marked:
            return Tagged(f"{tag} {text.strip()}".strip())
        self._known(tag, event)
        if tag in _INCLUDES:
            self.has_includes = True
            self._function(event)  # what is included may hold functions and templates
            return Include(f"{tag} {text}".strip())
        if tag in ("!literal", "!append"):
            return self._untagged(text, event)
        self._function(event)
        return f"{tag} {text.strip()}".strip()

    def _untagged(self, text: str, event: Event) -> Any:
        """A scalar that only loses its tag is what it would be without."""
        if event.style not in (None, ""):
            if text[:1] == "!":
                self._function(event)
            return text
        value = scalars.plain(text)
        if isinstance(value, scalars.Timestamp):
            self.has_timestamps = True
        return value

    def _function(self, event: Event) -> None:
        if self.first_function is None:
            self.first_function = event.start_mark.line + 1

    def _known(self, tag: str, event: Event) -> None:
        if tag[0] == "!" and tag not in _KNOWN_TAGS and not self.marked:
            message = f"unsupported YAML tag: '{tag}' found in file '{self.file}'. Supported tags are: {', '.join(TAGS)}"
            raise self._error(message, event, prefix="")

    def _error(self, message: str, event: Event, *, prefix: str | None = None, hint: str | None = None) -> EstateError:
        mark = event.start_mark
        location = SourceLocation(file=self.file, line=mark.line + 1, column=mark.column + 1)
        lead = f"line {mark.line + 1}: " if prefix is None else prefix
        words = f"yaml: {lead}{message}" if prefix != "" else message
        return EstateError(words, code="YAML", hint=hint, location=location)

    def _foreign(self, error: yaml.YAMLError) -> EstateError:
        """Say a libyaml error as yaml.v3 does; its line is the context's where there is one."""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        mark = getattr(error, "problem_mark", None)
        told = getattr(error, "context_mark", None)
        told = told if told is not None and told.line else mark
        is_scanner = isinstance(error, yaml.scanner.ScannerError)
        where = f"line {told.line + is_scanner}: " if told is not None and told.line else ""
        location = SourceLocation(file=self.file, line=mark.line + 1, column=mark.column + 1) if mark else None
        hint = "Is it a template? Text with {{ … }} belongs in quotes or in a .yaml.tmpl file." if "{{" in str(error) else None
        if location is None:  # bytes that are no text
            line = self.content.count(b"\n", 0, getattr(error, "position", 0)) + 1
            location = SourceLocation(file=self.file, line=line)
        return EstateError(f"yaml: {where}{problem}", code="YAML", hint=hint, location=location)


def _put(values: dict[str, Any], places: dict[str, Any], steps: Sequence[str], value: Any, at: tuple[int, int, Places]) -> None:
    """Put a value below its levels, beside what is there already; nothing that is shared with an alias is changed."""
    key, *rest = steps
    if rest:
        inner: dict[str, Any] = {}
        inner_places: dict[str, Any] = {}
        _put(inner, inner_places, rest, value, at)
        value, at = inner, (*at[:2], inner_places)
    old, old_at = values.get(key), places.get(key)
    if isinstance(old, dict) and isinstance(value, dict) and isinstance(at[2], dict):
        values[key] = merged = dict(old)
        merged_places = dict(old_at[2] if old_at is not None else {})
        places[key] = (*at[:2], merged_places) if old_at is None else (*old_at[:2], merged_places)
        for name, item in value.items():
            _put(merged, merged_places, [name], item, at[2][name])
        return
    values[key], places[key] = value, at


def _with_merges(
    values: dict[str, Any], places: dict[str, Any], merges: list[tuple[Any, Places]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Add what `<<` brings below the explicit keys; of several merged maps the first wins."""
    for value, where in merges:
        parts: Iterable[tuple[Any, Any]] = [(value, where)]
        if isinstance(value, list):
            parts = zip(value, [item[2] for item in where or ()], strict=True)
        for part, part_places in parts:
            for key, inherited in part.items():
                if key not in values:
                    values[key] = inherited
                    places[key] = part_places[key]
    return values, places


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
