"""The manifest schema: what Atmos refuses of a manifest, in its words and at its places.

The schema is our own (`manifest-schema.yaml`) unless `schemas.atmos.manifest` of atmos.yaml names another. A manifest is checked as it
is read: with its locals and its import's context in place, functions as their texts, `!append` as the map that wraps its list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from typing import Any
from urllib.parse import quote, urlsplit

from catalog.errors import EstateError, NotGiven
from catalog.stacks import documents, json_schema
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.files import Files, join
from catalog.stacks.json_schema import Check, Failure, Step
from catalog.stacks.lookup import NOTHING, Lookup
from catalog.stacks.manifests import Manifest, content_key
from catalog.stacks.spans import Span, read_spans

Path = tuple[Step, ...]

_NO_CONTENT = content_key(b"")

# Where the schema that ours says again is published; naming it is the same as naming none.
_PUBLISHED = ("https://atmos.tools/schemas/", "https://json.schemastore.org/atmos-manifest")


@dataclass(frozen=True, slots=True)
class Violation:
    """What a manifest breaks, and the path of the value that breaks it.

    Of keys that aren't allowed, `keys` names them and `known` those that would be.
    """

    path: Path
    message: str
    keys: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A schema ready to check with; without a check, `unchecked` says why nothing is checked."""

    check: Check | None = field(repr=False)
    unchecked: str = ""

    def violations(self, value: Any) -> tuple[Violation, ...]:
        """Return what a manifest's content breaks, as Atmos tells it: once each, without what only follows from another."""
        try:
            failure = self.check(value) if self.check is not None else None
        except RecursionError as error:
            raise EstateError("the manifest schema can't be used: it refers to itself without end", code="SCHEMA") from error
        return () if failure is None else tuple(dict.fromkeys(_told(failure)))


class Judge:
    """Checks manifests, each once; takes over what an older judge with the same schema found."""

    def __init__(self, schema: Schema, older: Judge | None = None) -> None:
        self.schema = schema
        self._older = older.known if older is not None and older.schema is schema else {}
        self.known: dict[int, tuple[Manifest, tuple[Violation, ...]]] = {}

    def violations(self, manifest: Manifest) -> tuple[Violation, ...]:
        """Return what a manifest breaks."""
        # The manifest is kept beside what was found, so that its identity stays its own.
        known = self.known.get(id(manifest)) or self._older.get(id(manifest))
        if known is None:
            known = (manifest, self.schema.violations(_content_of(manifest)))
        self.known[id(manifest)] = known
        return known[1]

    def done(self) -> None:
        """Forget what no manifest of this reading asked for."""
        self._older = {}


def _content_of(manifest: Manifest) -> Any:
    """What Atmos checks: the content, in which a date is still a text, and null for a file that holds nothing but comments."""
    document = manifest.document
    if document.value is None and not manifest.value and manifest.content_hash != _NO_CONTENT:
        return None
    return document.value if document.has_timestamps and not manifest.context else manifest.value


def of(config: AtmosConfig, files: Files, *, strict: bool, lookup: Lookup = NOTHING) -> Schema:
    """Return the schema that the configuration asks for; raises EstateError in Atmos' words where there is none to be had.

    Lenient reading fetches nothing, and takes no chances with the patterns of a schema that strangers wrote.
    """
    written = config.get("schemas", "atmos", "manifest", otherwise="")
    if not isinstance(written, str) or not written:
        return built_in()
    location = config.location("schemas", "atmos", "manifest")
    content = _file(written, config, files, strict=strict, lookup=lookup)
    if content is None and urlsplit(written).scheme in ("http", "https"):
        if not strict:
            is_ours = written.startswith(_PUBLISHED)
            return (
                built_in() if is_ours else Schema(None, f"the manifest schema '{written}' is not fetched; nothing is checked by it")
            )
        content = _fetched(written, lookup)
    if content is None:
        raise EstateError(
            f"Schema file '{written}' not found. Configure via:\n"
            "1. 'schemas.atmos.manifest' in atmos.yaml\n"
            "2. ATMOS_SCHEMAS_ATMOS_MANIFEST env var\n"
            "3. --schemas-atmos-manifest flag\n\n"
            "Accepts: absolute path, path relative to base_path, or URL",
            code="SCHEMA",
            hint="Create the file, or take the key out: then Atmos checks by its own schema.",
            location=location,
        )
    try:
        return _compiled(content, careful=not strict)
    except EstateError as error:
        words = f"Atmos manifest JSON Schema validation error: the schema '{written}' can't be used:\n{error.message}"
        raise EstateError(words, code="SCHEMA", location=location) from error


@cache
def built_in() -> Schema:
    """The schema of our own writing; compiled once a process."""
    return Schema(json_schema.compiled(document()))


def document() -> dict[str, Any]:
    """The schema of our own writing as it is written: JSON Schema, draft 2020-12."""
    content = resources.files("catalog.stacks").joinpath("manifest-schema.yaml").read_bytes()
    found: dict[str, Any] = documents.load(content, "manifest-schema.yaml").value
    return found


@lru_cache(maxsize=8)
def _compiled(content: bytes, *, careful: bool) -> Schema:
    try:
        return Schema(json_schema.foreign(json.loads(content), careful=careful))
    except (ValueError, RecursionError) as error:
        raise EstateError(f"jsonschema: invalid json: {error}", code="SCHEMA") from error


def _file(written: str, config: AtmosConfig, files: Files, *, strict: bool, lookup: Lookup) -> bytes | None:
    """What a schema's file holds: named from the working directory, else from the estate's; None where there is none."""
    root = str(getattr(files.tree, "root", ""))
    own = written[len(root) + 1 :] if root and written.startswith(root + "/") else written
    named = (own if written.startswith("/") else join(config.working, written), join(config.base_path, written.lstrip("/")))
    path = next((place for place in named if files.has(place)), None)
    if path is not None:
        return files.tree.read(path)
    try:
        outside = (lookup.file(place) for place in named if strict and place.startswith(("/", "../")))
        return next((content for content in outside if content is not None), None)
    except NotGiven:
        return None


def _fetched(address: str, lookup: Lookup) -> bytes:
    name = urlsplit(address).path.rpartition("/")[2]
    try:
        return lookup.fetch(address)
    except EstateError as error:
        words = f"failed to download the Atmos JSON Schema file '{name}' from the URL '{address}': {error.message}"
        raise EstateError(words, code="SCHEMA", hint="Keep the schema in the estate, and name its path.") from error


@dataclass(slots=True)
class _Finding:
    """A failure that may be told; of a wrong type `types` holds all that would have been right."""

    failure: Failure
    got: str = ""
    types: dict[str, None] = field(default_factory=dict)

    def explains(self, path: Path) -> bool:
        """Tell whether this says more of the value at a path than that its type is wrong."""
        own = self.failure.path
        return own[: len(path)] == path and (len(own) > len(path) or not self.types)


def _told(failure: Failure) -> Iterator[Violation]:
    """Leave out alternatives, say at once which types a value might have had, and drop what others explain."""
    found: list[_Finding] = []
    of_type: dict[tuple[Path, str], _Finding] = {}
    for number, each in enumerate(failure.flat()):
        if number == 0 or each.message.startswith("doesn't validate with") or each.message in ("oneOf failed", "anyOf failed"):
            continue
        expected, between, got = each.message.removeprefix("expected ").partition(", but got ")
        if not (each.message.startswith("expected ") and between):
            found.append(_Finding(each))
        elif (each.path, got) in of_type:
            of_type[each.path, got].types[expected] = None
        else:
            found.append(_Finding(each, got, {expected: None}))
            of_type[each.path, got] = found[-1]
    for finding in found:
        each = finding.failure
        if not finding.types:
            yield Violation(each.path, _REWORDED.get(each.message, each.message), each.keys, each.known)
        elif not any(other.explains(each.path) for other in found if other is not finding):
            yield Violation(each.path, f"expected {' or '.join(finding.types)}, but got {finding.got}")


_REWORDED = {"does not match pattern '^!include'": "file references must use the !include YAML tag"}


def bullets(relative: str, violations: Sequence[Violation], content: bytes) -> str:
    """Return a manifest's violations as Atmos lists them; `content` is the text whose lines it names."""
    text = content.decode("utf-8", "replace")
    root = read_spans(text)
    lines = []
    for violation in violations:
        line, column = _position(violation.path, root, text)
        lines.append(f"• {relative}:{line}:{column}: error: {shown(violation.path)}: {violation.message}")
    return "\n".join(lines)


def _position(path: Path, span: Span | None, text: str) -> tuple[int, int]:
    """Where the value at a path begins, counted from 1; zeros where Atmos looks for it in vain: keys that are escaped, or numbers."""
    for step in path:
        if span is None or (isinstance(step, str) and shown((step,)) != step):
            return 0, 0
        if isinstance(step, int):
            span = span.items[step] if step < len(span.items) else None
        else:
            span = next((entry.value for entry in span.entries if entry.key == step), None)
    if span is None or not path:
        return 0, 0
    return text.count("\n", 0, span.start) + 1, span.start - text.rfind("\n", 0, span.start)


def shown(path: Path) -> str:
    """Return a path as Atmos writes it: escaped as in an address, and whatever is a number in brackets."""
    text = ""
    for step in map(str, path):
        if _NUMBER.fullmatch(step):
            text += f"[{int(step)}]"
        elif step:
            text += ("." if text else "") + "/".join(quote(part, safe="~$&+:=@") for part in step.split("/"))
    return text or "(root)"


_NUMBER = re.compile(r"[-+]?[0-9]{1,18}")
