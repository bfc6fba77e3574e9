"""Reads one entry of a seed file key by key: wrong shapes raise `Invalid` with the place, small faults become diagnostics.

An entry remembers where it is written, so that every complaint names file and line. Unknown keys are warnings with the
nearest known name; money and durations that can't be read are errors on the key alone: the value stays unknown.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from catalog.cost import duration, money
from catalog.cost.money import Estimate
from catalog.errors import Invalid
from catalog.stacks.documents import Document
from catalog.values import Diagnostic, Severity, SourceLocation

Report = Callable[[Diagnostic], None]
T = TypeVar("T")


class Entry:
    """One map of a seed file. Keys asked for are known; `finish` reports the others."""

    def __init__(self, document: Document, path: tuple[str | int, ...], value: Any, report: Report) -> None:
        if not isinstance(value, Mapping):
            raise Invalid(f"{_shown(path)} is no map", code="SEED_SHAPE", location=_place(document, path))
        self._document = document
        self._path = path
        self._value = value
        self._report = report
        self._asked: set[str] = set()

    @property
    def location(self) -> SourceLocation | None:
        """Where the entry is written."""
        return _place(self._document, self._path)

    def place(self, key: str) -> SourceLocation | None:
        """Where one key of the entry is written, else the entry itself."""
        return self._document.location((*self._path, key)) or self.location

    def get(self, key: str) -> Any:
        """The value as written; None when absent."""
        self._asked.add(key)
        return self._value.get(key)

    def text(self, key: str) -> str | None:
        """A text, or a number written where a text was meant; None when absent."""
        value = self.get(key)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, (bool, Mapping, list)):
            raise self.invalid(key, "a text")
        return str(value)

    def required(self, key: str) -> str:
        """A text that must be there and not be empty."""
        value = self.text(key)
        if not value:
            raise Invalid(f"{_shown(self._path)} has no {key}", code="SEED_SHAPE", location=self.location)
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.invalid(key, "true or false")
        return value

    def whole(self, key: str) -> int | None:
        """A whole number; None when absent."""
        value = self.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**31):
            raise self.invalid(key, "a whole number")
        return value

    def number(self, key: str) -> Decimal | None:
        """A number, exactly as written; None when absent."""
        value = self.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float | Decimal)):
            raise self.invalid(key, "a number")
        return None if value is None else Decimal(str(value))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty when absent."""
        value = self.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.invalid(key, "a list of texts")
        return tuple(value)

    def choice(self, key: str, options: Iterable[str], default: str) -> str:
        """One of some words, in any case; what is none of them is reported and read as the default."""
        value = self.text(key)
        known = list(options)
        if value is None or value.upper() in known:
            return default if value is None else value.upper()
        self.complain(key, f"{key} {value!r} is none of {', '.join(known).lower()}", Severity.ERROR)
        return default

    def money(self, key: str, currency: str) -> Estimate | None:
        """Money a month; None when absent, and reported when it can't be read."""
        return self._read(key, lambda value: money.parse_money(value, currency))

    def budget(self, currency: str) -> Estimate | None:
        """The money a month below `budget`; None when absent, and reported when it can't be read or is no one amount."""
        found = self.money("budget", currency)
        if found is not None and found.amount is None:
            self.complain("budget", f"{_shown((*self._path, 'budget'))} is a range, not an amount", Severity.ERROR)
            return None
        return found

    def duration(self, key: str) -> int | None:
        """Seconds; None when absent, and reported when it can't be read."""
        return self._read(key, duration.parse_duration)

    def below(self, key: str) -> Entry | None:
        """The map below a key as an entry; None when absent."""
        value = self.get(key)
        return None if value is None else Entry(self._document, (*self._path, key), value, self._report)

    def listed(self, key: str) -> list[Any]:
        """The list below a key, as written; empty when absent."""
        value = self.get(key)
        if value is not None and not isinstance(value, list):
            raise self.invalid(key, "a list")
        return value or []

    def entries(self, key: str) -> list[Entry]:
        """The maps of a list below a key; a single map counts as a list of one."""
        value = self.get(key)
        if isinstance(value, Mapping):
            return [Entry(self._document, (*self._path, key), value, self._report)]
        path = (*self._path, key)
        return [Entry(self._document, (*path, number), item, self._report) for number, item in enumerate(self.listed(key))]

    def named(self, key: str) -> list[tuple[str, Entry]]:
        """The maps below a map, with their names."""
        if self.below(key) is None:
            return []
        path = (*self._path, key)
        return [(str(name), Entry(self._document, (*path, name), item, self._report)) for name, item in self._value[key].items()]

    def finish(self) -> None:
        """Report the keys that nobody asked for."""
        for key in self._value:
            if key not in self._asked:
                close = difflib.get_close_matches(str(key), sorted(self._asked), n=1)
                hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(self._asked))}"
                self.complain(
                    str(key), f"{_shown(self._path)} has no key {key!r}", Severity.WARNING, hint=hint, code="SEED_UNKNOWN_KEY"
                )

    def complain(self, key: str, message: str, severity: Severity, *, hint: str | None = None, code: str = "SEED_VALUE") -> None:
        """Report something about one key."""
        self._report(Diagnostic(severity=severity, code=code, message=message, hint=hint, location=self.place(key)))

    def invalid(self, key: str, expected: str) -> Invalid:
        """The error that a key's value is not what it must be."""
        return Invalid(f"{_shown((*self._path, key))} is not {expected}", code="SEED_SHAPE", location=self.place(key))

    def _read(self, key: str, read: Callable[[Any], T]) -> T | None:
        value = self.get(key)
        if value is None:
            return None
        try:
            return read(value)
        except Invalid as error:
            self.complain(key, f"{_shown((*self._path, key))}: {error.message}", Severity.ERROR, hint=error.hint)
            return None


def _place(document: Document, path: tuple[str | int, ...]) -> SourceLocation | None:
    return document.location(path) or SourceLocation(file=document.file, line=1)


def _shown(path: tuple[str | int, ...]) -> str:
    parts = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return "".join(parts).lstrip(".") or "the file"
