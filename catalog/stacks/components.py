"""Builds one component's entry: its layers merged section by section, as the table in `sections` says.

In go a merged manifest and the base chains, out come `Built` values: everything Atmos prints for a component but for the keys
that need the stack's name (`naming` adds those). Nothing here is evaluated: templates and functions are still text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import atmos_config, backends, sections
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.files import Files, join
from catalog.stacks.findings import Findings
from catalog.stacks.inheritance import NO_BASES, Chain, Family, Inheritance, combined, normalised
from catalog.stacks.manifests import Merged
from catalog.stacks.merging import EMPTY, Map, Memo, check_strategy, merge_all
from catalog.stacks.sections import Section
from catalog.values import Severity, SourceLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """One component of one stack file: its entry without the stack's name, its chain, and the code it stands for (`component`)."""

    type: str
    name: str
    component: str
    entry: Map = field(repr=False)
    chain: Chain = field(repr=False)

    @property
    def metadata(self) -> Map:
        """The merged metadata."""
        found = self.entry.get("metadata")
        return found if isinstance(found, dict) else EMPTY

    @property
    def is_abstract(self) -> bool:
        """Tell whether the component is a base that is never deployed."""
        return self.metadata.get("type") == "abstract"


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


class Components:
    """Builds the components of one estate; what stacks share is merged once."""

    def __init__(self, files: Files, config: AtmosConfig, memo: Memo, *, older: Components | None = None) -> None:
        self.files = files
        self.config = config
        self.memo = memo
        is_shared = older is not None and older.memo is memo
        self.inheritance: Inheritance = older.inheritance if older is not None and is_shared else Inheritance(memo)
        self.strategy = check_strategy(config.list_strategy)
        self.environment = {key: str(value) for key, value in (config.get("env", otherwise=EMPTY) or EMPTY).items()}
        self.auth = atmos_config.auth(config)
        github = config.get("integrations", "github", otherwise=EMPTY)
        self.integrations: Map = {"integrations": {"github": github}} if github else EMPTY
        separator = config.get("components", "terraform", "workspace", "prefix_separator", otherwise="")
        self.separator = str(separator or "-")
        self.commands = {kind: str(config.get("components", kind, "command", otherwise="") or kind) for kind in sections.BUILT_IN}
        self.inherits_metadata = config.get("stacks", "inherit", "metadata", otherwise=True) is not False
        self.inherits_source = config.get("stacks", "inherit", "source", otherwise=True) is not False

    def build(self, merged: Merged, findings: Findings) -> Iterator[Built | tuple[str, str, EstateError]]:
        """Yield every component of a stack file; one that can't be built is yielded as (type, name, error).

        Raises EstateError when the manifest's root itself is malformed, which loses the whole stack.
        """
        root = merged.value
        stack = merged.manifest.name
        components = _root_map(root, "components", stack, findings, merged)
        shared = _Shared(self, merged, findings)
        for kind in sections.DESCRIBED:
            if kind not in components:
                continue
            entries = components[kind]
            if not isinstance(entries, dict):
                path = ("components", kind)
                raise EstateError(f"invalid components.{kind} section in file '{stack}'", code="SECTION", path=path)
            if kind in sections.CUSTOM:
                yield from self._custom(kind, entries, shared)
                continue
            roots = shared.of_type(kind)
            family = self._family(kind, entries, stack)
            for name, entry in entries.items():
                try:
                    yield self._built(kind, name, entry, roots, family, has_append=merged.has_append)
                except EstateError as error:
                    yield kind, name, error

    def _family(self, kind: str, entries: Map, stack: str) -> Family:
        code = join(self.config.base_path, self.config.component_base_path(kind))

        def has_code(name: str) -> bool:
            return self.files.has_directory(join(code, name))

        return Family(
            kind=kind,
            components=entries,
            stack=stack,
            has_code=has_code,
            inherits_metadata=self.inherits_metadata,
            inherits_source=self.inherits_source,
        )

    def _built(self, kind: str, name: str, entry: Any, roots: Roots, family: Family, *, has_append: bool) -> Built:
        if not isinstance(entry, dict):
            raise EstateError(f"invalid component map type for component {name}", code="SECTION", path=("components", kind, name))
        _check_metadata(kind, name, entry, family.stack)
        overrides = _own(entry, "overrides", kind, name, family.stack)
        settings = (_own(entry, "settings", kind, name, family.stack), overrides.get("settings"))
        own = _strategy(self.strategy, *settings)
        chain, physical = self.inheritance.chain(name, entry, family, own)
        strategy = _strategy(self.strategy, roots.layers.get("settings"), chain.sections.get("settings"), *settings)
        result = roots.entry.copy()
        rows = sections.rows(kind)
        for section_name in {*entry, *chain.sections, *overrides} & rows.keys():
            section, scopes = rows[section_name]
            layers = (
                roots.layers.get(section_name),
                chain.sections.get(section_name),
                self._written(entry, section, kind, name, family.stack),
                overrides.get(section_name) if "o" in scopes else None,
            )
            value = self._value(section, layers, strategy, has_append=has_append)
            if section.shown or value:
                result[section_name] = value
        self._finish(result, kind, name, entry, roots=roots, chain=chain, physical=physical)
        result["overrides"] = overrides
        return Built(type=kind, name=name, component=physical, entry=result, chain=chain)

    def _written(self, entry: Map, section: Section, kind: str, name: str, stack: str) -> Any:
        if section.name not in entry:
            return None
        value = normalised(section, entry[section.name])
        if section.kind == "map" and is_included(value):
            return None
        wanted = {"map": dict, "text": str}.get(section.kind)
        if wanted is not None and not isinstance(value, wanted):
            what = "section" if section.kind == "map" else "attribute"
            where = f"'components.{kind}.{name}.{section.name}' in the file '{stack}'"
            path = ("components", kind, name, section.name)
            raise EstateError(f"invalid component {section.name} {what}: {where}", code="SECTION", path=path)
        return value

    def _value(self, section: Section, layers: tuple[Any, Any, Any, Any], strategy: str, *, has_append: bool) -> Any:
        if section.kind == "text":
            return next((layer for layer in reversed(layers) if layer), "")
        if section.kind == "any":
            result: Any = None
            for layer in layers:
                if layer is not None:
                    result = combined(self.memo, result, layer, strategy)
            return result
        if section.name == "secrets":
            layers = _scoped(layers)
        if has_append:
            return merge_all([layer or EMPTY for layer in layers], strategy, has_appends=True)
        merged = EMPTY
        for layer in layers:
            if layer:
                merged = self.memo.merge(merged, layer, strategy) if merged else layer
        return merged

    def _finish(self, result: Map, kind: str, name: str, entry: Map, *, roots: Roots, chain: Chain, physical: str) -> None:
        """Add what no row of the table says: defaults, metadata, backends, the chain's names."""
        result["command"] = result["command"] or self.commands[kind]
        if self.integrations:
            result["settings"] = self.memo.merge(self.integrations, result["settings"])
        own = entry.get("metadata") or EMPTY
        result["metadata"] = self.memo.merge(self.memo.merge(roots.metadata, chain.metadata), own)
        result["inheritance"] = list(chain.names)
        result["component"] = physical
        if kind != "terraform":
            return
        result["auth"] = self.memo.merge(self.auth, result["auth"]) if self.auth else result["auth"]
        if own.get("type") == "abstract":
            result["settings"] = _without_spacelift_workspace(result["settings"])
        prefix = result["metadata"].get("name")
        owner = backends.Owner(
            component=name,
            stack=roots.stack,
            prefix=prefix if isinstance(prefix, str) and prefix else physical,
            separator=self.separator,
        )
        layers = (roots.backend, chain.sections, entry)
        backend = backends.backend(owner, layers, self.memo, self.strategy)
        result["backend_type"], result["backend"] = backend
        remote = backends.remote_state(owner, backend, layers, self.memo, self.strategy)
        result["remote_state_backend_type"], result["remote_state_backend"] = remote

    def _custom(self, kind: str, entries: Map, shared: _Shared) -> Iterator[Built | tuple[str, str, EstateError]]:
        """Container and emulator components: every key inherits and merges alike."""
        for name, entry in entries.items():
            if not isinstance(entry, dict):
                words = f"invalid component map type: custom component '{name}' in type '{kind}' must be a map"
                yield kind, name, EstateError(words, code="SECTION", path=("components", kind, name))
                continue
            resolved = dict(self._inherited(entry, entries, ()))
            for section in ("vars", "settings", "env"):
                own = resolved.get(section)
                value = {**shared.root(section), **(own if isinstance(own, dict) else EMPTY)}
                if value or section == "vars":
                    resolved[section] = value
            metadata = self.memo.merge(shared.metadata(), resolved.get("metadata") or EMPTY)
            if metadata:
                resolved["metadata"] = metadata
            resolved |= {"component": name, "component_type": kind}
            yield Built(type=kind, name=name, component=name, entry=resolved, chain=NO_BASES)

    def _inherited(self, entry: Map, entries: Map, path: tuple[str, ...]) -> Map:
        metadata = entry.get("metadata")
        listed = metadata.get("inherits") if isinstance(metadata, dict) else None
        merged = EMPTY
        for base in listed if isinstance(listed, list) else ():
            if base in path or not isinstance(entries.get(base), dict):
                continue
            inherited = dict(self._inherited(entries[base], entries, (*path, base)))
            kept = {key: value for key, value in (inherited.get("metadata") or EMPTY).items() if key not in _PER_COMPONENT}
            inherited.pop("metadata", None)
            merged = self.memo.merge(merged, {**inherited, "metadata": kept} if kept else inherited, self.strategy)
        return self.memo.merge(merged, entry, self.strategy)


_PER_COMPONENT = ("type", "inherits", "component")


class _Shared:
    """The lowest layers that one manifest gives to all its components, worked out once a type."""

    def __init__(self, owner: Components, merged: Merged, findings: Findings) -> None:
        self.owner = owner
        self.merged = merged
        self.findings = findings
        self.stack = merged.manifest.name
        self._metadata: Map | None = None

    def root(self, name: str) -> Map:
        """A section of the manifest's root; raises EstateError when it is no map."""
        return _root_map(self.merged.value, name, self.stack, self.findings, self.merged)

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
        return self.owner.memo.merge({"custom": free}, kept) if free else kept

    def of_type(self, kind: str) -> Roots:
        """The lowest layer of each section of a component type."""
        section = _root_map(self.merged.value, kind, self.stack, self.findings, self.merged)
        layers: Map = {}
        for row, scopes in sections.of_type(kind):
            value = self._layer(row, scopes, kind, section)
            if value:
                layers[row.name] = value
        backend = {name: self._typed(_backend_row(name), kind, section) for name in sections.BACKENDS if name in section}
        metadata = self.metadata()
        entry = {
            row.name: layers.get(row.name, "" if row.kind == "text" else EMPTY) for row, _ in sections.of_type(kind) if row.shown
        }
        return Roots(layers=layers, entry=entry | layers, backend=backend, metadata=metadata, stack=self.stack)

    def _layer(self, row: Section, scopes: str, kind: str, section: Map) -> Any:
        below: Any = self.root(row.name) if "g" in scopes else None
        if row.name == "secrets":
            below = _stamped(below, "stack")
        if row.name == "env" and self.owner.environment:
            below = self.owner.memo.merge(self.owner.environment, below or EMPTY, self.owner.strategy)
        above = self._typed(row, kind, section) if "t" in scopes else None
        if self.merged.has_append and row.kind == "map":
            return merge_all([below or EMPTY, above or EMPTY], self.owner.strategy, has_appends=True)
        if not below or not above:
            return above or below
        return combined(self.owner.memo, below, above, self.owner.strategy)

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


def _root_map(root: Map, name: str, stack: str, findings: Findings, merged: Merged) -> Map:
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


def _own(entry: Map, section: str, kind: str, name: str, stack: str) -> Map:
    value = entry.get(section, EMPTY)
    if is_included(value):
        return EMPTY
    if not isinstance(value, dict):
        where = f"'components.{kind}.{name}.{section}' in the file '{stack}'"
        path = ("components", kind, name, section)
        raise EstateError(f"invalid component {section} section: {where}", code="SECTION", path=path)
    return value


def _check_metadata(kind: str, name: str, entry: Map, stack: str) -> None:
    _own(entry, "metadata", kind, name, stack)
    if kind != "terraform":
        return
    for key in sections.BACKENDS:
        value = entry.get(key, "" if key.endswith("_type") else EMPTY)
        if not isinstance(value, str if key.endswith("_type") else dict):
            what = "attribute" if key.endswith("_type") else "section"
            path = ("components", kind, name, key)
            where = f"'components.{kind}.{name}.{key}' in the file '{stack}'"
            raise EstateError(f"invalid component {key} {what}: {where}", code="SECTION", path=path)


def is_included(value: Any) -> bool:
    """Tell whether a whole section is an `!include` that waits for the functions' pass: it gives nothing until then."""
    return isinstance(value, str) and value.startswith("!include")


def _strategy(strategy: str, *settings: Any) -> str:
    """The last non-empty list strategy that any layer of settings asks for."""
    for layer in settings:
        own = layer.get("list_merge_strategy") if layer else None
        if isinstance(own, str) and own:
            strategy = check_strategy(own)
    return strategy


def _scoped(layers: tuple[Any, Any, Any, Any]) -> tuple[Any, Any, Any, Any]:
    """Stamp each secret that isn't declared stack-wide as the instance's own."""
    root, *others = layers
    base, own, over = (_stamped(layer, "instance") for layer in others)
    return root, base, own, over


def _stamped(layer: Any, scope: str) -> Any:
    declared = layer.get("vars") if layer else None
    if not isinstance(declared, dict):
        return layer
    stamped = {key: {"scope": scope, **spec} if isinstance(spec, dict) else spec for key, spec in declared.items()}
    return {**layer, "vars": stamped}


def _without_spacelift_workspace(settings: Map) -> Map:
    spacelift = settings.get("spacelift")
    if not isinstance(spacelift, dict) or "workspace_enabled" not in spacelift:
        return settings
    return {**settings, "spacelift": {key: value for key, value in spacelift.items() if key != "workspace_enabled"}}
