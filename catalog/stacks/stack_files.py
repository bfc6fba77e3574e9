"""One top-level manifest, resolved: its components built and named. What an incremental reading keeps or makes anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from catalog.errors import EstateError
from catalog.stacks import dependencies
from catalog.stacks.components import Built, Components
from catalog.stacks.dependencies import Declared
from catalog.stacks.findings import Findings
from catalog.stacks.manifests import Manifests, Merged
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.naming import Naming
from catalog.stacks.resolved import ResolvedInstance
from catalog.stacks.roots import locate
from catalog.stacks.stages import Stages
from catalog.values import Diagnostic, Severity, SourceLocation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StackFile:
    """What one top-level manifest gives; `merged` is None when it can't be read, `error` tells why it gave no stack.

    `file` is the manifest relative to the estate, `lost` the (type, name) of components that can't be built. `instances` and
    `built` go in parallel; `declared` holds each instance's dependencies as written, `names` the stacks that they name.
    """

    path: str
    file: str
    name: str
    merged: Merged | None = None
    error: EstateError | None = None
    instances: tuple[ResolvedInstance, ...] = ()
    built: tuple[Built, ...] = field(default=(), repr=False)
    declared: tuple[tuple[Declared, ...], ...] = field(default=(), repr=False)
    names: frozenset[str] = frozenset()
    lost: frozenset[tuple[str, str]] = frozenset()
    diagnostics: tuple[Diagnostic, ...] = ()

    def root(self, section: str) -> Map:
        """A section of the manifest's root, merged over its imports."""
        value = self.merged.value.get(section) if self.merged else None
        return value if isinstance(value, dict) else EMPTY


class StackFiles:
    """Resolves top-level manifests one by one, sharing everything that is equal between them."""

    def __init__(self, manifests: Manifests, components: Components, naming: Naming, stages: Stages) -> None:
        self.manifests = manifests
        self.components = components
        self.naming = naming
        self.stages = stages

    def resolve(self, path: str) -> StackFile:
        """Return what a top-level manifest gives; in strict reading raises EstateError where Atmos fails."""
        file = self.manifests.relative_to_estate(path)
        findings = Findings(strict=self.manifests.strict)
        try:
            merged = self.manifests.merged(path)
        except EstateError as error:
            return self._unread(path, file, error, findings)
        try:
            return self._resolved(path, file, merged, findings)
        except EstateError as error:
            located = _located(error, merged, ())
            findings.lose(located)
            return StackFile(
                path=path,
                file=file,
                name=merged.manifest.name,
                merged=merged,
                error=located,
                diagnostics=tuple(findings.diagnostics),
            )

    def _unread(self, path: str, file: str, error: EstateError, findings: Findings) -> StackFile:
        findings.lose(error)
        culprit = error.location.file if error.location else ""
        if culprit and culprit != file:
            words = f"'{file}' gives no stack: it imports '{culprit}', which can't be resolved"
            findings.lose(EstateError(words, code="IMPORT", location=self._guilty_import(path, culprit)))
        return StackFile(path=path, file=file, name=file, error=error, diagnostics=tuple(findings.diagnostics))

    def _guilty_import(self, path: str, culprit: str) -> SourceLocation:
        """Where the import stands that leads to the file that can't be resolved."""
        manifest = self.manifests.read(path)
        for wanted in manifest.imports:
            try:
                for target in self.manifests.resolver.find(wanted, manifest.relative, path):
                    self.manifests.merged(target)
            except EstateError as error:
                if wanted.location is not None and error.location is not None and error.location.file == culprit:
                    return wanted.location
        return manifest.location(("import",)) or SourceLocation(file=manifest.file, line=1)

    def _resolved(self, path: str, file: str, merged: Merged, findings: Findings) -> StackFile:
        built: list[Built] = []
        lost: set[tuple[str, str]] = set()
        for item in self.components.build(merged, findings):
            if isinstance(item, Built):
                built.append(item)
                continue
            kind, name, error = item
            findings.lose(_located(error, merged, ("components", kind, name)), component=name)
            lost.add((kind, name))
        instances = tuple(self._instance(item, merged, findings) for item in built)
        return StackFile(
            path=path,
            file=file,
            name=merged.manifest.name,
            merged=merged,
            instances=instances,
            built=tuple(built),
            declared=tuple(() if item.abstract else tuple(_declared(item, merged)) for item in instances),
            names=frozenset(instance.stack for instance in instances),
            lost=frozenset(lost),
            diagnostics=tuple(dict.fromkeys(findings.diagnostics)),
        )

    def _instance(self, built: Built, merged: Merged, findings: Findings) -> ResolvedInstance:
        manifest = merged.manifest
        named = self.naming.name(built.entry, manifest.name, merged.value.get("name"))
        if named.problem is not None and not self.manifests.strict and not built.is_abstract:
            findings.note(
                Severity.WARNING,
                named.problem.code,
                named.problem.message,
                hint=named.problem.hint or f"The stack is named by its manifest, '{manifest.name}'.",
                location=SourceLocation(file=manifest.file, line=1),
            )
        entry = {
            **built.entry,
            "atmos_component": built.name,
            "atmos_stack": named.stack,
            "stack": named.stack,
            "atmos_stack_file": manifest.name,
            "atmos_manifest": manifest.name,
            "component_info": self.naming.component_info(built.type, built.entry),
        }
        if built.type == "terraform":
            entry["workspace"] = self.naming.workspace(built.entry, named)
        entry = self.stages.functions(self.stages.component(entry))
        metadata = built.metadata
        mention = merged.mentions.get((built.type, built.name))
        return ResolvedInstance(
            stack=named.stack,
            type=built.type,
            name=built.name,
            component=built.component,
            sections=entry,
            abstract=built.is_abstract,
            enabled=metadata.get("enabled") is not False,
            locked=metadata.get("locked") is True,
            bases=built.chain.names,
            manifest=manifest.file,
            location=mention.location(("components", built.type, built.name)) if mention else None,
        )


def _declared(instance: ResolvedInstance, merged: Merged) -> Iterator[Declared]:
    yield from dependencies.declared(instance.sections)
    if merged.has_text:
        yield from dependencies.inferred(instance.sections)


def renamed(instance: ResolvedInstance, stack: str) -> ResolvedInstance:
    """Return an instance under another stack name."""
    return replace(instance, stack=stack, sections={**instance.sections, "stack": stack, "atmos_stack": stack})


def _located(error: EstateError, merged: Merged, otherwise: tuple[str, ...]) -> EstateError:
    if error.location is not None:
        return error
    location = locate(merged, error.path or otherwise) or SourceLocation(file=merged.manifest.file, line=1)
    return EstateError(error.message, code=error.code, hint=error.hint, location=location, path=error.path)
