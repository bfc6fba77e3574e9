"""The shipped fake: renders what would be done, changes nothing and says so. Also serves where no terraform is found."""

from __future__ import annotations

import shlex

from catalog.executors import planning
from catalog.executors.executor import Applied, Approved, Executor, Job, LogSink, Plan


class DryRun:
    """An executor that changes nothing. `reason` says why it serves when something else was asked for."""

    name = "dry_run"
    can_plan = False

    def __init__(self, *, reason: str | None = None) -> None:
        self.reason = reason

    async def plan(self, job: Job, log: LogSink) -> Plan:
        """Say what terraform would be called with; the plan is empty, for nothing is known."""
        await self._say(job, log, "plan")
        return planning.canonical({}, job)

    async def apply(self, job: Job, log: LogSink, approved: Approved | None = None) -> Applied:
        """Say what terraform would be called with; there is nothing to compare with what was approved."""
        del approved
        await self._say(job, log, "destroy" if job.destroy else "apply")
        return Applied(outputs={}, serial=None, lineage=None)

    async def _say(self, job: Job, log: LogSink, verb: str) -> None:
        because = f" ({self.reason})" if self.reason else ""
        command = shlex.join([job.command or "terraform", verb, "-var-file", job.varfile_name])
        await log("SYSTEM", f"dry run{because}: nothing is executed and nothing changes")
        await log("SYSTEM", f"would run `{command}` in {job.component_path}, workspace {job.workspace or 'default'}")
        await log("SYSTEM", f"with the variables {', '.join(sorted(job.vars)) or '(none)'}")


_: type[Executor] = DryRun
