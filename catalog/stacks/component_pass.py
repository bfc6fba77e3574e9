"""The component pass: the templates of one merged component entry, rendered as Atmos does it.

Atmos writes the whole entry as YAML text, renders that, and reads the result. So a value's type after rendering is decided by the
quotes its text had. Here each scalar is rendered by itself, as it would stand in that text, whenever that surely gives the same
(`scalar_rendering`); where it might not (actions that span scalars, values that break out of theirs) the whole document is written,
rendered and read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.engines.rendering import PLAIN, Host, Options
from catalog.errors import EstateError, NotGiven
from catalog.stacks import encoding, scalars, template_settings
from catalog.stacks.merging import Map
from catalog.stacks.scalar_rendering import Renderer, Unsure
from catalog.stacks.templates import Settings, Templates, gave_up
from catalog.stacks.texts import KEYS, REWRITTEN, TEMPLATE, Steps, Texts, is_rewritten_key

NAME = "describe-stacks-all-sections"

Path = tuple[str | int, ...]
Lose = Callable[[Path, EstateError], None]

# Computed from code, not configuration; templates see them and they aren't rendered.
_LEFT_OUT = ("component_info",)

_ODD_BEGINNINGS = ("\n", "\t", "\u2028", "\u2029")


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
        """Return the entry with its templates rendered; the very same object where nothing changes.

        `data` is what templates see (by default the entry itself), `variables` are environment variables of the component's own
        template settings. Without `lose`, errors raise EstateError in Go's words. With it, what can't be rendered stays as it is
        written and is told to `lose` with its path. Where the settings switch templates off, only the writing and reading remains.
        """
        _check_settings(entry.get("settings"), lose)
        wanted = TEMPLATE | REWRITTEN if self.settings.enabled else REWRITTEN
        flags, found = self.texts.look_through(entry)
        if not flags & wanted:
            return entry
        steps = tuple(key for key in found if key not in _LEFT_OUT)
        if not any(self.texts.flags(entry[key]) & wanted for key in steps):
            return entry
        walk = _Walk(
            Renderer(
                self.templates,
                entry if data is None else data,
                self._options(variables),
                name=name,
                host=host,
                evaluations=self.settings.evaluations,
            ),
            self.texts,
            wanted=wanted,
            lose=lose,
        )
        return walk.entry(entry, steps, is_one=self.settings.evaluations > 1 and _exports(entry))

    def _options(self, variables: Mapping[str, str] | None) -> Options:
        return Options(
            sprig=self.settings.sprig,
            gomplate=self.settings.gomplate,
            missing="default",
            left=self.settings.left,
            right=self.settings.right,
            environment=self._environment(variables),
            pure=self.pure,
        )

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

    The same shortcuts are taken as for a component's entry, and `lose` means the same.
    """
    renderer = Renderer(templates, data, options, name=name, host=host)
    return _round(value, renderer, texts, TEMPLATE | REWRITTEN, lose)


def read_back(value: Map, name: str, texts: Texts) -> Map:
    """Return a map written as YAML and read again; the very same one where that changes nothing."""
    return _round(value, Renderer(Templates(), value, PLAIN, name=name), texts, REWRITTEN)


def _round(value: Map, renderer: Renderer, texts: Texts, wanted: int, lose: Lose | None = None) -> Map:
    if not texts.flags(value) & wanted:
        return value
    return _Walk(renderer, texts, wanted=wanted, lose=lose, keeps_moments=True, left_out=()).entry(value, texts.steps(value))


class _Walk:
    """One rendering of one map. `keeps_moments`: dates stay dates, where otherwise they become the text that Atmos prints."""

    def __init__(
        self,
        renderer: Renderer,
        texts: Texts,
        *,
        wanted: int,
        lose: Lose | None = None,
        keeps_moments: bool = False,
        left_out: tuple[str, ...] = _LEFT_OUT,
    ) -> None:
        self.renderer = renderer
        self.texts = texts
        self.wanted = wanted
        self.lose = lose
        self.keeps_moments = keeps_moments
        self.left_out = left_out
        self.renders = bool(wanted & TEMPLATE)
        self.is_patient = False  # what can't be rendered is lost, not fatal
        self.deferred: list[tuple[Path, EstateError]] = []

    def entry(self, entry: Map, steps: Steps, *, is_one: bool = False) -> Map:
        """Return the entry rendered, `steps` tells where anything is to be done. `is_one`: its parts can't be looked at alone."""
        if not is_one:
            try:
                result = self._items(entry, steps, ())[0]
            except Unsure:
                pass
            else:
                for path, error in self.deferred:
                    self._lost(path, error)
                return result
        if not self.deferred:
            try:
                return self._document(entry)
            except EstateError:
                if self.lose is None:
                    raise
        self.is_patient = True
        return self._items(entry, steps, ())[0]

    def _document(self, entry: Map) -> Map:
        """Let the whole document decide."""
        shown = {key: value for key, value in entry.items() if key not in self.left_out}
        result: Map = self._settled(self.renderer.document(shown, renders=self.renders))
        for key in self.left_out:
            if key in entry:
                result[key] = entry[key]
        return result

    def _map(self, value: Map, path: Path) -> Map:
        if self.texts.flags(value) & KEYS:
            value = self._keys(value, path)
            result, flags, steps = self._items(value, self.texts.look_through(value)[1], path)
        else:
            result, flags, steps = self._items(value, self.texts.steps(value), path)
        self.texts.learn(result, flags, steps)
        return result

    def _items(self, value: Map, steps: Steps, path: Path) -> tuple[Map, int, Steps]:
        """Return a map with its items at some keys rendered, its flags now, and the keys that still hold anything."""
        result = value.copy()
        texts, wanted = self.texts, self.wanted
        found, left = 0, []
        for key in steps:
            item = value[key]
            flags = texts.flags(item)
            if flags & wanted:
                item = result[key] = self._value(item, (*path, key))
                flags = texts.flags(item)
            if flags:
                found |= flags
                left.append(key)
        return result, found, tuple(left)

    def _keys(self, value: Map, path: Path) -> Map:
        """Return a map with its own keys rendered."""
        result: Map = {}
        for key, item in value.items():
            name = self._key(key, path) if self.renders and self.texts.left in key else key
            if is_rewritten_key(key) and not self.is_patient:
                raise Unsure
            if name in result:
                self._twice(name, path)
            result[name] = item
        return result

    def _list(self, value: list[Any], path: Path) -> list[Any]:
        return [self._value(item, (*path, number)) for number, item in enumerate(value)]

    def _value(self, value: Any, path: Path) -> Any:
        if isinstance(value, str):
            return self._text(value, path)
        if not isinstance(value, (dict, list)) or not self.texts.flags(value) & self.wanted:
            return value
        return self._map(value, path) if isinstance(value, dict) else self._list(value, path)

    def _text(self, text: str, path: Path) -> Any:
        if self.renders and self.texts.left in text:
            return self._scalar(text, path)
        return self._read_back(text, path) if "\n" in text and text[0] in _ODD_BEGINNINGS else text

    def _scalar(self, text: str, path: Path) -> Any:
        templates = self.renderer.templates
        known = templates.remembered(text)
        if known is not None:
            return self._given_up(text, path, known)
        try:
            return self._settled(self.renderer.scalar(text))
        except NotGiven as error:
            self._defer(path, error)
            return text
        except (EstateError, Unsure) as error:
            if isinstance(error, EstateError) and gave_up(error):
                # The whole document would take as long again, and so would the next one with this text.
                templates.remember(text, error)
                return self._given_up(text, path, error)
            if not self.is_patient:
                raise Unsure from error
        try:
            return self._settled(self.renderer.document({"value": text}, only="value")["value"])
        except EstateError as error:
            self._lost(path, error)
            return text

    def _key(self, key: str, path: Path) -> str:
        try:
            return self.renderer.key(key)
        except NotGiven as error:
            self._defer((*path, key), error)
            return key
        except (EstateError, Unsure) as error:
            if not self.is_patient:
                raise Unsure from error
            told = error if isinstance(error, EstateError) else EstateError("it renders to no key", code="TEMPLATE")
            self._lost((*path, key), told)
            return key

    def _given_up(self, text: str, path: Path, error: EstateError) -> str:
        if self.lose is None:
            raise error
        self._defer(path, error)
        return text

    def _defer(self, path: Path, error: EstateError) -> None:
        if self.lose is None:
            raise Unsure from error
        if self.is_patient:
            self._lost(path, error)
        else:
            self.deferred.append((path, error))

    def _twice(self, name: str, path: Path) -> None:
        if not self.is_patient:
            raise Unsure
        self._lost((*path, name), EstateError(f'yaml: mapping key "{name}" already defined', code="TEMPLATE"))

    def _read_back(self, text: str, path: Path) -> str:
        """Return a text without templates as Atmos reads it after writing: a leading line end is lost, a leading tab refused."""
        if encoding.style(text) != encoding.LITERAL:
            return text
        if text[0] == "\n":
            return text[1:]
        if not self.is_patient:
            raise Unsure
        try:
            return str(self.renderer.document({"value": text}, renders=False)["value"])
        except EstateError as error:
            self._lost(path, error)
            return text

    def _settled(self, value: Any) -> Any:
        """Return a value that was read, with its dates as the text that Atmos prints."""
        return value if self.keeps_moments else _without_moments(value)

    def _lost(self, path: Path, error: EstateError) -> None:
        if self.lose is None:
            raise error
        self.lose(path, error)


def _check_settings(settings: Any, lose: Lose | None) -> None:
    if not isinstance(settings, dict) or "templates" not in settings:
        return
    refused = template_settings.refusal(settings["templates"])
    if refused is not None:
        if lose is None:
            raise refused
        lose(("settings", "templates"), refused)


def _exports(entry: Map) -> bool:
    """Tell whether the entry has variables for its templates: the second evaluation sees them rendered."""
    value: Any = entry
    for key in ("settings", "templates", "settings", "env"):
        value = value.get(key) if isinstance(value, dict) else None
    return bool(value)


def _without_moments(value: Any) -> Any:
    if isinstance(value, scalars.Timestamp):
        return encoding.moment(value)
    if isinstance(value, dict):
        return {key: _without_moments(item) for key, item in value.items()}
    return [_without_moments(item) for item in value] if isinstance(value, list) else value
