"""Takes secrets out of resolved sections, and whatever Postgres or JSON can't hold, before anything is stored.

What is redacted: variables that Terraform marks sensitive, values of `!secret` and `!store`, and everything under a key that
matches the configured pattern. In its place stands {"$redacted": "<keyed hash>"}: equal secrets stay equal, and without the
key nobody can guess one by hashing candidates. NUL, lone surrogates and infinities are replaced by text and counted.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import math
import operator
import os
import re
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from catalog.stacks.scalars import Timestamp
from catalog.values import canonical_json

MARK = "$redacted"
_KEY_BYTES = 32
SECRET_FUNCTIONS = ("!secret", "!store")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def read_key(path: Path) -> bytes:
    """Return the secret that hashes are keyed with, made on first need, readable by its owner alone."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
    # A link fails when another process was first: then its key is the one.
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    return path.read_bytes()


def mark_of(key: bytes) -> str:
    """A hash that tells one key from another and nothing about it."""
    return hmac.new(key, b"redaction key", hashlib.sha256).hexdigest()


class Redactor:
    """Redacts values; never changes what it is given, and shares what needs no change.

    Remembers shared parts by identity, so one must not outlive the estate that it reads.
    """

    def __init__(self, key: bytes, pattern: str) -> None:
        self._key = key
        self._pattern = re.compile(pattern, re.IGNORECASE)
        self._harmless: set[str] = set()
        self._secret: set[str] = set()
        self._seen: dict[int, tuple[Any, Any]] = {}

    def sections(self, sections: Mapping[str, Any], sensitive: Collection[str] = ()) -> dict[str, Any]:
        """Redact an instance's sections, whose names are no keys of secrets; `sensitive` names variables that its code marks so."""
        result = {name: self.value(value) for name, value in sections.items()}
        variables = sections.get("vars")
        hidden = [name for name in sensitive if isinstance(variables, Mapping) and variables.get(name) is not None]
        if hidden and isinstance(variables, Mapping):
            result["vars"] = {**result["vars"], **{name: self.mark(variables[name]) for name in hidden}}
        return result

    def value(self, value: Any) -> Any:
        """Redact one value, whatever it is."""
        kind = type(value)
        if kind is str:
            return self.mark(value) if value.startswith(SECRET_FUNCTIONS) else value
        if kind is dict or kind is list:
            known = self._seen.get(id(value))
            if known is None:
                # The value itself is kept too: an identity means something only as long as its object lives.
                known = self._seen[id(value)] = value, self._map(value) if kind is dict else self._list(value)
            return known[1]
        if isinstance(value, Mapping):
            return self._map(dict(value))
        return self._list(list(value)) if isinstance(value, (list, tuple)) else value

    def mark(self, value: Any) -> dict[str, str]:
        """What stands for a secret: the keyed hash of its canonical JSON."""
        text = canonical_json(_printable(value)).encode("utf-8", "surrogatepass")
        return {MARK: hmac.new(self._key, text, hashlib.sha256).hexdigest()[:32]}

    def is_secret(self, key: str) -> bool:
        """Whether what stands under this key is a secret by its name."""
        if key in self._harmless:
            return False
        if key in self._secret:
            return True
        found = self._pattern.search(key) is not None
        (self._secret if found else self._harmless).add(key)
        return found

    def _map(self, value: dict[str, Any]) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        risky = not self._harmless.issuperset(value)
        for key, item in value.items():
            kind = type(item)
            # Most values are texts, numbers and flags that need nothing: decided here, without a call.
            if risky and self.is_secret(key) and can_be_secret(item):
                changed[key] = self.mark(item)
            elif kind is str:
                if item.startswith(SECRET_FUNCTIONS):
                    changed[key] = self.mark(item)
            elif kind is dict or kind is list:
                new = self.value(item)
                if new is not item:
                    changed[key] = new
        return {**value, **changed} if changed else value

    def _list(self, value: list[Any]) -> list[Any]:
        result = [self.value(item) for item in value]
        return value if all(map(operator.is_, result, value)) else result


def storable(value: Any) -> tuple[Any, int]:
    """A value as JSON and Postgres can hold it, and how many of its parts had to be replaced."""
    count = 0

    def cleaned(item: Any) -> Any:
        nonlocal count
        if isinstance(item, Mapping):
            return {cleaned(str(key)): cleaned(inner) for key, inner in item.items()}
        if isinstance(item, (list, tuple)):
            return [cleaned(inner) for inner in item]
        if item is None or isinstance(item, (bool, int)) or (isinstance(item, float) and math.isfinite(item)):
            return item
        text = str(item)
        kept = safe(text)
        # A date that a merge didn't lose is text; everything else that JSON doesn't know is a loss.
        count += kept != text or not isinstance(item, (str, Timestamp))
        return kept

    return cleaned(value), count


def _printable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _printable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(item) for item in value]
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)


def json_text(value: Any) -> str:
    """The canonical JSON text of a cleaned value, keys sorted, ready for a jsonb column."""
    return _ENCODER.encode(value)


def safe(text: str) -> str:
    """A name or path as Postgres can hold it: NUL and lone surrogates (of file names that aren't UTF-8) replaced."""
    return text if _UNSTORABLE.search(text) is None else _UNSTORABLE.sub("\ufffd", text)


def can_be_secret(value: Any) -> bool:
    """Whether a value can be a secret: nothing, flags and the empty text hide nothing, and showing them keeps switches readable."""
    return value is not None and value is not True and value is not False and value not in ("", {}, [])
