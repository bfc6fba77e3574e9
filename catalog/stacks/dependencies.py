"""What a component says it depends on, in every form in which it can be said; `edges` finds what that means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.stacks.components import Built
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.naming import TOKENS
from catalog.stacks.texts import ASKING, Texts

Key = tuple[str, str, str]  # stack, component type, name


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One declaration as written: `via` is its path in the entry, `context` the stack variables it asks for.

    An inferred one isn't declared: a function's argument names the component whose outputs it reads.
    """

    component: str
    via: str
    path: tuple[str | int, ...]
    stack: str = ""
    kind: str = ""
    context: tuple[tuple[str, str], ...] = ()
    is_inferred: bool = False

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


def inferred(built: Built, rendered: Map, asked: Sequence[tuple[str, str]], texts: Texts, own: str) -> Iterator[Declared]:
    """Yield what the functions and templates of a component read from other components, each component once.

    The text is looked at as it was built. Where only a template tells which component is meant, the rendered entry is asked, and
    `asked`, the (component, stack) that templates have really asked for. `own` is the component's stack.
    """
    told: set[tuple[str, str]] = set()
    for path, text in _all_texts(built, texts):
        for component, stack in _read_by(text):
            for found in _meant(component, stack, path, rendered, asked):
                key = (found[0], own if not found[1] else found[1])
                if key not in told and key != (built.name, own):  # a circle of one is told by the evaluation
                    told.add(key)
                    yield Declared(component=found[0], via=_via(path), path=path, stack=found[1], is_inferred=True)


def _meant(
    component: str, stack: str, path: tuple[str | int, ...], rendered: Map, asked: Sequence[tuple[str, str]]
) -> Sequence[tuple[str, str]]:
    """What a templated mention means: what rendering made of the function, else what templates asked for."""
    if "{{" not in component and "{{" not in stack:
        return ((component, stack),)
    text: Any = rendered
    for step in path:
        try:
            text = text[step]
        except (KeyError, IndexError, TypeError):
            text = None
            break
    function = tuple(_read_by(text)) if isinstance(text, str) and text[:1] == "!" and "{{" not in text else ()
    return function or tuple(asked) or ((component, stack),)


def _all_texts(built: Built, texts: Texts) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for section in _SECTIONS_WITH_TEXT:
        value = built.entry.get(section)
        if value and texts.flags(value) & ASKING:
            yield from _texts(value, (section,), texts)
    for late in built.late:
        for part in late.contributions:
            if part.is_function:
                yield (late.section, *late.path), part.value


_SECTIONS_WITH_TEXT = ("vars", "settings", "env", "backend", "remote_state_backend", "providers", "locals", "hooks", "generate")
_FUNCTION = re.compile(r"!(terraform\.output|terraform\.state|store)\s+(.*)", re.DOTALL)
_WORD = re.compile(r"""\{\{.*?\}\}|'[^']*'|"[^"]*"|\S+""", re.DOTALL)
_DESCRIBED = re.compile(r'atmos\.Component\s+("[^"]*"|[^\s)}]+)\s+("[^"]*"|[^\s)}]+)')
_OWN_STACK = re.compile(r"(?:\{\{-?\s*)?\$?\.(?:atmos_)?stack(?:\s*-?\}\})?")


def _texts(value: Any, path: tuple[str | int, ...], texts: Texts) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        if texts.of_text(value) & ASKING:
            yield path, value
    elif isinstance(value, (dict, list)) and texts.flags(value) & ASKING:
        for step, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(item, (*path, step), texts)


def _read_by(text: str) -> Iterator[tuple[str, str]]:
    """Yield (component, stack) for each component that a text reads; the stack is empty for the text's own."""
    function = _FUNCTION.match(text)
    if function:
        words = _WORD.findall(function[2])
        found = _of_store(words) if function[1] == "store" else _of_outputs(words)
        if found:
            yield found[0].strip("'\""), _stack(found[1])
    for described in _DESCRIBED.finditer(text):
        yield _literal(described[1]), _stack(_literal(described[2]))


def _of_outputs(words: list[str]) -> tuple[str, str] | None:
    """`component [stack] expression`: an expression begins with a mark of yq's, a rendered stack never does."""
    if len(words) < 2:
        return None
    is_stack = len(words) > 2 and (words[1].startswith("{{") or words[1][0] not in ".[{|'\"")
    return words[0], words[1] if is_stack else ""


def _of_store(words: list[str]) -> tuple[str, str] | None:
    """`store [stack] component key`, perhaps with a default or a query behind a bar."""
    plain = words[: words.index("|")] if "|" in words else words
    if len(plain) == 3:
        return plain[1], ""
    return (plain[2], plain[1]) if len(plain) == 4 else None


def _literal(argument: str) -> str:
    """A template's argument: what stands in quotes is meant literally, anything else only a template would tell."""
    return argument.strip('"') if argument.startswith('"') else "{{ " + argument + " }}"


def _stack(word: str) -> str:
    return "" if _OWN_STACK.fullmatch(word) else word.strip("'\"")
