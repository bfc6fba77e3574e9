"""Dependencies that only a component's code tells: Terraform that reads another component's state through Cloud Posse's `remote-state`.

    module "vpc" {
      source    = "cloudposse/stack-config/yaml//modules/remote-state"
      component = var.vpc_component_name
      stage     = "network"
      context   = module.this.context
    }

The module looks for the component in the stack of the same context, or of the one that its arguments change. Arguments are literals,
variables (what the instance gives them, else their defaults), texts of both or the first of several that says something; what only
Terraform can tell stays unresolved, unless the estate has one component of that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Any

from catalog.engines.hcl import ModuleCall
from catalog.indexer.component_facts import ComponentFacts
from catalog.indexer.stack_rows import component_path, kind_of
from catalog.stacks import cycles
from catalog.stacks.naming import TOKENS, context_of
from catalog.stacks.resolved import ResolvedDependency, ResolvedEstate, ResolvedInstance, ResolvedStack
from catalog.values import Diagnostic, SourceLocation

Key = tuple[str, str, str]  # stack, component type as Atmos spells it, name

_MODULE = re.compile(r"stack-config(?:/yaml|\.git)?//modules/remote-state(?:\?|$)")
_TERRAFORM = "terraform"
_ELSEWHERE = frozenset(("stack", *TOKENS))  # arguments that may lead into another stack
_OWN = re.compile(rf"module\.(?:this|always|introspection)\.(?:context\[\"|context\.)?({'|'.join(TOKENS)})(?:\"\])?")
_VARIABLE = re.compile(r"var\.([A-Za-z_][\w-]*)")
_TEMPLATE = re.compile(r'"((?:[^"\\$]|\$\{var\.[A-Za-z_][\w-]*\})*)"')
_CHOICE = re.compile(r"coalesce\(([^()]*)\)")
_REFERENCE = re.compile(r"\$\{var\.([A-Za-z_][\w-]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lookups:
    """The remote states that one component reads, and the defaults of its variables."""

    calls: tuple[ModuleCall, ...]
    defaults: Mapping[str, Any]

    @property
    def is_local(self) -> bool:
        """Whether every call looks into its own stack."""
        return not any(call.arguments.keys() & _ELSEWHERE for call in self.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Links:
    """What the code of one stack's components tells; `is_local` says that none of it depends on another stack.

    `rings` are those of the stack's edges, `declared` by the resolver or told here, that stay in it.
    """

    stack: ResolvedStack
    edges: tuple[ResolvedDependency, ...]
    unresolved: Mapping[Key, tuple[str, ...]]
    is_local: bool
    declared: Sequence[ResolvedDependency] | None = None
    rings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """An estate with what code tells, and what of it the next reading may keep."""

    estate: ResolvedEstate
    lookups: Mapping[tuple[str, str], _Lookups] = field(default_factory=dict, repr=False)
    links: Mapping[str, _Links] = field(default_factory=dict, repr=False)


class Dynamic(Exception):  # no failure: a value that only Terraform knows
    """An argument is an expression that only Terraform can tell."""


def linked(
    resolved: ResolvedEstate, components: Mapping[tuple[str, str], ComponentFacts], previous: Linked | None = None
) -> Linked:
    """Return the estate with the dependencies that the code of its components tells; the very same where there are none.

    With `previous`, what that told of stacks that are the same is kept where no other stack has a say in it.
    """
    lookups = {key: known for key, facts in components.items() if (known := _lookups(facts)) is not None}
    if not lookups:
        return Linked(estate=resolved)
    kept = previous.links if previous is not None and previous.lookups == lookups else {}
    targets = _Targets(resolved)
    declared: dict[str, list[ResolvedDependency]] = {}
    for edge in resolved.dependencies:
        declared.setdefault(edge.source[0], []).append(edge)
    links: dict[str, _Links] = {}
    for stack in resolved.stacks:
        before, own = kept.get(stack.name), declared.get(stack.name, [])
        is_kept = before is not None and before.stack is stack and before.is_local
        told = before if is_kept and before else _linked(stack, lookups, targets, resolved.component_base_paths)
        if told.edges and told.declared != own:
            told = replace(told, declared=own, rings=cycles.within((*own, *told.edges)))
        links[stack.name] = told
    unresolved = dict(resolved.unresolved_dependencies)
    for key, texts in chain.from_iterable(item.unresolved.items() for item in links.values()):
        unresolved[key] = (*unresolved.get(key, ()), *texts)
    leaving = {
        name: (*declared.get(name, ()), *item.edges)
        for name, item in links.items()
        if not item.is_local or any(edge.target[0] != name for edge in declared.get(name, ()))
    }
    rings = chain(chain.from_iterable(item.rings for item in links.values()), cycles.between(leaving))
    known_rings = {item.message for item in resolved.diagnostics if item.code == cycles.CODE}
    estate = replace(
        resolved,
        dependencies=(*resolved.dependencies, *chain.from_iterable(item.edges for item in links.values())),
        unresolved_dependencies=unresolved,
        diagnostics=(*resolved.diagnostics, *(ring for ring in rings if ring.message not in known_rings)),
    )
    return Linked(estate=estate, lookups=lookups, links=links)


def _linked(
    stack: ResolvedStack, lookups: Mapping[tuple[str, str], _Lookups], targets: _Targets, base_paths: Mapping[str, str]
) -> _Links:
    edges: list[ResolvedDependency] = []
    unresolved: dict[Key, tuple[str, ...]] = {}
    is_local = True
    for instance in stack.instances:
        if instance.abstract:
            continue
        asked = lookups.get((kind_of(instance.type), component_path(instance, base_paths) or ""))
        if asked is not None:
            found, texts = _of(instance, asked, targets)
            edges += found
            is_local = is_local and asked.is_local
            if texts:
                unresolved[instance.stack, instance.type, instance.name] = tuple(texts)
    return _Links(stack=stack, edges=tuple(edges), unresolved=unresolved, is_local=is_local)


def _lookups(facts: ComponentFacts) -> _Lookups | None:
    calls = tuple(
        call for call in facts.code.calls if call.source and _MODULE.search(call.source) and "component" in call.arguments
    )
    if not calls:
        return None
    return _Lookups(
        calls=calls, defaults={entry["name"]: entry.get("default") for entry in facts.code.inputs if not entry["required"]}
    )


def _of(instance: ResolvedInstance, lookups: _Lookups, targets: _Targets) -> tuple[list[ResolvedDependency], list[str]]:
    """The edges that leave one instance, and the calls that lead nowhere, as they are written."""
    variables = instance.sections.get("vars")
    values = {**lookups.defaults, **variables} if isinstance(variables, Mapping) else lookups.defaults
    key = (instance.stack, instance.type, instance.name)
    edges: list[ResolvedDependency] = []
    texts: list[str] = []
    for call in lookups.calls:
        if _is_bypassed(call):
            continue
        answers, text = targets.of(instance, call, values)
        edges += [
            ResolvedDependency(
                source=key,
                target=target,
                kind="INFERRED",
                via=f"module.{call.name}",
                location=SourceLocation(file=call.file, line=call.line),
            )
            for target in answers
            if target != key
        ]
        if text and not answers:
            texts.append(text)
    return edges, texts


def _is_bypassed(call: ModuleCall) -> bool:
    """Whether the call is written so that it never reads anything."""
    bypass = call.arguments.get("bypass")
    return bypass is not None and bypass.value is True


class _Targets:
    """Finds instances by stack or by context; what only few calls ask for is worked out on demand."""

    def __init__(self, resolved: ResolvedEstate) -> None:
        self._resolved = resolved
        self._contexts: dict[str, list[tuple[Key, Mapping[str, Any]]]] = {}

    def of(self, instance: ResolvedInstance, call: ModuleCall, values: Mapping[str, Any]) -> tuple[Sequence[Key], str]:
        """Return the instances that a call means, and how it is told when there are none; empty where it means nothing."""
        own = context_of(instance.sections.get("vars"))
        try:
            component = _text(call, "component", values, own)
        except Dynamic:
            return (), call.arguments["component"].expression
        if not component:  # such calls are counted away
            return (), ""
        try:
            stack = _text(call, "stack", values, own)
            asked = {token: _text(call, token, values, own) for token in TOKENS}
        except Dynamic:
            everywhere = [key for key, _ in self._named(component)]
            return (everywhere, component) if len(everywhere) == 1 else ((), component)
        changed = {token: value for token, value in asked.items() if value}
        if stack or not changed:
            name = stack or instance.stack
            found = [key for key in (self._names.get(name, {}).get(component),) if key is not None]
            return found, f"{component} in {stack}" if stack else component
        wanted = {**own, **changed}
        found = [key for key, context in self._named(component) if all(wanted.get(token) == context.get(token) for token in TOKENS)]
        return found, f"{component} in {', '.join(f'{token}={value}' for token, value in changed.items())}"

    @cached_property
    def _names(self) -> Mapping[str, Mapping[str, Key]]:
        return {
            stack.name: {one.name: (stack.name, one.type, one.name) for one in stack.instances if one.type == _TERRAFORM}
            for stack in self._resolved.stacks
        }

    def _named(self, component: str) -> Iterable[tuple[Key, Mapping[str, Any]]]:
        if component not in self._contexts:
            self._contexts[component] = list(self._all(component))
        return self._contexts[component]

    def _all(self, component: str) -> Iterator[tuple[Key, Mapping[str, Any]]]:
        for stack in self._resolved.stacks:
            key = self._names[stack.name].get(component)
            if key is not None:
                instance = next(one for one in stack.instances if (one.type, one.name) == key[1:])
                if not instance.abstract:
                    yield key, context_of(instance.sections.get("vars"))


def _text(call: ModuleCall, name: str, values: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    """The text of an argument; empty where it isn't given or null. Raises Dynamic."""
    argument = call.arguments.get(name)
    if argument is None:
        return ""
    if isinstance(argument.value, str):
        return argument.value
    return _value(argument.expression.strip(), values, own)


def _value(written: str, values: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    if written == "null":
        return ""
    if (choice := _CHOICE.fullmatch(written)) is not None:
        return next(filter(None, (_value(one.strip(), values, own) for one in choice[1].split(","))), "")
    if (variable := _VARIABLE.fullmatch(written)) is not None:
        return _given(variable[1], values)
    if (token := _OWN.fullmatch(written)) is not None:
        return str(own.get(token[1]) or "")
    if (template := _TEMPLATE.fullmatch(written)) is not None:
        return _REFERENCE.sub(lambda found: _given(found[1], values), template[1])
    raise Dynamic


def _given(variable: str, values: Mapping[str, Any]) -> str:
    if variable not in values:
        raise Dynamic
    value = values[variable]
    if value is None:
        return ""
    if not isinstance(value, str) or value[:1] == "!" or "{{" in value:
        raise Dynamic
    return value
