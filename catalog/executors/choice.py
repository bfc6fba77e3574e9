"""Chooses the executor that an estate asks for, or says why another one serves."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from catalog.errors import Invalid
from catalog.executors.dry_run import DryRun
from catalog.executors.executor import Executor
from catalog.executors.terraform import Terraform

# Programs that can serve, in order of preference, by the executor's name.
_PROGRAMS = {"terraform": ("terraform", "tofu"), "tofu": ("tofu", "terraform")}


def choose(name: str, environment: Mapping[str, str] | None = None) -> Executor:
    """Return the executor of that name; where its program is missing, the dry run with the reason.

    `environment` is the process' own: programs are sought on its PATH, and what credentials and proxies need of it is handed on.
    """
    name = name.replace("-", "_")
    if name == "dry_run":
        return DryRun()
    if name not in _PROGRAMS:
        raise Invalid(f"there is no executor {name!r}", hint=f"one of {', '.join([*_PROGRAMS, 'dry_run'])}")
    search = environment.get("PATH") if environment is not None else None
    for program in _PROGRAMS[name]:
        found = shutil.which(program, path=search)
        if found:
            return Terraform(found, environment or {})
    return DryRun(reason="neither terraform nor tofu is on PATH")
