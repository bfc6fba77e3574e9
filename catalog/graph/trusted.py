"""Documents that whoever runs the catalog put there: clients name them by id, and with `only` nothing else is answered.

A directory holds them as files: each `*.graphql` is one document, its id the SHA-256 of its text; each `*.json` maps ids to documents, as
code generators write them. They are judged and validated when they are read, so that none that wouldn't be answered is trusted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from graphql import GraphQLSchema

from catalog.errors import WrongUse
from catalog.graph import plans
from catalog.graph.faults import Rejected

_PREFIX = "sha256:"


class Documents:
    """Trusted documents, by id and by their text. `only`: nobody but admins has others answered."""

    def __init__(self, texts: Iterable[str] = (), *, only: bool = False, named: Iterable[tuple[str, str]] = ()) -> None:
        self.only = only
        self._by_id = {identity(text): text for text in texts} | dict(named)
        self._texts = frozenset(self._by_id.values())

    def find(self, asked: str) -> str | None:
        """Return the document of an id, with or without the name of its hash; None when none has it."""
        return self._by_id.get(asked.removeprefix(_PREFIX))

    def holds(self, text: str) -> bool:
        """Whether a document is one of them, word for word."""
        return text in self._texts

    def __len__(self) -> int:
        return len(self._by_id)


def identity(text: str) -> str:
    """Return the id of a document: the SHA-256 of its text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def read(directory: Path, schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Read the documents of a directory and of those below it, with their ids; raises WrongUse naming the file that doesn't hold."""
    if not directory.is_dir():
        raise WrongUse(f"CATALOG_TRUSTED_DOCUMENTS is {directory}", hint="a directory that can be read")
    for file in sorted(directory.rglob("*")):
        for name, text in _documents(file):
            try:
                plans.prepare(schema, text)
            except Rejected as rejected:
                raise WrongUse(f"{file}: the document {name} would be refused: {rejected}") from rejected
            yield name, text


def _documents(file: Path) -> Iterator[tuple[str, str]]:
    try:
        if file.suffix == ".graphql":
            text = file.read_text(encoding="utf-8")
            yield identity(text), text
        elif file.suffix == ".json":
            yield from _named(file, json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        raise WrongUse(f"{file} can't be read: {error}") from error


def _named(file: Path, given: object) -> Iterator[tuple[str, str]]:
    if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
        raise WrongUse(f"{file} doesn't map ids to documents", hint="as GraphQL code generators write persisted documents")
    for name, text in given.items():
        yield str(name).removeprefix(_PREFIX), text
