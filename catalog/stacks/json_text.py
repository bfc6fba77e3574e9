"""The JSON text of a result as Atmos prints it, piece by piece: two spaces a level, sorted keys, no trailing `.0`, a line end.

A large estate's result is hundreds of megabytes of text, most of it the same maps again and again, since equal values are shared.
So the text comes in pieces that nobody has to hold together, and what is shared is written once and repeated.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from operator import itemgetter
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import encoding, scalars

Mask = Callable[[str], str]
Record = encoding.Record

_escaped: Callable[[str], str] = json.encoder.encode_basestring

_MARKS = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
_DEPTH_BITS = 6  # of a number that stands for a value and the depth that it is printed at
_PIECE_DEPTH = 4  # stack → components → type → name: each entry is a piece
_SHARED_SIZE = 32_000_000  # characters of text kept for repetition
_STRINGS, _STRING_SIZE = 100_000, 200  # texts whose escaped form is remembered
_SHAPES, _SHAPE_SIZE = 10_000, 100  # sets of keys whose order is remembered


def pieces(value: Any, mask: Mask | None = None) -> Iterator[str]:
    """Yield the JSON text of a value, which must not change meanwhile; `mask` rewrites each text before it is printed.

    Raises EstateError for infinities and NaN, which JSON can't hold.
    """
    printer = _Printer(mask)
    yield from printer.pieces(value, 0)
    yield "\n"


def in_file(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the text of JSON as Atmos writes it to files, where `<`, `>` and `&` are escaped too."""
    for piece in pieces:
        for mark, escape in _MARKS.items():
            if mark in piece:
                piece = piece.replace(mark, escape)  # noqa: PLW2901
        yield piece


class _Printer:
    """Writes one value. Texts are remembered by the identity of what they show, from the second time on that it is met."""

    def __init__(self, mask: Mask | None) -> None:
        self._mask = mask
        self._strings: dict[str, str] = {}
        self._forms: dict[tuple[Any, ...], tuple[str, Callable[[Any], Iterable[Any]]]] = {}
        self._met: set[int] = set()
        self._shared: dict[int, str] = {}
        self._size = 0

    def pieces(self, value: Any, depth: int) -> Iterator[str]:
        """Yield the text of a value that begins at a depth, whole maps below `_PIECE_DEPTH` at once."""
        if depth >= _PIECE_DEPTH or not isinstance(value, dict) or not value:
            yield self._text(value, depth)
            return
        inner = "\n" + "  " * (depth + 1)
        lead = "{" + inner
        for key, item in _items(value):
            yield f"{lead}{self._string(key)}: "
            yield from self.pieces(item, depth + 1)
            lead = "," + inner
        yield "\n" + "  " * depth + "}"

    def _text(self, value: Any, depth: int) -> str:
        if type(value) is str:
            return self._strings.get(value) or self._string(value)
        if isinstance(value, (dict, list, tuple)):
            return self._container(value, depth)
        if value is True:
            return "true"
        if value is False:
            return "false"
        if value is None:
            return "null"
        if isinstance(value, float):
            return _number(value)
        if isinstance(value, scalars.Timestamp):
            return self._string(encoding.moment(value))
        return self._string(value) if isinstance(value, str) else str(value)

    def _container(self, value: Any, depth: int) -> str:
        is_map = isinstance(value, dict)
        if not value:
            return "{}" if is_map else "[]"
        key = id(value) << _DEPTH_BITS | depth if _PIECE_DEPTH < depth < 1 << _DEPTH_BITS else 0
        known = self._shared.get(key)
        if known is None:
            known = self._map(value, depth) if is_map else self._list(value, depth)
            if key:
                self._share(key, known)
        return known

    def _map(self, value: dict[str, Any], depth: int) -> str:
        form, values = self._form(value, depth)
        text, strings, shared, below = self._text, self._strings, self._shared, depth + 1
        # Nearly every item was printed before: a text, or a map or list that is shared.
        return form % tuple(
            [
                (strings.get(item) or text(item, below))
                if type(item) is str
                else (shared.get(id(item) << _DEPTH_BITS | below) or text(item, below))
                for item in values(value)
            ]
        )

    def _form(self, value: dict[str, Any], depth: int) -> tuple[str, Callable[[Any], Iterable[Any]]]:
        """The text of a map with gaps where its items belong, and what gives these in order; maps with the same keys share it."""
        shape = (depth, type(value) is Record, *value)
        known = self._forms.get(shape)
        if known is None:
            names = list(value) if type(value) is Record else sorted(value)
            inner = "\n" + "  " * (depth + 1)
            lines = ",".join(f"{inner}{self._string(name).replace('%', '%%')}: %s" for name in names)
            known = ("{" + lines + "\n" + "  " * depth + "}", itemgetter(*names) if len(names) > 1 else dict[str, Any].values)
            if len(self._forms) < _SHAPES and len(names) <= _SHAPE_SIZE:
                self._forms[shape] = known
        return known

    def _list(self, value: list[Any] | tuple[Any, ...], depth: int) -> str:
        inner = ",\n" + "  " * (depth + 1)
        return f"[{inner[1:]}{inner.join([self._text(item, depth + 1) for item in value])}\n{'  ' * depth}]"

    def _share(self, key: int, written: str) -> None:
        if key not in self._met:
            self._met.add(key)
        elif self._size < _SHARED_SIZE:
            self._shared[key] = written
            self._size += len(written)

    def _string(self, value: str) -> str:
        known = self._strings.get(value)
        if known is None:
            shown = value if self._mask is None else self._mask(value)
            known = _escaped(str(shown))
            if "\u2028" in known or "\u2029" in known:
                known = known.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
            if len(known) <= _STRING_SIZE and len(self._strings) < _STRINGS:
                self._strings[value] = known
        return known


def _items(value: dict[str, Any]) -> Any:
    return value.items() if type(value) is Record else sorted(value.items())


def _number(value: float) -> str:
    """Write a float as Go's JSON does: no exponent between 1e-6 and 1e21, no `.0`."""
    if math.isinf(value) or math.isnan(value):
        raise EstateError(f"json: unsupported value: {scalars.go_float(value)}", code="VALUE")
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        text = format(Decimal(repr(value)), "f")
        return text.removesuffix(".0")
    text = repr(value)
    return text.replace("e-0", "e-") if "e-0" in text else text
