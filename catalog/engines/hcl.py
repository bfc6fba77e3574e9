"""The HCL engine: Terraform files of one directory in, what the module says about itself out, by HashiCorp's own parser.

Files are bytes by name (`main.tf`, `main.tf.json`); files in subdirectories are other modules and not wanted here. A broken file
gives diagnostics and what the parser recovered. The answer is a frozen `Module`; `engines/hcl` explains the constraints.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.engines import cache
from catalog.engines.runner import Runner
from catalog.errors import EstateError, Unavailable

NAME = "hcl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """One validation of a variable: its texts, and what of the condition the engine understood (`exact`: all of it)."""

    condition: str
    error_message: str
    constraint: Mapping[str, Any] | None
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable. `type` is a tree {kind, element, elements, attributes}; `default` is as written, null when there is none.

    `deprecated` is what its author says to those who still use it.
    """

    name: str
    type_expression: str
    type: Mapping[str, Any]
    description: str | None
    default: Any
    has_default: bool
    sensitive: bool
    ephemeral: bool
    nullable: bool
    deprecated: str | None
    validations: tuple[Validation, ...]
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One output."""

    name: str
    description: str | None
    sensitive: bool
    deprecated: str | None
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A provider requirement: a name with the source and version it asks for, where it says so."""

    name: str
    source: str | None
    version: str | None
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An argument of a module call: the expression as written (empty when very long) and, where it refers to nothing, its value."""

    expression: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleCall:
    """A module call: which module it wants, and the arguments that are the module's own. They may be secrets: not for the graph."""

    name: str
    source: str | None
    version: str | None
    arguments: Mapping[str, Argument] = field(repr=False)
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource type and how many blocks of it there are; `mode` is managed, data or ephemeral."""

    mode: str
    type: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One of the parser's diagnostics; severity ERROR or WARNING."""

    severity: str
    summary: str
    detail: str
    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """What one directory of Terraform code says about itself. `backend` is the type that the code itself declares."""

    variables: tuple[Variable, ...]
    outputs: tuple[Output, ...]
    providers: tuple[Requirement, ...]
    required_version: tuple[str, ...]
    modules: tuple[ModuleCall, ...]
    resources: tuple[Resource, ...]
    backend: str | None
    problems: tuple[Problem, ...]


class HclEngine:
    """The engine of one process; opened from a directory in which it is compiled (see `cache`)."""

    def __init__(self, directory: Path, *, deadline: float = 10.0, memory: int = 512) -> None:
        self._runner = Runner(NAME, directory, deadline=deadline, memory=memory)

    def parse_module(self, files: Mapping[str, bytes]) -> Module:
        """Read the Terraform files of one directory; raises Unavailable when the engine takes too long or too much memory."""
        return module(self.answer(files))

    def answer(self, files: Mapping[str, bytes]) -> bytes:
        """Read the files and return the engine's answer as JSON, for `module` now or later."""
        texts = {name: content.decode("utf-8-sig", "replace") for name, content in files.items()}
        answer = self._runner.call("parse", json.dumps(texts).encode())
        if answer.startswith(b'{"error"'):
            raise Unavailable(f"the hcl engine gave up: {json.loads(answer)['error']}", code="ENGINE")
        return answer

    def attributes(self, name: str, content: bytes) -> Any:
        """Return a file of assignments as data; raises EstateError in the parser's words.

        Null is an empty map, as it is where Atmos includes such a file.
        """
        request = json.dumps({name: content.decode("utf-8", "replace")}).encode()
        answer = json.loads(self._runner.call("attributes", request))
        if "error" in answer:
            raise EstateError(answer["error"], code="INCLUDE")
        return _without_nulls(answer["value"])


def open_if_ready(directory: Path) -> HclEngine | None:
    """Open the engine when it is compiled already, else return None: for what must not wait."""
    if not cache.ready(NAME, directory):
        return None
    try:
        return HclEngine(directory)
    except Unavailable:
        return None


def open_prepared(directory: Path) -> HclEngine:
    """Open the engine, compiling it first where needed (about a second): for what can wait."""
    cache.prepare(NAME, directory)
    return HclEngine(directory)


def key(hashes: Mapping[str, str]) -> str:
    """Return the key under which the answer for files with these content hashes is kept in `Answers`."""
    return cache.keyed(NAME, hashes)


def module(answer: bytes) -> Module:
    """Read an engine's answer."""
    document = json.loads(answer)
    return Module(
        variables=tuple(_variable(entry) for entry in document["variables"]),
        outputs=tuple(Output(**entry) for entry in document["outputs"]),
        providers=tuple(Requirement(**entry) for entry in document["providers"]),
        required_version=tuple(document["required_version"]),
        modules=tuple(_call(entry) for entry in document["modules"]),
        resources=tuple(Resource(**entry) for entry in document["resources"]),
        backend=document["backend"]["type"] if document["backend"] else None,
        problems=tuple(Problem(**entry) for entry in document["diagnostics"]),
    )


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return {} if value is None else value


def _variable(entry: dict[str, Any]) -> Variable:
    return Variable(**{**entry, "validations": tuple(Validation(**validation) for validation in entry["validations"])})


def _call(entry: dict[str, Any]) -> ModuleCall:
    arguments = {name: Argument(**argument) for name, argument in entry["arguments"].items()}
    return ModuleCall(**{**entry, "arguments": arguments})


__all__ = [
    "Argument",
    "HclEngine",
    "Module",
    "ModuleCall",
    "Output",
    "Problem",
    "Requirement",
    "Resource",
    "Validation",
    "Variable",
    "key",
    "module",
    "open_if_ready",
    "open_prepared",
]
