"""Checks a request's parameters, variables of a component instance, against the component's input schema.

In come the schema that the indexer wrote (JSON Schema 2020-12) and a plain map; out go problems, one sentence each, that name the
path. Values of sensitive variables must be references, `{"$ref": "…"}`: a literal would end in Git. No message repeats a value of
a sensitive variable.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

_SHOWN = 60  # characters of a value in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What doesn't hold: the path below the parameters, and a sentence that begins with it."""

    path: tuple[str, ...]
    message: str


def validate(input_schema: Mapping[str, Any], parameters: Mapping[str, Any], *, complete: bool = False) -> tuple[Problem, ...]:
    """Return what doesn't hold, in order of the parameters; nothing when all is well.

    Parameters are changes to variables that the stack sets, so required ones may be absent, unless `complete`.
    """
    properties: Mapping[str, Any] = input_schema.get("properties", {})
    closed = input_schema.get("additionalProperties") is False
    problems: list[Problem] = []
    for name, value in parameters.items():
        if name not in properties:
            problems += [_unknown(name, properties)] if closed else []
        elif properties[name].get("x-sensitive"):
            problems += _secret(name, value)
        else:
            problems += _ordinary(name, value, properties[name])
    if complete:
        problems += [_missing((name,)) for name in input_schema.get("required", ()) if name not in parameters]
    return tuple(dict.fromkeys(problems))


def _unknown(name: str, properties: Mapping[str, Any]) -> Problem:
    near = difflib.get_close_matches(name, properties, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return Problem(path=(name,), message=f"{name}: the component has no such variable{hint}")


def _missing(path: tuple[str, ...]) -> Problem:
    return Problem(path=path, message=f"{_dotted(path)}: is required")


def _secret(name: str, value: Any) -> Iterator[Problem]:
    if value is None or (
        isinstance(value, Mapping) and set(value) == {"$ref"} and isinstance(value["$ref"], str) and value["$ref"]
    ):
        return
    text = f'{name}: is sensitive, so its value must be a reference such as {{"$ref": "…"}}, not a literal'
    yield Problem(path=(name,), message=text)


def _ordinary(name: str, value: Any, schema: Mapping[str, Any]) -> Iterator[Problem]:
    messages = schema.get("x-messages", ())
    errors = sorted(_VALIDATOR(schema).iter_errors(value), key=lambda error: [str(part) for part in error.absolute_path])
    for error in errors:
        path = (name, *(str(part) for part in error.absolute_path))
        keyword, instance = str(error.validator), dict(error.instance) if isinstance(error.instance, Mapping) else {}
        if keyword == "required":
            yield from (_missing((*path, key)) for key in _wanted(error) if key not in instance)
            continue
        said = _SENTENCES.get(keyword)
        text = said(error) if said else error.message
        # A validation's own message says better what was meant, when there is only one it can come from.
        if keyword in _FROM_VALIDATIONS and len(messages) == 1:
            text = f"{_shown(error.instance)} is refused: {messages[0]}"
        yield Problem(path=path, message=f"{_dotted(path)}: {text}")


def _wanted(error: ValidationError) -> list[Any]:
    value: Any = error.validator_value
    return value if isinstance(value, list) else [value]


def _type(error: ValidationError) -> str:
    return f"{_shown(error.instance)} is not of type {' or '.join(repr(kind) for kind in _wanted(error))}"


def _enumeration(error: ValidationError) -> str:
    return f"{_shown(error.instance)} is not one of {', '.join(_shown(value) for value in _wanted(error))}"


def _pattern(error: ValidationError) -> str:
    return f"{_shown(error.instance)} does not match {error.validator_value!r}"


def _format(error: ValidationError) -> str:
    return f"{_shown(error.instance)} is not an address range such as 10.0.0.0/16"


_SENTENCES = {"type": _type, "enum": _enumeration, "pattern": _pattern, "x-format": _format}
# Keywords that only validations give; a type alone gives none of them.
_FROM_VALIDATIONS = frozenset(
    {
        "enum", "pattern", "x-format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
        "minLength", "maxLength", "minProperties", "maxProperties", "propertyNames", "not", "anyOf",
    }
)  # fmt: skip


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(path)


def _check_format(validator: Validator, wanted: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
    del validator, schema
    if wanted == "cidr" and isinstance(instance, str) and not _is_cidr(instance):
        yield ValidationError(f"{instance!r} is not a {wanted}")


def _is_cidr(text: str) -> bool:
    """An address and a prefix length, as Go's net.ParseCIDR reads it; host bits may be set."""
    address, slash, length = text.partition("/")
    if not slash or not re.fullmatch(r"[0-9]{1,3}", length):
        return False
    try:
        ipaddress.ip_interface(f"{address}/{length}")
    except ValueError:
        return False
    return True


_VALIDATOR: type[Validator] = extend(Draft202012Validator, {"x-format": _check_format})  # type: ignore[no-untyped-call]
