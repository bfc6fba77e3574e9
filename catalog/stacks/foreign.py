"""YAML below the stacks directory that is no manifest at all: what it looks like, so that nobody looks for a mistake in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from catalog.stacks.files import Files
from catalog.stacks.merging import Map
from catalog.values import Diagnostic, Severity, SourceLocation

_LOOKED_AT = 20_000  # bytes at a file's beginning

# Keys at the root that only another program's files have, and what they are; each needs all of its keys.
_BY_KEYS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"AWSTemplateFormatVersion"}), "a CloudFormation template"),
    (frozenset({"Resources", "Parameters"}), "a CloudFormation template"),
    (frozenset({"on", "jobs"}), "a workflow of GitHub Actions"),
    (frozenset({"openapi", "paths"}), "an OpenAPI document"),
    (frozenset({"swagger", "paths"}), "an OpenAPI document"),
    (frozenset({"services", "networks"}), "a Compose file"),
    (frozenset({"services", "volumes"}), "a Compose file"),
    (frozenset({"repos", "default_language_version"}), "a configuration of pre-commit"),
    (frozenset({"releases", "repositories"}), "a helmfile"),
)
# What is told of such a file otherwise is about a manifest that it never was.
_MOOT = frozenset({"YAML", "SCHEMA", "SECTION", "UNKNOWN_KEY", "NULL_SECTION", "METADATA", "STACK_NAME", "TEMPLATE", "LOCALS"})


class Foreign:
    """Tells what the files of one tree look like that are no manifests."""

    def __init__(self, files: Files, stacks: str) -> None:
        self._files = files
        self._charts = [path[: -len("Chart.yaml")] for path in files.below(stacks) if path.rsplit("/", 1)[-1] == "Chart.yaml"]

    def kind(self, path: str, value: Map | None) -> str | None:
        """Return what a file looks like ("a Kubernetes manifest"), None for a manifest; `value` is its content where it can be read."""
        for chart in self._charts:
            if path.startswith(chart):
                return f"a file of the Helm chart in {chart.rstrip('/') or '.'}"
        if value is None:
            return self._by_text(path)
        if isinstance(value.get("apiVersion"), str) and isinstance(value.get("kind"), str):
            return _versioned(value["apiVersion"])
        keys = value.keys()
        return next((kind for wanted, kind in _BY_KEYS if wanted <= keys), None)

    def _by_text(self, path: str) -> str | None:
        try:
            text = self._files.tree.read(path)[:_LOOKED_AT].decode("utf-8", "replace")
        except OSError:
            return None
        if "\0" in text:
            return "binary data"
        lines = text.splitlines()
        version = next((line for line in lines if line.startswith("apiVersion:")), None)
        if version is not None and any(line.startswith("kind:") for line in lines):
            kind = _versioned(version.removeprefix("apiVersion:").strip(" \"'"))
            return f"a template of {kind}" if "{{" in text else kind
        # A list of plays or tasks, where a manifest is a map.
        items = [line for line in lines if line and line[0] not in "#%" and not line.startswith("---")]
        is_list = bool(items) and items[0].startswith("- ")
        words = {line.strip(" -").partition(":")[0] for line in items}
        return "an Ansible playbook" if is_list and words & {"hosts", "tasks", "import_playbook", "roles"} else None


def _versioned(version: str) -> str:
    return "a manifest of Atmos' vendoring" if version.startswith("atmos/") else "a Kubernetes manifest"


def told(found: Mapping[str, str], diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the diagnostics with one for each foreign file (path in the estate → what it looks like) in place of what is moot.

    It warns where Atmos would refuse the file.
    """
    kept: list[Diagnostic] = []
    refused: set[str] = set()
    for item in diagnostics:
        file = item.location.file if item.location is not None else ""
        if file in found and item.code in _MOOT:
            refused.add(file)
        else:
            kept.append(item)
    for file, kind in found.items():
        kept.append(
            Diagnostic(
                severity=Severity.WARNING if file in refused else Severity.INFO,
                code="FOREIGN",
                message=f"this looks like {kind}, not like a stack manifest",
                hint="Atmos reads every YAML file below its stacks directory and refuses all stacks for this one; keep it elsewhere."
                if file in refused
                else "Atmos reads every YAML file below its stacks directory; other files are better kept elsewhere.",
                location=SourceLocation(file=file, line=1),
            )
        )
    return kept
