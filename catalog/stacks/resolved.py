"""What resolving an estate gives: plain frozen values, the contract between the resolver and every room above.

Sections are plain dicts, lists and scalars, shared between instances and never to be mutated. Where each value came from
lies beside them and is asked for through `ResolvedEstate.provenance`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from catalog.stacks.atmos_config import AtmosConfig
from catalog.values import Diagnostic, SourceLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedManifest:
    """One YAML file below the stacks directory, as read.

    `path` is relative to the estate (`stacks/orgs/acme/dev.yaml`), `name` is Atmos' stack file name, relative to the
    stacks directory without extension (`orgs/acme/dev`); `imports` are paths relative to the estate, in import order.
    """

    path: str
    name: str
    content_hash: str
    top_level: bool
    imports: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedInstance:
    """One component instance: what `atmos describe stacks` prints for it, and what the catalog needs beside it.

    `sections` is the whole entry as printed (keys of reference §5.6). `component` is the physical component that its code
    directory is named after. `name`, `type` and `stack` are the natural key. `location` is where the instance is written
    last (the leaf-most manifest that mentions it). `bases` is the inheritance chain, nearest first.
    """

    stack: str
    type: str
    name: str
    component: str
    sections: Mapping[str, Any]
    abstract: bool
    enabled: bool
    locked: bool
    bases: tuple[str, ...]
    manifest: str
    location: SourceLocation | None


class Describe(Protocol):
    """Evaluates one component by itself; raises EstateError in Atmos' words."""

    def __call__(
        self,
        component: str,
        stack: str,
        kind: str | None = None,
        *,
        more: Callable[[ResolvedInstance], dict[str, Any]] | None = None,
    ) -> ResolvedInstance:
        """Return the instance as `describe component` has it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedStack:
    """One stack: its name, the top-level manifest that defines it (estate-relative path), its root sections merged over imports."""

    name: str
    manifest: str
    vars: Mapping[str, Any]
    settings: Mapping[str, Any]
    metadata: Mapping[str, Any]
    instances: tuple[ResolvedInstance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedDependency:
    """One edge between instances, each named (stack, component type, name).

    `kind` is DECLARED or INFERRED, `via` tells the key it came from (`settings.depends_on.1`, `dependencies.components[0]`).
    """

    source: tuple[str, str, str]
    target: tuple[str, str, str]
    kind: str
    via: str
    location: SourceLocation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceEntry:
    """One layer's word on a value: the value, where it is written, the import chain that led there, and the layer's name.

    `layer` is one of global, type, base, component, overrides, computed; `location` is None for what no file sets. `component` names
    the base or component whose layer it is.
    """

    value: Any
    location: SourceLocation | None
    import_chain: tuple[str, ...]
    layer: str
    component: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowManifest:
    """One workflow of one workflow file, steps as written (maps), with the file's estate-relative path."""

    name: str
    file: str
    description: str | None
    document: Mapping[str, Any]
    location: SourceLocation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedEstate:
    """Everything one reading of an estate gives.

    `broken` names the top-level manifests (estate-relative paths) that gave no stack: what they held must keep its last good
    version. `broken_instances` names instances (manifest path, type, name) lost alone while their stack resolved. `provenance`
    answers (stack, type, name, path) with the entries that set the value, the last first; a path is `vars.tags.team` or
    `vars.list[0]`. `origin` answers the same with the place of the first entry, None where no file sets the value. `unreadable` tells
    that the configuration itself couldn't be read, so that nothing is known and everything keeps its last good version.
    `empty_stacks` are names of manifests without components. `config` is what atmos.yaml decided, None when unreadable. `describe`
    evaluates one component as `describe component` does: by its name, its stack (a name or a manifest's path) and its type, None for
    the first that Atmos looks for; `more` gives further keys before templates are rendered.
    `memory` is what the resolver keeps for an incremental reading; nobody else looks into it.
    """

    stacks: tuple[ResolvedStack, ...]
    manifests: tuple[ResolvedManifest, ...]
    dependencies: tuple[ResolvedDependency, ...]
    unresolved_dependencies: Mapping[tuple[str, str, str], tuple[str, ...]]
    workflows: tuple[WorkflowManifest, ...]
    diagnostics: tuple[Diagnostic, ...]
    broken: frozenset[str]
    broken_instances: frozenset[tuple[str, str, str]]
    component_base_paths: Mapping[str, str]
    provenance: Callable[[str, str, str, str], Sequence[ProvenanceEntry]] = field(repr=False, compare=False)
    origin: Callable[[str, str, str, str], SourceLocation | None] = field(default=lambda *_: None, repr=False, compare=False)
    unreadable: bool = False
    empty_stacks: tuple[str, ...] = ()
    config: AtmosConfig | None = field(default=None, repr=False, compare=False)
    describe: Describe | None = field(default=None, repr=False, compare=False)
    memory: Any = field(default=None, repr=False, compare=False)
