"""What a person should know of a file that reads well: misspelt keys, secrets in the open, functions that wait, dropped tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from catalog.config import DEFAULT_SECRET_KEYS
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.documents import Document, place
from catalog.stacks.findings import Findings, did_you_mean
from catalog.stacks.merging import Map
from catalog.stacks.naming import TOKENS
from catalog.values import Severity

ROOT_KEYS = (
    "import",
    "name",
    "vars",
    "env",
    "settings",
    "locals",
    "metadata",
    "hooks",
    "generate",
    "auth",
    "secrets",
    "dependencies",
    "overrides",
    "version",
    "terraform",
    "helmfile",
    "packer",
    "ansible",
    "kubernetes",
    "helm",
    "components",
    "compositions",
    "workflows",
)
_CONFIG_KEYS: dict[tuple[str, ...], tuple[str, ...]] = {
    (): ("base_path", "stacks", "components", "workflows", "templates", "settings", "schemas", "logs", "import", "integrations"),
    ("stacks",): ("base_path", "included_paths", "excluded_paths", "name_pattern", "name_template", "inherit"),
    ("templates", "settings"): ("enabled", "evaluations", "delimiters", "sprig", "gomplate", "env"),
}


# Functions that reading leaves as they are written, unless an entry itself holds the answer: they run, look outside or ask a backend.
_WAITING = re.compile(
    r"!(?:exec|env|store(?:\.get)?|terraform\.(?:output|state)|secret|emulator|repo-root|git\.\w+|aws\.\w+)(?![\w.-])"
)
_IDLE = re.compile(r"!(?:random|cwd|cel)(?![\w.-])")

_INDEXING = "Indexing runs no program, reads no environment and asks no backend; the commands do."

_SECRET_KEY = re.compile(DEFAULT_SECRET_KEYS, re.IGNORECASE)
# Text that names a secret instead of being one: functions, templates, paths, addresses, placeholders.
_REFERENCE = re.compile(r"[!/<$*%]|\w+://|arn:|projects/|.*(?:\{\{|\$\{|REDACTED)|\(sensitive", re.IGNORECASE | re.DOTALL)

# Keys of options are named so too, and their values are words: `http_tokens: required`.
_LOOSE_KEY = re.compile(r"(?:token|secret|credential)s?$", re.IGNORECASE)
_WORD = re.compile(r"[a-z]{1,12}")

Path = tuple[str | int, ...]


def of_manifest(document: Document, value: Map, findings: Findings) -> None:
    """Note what of a manifest Atmos silently ignores, and what is better known; keys below the root are the manifest schema's."""
    for key in value:
        _misspelt(key, ROOT_KEYS, document, (key,), findings)
    if not findings.strict:
        _of_texts(document, value, findings)


def _of_texts(document: Document, value: Map, findings: Findings) -> None:
    functions: dict[str, Path] = {}
    idle: dict[str, Path] = {}
    for path, key, text in _texts(value, ()):
        if text[:1] == "!" and document.first_function is not None:
            for names, form in ((functions, _WAITING), (idle, _IDLE)):
                found = form.match(text)
                if found:
                    names.setdefault(found.group(), path)
        elif text and _is_secret(key) and not _REFERENCE.match(text) and not (_WORD.fullmatch(text) and _is_loose(key)):
            findings.note(
                Severity.WARNING,
                "SECRET",
                f"`{_shown(path)}` is a secret by its name, and stands here in the open",
                hint="Name it with !secret or !store, or let the component read it; what was committed is known to all who can read.",
                location=document.location(path),
            )
    _tell(
        functions, "indexing asks nobody for {}; what needs an answer from outside stays as written", _INDEXING, document, findings
    )
    _tell(idle, "{} is text to Atmos: it evaluates it in atmos.yaml alone", None, document, findings)


def _texts(value: Any, path: Path, key: str = "") -> Iterator[tuple[Path, str, str]]:
    """Every text below a value with its path and the nearest key above it."""
    for step, item in value.items() if type(value) is dict else enumerate(value):
        name = step if type(step) is str else key
        if isinstance(item, str):
            yield (*path, step), name, item
        elif type(item) is dict or type(item) is list:
            yield from _texts(item, (*path, step), name)


@lru_cache(maxsize=16384)
def _is_secret(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None


@lru_cache(maxsize=16384)
def _is_loose(key: str) -> bool:
    return _LOOSE_KEY.search(key) is not None


def _shown(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _tell(names: dict[str, Path], words: str, hint: str | None, document: Document, findings: Findings) -> None:
    """Tell of functions once a file, at the first of them."""
    if names:
        shown = ", ".join(f"`{name}`" for name in sorted(names))
        first = min(names.values(), key=lambda path: place(document.places, path) or (0, 0))
        findings.note(Severity.INFO, "DEFERRED", words.format(shown), hint=hint, location=document.location(first))


def _misspelt(key: str, known: tuple[str, ...], document: Document, path: tuple[str, ...], findings: Findings) -> None:
    meant = did_you_mean(key, known)
    if meant:
        findings.note(
            Severity.WARNING,
            "UNKNOWN_KEY",
            f"`{key}` is no key that Atmos knows, and is ignored",
            hint=f"Is `{meant}` meant?",
            location=document.location(path),
        )


def of_config(config: AtmosConfig, findings: Findings) -> None:
    """Note misspelt keys of atmos.yaml, and what of its name pattern Atmos drops."""
    _of_name_pattern(config, findings)
    for document in config.sources:
        for path, known in _CONFIG_KEYS.items():
            value = document.value
            for step in path:
                value = value.get(step) if isinstance(value, dict) else None
            for key in value if isinstance(value, dict) else ():
                _misspelt(key, known, document, (*path, key), findings)


def _of_name_pattern(config: AtmosConfig, findings: Findings) -> None:
    if config.name_template or not config.name_pattern:
        return
    # Tokens that it doesn't know, and text between tokens.
    dropped = [part for part in config.name_pattern.split("-") if part[1:-1] not in TOKENS or part != f"{{{part[1:-1]}}}"]
    if dropped:
        findings.note(
            Severity.WARNING,
            "NAME_PATTERN",
            f"Atmos drops {', '.join(f'`{part}`' for part in dropped)} of the name pattern '{config.name_pattern}'",
            hint=f"It knows {', '.join(f'{{{token}}}' for token in TOKENS)}, joined by `-`; a name_template can hold anything.",
            location=config.location("stacks", "name_pattern"),
        )
