"""Builds one component's entry: its layers merged section by section, as the table in `sections` says.

In go a merged manifest and the base chains, out come `Built` values: everything Atmos prints for a component but for the keys
that need the stack's name (`naming` adds those). Nothing here is evaluated: templates and functions are still text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import EstateError, NotGiven
from catalog.stacks import backends, custom_components, decoding, deferred, sections
from catalog.stacks.atmos_config import AtmosConfig
from catalog.stacks.deferred import Late
from catalog.stacks.files import Files, join
from catalog.stacks.findings import Findings
from catalog.stacks.inheritance import NO_BASES, Chain, Family, Inheritance, combined, normalised
from catalog.stacks.lookup import NOTHING, Lookup
from catalog.stacks.manifests import Merged
from catalog.stacks.merging import EMPTY, Map, Memo, check_strategy, merge_all
from catalog.stacks.roots import RootLayers, Roots, is_included, root_map, stamped
from catalog.stacks.sections import Section
from catalog.stacks.texts import FUNCTION, Texts

_SETTINGS = sections.rows("terraform")["settings"][0]
_WHAT = {"map": "section", "text": "attribute"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """One component of one stack file: its entry without the stack's name, its chain, and the code it stands for (`component`).

    `late` are the paths whose layers are merged once functions are evaluated.
    """

    type: str
    name: str
    component: str
    entry: Map = field(repr=False)
    chain: Chain = field(repr=False)
    late: tuple[Late, ...] = field(default=(), repr=False)

    @property
    def metadata(self) -> Map:
        """The merged metadata."""
        found = self.entry.get("metadata")
        return found if isinstance(found, dict) else EMPTY

    @property
    def is_abstract(self) -> bool:
        """Tell whether the component is a base that is never deployed."""
        return self.metadata.get("type") == "abstract"


class Components:
    """Builds the components of one estate; what stacks share is merged once."""

    def __init__(
        self,
        files: Files,
        config: AtmosConfig,
        memo: Memo,
        *,
        left: str = "{{",
        lookup: Lookup = NOTHING,
        older: Components | None = None,
    ) -> None:
        self.files = files
        self.config = config
        self.memo = memo
        self.lookup = lookup
        is_shared = older is not None and older.memo is memo
        self.inheritance: Inheritance = older.inheritance if older is not None and is_shared else Inheritance(memo)
        self.texts: Texts = older.texts if older is not None and is_shared else Texts(left)
        self._lists: dict[tuple[str, ...], list[str]] = {}
        self._unspaced: dict[int, tuple[Map, Map]] = {}
        self.strategy = check_strategy(config.list_strategy)
        self._written_strategy = str(config.get("settings", "list_merge_strategy", otherwise="") or "")
        variables = config.get("env", otherwise=EMPTY)
        self.environment = {key: str(value) for key, value in variables.items()} if isinstance(variables, dict) else EMPTY
        self.auth = decoding.auth(config.values, config.directory)
        github = config.get("integrations", "github", otherwise=EMPTY)
        self.integrations: Map = {"integrations": {"github": github}} if github else EMPTY
        self.has_text = any(map(self.texts.flags, (self.environment, self.auth, self.integrations)))
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
        components = root_map(root, "components", stack, findings, merged)
        has_functions = self.has_text or bool(self.texts.flags(root) & FUNCTION)
        shared = RootLayers(merged, findings, memo=self.memo, strategy=self.strategy, environment=self.environment)
        processed: dict[tuple[str, str, str], Chain] = {}
        for kind in sections.DESCRIBED:
            if kind not in components:
                continue
            entries = components[kind]
            if not isinstance(entries, dict):
                path = ("components", kind)
                raise EstateError(f"invalid components.{kind} section in file '{stack}'", code="SECTION", path=path)
            if kind in sections.CUSTOM:
                for name, found in custom_components.build(kind, entries, shared):
                    if isinstance(found, EstateError):
                        yield kind, name, found
                    else:
                        yield Built(type=kind, name=name, component=name, entry=found, chain=NO_BASES)
                continue
            roots = shared.of_type(kind)
            family = self._family(kind, entries, stack, processed)
            for name, entry in entries.items():
                try:
                    yield self._built(kind, name, entry, roots, family, has_append=merged.has_append, has_functions=has_functions)
                except EstateError as error:
                    yield kind, name, error

    def _family(self, kind: str, entries: Map, stack: str, processed: dict[tuple[str, str, str], Chain]) -> Family:
        code = join(self.config.base_path, self.config.component_base_path(kind))

        def has_code(name: str) -> bool:
            path = join(code, name)
            if not path.startswith(("../", "/")):
                return self.files.has_directory(path)
            try:
                return self.lookup.has_directory(path)
            except NotGiven:
                return True

        return Family(
            kind=kind,
            components=entries,
            stack=stack,
            has_code=has_code,
            inherits_metadata=self.inherits_metadata,
            inherits_source=self.inherits_source,
            processed=processed,
        )

    def _built(
        self, kind: str, name: str, entry: Any, roots: Roots, family: Family, *, has_append: bool, has_functions: bool
    ) -> Built:
        if not isinstance(entry, dict):
            raise EstateError(f"invalid component map type for component {name}", code="SECTION", path=("components", kind, name))
        _check_metadata(kind, name, entry, family.stack)
        overrides = self.memo.first_equal(_own(entry, "overrides", kind, name, family.stack))
        over = self._overriding(overrides, _SETTINGS, kind, name, family.stack)
        settings = (_own(entry, "settings", kind, name, family.stack), over)
        own = _strategy(self.strategy, *settings)
        written = _strategy(self._written_strategy, *settings)
        chain, physical = self.inheritance.chain(name, entry, family, own, written=written)
        strategy = _strategy(self.strategy, roots.layers.get("settings"), chain.sections.get("settings"), *settings)
        result = roots.entry.copy()
        rows = sections.rows(kind)
        late: list[Late] = []
        for section_name in {*entry, *chain.sections, *overrides} & rows.keys():
            section, scopes = rows[section_name]
            layers = (
                roots.layers.get(section_name),
                chain.sections.get(section_name),
                self._written(entry, section, kind, name, family.stack),
                self._overriding(overrides, section, kind, name, family.stack) if "o" in scopes else None,
            )
            held: tuple[Late, ...] = ()
            if (
                has_functions
                and section_name in deferred.SECTIONS
                and any(layer and self.texts.flags(layer) & FUNCTION for layer in layers)
            ):
                layers, held = deferred.held_back(section_name, layers, strategy)
                late += held
            value = self._value(section, layers, strategy, has_append=has_append)
            if held:
                value = deferred.placed(value, held)
            if section.shown or value:
                result[section_name] = value
        self._finish(result, kind, name, entry, roots=roots, chain=chain, physical=physical, strategy=strategy)
        result["overrides"] = overrides
        return Built(type=kind, name=name, component=physical, entry=result, chain=chain, late=tuple(late))

    def _written(self, entry: Map, section: Section, kind: str, name: str, stack: str) -> Any:
        if section.name not in entry:
            return None
        value = normalised(section, entry[section.name])
        if section.kind == "map" and is_included(value):
            return None
        wanted = {"map": dict, "text": str}.get(section.kind)
        if wanted is not None and not isinstance(value, wanted):
            where = f"'components.{kind}.{name}.{section.name}' in the file '{stack}'"
            path = ("components", kind, name, section.name)
            raise EstateError(f"invalid component {section.name} {_WHAT[section.kind]}: {where}", code="SECTION", path=path)
        return value

    def _overriding(self, overrides: Map, section: Section, kind: str, name: str, stack: str) -> Any:
        """What the overrides in force say of a section; they may stand in any manifest, so the component is named."""
        if section.name not in overrides:
            return None
        value = overrides[section.name]
        if section.kind == "map" and is_included(value):
            return None
        wanted = {"map": dict, "text": str}.get(section.kind)
        if wanted is not None and not isinstance(value, wanted):
            what = "secrets section" if section.name == "secrets" else f"overrides {section.name} {_WHAT[section.kind]}"
            where = f"'components.{kind}.{name}.overrides.{section.name}' in the manifest '{stack}'"
            path = ("components", kind, name, "overrides", section.name)
            raise EstateError(f"invalid component {what}: {where}", code="SECTION", path=path)
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

    def _finish(
        self, result: Map, kind: str, name: str, entry: Map, *, roots: Roots, chain: Chain, physical: str, strategy: str
    ) -> None:
        """Add what no row of the table says: defaults, metadata, backends, the chain's names."""
        result["command"] = result["command"] or self.commands[kind]
        if self.integrations:
            result["settings"] = self.memo.merge(self.integrations, result["settings"])
        own = entry.get("metadata") or EMPTY
        inherited = self.memo.merge(roots.metadata, self.memo.first_equal(chain.metadata), strategy)
        result["metadata"] = self.memo.merge(inherited, own, strategy)
        result["inheritance"] = self._lists.setdefault(chain.names, list(chain.names))
        result["component"] = physical
        if kind != "terraform":
            return
        result["auth"] = self.memo.merge(self.auth, result["auth"]) if self.auth else result["auth"]
        if own.get("type") == "abstract":
            result["settings"] = self._without_spacelift_workspace(result["settings"])
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

    def _without_spacelift_workspace(self, settings: Map) -> Map:
        spacelift = settings.get("spacelift")
        if not isinstance(spacelift, dict) or "workspace_enabled" not in spacelift:
            return settings
        known = self._unspaced.get(id(settings))
        if known is None:
            left = {key: value for key, value in spacelift.items() if key != "workspace_enabled"}
            known = self._unspaced[id(settings)] = (settings, {**settings, "spacelift": self.memo.first_equal(left)})
        return known[1]


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
    base, own, over = (stamped(layer, "instance") for layer in others)
    return root, base, own, over
