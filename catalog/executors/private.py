"""The private directory of one run: 0700, for variables, plan files and terraform's data, gone when the run is over.

A worker that is killed leaves its directory behind; `sweep` removes those whose processes have all ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalog.executors import supervise

_OWNERS = "owners.ndjson"


@contextlib.contextmanager
def directory(parent: Path) -> Iterator[Path]:
    """Make a directory that only this user can enter, and remove it with all it holds at the end."""
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    own(made, supervise.identity())
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def own(run: Path, owner: supervise.Identity) -> None:
    """Write down a process that works in a private directory."""
    with (run / _OWNERS).open("a") as file:
        file.write(json.dumps(asdict(owner)) + "\n")


def sweep(parent: Path) -> int:
    """Remove the directories that killed workers left behind; return how many."""
    abandoned = [run for run in parent.glob("run-*") if not _in_use(run)]
    for run in abandoned:
        shutil.rmtree(run, ignore_errors=True)
    return len(abandoned)


def write_secret(path: Path, content: Any) -> None:
    """Write JSON as Atmos does, sorted and indented, readable by this user alone."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2, sort_keys=True, ensure_ascii=False)


def _in_use(run: Path) -> bool:
    try:
        owners = [json.loads(line) for line in (run / _OWNERS).read_text().splitlines()]
    except (OSError, ValueError):
        return True  # just being made, or not ours
    return any(supervise.is_alive(**owner) is not False for owner in owners)
