"""Follow a request to its end: its steps and their log lines, as they come, on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from catalog.cli import remote

FINAL = frozenset({"SUCCEEDED", "FAILED", "DENIED", "REJECTED", "EXPIRED", "CANCELLED", "APPLY_UNKNOWN"})
_EARLY = frozenset({"PENDING", "PREVIEWING", "PLANNING"})  # nothing to decide on yet
_INTERVAL = 0.5  # seconds between looks
_LOOK = """
query Follow($id: ID!) {
  provisioningRequest(id: $id) { number state steps { name state error hint log(last: 100) { nodes { sequence stream text } } } }
}
"""


def follow(client: remote.Remote, request_id: str) -> None:
    """Print what happens to a request until it has ended."""
    printed = _Printed()
    while True:
        found = client.ask(_LOOK, {"id": request_id})["provisioningRequest"]
        printed.show(found)
        if found["state"] in FINAL:
            return
        time.sleep(_INTERVAL)


def until_decidable(
    client: remote.Remote, found: dict[str, Any], find: Callable[[remote.Remote, int], dict[str, Any]]
) -> dict[str, Any]:
    """Look again until a request that is still being planned shows what there is to decide on."""
    if found["state"] in _EARLY:
        click.echo(f"request {found['number']} is {found['state']}; waiting for its plan", err=True)
    while found["state"] in _EARLY:
        time.sleep(_INTERVAL)
        found = find(client, found["number"])
    return found


class _Printed:
    """What has been printed already, so that each look adds only what is new."""

    def __init__(self) -> None:
        self._state: str | None = None
        self._steps: dict[int, str] = {}
        self._lines: dict[int, int] = {}

    def show(self, found: dict[str, Any]) -> None:
        for index, step in enumerate(found["steps"]):
            self._step(index, step)
        if found["state"] != self._state:
            self._state = found["state"]
            click.echo(f"request {found['number']}: {self._state}", err=True)

    def _step(self, index: int, step: dict[str, Any]) -> None:
        for line in step["log"]["nodes"]:
            if line["sequence"] > self._lines.get(index, -1):
                self._lines[index] = line["sequence"]
                click.echo(f"  {step['name']} | {line['text']}", err=True)
        if step["state"] != self._steps.get(index, "PENDING"):
            self._steps[index] = step["state"]
            why = f": {step['error']}" if step["error"] else ""
            hint = f" ({step['hint']})" if step["hint"] else ""
            click.echo(f"  {step['name']}: {step['state']}{why}{hint}", err=True)
