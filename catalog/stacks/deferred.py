"""Late merging: at a path where any layer holds a YAML function, the layers are merged once functions are evaluated.

A function may give a map or a list, so merging its text would lose what it stands for. For each such path the contributions of all
layers are kept; text is merged for the time being, and the values again after the function pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalog.errors import EstateError
from catalog.stacks.functions import merges_late
from catalog.stacks.lookup import Deferred
from catalog.stacks.merging import Map, merge

SECTIONS = frozenset({"vars", "settings", "env", "auth", "providers", "required_providers", "hooks", "generate", "test"})

Path = tuple[str, ...]
Lose = Callable[[tuple[str | int, ...], EstateError], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One layer's word at a path: the layer's number, its value, and whether that is a function's text."""

    layer: int
    value: Any
    is_function: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """One path below a section, with what each layer contributes to it, the lowest first."""

    section: str
    path: Path
    contributions: tuple[Contribution, ...]
    strategy: str


def held_back(section: str, layers: tuple[Any, Any, Any, Any], strategy: str) -> tuple[tuple[Any, Any, Any, Any], tuple[Late, ...]]:
    """Return the layers with null in the place of each function, and the paths where that happened, the shallow ones first."""
    found: dict[Path, list[Contribution]] = {}
    roots, base, own, over = (
        _without_functions(layer, number, (), found) if layer else layer for number, layer in enumerate(layers)
    )
    kept = (roots, base, own, over)
    for path, contributions in found.items():
        covered = {item.layer for item in contributions}
        for number, layer in enumerate(kept):
            value = _at(layer, path) if number not in covered else None
            if value is not None:
                contributions.append(Contribution(layer=number, value=value))
    return kept, tuple(
        Late(section=section, path=path, contributions=tuple(sorted(found[path], key=_layer)), strategy=strategy)
        for path in sorted(found, key=lambda path: (len(path), path))
    )


def placed(section: Map, late: Sequence[Late]) -> Map:
    """Return a merged section with each path's contributions merged as text, for the time until functions are evaluated."""
    for item in late:
        section = _set(section, item.path, _merged(item.contributions, item.strategy), item.path)
    return section


def settled(entry: Map, late: Sequence[Late], evaluate: Callable[[str], Any], *, lose: Lose | None = None) -> Map:
    """Return an evaluated entry with each path's contributions merged as values; `evaluate` gives what a function's text gives.

    Raises EstateError in Atmos' words for what can't be evaluated, or where a path leads through something that is no map. With
    `lose`, it is told instead, and the function pass's value stays at the path; so it does where a contribution is not known yet.
    """
    for item in late:
        section = entry.get(item.section)
        if not isinstance(section, dict):
            continue
        existing = _at(section, item.path)
        if len(item.contributions) == 1 and existing is not None and not (isinstance(existing, str) and merges_late(existing)):
            continue  # the function pass has evaluated it; once is enough for what has effects
        if len(item.contributions) == 1 and lose is not None:
            continue  # nor would it go better a second time
        try:
            values = [replace(part, value=evaluate(part.value)) if part.is_function else part for part in item.contributions]
            if len(values) > 1 and any(isinstance(part.value, Deferred) for part in values):
                continue
            merged = _set(section, item.path, _merged(values, item.strategy), item.path)
        except EstateError as error:
            where = f'failed to resolve deferred YAML functions in "{item.section}": '
            if not error.message.startswith("failed to set"):
                where += f"failed to process YAML function at {'.'.join(item.path)}: "
            named = EstateError(where + error.message, code=error.code, hint=error.hint)
            if lose is None:
                raise named from error
            lose((item.section, *item.path), named)
        else:
            entry = {**entry, item.section: merged}
    return entry


def _layer(item: Contribution) -> int:
    return item.layer


def _without_functions(layer: Map, number: int, path: Path, found: dict[Path, list[Contribution]]) -> Map:
    changed: Map = {}
    for key, value in layer.items():
        if isinstance(value, str):
            if value[:1] == "!" and merges_late(value):
                found.setdefault((*path, key), []).append(Contribution(layer=number, value=value, is_function=True))
                changed[key] = None
        elif isinstance(value, dict):
            below = _without_functions(value, number, (*path, key), found)
            if below is not value:
                changed[key] = below
    return {**layer, **changed} if changed else layer


def _at(value: Any, path: Path) -> Any:
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _set(value: Map, path: Path, new: Any, whole: Path) -> Map:
    """Return the map with a value set at the path; maps on the way are made where there are none."""
    if len(path) == 1:
        return {**value, path[0]: new}
    below = value.get(path[0], {})
    if not isinstance(below, dict):
        where = ".".join(whole)
        raise EstateError(
            f"failed to set value at {where}: cannot navigate path: field is not a map: path=[{' '.join(whole)}] field={path[0]}",
            code="MERGE",
        )
    return {**value, path[0]: _set(below, path[1:], new, whole)}


def _merged(parts: Sequence[Contribution], strategy: str) -> Any:
    values = [part.value for part in parts]
    if isinstance(values[0], dict):
        return _merged_maps(values)
    if isinstance(values[0], list):
        return _merged_lists(values, strategy)
    return values[-1]


def _merged_maps(values: Sequence[Any]) -> Any:
    result: Any = values[0]
    for value in values[1:]:
        if not isinstance(value, dict):
            return value
        result = merge(result, value)
    return result


def _merged_lists(values: Sequence[Any], strategy: str) -> Any:
    if strategy == "append":
        return [item for value in values if isinstance(value, list) for item in value] or None  # Go's slice of nothing
    if strategy != "merge":
        return values[-1]
    result = list(values[0])
    for value in values[1:]:
        if not isinstance(value, list):
            return value
        for number, item in enumerate(value):
            if number >= len(result):
                result.append(item)
            elif isinstance(item, dict) and isinstance(result[number], dict):
                result[number] = merge(result[number], item)
            else:
                result[number] = item
    return result
