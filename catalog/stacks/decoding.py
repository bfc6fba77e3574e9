"""What the values of atmos.yaml become: decoding coerces what Atmos coerces, and refuses the rest.

Numbers and booleans become text, text becomes a list at its commas, one item a list of one. In lenient reading a value of a wrong type
counts as absent, with a diagnostic.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import config_types
from catalog.stacks.findings import Findings
from catalog.stacks.merging import EMPTY, REPLACE, STRATEGIES, Map, merge
from catalog.values import Severity, SourceLocation

COMPONENT_TYPES = ("terraform", "helmfile", "packer", "ansible", "kubernetes", "helm", "container", "emulator")

Keys = tuple[str, ...]
Locate = Callable[[Sequence[str]], SourceLocation | None]

_LOG_LEVELS = ("Trace", "Debug", "Info", "Warning", "Error", "Off")

# Keys that have a default: Atmos takes a list there for no value at all.
_WITH_DEFAULT = """
    components.helmfile.use_eks components.terraform.append_user_agent container.runtime.auto_start describe.error_mode list.error_mode
    logs.file logs.level stacks.inherit.metadata
"""
# Keys that have a default, and a variable beside it: Atmos takes anything of another type for no value.
_WITH_VARIABLE = """
    cast.recording.height cast.recording.width components.terraform.auto_provision_workdir_for_outputs
    components.terraform.plugin_cache describe.component.filter describe.provenance diagnostics.enabled diagnostics.file
    diagnostics.include_output settings.experimental settings.inject_bitbucket_token settings.inject_github_token
    settings.inject_gitlab_token settings.pro.base_url settings.pro.endpoint settings.terminal.color settings.terminal.help.filter
    settings.terminal.no_color settings.terminal.pager settings.terminal.speed
"""


def _keys(text: str) -> frozenset[Keys]:
    return frozenset(tuple(key.split(".")) for key in text.split())


_FORGIVING: dict[type, frozenset[Keys]] = {list: _keys(_WITH_DEFAULT + _WITH_VARIABLE), dict: _keys(_WITH_VARIABLE)}
_PARSED = _FORGIVING[list]


def get(values: Any, keys: Sequence[str], otherwise: Any) -> Any:
    """Return the value at the keys, else the default; null counts as absent."""
    for key in keys:
        values = values.get(key) if isinstance(values, dict) else None
    return otherwise if values is None else values


def nested(keys: Sequence[str], value: Any) -> Map:
    """Return a map that holds a value at the keys."""
    return {keys[0]: nested(keys[1:], value) if len(keys) > 1 else value}


def decoded(values: Map, findings: Findings, locate: Locate) -> Map:
    """Return the values as decoding gives them; in strict reading raises EstateError naming every value of a wrong type."""
    decoder = _Decoder()
    result = decoder.section(_kept(values), config_types.ROOT, "", ())
    if decoder.wrong and findings.strict:
        words = "\n".join(text for _, text in decoder.wrong)
        raise EstateError(
            f"decoding failed due to the following error(s):\n\n{words}", code="CONFIG", location=locate(decoder.wrong[0][0])
        )
    for keys, text in decoder.wrong:
        hint = "The value is ignored; Atmos refuses the configuration."
        findings.note(Severity.WARNING, "CONFIG", text, hint=hint, location=locate(keys))
    return _checked(result, findings, locate)


def _kept(values: Map) -> Map:
    """Leave out what Atmos' reader forgets: keys that hold null or a map without any key; in lists everything stays."""
    nested = {key: _kept(value) if isinstance(value, dict) else value for key, value in values.items()}
    return {key: value for key, value in nested.items() if value is not None and value != {}}


@dataclass(slots=True)
class _Decoder:
    """Decodes values by the table of types; `wrong` collects what can't be, with Atmos' words."""

    wrong: list[tuple[Keys, str]] = field(default_factory=list)

    def section(self, values: Map, name: str, path: str, keys: Keys) -> Map:
        """Decode the keys that a section knows; others stay as they are, unread."""
        known = config_types.keys_of(name)
        result: Map = {}
        for key, value in values.items():
            kind = known.get(key)
            result[key] = value if kind is None else self.value(value, kind, f"{path}.{key}" if path else key, (*keys, key))
        return result

    def value(self, value: Any, kind: str, name: str, keys: Keys) -> Any:
        """Decode one value; None where it can't be."""
        if value is None or kind == "any":
            return value
        if keys in _FORGIVING.get(type(value), frozenset()):
            return None
        if kind[0] == "[":
            return self._list(value, kind[1:-1], name, keys)
        if kind[0] == "{":
            return self._map(value, kind[1:-1], name, keys)
        if config_types.is_section(kind):
            if isinstance(value, dict):
                return self.section(value, kind, name, keys)
            return self._refuse(keys, f"'{name}' expected a map or struct, got \"{_kind(value)}\"")
        return self._scalar(value, kind, name, keys)

    def _refuse(self, keys: Keys, words: str) -> Any:
        """Remember what is wrong with a value that thereby counts as absent."""
        self.wrong.append((keys, words))
        return None

    def _list(self, value: Any, kind: str, name: str, keys: Keys) -> list[Any] | None:
        is_list = isinstance(value, list)
        if isinstance(value, str):
            value = value.split(",") if value else []
        elif not is_list:
            value = [value]
        if kind == "step" and is_list:
            return self._steps(value, name, keys)
        items = [self.value(item, kind, f"{name}[{number}]", keys) for number, item in enumerate(value)]
        return [item for item, written in zip(items, value, strict=True) if item is not None or written is None]

    def _steps(self, value: list[Any], name: str, keys: Keys) -> list[Any] | None:
        for number, item in enumerate(value):
            if not isinstance(item, (str, dict)):
                got = f"got {_type(item)} (expected string or map)"
                self._refuse(keys, f"'{name}' unexpected task node kind at index {number}: {got}")
                return None
        return value

    def _map(self, value: Any, kind: str, name: str, keys: Keys) -> Any:
        if isinstance(value, list):
            for number, item in enumerate(value):
                self._map(item, kind, f"{name}[{number}]", keys)
            return None
        if not isinstance(value, dict):
            return self._refuse(keys, _unconvertible(name, f"map[string]{_GO.get(kind, 'interface {}')}", value))
        return {key: self.value(item, kind, f"{name}[{key}]", (*keys, key)) for key, item in value.items()}

    def _scalar(self, value: Any, kind: str, name: str, keys: Keys) -> Any:
        if kind == "step":
            return (
                value
                if isinstance(value, dict)
                else self._refuse(keys, f"'{name}' expected a map or struct, got \"{_kind(value)}\"")
            )
        if isinstance(value, (dict, list)) or not isinstance(value, (str, bool, int, float)):
            return self._refuse(keys, _unconvertible(name, _GO[kind], value))
        if kind == "text":
            return _text(value)
        if not isinstance(value, str):
            return bool(value) if kind == "flag" else float(value) if kind == "float" else int(value)
        try:
            return _PARSERS[kind](value)
        except ValueError as error:
            if keys in _PARSED:
                return None
            words = f'time: invalid duration "{value}"' if kind == "time" else f"cannot parse value as '{_GO[kind]}': {error}"
            return self._refuse(keys, f"'{name}' {words}")


_GO = {"text": "string", "flag": "bool", "int": "int", "float": "float64", "time": "time.Duration"}
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("", "0", "f", "F", "FALSE", "false", "False"))
_DURATION = re.compile(r"[-+]?(0|(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+")


def flag(text: str) -> bool:
    """Return the boolean that a text is to Go; raises ValueError for any other text."""
    if text not in _TRUE and text not in _FALSE:
        raise ValueError("strconv.ParseBool: invalid syntax")
    return text in _TRUE


def _whole(text: str) -> int:
    try:
        return int(text or "0", 0)
    except ValueError as error:
        raise ValueError("strconv.ParseInt: invalid syntax") from error


def _fraction(text: str) -> float:
    try:
        return float(text or "0")
    except ValueError as error:
        raise ValueError("strconv.ParseFloat: invalid syntax") from error


def _duration(text: str) -> str:
    if not _DURATION.fullmatch(text):
        raise ValueError(text)
    return text


_PARSERS: dict[str, Callable[[str], Any]] = {"flag": flag, "int": _whole, "float": _fraction, "time": _duration}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _checked(values: Map, findings: Findings, locate: Locate) -> Map:
    keys: Keys = ("logs", "level")
    level = get(values, keys, "").strip()
    if level and level.lower() not in ("warn", *map(str.lower, _LOG_LEVELS)):
        words = f"invalid log level\nthe log level '{level}' is not recognized. Valid options are: [{' '.join(_LOG_LEVELS)}]"
        findings.lose(EstateError(words, code="CONFIG", location=locate(keys)))
    keys = ("settings", "list_merge_strategy")
    strategy = get(values, keys, "") or REPLACE
    if strategy not in STRATEGIES and not findings.strict:
        words = f"invalid list merge strategy: '{strategy}'. Supported list merge strategies are: {', '.join(STRATEGIES)}"
        findings.lose(EstateError(words, code="CONFIG", hint="Lists are replaced.", location=locate(keys)))
        return merge(values, nested(keys, REPLACE))
    return values


def _unconvertible(name: str, kind: str, value: Any) -> str:
    return f"'{name}' expected type '{kind}', got unconvertible type '{_type(value)}'"


def _type(value: Any) -> str:
    """Go's name for the type that a value of YAML has."""
    kinds = ((dict, "map[string]interface {}"), (list, "[]interface {}"), (bool, "bool"), (int, "int"), (float, "float64"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "string" if isinstance(value, str) else "time.Time")


def _kind(value: Any) -> str:
    return "slice" if isinstance(value, list) else _type(value)


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
    logs = written.get("logs") or EMPTY
    result: Map = {
        "realm": written.get("realm") or realm,
        "logs": {"file": logs.get("file") or "", "level": logs.get("level") or ""},
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
