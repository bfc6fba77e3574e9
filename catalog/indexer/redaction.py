"""Takes secrets out of resolved sections, and whatever Postgres or JSON can't hold, before anything is stored.

What is redacted: variables that Terraform marks sensitive, values of `!secret` and `!store`, and everything under a key that
matches the configured pattern. In its place stands {"$redacted": "<keyed hash>"}: equal secrets stay equal, and without the
key nobody can guess one by hashing candidates. NUL, lone surrogates and infinities are replaced by text and reported.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import math
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
_SECRET_FUNCTIONS = ("!secret", "!store")
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


class Redactor:
    """Redacts and cleans values; never changes what it is given, and shares what needs no change.

    Remembers shared parts by identity, so one must not outlive the estate that it reads.
    """

    def __init__(self, key: bytes, pattern: str) -> None:
        self._key = key
        self._pattern = re.compile(pattern, re.IGNORECASE)
        self._harmless: set[str] = set()
        self._secret: set[str] = set()
        self._seen: dict[int, tuple[Any, Any]] = {}
        self.replaced = 0

    def sections(self, sections: Mapping[str, Any], sensitive: Collection[str] = ()) -> dict[str, Any]:
        """Redact an instance's sections, whose names are no keys of secrets; `sensitive` names variables that its code marks so."""
        result = {name: self.value(value) for name, value in sections.items()}
        variables = sections.get("vars")
        hidden = [name for name in sensitive if isinstance(variables, Mapping) and variables.get(name) is not None]
        if hidden and isinstance(variables, Mapping):
            result["vars"] = {**result["vars"], **{name: self.mark(variables[name]) for name in hidden}}
        return result

    def value(self, value: Any) -> Any:
        """Redact and clean one value, whatever it is."""
        kind = type(value)
        if kind is str:
            return self._text(value)
        if kind is dict or kind is list:
            return self._shared(value)
        if kind is float:
            return value if math.isfinite(value) else self._replace(str(value))
        if value is None or kind is bool or kind is int:
            return value
        if isinstance(value, Mapping):
            return self._map(dict(value))
        if isinstance(value, (list, tuple)):
            return self._list(list(value))
        # A date that a merge didn't lose, and whatever else has no JSON: as it is written.
        return self._text(str(value)) if isinstance(value, Timestamp) else self._replace(str(value))

    def mark(self, value: Any) -> dict[str, str]:
        """What stands for a secret: the keyed hash of its canonical JSON."""
        text = canonical_json(self._plain(value)).encode("utf-8", "surrogatepass")
        return {MARK: hmac.new(self._key, text, hashlib.sha256).hexdigest()[:32]}

    def is_secret(self, key: str) -> bool:
        """Whether what stands under this key is a secret by its name."""
        if key in self._harmless:
            return False
        if key in self._secret:
            return True
        found = self._pattern.search(key) is not None
        if found:
            self._secret.add(key)
        elif _UNSTORABLE.search(key) is None:
            self._harmless.add(key)
        return found

    def _shared(self, value: Any) -> Any:
        known = self._seen.get(id(value))
        if known is not None:
            return known[1]
        result = self._map(value) if isinstance(value, dict) else self._list(value)
        # The value itself is kept too: an identity means something only as long as its object lives.
        self._seen[id(value)] = value, result
        return result

    def _map(self, value: dict[str, Any]) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        risky = not self._harmless.issuperset(value)
        for key, item in value.items():
            kind = type(item)
            # Most values are short texts, numbers and flags that need nothing: decided here, without a call.
            if risky and self.is_secret(key) and _can_be_secret(item):
                changed[key] = self.mark(item)
            elif (
                kind is str
                or kind is dict
                or kind is list
                or kind is float
                or (kind is not bool and kind is not int and item is not None)
            ):
                new = self.value(item)
                if new is not item:
                    changed[key] = new
        if not changed and not (risky and any(_UNSTORABLE.search(key) for key in value)):
            return value
        return {self._text(key): changed.get(key, item) for key, item in value.items()}

    def _list(self, value: list[Any]) -> list[Any]:
        result = [self.value(item) for item in value]
        return value if all(map(_same, result, value)) else result

    def _text(self, text: str) -> Any:
        if text.startswith(_SECRET_FUNCTIONS):
            return self.mark(text)
        return text if _UNSTORABLE.search(text) is None else self._replace(safe(text))

    def _replace(self, text: str) -> str:
        self.replaced += 1
        return text

    def _plain(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(key): self._plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._plain(item) for item in value]
        return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)


def json_text(value: Any) -> str:
    """The canonical JSON text of a cleaned value, keys sorted, ready for a jsonb column."""
    return _ENCODER.encode(value)


def safe(text: str) -> str:
    """A name or path as Postgres can hold it: NUL and lone surrogates (of file names that aren't UTF-8) replaced."""
    return text if _UNSTORABLE.search(text) is None else _UNSTORABLE.sub("\ufffd", text)


def _can_be_secret(value: Any) -> bool:
    """Nothing, true, false and the empty text hide nothing, and showing them keeps switches readable."""
    return value is not None and value is not True and value is not False and value not in ("", {}, [])


def _same(one: Any, other: Any) -> bool:
    return one is other
