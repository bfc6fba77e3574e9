"""The purity of `metadata.tags` and `metadata.labels`: they select components before anything is evaluated, so nothing in them may run.

Functions that execute, authenticate or look elsewhere are refused, and so are templates that call such functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from catalog.errors import EstateError
from catalog.stacks.merging import Map

_FUNCTIONS = frozenset(
    {
        "!exec",
        "!secret",
        "!store",
        "!store.get",
        "!terraform.output",
        "!terraform.state",
        "!aws.account_id",
        "!aws.caller_identity_arn",
        "!aws.caller_identity_user_id",
        "!aws.region",
        "!aws.organization_id",
        "!emulator",
        "!random",
    }
)
# What templates may not call: datasources, accounts, the network, chance and the clock.
_CALLS = frozenset(
    {
        *("ds", "datasource", "include", "datasourceExists", "datasourceReachable", "defineDatasource"),
        *("aws", "gcp", "net", "random"),
        *("getHostByName", "uuidv4", "randAlpha", "randAlphaNum", "randNumeric", "randAscii", "randBytes", "now"),
    }
)
_METHODS = frozenset({"Component", "Store", "GomplateDatasource", "Resolve"})
# Texts and comments, which call nothing; then fields with what stands before them; then plain names.
_WORDS = re.compile(
    r"""(?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)*'|/\*.*?\*/)"""
    r"""|(?P<fields>(?:\$?\w+)?(?:\.\w+)+)|(?P<variable>\$\w*)|(?P<name>[A-Za-z_]\w*)""",
    re.DOTALL,
)


def check(metadata: Map, component: str, manifest: str, delimiters: tuple[str, str] = ("{{", "}}")) -> None:
    """Raise EstateError in Atmos' words when a component's tags or labels hold what may not be in them."""
    for field in ("tags", "labels"):
        for text in _texts(metadata.get(field)):
            found = _forbidden(text, delimiters)
            if found:
                raise _error(f"metadata.{field}", found, component, manifest)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key in sorted(value, key=str.encode):
            yield key
            yield from _texts(value[key])


def _forbidden(text: str, delimiters: tuple[str, str]) -> str:
    first = text.split(maxsplit=1)[:1]
    if first and first[0] in _FUNCTIONS:
        return first[0]
    left, right = delimiters
    if left not in text:
        return ""
    actions = re.findall(f"{re.escape(left)}(.*?){re.escape(right)}", text, re.DOTALL)
    return next((call for action in actions if (call := _call(action))), "")


def _call(action: str) -> str:
    for word in _WORDS.finditer(action):
        if word["fields"]:
            base, *fields = word["fields"].split(".")
            method = next((field for field in fields if field in _METHODS), "")
            if method:
                return f"atmos.{method}"
            if base in _CALLS:
                return base
        if word["name"] in _CALLS:
            return str(word["name"])
    return ""


def _error(field: str, found: str, component: str, manifest: str) -> EstateError:
    return EstateError(
        f'component "{component}" in stack manifest "{manifest}": forbidden function in labels/tags selector: '
        f'"{found}" is not allowed in {field}',
        code="SELECTOR",
        hint=f'Tags and labels choose components before evaluation: put "{found}" into vars or settings.',
        path=("metadata", field.removeprefix("metadata.")),
    )
