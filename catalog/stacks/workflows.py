"""Reads workflow files: every YAML file below `workflows.base_path`, one value per workflow, steps as written."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.errors import EstateError
from catalog.stacks import documents
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.files import Files, join
from catalog.stacks.findings import Findings
from catalog.stacks.resolved import WorkflowManifest


def read(files: Files, config: AtmosConfig, findings: Findings, prefix: str = "") -> tuple[WorkflowManifest, ...]:
    """Return the estate's workflows by file and name; a file that is none is an ERROR and loses nothing else.

    `prefix` is the estate's directory within the tree; files are named relative to it.
    """
    base = config.get("workflows", "base_path", otherwise="")
    found: list[WorkflowManifest] = []
    for path in files.below(join(config.base_path, str(base))) if base else ():
        if path.endswith((".yaml", ".yml")):
            try:
                found += _workflows(files.tree.read(path), path.removeprefix(prefix + "/") if prefix else path)
            except EstateError as error:
                findings.lose(error)
    return tuple(found)


def _workflows(content: bytes, file: str) -> Iterator[WorkflowManifest]:
    document = documents.load(content, file)
    value = document.value
    workflows = value.get("workflows") if isinstance(value, dict) else None
    if not isinstance(workflows, dict):
        words = f"invalid workflow manifest: {file} must be a map with the top-level workflows: key"
        raise EstateError(words, code="WORKFLOW", location=document.location(()))
    for name, body in workflows.items():
        if not isinstance(body, dict):
            words = f"invalid workflow '{name}' in {file}: a workflow is a map"
            raise EstateError(words, code="WORKFLOW", location=document.location(("workflows", name)))
        description = body.get("description")
        yield WorkflowManifest(
            name=name,
            file=file,
            description=description if isinstance(description, str) else None,
            document=body,
            location=document.location(("workflows", name)),
        )
