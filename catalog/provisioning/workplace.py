"""Where an executor works: a private clone of the estate with the request's files in it, gone when the step is.

Everything below it is readable by its owner alone (plan files and variable files hold values in the clear). State lies elsewhere,
under the home's `state/`, never in a clone.
"""

from __future__ import annotations

import asyncio
import posixpath
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.config import Config
from catalog.errors import Invalid
from catalog.executors import Applied, Approved, Executor, Identity, Job, Plan
from catalog.provisioning import affected, head, plans
from catalog.provisioning.affected import Affected, Key
from catalog.provisioning.head import Drawn
from catalog.provisioning.log import StepLog
from catalog.records import Estate
from catalog.stacks import varfile
from catalog.stacks.resolved import ResolvedInstance

# Values that only applying something else, or asking outside, could give.
_LOOKED_UP = ("!terraform.", "!store", "!secret", "!exec", "!aws.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a workplace is made for: the configuration, the estate, the drawn request, what it touches, and how secrets are hidden.

    `sensitive` names the variables whose values no log may show, `started` is told each process before it begins to work.
    """

    config: Config
    estate: Estate
    executor: Executor
    drawn: Drawn
    touched: Sequence[Affected]
    request_id: str
    redaction_key: bytes = field(repr=False)
    sensitive: frozenset[str]
    started: Callable[[Identity], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """A clone below `directory`, and the instances to work on by dependency level."""

    place: Place
    directory: Path
    levels: tuple[tuple[Key, ...], ...]
    instances: Mapping[Key, ResolvedInstance]

    async def plan(self, log: StepLog) -> list[dict[str, Any]]:
        """Plan every level; return them as canonical JSON. Nothing where the executor can't plan."""
        if not self.place.executor.can_plan:
            return []
        return [plans.level([(key, await self._plan_one(key, log)) for key in keys]) for keys in self.levels]

    async def _plan_one(self, key: Key, log: StepLog) -> Plan:
        await log.say(f"planning {plans.name_of(key)}")
        return await self.place.executor.plan(self._job(key), log)

    async def apply_one(self, key: Key, approved: Approved | None, log: StepLog) -> Applied:
        """Plan one instance afresh and apply exactly that; raises PlanChanged when it isn't what was approved."""
        await log.say(f"applying {plans.name_of(key)}")
        return await self.place.executor.apply(self._job(key), log, approved)

    def _job(self, key: Key) -> Job:
        instance, place = self.instances[key], self.place
        sections = instance.sections
        _check_values(plans.name_of(key), sections.get("vars") or {})
        base = place.drawn.overlay.after.component_base_paths.get(instance.type, f"components/{instance.type}")
        private = self.directory / "private" / f"{instance.stack}-{instance.name}".replace("/", "-")
        private.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Job(
            checkout=self.directory / "estate",
            component_path=posixpath.normpath(posixpath.join(place.estate.directory, varfile.working_directory(instance, base))),
            component=instance.name,
            stack=instance.stack,
            workspace=varfile.workspace(instance) or None,
            varfile=varfile.varfile(instance)[0],
            private=private,
            state=place.config.state / place.estate.name,
            redaction_key=place.redaction_key,
            vars=sections.get("vars") or {},
            env=sections.get("env") or {},
            backend=sections.get("backend") or {},
            backend_type=sections.get("backend_type") or None,
            command=sections.get("command") or None,
            sensitive=place.sensitive,
            secret_keys=place.config.secret_keys,
            started=place.started,
        )


@asynccontextmanager
async def opened(place: Place) -> AsyncIterator[Workplace]:
    """Lend a workplace. What an earlier, interrupted worker left of this request's is removed first."""
    keys = [one.key for one in place.touched if not one.deleted and one.type == "terraform"]
    if not keys:
        raise Invalid("nothing of this request is a terraform component", hint="this version applies terraform components only")
    directory = place.config.home / "work" / place.request_id
    await asyncio.to_thread(_clone, directory, place.estate, place.drawn)
    after = place.drawn.overlay.after
    try:
        yield Workplace(
            place=place, directory=directory, levels=affected.levels(keys, after.dependencies), instances=affected.by_key(after)
        )
    finally:
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)


def _clone(directory: Path, estate: Estate, drawn: Drawn) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700, parents=True)
    checkout = head.repository(estate).checkout(drawn.base or "HEAD", directory / "estate")
    for path, content in drawn.overlay.changes.items():
        file = checkout / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def _check_values(name: str, value: Any, path: str = "vars") -> None:
    """Refuse values that are not known before something else is applied or asked."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check_values(name, item, f"{path}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _check_values(name, item, f"{path}[{number}]")
    elif isinstance(value, str) and value.startswith(_LOOKED_UP):
        raise Invalid(f"{name}: {path} is {value.split(' ')[0]}, which this version can't look up", hint="give it a value")
    elif isinstance(value, str) and "{{" in value and "}}" in value:
        # Applied as it is written it would be wrong wherever templates are switched on, and nobody renders them yet.
        raise Invalid(f"{name}: {path} is a template, which this version does not render", hint="give it a value")
    elif value is not None and not isinstance(value, (str, int, float)):
        raise Invalid(f"{name}: {path} is a {type(value).__name__}, which is no value yet", hint="give it a value")
