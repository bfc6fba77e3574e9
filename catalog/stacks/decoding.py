"""What the values of atmos.yaml must be: text, lists of text, maps. Decoding coerces what Atmos coerces, and refuses the rest.

In lenient reading a value of a wrong type counts as absent, with a diagnostic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from catalog.errors import EstateError
from catalog.stacks.findings import Findings
from catalog.stacks.merging import EMPTY, REPLACE, STRATEGIES, Map, merge
from catalog.values import Severity, SourceLocation

COMPONENT_TYPES = ("terraform", "helmfile", "packer", "ansible", "kubernetes", "helm", "container", "emulator")

Keys = tuple[str, ...]
Locate = Callable[[Sequence[str]], SourceLocation | None]

# Numbers and booleans become text; a text becomes a list at its commas.
_TEXTS: tuple[Keys, ...] = (
    ("base_path",),
    ("stacks", "base_path"),
    ("stacks", "name_pattern"),
    ("stacks", "name_template"),
    ("settings", "list_merge_strategy"),
    ("workflows", "base_path"),
    ("logs", "level"),
    ("profiles", "default"),
    ("profiles", "base_path"),
    *(("components", name, key) for name in COMPONENT_TYPES for key in ("base_path", "command")),
    ("components", "terraform", "workspace", "prefix_separator"),
)
_LISTS: tuple[Keys, ...] = (("import",), ("stacks", "included_paths"), ("stacks", "excluded_paths"))
_MAPS: tuple[Keys, ...] = (
    ("stacks",),
    ("components",),
    *(("components", name) for name in COMPONENT_TYPES),
    ("settings",),
    ("workflows",),
    ("profiles",),
    ("templates",),
    ("env",),
    ("integrations",),
    ("integrations", "github"),
    ("auth",),
    ("auth", "providers"),
    ("auth", "identities"),
)
_LOG_LEVELS = ("Trace", "Debug", "Info", "Warning", "Error", "Off")


def get(values: Any, keys: Sequence[str], otherwise: Any) -> Any:
    """Return the value at the keys, else the default; null counts as absent."""
    for key in keys:
        values = values.get(key) if isinstance(values, dict) else None
    return otherwise if values is None else values


def nested(keys: Sequence[str], value: Any) -> Map:
    """Return a map that holds a value at the keys."""
    return {keys[0]: nested(keys[1:], value) if len(keys) > 1 else value}


def typed(keys: Keys, text: str) -> Any:
    """Return a text as its key wants it: split at commas for lists."""
    return [part.strip() for part in text.split(",")] if keys in _LISTS else text


def decoded(values: Map, findings: Findings, locate: Locate) -> Map:
    """Return the values as decoding gives them; in strict reading raises EstateError naming every value of a wrong type."""
    wrong: list[tuple[Keys, str]] = []
    for keys in _MAPS:
        value = get(values, keys, None)
        if value is not None and not isinstance(value, dict):
            wrong.append((keys, f"'{'.'.join(keys)}' expected a map, got '{_kind(value)}'"))
            values = merge(values, nested(keys, None))
    for keys in _TEXTS:
        value = get(values, keys, None)
        if isinstance(value, (dict, list)):
            wrong.append((keys, _unconvertible(keys, value)))
            values = merge(values, nested(keys, None))
        elif value is not None and not isinstance(value, str):
            values = merge(values, nested(keys, str(value)))
    for keys in _LISTS:
        values = _with_list(values, keys, wrong)
    _tell(wrong, findings, locate)
    return _checked(values, findings, locate)


def _with_list(values: Map, keys: Keys, wrong: list[tuple[Keys, str]]) -> Map:
    value = get(values, keys, None)
    if value is None:
        return values
    items = typed(keys, value) if isinstance(value, str) else value if isinstance(value, list) else [value]
    kept = [str(item) for item in items if item is not None and not isinstance(item, (dict, list))]
    wrong += [
        (keys, _unconvertible((*keys[:-1], f"{keys[-1]}[{number}]"), item))
        for number, item in enumerate(items)
        if isinstance(item, (dict, list)) and item
    ]
    return merge(values, nested(keys, kept))


def _tell(wrong: list[tuple[Keys, str]], findings: Findings, locate: Locate) -> None:
    if wrong and findings.strict:
        words = "decoding failed due to the following error(s):\n\n" + "\n".join(text for _, text in wrong)
        raise EstateError(words, code="CONFIG")
    for keys, text in wrong:
        hint = "The value is ignored; Atmos refuses the configuration."
        findings.note(Severity.WARNING, "CONFIG", text, hint=hint, location=locate(keys))


def _checked(values: Map, findings: Findings, locate: Locate) -> Map:
    level = get(values, ("logs", "level"), "") or "Info"
    if level not in _LOG_LEVELS:
        words = f"invalid log level the log level '{level}' is not recognized. Valid options are: [{' '.join(_LOG_LEVELS)}]"
        findings.lose(EstateError(words, code="CONFIG", location=locate(("logs", "level"))))
    keys = ("settings", "list_merge_strategy")
    strategy = get(values, keys, "") or REPLACE
    if strategy not in STRATEGIES and not findings.strict:
        words = f"invalid list merge strategy: '{strategy}'. Supported list merge strategies are: {', '.join(STRATEGIES)}"
        findings.lose(EstateError(words, code="CONFIG", hint="Lists are replaced.", location=locate(keys)))
        return merge(values, nested(keys, REPLACE))
    return values


def _unconvertible(keys: Sequence[str], value: Any) -> str:
    return f"'{'.'.join(keys)}' expected type 'string', got unconvertible type '{_kind(value)}'"


def _kind(value: Any) -> str:
    kinds = ((dict, "map[string]interface {}"), (list, "[]interface {}"), (bool, "bool"), (int, "int"), (float, "float64"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "string")


# What Atmos' own structs hold of `auth`; other keys are dropped, empty values too.
_AUTH_KEYS = {
    "providers": [
        "kind",
        "start_url",
        "url",
        "region",
        "username",
        "password",
        "driver",
        "provider_type",
        "download_browser_driver",
        "browser_type",
        "browser_executable_path",
        "auto_provision_identities",
        "session",
        "console",
        "default",
        "spec",
        "tags",
    ],
    "identities": [
        "kind",
        "default",
        "required",
        "provider",
        "via",
        "principal",
        "credentials",
        "spec",
        "alias",
        "env",
        "session",
        "emulator",
        "tags",
    ],
}


def auth(values: Map, directory: str) -> Map:
    """Return the lowest layer of every terraform component's `auth`: the configuration's own, with everything the struct has."""
    written: Map = get(values, ("auth",), EMPTY)
    if not written.get("providers") and not written.get("identities"):
        return EMPTY
    # Atmos derives the realm from where the configuration lies; the machine's path stays out of it here.
    realm = hashlib.sha256(directory.encode()).hexdigest()[:16]
    result: Map = {
        "realm": written.get("realm") or realm,
        "logs": {"file": "", "level": ""},
        "keyring": written.get("keyring") or {},
    }
    for name, known in _AUTH_KEYS.items():
        entries = written.get(name)
        result[name] = {key: _struct(entry, known) for key, entry in entries.items()} if isinstance(entries, dict) else None
    return result | {key: written[key] for key in ("console", "integrations") if written.get(key)}


def _struct(entry: Any, known: Sequence[str]) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {key: value for key, value in entry.items() if key == "kind" or (key in known and value)}
