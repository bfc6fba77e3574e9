"""Writes resolved sections as the JSON text that is stored, redacted on the way, each shared part once.

Instances of an estate share most of their sections, down to the very objects, so that a part's text is kept by the part's identity
and a document is put together from texts. What is written is to the letter what encoding the redacted values as a whole would give.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring as _quoted
from typing import Any

from catalog.indexer.redaction import SECRET_FUNCTIONS, Redactor, can_be_secret, json_text, safe, storable

# The pieces of a document, `"section":text` in the order of their names: equal pieces of one writer are mostly one object.
Document = tuple[str, ...]


def text_of(document: Collection[str]) -> str:
    """The JSON text of a document, or of some pieces of one."""
    return f"{{{','.join(document)}}}"


def pieces(sections: Mapping[str, Any]) -> Document:
    """The pieces of a document that was read back."""
    return tuple(f"{_quoted(name)}:{json_text(sections[name])}" for name in sorted(sections))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A section of documents and the pieces that it was written as, by the identity of its values."""

    name: str
    prefix: str
    pieces: dict[int, tuple[Any, str]]
    texts: dict[str, str]  # the same for values that are texts


# A key of maps: itself, as it is written, and the texts that stood below it with what was written; None for the key of a secret.
_Key = tuple[str, str, dict[str, str] | None]
# So many ways to combine keys are remembered; an estate has few, unless its maps are data.
_ORDERS = 4096


class Writer:
    """Writes documents and other values of one estate.

    Remembers shared parts by identity, so one must not outlive the estate that it reads. `replaced` counts values that could not be
    stored as they were.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.replaced = 0
        # A value itself is kept with its text: an identity means something only as long as its object lives.
        self._texts: dict[int, tuple[Any, str]] = {}
        self._strings: dict[str, str] = {}
        self._names: dict[str, _Key] = {}
        self._maps: dict[tuple[str, ...], tuple[_Key, ...]] = {}
        self._sections: dict[str, _Section] = {}
        self._orders: dict[tuple[str, ...], tuple[_Section, ...]] = {}

    def document(self, sections: Mapping[str, Any], sensitive: Collection[str] = ()) -> tuple[Document, str]:
        """The pieces and the text of an instance's redacted sections, whose names are no keys of secrets.

        `sensitive` names variables that its code marks so.
        """
        try:
            document = self._document(sections, sensitive)
            return document, _checked(text_of(document))
        except _UNSTORABLE:
            cleaned, count = storable(sections)
            self.replaced += count
            redacted = self._redactor.sections(cleaned, [safe(name) for name in sensitive])
            document = pieces(redacted)
            return document, text_of(document)

    def text(self, value: Any) -> str:
        """The JSON text of any redacted value, ready to be stored."""
        try:
            # Not remembered itself: it may be the caller's passing one.
            return _checked(self._map(value) if type(value) is dict else self._written(value))
        except _UNSTORABLE:
            cleaned, count = storable(value)
            self.replaced += count
            return json_text(self._redactor.value(cleaned))

    def _document(self, sections: Mapping[str, Any], sensitive: Collection[str]) -> Document:
        names = tuple(sections)
        order = self._orders.get(names)
        if order is None:
            order = self._orders[names] = tuple(map(self._section, sorted(names)))
        found = []
        for section in order:
            value = sections[section.name]
            kind = type(value)
            if (kind is dict or kind is list) and section.name != "vars":
                known = section.pieces.get(id(value))
                if known is None:
                    known = section.pieces[id(value)] = value, section.prefix + self._written(value)
                found.append(known[1])
            elif kind is dict:
                # Variables differ from instance to instance; what is in them is shared again.
                found.append(section.prefix + self._map(value, sensitive))
            elif kind is str:
                text = section.texts.get(value)
                if text is None:
                    text = section.texts[value] = section.prefix + self._string(value)
                found.append(text)
            else:
                found.append(section.prefix + self._written(value))
        return tuple(found)

    def _section(self, name: str) -> _Section:
        return self._sections.setdefault(name, _Section(name=name, prefix=f"{_quoted(name)}:", pieces={}, texts={}))

    def _written(self, value: Any) -> str:
        kind = type(value)
        if kind is dict or kind is list:
            known = self._texts.get(id(value))
            if known is None:
                known = self._texts[id(value)] = value, self._map(value) if kind is dict else self._list(value)
            return known[1]
        if kind is str:
            return self._string(value)
        if kind is int:
            return int.__repr__(value)
        if kind is float and not math.isfinite(value):
            raise ValueError("JSON knows no such number")
        return json_text(self._redactor.value(value))

    def _map(self, value: dict[str, Any], sensitive: Collection[str] = ()) -> str:
        names = tuple(value)
        keys = self._maps.get(names)
        if keys is None:
            keys = self._keys(names)
        texts = self._texts
        found = []
        # Most values are texts, flags, numbers and parts that are written already: decided here, without a call.
        for key, name, written in keys:
            item = value[key]
            if written is None or (sensitive and key in sensitive and item is not None):
                hidden = can_be_secret(item) if written is None and key not in sensitive else item is not None
                found.append(name + (json_text(self._redactor.mark(item)) if hidden else self._written(item)))
                continue
            kind = type(item)
            if kind is str:
                text = written.get(item)
                if text is None:
                    text = written[item] = name + self._string(item)
                found.append(text)
            elif item is True:
                found.append(f"{name}true")
            elif item is False:
                found.append(f"{name}false")
            elif kind is int:
                found.append(f"{name}{item}")
            elif (kind is dict or kind is list) and (known := texts.get(id(item))) is not None:
                found.append(name + known[1])
            else:
                found.append(name + self._written(item))
        return f"{{{','.join(found)}}}"

    def _keys(self, names: tuple[str, ...]) -> tuple[_Key, ...]:
        """The keys of a map in the order in which they are written."""
        keys = tuple([self._names.get(key) or self._key(key) for key in sorted(names)])
        if len(self._maps) < _ORDERS:
            self._maps[names] = keys
        return keys

    def _string(self, value: str) -> str:
        """A text as it is written: most stand in thousands of instances."""
        text = self._strings.get(value)
        if text is None:
            text = _quoted(value) if not value.startswith(SECRET_FUNCTIONS) else json_text(self._redactor.mark(value))
            self._strings[value] = text
        return text

    def _list(self, value: list[Any]) -> str:
        return f"[{','.join([self._written(item) for item in value])}]"

    def _key(self, key: str) -> _Key:
        if type(key) is not str:
            raise TypeError("only texts are keys")
        found = self._names[key] = key, f"{_quoted(key)}:", None if self._redactor.is_secret(key) else {}
        return found


# What can't be encoded: values that JSON doesn't know, keys of several kinds, lone surrogates.
_UNSTORABLE = (ValueError, TypeError)


def _checked(text: str) -> str:
    """The text, if Postgres can hold it."""
    if not text.isascii():
        text.encode()
    if "\\u0000" in text:
        raise ValueError("Postgres holds no NUL")
    return text
