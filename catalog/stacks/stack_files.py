"""One top-level manifest: its components built and named, and later evaluated. What an incremental reading keeps or makes anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from catalog.errors import EstateError
from catalog.stacks.components import Built, Components
from catalog.stacks.dependencies import Declared
from catalog.stacks.findings import Findings
from catalog.stacks.manifests import Manifests, Merged
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.naming import Named, Naming
from catalog.stacks.resolved import ResolvedInstance
from catalog.stacks.roots import locate
from catalog.values import Diagnostic, Severity, SourceLocation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StackFile:
    """What one top-level manifest gives; `merged` is None when it can't be read, `error` tells why it gave no stack.

    `file` is the manifest relative to the estate, `lost` the (type, name) of components that can't be built. `built`, `named` and,
    once they are evaluated, `instances` go in parallel; `declared` holds each instance's dependencies as written, `consulted` the
    components of any stack that the evaluation asked for, with the stack files that answered. `diagnostics` are those of building
    (`found`) and of evaluation.
    """

    path: str
    file: str
    name: str
    merged: Merged | None = None
    error: EstateError | None = None
    built: tuple[Built, ...] = field(default=(), repr=False)
    named: tuple[Named, ...] = field(default=(), repr=False)
    instances: tuple[ResolvedInstance, ...] = ()
    declared: tuple[tuple[Declared, ...], ...] = field(default=(), repr=False)
    consulted: tuple[tuple[tuple[str, str], frozenset[str]], ...] = field(default=(), repr=False)
    lost: frozenset[tuple[str, str]] = frozenset()
    found: tuple[Diagnostic, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    has_text: bool = False
    is_evaluated: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The stacks that the components name."""
        return frozenset(named.stack for named in self.named)

    def evaluated(
        self,
        instances: Sequence[ResolvedInstance],
        declared: Sequence[tuple[Declared, ...]],
        *,
        consulted: tuple[tuple[tuple[str, str], frozenset[str]], ...],
        diagnostics: Iterable[Diagnostic],
    ) -> StackFile:
        """Return it with what evaluation gave; what is as it was the last time is the same object again."""
        new = replace(
            self,
            instances=tuple(instances),
            declared=tuple(declared),
            consulted=consulted,
            diagnostics=tuple(dict.fromkeys((*self.found, *diagnostics))),
            is_evaluated=True,
        )
        if not self.is_evaluated:
            return new
        kept = tuple(old if old == now else now for old, now in zip(self.instances, new.instances, strict=True))
        is_same = (
            all(old is now for old, now in zip(self.instances, kept, strict=True))
            and self.declared == new.declared
            and self.consulted == new.consulted
            and self.diagnostics == new.diagnostics
        )
        return self if is_same else replace(new, instances=kept)

    def root(self, section: str) -> Map:
        """A section of the manifest's root, merged over its imports."""
        value = self.merged.value.get(section) if self.merged else None
        return value if isinstance(value, dict) else EMPTY


class StackFiles:
    """Resolves top-level manifests one by one, sharing everything that is equal between them."""

    def __init__(self, manifests: Manifests, components: Components, naming: Naming) -> None:
        self.manifests = manifests
        self.components = components
        self.naming = naming

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
                found=tuple(findings.diagnostics),
                diagnostics=tuple(findings.diagnostics),
            )

    def _unread(self, path: str, file: str, error: EstateError, findings: Findings) -> StackFile:
        findings.lose(error)
        culprit = error.location.file if error.location else ""
        if culprit and culprit != file:
            words = f"'{file}' gives no stack: it imports '{culprit}', which can't be resolved"
            findings.lose(
                EstateError(words, code="IMPORT", location=self.manifests.guilty_import(path) or SourceLocation(file=file, line=1))
            )
        found = tuple(findings.diagnostics)
        return StackFile(path=path, file=file, name=file, error=error, found=found, diagnostics=found)

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
        return StackFile(
            path=path,
            file=file,
            name=merged.manifest.name,
            merged=merged,
            built=tuple(built),
            named=tuple(self._named(item, merged, findings) for item in built),
            lost=frozenset(lost),
            found=tuple(dict.fromkeys(findings.diagnostics)),
            diagnostics=tuple(dict.fromkeys(findings.diagnostics)),
            has_text=self.components.has_text or self.components.texts.flags(merged.value) != 0,
        )

    def _named(self, built: Built, merged: Merged, findings: Findings) -> Named:
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
        return named


def renamed(instance: ResolvedInstance, stack: str) -> ResolvedInstance:
    """Return an instance under another stack name."""
    return replace(instance, stack=stack, sections={**instance.sections, "stack": stack, "atmos_stack": stack})


def _located(error: EstateError, merged: Merged, otherwise: tuple[str, ...]) -> EstateError:
    if error.location is not None:
        return error
    location = locate(merged, error.path or otherwise) or SourceLocation(file=merged.manifest.file, line=1)
    return EstateError(error.message, code=error.code, hint=error.hint, location=location, path=error.path)
