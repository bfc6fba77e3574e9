"""What functions and templates of an estate may ask when a command reads it: everything that Atmos would look up.

Scripts run in the working directory with the process' environment; git and terraform are the programs on PATH.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalog.cli import datasources, downloads
from catalog.cli.masking import Mask
from catalog.cli.states import States
from catalog.errors import EstateError, UnknownStore
from catalog.stacks import outputs
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.lookup import MASK, Target

_SCP = re.compile(r"(?:[^@/\s]+@)?(?P<host>[^:/\s]+):(?P<path>.+)")
_URL = re.compile(r"[a-z+]+://(?:[^@/]*@)?(?P<host>[^:/]+)(?::\d+)?/(?P<path>.+)")


class World:
    """Answers as Atmos would, for one estate: `root` is its tree's, `directory` the working directory.

    `mask` learns the secrets that come by, for what is printed. What is asked twice is looked up once.
    """

    def __init__(self, root: Path, directory: Path, environment: Mapping[str, str]) -> None:
        self.mask = Mask(environment)
        self._root = root
        self._directory = directory
        self._environment = environment
        self._stores: Mapping[str, Any] = {}
        self._states = States(base=directory, code=directory, generates_backend=False, environment=environment)
        self._shells = ("bash", "sh")
        self._facts: dict[str, str] = {}
        self._outputs: dict[tuple[str, str], Mapping[str, Any] | None] = {}
        self._read: dict[tuple[str, str], Mapping[str, Any] | None] = {}

    def configured(self, config: AtmosConfig) -> None:
        """Learn the estate's configuration."""
        base = self._root / config.base_path
        variable = self._environment.get("ATMOS_COMPONENTS_TERRAFORM_AUTO_GENERATE_BACKEND_FILE")
        written = config.get("components", "terraform", "auto_generate_backend_file", otherwise=False)
        self._stores = config.get("stores", otherwise={}) or {}
        self._states = States(
            base=base,
            code=base / config.component_base_path("terraform"),
            generates_backend=str(variable or written).lower() == "true",
            environment=self._environment,
        )

    def environment(self) -> Mapping[str, str]:
        """The variables of the process."""
        return self._environment

    def execute(self, script: str, function: str) -> str:
        """Run a script; Atmos' own shell understands what bash does."""
        del function
        path = self._environment.get("PATH")
        shell = next((found for found in (shutil.which(name, path=path) for name in self._shells) if found), "/bin/sh")
        level = self._environment.get("ATMOS_SHLVL", "0")
        done = subprocess.run(
            [shell, "-c", script],
            cwd=self._directory,
            env={**self._environment, "ATMOS_SHLVL": str(int(level) + 1 if level.isdigit() else 1)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
        )
        if done.returncode != 0:
            raise EstateError(f"subcommand exited with code {done.returncode}", code="EXEC")
        return done.stdout.decode("utf-8", "replace")

    def outputs(self, target: Target) -> Mapping[str, Any] | None:
        """What `terraform output` prints in the component's directory; nothing for one that is abstract or not enabled."""
        key = (target.component, target.stack)
        if key not in self._outputs:
            self._outputs[key] = self._outputs_of(target)
        return self._outputs[key]

    def _outputs_of(self, target: Target) -> Mapping[str, Any]:
        metadata, variables = target.entry.get("metadata"), target.entry.get("vars")
        if isinstance(metadata, dict) and metadata.get("type") == "abstract":
            return {}
        if isinstance(variables, dict) and variables.get("enabled") is False:
            return {}
        try:
            content = self._states.as_terraform_reads(target) or b""
            found = outputs.read_state(content) or {}
        except EstateError as error:
            raise EstateError(f"failed to retrieve terraform outputs: {error.message}", code="STATE") from error
        for value in outputs.read_sensitive(content):
            self.mask.learn(value)
        return found

    def state(self, target: Target) -> Mapping[str, Any] | None:
        """The outputs in a component's state, from the backend that the manifests name."""
        key = (target.component, target.stack)
        if key not in self._read:
            content = self._states.as_atmos_reads(target)
            self._read[key] = None if content is None else outputs.read_state(content)
        return self._read[key]

    def git(self, fact: str) -> str:
        """Ask git about the repository that holds the working directory."""
        if fact not in self._facts:
            self._facts[fact] = self._fact(fact)
        return self._facts[fact]

    def _fact(self, fact: str) -> str:
        root = self._git("rev-parse", "--show-toplevel")
        if root is None:
            missing = "repository does not exist"
            if fact in {"root", "sha", "branch"}:
                missing = f"local repo unavailable: failed to get local repository: {missing}"
            else:
                missing = f"failed to get local repository: {missing}"
            raise EstateError(missing, code="GIT")
        if fact == "root":
            return root
        if fact in {"sha", "branch"}:
            return self._head(fact)
        remote = self._git("remote", "get-url", "origin") or self._first_remote()
        if not remote or fact == "url":
            return remote
        host, owner, name = _parts(remote)
        return {"host": host, "owner": owner, "name": name, "repository": f"{owner}/{name}" if owner and name else ""}[fact]

    def _head(self, fact: str) -> str:
        commit = self._git("rev-parse", "--verify", "HEAD")
        if commit is None:
            raise EstateError("HEAD not found: failed to get HEAD reference: reference not found", code="GIT")
        if fact == "sha":
            return commit
        branch = self._git("symbolic-ref", "--short", "-q", "HEAD")
        if not branch:
            raise EstateError("git HEAD is detached", code="GIT")
        return branch

    def _first_remote(self) -> str:
        names = (self._git("remote") or "").split()
        return (self._git("remote", "get-url", min(names)) or "") if names else ""

    def _git(self, *arguments: str) -> str | None:
        program = shutil.which("git", path=self._environment.get("PATH"))
        if program is None:
            return None
        done = subprocess.run(
            [program, *arguments],
            cwd=self._directory,
            env={**self._environment, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None

    def aws(self, fact: str) -> str:
        """Fail as Atmos does without an account: this program logs in nowhere."""
        words = "failed to describe AWS organization" if fact == "organization_id" else "failed to get AWS caller identity"
        raise EstateError(f"{words}: !aws.{fact} needs an account, and none is asked here", code="AWS")

    def secret(self, text: str) -> Any:
        """Mask it, without asking for its value."""
        del text
        return MASK

    def store(self, name: str, path: tuple[str, ...], function: str) -> Any:
        """Refuse: stores are known by name, none is read."""
        del path
        settings = self._stores.get(name)
        if settings is None:
            raise UnknownStore(f"invalid template function: {function}\nstore '{name}' not found")
        if isinstance(settings, dict) and settings.get("secret") is True:
            words = f'store is a secret store; use !secret instead of !store: store "{name}" (in {function})'
            raise EstateError(words, code="STORE")
        raise KeyError("stores are not read here")

    def emulator(self, reference: str, key: str, stack: str) -> Any:
        """Fail as Atmos does where no emulator runs."""
        del key
        words = f'resolve emulator "{reference}": emulator is not running: {reference} in stack {stack}'
        raise EstateError(words, code="EMULATOR")

    def fetch(self, address: str) -> bytes:
        """Download a file."""
        return downloads.fetch(address).content

    def file(self, path: str) -> bytes | None:
        """Read a file outside the tree, where Atmos would."""
        try:
            return (self._root / path).read_bytes()
        except OSError:
            return None

    def has_directory(self, path: str) -> bool:
        """Look for a directory outside the tree."""
        return (self._root / path).is_dir()

    def datasource(self, alias: str, address: str, arguments: tuple[str, ...]) -> Any:
        """Read a datasource, relative to the working directory."""
        return datasources.read(alias, address, arguments, self._directory, self._environment)


def _parts(remote: str) -> tuple[str, str, str]:
    """Return host, owner and name of a remote's address; raises EstateError for one that names no host."""
    found = _URL.fullmatch(remote) or (_SCP.fullmatch(remote) if "://" not in remote else None)
    segments = found["path"].strip("/").removesuffix(".git").split("/") if found else []
    if found is None or len(segments) < 2 or remote.startswith(("/", ".")):
        raise EstateError("failed to get repository info: repository host '' not supported", code="GIT")
    host = found["host"]
    if host.endswith("dev.azure.com"):
        segments = [segment for segment in segments if segment not in {"_git", "v3"}]
        return host, segments[0], segments[-1]
    if host == "gitlab.com":
        return host, "/".join(segments[:-1]), segments[-1]
    return host, segments[0], "/".join(segments[1:])
