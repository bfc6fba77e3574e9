"""Locals: values that one file defines for its own use, at its root and in its type sections.

They are worked out from the file's own content, before imports and before its templates are rendered. The order follows from which
local names which; each may use the locals of its own and the outer scope and the raw `settings`, `vars` and `env` of the file.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.engines.rendering import Options
from catalog.errors import EstateError, NotGiven
from catalog.stacks.bounds import Bounds
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.replacement import replaced
from catalog.stacks.templates import Templates

LOCALS = "locals"
_TYPES = ("terraform", "helmfile", "packer")
SECTIONS = ("settings", "vars", "env")

# Evaluates a text that begins with `!`: None when it gives nothing.
Evaluate = Callable[[str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Where locals are worked out: the file that errors name, who renders, who evaluates functions, and what is seen beside locals.

    `options` are those of the rendering; sprig is there, gomplate isn't. `place` is the path of the scope within the file. With
    `defer`, a template that asks for what nobody may answer stays as it is written and is told to it with its path. `bounds` keeps
    locals from growing without end.
    """

    file: str
    templates: Templates
    evaluate: Evaluate
    options: Options
    data: Map = field(default_factory=lambda: EMPTY)
    place: tuple[str, ...] = (LOCALS,)
    defer: Callable[[tuple[str, ...], EstateError], None] | None = None
    bounds: Bounds = field(default_factory=Bounds)


def defines(content: Map) -> bool:
    """Tell whether a file defines locals, at its root or in a type section; an empty map of them counts."""
    return LOCALS in content or any(LOCALS in section for _, section in _typed(content))


def of_file(content: Map, here: Here) -> Map:
    """Return a file's locals, all scopes in one map; raises EstateError in Atmos' words.

    A type section's locals come over the root's, the later type's over the earlier's.
    """
    seen = {name: content[name] for name in SECTIONS if isinstance(content.get(name), dict)}
    whole = _scope(content, EMPTY, here, "global", seen, (LOCALS,))
    result = dict(whole)
    for kind, section in _typed(content):
        if LOCALS in section:
            own = {name: section[name] for name in SECTIONS if isinstance(section.get(name), dict)}
            below = {**seen, **{name: {**seen.get(name, EMPTY), **values} for name, values in own.items()}}
            result |= _scope(section, whole, here, kind, below, (kind, LOCALS))
    return result


def _typed(content: Map) -> Iterator[tuple[str, Map]]:
    for kind in _TYPES:
        section = content.get(kind)
        if isinstance(section, dict):
            yield kind, section


def _scope(section: Map, outer: Map, here: Here, scope: str, data: Map, place: tuple[str, ...]) -> Map:
    written = section.get(LOCALS, EMPTY)
    if not isinstance(written, dict):
        words = f"failed to resolve {scope} locals: locals must be a map in {here.file}"
        raise EstateError(words, code="LOCALS", path=place)
    if not written:
        return outer
    try:
        return _Scope(written, outer, replace(here, data=data, place=place)).resolved()
    except EstateError as error:
        words = f"failed to resolve {scope} locals: {error.message}"
        raise EstateError(words, code=error.code, hint=error.hint, path=error.path or place) from error


class _Scope:
    """The locals of one scope."""

    def __init__(self, written: Map, outer: Map, here: Here) -> None:
        self.written = written
        self.here = here
        self.found: Map = dict(outer)

    def resolved(self) -> Map:
        """Return every local with its value, the outer scope's among them."""
        for name in self._order():
            value = self._value(self.written[name], name)
            try:
                self.here.bounds.check(value, f'the local "{name}"')
            except EstateError as error:
                raise EstateError(error.message, code=error.code, hint=error.hint, path=(*self.here.place, name)) from error
            self.found[name] = value
        return self.found

    def _order(self) -> list[str]:
        """Locals after those that they name; of several that could come next, the first by name."""
        needs = {name: list(dict.fromkeys(self._named(value, name))) for name, value in self.written.items()}
        waiting = {name: sum(1 for other in named if other in self.written) for name, named in needs.items()}
        users: dict[str, list[str]] = {}
        for name, named in needs.items():
            for other in named:
                users.setdefault(other, []).append(name)
        ready = [name for name, count in waiting.items() if not count]
        heapq.heapify(ready)
        order: list[str] = []
        while ready:
            name = heapq.heappop(ready)
            order.append(name)
            for user in users.get(name, ()):
                waiting[user] -= 1
                if not waiting[user]:
                    heapq.heappush(ready, user)
        if len(order) < len(self.written):
            raise self._cycle(needs)
        return order

    def _named(self, value: Any, name: str) -> Iterator[str]:
        if isinstance(value, str):
            if "{{" in value:
                for path in self.here.templates.references(value, name) or ():
                    if len(path) > 1 and path[0] == LOCALS:
                        yield path[1]
        elif isinstance(value, (dict, list)):
            for item in value.values() if isinstance(value, dict) else value:
                yield from self._named(item, name)

    def _cycle(self, needs: Mapping[str, list[str]]) -> EstateError:
        path = _cycle(needs)
        return EstateError(
            f"circular dependency in locals at {self.here.file}\n\nDependency cycle detected:\n  {' → '.join(path)}",
            code="LOCALS",
            hint="Take one of these references out: locals can't depend on each other in a circle.",
            path=(*self.here.place, path[0]),
        )

    def _value(self, value: Any, name: str) -> Any:
        if isinstance(value, str):
            return self._text(value, name)
        if isinstance(value, dict):
            return {key: self._value(item, name) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(item, name) for item in value]
        return value

    def _text(self, text: str, name: str) -> Any:
        if text.startswith("!"):
            # A function goes first: a template within its arguments is an argument.
            found = self._evaluated(text, name)
            if found is not None:
                return found
        if "{{" not in text:
            return text
        data = {**self.here.data, LOCALS: dict(self.found)}
        value = replaced(text, data)
        if value is not text:
            return value
        try:
            return self.here.templates.render(text, name, data, self.here.options)
        except NotGiven as error:
            if self.here.defer is None:
                raise self._failed(error, name) from error
            self.here.defer((*self.here.place, name), error)
            return text
        except EstateError as error:
            raise self._failed(error, name) from error

    def _evaluated(self, text: str, name: str) -> Any:
        try:
            return self.here.evaluate(text)
        except EstateError as error:
            words = f'failed to process YAML function in local "{name}" in {self.here.file}: {error.message}'
            raise EstateError(words, code=error.code, hint=error.hint, path=(*self.here.place, name)) from error

    def _failed(self, error: EstateError, name: str) -> EstateError:
        path = (*self.here.place, name)
        if ": executing " not in error.message:
            words = f'failed to parse template for local "{name}" in {self.here.file}: {error.message}'
            return EstateError(words, code="LOCALS", hint=error.hint, path=path)
        return EstateError(
            f'failed to resolve local "{name}" in {self.here.file}: {error.message}'
            f"\n\nAvailable locals at this scope:\n{_listed(self.found, '')}"
            f"\nAvailable context:\n{_listed(self.here.data, '.')}",
            code="LOCALS",
            hint=error.hint or "A local sees the locals of its file and the file's own settings, vars and env, never an import's.",
            path=path,
        )


def _listed(names: Map, lead: str) -> str:
    return "".join(f"  - {lead}{name}\n" for name in sorted(names)) or "  (none)"


def _cycle(needs: Mapping[str, list[str]]) -> list[str]:
    """Return one circle, the first by name, its beginning told again at the end."""
    done: set[str] = set()
    for start in sorted(needs):
        path: dict[str, Iterator[str]] = {start: iter(needs[start])}
        while path:
            name = next(reversed(path))
            following = next((other for other in path[name] if other in needs and other not in done), None)
            if following is None:
                done.add(name)
                del path[name]
            elif following in path:
                names = list(path)
                return [*names[names.index(following) :], following]
            else:
                path[following] = iter(needs[following])
    return []
