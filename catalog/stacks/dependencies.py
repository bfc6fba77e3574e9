"""Edges between instances: what each one says it depends on, and which instances of the estate that means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.stacks.merging import EMPTY
from catalog.stacks.naming import TOKENS, context_of

Key = tuple[str, str, str]  # stack, component type, name


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One declaration as written: `via` is its path in the entry, `context` the stack variables it asks for."""

    component: str
    via: str
    path: tuple[str | int, ...]
    stack: str = ""
    kind: str = ""
    context: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """How the declaration is told when nothing answers to it."""
        where = self.stack or ", ".join(f"{key}={value}" for key, value in self.context)
        return f"{self.component} in {where}" if where else self.component


def declared(entry: Mapping[str, Any]) -> Iterator[Declared]:
    """Yield what a component's entry declares; `dependencies.components` silences `settings.depends_on`, as in Atmos."""
    new = tuple(_new_style(entry))
    yield from new
    settings = entry.get("settings")
    settings = settings if isinstance(settings, dict) else EMPTY
    if not new:
        yield from _old_style(settings.get("depends_on"), ("settings", "depends_on"))
    spacelift = settings.get("spacelift")
    if isinstance(spacelift, dict):
        yield from _listed(spacelift.get("depends_on"), ("settings", "spacelift", "depends_on"))
    metadata = entry.get("metadata")
    if isinstance(metadata, dict):
        path = ("metadata", "depends_on")
        found = metadata.get("depends_on")
        yield from _old_style(found, path) if isinstance(found, dict) else _listed(found, path)


def _new_style(entry: Mapping[str, Any]) -> Iterator[Declared]:
    section = entry.get("dependencies")
    listed = section.get("components") if isinstance(section, dict) else None
    for number, item in enumerate(listed if isinstance(listed, list) else ()):
        name = (item.get("component") or item.get("name")) if isinstance(item, dict) else None
        if isinstance(name, str) and item.get("kind") not in ("file", "folder"):
            path = ("dependencies", "components", number)
            yield Declared(component=name, via=_via(path), path=path, stack=_text(item.get("stack")), kind=_text(item.get("kind")))


def _old_style(section: Any, path: tuple[str | int, ...]) -> Iterator[Declared]:
    for key, item in section.items() if isinstance(section, dict) else ():
        if isinstance(item, dict) and isinstance(item.get("component"), str):
            here = (*path, key)
            context = tuple((token, item[token]) for token in TOKENS if isinstance(item.get(token), str) and item[token])
            yield Declared(component=item["component"], via=_via(here), path=here, stack=_text(item.get("stack")), context=context)


def _listed(section: Any, path: tuple[str | int, ...]) -> Iterator[Declared]:
    for number, item in enumerate(section if isinstance(section, list) else ()):
        here = (*path, number)
        if isinstance(item, str):
            yield Declared(component=item, via=_via(here), path=here)
        elif isinstance(item, dict) and isinstance(item.get("component"), str):
            yield Declared(component=item["component"], via=_via(here), path=here, stack=_text(item.get("stack")))


def _via(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


class Targets:
    """Finds the instances that declarations mean."""

    def __init__(self, instances: Iterable[tuple[Key, Mapping[str, Any]]]) -> None:
        self._by_name: dict[str, list[tuple[Key, Mapping[str, Any]]]] = {}
        self._by_stack: dict[tuple[str, str], list[tuple[Key, Mapping[str, Any]]]] = {}
        self._stacks: dict[str, str] = {}
        for key, entry in instances:
            self._by_name.setdefault(key[2], []).append((key, entry))
            self._by_stack.setdefault((key[0], key[2]), []).append((key, entry))
            self._stacks.setdefault(key[0], key[0])
            # Atmos also reaches a stack by the name of its manifest.
            self._stacks.setdefault(str(entry.get("atmos_stack_file", key[0])), key[0])

    def find(self, source: Key, variables: Mapping[str, Any], wanted: Declared) -> list[Key]:
        """Return the instances a declaration of the source means, of the source's own type where there is a choice."""
        if "{{" in wanted.component or "{{" in wanted.stack or any("{{" in value for _, value in wanted.context):
            return []
        found = [key for key, _ in self._candidates(source, variables, wanted) if key != source]
        kinds = {key[1] for key in found}
        for kind in (wanted.kind, source[1]):
            if kind in kinds:
                return [key for key in found if key[1] == kind]
        return found

    def _candidates(self, source: Key, variables: Mapping[str, Any], wanted: Declared) -> Iterable[tuple[Key, Mapping[str, Any]]]:
        if wanted.stack:
            return self._by_stack.get((self._stacks.get(wanted.stack, wanted.stack), wanted.component), ())
        if not wanted.context:
            # Spacelift also writes `stack-component`.
            names = (wanted.component, wanted.component.removeprefix(source[0] + "-"))
            return next((found for name in names if (found := self._by_stack.get((source[0], name)))), ())
        asked = {**{token: variables.get(token) for token in TOKENS}, **dict(wanted.context)}
        return [pair for pair in self._by_name.get(wanted.component, ()) if _fits(pair[1], asked)]


def _fits(entry: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    context = context_of(entry.get("vars"))
    return all(asked[token] == context.get(token) for token in TOKENS)
