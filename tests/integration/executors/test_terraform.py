"""The built-in executor, with the real terraform and a component that needs no cloud."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from catalog import executors
from catalog.errors import NotFound, PlanChanged, Unavailable
from catalog.executors import Approved, Executor, Job

pytestmark = pytest.mark.terraform

MAIN = """
variable "tags" {
  type    = map(string)
  default = {}
  validation {
    condition     = !contains(keys(var.tags), "forbidden")
    error_message = "No forbidden tags."
  }
}
variable "password" {
  type      = string
  sensitive = true
}
variable "command" {
  type    = string
  default = "true"
}
resource "terraform_data" "network" {
  input = { tags = var.tags, password = var.password }
}
resource "terraform_data" "setup" {
  triggers_replace = var.command
  provisioner "local-exec" { command = var.command }
}
output "tags" { value = var.tags }
output "connection" {
  value     = "db://admin:${var.password}@here"
  sensitive = true
}
"""

WORKER = """
import asyncio, pathlib, pickle, sys
from catalog import executors
async def log(stream, text): pass
job = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())
asyncio.run(executors.choose("terraform").apply(job, log))
"""


class Lines:
    """A log that is kept, and tells when a line with some text has come."""

    def __init__(self, awaited: str = "") -> None:
        self.kept: list[tuple[str, str]] = []
        self.came = asyncio.Event()
        self._awaited = awaited

    async def __call__(self, stream: str, text: str) -> None:
        self.kept.append((stream, text))
        if self._awaited and self._awaited in text:
            self.came.set()

    @property
    def text(self) -> str:
        return "\n".join(text for _, text in self.kept)


@pytest.fixture
def terraform() -> Executor:
    if shutil.which("terraform") is None and shutil.which("tofu") is None:
        pytest.skip("neither terraform nor tofu is on PATH")
    return executors.choose("terraform")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    directory = tmp_path / "estate/components/terraform/network"
    directory.mkdir(parents=True)
    (directory / "main.tf").write_text(MAIN)
    return Job(
        checkout=tmp_path / "estate",
        component_path="components/terraform/network",
        component="network",
        stack="fnx-dev",
        workspace="fnx-dev",
        private=tmp_path / "private",
        state=tmp_path / "state",
        redaction_key=b"0" * 32,
        backend_type="local",
        backend={"path": "terraform.tfstate"},
        vars={"tags": {"team": "platform"}, "password": "hunter2hunter2"},
        sensitive=frozenset({"password"}),
    )


def state_of(job: Job) -> dict[str, Any]:
    path = job.state / "components/terraform/network/workspaces/fnx-dev/terraform.tfstate"
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def files(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


async def test_a_plan_says_what_would_change_and_changes_nothing(terraform: Executor, job: Job) -> None:
    """The plan of a new instance creates its resources; no state and no file comes of it."""
    lines = Lines()
    plan = await terraform.plan(job, lines)

    assert (plan.create, plan.update, plan.replace, plan.delete, plan.resource_types) == (2, 0, 0, 0, ("terraform_data",))
    assert [(change["address"], change["action"]) for change in plan.changes] == [
        ("output.connection", "create"),
        ("output.tags", "create"),
        ("terraform_data.network", "create"),
        ("terraform_data.setup", "create"),
    ]
    assert "Plan: 2 to add, 0 to change, 0 to destroy." in lines.text
    assert files(job.checkout) == {"components/terraform/network/main.tf"}
    assert (files(job.private), files(job.state)) == (set(), set())


async def test_the_approved_plan_is_applied_and_then_nothing_is_left(terraform: Executor, job: Job) -> None:
    """Applying gives outputs, a state below the state directory only, and a next plan that is empty."""
    plan = await terraform.plan(job, Lines())
    applied = await terraform.apply(job, Lines(), Approved(digest=plan.digest, changes=plan.changes))
    again = await terraform.plan(job, Lines())

    assert applied.outputs["tags"] == {"team": "platform"}
    assert (applied.serial, applied.lineage) == (state_of(job)["serial"], state_of(job)["lineage"])
    assert {path.stat().st_mode & 0o077 for path in job.state.rglob("*")} == {0}  # nobody else's
    assert (again.changes, again.serial, again.lineage) == ((), applied.serial, applied.lineage)
    assert files(job.checkout) == {"components/terraform/network/main.tf"}
    assert files(job.private) == set()


async def test_a_change_is_an_update_and_applying_nothing_is_fine(terraform: Executor, job: Job) -> None:
    """A changed variable updates in place; an apply with nothing to do leaves the state as it is."""
    first = await terraform.apply(job, Lines())
    idle = await terraform.apply(job, Lines())
    plan = await terraform.plan(replace(job, vars={**job.vars, "tags": {"team": "data"}}), Lines())

    assert (idle.serial, idle.lineage) == (first.serial, first.lineage)
    assert [(change["address"], change["action"]) for change in plan.changes] == [
        ("output.tags", "update"),
        ("terraform_data.network", "update"),
    ]
    assert plan.changes[0]["before"] == {"team": "platform"}


async def test_another_plan_than_the_approved_one_is_refused(terraform: Executor, job: Job) -> None:
    """What wasn't approved isn't applied, and the difference is told."""
    plan = await terraform.plan(job, Lines())
    changed = replace(job, vars={**job.vars, "tags": {"team": "data"}})

    with pytest.raises(PlanChanged) as refusal:
        await terraform.apply(changed, Lines(), Approved(digest=plan.digest, changes=plan.changes))

    assert refusal.value.approved == plan.digest
    assert 'now planned: create output.tags → {"team":"data"}' in refusal.value.difference
    assert files(job.state) == set()


async def test_planning_at_another_moment_is_the_same_plan(terraform: Executor, job: Job) -> None:
    """A plan that knows its own time has the same digest a moment later."""
    (job.directory / "main.tf").write_text(MAIN.replace("tags = var.tags,", "tags = var.tags, planned = plantimestamp(),"))

    assert (await terraform.plan(job, Lines())).digest == (await terraform.plan(job, Lines())).digest


async def test_no_secret_is_in_plans_outputs_or_logs(terraform: Executor, job: Job) -> None:
    """A sensitive variable and one whose name tells of a secret are seen nowhere, even when a program prints them."""
    spoken = replace(job, vars={**job.vars, "command": "echo hunter2hunter2", "tags": {"db_token": "s3cr3t-token"}})
    lines = Lines()
    plan = await terraform.plan(spoken, lines)
    applied = await terraform.apply(spoken, lines, Approved(digest=plan.digest))
    seen = f"{plan}{applied}{lines.text}"

    assert "(local-exec): ********" in lines.text
    assert set(applied.outputs["connection"]) == {"$redacted"}
    assert "hunter2" not in seen.replace("echo hunter2hunter2", "")
    assert "s3cr3t-token" not in seen


class StateServer(BaseHTTPRequestHandler):
    """A remote backend, as small as terraform's http backend allows."""

    states: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        kept = self.states.get(self.path)
        self.send_response(200 if kept else 404)
        self.end_headers()
        self.wfile.write(kept or b"")

    def do_POST(self) -> None:
        self.states[self.path.partition("?")[0]] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def remote() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), StateServer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("declaration", ["", 'backend "http" {}', 'backend "s3" {}'])
async def test_a_remote_backend_holds_the_state(terraform: Executor, job: Job, remote: str, declaration: str) -> None:
    """Where the estate names a remote backend the state lies there, whatever the code declares, and nowhere on this machine."""
    (job.directory / "backend.tf").write_text(f"terraform {{\n  {declaration}\n}}\n")
    away = replace(job, backend_type="http", backend={"address": f"{remote}/network"}, workspace="default")

    applied = await terraform.apply(away, Lines())

    assert applied.serial == json.loads(StateServer.states.pop("/network"))["serial"]
    assert files(job.state) == set()
    assert files(job.checkout) == {"components/terraform/network/main.tf", "components/terraform/network/backend.tf"}


async def test_a_failure_speaks_terraforms_words(terraform: Executor, job: Job) -> None:
    """A refused value fails with the validation's own message, as an error and as lines of the log."""
    lines = Lines()
    with pytest.raises(Unavailable, match=r"plan failed: Invalid value for variable: No forbidden tags\.") as failure:
        await terraform.plan(replace(job, vars={**job.vars, "tags": {"forbidden": "x"}}), lines)

    assert failure.value.code == "PLAN_FAILED"
    assert ("STDERR", "Error: Invalid value for variable") in lines.kept
    assert files(job.private) == set()


async def test_code_that_is_broken_fails_before_anything_is_planned(terraform: Executor, job: Job) -> None:
    """Initialisation tells what is wrong with the code."""
    (job.directory / "broken.tf").write_text('resource "x" {')

    with pytest.raises(Unavailable, match="init failed") as failure:
        await terraform.plan(job, Lines())
    assert failure.value.code == "INIT_FAILED"


async def test_a_component_that_is_not_there_is_not_found(terraform: Executor, job: Job) -> None:
    """A missing directory, or one outside the estate, is refused before anything runs."""
    for path in ("components/terraform/none", "../elsewhere"):
        with pytest.raises(NotFound, match="does not exist in the estate"):
            await terraform.plan(replace(job, component_path=path), Lines())


async def test_a_reference_without_a_store_is_refused(terraform: Executor, job: Job) -> None:
    """A secret's reference never reaches terraform as if it were the secret."""
    with pytest.raises(Unavailable, match="variable 'password' of 'network' refers to 'vault:db'"):
        await terraform.plan(replace(job, vars={"password": {"$ref": "vault:db"}}), Lines())


async def test_a_program_that_is_missing_is_named(terraform: Executor, job: Job) -> None:
    """A component that asks for another program fails clearly where it isn't installed."""
    with pytest.raises(Unavailable, match="asks for 'terragrunt', which is not on PATH"):
        await terraform.plan(replace(job, command="terragrunt"), Lines())


async def test_an_instance_can_be_destroyed(terraform: Executor, job: Job) -> None:
    """A job to destroy plans deletions and leaves an empty state."""
    await terraform.apply(job, Lines())
    gone = replace(job, destroy=True)
    plan = await terraform.plan(gone, Lines())
    applied = await terraform.apply(gone, Lines(), Approved(digest=plan.digest))

    assert plan.delete == 2
    assert applied.outputs == {}
    assert state_of(job)["resources"] == []


async def test_cancelling_an_apply_ends_terraform_and_saves_its_state(terraform: Executor, job: Job) -> None:
    """What was done is in the state, the half-done resource is marked, and the next plan repairs it."""
    lines = Lines("(local-exec): begun")
    task = asyncio.create_task(terraform.apply(replace(job, vars={**job.vars, "command": "echo begun; exec sleep 600"}), lines))
    await lines.came.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert "Interrupt received" in lines.text
    plan = await terraform.plan(job, Lines())
    assert [(change["address"], change["action"]) for change in plan.changes] == [("terraform_data.setup", "replace")]
    assert files(job.private) == set()


def kill_in_the_middle(command: list[str], fifo: Path) -> None:
    with subprocess.Popen(command) as worker, fifo.open() as heard:
        assert heard.readline() == "begun\n"
        worker.kill()
        assert heard.read() == ""  # the provisioner and all it started have ended


async def test_killing_the_worker_ends_terraform_and_saves_its_state(terraform: Executor, job: Job, tmp_path: Path) -> None:
    """kill -9 of the worker in the middle of an apply loses no state; the state's lock is free when terraform has ended."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    (tmp_path / "job").write_bytes(
        pickle.dumps(replace(job, vars={**job.vars, "command": f"exec 3>{fifo}; echo begun >&3; sleep 600"}))
    )
    await asyncio.to_thread(kill_in_the_middle, [sys.executable, "-c", WORKER, str(tmp_path / "job")], fifo)

    plan = await terraform.plan(job, Lines())  # waits for the lock until terraform has written its state
    assert [(change["address"], change["action"]) for change in plan.changes] == [("terraform_data.setup", "replace")]
    assert len(state_of(job)["resources"]) == 2


async def test_the_apply_is_announced_with_its_process(terraform: Executor, job: Job) -> None:
    """The caller knows host, process and start time before anything changes."""
    known: list[executors.Identity] = []

    async def started(identity: executors.Identity) -> None:
        assert files(job.state) == set()
        known.append(identity)

    await terraform.apply(replace(job, started=started), Lines())

    assert len(known) == 1
    assert executors.is_alive(known[0].host, known[0].pid, known[0].start_time) is False
