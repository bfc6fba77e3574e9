"""`catalog up` as a whole: what it leaves on disk, how it stops, what it finds when it starts again."""

import json
import os
import signal
import stat
from pathlib import Path

import httpx
import outside
import pytest

pytestmark = pytest.mark.acceptance

STACK = "plat-sandbox-01-dev"


def test_ready_says_so(catalog):
    """When the link is printed, /readyz is 200, and the token file is the owner's alone and holds an admin's token."""
    assert httpx.get(f"{catalog.url}/readyz", trust_env=False).json() == {"status": "ready"}
    assert stat.S_IMODE((catalog.home / "token").stat().st_mode) == 0o600
    answer = catalog.ask("{ viewer { email roles } estates { nodes { name writable diagnostics { totalCount } } } }")
    assert answer["data"]["viewer"] == {"email": "admin@localhost", "roles": ["ADMIN"]}
    assert answer["data"]["estates"]["nodes"] == [{"name": "fnx", "writable": True, "diagnostics": {"totalCount": 0}}]


def test_second_one_on_the_same_home_is_refused(catalog):
    """A home has one catalog: another is told which process holds it."""
    done = outside.command("up", env=outside.environment(catalog.home, outside.free_port()))
    assert done.code == 1
    assert f"process {catalog.process.pid} at {catalog.url}/" in done.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stops_cleanly_and_starts_on_what_it_kept(tmp_path, number):
    """Each way of asking it to stop ends every process; the next start has the same rows, token and ids at once."""
    home = tmp_path / "home"
    with outside.running(home) as first:
        before = first.ask("{ componentInstances(first: 100) { totalCount nodes { id } } }")["data"]
        token = first.token
        assert first.stop(number) == 0
        outside.eventually(lambda: outside.processes_of(home) == {})
    with outside.running(home) as second:
        assert second.token == token
        assert second.ask("{ componentInstances(first: 100) { totalCount nodes { id } } }")["data"] == before
        assert "stacks" not in second.said  # nothing was indexed before it was ready


def test_killed_it_leaves_no_process_behind(tmp_path):
    """kill -9 of the parent ends worker and database within seconds, and the next start works."""
    home = tmp_path / "home"
    with outside.running(home) as first:
        first.process.kill()
        first.process.wait()
        outside.eventually(lambda: outside.processes_of(home) == {}, within=60)
    with outside.running(home) as second:
        assert second.ask("{ viewer { email } }")["data"] == {"viewer": {"email": "admin@localhost"}}


def test_worker_that_dies_is_replaced(tmp_path):
    """When its worker is killed, another takes over, and what was asked for goes on."""
    home = tmp_path / "home"
    with outside.running(home) as catalog:
        killed = outside.eventually(lambda: worker_of(home))
        os.kill(killed, signal.SIGKILL)
        outside.eventually(lambda: worker_of(home) not in {None, killed})
        # The new worker first reads the components' code, which the killed one may not have come to.
        outside.eventually(lambda: catalog.command("preview", "vpc", "-s", STACK, "--set", "tags.Purpose=survived").code == 0)
        made = catalog.ok("request", "vpc", "-s", STACK, "--set", "tags.Purpose=survived", "--format", "json").json
        outside.eventually(lambda: state(catalog, made["number"]) == "AWAITING_APPROVAL", within=90)


def test_without_terraform_requests_run_dry_and_say_so(tmp_path):
    """Where neither terraform nor tofu is found, a request runs dry from end to end, visibly, and no state is written."""
    home = tmp_path / "home"
    path = tmp_path / "bin"
    path.mkdir()
    for program in ("git", "sh", "uname"):
        place = next(Path(folder) / program for folder in os.environ["PATH"].split(os.pathsep) if (Path(folder) / program).exists())
        (path / program).symlink_to(place)
    with outside.running(home, PATH=str(path)) as catalog:
        assert "dry runs only" in catalog.said
        ada = catalog.principal("ada@dry.example", "approver")
        made = catalog.ok("request", "vpc", "-s", STACK, "--set", "tags.Purpose=dry", "--format", "json").json
        followed = catalog.ok("approve", str(made["number"]), "--watch", "--format", "json", token=ada)
        assert followed.json["state"] == "SUCCEEDED"
        assert "dry" in json.dumps(followed.json["steps"]).lower() + followed.err.lower()
        assert list((home / "state").rglob("*.tfstate")) == []


def worker_of(home):
    """The process of the home's worker, or None between two of them."""
    return next((pid for pid, words in outside.processes_of(home).items() if " worker " in words), None)


def state(catalog, number):
    found = catalog.ask("query ($n: Int!) { provisioningRequest(number: $n) { state } }", {"n": number})
    return found["data"]["provisioningRequest"]["state"]
