"""What `settings.templates` of a component must be: Atmos decodes it before it renders, and refuses other types.

Nothing is coerced but a float into a whole number; keys match in any case, and keys that nobody knows are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.errors import EstateError


@dataclass(frozen=True, slots=True)
class _Scalar:
    name: str
    kinds: tuple[type, ...]


@dataclass(frozen=True, slots=True)
class _ListOf:
    item: _Type


@dataclass(frozen=True, slots=True)
class _MapOf:
    item: _Type
    name: str


@dataclass(frozen=True, slots=True)
class _Struct:
    fields: Mapping[str, _Type]


_Type = _Scalar | _ListOf | _MapOf | _Struct

_BOOL, _INT, _TEXT = _Scalar("bool", (bool,)), _Scalar("int", (int, float)), _Scalar("string", (str,))
_HEADERS = _MapOf(_ListOf(_TEXT), "map[string][]string")
_DATASOURCES = _MapOf(_Struct({"url": _TEXT, "headers": _HEADERS}), "map[string]schema.TemplatesSettingsGomplateDatasource")
_SETTINGS = _Struct(
    {
        "settings": _Struct(
            {
                "enabled": _BOOL,
                "sprig": _Struct({"enabled": _BOOL}),
                "gomplate": _Struct({"enabled": _BOOL, "timeout": _INT, "datasources": _DATASOURCES}),
                "delimiters": _ListOf(_TEXT),
                "evaluations": _INT,
                "ignore_missing_template_values": _BOOL,
            }
        )
    }
)


def refusal(templates: Any) -> EstateError | None:
    """Return the error with which Atmos refuses a component's `settings.templates`; None where it decodes."""
    wrong = list(_wrong(_SETTINGS, templates, "templates"))
    if not wrong:
        return None
    return EstateError("decoding failed due to the following error(s):\n\n" + "\n".join(wrong), code="TEMPLATE")


def _wrong(wanted: _Type, value: Any, path: str) -> Iterator[str]:
    if value is None:
        return
    if isinstance(wanted, _Struct):
        yield from _wrong_fields(wanted, value, path)
    elif isinstance(wanted, _MapOf):
        if not isinstance(value, dict):
            yield _unconvertible(path, wanted.name, value)
            return
        for key in sorted(value):
            yield from _wrong(wanted.item, value[key], f"{path}[{key}]")
    elif isinstance(wanted, _ListOf):
        if not isinstance(value, list):
            if value != {}:
                yield f"'{path}' source data must be an array or slice, got {_kind(value)}"
            return
        for number, item in enumerate(value):
            yield from _wrong(wanted.item, item, f"{path}[{number}]")
    elif not isinstance(value, wanted.kinds) or (isinstance(value, bool) and bool not in wanted.kinds):
        yield _unconvertible(path, wanted.name, value)


def _wrong_fields(wanted: _Struct, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"'{path}' expected a map or struct, got \"{_kind(value)}\""
        return
    folded = {key.casefold(): key for key in value}
    for name, field in wanted.fields.items():
        key = name if name in value else folded.get(name)
        if key is not None:
            yield from _wrong(field, value[key], f"{path}.{name}")


def _unconvertible(path: str, name: str, value: Any) -> str:
    full = {"slice": "[]interface {}", "map": "map[string]interface {}"}
    return f"'{path}' expected type '{name}', got unconvertible type '{full.get(_kind(value), _kind(value))}'"


def _kind(value: Any) -> str:
    kinds = ((dict, "map"), (list, "slice"), (bool, "bool"), (int, "int"), (float, "float64"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "string")
