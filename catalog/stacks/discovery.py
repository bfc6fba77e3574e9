"""Which manifests are top-level: the files that `included_paths` select and `excluded_paths` don't drop."""

from __future__ import annotations

from catalog.errors import EstateError
from catalog.stacks import globs
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.files import Files, extension, join
from catalog.stacks.findings import Findings
from catalog.stacks.manifests import is_manifest_path
from catalog.values import Severity

_EXTENSIONS = (".yaml", ".yml", ".yaml.tmpl", ".yml.tmpl")


def top_level(files: Files, config: AtmosConfig, findings: Findings) -> list[str]:
    """Return the top-level manifests' tree paths, sorted; none at all is an EstateError."""
    root = config.stacks_path
    excluded = [_joined(root, pattern, config, findings) for pattern in config.excluded_paths]
    found: dict[str, None] = {}
    for written in config.included_paths:
        pattern = _joined(root, written, config, findings)
        for ending in ("",) if extension(pattern) else _EXTENSIONS:
            found |= dict.fromkeys(files.find(pattern + ending))
    kept = [path for path in found if not any(globs.matches(pattern, path) for pattern in excluded)]
    if not kept:
        words = f"no stack manifests found for the provided stack '' in the paths {config.included_paths}"
        hint = "Check base_path, stacks.base_path, stacks.included_paths and stacks.excluded_paths."
        findings.lose(EstateError(words, code="CONFIG", hint=hint, location=config.location("stacks", "included_paths")))
    return sorted(kept)


def _joined(root: str, pattern: str, config: AtmosConfig, findings: Findings) -> str:
    """Join a pattern to the stacks directory. Atmos takes an absolute one as it is and walks the disk; here it stays inside."""
    path = join(root, pattern)
    if pattern.startswith("/") or path.startswith("../") or (root and not (path + "/").startswith(_outer(config))):
        findings.note(
            Severity.WARNING,
            "OUTSIDE",
            f"the pattern '{pattern}' leaves the estate; only what lies inside is read",
            hint="Write patterns relative to the stacks directory.",
            location=config.location("stacks", "included_paths"),
        )
        return join(root, pattern.lstrip("/"))
    return path


def _outer(config: AtmosConfig) -> str:
    return config.base_path + "/" if config.base_path else ""


def others(files: Files, config: AtmosConfig) -> list[str]:
    """Every YAML file below the stacks directory but templates: what Atmos' validation reads beside the stacks."""
    return [path for path in files.below(config.stacks_path) if is_manifest_path(path) and not path.endswith(".tmpl")]
