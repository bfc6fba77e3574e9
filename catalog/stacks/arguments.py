"""The arguments of YAML functions: tokens, quotes and pipes, read as Atmos reads them.

Tokens are separated by blanks. A token may be `'...'` (`''` is a quote in it) or `"..."` (`""` is a quote); `|` is a token of its own.
Where an expression stands, everything to the end of the text belongs to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from catalog.errors import EstateError

_TOKEN = re.compile(
    r"""[ \t\n\f\r]+ | (?P<quoted> "(?:[^"\r\n]|"")*" | '(?:[^'\r\n]|'')*' ) | (?P<pipe>\|) | (?P<text>[^ \t\n\f\r|]+)""",
    re.VERBOSE,
)
_REMEMBERED = 16384  # arguments: one text serves many components
_EXPRESSION_STARTS = frozenset(".[{|'\"")


@dataclass(frozen=True, slots=True)
class Token:
    """One token as written, its kind (quoted, pipe or text) and where it begins."""

    text: str
    kind: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """`component [stack] expression`; the stack is empty where the current one is meant."""

    component: str
    stack: str
    expression: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """`store [stack] component key` or `store key`, with what follows a pipe. `path` lacks the stack where the current one is meant."""

    store: str
    path: tuple[str, ...]
    default: str | None
    query: str


def tokens(text: str) -> list[Token]:
    """Return the tokens of a text; raises EstateError for a quote that doesn't end."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind is None:
            continue
        token = Token(match.group(), kind, match.start())
        if kind == "text" and token.text[0] in "\"'":
            _refuse(text, token, "unterminated quoted value")
        found.append(token)
    return found


@lru_cache(maxsize=_REMEMBERED)
def environment(text: str) -> tuple[str, str]:
    """Read `name [default]`."""
    found = tokens(text)
    if not found:
        _expected()
    if len(found) > 2:
        _refuse(text, found[2], "env function accepts 1 or 2 arguments")
    return unquoted(found[0].text), unquoted(found[1].text) if len(found) > 1 else ""


@lru_cache(maxsize=_REMEMBERED)
def include(text: str) -> tuple[str, str]:
    """Read `path [expression]`."""
    found = tokens(text)
    if not found:
        _expected()
    return unquoted(found[0].text), _rest(text, found[1]) if len(found) > 1 else ""


@lru_cache(maxsize=_REMEMBERED)
def output(text: str) -> Output:
    """Read `component [stack] expression`."""
    found = tokens(text)
    if not found:
        _expected()
    fields = _as_csv(text) if _looks_like_csv(found) else ()
    if len(fields) in {2, 3}:
        return _checked(text, fields[0], fields[1] if len(fields) > 2 else "", fields[-1], None)
    if len(found) == 1:
        _refuse(text, found[0], "terraform function requires 2 or 3 arguments")
    component = unquoted(found[0].text)
    if len(found) == 2 or found[1].text[0] in _EXPRESSION_STARTS:
        return _checked(text, component, "", _rest(text, found[1]), found[1])
    if len(found) > 3 and found[2].text[0] not in _EXPRESSION_STARTS:
        _refuse(text, found[3], "terraform function requires 2 or 3 arguments")
    return _checked(text, component, unquoted(found[1].text), _rest(text, found[2]), found[2])


def _checked(text: str, component: str, stack: str, expression: str, at: Token | None) -> Output:
    if not component:
        _refuse(text, at, "component must not be empty")
    if not expression:
        _refuse(text, at, "output expression must not be empty")
    return Output(component=component, stack=stack, expression=expression)


@lru_cache(maxsize=_REMEMBERED)
def stored(text: str) -> Stored:
    """Read `store [stack] component key [| default value] [| query expression]`."""
    words, default, query = _with_options(text)
    if len(words) not in {3, 4}:
        _refuse(text, None, "store function requires 3 or 4 parameters") if words else _expected()
    return Stored(store=words[0], path=words[1:], default=default, query=query)


@lru_cache(maxsize=_REMEMBERED)
def stored_as_is(text: str) -> Stored:
    """Read `store key [| default value] [| query expression]`."""
    words, default, query = _with_options(text)
    if len(words) != 2:
        _refuse(text, None, "store.get function requires 2 parameters") if words else _expected()
    return Stored(store=words[0], path=words[1:], default=default, query=query)


def _with_options(text: str) -> tuple[tuple[str, ...], str | None, str]:
    found = tokens(text)
    first = _next_option(found, 0)
    words = found[:first]
    pipe = next((token for token in words if token.kind == "pipe"), None)
    if pipe is not None:
        _refuse(text, pipe, "unexpected pipe")
    default, query = _options(text, found, first)
    return tuple(unquoted(token.text) for token in words), default, query


def _options(text: str, found: Sequence[Token], index: int) -> tuple[str | None, str]:
    default, query = None, ""
    while index < len(found):
        keyword = unquoted(found[index + 1].text)
        if index + 2 >= len(found) or found[index + 2].kind == "pipe":
            _refuse(text, found[index + 1], "expected option value")
        following = _next_option(found, index + 2)
        if keyword == "default" and index + 3 != following:
            _refuse(text, found[index + 3], "default option accepts one value")
        end = len(text) if following == len(found) else found[following].offset
        value = unquoted(text[found[index + 2].offset : end])
        if keyword == "default":
            default = value
        elif value:
            query = value
        else:
            _refuse(text, found[index + 2], "option value must not be empty")
        index = following
    return default, query


def _next_option(found: Sequence[Token], start: int) -> int:
    for index in range(start, len(found) - 1):
        if found[index].kind == "pipe" and unquoted(found[index + 1].text) in {"default", "query"}:
            return index
    return len(found)


def _rest(text: str, token: Token) -> str:
    return unquoted(text[token.offset :])


def unquoted(text: str) -> str:
    """Return a token without the quotes around it."""
    text = text.strip()
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "\"'":
        return text
    return text[1:-1].replace(text[0] * 2, text[0])


def _refuse(text: str, token: Token | None, message: str) -> NoReturn:
    offset = token.offset if token else 0
    line = text.count("\n", 0, offset) + 1
    column = offset - text.rfind("\n", 0, offset)
    raise EstateError(f"invalid function arguments at {line}:{column}: {message}", code="FUNCTION")


def _expected() -> NoReturn:
    raise EstateError("invalid function arguments at 1:1: expected arguments", code="FUNCTION")


def _looks_like_csv(found: Sequence[Token]) -> bool:
    """Tell whether the arguments are written as CSV with blanks, the older form, in which `""` is a quote within quotes."""
    last = found[-1]
    return len(found) in {2, 3} and last.kind == "quoted" and last.text[0] == '"' and '""' in last.text


def _as_csv(text: str) -> tuple[str, ...]:
    """Read one line of CSV whose delimiter is a blank, as leniently as Go's reader does when told to."""
    line = next((line for line in text.split("\n") if line), "").removesuffix("\r")
    fields: list[str] = []
    while True:
        line = line.lstrip()
        if line[:1] != '"':
            field, blank, line = line.partition(" ")
            fields.append(field)
            if not blank:
                break
            continue
        field, line = _quoted_field(line[1:])
        fields.append(field)
        if not line:
            break
        line = line[1:]
    return tuple(field.strip() for field in fields)


def _quoted_field(line: str) -> tuple[str, str]:
    field = ""
    while True:
        before, quote, line = line.partition('"')
        field += before
        if not quote or not line or line[0] == " ":
            return field, line
        field += '"'
        if line[0] == '"':
            line = line[1:]
