"""Reads the steps of a workflow: the governed ones that the catalog carries out, and ordinary Atmos steps.

In comes one workflow's document (plain values, as written in `stacks/workflows/*.yaml`); out come its steps, whether it is
governed, and diagnostics for steps and tools that nothing answers to. Which tools this version can carry out is not said
here: `provisioning` knows.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.values import Diagnostic, Severity, SourceLocation

# The step that keeps the atmos program from running a governed workflow ungoverned: not a step of ours.
GUARD = "governed"

# How a governed step is spelt → its kind (a `records.StepKind`, as text: this room knows no records).
KINDS = {
    "cost_analysis": "COST_ANALYSIS",
    "policy_check": "POLICY_CHECK",
    "plan": "PLAN",
    "approval_gate": "APPROVAL_GATE",
    "provision": "PROVISION",
    "deploy": "DEPLOY",
    "register": "REGISTER",
    "notify": "NOTIFY",
}

# Kind → the tools it may name; `atmos workflow` is followed by the workflow's name.
TOOLS = {
    "COST_ANALYSIS": ("infracost breakdown", "metadata", "price book"),
    "POLICY_CHECK": ("opa eval", "rules"),
    "PLAN": ("terraform",),
    "APPROVAL_GATE": ("backstage approval", "catalog approval"),
    "PROVISION": ("atmos workflow", "terraform", "pull request", "dry run"),
    "DEPLOY": ("argocd",),
    "REGISTER": ("service",),
    "NOTIFY": ("developer notification",),
}

# Kind → the tool that a map of options means when it names none.
_TOOL_OF_A_MAP = {
    "COST_ANALYSIS": "metadata",
    "POLICY_CHECK": "opa eval",
    "APPROVAL_GATE": "catalog approval",
    "NOTIFY": "developer notification",
    "PLAN": "terraform",
    "REGISTER": "service",
    "DEPLOY": "argocd",
}

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"\s*(?:\d+\s*[smhdw]\s*)+")
_DURATION_PART = re.compile(r"(\d+)\s*([smhdw])")
_WORKFLOW_TOOL = re.compile(r"atmos workflow (?P<workflow>\S+)(?: (?:-f|--file)[ =](?P<file>\S+))?")
# Ordinary step types that run text in a shell; every other type is an Atmos step whose tool is its type.
_SHELL_TYPES = {"shell", "script", "exec"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: `kind` is a StepKind as text; `tool` and `options` of a governed step, `command` and `stack` of an ordinary one."""

    name: str
    kind: str
    tool: str | None = None
    options: Mapping[str, Any]
    command: str | None = None
    stack: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GovernedWorkflow:
    """A workflow's steps in order, the guard left out; `governed` when one of them names a governance step."""

    steps: tuple[Step, ...]
    governed: bool
    diagnostics: tuple[Diagnostic, ...]


def parse(document: Mapping[str, Any], location: SourceLocation | None = None) -> GovernedWorkflow:
    """Read one workflow's document; what can't be read becomes a diagnostic at `location` and the other steps stay."""
    written = document.get("steps")
    if not isinstance(written, list):
        return GovernedWorkflow(steps=(), governed=False, diagnostics=())
    governed = any(_governed_keys(entry) for entry in written)
    found: list[Step] = []
    diagnostics: list[Diagnostic] = []

    def report(code: str, message: str, hint: str | None) -> None:
        diagnostics.append(Diagnostic(severity=Severity.ERROR, code=code, message=message, hint=hint, location=location))

    for number, entry in enumerate(written, start=1):
        step = _step(entry, number, document, report, governed=governed)
        if step is not None:
            found.append(step)
    return GovernedWorkflow(steps=tuple(found), governed=governed, diagnostics=tuple(diagnostics))


def seconds(text: Any) -> int | None:
    """Read a time span such as `24h`, `1d12h` or 3600 (seconds); None when it is none."""
    if isinstance(text, int) and not isinstance(text, bool):
        return text if text > 0 else None
    if not isinstance(text, str) or _DURATION.fullmatch(text) is None:
        return None
    return sum(int(count) * _UNITS[unit] for count, unit in _DURATION_PART.findall(text)) or None


Report = Callable[[str, str, str | None], None]


def _governed_keys(entry: Any) -> list[str]:
    return [key for key in entry if key in KINDS] if isinstance(entry, Mapping) else []


def _step(entry: Any, number: int, document: Mapping[str, Any], report: Report, *, governed: bool) -> Step | None:
    if not isinstance(entry, Mapping):
        report("WORKFLOW_STEP_SHAPE", f"step {number} is no map", "write `- provision: terraform` or `- {command: …}`")
        return None
    keys = _governed_keys(entry)
    if keys:
        return _governed_step(entry, keys, number, report)
    if governed and entry.get("name") == GUARD:
        return None
    if "command" in entry or "type" in entry or "steps" in entry or "name" in entry:
        return _ordinary_step(entry, number, document)
    key = str(next(iter(entry), ""))
    report("WORKFLOW_STEP_UNKNOWN", f"step {number} is of no known kind: {key!r}", _nearest(key, KINDS))
    return None


def _ordinary_step(entry: Mapping[str, Any], number: int, document: Mapping[str, Any]) -> Step:
    written_type = entry.get("type") or "atmos"
    shell = written_type in _SHELL_TYPES
    command = entry.get("command")
    return Step(
        name=str(entry.get("name") or f"step{number}"),
        kind="SHELL" if shell else "ATMOS",
        tool=None if written_type in {"atmos", "shell"} else str(written_type),
        options={},
        command=None if command is None else str(command),
        stack=_text(None if shell else entry.get("stack") or document.get("stack")),
    )


def _governed_step(entry: Mapping[str, Any], keys: list[str], number: int, report: Report) -> Step | None:
    key = keys[0]
    if len(keys) > 1:
        report("WORKFLOW_STEP_SHAPE", f"step {number} names several kinds: {', '.join(keys)}", "give each its own step")
        return None
    kind, written = KINDS[key], entry[key]
    tool, options = _tool(kind, written)
    if tool is None:
        hint = f"one of {', '.join(TOOLS[kind])}"
        report("WORKFLOW_TOOL_UNKNOWN", f"step {number}, {key}, names no tool that is known: {written!r}", hint)
        return None
    checked = {name: _option(kind, name, value, key, report) for name, value in options.items()}
    return Step(
        name=str(entry.get("name") or key),
        kind=kind,
        tool=tool,
        options={name: value for name, value in checked.items() if value is not None},
    )


def _tool(kind: str, written: Any) -> tuple[str | None, dict[str, Any]]:
    """The tool that a text or a map of options names, and the options; None when it names none of the kind's."""
    if isinstance(written, Mapping):
        options = {str(key): value for key, value in written.items() if key != "tool"}
        default = "rules" if kind == "POLICY_CHECK" and "rules" in options else _TOOL_OF_A_MAP.get(kind)
        tool, more = _tool(kind, written.get("tool", default))
        return tool, {**more, **options}
    if not isinstance(written, str):
        return None, {}
    text = " ".join(written.split())
    match = _WORKFLOW_TOOL.fullmatch(text) if kind == "PROVISION" else None
    if match:
        return text, {name: value for name, value in match.groupdict().items() if value}
    return (text, {}) if text in TOOLS[kind] and text != "atmos workflow" else (None, {})


_KNOWN_OPTIONS = {
    "COST_ANALYSIS": {"budget"},
    "APPROVAL_GATE": {"approvers", "quorum", "expires"},
    "NOTIFY": {"to"},
    "POLICY_CHECK": {"bundle", "url", "rules"},
    "PROVISION": {"workflow", "file"},
}


def _option(kind: str, name: str, value: Any, key: str, report: Report) -> Any:
    known = _KNOWN_OPTIONS.get(kind, set())
    if name not in known:
        report("WORKFLOW_OPTION_UNKNOWN", f"{key} has no option {name!r}", _nearest(name, known))
        return None
    read = _READERS.get(name)
    result = value if read is None else read(value)
    if result is None:
        report("WORKFLOW_OPTION_INVALID", f"{key}: {name} can't be {value!r}", _EXPECTED.get(name))
    return result


_EXPECTED = {
    "approvers": "a list such as [team:platform, someone@example.org]",
    "quorum": "a whole number of at least 1",
    "expires": "a time span such as 24h or 7d",
    "to": "a list of apprise addresses",
    "budget": "show or enforce",
}


def _texts(value: Any) -> list[str] | None:
    entries = [value] if isinstance(value, str) else value
    return list(entries) if isinstance(entries, list) and all(isinstance(entry, str) for entry in entries) else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _enforcement(value: Any) -> str | None:
    return value if value in ("show", "enforce") else None


# Option → how it is read; None: it doesn't hold. Options without a row are kept as written.
_READERS: Mapping[str, Callable[[Any], Any]] = {
    "approvers": _texts,
    "quorum": _count,
    "expires": seconds,
    "to": _texts,
    "budget": _enforcement,
}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _nearest(word: str, known: Mapping[str, Any] | set[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(known)) or 'none'}"
