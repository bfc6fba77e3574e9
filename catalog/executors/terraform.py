"""The built-in executor: variables, backend and workspace made as Atmos does, then terraform (or tofu) itself.

In comes a job; out go a canonical plan, or what an apply left in the state. Nothing is written beside the code but, while the job
runs, one override file with the backend; states of the local backend lie below the job's state directory, everything else in a
private directory that is removed. Jobs of one checkout run one after the other.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from catalog.errors import Invalid, NotFound, PlanChanged, Unavailable
from catalog.executors import backend, environment, log_lines, planning, private, supervise
from catalog.executors.executor import Applied, Approved, Executor, Job, LogSink, Plan

_LOCK_TIMEOUT = "-lock-timeout=60s"
# Exit codes of `plan -detailed-exitcode`.
_NO_CHANGES, _CHANGES = 0, 2


class Terraform:
    """Runs one program, terraform or tofu, with what it needs of the process' environment."""

    name = "terraform"
    can_plan = True

    def __init__(self, program: str, process_environment: Mapping[str, str]) -> None:
        self.reason: str | None = None
        self._program = program
        self._environment = process_environment

    async def plan(self, job: Job, log: LogSink) -> Plan:
        """Say what would change; changes nothing but an empty workspace where there was none."""
        async with self._run(job, log) as run:
            plan, _ = await run.plan()
            return plan

    async def apply(self, job: Job, log: LogSink, approved: Approved | None = None) -> Applied:
        """Plan afresh, refuse what isn't as approved, apply exactly the rest; raises PlanChanged before anything has changed."""
        async with self._run(job, log) as run:
            plan, has_changes = await run.plan()
            if approved is not None and approved.digest != plan.digest:
                raise _changed(job, approved, plan)
            if has_changes:
                await run.apply()
            outputs, serial, lineage = await run.state()
            return Applied(outputs=outputs, serial=serial, lineage=lineage, plan=plan)

    @contextlib.asynccontextmanager
    async def _run(self, job: Job, log: LogSink) -> AsyncIterator[_Run]:
        if not job.directory.resolve().is_relative_to(job.checkout.resolve()) or not job.directory.is_dir():
            raise NotFound(f"component {job.component!r} points to {job.component_path!r}, which does not exist in the estate")
        with private.directory(job.private) as directory, _backend_beside(job) as settings:
            run = _Run(
                self._choose_program(job), job, log, directory, environment.compose(job, self._environment, directory / "data")
            )
            await run.prepare(settings)
            yield run

    def _choose_program(self, job: Job) -> str:
        """The component's own `command`, except that tofu serves for terraform, which every component says by default."""
        if job.command in (None, "", "terraform", Path(self._program).name):
            return self._program
        found = shutil.which(str(job.command), path=self._environment.get("PATH"))
        if found is None:
            raise Unavailable(f"component {job.component!r} asks for {job.command!r}, which is not on PATH", code="NO_PROGRAM")
        return found


class _Run:
    """One job's run in its private directory."""

    def __init__(self, program: str, job: Job, log: LogSink, directory: Path, variables: Mapping[str, str]) -> None:
        self._program = program
        self._job = job
        self._log = log
        self._private = directory
        self._environment = variables
        self._mask = log_lines.Mask(_secrets(job))
        self._redactor = planning.Redactor(job.redaction_key, job.secret_keys)
        self._plan_file = directory / "plan"

    async def prepare(self, settings: Mapping[str, Any] | None) -> None:
        """Write the variables, initialise, and enter the workspace."""
        private.write_secret(self._varfile, _variables(self._job))
        arguments = ["-no-color", "-reconfigure"]
        if settings is not None:
            private.write_secret(self._private / "backend.json", settings)
            arguments.append(f"-backend-config={self._private / 'backend.json'}")
        await self._call("init", *arguments)
        if self._job.workspace not in (None, "", "default"):
            assert self._job.workspace is not None
            await self._call("workspace", "select", "-no-color", "-or-create", self._job.workspace)

    @property
    def _varfile(self) -> Path:
        return self._private / self._job.varfile_name

    async def plan(self) -> tuple[Plan, bool]:
        """Plan into the plan file; return the canonical plan, and whether there is anything to apply."""
        serial, lineage, _ = await self._read_state()
        arguments = ["-json", "-detailed-exitcode", _LOCK_TIMEOUT, f"-var-file={self._varfile}", f"-out={self._plan_file}"]
        arguments += ["-destroy"] if self._job.destroy else []
        code = await self._call("plan", *arguments, fine=(_NO_CHANGES, _CHANGES))
        document = await self._read("show", "-json", str(self._plan_file))
        self._mask.learn(planning.secrets_of(document))
        return planning.canonical(document, self._job, serial=serial, lineage=lineage), code == _CHANGES

    async def apply(self) -> None:
        """Apply the plan file, telling the job's caller the process before it begins."""
        await self._call("apply", "-json", _LOCK_TIMEOUT, str(self._plan_file))

    async def state(self) -> tuple[dict[str, Any], int | None, str | None]:
        """Return the outputs, redacted, and the state's serial and lineage."""
        serial, lineage, outputs = await self._read_state()
        shown = {}
        for name, output in sorted(outputs.items()):
            value = output.get("value")
            hide = bool(output.get("sensitive")) or self._redactor.is_secret(name, value)
            shown[name] = self._redactor.value(value, sensitive=hide)
        return shown, serial, lineage

    async def _read_state(self) -> tuple[int | None, str | None, Mapping[str, Any]]:
        document = await self._read("state", "pull")
        return document.get("serial"), document.get("lineage"), document.get("outputs") or {}

    async def _read(self, *arguments: str) -> dict[str, Any]:
        """Run a command that only reads and return its JSON; nothing at all is an empty document."""
        command = [self._program, *arguments]
        code, output, said = await supervise.capture(command, directory=self._job.directory, environment=self._environment)
        if code != 0:
            raise self._failure(arguments[0], code, said)
        document = json.loads(output or "{}")
        return document if isinstance(document, dict) else {}

    async def _call(self, verb: str, *arguments: str, fine: Iterable[int] = (0,)) -> int:
        """Run a command, its lines to the log; raises Unavailable with terraform's own words when it fails."""
        errors: list[str] = []

        async def on_line(stream: str, text: str) -> None:
            error = log_lines.error_of(text) or (text[7:] if text.startswith("Error: ") else None)
            if error is not None:
                errors.append(error)
            is_error, lines = log_lines.read(text)
            for line in lines:
                await self._log("STDERR" if is_error or stream == "stderr" else "STDOUT", self._mask(line))

        async def started(identity: supervise.Identity) -> None:
            private.own(self._private, identity)
            if verb == "apply" and self._job.started is not None:
                await self._job.started(identity)

        command = [self._program, verb, *arguments]
        code = await supervise.run(
            command, directory=self._job.directory, environment=self._environment, on_line=on_line, started=started
        )
        if code not in fine:
            raise self._failure(verb, code, "; ".join(errors))
        return code

    def _failure(self, verb: str, code: int, said: str) -> Unavailable:
        text = self._mask(" ".join(said.split())) or f"exit code {code}"
        hint = next((hint for pattern, hint in _HINTS if re.search(pattern, text)), None)
        return Unavailable(f"{Path(self._program).name} {verb} failed: {text}", code=f"{verb.upper()}_FAILED", hint=hint)


_HINTS = (
    ("acquiring the state lock", "another run holds the state; try again when it has ended"),
    ("Failed to (query available|install) provider", "providers are downloaded from their registry; is it reachable?"),
)


@contextlib.contextmanager
def _backend_beside(job: Job) -> Iterator[Mapping[str, Any] | None]:
    """Keep the backend's override file beside the code meanwhile; give the settings for `-backend-config`, if any."""
    decided = backend.decide(job)
    override = job.directory / backend.OVERRIDE
    if decided.override is not None:
        private.write_secret(override, decided.override)
    try:
        yield decided.settings
    finally:
        override.unlink(missing_ok=True)


def _variables(job: Job) -> Mapping[str, Any]:
    """The variables as they go into the varfile; raises where one has no value yet."""
    for name, value in job.vars.items():
        if isinstance(value, Mapping) and set(value) == {"$ref"}:
            raise Unavailable(
                f"variable {name!r} of {job.component!r} refers to {value['$ref']!r}, and no secret store is configured",
                code="UNRESOLVED_REFERENCE",
            )
    try:
        json.dumps(job.vars)
    except (TypeError, ValueError) as error:
        raise Invalid(f"the variables of {job.component!r} hold a value that is only known elsewhere: {error}") from error
    return job.vars


def _secrets(job: Job) -> set[str]:
    """What is secret before terraform has said a word: sensitive variables, and values under names that tell of secrets."""
    pattern = re.compile(job.secret_keys, re.IGNORECASE)
    found = {text for name in job.sensitive for text in planning.texts(job.vars.get(name))}
    for section in (job.vars, job.env, job.backend):
        found.update(_named_secrets(section, pattern))
    return found


def _named_secrets(value: Any, pattern: re.Pattern[str]) -> Iterable[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from planning.texts(item) if pattern.search(str(key)) else _named_secrets(item, pattern)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _named_secrets(item, pattern)


def _changed(job: Job, approved: Approved, plan: Plan) -> PlanChanged:
    return PlanChanged(
        f"what would happen to {job.component} in {job.stack} is no longer what was approved",
        approved=approved.digest,
        current=plan.digest,
        difference=planning.difference(approved.changes, plan.changes),
        hint="look at the new plan and approve it, or reject the request",
    )


_: type[Executor] = Terraform
