"""Templates that name things: `stacks.name_template` and a component's own workspace template.

They are rendered for every component from its raw sections, and most components of a stack give the same values. So a rendering is
remembered by the values that the template's text refers to, where the text tells all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from catalog.engines.rendering import Options
from catalog.errors import EstateError
from catalog.stacks import references
from catalog.stacks.templates import Templates

Chain = tuple[str, ...]

_ACTION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`|/\*.*?\*/', re.DOTALL)
_CHAIN = re.compile(r"(?<![\w)\]])\$?((?:\.[A-Za-z_]\w*)+)")
_FURTHER = re.compile(r"(?<=[\w)\]])(?:\.[A-Za-z_]\w*)+")  # of a variable, of a function's name or of what one gives
_WHOLE = re.compile(r"(?<!\d)\.(?!\d)|\$(?!\w)|[\"`]")


class NameTemplate:
    """One template under one name; `keys` are the sections that it sees, each an empty map where a component has none."""

    def __init__(self, text: str, name: str, keys: tuple[str, ...], templates: Templates, options: Options) -> None:
        self.text = text
        self.name = name
        self.keys = keys
        self.templates = templates
        self.options = options
        self._plain = references.parts(text)
        # The sections that a template of plain references looks into, where it sees them all.
        self._heads = {part[0] for part in self._plain or () if not isinstance(part, str)}
        self._sees_all = self._heads <= set(keys)
        self._chains = chains(text) if self._plain is None else None
        # The values are kept with the answer: an identity is only good while its object lives.
        self._known: dict[tuple[Any, ...], tuple[list[Any], str | EstateError]] = {}

    def render(self, entry: Mapping[str, Any]) -> str:
        """Return the rendered text; raises EstateError in Go's words."""
        if self._plain is not None and self._sees_all and self._heads <= entry.keys():
            found = references.render(self._plain, entry, lenient_keys=self.options.missing != "error")
            if found is not None:
                return found
        data = {key: entry.get(key, {} if key not in _TEXTS else "") for key in self.keys}
        if self._plain is not None:
            found = references.render(self._plain, data, lenient_keys=self.options.missing != "error")
            if found is not None:
                return found
            if self.templates.engine is None:
                raise self._missing(data)
        if self._chains is None:
            return self.templates.render(self.text, self.name, data, self.options)
        return self._remembered(data, self._chains)

    def _remembered(self, data: Mapping[str, Any], wanted: tuple[Chain, ...]) -> str:
        values = [_at(chain, data) for chain in wanted]
        key = tuple(_identity(value) for value in values)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = (values, self._rendered(data))
        answer = known[1]
        if isinstance(answer, EstateError):
            raise EstateError(answer.message, code=answer.code, hint=answer.hint)
        return answer

    def _rendered(self, data: Mapping[str, Any]) -> str | EstateError:
        try:
            return self.templates.render(self.text, self.name, data, self.options)
        except EstateError as error:
            return error

    def _missing(self, data: Mapping[str, Any]) -> EstateError:
        """Go's words for the first reference that leads nowhere."""
        for found in re.finditer(r"\{\{-?\s*(?P<path>\.[\w.]+)", self.text):
            value: Any = data
            keys = found["path"][1:].split(".")
            for key in keys:
                if not isinstance(value, dict) or key not in value:
                    column = self.text.find(".", found.start("path") + 1) if len(keys) > 1 else found.start("path")
                    return EstateError(
                        f'template: {self.name}:1:{column}: executing "{self.name}" at <{found["path"]}>: '
                        f'map has no entry for key "{key}"',
                        code="TEMPLATE",
                    )
                value = value[key]
        return EstateError(f"template: {self.name}: it prints what only Go's template engine can tell", code="TEMPLATE")


_TEXTS = frozenset({"backend_type", "component"})


def chains(text: str) -> tuple[Chain, ...] | None:
    """Return the field paths that a template's result depends on; None where it may depend on more, such as the whole data."""
    found: dict[Chain, None] = {}
    for action in _ACTION.findall(text):
        bare = _QUOTED.sub(" ", action)
        for chain in _CHAIN.findall(bare):
            found[tuple(chain[1:].split("."))] = None
        if _WHOLE.search(_FURTHER.sub("", _CHAIN.sub(" ", bare))) is not None:
            return None
    return tuple(found)


class _Nothing:
    """What stands where a path leads nowhere: at which step, and in what."""

    def __init__(self, step: int, kind: type) -> None:
        self.identity = (step, kind)


def _at(chain: Chain, data: Mapping[str, Any]) -> Any:
    value: Any = data
    for step, key in enumerate(chain):
        if not isinstance(value, dict) or key not in value:
            return _Nothing(step, type(value))
        value = value[key]
    return value


def _identity(value: Any) -> tuple[Any, ...]:
    if isinstance(value, _Nothing):
        return value.identity
    return (type(value), id(value)) if isinstance(value, (dict, list)) else (type(value), value)
