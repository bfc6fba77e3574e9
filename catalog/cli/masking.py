"""What a command prints, with secrets masked as Atmos masks them: known forms of tokens, and values that are known to be secret."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from catalog.stacks.lookup import MASK

# Variables whose values are secrets wherever they appear; of the first, only the value as it is.
_IDENTIFIERS = ("AWS_ACCESS_KEY_ID",)
_SECRETS = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GITLAB_TOKEN",
    "CI_JOB_TOKEN",
    "DATADOG_API_KEY",
    "DD_API_KEY",
    "ANTHROPIC_API_KEY",
)
# The forms of tokens of GitHub, GitLab, OpenAI and AWS, and bearer tokens.
_FORMS = re.compile(
    r"gh[po]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}|glpat-[A-Za-z0-9\-_]{20}|sk-[A-Za-z0-9]{48}"
    r"|Bearer [A-Za-z0-9\-._~+/]+=*|AKIA[0-9A-Z]{16}"
)


class Mask:
    """Replaces secrets in a text. It learns values while a command runs."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._values: set[str] = {environment[name] for name in _IDENTIFIERS if environment.get(name)}
        self._longest_first: list[str] | None = None
        for name in _SECRETS:
            self.learn(environment.get(name))

    def learn(self, value: Any) -> None:
        """Take a secret value: a text with its usual encodings, or everything in a map or list."""
        if isinstance(value, (dict, list)):
            for item in value.values() if isinstance(value, dict) else value:
                self.learn(item)
            return
        text = _shown(value)
        if text:
            self._values.update(_encodings(text))
            self._longest_first = None

    def __call__(self, text: str) -> str:
        """Return the text with every secret masked."""
        if self._longest_first is None:
            self._longest_first = sorted(self._values, key=lambda value: (-len(value.encode()), value))
        for value in self._longest_first:
            text = text.replace(value, MASK)
        return _FORMS.sub(MASK, text)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _encodings(text: str) -> set[str]:
    content = text.encode("utf-8", "surrogatepass")
    standard, url = base64.b64encode(content).decode(), base64.urlsafe_b64encode(content).decode()
    escaped = json.dumps(text, ensure_ascii=False)[1:-1]
    return {text, standard, standard.rstrip("="), url, url.rstrip("="), quote_plus(text), escaped}
