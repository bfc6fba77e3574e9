"""Reads workflow files: every YAML file below `workflows.base_path`, one value per workflow, steps as written.

`read` gives what the catalog keeps, with diagnostics for files that are none; `listing` and the functions below it give what Atmos
lists and describes, which passes over such files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import documents, scalars
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.files import Files, join
from catalog.stacks.findings import Findings
from catalog.stacks.json_text import Record
from catalog.stacks.merging import Map
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


def manifests(files: Files, config: AtmosConfig) -> dict[str, Map]:
    """Return the workflow files that Atmos can read, by their paths below `workflows.base_path`; raises EstateError without any."""
    base = str(config.get("workflows", "base_path", otherwise=""))
    folder = join(config.base_path, base)
    is_nowhere = not base and not config.get("base_path")  # an empty path leads nowhere, also where the estate's is found otherwise
    if is_nowhere or not files.has_directory(folder):
        raise EstateError(f"the workflow directory does not exist: '{folder}'", code="WORKFLOW")
    found: dict[str, Map] = {}
    for path in files.below(folder):
        if path.endswith((".yaml", ".yml")):
            value = manifest(files.tree.read(path), path)
            if value is not None:
                found[path[len(folder) :].lstrip("/")] = value
    return found


def manifest(content: bytes, path: str) -> Map | None:
    """Return a workflow file's value; None where it doesn't fit Atmos' structure of one."""
    try:
        value = documents.load(content, path).value
    except EstateError:
        return None
    workflows = value.get("workflows") if isinstance(value, dict) else None
    if not isinstance(workflows, dict) or not all(map(_is_workflow, workflows.values())):
        return None
    return value if all(isinstance(value.get(key), (str, type(None))) for key in ("name", "description")) else None


def _is_workflow(value: Any) -> bool:
    """Tell whether Atmos' decoder takes a value as a workflow: texts, a list of steps that are maps, variables that are scalars."""
    if value is None:
        return True
    if not isinstance(value, dict):
        return False
    texts = (value.get(key) for key in ("description", "working_directory", "stack", "output"))
    steps, env = value.get("steps"), value.get("env")
    return (
        not any(isinstance(text, (dict, list)) for text in texts)
        and (steps is None or (isinstance(steps, list) and all(map(_is_step, steps))))
        and (env is None or (isinstance(env, dict) and not any(isinstance(item, (dict, list)) for item in env.values())))
    )


def _is_step(value: Any) -> bool:
    if not isinstance(value, dict):
        return value is None
    texts = (value.get(key) for key in ("name", "command", "script", "stack", "type", "working_directory", "identity", "timeout"))
    steps = value.get("steps")
    return (
        not any(isinstance(text, (dict, list)) for text in texts)
        and (steps is None or (isinstance(steps, list) and all(map(_is_step, steps))))
        and _is_retry(value.get("retry"))
    )


def _is_retry(value: Any) -> bool:
    if not isinstance(value, dict):
        return value is None
    return all(value.get(key) is None or _nanoseconds(value[key]) is not None for key in _DURATIONS)


def listing(found: Mapping[str, Map]) -> list[Map]:
    """Return one row per workflow, as `list workflows` knows it."""
    return [
        {
            "file": file,
            "workflow": name,
            "description": _text((body or {}).get("description")),
            "steps": len(_written((body or {}).get("steps"))),
        }
        for file, value in found.items()
        for name, body in value["workflows"].items()
    ]


def described(found: Mapping[str, Map], output: str, *, format_: str = "json") -> Any:
    """Return what `describe workflows` prints: a `list` of files and names, a `map` from file to names, or `all` of everything.

    In JSON a step has nulls for conditions that it doesn't have, and durations are numbers of nanoseconds.
    """
    names = {file: sorted(value["workflows"]) for file, value in found.items()}
    if output == "map":
        return names
    if output == "all":
        return {file: _whole(value, format_ == "json") for file, value in found.items()}
    return [{"file": file, "workflow": name} for file, listed in names.items() for name in listed]


def _whole(value: Map, plain: bool) -> Map:
    heads = {key: value[key] for key in ("name", "description") if value.get(key)}
    return Record({**heads, "workflows": {name: _workflow(body or {}, plain) for name, body in value["workflows"].items()}})


def _in_order(value: Map, order: Mapping[str, int]) -> Map:
    """A structure of Atmos with its fields in their order, others behind them."""
    return Record(sorted(value.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


def _workflow(body: Map, plain: bool) -> Map:
    kept = {key: item for key, item in body.items() if key in _WORKFLOW_FIELDS and item not in (None, "", {}, [])}
    steps = _steps(body.get("steps"), plain)
    return _in_order({**kept, **_texts(kept), "steps": steps if plain else steps or []}, _WORKFLOW_FIELDS)


def _steps(steps: list[Any] | None, plain: bool, parent: str = "") -> list[Map] | None:
    if steps is None:
        return None
    return [_step(step, plain, f"{parent}step{number}") for number, step in enumerate(_written(steps), 1)]


def _written(steps: list[Any] | None) -> list[Map]:
    """The steps that Atmos sees: an empty item of the list is none."""
    return [step for step in steps or () if step is not None]


def _step(step: Map, plain: bool, name: str) -> Map:
    """A step as Atmos prints it: with a name, its command, and in JSON null for conditions that it doesn't have."""
    name = step.get("name") or name
    kept = {key: item for key, item in step.items() if key in _STEP_FIELDS and item not in (None, "", {}, [], False, 0)}
    if isinstance(step.get("retry"), dict):
        kept["retry"] = step["retry"]  # shown also when nothing is in it
    conditions: Map = {key: kept.get(key) if plain else {} for key in ("when", "continue") if plain or key in kept}
    result: Map = {"command": "", **kept, **conditions, **_texts(kept), "name": name}
    if isinstance(result.get("steps"), list):
        result["steps"] = _steps(result["steps"], plain, f"{name}_")
    retry = result.get("retry")
    if isinstance(retry, dict):
        shown = {key: _duration(item, plain) if key in _DURATIONS else item for key, item in retry.items()}
        result["retry"] = _in_order({key: item for key, item in shown.items() if item is not None}, _RETRY_FIELDS)
    return _in_order(result, _STEP_FIELDS)


def _texts(body: Map) -> Map:
    """What is text in a workflow or step whatever was written: most single values, and those of some maps."""
    found: Map = {}
    for key, item in body.items():
        if isinstance(item, dict) and key in _MAPS_OF_TEXTS:
            found[key] = {name: _text(value) for name, value in item.items()}
        elif key not in _NO_TEXTS and not isinstance(item, (dict, list)):
            found[key] = _text(item)
    return found


def _numbered(names: str) -> dict[str, int]:
    return {name: number for number, name in enumerate(names.split())}


# The fields of Atmos' structures, in the order in which they are printed.
_WORKFLOW_FIELDS = _numbered("description working_directory dependencies steps stack env container output viewport show")
_RETRY_FIELDS = _numbered(
    "max_attempts backoff_strategy initial_delay max_delay random_jitter multiplier max_elapsed_time conditions"
)
_STEP_FIELDS = _numbered(
    "name command script interpreter stack type working_directory retry identity needs when continue interactive tty prompt "
    "simulate_prompt options default placeholder password multiple limit content title data columns separator path source reset "
    "extensions output cast_output parallel_output height viewport timeout count foreground background border border_foreground "
    "border_background padding margin width align bold italic underline strikethrough faint markdown level fields voice rate print "
    "env args with vars export code url method headers query body form expect mode shell write_rate key_interval jitter cursor text "
    "regex key duration interval repeat defaults action build push run inspect runtime_auto_start runtime provider container "
    "component ephemeral format destination subpath include exclude mtime files tools dirs hint inputs artifacts preconditions "
    "outputs show steps max_concurrency matrix fail background_async for"
)
_MAPS_OF_TEXTS = ("env", "vars", "headers", "query", "form", "fields")
_NO_TEXTS = _numbered(
    "when continue source interactive tty password multiple limit reset height count width bold italic underline strikethrough "
    "faint markdown export code cursor jitter repeat runtime_auto_start container ephemeral max_concurrency background_async"
)

_DURATIONS = ("initial_delay", "max_delay", "max_elapsed_time")
_UNITS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "µs": 10**3, "ns": 1}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|m|s|us|µs|ns)")


def _nanoseconds(value: Any) -> int | None:
    """A duration as Go counts it; None for what isn't one."""
    if not isinstance(value, str):
        return None
    text = value[1:] if value[:1] in ("+", "-") else value
    parts = _PART.findall(text)
    if text != "0" and (not parts or "".join(number + unit for number, unit in parts) != text):
        return None
    count = round(sum(float(number) * _UNITS[unit] for number, unit in parts))
    return -count if value.startswith("-") else count


def _duration(value: Any, plain: bool) -> Any:
    """A duration as Atmos prints it: a number in JSON; in YAML as Go spells it, like `1h0m30s` or `1.5ms`."""
    count = _nanoseconds(value)
    if plain or count is None:
        return count
    sign, count = ("-", -count) if count < 0 else ("", count)
    if 0 < count < _UNITS["s"]:
        unit = next(unit for unit in ("ms", "µs", "ns") if count >= _UNITS[unit])
        return f"{sign}{_fraction(count, _UNITS[unit])}{unit}"
    minutes, rest = divmod(count, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    before = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{before}{_fraction(rest, _UNITS['s'])}s"


def _fraction(count: int, unit: int) -> str:
    whole, rest = divmod(count, unit)
    return f"{whole}.{rest:0{len(str(unit)) - 1}}".rstrip("0") if rest else str(whole)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, scalars.Timestamp):
        return value.text
    if isinstance(value, float):
        return scalars.go_float(value)
    return "" if value is None else str(value)
