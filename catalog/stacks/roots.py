"""The lowest layers: what a manifest's root and its type sections give to every component of the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import sections
from catalog.stacks.findings import Findings
from catalog.stacks.inheritance import combined
from catalog.stacks.manifests import Merged
from catalog.stacks.merging import EMPTY, Map, Memo, merge_all
from catalog.stacks.sections import Section
from catalog.values import Severity, SourceLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """What a manifest's root and its type sections give to every component of one type.

    `layers` is the lowest layer of each section that has one, `entry` what a component that says nothing becomes.
    """

    layers: Map
    entry: Map
    backend: Map
    metadata: Map
    stack: str


class RootLayers:
    """The lowest layers that one manifest gives to all its components, worked out once a type."""

    def __init__(self, merged: Merged, findings: Findings, *, memo: Memo, strategy: str, environment: Map) -> None:
        self.memo = memo
        self.strategy = strategy
        self.environment = environment
        self.merged = merged
        self.findings = findings
        self.stack = merged.manifest.name
        self._metadata: Map | None = None

    def root(self, name: str) -> Map:
        """A section of the manifest's root; raises EstateError when it is no map."""
        return root_map(self.merged.value, name, self.stack, self.findings, self.merged)

    def metadata(self) -> Map:
        """The stack-wide metadata; fields that name one component are refused, in lenient reading left out."""
        if self._metadata is None:
            self._metadata = self._allowed(self.root("metadata"))
        return self._metadata

    def _allowed(self, written: Map) -> Map:
        strange = sorted(key for key in written if key not in sections.GLOBAL_METADATA)
        if not strange:
            return written
        words = "metadata field is not allowed at global (stack-wide) scope"
        hint = "Global metadata only supports: labels, tags, custom, enabled, locked, terraform_workspace_pattern"
        location = locate(self.merged, ("metadata", strange[0]))
        if self.findings.strict:
            raise EstateError(f"{words}: {', '.join(strange)} in '{self.stack}'", code="METADATA", hint=hint, location=location)
        self.findings.note(
            Severity.WARNING,
            "METADATA",
            f"{words}: {', '.join(strange)}",
            hint=hint + "; read here as metadata.custom.",
            location=location,
        )
        free = {key: written[key] for key in strange if key not in sections.IDENTITY_METADATA}
        kept = {key: value for key, value in written.items() if key in sections.GLOBAL_METADATA}
        return self.memo.merge({"custom": free}, kept) if free else kept

    def of_type(self, kind: str) -> Roots:
        """The lowest layer of each section of a component type."""
        section = root_map(self.merged.value, kind, self.stack, self.findings, self.merged)
        layers: Map = {}
        for row, scopes in sections.of_type(kind):
            value = self._layer(row, scopes, kind, section)
            if value:
                layers[row.name] = self.memo.first_equal(value)
        backend = {
            name: self.memo.first_equal(self._typed(_backend_row(name), kind, section))
            for name in sections.BACKENDS
            if name in section
        }
        metadata = self.metadata()
        entry = {
            row.name: layers.get(row.name, "" if row.kind == "text" else EMPTY) for row, _ in sections.of_type(kind) if row.shown
        }
        return Roots(layers=layers, entry=entry | layers, backend=backend, metadata=metadata, stack=self.stack)

    def _layer(self, row: Section, scopes: str, kind: str, section: Map) -> Any:
        below: Any = self.root(row.name) if "g" in scopes else None
        if row.name == "secrets":
            below = stamped(below, "stack")
        if row.name == "env" and self.environment:
            below = self.memo.merge(self.environment, below or EMPTY, self.strategy)
        above = self._typed(row, kind, section) if "t" in scopes else None
        if self.merged.has_append and row.kind == "map":
            return merge_all([below or EMPTY, above or EMPTY], self.strategy, has_appends=True)
        if not below or not above:
            return above or below
        return combined(self.memo, below, above, self.strategy)

    def _typed(self, row: Section, kind: str, section: Map) -> Any:
        if row.name not in section:
            return None
        value = section[row.name]
        if row.kind == "map" and is_included(value):
            return None
        wanted = {"map": dict, "text": str}.get(row.kind)
        if wanted is None or isinstance(value, wanted):
            return value
        path = (kind, row.name)
        if value is None and not self.findings.strict:
            _note_null(self.findings, self.merged, path)
            return None
        what = f"{row.name} section" if row.kind == "map" else row.name
        raise EstateError(f"invalid {kind} {what} in file '{self.stack}'", code="SECTION", path=path)


def _backend_row(name: str) -> Section:
    return Section(name=name, scopes=EMPTY, kind="text" if name.endswith("_type") else "map")


def locate(merged: Merged, path: tuple[str | int, ...]) -> SourceLocation | None:
    """Return where a path of the merged manifest is written last."""
    for manifest, _ in reversed(tuple(merged.contributions())):
        found = manifest.location(path)
        if found is not None and path:
            return found
    return None


def root_map(root: Map, name: str, stack: str, findings: Findings, merged: Merged) -> Map:
    """Return a section of a merged manifest's root; raises EstateError when it is no map (null counts as empty leniently)."""
    value = root.get(name, EMPTY)
    if isinstance(value, dict):
        return value
    if is_included(value):
        return EMPTY
    if value is None and not findings.strict:
        _note_null(findings, merged, (name,))
        return EMPTY
    words = "invalid 'hooks' section in the file" if name == "hooks" else f"invalid {name} section in file"
    if name == "terraform":
        words, stack = "invalid terraform section in the stack manifest", merged.manifest.relative
    raise EstateError(f"{words} '{stack}'", code="SECTION", path=(name,))


def _note_null(findings: Findings, merged: Merged, path: tuple[str, ...]) -> None:
    findings.note(
        Severity.WARNING,
        "NULL_SECTION",
        f"the section {'.'.join(path)} is empty; Atmos refuses that",
        hint="Write {} or take the key out.",
        location=locate(merged, path),
    )


def is_included(value: Any) -> bool:
    """Tell whether a whole section is an `!include` that waits for the functions' pass: it gives nothing until then."""
    return isinstance(value, str) and value.startswith("!include")


def stamped(layer: Any, scope: str) -> Any:
    """Return a layer of declared secrets with where each is declared, unless it says so itself."""
    declared = layer.get("vars") if layer else None
    if not isinstance(declared, dict):
        return layer
    with_scope = {key: {"scope": scope, **spec} if isinstance(spec, dict) else spec for key, spec in declared.items()}
    return {**layer, "vars": with_scope}
