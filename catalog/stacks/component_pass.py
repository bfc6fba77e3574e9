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

from catalog.engines.template import Deferred, Host, Options
from catalog.errors import EstateError
from catalog.stacks import encoding, scalars, template_settings
from catalog.stacks.merging import Map
from catalog.stacks.scalar_rendering import Renderer, Unsure
from catalog.stacks.templates import Settings, Templates
from catalog.stacks.texts import EARLIEST_ODD, LATEST_MARK, REWRITTEN, TEMPLATE, Texts, is_rewritten_key

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
        shown = {key: value for key, value in entry.items() if key not in _LEFT_OUT}
        if not self.texts.glance(shown) & wanted:
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
        result = walk.whole(shown) if self.settings.evaluations > 1 and _exports(entry) else walk.entry(shown)
        for key in _LEFT_OUT:
            if key in entry:
                result[key] = entry[key]
        return result

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
    return _Walk(renderer, texts, wanted=TEMPLATE | REWRITTEN, lose=lose, keeps_moments=True).entry(value)


class _Walk:
    """One rendering of one map. `keeps_moments`: dates stay dates, where otherwise they become the text that Atmos prints."""

    def __init__(
        self, renderer: Renderer, texts: Texts, *, wanted: int, lose: Lose | None = None, keeps_moments: bool = False
    ) -> None:
        self.renderer = renderer
        self.texts = texts
        self.wanted = wanted
        self.lose = lose
        self.keeps_moments = keeps_moments
        self.renders = bool(wanted & TEMPLATE)
        self.is_patient = False  # what can't be rendered is lost, not fatal
        self.deferred: list[tuple[Path, EstateError]] = []

    def entry(self, entry: Map) -> Map:
        try:
            result = self._map(entry, ())
        except Unsure:
            return self.whole(entry)
        for path, error in self.deferred:
            self._lost(path, error)
        return result

    def whole(self, entry: Map) -> Map:
        """Let the whole document decide; in lenient reading each scalar for itself where it fails."""
        if not self.deferred:
            try:
                result: Map = self._settled(self.renderer.document(entry, renders=self.renders))
            except EstateError:
                if self.lose is None:
                    raise
            else:
                return result
        self.is_patient = True
        return self._map(entry, ())

    def _map(self, value: Map, path: Path) -> Map:
        result: Map = {}
        found = 0
        texts, left, wanted, is_sure = self.texts, self.texts.left, self.wanted, not self.is_patient
        for key, item in value.items():
            name = key
            if left in key and self.renders:
                name = self._key(key, path)
                found |= texts.of_text(name) & TEMPLATE
            if is_sure and (key < LATEST_MARK or key > EARLIEST_ODD or key == "<<") and is_rewritten_key(key):
                raise Unsure
            if name in result:
                self._twice(name, path)
            kind = type(item)
            if kind is str:
                if left in item or item < LATEST_MARK or item > EARLIEST_ODD:
                    item = self._text(item, (*path, key))  # noqa: PLW2901 — on the hottest path of all
                    found |= texts.flags(item)
            elif kind is dict or kind is list:
                flags = texts.flags(item)
                if flags & wanted:
                    item = self._map(item, (*path, key)) if kind is dict else self._list(item, (*path, key))  # noqa: PLW2901
                    flags = texts.flags(item)
                found |= flags
            result[name] = item
        if path:  # the entry itself is only glanced at
            texts.learn(result, found)
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
        try:
            return self._settled(self.renderer.scalar(text))
        except Deferred as error:
            self._defer(path, error)
            return text
        except (EstateError, Unsure) as error:
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
        except Deferred as error:
            self._defer((*path, key), error)
            return key
        except (EstateError, Unsure) as error:
            if not self.is_patient:
                raise Unsure from error
            told = error if isinstance(error, EstateError) else EstateError("it renders to no key", code="TEMPLATE")
            self._lost((*path, key), told)
            return key

    def _defer(self, path: Path, error: Deferred) -> None:
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
