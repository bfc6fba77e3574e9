"""What every executor does: for a job, say what would change (a plan) and make it so (an apply)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from catalog.config import DEFAULT_SECRET_KEYS
from catalog.executors.supervise import Identity


class LogSink(Protocol):
    """Takes log lines one by one, secrets masked; `stream` is a `records.LogStream` as text."""

    async def __call__(self, stream: str, text: str) -> None:
        """Take one line."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One component instance to plan or apply.

    `checkout` is the root of a private clone of the estate and `component_path` the code's directory in it (as Atmos composes it:
    base path and physical component). `vars`, `env`, `backend`, `backend_type` and `command` are the resolved sections; `varfile`
    is Atmos' name for the file with the variables. `private` is a directory of this worker in which everything secret lies
    while the job runs, `state` the directory of this estate's local states. `sensitive` names variables whose values no log
    line may show, `redaction_key` keys the hashes that stand for secrets in plans. `started` is told the process of an apply
    before it begins to work.
    """

    checkout: Path
    component_path: str
    component: str
    stack: str
    workspace: str | None
    private: Path
    state: Path
    redaction_key: bytes = field(repr=False)
    vars: Mapping[str, Any] = field(default_factory=dict, repr=False)
    env: Mapping[str, Any] = field(default_factory=dict, repr=False)
    backend: Mapping[str, Any] = field(default_factory=dict, repr=False)
    backend_type: str | None = None
    command: str | None = None
    varfile: str | None = None
    destroy: bool = False
    sensitive: frozenset[str] = frozenset()
    secret_keys: str = DEFAULT_SECRET_KEYS
    started: Callable[[Identity], Awaitable[None]] | None = None

    @property
    def directory(self) -> Path:
        """The code's directory."""
        return self.checkout / self.component_path

    @property
    def varfile_name(self) -> str:
        """The name of the file with the variables."""
        return self.varfile or f"{self.stack}-{self.component.replace('/', '-')}.terraform.tfvars.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would change, canonical and redacted: equal intentions give equal plans and digests, whenever and wherever made.

    Each change is {address, action, before, after}; `action` is create, update, replace, delete or forget. Outputs are changes
    too, with addresses `output.NAME`; they are not counted. A secret is {"$redacted": keyed hash}, what is known only after the
    apply {"$unknown": true}. `serial` and `lineage` are the state's that it was made from; None when there is no state yet.
    """

    changes: tuple[Mapping[str, Any], ...]
    create: int
    update: int
    replace: int
    delete: int
    digest: str
    resource_types: tuple[str, ...]
    serial: int | None = None
    lineage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """The plan that an approval was given for: its digest, and its changes to say what differs."""

    digest: str
    changes: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What came of an apply: outputs, sensitive ones redacted, and the state's serial and lineage. `plan` is what was applied."""

    outputs: Mapping[str, Any]
    serial: int | None
    lineage: str | None
    plan: Plan | None = None


class Executor(Protocol):
    """Something that can change the world. Failures raise Unavailable, with codes such as PLAN_FAILED and APPLY_FAILED."""

    name: str
    can_plan: bool
    reason: str | None  # why this one serves instead of the one that was asked for

    async def plan(self, job: Job, log: LogSink) -> Plan:
        """Say what would change; changes nothing."""
        ...

    async def apply(self, job: Job, log: LogSink, approved: Approved | None = None) -> Applied:
        """Plan afresh and apply exactly that; raises PlanChanged when it isn't what was approved."""
        ...
