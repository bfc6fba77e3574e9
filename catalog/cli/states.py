"""Terraform states of an estate read from the outside: local ones as files, others by terraform in a directory of its own.

Nothing is written below the estate and nothing is created in a backend: a workspace that doesn't exist has no state. A local state is
read without terraform; a component with another command than that needs it, as Atmos would start it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.errors import EstateError
from catalog.executors import backend as declarations
from catalog.stacks.lookup import Target

_SECONDS = 300
_READ_BY_ATMOS = frozenset({"local", "s3", "gcs", "azurerm"})
_DEFAULT_FILE = "terraform.tfstate"
_ESCAPES = str.maketrans({"-": "-h", "/": "-s", "\\": "-b"})  # in the name of a generated working directory
_BLOCK = re.compile(r'(?:backend[ \t]+"?[\w-]+"?|cloud)[ \t]*\{')


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """The states of one estate. `base` is Atmos' base path, `code` the directory of terraform components.

    `generates_backend` tells whether Atmos writes the manifests' backend beside the code; else the code's own declaration counts.
    """

    base: Path
    code: Path
    generates_backend: bool
    environment: Mapping[str, str] = field(repr=False)

    def as_atmos_reads(self, target: Target) -> bytes | None:
        """Return a component's state as `!terraform.state` finds it, by the manifests' backend; None where there is none."""
        kind = target.entry.get("backend_type") or "local"
        settings = _settings(target)
        if kind not in _READ_BY_ATMOS:
            supported = "supported backends: `local`, `s3`, `gcs`, `azurerm`"
            raise EstateError(f"unsupported backend type: `{kind}`\n{supported}", code="STATE")
        if kind == "local":
            nested = settings.get("local")
            path = settings.get("path") or (nested.get("path") if isinstance(nested, dict) else None)
            return _content(self.directory(target) / str(path or _local_place(_workspace(target))))
        return self._by_terraform(target, {"backend": {kind: settings}})

    def as_terraform_reads(self, target: Target) -> bytes | None:
        """Return a component's state as `terraform output` in its directory finds it."""
        code = self._code(target)
        kind, settings = target.entry.get("backend_type"), _settings(target)
        if self.generates_backend and not kind:
            where = f"Component '{target.component}' in stack '{target.stack}'"
            words = f"failed to generate backend file\n{where} has an invalid 'backend_type' section."
            raise EstateError(words, code="STATE")
        if not code.is_dir() and not _has_workdir(target):
            raise EstateError(f"chdir {code}: no such file or directory", code="STATE")
        if not self.generates_backend:
            kind, settings = declarations.declared(code), {}
        if kind in (None, "local"):
            if target.entry.get("command") not in (None, "", "terraform"):
                self._program(target)
            return _content(self.directory(target) / _local_path(settings, _workspace(target)))
        return self._by_terraform(target, _declared(str(kind), settings) if self.generates_backend else _written(code))

    def directory(self, target: Target) -> Path:
        """Where a component's code, or its generated working directory, lies."""
        if not _has_workdir(target):
            return self._code(target)
        name = str(target.entry.get("atmos_component") or target.component).translate(_ESCAPES)
        return self.base / ".workdir" / "terraform" / f"{target.stack}-{name}"

    def _code(self, target: Target) -> Path:
        return self.code / str(target.entry.get("component") or target.component)

    def _program(self, target: Target) -> str:
        program = str(target.entry.get("command") or "terraform")
        found = shutil.which(program, path=self.environment.get("PATH"))
        if found is None:
            raise EstateError(f'terraform init failed: exec: "{program}": executable file not found in $PATH', code="STATE")
        return found

    def _by_terraform(self, target: Target, declaration: Mapping[str, Any] | str) -> bytes | None:
        program = self._program(target)
        with tempfile.TemporaryDirectory(prefix="catalog-state-") as name:
            place = Path(name)
            if isinstance(declaration, str):
                (place / "backend.tf").write_text(declaration, "utf-8")
            else:
                (place / "backend.tf.json").write_text(json.dumps({"terraform": declaration}), "utf-8")
            terraform = _Terraform(program, place, self._variables(target, place))
            terraform.run("init", "-input=false", "-no-color")
            workspace = _workspace(target)
            if workspace != "default" and workspace not in terraform.run("workspace", "list").decode().replace("*", " ").split():
                return None
            return terraform.run("state", "pull", workspace=workspace) or None

    def _variables(self, target: Target, place: Path) -> dict[str, str]:
        section = target.entry.get("env")
        own = {name: str(value) for name, value in section.items() if value is not None} if isinstance(section, dict) else {}
        return {
            **self.environment,
            **own,
            "TF_DATA_DIR": str(place / ".terraform"),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }


@dataclass(frozen=True, slots=True)
class _Terraform:
    program: str
    directory: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str, workspace: str = "") -> bytes:
        environment = {name: value for name, value in self.environment.items() if name != "TF_WORKSPACE"}
        if workspace:
            environment["TF_WORKSPACE"] = workspace
        try:
            done = subprocess.run(
                [self.program, *arguments],
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EstateError(f"terraform {arguments[0]} failed: {error}", code="STATE") from error
        if done.returncode != 0:
            said = " ".join(done.stderr.decode("utf-8", "replace").split())
            raise EstateError(f"terraform {arguments[0]} failed: exit status {done.returncode} {said}", code="STATE")
        return done.stdout


def _has_workdir(target: Target) -> bool:
    provision = target.entry.get("provision")
    workdir = provision.get("workdir") if isinstance(provision, dict) else None
    return isinstance(workdir, dict) and workdir.get("enabled") is True


def _workspace(target: Target) -> str:
    return str(target.entry.get("workspace") or "default")


def _settings(target: Target) -> dict[str, Any]:
    settings = target.entry.get("backend")
    return settings if isinstance(settings, dict) else {}


def _local_place(workspace: str) -> str:
    return _DEFAULT_FILE if workspace == "default" else f"{_DEFAULT_FILE}.d/{workspace}/{_DEFAULT_FILE}"


def _local_path(settings: Mapping[str, Any], workspace: str) -> str:
    """Where terraform itself keeps a local state: a configured path is the default workspace's."""
    if workspace == "default":
        return str(settings.get("path") or _DEFAULT_FILE)
    return f"{settings.get('workspace_dir') or f'{_DEFAULT_FILE}.d'}/{workspace}/{_DEFAULT_FILE}"


def _content(path: Path) -> bytes | None:
    path = Path(
        os.path.normpath(path)
    )  # a working directory that isn't there yet is still the start of a path that leads out of it
    if not path.is_file():
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise EstateError(f"error reading file.\npath: `{path}`\nerror: {error}", code="STATE") from error


def _declared(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"cloud": settings} if kind == "cloud" else {"backend": {kind: settings}}


def _written(directory: Path) -> Mapping[str, Any] | str:
    """Return the backend that the code declares, without the code: HCL of one block, or what a JSON file says."""
    for path in sorted(directory.glob("*.tf.json")):
        try:
            section = json.loads(path.read_bytes()).get("terraform") or {}
        except (OSError, ValueError, AttributeError):
            continue
        section = section[0] if isinstance(section, list) and section else section
        wanted = {name: section[name] for name in ("backend", "cloud") if isinstance(section, dict) and name in section}
        if wanted:
            return wanted
    for path in sorted(directory.glob("*.tf")):
        text = path.read_text("utf-8", "replace")
        block = _BLOCK.search(text)
        if block is not None:
            return f"terraform {{\n{text[block.start() : _end(text, block.end())]}\n}}\n"
    return {}


def _end(text: str, position: int) -> int:
    """Where the block ends whose brace was opened just before the position."""
    depth = 1
    for found in re.finditer(r'"(?:[^"\\\n]|\\.)*"|[{}]', text[position:]):
        depth += {"{": 1, "}": -1}.get(found.group(), 0)
        if depth == 0:
            return position + found.end()
    return len(text)
