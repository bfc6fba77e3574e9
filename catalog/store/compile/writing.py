"""The state of one statement being written: its parameters, its aliases, its faults, and the filling of fragments.

Parameters are numbered as they are used, so that none is declared and left out (Postgres could not tell its type).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.store.compile.sight import Sight, Viewer
from catalog.store.compile.source import Source
from catalog.store.compile.sources import visibility
from catalog.store.selection import Fault, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What a placeholder is bound with: a value of the operation by its number, or one of the viewer's by its name."""

    slot: int | None = None
    viewer: str | None = None


class Writing:
    """Collects what one statement needs beside its text."""

    def __init__(self, sight: Sight, sources: Mapping[str, Source]) -> None:
        self.sources = sources
        self.parameters: list[Parameter] = []
        self.faults: list[Fault] = []
        self.bounded = True
        self.viewer = Viewer(sight, lambda name, kind: self._place(Parameter(viewer=name), kind))
        self._numbers: dict[Parameter, int] = {}
        self._aliases = 0

    def alias(self) -> str:
        """Return a new alias: a letter and a number, which no fragment uses."""
        self._aliases += 1
        return f"r{self._aliases}"

    def slot(self, slot: Slot) -> str:
        """Return the placeholder of a value of the operation, cast to its type."""
        return self._place(Parameter(slot=slot.number), slot.type)

    def fault(self, fault: Fault) -> int:
        """Register a fault and return its number."""
        if fault not in self.faults:
            self.faults.append(fault)
        return self.faults.index(fault)

    def visible(self, source: Source, alias: str) -> str:
        """The rule of visibility of a source for an alias."""
        return source.visible(self.viewer, alias)

    def fill(self, fragment: str, *, a: str = "", b: str = "", arguments: tuple[tuple[str, Slot], ...] = ()) -> str:
        """Fill in a fragment's aliases, the viewer's values, arguments and rules of visibility."""
        if "{" not in fragment:
            return fragment
        return fragment.format_map(_Names(self, a, b, arguments))

    def _place(self, parameter: Parameter, kind: str) -> str:
        if parameter not in self._numbers:
            self.parameters.append(parameter)
            self._numbers[parameter] = len(self.parameters)
        return f"${self._numbers[parameter]}::{kind}"


class _Names(dict[str, str]):
    def __init__(self, writing: Writing, a: str, b: str, arguments: tuple[tuple[str, Slot], ...]) -> None:
        super().__init__(a=a, b=b, e=f"{b}e", w=f"{b}w")
        self._writing = writing
        self._arguments = dict(arguments)

    def __missing__(self, name: str) -> str:
        kind, _, rest = name.partition("_")
        if kind == "sees":
            source, _, alias = rest.rpartition("_")
            return self._writing.visible(self._writing.sources[source], alias)
        if kind == "decides":
            return visibility.decidable(self._writing.viewer, self[rest])
        if kind == "arg":
            return self._writing.slot(self._arguments[rest]) if rest in self._arguments else "null::text"
        value: str = getattr(self._writing.viewer, name)
        return value
