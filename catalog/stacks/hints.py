"""What a manifest probably means: misspelt keys, text that waits for templates or functions, files that are no manifests."""

from __future__ import annotations

from catalog.stacks.documents import Document
from catalog.stacks.findings import Findings, did_you_mean
from catalog.stacks.merging import Map
from catalog.values import Severity

ROOT_KEYS = (
    "import",
    "name",
    "vars",
    "env",
    "settings",
    "locals",
    "metadata",
    "hooks",
    "generate",
    "auth",
    "secrets",
    "dependencies",
    "overrides",
    "version",
    "terraform",
    "helmfile",
    "packer",
    "ansible",
    "kubernetes",
    "helm",
    "components",
    "compositions",
    "workflows",
)
_CONFIG_KEYS: dict[tuple[str, ...], tuple[str, ...]] = {
    (): ("base_path", "stacks", "components", "workflows", "templates", "settings", "schemas", "logs", "import", "integrations"),
    ("stacks",): ("base_path", "included_paths", "excluded_paths", "name_pattern", "name_template", "inherit"),
    ("templates", "settings"): ("enabled", "evaluations", "delimiters", "sprig", "gomplate", "env"),
}


def of_manifest(document: Document, value: Map, findings: Findings) -> None:
    """Note what of a manifest Atmos silently ignores: keys of its root. Others are the manifest schema's."""
    for key in value:
        _misspelt(key, ROOT_KEYS, document, (key,), findings)


def _misspelt(key: str, known: tuple[str, ...], document: Document, path: tuple[str, ...], findings: Findings) -> None:
    meant = did_you_mean(key, known)
    if meant:
        findings.note(
            Severity.WARNING,
            "UNKNOWN_KEY",
            f"`{key}` is no key that Atmos knows, and is ignored",
            hint=f"Is `{meant}` meant?",
            location=document.location(path),
        )


def of_config(documents: tuple[Document, ...], findings: Findings) -> None:
    """Note misspelt keys of atmos.yaml."""
    for document in documents:
        for path, known in _CONFIG_KEYS.items():
            value = document.value
            for step in path:
                value = value.get(step) if isinstance(value, dict) else None
            for key in value if isinstance(value, dict) else ():
                _misspelt(key, known, document, (*path, key), findings)
