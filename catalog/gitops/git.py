"""Runs the git program: arguments in, bytes out, its failures as our errors, and no credential in any message."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from catalog.errors import Unavailable

# Long enough for a clone over a slow line; a dead one is noticed after 30 s by http.lowSpeedTime.
NETWORK_SECONDS = 600
LOCAL_SECONDS = 120

_USER_INFO = re.compile(r"(\w[\w+.-]*://)[^/@\s]+@")


class GitFailed(Exception):
    """git ended with a status other than 0; `reason` is what it said, without credentials."""

    def __init__(self, arguments: Sequence[str], status: int, reason: str) -> None:
        super().__init__(f"git {arguments[0]} failed with status {status}: {reason}")
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """The git program for one repository.

    `environment` is added to the clean environment that git gets (an SSH agent's socket, say); `secrets` are texts that no
    message may hold.
    """

    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        index: Path | None = None,
        extra: Mapping[str, str] | None = None,
        seconds: float = LOCAL_SECONDS,
    ) -> bytes:
        """Run one command and return what it printed; raises Unavailable when it fails, when there is no git or no answer."""
        try:
            return self.attempt(*arguments, stdin=stdin, index=index, extra=extra, seconds=seconds)
        except GitFailed as error:
            raise self.unavailable(error) from error

    def attempt(
        self,
        *arguments: str,
        stdin: bytes = b"",
        index: Path | None = None,
        extra: Mapping[str, str] | None = None,
        seconds: float = LOCAL_SECONDS,
    ) -> bytes:
        """Run one command whose failure is an answer too: raises GitFailed with git's reason instead of Unavailable."""
        environment = {**self.child_environment(), **(extra or {})}
        if index is not None:
            environment["GIT_INDEX_FILE"] = str(index)
        command = [program(), *arguments]
        try:
            done = subprocess.run(command, input=stdin, capture_output=True, env=environment, timeout=seconds, check=False)
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"git {arguments[0]} did not answer within {seconds:.0f} s") from error
        except OSError as error:
            raise Unavailable(f"git can't be started: {error.strerror or error}") from error
        if done.returncode != 0:
            raise GitFailed(arguments, done.returncode, self.redact(done.stderr.decode("utf-8", "replace").strip()))
        return done.stdout

    def revision(self, expression: str) -> str | None:
        """The full id that an expression such as `main^{commit}` names, or None."""
        try:
            return self.attempt("rev-parse", "--quiet", "--verify", "--end-of-options", expression).decode().strip()
        except GitFailed:
            return None

    def unavailable(self, error: GitFailed) -> Unavailable:
        """A failure as the error that leaves this room."""
        hint = "check the address, the credentials and whether the branch may be pushed to"
        return Unavailable(f"{self.directory.name}: {error}", hint=hint)

    def child_environment(self) -> dict[str, str]:
        """The whole environment of a git process: its repository, our configuration, and nothing of whoever started us."""
        return {
            "PATH": os.pathsep.join((str(Path(program()).parent), os.defpath)),
            "LC_ALL": "C.UTF-8",
            "GIT_DIR": str(self.directory),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(Path(__file__).with_name("gitconfig")),
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",
            "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
            "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
            **self.environment,
        }

    def redact(self, text: str) -> str:
        """The text without what follows `://` and ends at `@`, and without the secrets we hold."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return _USER_INFO.sub(r"\1***@", text)


def program() -> str:
    """Return the path of the git program; raises Unavailable when there is none."""
    found = shutil.which("git")
    if found is None:
        raise Unavailable("there is no git on PATH", hint="install git 2.32 or newer")
    return found
