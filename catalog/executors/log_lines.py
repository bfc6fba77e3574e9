"""From terraform's output to log lines for people: the messages of its JSON, a line each, with secrets masked."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

MASK = "********"
_SHORTEST = 4  # characters; masking shorter secrets would blot out the log and tell where they are
_LONGEST_LINE = 8_000  # characters
# Messages that only repeat what the next ones say.
_SILENT = frozenset({"version"})


class Mask:
    """Replaces known secrets wherever they stand in a line; learns more of them as they become known."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: list[str] = []
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Add secrets: whole, line by line, and as JSON would write them."""
        forms = {form for secret in secrets for part in (secret, *secret.splitlines()) for form in (part, json.dumps(part)[1:-1])}
        longest_first = sorted(
            {*self._secrets, *(form for form in forms if len(form) >= _SHORTEST)}, key=lambda form: (-len(form), form)
        )
        self._secrets = longest_first

    def __call__(self, text: str) -> str:
        """Return the text with every known secret replaced by stars, and not too long."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}…"


def read(line: str) -> tuple[bool, list[str]]:
    """Return whether a line of terraform's output tells of an error, and what it says; lines that aren't JSON say themselves."""
    message = _message(line)
    if message is None:
        return False, [line] if line.strip() else []
    if message.get("type") in _SILENT:
        return False, []
    said = [str(message.get("@message", ""))]
    diagnostic = message.get("diagnostic")
    if isinstance(diagnostic, dict):
        said += [text for text in str(diagnostic.get("detail") or "").splitlines() if text.strip()]
        place = diagnostic.get("range")
        if isinstance(place, dict):
            said.append(f"at {place.get('filename')}:{place.get('start', {}).get('line')}")
    return message.get("@level") == "error", said


def error_of(line: str) -> str | None:
    """Return the summary and detail of an error diagnostic, or None for any other line."""
    diagnostic = (_message(line) or {}).get("diagnostic")
    if not isinstance(diagnostic, dict) or diagnostic.get("severity") != "error":
        return None
    detail = " ".join(str(diagnostic.get("detail") or "").split())
    return f"{diagnostic.get('summary')}: {detail}" if detail else str(diagnostic.get("summary"))


def _message(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) and "@message" in message else None
