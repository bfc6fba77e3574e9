"""Finds the components of an estate and turns them into rows: their own word first, else what all their instances agree on."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.cost.money import Estimate
from catalog.indexer import categories
from catalog.indexer.component_facts import ComponentFacts
from catalog.indexer.estimate_rows import estimate_row
from catalog.indexer.metadata import Cost
from catalog.indexer.redaction import json_text, safe
from catalog.indexer.stack_rows import StackPart, Surroundings, component_path, fingerprint, kind_of
from catalog.records import ComponentType, CostSource
from catalog.stacks.resolved import ResolvedEstate, ResolvedInstance, ResolvedStack
from catalog.stacks.tree import Tree
from catalog.store.rows import ComponentRow
from catalog.values import Diagnostic, Severity, global_id

_CODE = (".tf", ".tf.json", ".tofu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the instances of one component say, each different answer once."""

    categories: set[str] = field(default_factory=set)
    times: set[int] = field(default_factory=set)
    costs: set[Cost] = field(default_factory=set)
    descriptions: set[str] = field(default_factory=set)


# What stacks use, by the stack's name: the stack that was looked at, the components its instances name, and the directories in which
# Terraform code has to be.
Uses = dict[str, tuple[ResolvedStack, frozenset[tuple[str, str]], frozenset[str]]]


def find(tree: Tree, resolved: ResolvedEstate, uses: Uses) -> tuple[tuple[str, str], ...]:
    """The components of an estate, each its type and path: those that instances use and those that lie unused beside them.

    `uses` remembers what each stack uses from one reading to the next.
    """
    paths = list(tree.paths())
    used: set[tuple[str, str]] = set()
    for stack in resolved.stacks:
        known = uses.get(stack.name)
        if known is None or known[0] is not stack:
            base_paths = resolved.component_base_paths
            known = uses[stack.name] = stack, frozenset(_used(stack, base_paths)), frozenset(_needed(stack, base_paths))
        used |= known[1]
    found = {item for item in used if _is_directory(paths, item[1])}
    base = resolved.component_base_paths.get("terraform")
    unused = _modules_below(paths, base) if base else ()
    return tuple(sorted(found | {(ComponentType.TERRAFORM.value, path) for path in unused}))


def without_code(tree: Tree, resolved: ResolvedEstate, uses: Uses) -> tuple[Diagnostic, ...]:
    """Say once of each Terraform component that instances use and no directory holds where it is used first, and what is near.

    `uses` is what `find` left. Code that Atmos itself fetches from a `source` is not expected to lie there.
    """
    paths = list(tree.paths())
    needed = set().union(*(uses[stack.name][2] for stack in resolved.stacks))
    absent = {path for path in needed if not _is_directory(paths, path)}
    base = resolved.component_base_paths.get("terraform")
    modules = _modules_below(paths, base) if absent and base else set()
    found: dict[str, Diagnostic] = {}
    for stack in resolved.stacks if absent else ():
        for instance in stack.instances:
            path = component_path(instance, resolved.component_base_paths)
            if path in absent and path not in found and _needs_code(instance):
                found[path] = _without_code(path, instance, modules)
        if len(found) == len(absent):
            break
    return tuple(found.values())


def _without_code(path: str, instance: ResolvedInstance, modules: Iterable[str]) -> Diagnostic:
    near = sorted(module for module in modules if posixpath.basename(module) == posixpath.basename(path))
    return Diagnostic(
        severity=Severity.INFO,
        code="COMPONENT_CODE",
        message=f"{path} holds no code, and {instance.name} needs it",
        hint=f"there is {', '.join(near)}" if near else "vendor it, or see components.terraform.base_path in atmos.yaml",
        location=instance.location,
        stack=instance.stack,
        component=instance.name,
    )


def _used(stack: ResolvedStack, base_paths: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for instance in stack.instances:
        path = component_path(instance, base_paths)
        if path is not None:
            yield kind_of(instance.type), path


def _needed(stack: ResolvedStack, base_paths: Mapping[str, str]) -> Iterable[str]:
    for instance in stack.instances:
        path = component_path(instance, base_paths)
        if path is not None and _needs_code(instance):
            yield path


def _needs_code(instance: ResolvedInstance) -> bool:
    return instance.type == "terraform" and not instance.abstract and not instance.sections.get("source")


def _is_directory(paths: Sequence[str], path: str) -> bool:
    prefix = path.rstrip("/") + "/"
    at = bisect_left(paths, prefix)
    return at < len(paths) and paths[at].startswith(prefix)


def _modules_below(paths: Iterable[str], base: str) -> set[str]:
    """Directories below the base that hold Terraform code themselves; modules inside another module are its own business."""
    prefix = base.rstrip("/") + "/"
    folders = {posixpath.dirname(path) for path in paths if path.startswith(prefix) and path.endswith(_CODE)}
    folders.discard(base.rstrip("/"))
    return {folder for folder in folders if not any(parent in folders for parent in _parents(folder))}


def _parents(folder: str) -> Iterable[str]:
    while folder := posixpath.dirname(folder):
        yield folder


def identity(estate: str, component: tuple[str, str]) -> str:
    """The global id of a component by type and path."""
    return global_id("Component", estate, *component)


def said(parts: Iterable[StackPart]) -> dict[str, Said]:
    """Gather what instances say of their components, by the component's id."""
    gathered: dict[str, Said] = {}
    for facts in {id(part.facts): part.facts for part in parts}.values():
        for component, category, time, cost, description in facts:
            answers = gathered.setdefault(component, Said())
            if category is not None:
                answers.categories.add(category)
            if time is not None:
                answers.times.add(time)
            if cost is not None and cost.estimate is not None:
                answers.costs.add(cost)
            if description is not None:
                answers.descriptions.add(description)
    return gathered


_SILENCE = Said()


def make(around: Surroundings, organization: str, facts: ComponentFacts, answers: Said | None) -> tuple[Any, Any]:
    """Make a component's row and its estimate's (None where nothing is known of its cost)."""
    answers = answers or _SILENCE
    identity_ = around.component_ids[facts.type, facts.path]
    name = _name(facts, around.resolved.component_base_paths)
    stated = facts.category or _only(answers.categories)
    category = stated or categories.derived(name, facts.code.resource_types)
    cost = facts.cost or _agreed(answers.costs)
    estimate = None if cost is None else estimate_row("Component", identity_, cost, cost.location)
    description = facts.description or _only(answers.descriptions) or facts.summary
    maintainer = maintainer_of(around, organization, facts)
    code = facts.code
    row = ComponentRow(
        id=identity_,
        estate_id=global_id("Estate", around.estate),
        type=facts.type,
        name=safe(name),
        path=safe(facts.path),
        title=facts.title,
        description=description and safe(description),
        category=category,
        category_derived=stated is None and category is not None,
        provisioning_time=_only(answers.times) if facts.time is None else facts.time,
        cost_estimate_id=None if estimate is None else estimate.id,
        maturity=facts.maturity,
        maintainer_id=None if maintainer is None else global_id("Team", *maintainer),
        readme=code.readme and safe(code.readme),
        source=facts.source,
        version=facts.version,
        inputs=json_text(list(code.inputs)),
        outputs=json_text(list(code.outputs)),
        providers=json_text(list(code.providers)),
        modules=json_text(list(code.modules)),
        required_version=code.required_version and safe(code.required_version),
        input_schema=json_text(code.input_schema),
        source_hash=code.source_hash,
        content_hash="",
        removed_at=None,
    )
    return row._replace(content_hash=fingerprint((row, estimate))), estimate


def maintainer_of(around: Surroundings, organization: str, facts: ComponentFacts) -> tuple[str, str] | None:
    """The known team that the first of a component's maintainers to name one names."""
    found = (around.teams.find(organization, named.value) for named in facts.maintainers)
    return next((team for team in found if team is not None), None)


def strangers(around: Surroundings, organization: str, components: Iterable[ComponentFacts]) -> Iterator[Diagnostic]:
    """Say of each component whose maintainers name no known team who they are."""
    for facts in components:
        if facts.maintainers and maintainer_of(around, organization, facts) is None:
            names = ", ".join(dict.fromkeys(named.value for named in facts.maintainers))
            yield Diagnostic(
                severity=Severity.INFO,
                code="MAINTAINER_UNKNOWN",
                message=f"the maintainer of {facts.path} is no known team: {names}",
                hint="add the team to seeds/teams.yaml, or the name to its aliases",
                location=facts.maintainers[0].location,
            )


def _name(facts: ComponentFacts, base_paths: Mapping[str, str]) -> str:
    """The path below the components directory of its type: what `component` says in manifests."""
    for component_type, base in base_paths.items():
        prefix = base.rstrip("/") + "/"
        if kind_of(component_type) == facts.type and facts.path.startswith(prefix):
            return facts.path[len(prefix) :]
    return posixpath.basename(facts.path)


def _only(answers: set[Any]) -> Any:
    return next(iter(answers)) if len(answers) == 1 else None


def _agreed(costs: set[Cost]) -> Cost | None:
    """The one cost that all instances state, else the range they span; None for none or for several currencies."""
    if len(costs) == 1:
        return next(iter(costs))
    estimates = [cost.estimate for cost in costs if cost.estimate is not None]
    if len({estimate.currency for estimate in estimates}) != 1:
        return None
    return Cost(estimate=spanned(estimates), problem="its instances state different costs", source=CostSource.INSTANCE_METADATA)


def spanned(estimates: Sequence[Estimate]) -> Estimate:
    """The range that estimates in one currency span; open above when one of them is."""
    lows = [low for estimate in estimates if (low := _first(estimate.low, estimate.amount)) is not None]
    highs = [_first(estimate.high, estimate.amount) for estimate in estimates]
    return Estimate(
        currency=estimates[0].currency,
        amount=None,
        low=min(lows, default=None),
        high=None if None in highs else max(high for high in highs if high is not None),
    )


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)
