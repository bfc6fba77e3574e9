"""The base chain: what a component inherits through `component:` and `metadata.inherits`, merged in Atmos' order.

A chain grows by one base at a time, and each step is remembered by what went in, so that a thousand stacks which inherit
from the same bases share one chain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import EstateError
from catalog.stacks import sections
from catalog.stacks.merging import EMPTY, Map, Memo, appended, check_strategy

# Scalars that the last processed base decides even where it doesn't set them.
_LAST_BASE_DECIDES = ("command", "backend_type", "remote_state_backend_type")
_NOT_INHERITED = ("inherits", "type")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chain:
    """The bases merged so far: their sections, their names (nearest first), and the one that was merged first."""

    sections: Map = field(default_factory=dict)
    metadata: Map = field(default_factory=dict)
    names: tuple[str, ...] = ()
    first: str | None = None
    layers: tuple[tuple[str, Map], ...] = field(default=(), repr=False)


NO_BASES = Chain()

# Bounds that real estates never meet: a base that is reached twice is visited twice, and what it inherits from four times.
_DEPTH = 100
_VISITS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The components of one type in one stack, among which bases are looked up; `stack` names it in errors.

    `processed` remembers for the whole stack what a component had inherited once it had processed a base: whoever of the same name
    processes a base of the same name again, in another type too, is back at that, as in Atmos.
    """

    kind: str
    components: Map
    stack: str
    has_code: Callable[[str], bool]
    inherits_metadata: bool = True
    inherits_source: bool = True
    processed: dict[tuple[str, str, str], Chain] = field(default_factory=dict, repr=False)


class Inheritance:
    """Builds chains, each step once."""

    def __init__(self, memo: Memo) -> None:
        self._memo = memo
        self._visited = 0
        self._steps: dict[tuple[int, int, str, str], tuple[Chain, Map, Chain]] = {}

    def chain(self, name: str, entry: Map, family: Family, strategy: str, *, written: str = "") -> tuple[Chain, str]:
        """Return the component's chain and the name of its physical component; raises EstateError as Atmos does.

        `written` is the strategy as it is written, empty where it is nowhere.
        """
        chain = NO_BASES
        self._visited = 0
        pointed = entry.get("component")
        if pointed is not None:
            _text(pointed, f"invalid component attribute: 'components.{family.kind}.{name}.component' in the file '{family.stack}'")
            chain = self._processed(chain, name, pointed, family, strategy=strategy, written=written)
        physical = chain.first or name
        metadata = entry.get("metadata") or EMPTY
        own = metadata.get("component")
        if own is not None:
            where = f"'components.{family.kind}.{name}.metadata.component' in the file '{family.stack}'"
            physical = _text(own, f"invalid component metadata.component attribute: {where}")
        for base in _inherits(metadata, f"'components.{family.kind}.{name}.metadata.inherits' in the file '{family.stack}'"):
            if base not in family.components:
                raise _undefined(name, base, family)
            chain = self._processed(chain, name, base, family, strategy=strategy, written=written)
        return chain, physical

    def _processed(self, chain: Chain, name: str, base: str, family: Family, *, strategy: str, written: str) -> Chain:
        key = (name, base, written)
        known = family.processed.get(key)
        if known is None:
            known = family.processed[key] = self._process(chain, name, base, family, strategy=strategy)
        return known

    def _process(
        self, chain: Chain, name: str, base: str, family: Family, *, strategy: str, path: tuple[tuple[str, str], ...] = ()
    ) -> Chain:
        if name == base:
            return chain
        self._visited += 1
        if len(path) >= _DEPTH or self._visited > _VISITS:
            raise EstateError(
                f"'{base}' in the stack '{family.stack}' inherits over more than {_DEPTH} levels, or from more than {_VISITS} bases",
                code="INHERITANCE",
                hint="Let components inherit from few bases directly.",
            )
        if (name, base) in path:
            raise EstateError(
                f"circular component inheritance detected: '{name}' -> '{base}' in the stack '{family.stack}'", code="INHERITANCE"
            )
        path = (*path, (name, base))
        entry = family.components.get(base)
        if entry is None:
            return self._absent(chain, name, base, family)
        if not isinstance(entry, dict):
            raise EstateError(
                f"invalid base component config for the base component '{base}' of the component '{name}' in the stack "
                f"'{family.stack}'",
                code="INHERITANCE",
            )
        metadata = _metadata(entry, name, family)
        pointed = entry.get("component")
        if pointed is not None and metadata.get("type") != "abstract":
            words = f"invalid component attribute 'component:' of the component '{base}' in the stack '{family.stack}'"
            chain = self._process(chain, base, _text(pointed, words), family, strategy=strategy, path=path)
        where = f"'{name}.metadata.inherits' in the stack '{family.stack}'"
        for further in _inherits(metadata, where) if isinstance(metadata.get("inherits"), list) else ():
            if further not in family.components:
                raise _undefined(name, further, family)
            chain = self._process(chain, name, further, family, strategy=strategy, path=path)
        return self._extended(chain, base, entry, family, strategy)

    def _absent(self, chain: Chain, name: str, base: str, family: Family) -> Chain:
        if family.has_code(base):
            return chain
        raise EstateError(
            f"The component '{name}' inherits from the base component '{base}' (using 'component:' attribute), but `{base}' is not "
            f"defined in any of the YAML config files for the stack '{family.stack}'",
            code="INHERITANCE",
        )

    def _extended(self, chain: Chain, base: str, entry: Map, family: Family, strategy: str) -> Chain:
        key = (id(chain), id(entry), base, strategy)
        known = self._steps.get(key)
        if known is None:
            known = self._steps[key] = (chain, entry, self._extend(chain, base, entry, family, strategy))
        return known[2]

    def _extend(self, chain: Chain, base: str, entry: Map, family: Family, strategy: str) -> Chain:
        settings = entry.get("settings")
        own = settings.get("list_merge_strategy") if isinstance(settings, dict) else None
        strategy = check_strategy(own) if isinstance(own, str) and own else strategy
        merged = dict(chain.sections)
        for section, scopes in sections.of_type(family.kind):
            if "b" in scopes and (family.inherits_source or section.name not in ("source", "provision")):
                self._add(merged, section, entry.get(section.name), base, family=family, strategy=strategy)
        for name in sections.BACKENDS if family.kind == "terraform" else ():
            self._add(merged, _BACKEND_SECTIONS[name], entry.get(name), base, family=family, strategy=strategy)
        for name in _LAST_BASE_DECIDES:
            merged[name] = entry.get(name) or ""
        metadata = {key: value for key, value in _metadata(entry, base, family).items() if key not in _NOT_INHERITED}
        return Chain(
            sections=merged,
            metadata=self._memo.merge(chain.metadata, metadata, strategy) if family.inherits_metadata else EMPTY,
            names=tuple(dict.fromkeys((base, *chain.names))),
            first=chain.first or base,
            layers=(*chain.layers, (base, entry)),
        )

    def _add(self, merged: Map, section: sections.Section, value: Any, base: str, *, family: Family, strategy: str) -> None:
        if value is None:
            return
        name = section.name
        value = normalised(section, value)
        if section.kind == "map" and not isinstance(value, dict):
            raise EstateError(f"invalid component {name} section: '{base}.{name}' in the stack '{family.stack}'", code="SECTION")
        if section.kind == "text":
            _text(value, f"invalid component {name} attribute: '{base}.{name}' in the stack '{family.stack}'")
            merged[name] = value or merged.get(name, "")
            return
        lower = merged.get(name)
        if isinstance(value, dict):
            # A chain is merged on its own, so that an `!append` in it reaches no further than the chain.
            value = appended(value, lower if isinstance(lower, dict) else EMPTY, strategy)
        merged[name] = combined(self._memo, lower, value, strategy)


_BACKEND_SECTIONS = {
    name: sections.Section(name=name, scopes={}, kind="text" if name.endswith("_type") else "map") for name in sections.BACKENDS
}


def normalised(section: sections.Section, value: Any) -> Any:
    """Return a section's value in its long form: a `source` may be just a text."""
    if section.name == "source" and isinstance(value, str):
        return {"uri": value} if value else EMPTY
    return value


def combined(memo: Memo, lower: Any, higher: Any, strategy: str) -> Any:
    """Merge two values of one section: maps deeply, anything else as a map's key would."""
    if lower is None:
        return higher
    if isinstance(lower, dict) and isinstance(higher, dict):
        return memo.merge(lower, higher, strategy)
    return memo.merge({"": lower}, {"": higher}, strategy)[""]


def _metadata(entry: Map, name: str, family: Family) -> Map:
    metadata = entry.get("metadata")
    if metadata is None:
        return EMPTY
    if not isinstance(metadata, dict):
        raise EstateError(f"invalid component metadata section '{name}.metadata' in the stack '{family.stack}'", code="SECTION")
    return metadata


def _inherits(metadata: Map, where: str) -> list[str]:
    listed = metadata.get("inherits")
    if listed is None and "inherits" not in metadata:
        return []
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        raise EstateError(f"invalid component metadata.inherits section: {where}", code="INHERITANCE")
    return listed


def _text(value: Any, words: str) -> str:
    if not isinstance(value, str):
        raise EstateError(words, code="SECTION")
    return value


def _undefined(name: str, base: str, family: Family) -> EstateError:
    return EstateError(
        f"component not defined in any config files: the component '{name}' in the stack manifest '{family.stack}' inherits from "
        f"'{base}' (using 'metadata.inherits'), but '{base}' is not defined in any of the config files for the stack "
        f"'{family.stack}'",
        code="INHERITANCE",
    )
