"""The canonical plan of a request: levels of instances with what the executor would do to each, and the digest people approve.

Pure. A plan is plain JSON with the graph's own names; values are as the executor redacted them. What is left after an interruption
is compared with it here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from catalog import values
from catalog.executors import Approved, Plan
from catalog.provisioning.affected import Key
from catalog.provisioning.preview import Preview

_COUNTED = ("create", "update", "replace", "delete")


def name_of(key: Key) -> str:
    """How a plan names an instance: `stack/component`, with the type in between when it isn't terraform."""
    stack, component_type, name = key
    return f"{stack}/{name}" if component_type == "terraform" else f"{stack}/{component_type}/{name}"


def level(planned: Sequence[tuple[Key, Plan]]) -> dict[str, Any]:
    """Return one level: its instances, the types of resource they touch and every change, each with its instance."""
    return {
        "instances": [name_of(key) for key, _ in planned],
        "planned": True,
        "resourceTypes": sorted({kind for _, plan in planned for kind in plan.resource_types}),
        "changes": [{"instance": name_of(key), **dict(change)} for key, plan in planned for change in plan.changes],
        "bounds": None,
    }


def document(shown: Preview, levels: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the plan of a request; its digest covers the preview it was made from and every change."""
    document = shown.document()
    return {
        "digest": values.digest({"preview": shown.digest, "levels": list(levels)}),
        "levels": [dict(one) for one in levels],
        **counts(levels),
        "costDelta": document["costDelta"],
        "costCeiling": document["costAfter"],
    }


def remaining(committed: str, levels: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the plan of what is left of a request that is committed already: bound to that commit."""
    return {
        "digest": values.digest({"commit": committed, "levels": list(levels)}),
        "levels": [dict(one) for one in levels],
        **counts(levels),
        "costDelta": None,
        "costCeiling": None,
    }


def counts(levels: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Count the changes of every level by action."""
    actions = [change["action"] for one in levels for change in one["changes"] if not is_output(change)]
    return {action: actions.count(action) for action in _COUNTED}


def summary(levels: Sequence[Mapping[str, Any]]) -> str:
    """Say in a line what a plan does, in terraform's order."""
    said = [f"{count} to {action}" for action, count in counts(levels).items() if count]
    return ", ".join(said) or "nothing to change"


def approved(levels: Iterable[Mapping[str, Any]], key: Key) -> Approved:
    """Return one instance's part of a plan, as its executor compares it."""
    name = name_of(key)
    changes = [
        {part: value for part, value in change.items() if part != "instance"}
        for one in levels
        for change in one["changes"]
        if change["instance"] == name
    ]
    return Approved(digest=values.digest(changes), changes=changes)


def outside(left: Iterable[Mapping[str, Any]], approved: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return what is left to do that was not approved, as `action address (instance)`; nothing: all of it was.

    What comes out (`after`) must be what was approved; what was unknown then may be anything. What stands there now may differ,
    since some of it may be done: where a replacement was approved, its second half alone, the creation, is within it. Outputs
    follow from resources and need no word of their own.
    """
    allowed = [change for one in approved for change in one["changes"]]
    return tuple(
        f"{change['action']} {change['address']} ({change['instance']})"
        for one in left
        for change in one["changes"]
        if not is_output(change) and not any(_is_within(change, other) for other in allowed)
    )


def is_output(change: Mapping[str, Any]) -> bool:
    """Whether a change is one of an output, not of a resource."""
    return str(change["address"]).startswith("output.")


def _is_within(left: Mapping[str, Any], approved: Mapping[str, Any]) -> bool:
    if (left["instance"], left["address"]) != (approved["instance"], approved["address"]):
        return False
    second_half = left["action"] == "create" and approved["action"] == "replace"
    return (left["action"] == approved["action"] or second_half) and _matches(left.get("after"), approved.get("after"))


def _matches(value: Any, wanted: Any) -> bool:
    if wanted == {"$unknown": True}:
        return True
    if isinstance(value, Mapping) and isinstance(wanted, Mapping):
        return value.keys() == wanted.keys() and all(_matches(item, wanted[key]) for key, item in value.items())
    if isinstance(value, list) and isinstance(wanted, list):
        return len(value) == len(wanted) and all(map(_matches, value, wanted))
    return values.canonical_json(value) == values.canonical_json(wanted)


def difference(approved: Mapping[str, Any] | None, now: Mapping[str, Any]) -> tuple[str, ...]:
    """Say what a plan holds that an earlier one did not, and the other way round."""
    before = {_shown(change) for one in (approved or {}).get("levels", ()) for change in one["changes"]}
    after = {_shown(change) for one in now["levels"] for change in one["changes"]}
    gone = tuple(f"no longer: {one}" for one in sorted(before - after))
    come = tuple(f"now: {one}" for one in sorted(after - before))
    return (*gone, *come) or ("the files, the cost or the source differ; the planned changes are the same",)


def _shown(change: Mapping[str, Any]) -> str:
    after = values.canonical_json(change.get("after"))
    shown = after if len(after) <= 200 else f"{after[:199]}…"
    return f"{change['action']} {change['address']} ({change['instance']}) {shown}"
