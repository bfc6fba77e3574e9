"""Renders templates: plain references here, everything else by the engine that the caller handed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from catalog.engines.rendering import PLAIN, Host, Options
from catalog.errors import EstateError, Unavailable
from catalog.stacks import references, scalars

if TYPE_CHECKING:
    from catalog.engines.rendering import Renderer
    from catalog.stacks.atmos_config import AtmosConfig


# How many templates of one estate may run the engine into its limits while indexing, before none is given to it any more.
_RUNAWAYS = 5


class Templates:
    """Renders by the fast path where that is enough, and by the engine, if there is one, where it isn't.

    A template that ran into its limits (time, memory, length) is not tried again, whatever its data.
    """

    def __init__(self, engine: Renderer | None = None) -> None:
        self.engine = engine
        self._gave_up: dict[str, EstateError] = {}

    def render(self, text: str, name: str, data: Mapping[str, Any], options: Options = PLAIN, host: Host | None = None) -> str:
        """Return the rendered text; raises EstateError in Go's words, NotGiven for what isn't handed in.

        `name` is the template's in errors. The data must not change while anything is rendered from it.
        """
        if options.left not in text:
            return text
        if options.left == "{{" and options.right == "}}":
            pieces = references.parts(text)
            rendered = references.render(pieces, data, lenient_keys=options.missing != "error") if pieces is not None else None
            if rendered is not None:
                return rendered
        return self._by_engine(text, name, data, options, host)

    def _by_engine(self, text: str, name: str, data: Mapping[str, Any], options: Options, host: Host | None) -> str:
        engine = self.required(name)
        if self._gave_up:
            self._refuse(text, name, is_indexing=options.pure)
        try:
            return engine.render(text, name, data, options, host)
        except EstateError as error:
            self.remember(text, error)
            raise

    def remember(self, text: str, error: EstateError) -> None:
        """Remember a text whose rendering came to nothing but an end of patience."""
        if gave_up(error):
            self._gave_up[text] = error

    def remembered(self, text: str) -> EstateError | None:
        """Return with what error a text came to nothing before."""
        return self._gave_up.get(text) if self._gave_up else None

    def _refuse(self, text: str, name: str, *, is_indexing: bool) -> None:
        known = self.remembered(text)
        if known is not None:
            raise known.with_traceback(None)
        if is_indexing and len(self._gave_up) >= _RUNAWAYS:
            words = f"template: {name}: not rendered, because {_RUNAWAYS} templates of this estate took too long or too much"
            raise EstateError(words, code="TEMPLATE") from next(iter(self._gave_up.values())).__cause__

    def references(self, text: str, name: str) -> tuple[tuple[str, ...], ...] | None:
        """Return the paths that a template refers to; None where it needs more than Go's built-in functions, or no engine tells."""
        pieces = references.parts(text)
        if pieces is not None:
            return tuple(piece for piece in pieces if not isinstance(piece, str))
        return self.engine.references(text, name) if self.engine is not None else None

    def required(self, name: str) -> Renderer:
        """Return the engine; raises EstateError where there is none."""
        if self.engine is None:
            raise EstateError(
                f"template: {name}: it needs Go's template engine",
                code="TEMPLATE",
                hint="Only plain references such as {{ .vars.stage }} are rendered without it.",
            )
        return self.engine


def gave_up(error: BaseException) -> bool:
    """Tell whether a template ran into the limits of time, memory or length."""
    return isinstance(error.__cause__, Unavailable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`templates.settings` of atmos.yaml, which rule the component pass.

    `environment` is exported while templates run; `datasources` are gomplate's, by alias.
    """

    enabled: bool = False
    sprig: bool = False
    gomplate: bool = False
    evaluations: int = 1
    left: str = "{{"
    right: str = "}}"
    environment: Mapping[str, str] = field(default_factory=dict)
    datasources: Mapping[str, Any] = field(default_factory=dict)
    ignore_missing: bool = False

    @classmethod
    def of(cls, config: AtmosConfig) -> Settings:
        """Read them; raises EstateError for delimiters that are none."""
        found = config.get("templates", "settings", otherwise={})
        settings: dict[str, Any] = found if isinstance(found, dict) else {}
        left, right = _delimiters(settings.get("delimiters"))
        return cls(
            enabled=_is_on(settings),
            sprig=_is_on(settings.get("sprig")),
            gomplate=_is_on(settings.get("gomplate")),
            evaluations=_number(settings.get("evaluations")) or 1,
            left=left,
            right=right,
            environment=environment_of(settings),
            datasources=datasources_of(settings),
            ignore_missing=_flag(settings.get("ignore_missing_template_values")),
        )


def environment_of(settings: Any) -> dict[str, str]:
    """Return the variables of a `templates.settings` map; those that aren't text are dropped."""
    variables = settings.get("env") if isinstance(settings, dict) else None
    return {key: value for key, value in variables.items() if isinstance(value, str)} if isinstance(variables, dict) else {}


def datasources_of(settings: Any) -> dict[str, Any]:
    """Return gomplate's datasources of a `templates.settings` map, by alias."""
    gomplate = settings.get("gomplate") if isinstance(settings, dict) else None
    sources = gomplate.get("datasources") if isinstance(gomplate, dict) else None
    return sources if isinstance(sources, dict) else {}


def _is_on(section: Any) -> bool:
    return isinstance(section, dict) and _flag(section.get("enabled"))


def _flag(value: Any) -> bool:
    """Read a switch of a configuration, where numbers and words count too."""
    if isinstance(value, str):
        return value in {"1", "t", "T", "true", "TRUE", "True"}
    return isinstance(value, (bool, int, float)) and value != 0


def _number(value: Any) -> int:
    if isinstance(value, str):
        found = scalars.plain(value)
        return found if isinstance(found, int) else 0
    return max(int(value), 0) if isinstance(value, (bool, int, float)) else 0


def _delimiters(written: Any) -> tuple[str, str]:
    if not written:
        return "{{", "}}"
    if isinstance(written, list) and len(written) == 2 and all(isinstance(item, str) and item for item in written):
        return written[0], written[1]
    raise EstateError(
        f"invalid 'templates.settings.delimiters' config in 'atmos.yaml': {written}\n"
        "'delimiters' must be an array with two string items: left and right delimiter\n"
        "the left and right delimiters must not be an empty string",
        code="CONFIG",
    )
