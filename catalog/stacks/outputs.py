"""`!terraform.state` and `!terraform.output`: what another component gave, by an expression.

A static remote state answers from the manifests alone. Everything else is the lookup's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from catalog.errors import EstateError, NotGiven, NotProvisioned
from catalog.stacks import expressions
from catalog.stacks.arguments import Output
from catalog.stacks.expressions import select
from catalog.stacks.lookup import Deferred, Target
from catalog.stacks.merging import Map

if TYPE_CHECKING:
    from catalog.stacks.functions import Here

_OPERATORS = ("//", "|", "=", "[", "]")


def state(wanted: Output, text: str, here: Here) -> Any:
    """Return what `!terraform.state` gives."""
    stack = wanted.stack or here.stack
    about = f"component `{wanted.component}` in stack `{stack}`"
    inside = f"\nin YAML function: `{text}`"
    try:
        entry = _described(wanted.component, stack, text, here)
    except NotGiven:
        raise
    except EstateError as error:
        undescribed = _wrapped(error, f"failed to describe {about}{inside}\n{error.message}")
        if isinstance(undescribed, NotProvisioned):
            return _default(wanted, undescribed, here)
        raise undescribed from error
    static = static_outputs(entry)
    if static is not None:
        return _static_state(static, wanted, about, inside, here)
    try:
        found = here.lookup.state(Target(component=wanted.component, stack=stack, entry=entry, function=text))
    except NotGiven:
        raise
    except EstateError as error:
        words = f"failed to read Terraform state for {about}{inside}\n{error.message}"
        raise EstateError(words, code="STATE") from error
    if found is None:
        missing = NotProvisioned(f"terraform state not provisioned for {about}")
        return _default(wanted, missing, here)
    try:
        return _selected(wanted, found, here)
    except NotGiven:
        raise
    except EstateError as error:
        words = f"failed to evaluate terraform backend variable {wanted.expression} for {about}{inside}\n{error.message}"
        raise EstateError(words, code="STATE") from error


def _static_state(static: Map, wanted: Output, about: str, inside: str, here: Here) -> Any:
    try:
        found, exists = _existing(wanted, static, here)
    except NotGiven:
        raise
    except EstateError as error:
        raise EstateError(f"failed to read Terraform state for {about}{inside}\n{error.message}", code="STATE") from error
    if not exists:
        missing = f"output `{wanted.expression}` does not exist for {about}{inside}"
        raise EstateError(f"failed to read Terraform state: {missing}", code="STATE")
    return found


def output(wanted: Output, text: str, here: Here) -> Any:
    """Return what `!terraform.output` gives."""
    stack = wanted.stack or here.stack
    component = wanted.component
    asked = f"failed to get terraform output for component {component} in stack {stack}, output {wanted.expression}"
    try:
        try:
            entry = _described(component, stack, text, here)
        except NotGiven:
            raise
        except EstateError as error:
            raise _wrapped(error, _undescribed(component, stack, error)) from error
        found: Mapping[str, Any] | None = static_outputs(entry)
        if found is None:
            found = here.lookup.outputs(Target(component=component, stack=stack, entry=entry, function=text))
        if found is None:
            raise NotProvisioned(f"terraform state not provisioned for component `{component}` in stack `{stack}`")
        selected, exists = _existing(wanted, found, here)
    except NotGiven:
        raise
    except EstateError as error:
        if isinstance(error, NotProvisioned) and "//" in wanted.expression:
            return _default(wanted, error, here)
        raise _wrapped(error, f"{asked}: {error.message}") from error
    return selected if exists or "//" not in wanted.expression else _selected(wanted, {}, here)


def _undescribed(component: str, stack: str, error: EstateError) -> str:
    if error.code == "UNKNOWN_COMPONENT":
        return f"failed to describe component: component({component}, {stack}): {error.message}"
    return f"component({component}, {stack}) failed: {error.message}"


def static_outputs(entry: Map) -> Map | None:
    """Return the outputs that a component's static remote state backend writes down; None where it has another backend."""
    if entry.get("remote_state_backend_type") != "static":
        return None
    static = entry.get("remote_state_backend")
    return static if isinstance(static, dict) else None


def read_state(content: bytes) -> dict[str, Any] | None:
    """Return the outputs in a state file of terraform's format, as Go decodes them; None for an empty file.

    Raises EstateError for what is no state.
    """
    if not content:
        return None
    try:
        document = json.loads(content, parse_int=float)
        written = document.get("outputs") or {}
        return {name: entry.get("value") for name, entry in written.items()}
    except (ValueError, AttributeError, RecursionError) as error:
        raise EstateError(f"error processing terraform state file\n{error}", code="STATE") from error


def read_sensitive(content: bytes) -> list[Any]:
    """Return the values of a state's outputs that are marked as sensitive."""
    try:
        written = json.loads(content or b"{}").get("outputs") or {}
        return [entry.get("value") for entry in written.values() if entry.get("sensitive") is True]
    except (ValueError, AttributeError, RecursionError):
        return []


def _described(component: str, stack: str, text: str, here: Here) -> Map:
    if here.describe is None:
        raise NotGiven(f"component {component} in stack {stack} is not known here")
    return here.describe(component, stack, text)


def _wrapped(error: EstateError, words: str) -> EstateError:
    kind = NotProvisioned if isinstance(error, NotProvisioned) else EstateError
    return kind(words, code=error.code, hint=error.hint)


def _default(wanted: Output, error: EstateError, here: Here) -> Any:
    """What `//` gives where there is no state."""
    if "//" not in wanted.expression:
        raise error
    try:
        return _selected(wanted, {}, here)
    except NotGiven:
        raise
    except EstateError as problem:
        raise _wrapped(error, f"{error.message}: failed to evaluate YQ default: {problem.message}") from problem


def _selected(wanted: Output, found: Mapping[str, Any], here: Here) -> Any:
    selected = select(expressions.output(wanted.expression), found, here.query)
    if _holds_deferred(selected):
        raise NotGiven(f"{wanted.component} doesn't know its {wanted.expression}")
    return selected


def _holds_deferred(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_deferred, value.values()))
    return any(map(_holds_deferred, value)) if isinstance(value, list) else isinstance(value, Deferred)


def _existing(wanted: Output, found: Mapping[str, Any], here: Here) -> tuple[Any, bool]:
    """What the expression gives, and whether a plain name that it is exists at all."""
    name = wanted.expression.removeprefix(".")
    selected = _selected(wanted, found, here)
    is_name = "." not in name and not any(operator in wanted.expression for operator in _OPERATORS)
    return selected, not is_name or name in found
