"""YAML functions in atmos.yaml: only scalars with a tag are functions there, and `!cwd` and `!random` are evaluated too.

Strict reading evaluates them as Atmos does, with what the caller hands in. Lenient reading asks nobody: the key counts as absent.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import functions, includes
from catalog.stacks.documents import Document, Include, Tagged
from catalog.stacks.files import Files, join
from catalog.stacks.findings import Findings
from catalog.stacks.lookup import Lookup
from catalog.values import Severity

REMOVED = functions.REMOVED  # what `!unset` gives: nothing stands at the key, whatever lies below

_GIT = ("root", "sha", "branch", "ref", "repository", "owner", "name", "host", "url")
_KNOWN = (
    "!env",
    "!exec",
    "!include",
    "!include.raw",
    "!repo-root",
    *(f"!git.{fact}" for fact in _GIT),
    "!cwd",
    "!random",
    "!unset",
)
Path = tuple[str | int, ...]

_FAILED = "failed to preprocess YAML functions"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What functions of the configuration may ask: the files, the working directory in the tree, and whom the caller hands in."""

    files: Files
    working: str
    lookup: Lookup
    findings: Findings
    environment: Mapping[str, str]

    @property
    def root(self) -> str:
        """The tree's absolute path; empty for a tree that lies nowhere."""
        return str(getattr(self.files.tree, "root", ""))


def evaluated(document: Document, world: World) -> Any:
    """Return a document's value with its functions evaluated; raises EstateError in Atmos' words, in strict reading."""
    return _Walk(document, world).value(document.value, ())


def unevaluated(value: Any) -> Any:
    """Return a value with its functions as the plain text that stands after their tags."""
    if isinstance(value, Tagged):
        return value.partition(" ")[2] or None  # a tag alone stands at nothing
    if isinstance(value, dict):
        return {key: unevaluated(item) for key, item in value.items()}
    return [unevaluated(item) for item in value] if isinstance(value, list) else value


class _Walk:
    """One document's functions.

    Lists are Atmos' own: their evaluated items are found a second time beside the list, at keys such as `list[0]`, and of a map in a list
    only that copy is evaluated.
    """

    def __init__(self, document: Document, world: World) -> None:
        self.document = document
        self.world = world

    def value(self, value: Any, path: Path) -> Any:
        if isinstance(value, Tagged):
            return _value(value, self.document, path, self.world)
        return self._map(value, path) if isinstance(value, dict) else unevaluated(value)

    def _map(self, value: dict[str, Any], path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, item in value.items():
            if isinstance(item, list) and any(_calls(each) for each in item if not isinstance(each, list)):
                result[key] = items = []
                for number, each in enumerate(item):
                    written, copy = self._item(each, (*path, key, number))
                    items.append(written)
                    result |= {f"{key}[{number}]": copy} if copy is not REMOVED else {}
            else:
                result[key] = self.value(item, (*path, key))
        return result

    def _item(self, item: Any, path: Path) -> tuple[Any, Any]:
        """An item of a list, and its copy beside the list."""
        if not isinstance(item, dict):
            found = self.value(item, path)
            return found, found
        below = {key: self.value(each, (*path, key)) for key, each in item.items() if _calls(each)}
        return {**unevaluated(item), **{key: below[key] for key, each in item.items() if _includes(each)}}, below or REMOVED


def _calls(value: Any) -> bool:
    """Tell whether a value is or holds a function."""
    if isinstance(value, dict):
        return any(map(_calls, value.values()))
    return any(map(_calls, value)) if isinstance(value, list) else isinstance(value, Tagged)


def _includes(value: Any) -> bool:
    return isinstance(value, Tagged) and value.startswith("!include")


def _value(text: str, document: Document, path: Path, world: World) -> Any:
    name, _, arguments = text.partition(" ")
    location = document.location(path)
    if name not in _KNOWN:
        shown = ".".join(step for step in path if isinstance(step, str))
        words = f"unsupported YAML tag: '{name}' at path '{shown}'. Supported tags for atmos.yaml are: {', '.join(_KNOWN)}"
        world.findings.lose(EstateError(f"{_FAILED}\n{words}", code="CONFIG", location=location))
        return None
    if name == "!unset":
        return REMOVED
    if not world.findings.strict:
        words = f"`{text}` is not evaluated here; the key counts as absent"
        world.findings.note(Severity.INFO, "DEFERRED", words, location=location)
        return None
    try:
        return _called(name, arguments, text, world)
    except EstateError as error:
        words = f"{_FAILED}\nfailed to execute yaml function: {text} error {error.message}"
        raise EstateError(words, code="CONFIG", location=location) from error


def _called(name: str, arguments: str, text: str, world: World) -> Any:
    if name == "!cwd":
        return "/" + join(world.root.lstrip("/"), world.working, arguments.strip())
    if name == "!random":
        return _number(arguments.split())
    if name in ("!include", "!include.raw"):
        return _included(text, world)
    here = functions.Here(component="", stack="", lookup=world.lookup, environment=world.environment or None)
    found = functions.value(text, here)
    return found.strip() if isinstance(found, str) else found


def _number(bounds: list[str]) -> int:
    try:
        least, most = [0, 65535] if not bounds else [0, int(bounds[0])] if len(bounds) == 1 else [int(bounds[0]), int(bounds[1])]
    except ValueError as error:
        raise EstateError(f"invalid Atmos YAML function: {error}") from error
    if least >= most:
        raise EstateError(f"invalid Atmos YAML function: min value ({least}) must be less than max value ({most})")
    return random.randint(least, most)  # noqa: S311 - a number for configuration, as Atmos makes it


def _included(text: str, world: World) -> Any:
    document = Document(file="", value={"it": Include(text)}, places={"it": (1, 1, None)}, has_includes=True)
    reader = includes.Reader(tree=world.files.tree, base=world.working, working=world.working, root=world.root, lookup=world.lookup)
    found, _ = includes.resolved(document, join(world.working, "it"), reader)
    return found.value["it"]
