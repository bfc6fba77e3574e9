"""Reads components' Terraform code: from a tree of files to inputs, outputs, providers, input schema, README and source hash.

Parsing is the embedded engine's, remembered by content. While the engine isn't ready nothing waits for it: the code is `pending`,
its inputs unknown, and every variable that might be sensitive counts as such, so that redaction never depends on the engine.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from catalog.engines import hcl
from catalog.engines.answers import Answers
from catalog.errors import Unavailable
from catalog.indexer import input_schema
from catalog.stacks.tree import Tree
from catalog.values import Diagnostic, Severity, SourceLocation

_READMES = ("README.md", "readme.md", "Readme.md", "README", "README.markdown")
_README_LIMIT = 200_000  # characters; the graph serves it as one field
# Written beside the code by terraform and Atmos; not the code's own.
_GENERATED = re.compile(
    r"(^|/)\.terraform/|\.tfstate(\.|$)|\.planfile$|\.terraform\.tfvars\.json$|(^|/)(backend\.tf\.json|providers_override\.tf\.json)$"
)
_LOCAL_MODULE = re.compile(rb'source"?\s*[=:]\s*"(\.\.?/[^"]*)"')
_HEREDOC = re.compile(r"<<[-~]?\s*(\w+)[^\n]*\n.*?^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r'(?:^|\*/)[ \t]*variable[ \t]+"?([^"\s{]+)"?[ \t]*\{', re.MULTILINE)
_SECRET = re.compile(r"\b(?:sensitive|ephemeral)\b(?!\s*=\s*false\b)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentCode:
    """What a component's directory says. Lists are of plain maps, as the records keep them; defaults of sensitive inputs are null.

    `resource_types` are those that the component manages, with the number of their blocks. `calls` are its module calls with their
    arguments, the files relative to the tree: for finding out what it looks up, never to be shown. `sensitive` names the variables
    whose values never reach the graph. `pending` says that the engine wasn't ready: read again later. Diagnostics' files are
    relative to the tree. `source_hash` covers every file of the directory and of the local modules that it calls.
    """

    inputs: tuple[Mapping[str, Any], ...] = ()
    outputs: tuple[Mapping[str, Any], ...] = ()
    providers: tuple[Mapping[str, Any], ...] = ()
    modules: tuple[Mapping[str, Any], ...] = ()
    calls: tuple[hcl.ModuleCall, ...] = field(default=(), repr=False)
    resource_types: Mapping[str, int] = field(default_factory=dict)
    required_version: str | None = None
    backend_type: str | None = None
    input_schema: Mapping[str, Any]
    sensitive: frozenset[str] = frozenset()
    readme: str | None = None
    source_hash: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    pending: bool = False


def read(tree: Tree, directory: str, engine: hcl.HclEngine | None = None, cache: Answers | None = None) -> ComponentCode:
    """Read one component's directory; an absent one gives code without anything, and a source hash of None."""
    return read_all(tree, (directory,), engine, cache)[directory]


def read_all(
    tree: Tree, directories: Iterable[str], engine: hcl.HclEngine | None = None, cache: Answers | None = None
) -> dict[str, ComponentCode]:
    """Read many components of one tree, listing its files once."""
    reader = _Reader(tree, engine, cache or Answers())
    return {directory: reader.read(directory) for directory in directories}


def sensitive_names(files: Mapping[str, bytes]) -> frozenset[str]:
    """Return the variables that may be sensitive, found without the engine: more than there are, never fewer.

    A variable counts when its block mentions `sensitive` or `ephemeral` other than as `= false`.
    """
    found: set[str] = set()
    for name, content in files.items():
        text = content.decode("utf-8-sig", "replace")
        found |= _sensitive_in_json(text) if name.endswith(".json") else _sensitive_in_text(text)
    return frozenset(found)


def _sensitive_in_text(text: str) -> set[str]:
    text = _HEREDOC.sub('""', text)
    starts = list(_BLOCK.finditer(text))
    ends = [*(match.start() for match in starts), len(text)][1:]
    return {match[1] for match, end in zip(starts, ends, strict=True) if _SECRET.search(text, match.end(), end)}


def _sensitive_in_json(text: str) -> set[str]:
    try:
        document = json.loads(text)
    except ValueError:
        return set()  # Terraform can't read it either
    found = set()
    for block in _maps(document):
        for variables in _maps(block.get("variable")):
            for name, bodies in variables.items():
                if any(
                    body.get("sensitive", False) is not False or body.get("ephemeral", False) is not False for body in _maps(bodies)
                ):
                    found.add(name)
    return found


def _maps(value: Any) -> list[Mapping[str, Any]]:
    """A map, or a list of maps: the two forms that Terraform's JSON syntax allows for blocks."""
    return [entry for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, dict)]


class _Reader:
    """Reads the directories of one tree."""

    def __init__(self, tree: Tree, engine: hcl.HclEngine | None, answers: Answers) -> None:
        self._tree = tree
        self._paths = list(tree.paths())
        self._engine = engine
        self._answers = answers
        self._hashes: dict[str, str] = {}

    def read(self, directory: str) -> ComponentCode:
        names = self._names(directory)
        if not names:
            return ComponentCode(input_schema={})
        sources = _terraform_files(names)
        files = {name: self._tree.read(_join(directory, name)) for name in sources}
        return replace(
            self._parsed(directory, files) if files else ComponentCode(input_schema={}),
            readme=self._readme(directory, names),
            source_hash=self._source_hash(directory),
        )

    def _parsed(self, directory: str, files: Mapping[str, bytes]) -> ComponentCode:
        key = hcl.key({name: _blob_id(content) for name, content in files.items()})
        answer = self._answers.find(key)
        if answer is None and self._engine is None:
            return _unread(files, pending=True)
        if answer is None:
            assert self._engine is not None
            try:
                answer = self._engine.answer(files)
            except Unavailable as error:
                return _unread(files, pending=False, problem=_failure(directory, error))
            self._answers.keep(key, answer)
        # A parser that met errors may have lost a block that says what is a secret.
        suspected = sensitive_names(files) if b'"ERROR"' in answer else frozenset()
        return _understood(answer, directory, suspected)

    def _names(self, directory: str) -> list[str]:
        """The paths of a directory's files relative to it, without what is generated."""
        prefix = "" if directory in ("", ".") else directory.rstrip("/") + "/"
        start = bisect_left(self._paths, prefix)
        names = []
        for path in self._paths[start:] if not prefix else _with_prefix(self._paths, start, prefix):
            name = path[len(prefix) :]
            if not _GENERATED.search(name):
                names.append(name)
        return names

    def _readme(self, directory: str, names: list[str]) -> str | None:
        name = next((name for name in _READMES if name in names), None)
        return self._tree.read(_join(directory, name)).decode("utf-8-sig", "replace")[:_README_LIMIT] if name else None

    def _source_hash(self, directory: str) -> str:
        """The hash of a directory's files and of the local modules they call, wherever in the tree these lie."""
        seen: dict[str, str] = {}
        waiting = [directory]
        while waiting:
            current = waiting.pop()
            if any(current == known or current.startswith(known.rstrip("/") + "/") for known in seen):
                continue
            names = self._names(current)
            seen[current] = self._hash_of(current, names)
            for name in names:
                if name.endswith((".tf", ".tf.json", ".tofu")):
                    folder = posixpath.dirname(_join(current, name))
                    for match in _LOCAL_MODULE.findall(self._tree.read(_join(current, name))):
                        target = posixpath.normpath(posixpath.join(folder, match.decode("utf-8", "replace").split("//")[0]))
                        if not target.startswith(".."):
                            waiting.append(target)
        text = "\n".join(f"{posixpath.relpath(place, directory)} {seen[place]}" for place in sorted(seen))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def _hash_of(self, directory: str, names: list[str]) -> str:
        if directory not in self._hashes:
            lines = [f"{name} {self._id(_join(directory, name))}" for name in names]
            self._hashes[directory] = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
        return self._hashes[directory]

    def _id(self, path: str) -> str:
        return self._tree.fingerprint(path) or _blob_id(self._tree.read(path))


def _with_prefix(paths: list[str], start: int, prefix: str) -> Iterable[str]:
    for index in range(start, len(paths)):
        if not paths[index].startswith(prefix):
            return
        yield paths[index]


def _join(directory: str, name: str) -> str:
    return name if directory in ("", ".") else f"{directory.rstrip('/')}/{name}"


def _terraform_files(names: Iterable[str]) -> list[str]:
    """The files that Terraform reads as one module; `.tofu` files only where there are no others."""
    flat = [name for name in names if "/" not in name and not name.startswith(".")]
    return [name for name in flat if name.endswith((".tf", ".tf.json"))] or [name for name in flat if name.endswith(".tofu")]


def _blob_id(content: bytes) -> str:
    """Git's id of a blob, so that a directory and a revision with equal files have equal hashes."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _unread(files: Mapping[str, bytes], *, pending: bool, problem: Diagnostic | None = None) -> ComponentCode:
    names = sensitive_names(files)
    return ComponentCode(
        input_schema=input_schema.of_unread(names, pending=pending),
        sensitive=names,
        diagnostics=(problem,) if problem else (),
        pending=pending,
    )


@lru_cache(maxsize=1024)
def _understood(answer: bytes, directory: str, suspected: frozenset[str]) -> ComponentCode:
    """What an engine's answer says; kept, since most code is the same at the next reading."""
    module = hcl.module(answer)
    secret = suspected | {variable.name for variable in module.variables if variable.sensitive or variable.ephemeral}
    return ComponentCode(
        inputs=tuple(_input(variable, secret=variable.name in secret) for variable in module.variables),
        outputs=tuple(
            {
                "name": output.name,
                "description": output.description,
                "sensitive": output.sensitive,
                "deprecated": output.deprecated,
            }
            for output in module.outputs
        ),
        providers=tuple(_requirement(entry) for entry in module.providers),
        modules=tuple(_requirement(entry) for entry in module.modules),
        calls=tuple(replace(call, file=_join(directory, call.file)) for call in module.modules),
        resource_types={resource.type: resource.count for resource in module.resources if resource.mode == "managed"},
        required_version=", ".join(module.required_version) or None,
        backend_type=module.backend,
        input_schema=input_schema.of_module(
            replace(
                module,
                variables=tuple(replace(entry, sensitive=entry.sensitive or entry.name in secret) for entry in module.variables),
            )
        ),
        sensitive=secret,
        diagnostics=_diagnostics(module.problems, directory),
    )


def _input(variable: hcl.Variable, *, secret: bool) -> dict[str, Any]:
    return {
        "name": variable.name,
        "type": variable.type_expression,
        "description": variable.description,
        "default": None if secret else variable.default,
        "required": not variable.has_default,
        "sensitive": secret,
        "nullable": variable.nullable,
        "deprecated": variable.deprecated,
        "validations": [
            {"condition": validation.condition, "error_message": validation.error_message} for validation in variable.validations
        ],
    }


def _requirement(entry: hcl.Requirement | hcl.ModuleCall) -> dict[str, Any]:
    return {"name": entry.name, "source": entry.source, "version": entry.version}


def _diagnostics(problems: Iterable[hcl.Problem], directory: str) -> tuple[Diagnostic, ...]:
    """One diagnostic per place: what follows at the same place is the parser's echo."""
    found: dict[tuple[str, int, int], Diagnostic] = {}
    for problem in problems:
        place = (problem.file, problem.line, problem.column)
        text = " ".join(f"{problem.summary}: {problem.detail}".split())
        location = SourceLocation(file=_join(directory, problem.file), line=problem.line, column=problem.column)
        severity = Severity(problem.severity)
        found.setdefault(place, Diagnostic(severity=severity, code="TERRAFORM_SYNTAX", message=text, location=location))
    return tuple(found.values())


def _failure(directory: str, error: Unavailable) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code="TERRAFORM_ENGINE",
        message=error.message,
        hint="the component's inputs stay unknown; variables that may be sensitive are treated so",
        location=SourceLocation(file=directory),
    )
