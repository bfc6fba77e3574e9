"""A real OPA server says what the embedded engine says, and without a clear answer nothing passes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from catalog.engines.rego import RegoEngine
from catalog.policy import Bundle, Rego, RemoteOpa, bundle
from catalog.records import DecisionPoint

EXAMPLE = Path(__file__).parents[3] / "stacks/schemas/opa"
NOW = datetime(2026, 12, 20, 12, 0, 0, tzinfo=UTC)
ODD = 'package odd\n\ndeny contains "x" if to_number(input.stage) > 1\n\nwarn contains {"msg": "w"} if true\n'

TAGS = {"ManagedBy": "atmos", "Organization": "fnx", "Stage": "prod", "Tenant": "plat"}
OPEN = {"web": {"ingress": [{"from_port": 22, "cidr_blocks": ["0.0.0.0/0"]}, {"from_port": 443, "cidr_blocks": ["0.0.0.0/0"]}]}}
# What the samples are asked about: each policy passes for one of these and fails for another.
INPUTS = {
    "nothing": {},
    "good": {"team": "web", "stage": "dev", "vars": {"tags": TAGS}, "cost": {"delta": {"cents": 0}, "unknown": 0}, "budget": None},
    "bad": {
        "team": None,
        "stage": "prod",
        "action": "DESTROY_COMPONENT",
        "vars": {"security_groups": OPEN, "policy": {"Action": "*", "Resource": "*"}},
        "cost": {"delta": {"cents": 12345}, "unknown": 3},
        "budget": {"left_cents": -7, "requested_cents": 5, "currency": "EUR"},
        "approvals": [{"approver": "ann"}],
    },
    "planned": {
        "team": "web",
        "stage": "prod",
        "vars": {"tags": TAGS},
        "approvals": [{"approver": "ann"}, {"approver": "ben"}],
        "plan": {
            "resource_changes": [
                {
                    "address": "aws_security_group.x",
                    "type": "aws_security_group",
                    "change": {
                        "actions": ["delete", "create"],
                        "after": {"ingress": [{"from_port": 0, "to_port": 65535, "cidr_blocks": ["::/0"]}]},
                    },
                },
            ]
        },
    },
}


def held() -> Bundle:
    files = {str(path.relative_to(EXAMPLE)): path.read_bytes() for path in EXAMPLE.rglob("*") if path.is_file()}
    return bundle.read({**files, "odd.rego": ODD.encode()})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an OPA server with the same policies."""
    program = shutil.which("opa")
    if program is None:
        pytest.skip("there is no opa program on PATH (`go install github.com/open-policy-agent/opa@v1.22.2` builds it)")
    place = tmp_path_factory.mktemp("opa") / "policies"
    shutil.copytree(EXAMPLE, place)
    (place / "odd.rego").write_text(ODD)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with subprocess.Popen(
        [program, "run", "--server", "--addr", address, "--disable-telemetry", "--log-level", "error", str(place)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        try:
            _wait(f"http://{address}/health", running)
            yield f"http://{address}"
        finally:
            running.terminate()


def _wait(address: str, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(address, timeout=1).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    pytest.fail("the server doesn't answer")


@pytest.mark.parametrize("point", DecisionPoint)
@pytest.mark.parametrize("name", INPUTS)
def test_a_server_gives_the_same_verdicts(rego_engine: RegoEngine, server: str, point: DecisionPoint, name: str) -> None:
    """Every sample, every point, with the moment that stands in the input."""
    policies = held()
    embedded = Rego(rego_engine, policies, point, now=NOW).evaluate(INPUTS[name])
    remote = Rego(rego_engine, policies, point, now=NOW, remote=RemoteOpa(server)).evaluate(INPUTS[name])

    def told(verdicts):
        # What a refused argument is called differs: the server names no place.
        return [(one.policy, one.passed, one.severity, None if one.policy == "odd" else one.message) for one in verdicts]

    assert told(remote) == told(embedded)


def test_every_sample_passes_and_fails_for_something(rego_engine: RegoEngine) -> None:
    """Otherwise the comparison would compare little."""
    policies = held()
    outcomes = {
        (verdict.policy, verdict.passed)
        for point in DecisionPoint
        for document in INPUTS.values()
        for verdict in Rego(rego_engine, policies, point, now=NOW).evaluate(document)
    }

    named = {policy for policy, _ in outcomes if policy != "odd"}
    assert {(policy, passed) for policy in named for passed in (True, False)} <= outcomes


def test_a_server_that_isn_t_there_denies(rego_engine: RegoEngine) -> None:
    """Nobody listens on the port: each policy's verdict says so."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        verdicts = Rego(rego_engine, held(), DecisionPoint.REQUEST, remote=RemoteOpa(address, timeout=0.5)).evaluate({})

    assert verdicts
    assert all(not verdict.passed and "gives no answer" in str(verdict.message) for verdict in verdicts)


def test_a_server_without_the_policy_denies(rego_engine: RegoEngine, server: str) -> None:
    """What the estate's bundle has and the server doesn't is undefined there, which is no yes."""
    policies = bundle.read({"only.rego": b"package only_here\n\ndeny contains 1 if false"})
    (verdict,) = Rego(rego_engine, policies, DecisionPoint.REQUEST, remote=RemoteOpa(server)).evaluate({})

    assert (verdict.passed, verdict.message) == (False, "the policy gives no answer")
