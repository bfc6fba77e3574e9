"""Commits as values: who, when, what message, which trailers; and how message and trailers become one text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from catalog.errors import Invalid

Trailers = Mapping[str, str] | Iterable[tuple[str, str]]

_TRAILER_KEY = re.compile(r"[A-Za-z0-9-]+")
# Git's own rules for names and addresses: no line breaks, no angle brackets.
_FORBIDDEN = re.compile(r"[\x00-\x1f<>]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who wrote a commit."""

    name: str
    email: str

    def environment(self, role: str) -> dict[str, str]:
        """The variables that tell git who is `role`, AUTHOR or COMMITTER."""
        name = _FORBIDDEN.sub(" ", self.name).strip() or "unknown"
        return {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": _FORBIDDEN.sub("", self.email)}

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


# Who commits: the catalog itself, on behalf of the author.
CATALOG = Signature(name="atmos-catalog", email="atmos-catalog@localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit: `number` counts first parents from the root, so it is a position on its branch; `trailers` keep their order."""

    revision: str
    author: str
    committed_at: datetime
    number: int
    message: str
    trailers: tuple[tuple[str, str], ...]


def compose(message: str, trailers: Trailers = ()) -> str:
    """Join a message and its trailers; raises Invalid for a trailer key that git would not read back.

    Line breaks in a value become spaces, so that a value can't write a trailer of its own.
    """
    pairs = list(trailers.items() if isinstance(trailers, Mapping) else trailers)
    for key, _ in pairs:
        check_key(key)
    block = "\n".join(f"{key}: {' '.join(value.split())}" for key, value in pairs)
    text = message.replace("\x00", "").strip()
    return f"{text}\n\n{block}\n" if block else f"{text}\n"


def check_key(key: str) -> None:
    """Raise Invalid for a trailer key that git would not read back."""
    if not _TRAILER_KEY.fullmatch(key):
        raise Invalid(f"{key!r} is no trailer key", hint="letters, digits and hyphens")


def parse_trailers(text: str) -> tuple[tuple[str, str], ...]:
    """Read what git's `%(trailers:only,unfold)` prints."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return tuple((key.strip(), value.strip()) for key, value in pairs)
