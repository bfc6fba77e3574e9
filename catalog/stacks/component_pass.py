"""The component pass: the templates of one merged component entry, rendered as Atmos does it.

Atmos writes the whole entry as YAML text, renders that, and reads the result. So a value's type after rendering is decided by the
quotes its text had. Here each scalar is rendered by itself, in the style it would have in that text, whenever that gives the same;
where it might not (text over several lines, quotes, actions that span scalars) the whole document is written, rendered and read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.engines.template import Host, Options
from catalog.errors import EstateError
from catalog.stacks import documents, encoding, references, scalars
from catalog.stacks.merging import Map
from catalog.stacks.templates import Settings, Templates
from catalog.stacks.texts import REWRITTEN, TEMPLATE, Texts

NAME = "describe-stacks-all-sections"

Path = tuple[str | int, ...]
Lose = Callable[[Path, EstateError], None]

# Computed from code, not configuration; templates see them and they aren't rendered.
_LEFT_OUT = ("component_info",)


class _WholeDocument(Exception):
    """A scalar can't be rendered by itself with the certainty that the whole document gives the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentPass:
    """Renders entries under one configuration.

    `environment` is what templates see of the process (None: asking is deferred), `pure` defers what differs between runs.
    """

    templates: Templates
    settings: Settings
    texts: Texts
    environment: Mapping[str, str] | None = None
    pure: bool = True

    def rendered(
        self,
        entry: Map,
        *,
        host: Host | None = None,
        data: Map | None = None,
        variables: Mapping[str, str] | None = None,
        name: str = NAME,
        lose: Lose | None = None,
    ) -> Map:
        """Return the entry with its templates rendered; the very same object when it has none.

        `data` is what templates see (by default the entry itself), `variables` are environment variables of the component's own
        template settings. Without `lose`, errors raise EstateError in Go's words. With it, a scalar that can't be rendered stays
        as it is written and is told to `lose` with its path.
        """
        shown = {key: value for key, value in entry.items() if key not in _LEFT_OUT}
        if not any(self.texts.flags(value) & TEMPLATE for value in shown.values()):
            return entry
        walk = _Walk(
            self.templates,
            self.texts,
            entry if data is None else data,
            Options(
                sprig=self.settings.sprig,
                gomplate=self.settings.gomplate,
                missing="default",
                left=self.settings.left,
                right=self.settings.right,
                environment=self._environment(variables),
                pure=self.pure,
            ),
            host=host,
            name=name,
            lose=lose,
            evaluations=self.settings.evaluations,
        )
        return {**walk.entry(shown), **{key: entry[key] for key in _LEFT_OUT if key in entry}}

    def _environment(self, variables: Mapping[str, str] | None) -> Mapping[str, str] | None:
        exported = {**self.settings.environment, **(variables or {})}
        if self.environment is None:
            return exported or None
        return {**self.environment, **exported} if exported else self.environment


def round_trip(
    value: Map,
    data: Map,
    name: str,
    options: Options,
    *,
    templates: Templates,
    texts: Texts,
    host: Host | None = None,
    lose: Lose | None = None,
) -> Map:
    """Return a map written as YAML, rendered from the data and read again; raises EstateError in Go's words.

    The same shortcuts are taken as for a component's entry. `lose` is told, as there, what can't be rendered; it may raise.
    """
    return _Walk(templates, texts, data, options, host=host, name=name, lose=lose).entry(value)


class _Walk:
    """One rendering of one map; `evaluations` is how often."""

    def __init__(
        self,
        templates: Templates,
        texts: Texts,
        data: Map,
        options: Options,
        *,
        host: Host | None,
        name: str,
        lose: Lose | None = None,
        evaluations: int = 1,
    ) -> None:
        self.templates = templates
        self.texts = texts
        self.data = data
        self.options = options
        self.host = host
        self.name = name
        self.lose = lose
        self.evaluations = evaluations
        self.is_standard = options.left == "{{" and options.right == "}}"

    def entry(self, entry: Map) -> Map:
        if self.evaluations > 1 and self.lose is None:
            return self._whole(entry)
        try:
            return self._map(entry, ())
        except _WholeDocument:
            return self._whole(entry)

    def _whole(self, entry: Map) -> Map:
        text = encoding.encode(entry)
        for _ in range(self.evaluations):
            text = self.templates.render(text, self.name, self.data, self.options, self.host)
            self._checked(text)
        return self._checked(text)

    def _checked(self, text: str) -> Map:
        value = documents.load(text.encode("utf-8", "surrogatepass"), self.name).value
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise EstateError(f"yaml: cannot unmarshal {self.name} into a map", code="TEMPLATE")
        return value

    def _value(self, value: Any, path: Path) -> Any:
        if isinstance(value, str):
            if self.options.left in value:
                return self._scalar(value, path)
            return value[1:] if value[:1] == "\n" and encoding.style(value) == encoding.LITERAL else value
        if not isinstance(value, (dict, list)) or not self.texts.flags(value) & (TEMPLATE | REWRITTEN):
            return value
        if isinstance(value, dict):
            return self._map(value, path)
        return [self._value(item, (*path, number)) for number, item in enumerate(value)]

    def _map(self, value: Map, path: Path) -> Map:
        result: Map = {}
        for key, item in value.items():
            name = self._key(key, (*path, key)) if self.options.left in key else key
            if name in result:
                raise _WholeDocument
            result[name] = self._value(item, (*path, key))
        return result

    def _key(self, key: str, path: Path) -> str:
        if encoding.style(key) not in (encoding.PLAIN, encoding.SINGLE):
            return str(self._alone(key, path, whole=key))
        found = scalars.key(self._scalar(key, path))
        return key if found is None else found

    def _scalar(self, text: str, path: Path) -> Any:
        try:
            rendered = self._harmless(text)
        except EstateError as error:
            if self.lose is None:
                raise _WholeDocument from error
            self.lose(path, error)
            return text
        return rendered[0] if rendered is not None else self._alone(text, path, whole=text)

    def _alone(self, text: str, path: Path, *, whole: Any) -> Any:
        """In lenient reading a scalar that isn't harmless is rendered as a document of its own."""
        if self.lose is None:
            raise _WholeDocument
        try:
            written = self.templates.render(encoding.encode({"value": text}), self.name, self.data, self.options, self.host)
            return self._checked(written)["value"]
        except (EstateError, KeyError) as error:
            self.lose(path, error if isinstance(error, EstateError) else EstateError(f"it renders to no YAML: {error}"))
            return whole

    def _harmless(self, text: str) -> tuple[Any] | None:
        """Return the scalar's value in a tuple when rendering it by itself surely gives what the whole document would; else None."""
        style = encoding.style(text)
        if style == encoding.DOUBLE or text[0] == "\n" or not self._is_self_contained(text, style):
            return None
        rendered = self._rendered(text)
        if rendered is None:
            return None
        if style == encoding.LITERAL:
            return (rendered,) if _same_lines(text, rendered) else None
        if self.evaluations > 1 and self.options.left in rendered:
            return None
        if style == encoding.SINGLE:
            return (rendered,) if "'" not in rendered and "'" not in text and "\n" not in rendered else None
        if not encoding.plain_allowed(rendered):
            return None
        return (scalars.plain(rendered),)

    def _is_self_contained(self, text: str, style: str) -> bool:
        if self.is_standard and references.parts(text) is not None:
            return style == encoding.SINGLE or ("{{-" not in text and "-}}" not in text)
        marks = (self.options.left + "-", "-" + self.options.right)
        spans = any(word in text for word in (":=", "define", "template", "block", "/*")) or (self.options.left not in text)
        return not spans and (style == encoding.SINGLE or not any(mark in text for mark in marks)) and style != encoding.LITERAL

    def _rendered(self, text: str) -> str | None:
        if self.is_standard:
            pieces = references.parts(text)
            if pieces is not None:
                found = references.render(pieces, self.data, lenient_keys=self.options.missing != "error")
                if found is not None:
                    return found
        return self.templates.render(text, self.name, self.data, self.options, self.host)


def _same_lines(text: str, rendered: str) -> bool:
    """Tell whether a literal block keeps its lines: as many, none emptied, none led or ended by another blank."""
    before, after = text.split("\n"), rendered.split("\n")
    return len(before) == len(after) and all(
        old == new or (new and new[0] not in " \t" and new[-1] not in " \t" and old[:1] not in (" ", ""))
        for old, new in zip(before, after, strict=True)
    )
