"""What a component says it depends on, in every form in which it can be said; `edges` finds what that means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from catalog.stacks.components import Built
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.naming import TOKENS
from catalog.stacks.texts import ASKING, Texts

Key = tuple[str, str, str]  # stack, component type, name


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One declaration as written: `via` is its path in the entry, `context` the stack variables it asks for.

    An inferred one isn't declared: a function's argument names the component whose outputs it reads. With `slug`, the component's
    name may also be one word for a stack and its component, `plat-ue2-dev-vpc`, whatever leads up to it. A `tentative` one may as
    well mean something else, so that nobody is told where nothing answers.
    """

    component: str
    via: str
    path: tuple[str | int, ...]
    stack: str = ""
    kind: str = ""
    context: tuple[tuple[str, str], ...] = ()
    is_inferred: bool = False
    slug: str = ""
    tentative: bool = False

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
        yield from _any_style(settings.get("depends_on"), ("settings", "depends_on"))
    spacelift = settings.get("spacelift")
    if isinstance(spacelift, dict):
        for item in _any_style(spacelift.get("depends_on"), ("settings", "spacelift", "depends_on")):
            yield replace(item, slug=item.component) if not (item.stack or item.context) else item
    metadata = entry.get("metadata")
    if isinstance(metadata, dict):
        yield from _any_style(metadata.get("depends_on"), ("metadata", "depends_on"))


def beside(section: Any) -> Iterator[Declared]:
    """Yield what a `depends_on` says that stands beside a component's sections: Atmos drops it, but people mean it."""
    yield from _any_style(section, ("depends_on",))


def _new_style(entry: Mapping[str, Any]) -> Iterator[Declared]:
    section = entry.get("dependencies")
    listed = section.get("components") if isinstance(section, dict) else None
    for number, item in enumerate(listed if isinstance(listed, list) else ()):
        yield from _one(item, ("dependencies", "components", number))


def _any_style(section: Any, path: tuple[str | int, ...]) -> Iterator[Declared]:
    """A map of declarations under any keys, a list of them or of names, or the name of one component."""
    if isinstance(section, dict):
        yield from _old_style(section, path)
    else:
        yield from _listed([section] if isinstance(section, str) and section else section, path)


def _old_style(section: Any, path: tuple[str | int, ...]) -> Iterator[Declared]:
    for key, item in section.items() if isinstance(section, dict) else ():
        yield from _one(item, (*path, key))


def _listed(section: Any, path: tuple[str | int, ...]) -> Iterator[Declared]:
    for number, item in enumerate(section if isinstance(section, list) else ()):
        here = (*path, number)
        if isinstance(item, str) and item:
            yield Declared(component=item, via=_via(here), path=here)
        else:
            yield from _one(item, here)


def _one(item: Any, path: tuple[str | int, ...]) -> Iterator[Declared]:
    name = (item.get("component") or item.get("name")) if isinstance(item, dict) else None
    if isinstance(name, str) and item.get("kind") not in ("file", "folder"):
        context = tuple((token, item[token]) for token in TOKENS if isinstance(item.get(token), str) and item[token])
        stack, kind = _text(item.get("stack")), _text(item.get("kind"))
        yield Declared(component=name, via=_via(path), path=path, stack=stack, kind=kind, context=context)


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
        for mention in _read_by(text):
            for found in _meant(mention, path, rendered, asked):
                key = (found.component, found.stack or own)
                if key not in told and key != (built.name, own):  # a circle of one is told by the evaluation
                    told.add(key)
                    yield Declared(
                        component=found.component,
                        via=_via(path),
                        path=path,
                        stack=found.stack,
                        is_inferred=True,
                        slug=found.slug,
                        tentative=bool(found.slug),
                    )


class _Mention(NamedTuple):
    """A component that a text reads, and its stack, empty for the text's own; or a key that holds both, as one word."""

    component: str
    stack: str = ""
    slug: str = ""


def _meant(mention: _Mention, path: tuple[str | int, ...], rendered: Map, asked: Sequence[tuple[str, str]]) -> Sequence[_Mention]:
    """What a templated mention means: what rendering made of the function, else what templates asked for."""
    if "{{" not in mention.component and "{{" not in mention.stack:
        return (mention,)
    text: Any = rendered
    for step in path:
        try:
            text = text[step]
        except (KeyError, IndexError, TypeError):
            text = None
            break
    function = tuple(_read_by(text)) if isinstance(text, str) and text[:1] == "!" and "{{" not in text else ()
    return function or tuple(_Mention(*one) for one in asked) or (mention,)


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
_FUNCTION = re.compile(r"!(terraform\.output|terraform\.state|store\.get|store)\s+(.*)", re.DOTALL)
_WORD = re.compile(r"""\{\{.*?\}\}|'[^']*'|"[^"]*"|\S+""", re.DOTALL)
_ARGUMENT = r'("[^"]*"|[^\s)}]+)'
_DESCRIBED = re.compile(rf"atmos\.Component\s+{_ARGUMENT}\s+{_ARGUMENT}")
_STORED = re.compile(rf"atmos\.Store\s+{_ARGUMENT}\s+{_ARGUMENT}\s+{_ARGUMENT}\s+{_ARGUMENT}")
_OWN_STACK = re.compile(r"(?:\{\{-?\s*)?\$?\.(?:atmos_)?stack(?:\s*-?\}\})?")


def _texts(value: Any, path: tuple[str | int, ...], texts: Texts) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        if texts.of_text(value) & ASKING:
            yield path, value
    elif isinstance(value, (dict, list)) and texts.flags(value) & ASKING:
        for step, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(item, (*path, step), texts)


def _read_by(text: str) -> Iterator[_Mention]:
    """Yield each component that a text reads."""
    function = _FUNCTION.match(text)
    if function:
        found = _ARGUMENTS[function[1]](_WORD.findall(function[2]))
        if found is not None:
            yield found
    for described in _DESCRIBED.finditer(text):
        yield _Mention(_literal(described[1]), _stack(_literal(described[2])))
    for stored in _STORED.finditer(text):
        yield _Mention(_literal(stored[3]), _stack(_literal(stored[2])))


def _of_outputs(words: list[str]) -> _Mention | None:
    """`component [stack] expression`: an expression begins with a mark of yq's, a rendered stack never does."""
    if len(words) < 2:
        return None
    is_stack = len(words) > 2 and (words[1].startswith("{{") or words[1][0] not in ".[{|'\"")
    return _Mention(_plain(words[0]), _stack(words[1]) if is_stack else "")


def _of_store(words: list[str]) -> _Mention | None:
    """`store [stack] component key`, perhaps with a default or a query behind a bar."""
    plain = _before_bar(words)
    if len(plain) == 3:
        return _Mention(_plain(plain[1]))
    return _Mention(_plain(plain[2]), _stack(plain[1])) if len(plain) == 4 else None


def _of_key(words: list[str]) -> _Mention | None:
    """`store key`: Atmos writes outputs under `prefix/stack/component/output`, the stack perhaps in several steps."""
    plain = _before_bar(words)
    if len(plain) != 2:
        return None
    key = _plain(plain[1])
    steps = [step for step in key.split("/") if step]
    return _Mention(key, slug="-".join(steps[:-1]) or key)


_ARGUMENTS = {"terraform.output": _of_outputs, "terraform.state": _of_outputs, "store": _of_store, "store.get": _of_key}


def _before_bar(words: list[str]) -> list[str]:
    return words[: words.index("|")] if "|" in words else words


def _plain(word: str) -> str:
    return word.strip("'\"")


def _literal(argument: str) -> str:
    """A template's argument: what stands in quotes is meant literally, anything else only a template would tell."""
    return argument.strip('"') if argument.startswith('"') else "{{ " + argument + " }}"


def _stack(word: str) -> str:
    return "" if _OWN_STACK.fullmatch(word) else _plain(word)
