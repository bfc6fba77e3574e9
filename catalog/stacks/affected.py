"""`describe affected`: what differs between two resolved estates and a set of changed files, told as Atmos tells it.

Every instance of the estate at hand is compared section by section with the one of the same name in the base; changed files
affect the instances whose code, modules, declared files or secrets they are. Lists come in the order of stacks, types and names.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import declarations, globs, secret_files
from catalog.stacks.dependents import Dependents, code_path, slug
from catalog.stacks.files import join
from catalog.stacks.integrations import Integrations
from catalog.stacks.json_text import Record
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.naming import TOKENS, context_of, from_pattern
from catalog.stacks.resolved import ResolvedEstate, ResolvedInstance

# Sections compared, in the order in which the first difference becomes the headline.
SECTIONS = (
    "vars",
    "env",
    "providers",
    "required_providers",
    "required_version",
    "generate",
    "backend",
    "backend_type",
    "remote_state_backend",
    "remote_state_backend_type",
    "auth",
    "command",
    "dependencies",
    "source",
    "provision",
)
_KUBERNETES = ("vars", "env", "source", "provision", "generate", "provider", "paths", "manifests", "render", "validate")
_HELM = ("vars", "env", "source", "provision", "generate", "render", "values", "values_files", "chart", "repositories")
_COMPARED = ("terraform", "helmfile", "packer", "kubernetes", "helm")
_DELETABLE = ("terraform", "helmfile", "packer")
# Types whose changed files are told apart by their base path; the others are asked about every changed file.
_INDEXED = ("terraform", "helmfile", "packer", "kubernetes")

# The directories of the local modules that the code in a directory calls; all paths are the tree's.
Modules = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command was asked for: the flags of `describe affected` that change its answer."""

    stack: str | None = None
    include_settings: bool = False
    include_dependents: bool = False
    include_spacelift_admin_stacks: bool = False
    exclude_locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Changed files as paths of the tree, the directory in which the command runs, and who knows which modules code calls."""

    files: Sequence[str]
    directory: str
    modules: Modules = field(repr=False)


def affected(
    head: ResolvedEstate, base: ResolvedEstate, changes: Changes, integrations: Integrations, options: Options = Options()
) -> list[Map]:
    """Return what `describe affected` prints; raises EstateError where Atmos fails."""
    comparison = _Comparison(head, base, changes, integrations, options)
    found = [record for stack in head.stacks if options.stack in (None, stack.name) for record in comparison.of_stack(stack.name)]
    found += comparison.deleted()
    if found and options.include_dependents:
        _add_dependents(found, head, integrations, options)
    return found


class _Comparison:
    """One comparison of two estates."""

    def __init__(
        self, head: ResolvedEstate, base: ResolvedEstate, changes: Changes, integrations: Integrations, options: Options
    ) -> None:
        self.head = head
        self.integrations = integrations
        self.options = options
        self.here = {stack.name: stack for stack in head.stacks}
        self.there = {(each.stack, each.type, each.name): each for stack in base.stacks for each in stack.instances}
        self.base = base
        self.code = _Code(head, changes)
        self.directory = changes.directory
        configured = integrations.config.get("describe", "affected", "sections", otherwise=[])
        self.sections = tuple(str(name) for name in configured) if isinstance(configured, list) and configured else SECTIONS
        providers = integrations.config.get("secrets", "providers", otherwise=EMPTY)
        self.providers: Map = providers if isinstance(providers, dict) else EMPTY

    def of_stack(self, stack: str) -> list[Map]:
        """The affected instances of one stack, and the Spacelift admin stacks that manage them."""
        result: list[Map] = []
        for kind in _COMPARED:
            found: dict[tuple[str, str], Map] = {}
            for instance in self.here[stack].instances:
                if instance.type == kind and self._is_looked_at(instance):
                    self._add(found, instance)
            result += found.values()
        return result

    def _is_looked_at(self, instance: ResolvedInstance) -> bool:
        return not instance.abstract and instance.enabled and not (self.options.exclude_locked and instance.locked)

    def _add(self, found: dict[tuple[str, str], Map], instance: ResolvedInstance) -> None:
        reasons, place = self._reasons(instance)
        if not reasons:
            return
        key = (instance.stack, instance.name)
        if key in found:
            found[key]["affected_all"] += reasons
            return
        record = self._record(instance, reasons, place)
        if self.options.include_spacelift_admin_stacks and instance.type == "terraform" and reasons[0] != "component.module":
            self._add_admin_stack(found, instance)
        found[key] = record

    def _reasons(self, instance: ResolvedInstance) -> tuple[list[str], Map]:
        """Every reason in order, and the file or folder where that is the first."""
        other = self.there.get((instance.stack, instance.type, instance.name))
        # What no changed manifest reaches is the very same object on both sides.
        is_same = other is instance
        reasons = [] if is_same or _is_same_map("metadata", instance, other) else ["stack.metadata"]
        folder = _folder(instance)
        if instance.type == "terraform" and self.code.is_module_changed(folder):
            reasons.append("component.module")
        if self.code.is_changed(instance.type, folder):
            reasons.append("component")
        if not is_same:
            reasons += [f"stack.{name}" for name in self._sections_of(instance.type) if _differs(name, instance, other)]
        place: Map = {}
        if isinstance(instance.sections.get("settings"), dict):
            if not is_same and not _is_same_map("settings", instance, other):
                reasons.append("stack.settings")
            hit = self._watched(instance)
            if hit is not None:
                reason, path = hit
                place = {} if reasons else {"folder" if reason == "folder" else "file": path}
                reasons.append(reason)
        return reasons, place

    def _sections_of(self, kind: str) -> Sequence[str]:
        if kind == "helm":
            return _HELM
        return tuple(dict.fromkeys((*_KUBERNETES, *self.sections))) if kind == "kubernetes" else self.sections

    def _watched(self, instance: ResolvedInstance) -> tuple[str, str] | None:
        """The first declared file or folder that changed, else the first file of secrets."""
        if not self.code.files:
            return None
        for each in declarations.watched(instance.sections):
            if self._has_changed(each.path, "/**" if each.kind == "folder" else ""):
                return each.kind, each.path
        if instance.sections.get("secrets"):
            for path in secret_files.paths(instance, self.providers, self.integrations.templates):
                if self._has_changed(path, ""):
                    return "secret.file", path
        return None

    def _has_changed(self, path: str, ending: str) -> bool:
        pattern = join(self.directory, path) + ending
        return any(globs.matches(pattern, file) for file in self.code.files)

    def _record(self, instance: ResolvedInstance, reasons: list[str], place: Map) -> Map:
        settings = instance.sections.get("settings")
        return Record(
            {
                "component": instance.name,
                "component_type": instance.type,
                "component_path": code_path(self.head, instance, instance.type),
                "stack": instance.stack,
                "stack_slug": slug(instance),
                **self.integrations.names(instance),
                "affected": reasons[0],
                "affected_all": reasons,
                **place,
                "dependents": None,
                "included_in_dependents": False,
                "settings": settings if self.options.include_settings else None,
            }
        )

    def _add_admin_stack(self, found: dict[tuple[str, str], Map], instance: ResolvedInstance) -> None:
        """Add the Spacelift admin stack that an instance's settings point at."""
        settings = instance.sections.get("settings")
        spacelift = settings.get("spacelift") if isinstance(settings, dict) else None
        selector = spacelift.get("admin_stack_selector") if isinstance(spacelift, dict) else None
        wanted = declarations.context(selector) if selector else EMPTY
        if not wanted:
            return
        config = self.integrations.config
        is_templated = bool(config.name_template)
        prefix = "" if is_templated else from_pattern(config.name_pattern, context_of(wanted), instance.stack)
        for stack in self.head.stacks:
            for admin in stack.instances:
                if admin.type != "terraform" or admin.name != wanted.get("component"):
                    continue
                context = context_of(admin.sections.get("vars"))
                # With a name template Atmos compares the affected stack's name with itself.
                if is_templated or from_pattern(config.name_pattern, context, admin.stack) == prefix:
                    self._insist_on_workspace(instance, admin)
                    key = (admin.stack, admin.name)
                    reason = "stack.settings.spacelift.admin_stack_selector"
                    if key in found:
                        found[key]["affected_all"].append(reason)
                    else:
                        found[key] = self._record(admin, [reason], EMPTY)

    def _insist_on_workspace(self, instance: ResolvedInstance, admin: ResolvedInstance) -> None:
        settings = admin.sections.get("settings")
        spacelift = settings.get("spacelift") if isinstance(settings, dict) else None
        if isinstance(spacelift, dict) and spacelift.get("workspace_enabled") is not True:
            raise EstateError(
                f"component '{instance.name}' in the stack '{instance.stack}' has the section "
                "'settings.spacelift.admin_stack_selector' to point to the Spacelift admin component "
                f"'{admin.name}' in the stack '{admin.stack}', but that component has Spacelift workspace disabled in the "
                "'settings.spacelift.workspace_enabled' section and can't be added to the affected stacks",
                code="SPACELIFT",
            )

    def deleted(self) -> list[Map]:
        """The instances that only the base has."""
        present = {(each.stack, each.type, each.name) for stack in self.head.stacks for each in stack.instances}
        return [
            self._deleted(each)
            for stack in self.base.stacks
            if self.options.stack in (None, stack.name)
            for kind in _DELETABLE
            for each in stack.instances
            if each.type == kind and not each.abstract and (each.stack, each.type, each.name) not in present
        ]

    def _deleted(self, instance: ResolvedInstance) -> Map:
        is_whole_stack = instance.stack not in self.here
        reason = "deleted.stack" if is_whole_stack else "deleted"
        context = context_of(instance.sections.get("vars"))
        return Record(
            {
                "component": instance.name,
                "component_type": instance.type,
                "component_path": code_path(self.head, instance, instance.type),
                **{token: context[token] for token in TOKENS if context.get(token)},
                "stack": instance.stack,
                "stack_slug": slug(instance),
                **self.integrations.known_names(instance),
                "affected": reason,
                "affected_all": [reason],
                "dependents": None,
                "included_in_dependents": False,
                "settings": None,
                "deleted": True,
                "deletion_type": "stack" if is_whole_stack else "component",
            }
        )


class _Code:
    """Tells whether changed files lie in a component's code or in the modules it calls; each directory is asked about once."""

    def __init__(self, head: ResolvedEstate, changes: Changes) -> None:
        self.files = tuple(changes.files)
        self._modules = changes.modules
        self._base_path = head.config.base_path if head.config else ""
        self._bases = head.component_base_paths
        stacks = head.config.stacks_path if head.config else ""
        indexed = [join(self._base_path, self._bases[kind]) for kind in _INDEXED if self._bases.get(kind)]
        self._by_base: dict[str, list[str]] = {place: [] for place in (*indexed, stacks)}
        for file in self.files:
            place = next((place for place in self._by_base if _lies_in(file, place)), None)
            if place is not None:
                self._by_base[place].append(file)
        self._changed: dict[str, bool] = {}
        self._module_changed: dict[str, bool] = {}

    def is_changed(self, kind: str, folder: str) -> bool:
        """Tell whether a changed file lies in the folder of a component of that type."""
        if not self.files:
            return False
        place = self._place(kind, folder)
        if place not in self._changed:
            self._changed[place] = _any_below(self._relevant(kind), place)
        return self._changed[place]

    def is_module_changed(self, folder: str) -> bool:
        """Tell whether a changed file lies in a local module that a Terraform component calls; Atmos looks below its base path only."""
        relevant = self._relevant("terraform")
        if not relevant:
            return False
        place = self._place("terraform", folder)
        if place not in self._module_changed:
            self._module_changed[place] = any(_any_below(relevant, module) for module in self._modules(place))
        return self._module_changed[place]

    def _place(self, kind: str, folder: str) -> str:
        return join(self._base_path, self._bases.get(kind, ""), folder)

    def _relevant(self, kind: str) -> Sequence[str]:
        return self._by_base.get(join(self._base_path, self._bases.get(kind, "")), self.files)


def _any_below(files: Iterable[str], place: str) -> bool:
    pattern = f"{place}/**" if place else "**"
    return any(globs.matches(pattern, file) for file in files)


def _lies_in(file: str, place: str) -> bool:
    return not place or file == place or file.startswith(place + "/")


def _folder(instance: ResolvedInstance) -> str:
    found = instance.sections.get("component")
    return found if isinstance(found, str) and found else instance.name


def _differs(name: str, instance: ResolvedInstance, other: ResolvedInstance | None) -> bool:
    if name not in instance.sections:
        # Taking `validate` away is a change of its own: it means the default again.
        return name == "validate" and instance.type == "kubernetes" and other is not None and name in other.sections
    if other is None or (instance.type == "helm" and name not in other.sections):
        return True
    return not is_same(instance.sections[name], other.sections.get(name))


def _is_same_map(name: str, instance: ResolvedInstance, other: ResolvedInstance | None) -> bool:
    value = instance.sections.get(name)
    if not isinstance(value, dict):
        return True
    there = other.sections.get(name) if other is not None else None
    return isinstance(there, dict) and is_same(value, there)


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal and of equal types all the way down: 1, 1.0 and true are three values."""
    if one is other:
        return True
    if isinstance(one, dict):
        return (
            isinstance(other, dict) and one.keys() == other.keys() and all(is_same(value, other[key]) for key, value in one.items())
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, str):
        return isinstance(other, str) and one == other
    return type(one) is type(other) and bool(one == other)


def _add_dependents(found: list[Map], head: ResolvedEstate, integrations: Integrations, options: Options) -> None:
    dependents = Dependents.of(
        head, integrations, include_settings=options.include_settings, only_in_stack=options.stack, lenient=True
    )
    instances = {(each.stack, each.type, each.name): each for stack in head.stacks for each in stack.instances}
    for record in found:
        if record.get("deleted"):
            record["dependents"] = []
        elif options.stack in (None, record["stack"]):
            instance = instances[record["stack"], record["component_type"], record["component"]]
            record["dependents"] = dependents.all_of(instance)
    _mark_included(found)


def _mark_included(found: list[Map]) -> None:
    """Mark what also appears below another entry, so that nothing is deployed twice."""
    counts: dict[str, int] = {}
    below = [_slugs(record["dependents"]) for record in found]
    for names in below:
        for name in names:
            counts[name] = counts.get(name, 0) + 1
    for record, names in zip(found, below, strict=True):
        others = counts.get(record["stack_slug"], 0) - (record["stack_slug"] in names)
        record["included_in_dependents"] = others > 0
        if not record["included_in_dependents"]:
            _mark_peers(record["dependents"] or [])


def _mark_peers(dependents: list[Map]) -> None:
    for number, record in enumerate(dependents):
        others = dependents[:number] + dependents[number + 1 :]
        record["included_in_dependents"] = any(
            record["stack_slug"] == other["stack_slug"] or record["stack_slug"] in _slugs(other["dependents"]) for other in others
        )
        _mark_peers(record["dependents"] or [])


def _slugs(dependents: Iterable[Map] | None) -> set[str]:
    return {name for record in dependents or () for name in (record["stack_slug"], *_slugs(record["dependents"]))}


def matrix(found: Iterable[Mapping[str, Any]]) -> Map:
    """Return the entries as the matrix of a workflow on GitHub."""
    keys = ("stack", "component", "component_path", "component_type")
    return {"include": [{key: record[key] for key in keys} for record in found]}


def below(directory: str, source: str) -> str:
    """Return the directory that a module's `source` means, seen from the code that calls it."""
    return posixpath.normpath(posixpath.join(directory, source))
