"""One scalar's templates rendered as if the whole document were: in the quotes that yaml.v3 would give it.

What the document means is only known when it was read, so each shortcut here proves that reading can't see more than this scalar:
actions are whole in it and touch no white space outside it, and what they print can't end its quotes, its line or its block.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from catalog.engines.rendering import Host, Options
from catalog.errors import EstateError
from catalog.stacks import documents, encoding, references, scalars
from catalog.stacks.merging import Map
from catalog.stacks.templates import Templates, environment_of

_LONGEST_KEY = 100  # a longer one may be written in another form
_IN_SINGLE_QUOTES = re.compile("'(?:[^']|'')*'")
_IN_DOUBLE_QUOTES = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_MARK = "\x01"  # stands for a block's indentation; no YAML text can hold it
_LINE_ENDS = re.compile("[\r\x85\u2028\u2029]")
# Characters of which YAML's own syntax, numbers and words consist: a delimiter with one may match outside of scalars.
_SYNTAX = re.compile(r"[\s\w\-:?'\"|+.\\~]")


class Unsure(Exception):
    """Only the whole document can tell what a scalar becomes."""


class Renderer:
    """Renders from one data; `evaluations` is how often each text is rendered."""

    def __init__(
        self,
        templates: Templates,
        data: Map,
        options: Options,
        *,
        name: str,
        host: Host | None = None,
        evaluations: int = 1,
    ) -> None:
        self.templates = templates
        self.data = data
        self.options = options
        self.name = name
        self.host = host
        self.evaluations = evaluations
        self.is_lenient = options.missing != "error"
        self.is_distinct = _is_distinct(options.left)

    def document(self, value: Map, *, renders: bool = True, only: str | None = None) -> Map:
        """Return a map written, rendered and read; raises EstateError in Go's words.

        With `only`, the result must have this one key: nothing broke out of its value.
        """
        text, options = self._written(value), self.options
        result = None
        for _ in range(self.evaluations if renders else 1):
            text = self.templates.render(text, self.name, self.data, options, self.host) if renders else text
            result = self._read(text)
            options = _with_environment(options, result)
        if result is None:
            return {}
        if not isinstance(result, dict) or (only is not None and set(result) != {only}):
            raise EstateError("yaml: it renders to more than one value", code="TEMPLATE")
        return result

    def _written(self, value: Map) -> str:
        text = encoding.encode(value)
        if "'" not in self.options.left + self.options.right:
            return text
        return encoding.encode(self._read(text), is_guarded=True)

    def _read(self, text: str) -> Any:
        try:
            return documents.load(text.encode("utf-8", "surrogatepass"), self.name).value
        except EstateError as error:
            raise EstateError(error.message, code="TEMPLATE", hint=error.hint) from error

    def scalar(self, text: str) -> Any:
        """Return what a text becomes; raises Unsure, or EstateError where rendering it by itself fails."""
        style = encoding.style(text)
        self._check_alone(text, style)
        if style == encoding.PLAIN:
            return scalars.plain(self._plain(text))
        if style == encoding.LITERAL:
            return self._block(text)
        if style == encoding.DOUBLE:
            return self._quoted(encoding.double_quoted(text), _IN_DOUBLE_QUOTES)
        if "'" in text:
            return self._quoted(encoding.single_quoted(text), _IN_SINGLE_QUOTES)
        rendered = self._passes(text, style)
        if "'" not in rendered and encoding.is_one_clean_line(rendered):
            return rendered
        return self._read_quoted(f"'{rendered}'", _IN_SINGLE_QUOTES)

    def key(self, key: str) -> str:
        """Return what a key becomes; raises Unsure, or EstateError where rendering it by itself fails."""
        style = encoding.style(key)
        self._check_alone(key, style)
        if len(key) > _LONGEST_KEY or style not in (encoding.PLAIN, encoding.SINGLE) or "'" in key:
            raise Unsure
        rendered: Any
        if style == encoding.PLAIN:
            rendered = scalars.key(scalars.plain(self._plain(key)))
        else:
            rendered = self._passes(key, style)
            if "'" in rendered or not encoding.is_one_clean_line(rendered):
                raise Unsure
        if rendered is None or len(rendered) > _LONGEST_KEY:
            raise Unsure
        return str(rendered)

    def _check_alone(self, text: str, style: str) -> None:
        if not self.is_distinct or not _is_self_contained(text, style, self.options.left, self.options.right):
            raise Unsure

    def _plain(self, text: str) -> str:
        rendered = self._passes(text, encoding.PLAIN)
        if not encoding.plain_allowed(rendered):
            raise Unsure
        return rendered

    def _passes(self, text: str, style: str) -> str:
        """Render as often as wanted; between two passes the document must be as sound as after the last."""
        for number in range(self.evaluations):
            if number:
                if self.options.left not in text:
                    break
                if (
                    "'" in text
                    or not encoding.is_one_clean_line(text)
                    or (style == encoding.PLAIN and not encoding.plain_allowed(text))
                ):
                    raise Unsure
                self._check_alone(text, style)
            text = self._rendered(text)
        return text

    def _rendered(self, text: str) -> str:
        pieces = references.parts(text, self.options.left, self.options.right)
        if pieces is not None:
            found = references.render(pieces, self.data, lenient_keys=self.is_lenient)
            if found is not None:
                return found
        return self.templates.render(text, self.name, self.data, self.options, self.host)

    def _quoted(self, source: str, form: re.Pattern[str]) -> Any:
        if self.evaluations > 1:
            raise Unsure
        return self._read_quoted(self._rendered(source), form)

    def _read_quoted(self, rendered: str, form: re.Pattern[str]) -> Any:
        """Read a text in quotes that it doesn't leave."""
        if form.fullmatch(rendered) is None:
            raise Unsure
        return self._read(f"value: {rendered}\n")["value"]

    def _block(self, text: str) -> str:
        """Render a literal block: each of its lines must stay one of its lines, and begin where its lines begin."""
        if self.evaluations > 1:
            raise Unsure
        marked = "\n".join(_MARK + line if line else line for line in text.split("\n"))
        rendered = self._rendered(marked)
        if _LINE_ENDS.search(rendered) or not encoding.is_printable(rendered.replace(_MARK, "")):
            raise Unsure
        lines = rendered.split("\n")
        for number, line in enumerate(lines):
            if line[:1] == _MARK and _MARK not in (bare := line[1:]):
                lines[number] = bare
            elif line:
                raise Unsure
        return self._chomped(text, lines)

    def _chomped(self, text: str, lines: list[str]) -> str:
        """Return a block's lines as text, with the line ends that its header asks for."""
        first = next((line for line in lines if line), "")
        if not first or (first[0] in " \t" and text[0] != " "):
            raise Unsure
        body = "\n".join(lines).rstrip("\n")
        if not text.endswith("\n"):
            return body
        if text.endswith("\n\n"):
            raise Unsure
        return body + "\n"


@lru_cache(maxsize=64)
def _is_distinct(left: str) -> bool:
    """Tell whether a delimiter can stand in scalars only."""
    return _SYNTAX.search(left) is None and left not in ("{", "}", "{}", "[", "]", "[]")


@lru_cache(maxsize=16384)
def _is_self_contained(text: str, style: str, left: str, right: str) -> bool:
    """Tell whether a text defines no template for others and trims no white space outside of itself."""
    if _defining(left).search(text):
        return False
    trims_left, trims_right = left + "-", "-" + right
    if style == encoding.LITERAL:
        # In a block the indentation is white space that may be trimmed, and a raw string may hold it.
        return text[0] not in "\n\t\u2028\u2029" and trims_left not in text and trims_right not in text and "`" not in text
    return style != encoding.PLAIN or not (text.startswith(trims_left) or text.endswith(trims_right))


@lru_cache(maxsize=64)
def _defining(left: str) -> re.Pattern[str]:
    return re.compile(re.escape(left) + r"(?:-\s)?\s*(?:define|block)\b")


def _with_environment(options: Options, result: Any) -> Options:
    """Between two evaluations Atmos exports the variables that the rendered settings have."""
    value = result
    for key in ("settings", "templates", "settings"):
        value = value.get(key) if isinstance(value, dict) else None
    found: Mapping[str, str] = environment_of(value)
    if not found:
        return options
    return Options(
        sprig=options.sprig,
        gomplate=options.gomplate,
        missing=options.missing,
        left=options.left,
        right=options.right,
        environment={**(options.environment or {}), **found},
        pure=options.pure,
    )
