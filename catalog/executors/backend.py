"""Where an instance's state lies: from the estate's backend section and the code's own declaration to what `init` is given.

| estate says          | the code declares | what happens                                                                        |
|----------------------|-------------------|-------------------------------------------------------------------------------------|
| local, or nothing    | local, or nothing | an override file puts the state below the estate's state directory, never elsewhere |
| nothing              | another           | the code's declaration stands                                                       |
| another              | the same          | the estate's settings complete the declaration (`-backend-config`)                  |
| another              | another, nothing  | an override file declares what the estate says                                      |
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.executors.executor import Job

OVERRIDE = "atmos_catalog_backend_override.tf.json"
_COMMENT = re.compile(r"/\*.*?\*/|^[ \t]*(?:#|//)[^\n]*", re.DOTALL | re.MULTILINE)
_BACKEND = re.compile(r'^[ \t]*(?:terraform[ \t]*\{[ \t]*)?backend[ \t]+"?([\w-]+)"?[ \t]*\{', re.MULTILINE)
_CLOUD = re.compile(r"^[ \t]*(?:terraform[ \t]*\{[ \t]*)?cloud[ \t]*\{", re.MULTILINE)
_LOCAL = (None, "", "local")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """`override` is the content of a file that lies beside the code while the job runs, `settings` what `-backend-config` gives."""

    override: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] | None = None


def decide(job: Job) -> Backend:
    """Return how this job's backend is set up."""
    own = declared(job.directory)
    if job.backend_type in _LOCAL:
        return Backend(override=_override("local", _local(job))) if own in _LOCAL else Backend()
    assert job.backend_type is not None
    if own == job.backend_type and own != "cloud":
        return Backend(settings=job.backend)
    return Backend(override=_override(job.backend_type, _with_workspace(job.backend, job.workspace)))


def declared(directory: Path) -> str | None:
    """Return the backend that the code in a directory declares, `cloud` for a cloud block, or None."""
    found: str | None = None
    for path in sorted(directory.glob("*.tf")):
        text = _COMMENT.sub("", path.read_text("utf-8", "replace"))
        match = _BACKEND.search(text)
        found = match[1] if match else "cloud" if _CLOUD.search(text) else found
    for path in sorted(directory.glob("*.tf.json")):
        if path.name != OVERRIDE:
            found = _declared_in_json(path) or found
    return found


def _declared_in_json(path: Path) -> str | None:
    try:
        document = json.loads(path.read_text("utf-8", "replace"))
    except ValueError:
        return None  # terraform will say so
    blocks = document.get("terraform", {}) if isinstance(document, dict) else {}
    for block in blocks if isinstance(blocks, list) else [blocks]:
        if isinstance(block, dict) and "cloud" in block:
            return "cloud"
        if isinstance(block, dict) and isinstance(block.get("backend"), dict) and block["backend"]:
            return str(next(iter(block["backend"])))
    return None


def _local(job: Job) -> dict[str, Any]:
    directory = job.state / job.component_path
    return {"path": str(directory / "default.tfstate"), "workspace_dir": str(directory / "workspaces")}


def _override(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """An override file's backend replaces whatever the code declares, as Terraform's documentation on override files says."""
    return {"terraform": {"cloud": settings} if kind == "cloud" else {"backend": {kind: settings}}}


def _with_workspace(settings: Mapping[str, Any], workspace: str | None) -> Mapping[str, Any]:
    """Atmos' token `{terraform_workspace}` in the name of a Terraform Cloud workspace."""
    workspaces = settings.get("workspaces")
    if not isinstance(workspaces, Mapping) or not isinstance(workspaces.get("name"), str):
        return settings
    name = workspaces["name"].replace("{terraform_workspace}", workspace or "default")
    return {**settings, "workspaces": {**workspaces, "name": name}}
