"""What advancing a request needs from outside, handed in by the worker: neighbours don't import each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.config import Config
from catalog.executors import Executor, Identity, is_alive, supervise
from catalog.notifications import Channel
from catalog.provisioning.lifecycle import Move, StepMove
from catalog.provisioning.log import StepLog
from catalog.records import ProvisioningRequest, RequestStep
from catalog.store.database import Database
from catalog.store.requests import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One worker: its database and configuration, executors by name, the re-index of an estate (name, revision), and a channel.

    `redaction_key` keys the hashes that stand for secrets in plans, as it does in what is indexed. `active` holds the ids of the
    requests that this process is advancing now.
    """

    database: Database
    config: Config
    executor_for: Callable[[str], Executor]
    reindex: Callable[[str, str | None], Awaitable[None]]
    channel: Channel
    redaction_key: bytes = field(repr=False)
    process: Identity = field(default_factory=supervise.identity)
    active: set[str] = field(default_factory=set)


def intent(process: Identity, **more: Any) -> dict[str, Any]:
    """Return what a step's row says of who carries it out, and of how far it is."""
    return {"host": process.host, "pid": process.pid, "start": process.start_time, **more}


def lives(said: Mapping[str, Any] | None) -> bool:
    """Whether the process that an intent names still runs here. One of another host counts as gone: it has let go of its locks."""
    return said is not None and is_alive(said["host"], said["pid"], said["start"]) is True


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One step being carried out: the rows as they were when it started, its log, and the hold on its request."""

    context: Context
    held: Hold
    request: ProvisioningRequest
    step: RequestStep
    log: StepLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a step came to: the step's move, what is said, and what changes in the request with it.

    `ends` moves the request too. `reopens` sends it back to its gate, with every approval void: what was approved is no longer what
    would happen; `difference` says how.
    """

    move: StepMove
    summary: str | None = None
    error: str | None = None
    hint: str | None = None
    result: Mapping[str, Any] | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    ends: Move | None = None
    reopens: bool = False
    difference: tuple[str, ...] = ()
