"""What a component says it depends on, in every form in which it can be said; `edges` finds what that means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.stacks.merging import EMPTY
from catalog.stacks.naming import TOKENS

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

    @property
    def is_templated(self) -> bool:
        """Tell whether only a template would tell what is meant."""
        return "{{" in self.text


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
