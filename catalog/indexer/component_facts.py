"""Reads what stands beside a component's code: `component.yaml`, module registries, the README's first paragraph.

Two shapes of `component.yaml` are read: our own (keys below `component:`, `metadata:` or plain, those below their `custom:` first),
and a vendoring manifest (`kind: ComponentVendorConfig`), which gives source and version and may hold a `component:` too. Registries
are files named `module-registry.yaml` anywhere in the estate: what the nearest one says of a component comes first, and all of them
after `component.yaml`.
"""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from catalog.cost import duration, money
from catalog.errors import CatalogError, Invalid
from catalog.indexer import readme
from catalog.indexer.code import ComponentCode
from catalog.indexer.metadata import Cost
from catalog.records import CostSource, Maturity
from catalog.stacks import documents
from catalog.stacks.documents import Document
from catalog.stacks.tree import Tree
from catalog.values import Diagnostic, Severity, SourceLocation

T = TypeVar("T")

FILE = "component.yaml"
REGISTRY = "module-registry.yaml"
VENDORING = "ComponentVendorConfig"
NO_CODE = ComponentCode(input_schema={})

_WORDS = {
    Maturity.EXPERIMENTAL: "experimental alpha draft prototype development incubating",
    Maturity.BETA: "beta preview testing pilot",
    Maturity.STABLE: "stable production production-ready mature ga",
    Maturity.DEPRECATED: "deprecated sunset retired obsolete end-of-life eol",
}
_MATURITIES = {word: maturity for maturity, words in _WORDS.items() for word in words.split()}
# What a registry's texts are to a component.
_TEXTS = (("title", "display_name"), ("title", "title"), ("description", "description"), ("version", "version"))
_TIMES = ("provisioning_time", "deployment_time", "setup_time")
_MAINTAINERS = ("maintainer", "maintainers", "owner", "author")
# The keys of component.yaml, and those of Atmos that stand beside them.
_KEYS = (
    "title", "description", "version", "source", "category", "maturity", "cost_estimate", "cost_category", "custom", *_TIMES, *_MAINTAINERS,
    "name", "kind", "tags", "labels", "metadata", "component",
)  # fmt: skip
# Where a map names a maintainer, the team before the person.
_NAMES = ("team", "slug", "name", "email", "primary", "contact", "backup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintainer:
    """A name, e-mail address or handle of whoever maintains a component, and where it is written."""

    value: str
    location: SourceLocation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentFacts:
    """A component as its directory describes it; `category`, `time` and `cost` are None where no file says anything readable.

    `summary` is the first paragraph of its README, or what is said of its source. The first of the `maintainers` that names a team is meant.
    """

    type: str
    path: str
    code: ComponentCode = NO_CODE
    title: str | None = None
    description: str | None = None
    category: str | None = None
    time: int | None = None
    cost: Cost | None = None
    maturity: str | None = None
    maintainers: tuple[Maintainer, ...] = ()
    summary: str | None = None
    source: str | None = None
    version: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(slots=True)
class _Findings:
    """What the files of one component say, the first word on each key first; and what can't be read."""

    currency: str
    values: dict[str, Any] = field(default_factory=dict)
    about_source: str | None = None  # what a vendoring manifest says: of the copying as often as of what is copied
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def take(self, key: str, value: Any) -> None:
        if value is not None:
            self.values.setdefault(key, value)


def read_all(
    tree: Tree, components: Iterable[tuple[str, str]], codes: Mapping[str, ComponentCode], currency: str
) -> tuple[dict[tuple[str, str], ComponentFacts], tuple[Diagnostic, ...]]:
    """Describe components, each a type and a path below the tree, from their files and the tree's registries."""
    paths = list(tree.paths())
    present = set(paths)
    registries, diagnostics = _registries(tree, paths)
    found = {}
    for kind, path in components:
        findings = _Findings(currency)
        name = f"{path}/{FILE}"
        if name in present:
            _read_component_file(tree, name, findings)
        for registry in _by_nearness(registries, path):
            for place, entry in registry.about(path):
                _read_registry_entry(registry.document, place, entry, findings)
        code = codes.get(path, NO_CODE)
        findings.take("summary", readme.summary(code.readme) or findings.about_source)
        found[kind, path] = ComponentFacts(
            type=kind, path=path, code=code, diagnostics=(*code.diagnostics, *findings.diagnostics), **findings.values
        )
    return found, diagnostics


def _read_component_file(tree: Tree, name: str, findings: _Findings) -> None:
    try:
        document = documents.load(tree.read(name), name)
    except CatalogError as error:
        findings.diagnostics.append(_broken(error, name))
        return
    value = document.value
    if not isinstance(value, Mapping):
        return
    for place, entry in _own_words(value):
        for text in ("title", "description", "version", "source"):
            findings.take(text, _stated(document, place, entry, text, findings))
        _read_values(document, place, entry, findings, CostSource.COMPONENT_METADATA)
        findings.diagnostics += _misspelt(document, place, entry)
    if value.get("kind") == VENDORING:
        _read_vendoring(value, findings)


def _own_words(value: Mapping[str, Any]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """The maps of a component's file that hold our keys, with their places, the first to be heard first."""
    vendored = value.get("kind") == VENDORING
    key = next((key for key in ("component", *(() if vendored else ("metadata",))) if isinstance(value.get(key), Mapping)), None)
    if key is None and vendored:
        return
    place: Place = () if key is None else (key,)
    entry = value if key is None else value[key]
    if isinstance(entry.get("custom"), Mapping):
        yield (*place, "custom"), entry["custom"]
    yield place, entry


def _stated(document: Document, place: Place, entry: Mapping[str, Any], key: str, findings: _Findings) -> str | None:
    written = entry.get(key)
    if isinstance(written, (bool, Mapping, list)):
        findings.diagnostics.append(_unreadable(document, (*place, key), Invalid("a text is wanted", hint=f'{key}: "…"')))
    return _text(written)


def _misspelt(document: Document, place: Place, entry: Mapping[str, Any]) -> Iterator[Diagnostic]:
    for key in entry:
        near = difflib.get_close_matches(str(key), _KEYS, n=1, cutoff=0.8) if key not in _KEYS else []
        if near:
            yield Diagnostic(
                severity=Severity.WARNING,
                code="COMPONENT_KEY",
                message=f"{key} says nothing to the catalog",
                hint=f"did you mean {near[0]}?",
                location=document.location((*place, key)),
            )


def _read_vendoring(value: Mapping[str, Any], findings: _Findings) -> None:
    metadata, spec = value.get("metadata"), value.get("spec")
    source = spec.get("source") if isinstance(spec, Mapping) else None
    if isinstance(metadata, Mapping):
        findings.about_source = _text(metadata.get("description"))
    if isinstance(source, Mapping):
        findings.take("source", _text(source.get("uri")))
        findings.take("version", _text(source.get("version")))


Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Registry:
    """One registry: its entries with their places, found by the paths of directories or by the names that they give."""

    document: Document
    by_path: Mapping[str, list[tuple[Place, Mapping[str, Any]]]]
    by_name: Mapping[str, list[tuple[Place, Mapping[str, Any]]]]

    def about(self, path: str) -> list[tuple[Place, Mapping[str, Any]]]:
        """The entries about a component: those that name its path, else its directory's name."""
        return self.by_path.get(path) or self.by_name.get(posixpath.basename(path), [])


def _registries(tree: Tree, paths: Iterable[str]) -> tuple[list[_Registry], tuple[Diagnostic, ...]]:
    """Every registry of the tree."""
    registries: list[_Registry] = []
    diagnostics = []
    for name in paths:
        if posixpath.basename(name) != REGISTRY:
            continue
        try:
            registries.append(_registry(documents.load(tree.read(name), name)))
        except CatalogError as error:
            diagnostics.append(_broken(error, name))
    return registries, tuple(diagnostics)


def _registry(document: Document) -> _Registry:
    modules = document.value.get("modules") if isinstance(document.value, Mapping) else None
    pairs = modules.items() if isinstance(modules, Mapping) else enumerate(modules) if isinstance(modules, list) else ()
    by_path: dict[str, list[tuple[Place, Mapping[str, Any]]]] = {}
    by_name: dict[str, list[tuple[Place, Mapping[str, Any]]]] = {}
    for key, entry in pairs:
        if isinstance(entry, Mapping):
            placed: tuple[Place, Mapping[str, Any]] = (("modules", key), entry)
            for path in _paths(entry, posixpath.dirname(document.file)):
                by_path.setdefault(path, []).append(placed)
            for name in {str(name) for name in (key, entry.get("id"), entry.get("name")) if isinstance(name, str)}:
                by_name.setdefault(name, []).append(placed)
    return _Registry(document=document, by_path=by_path, by_name=by_name)


def _paths(entry: Mapping[str, Any], folder: str) -> set[str]:
    """Where an entry's code may lie: its paths as seen from the estate, from the registry's folder and from the folder around that."""
    others = entry.get("alternate_paths")
    written = [entry.get("path"), entry.get("source_url"), *(others if isinstance(others, list) else ())]
    return {
        posixpath.normpath(posixpath.join(start, path))
        for path in written
        if isinstance(path, str) and path
        for start in ("", folder, posixpath.dirname(folder))
    }


def _by_nearness(registries: Iterable[_Registry], path: str) -> list[_Registry]:
    """Registries, those first that share most of their path with a component's."""
    return sorted(registries, key=lambda registry: -len(posixpath.commonpath([f"/{registry.document.file}", f"/{path}"])))


def _read_registry_entry(document: Document, place: Place, entry: Mapping[str, Any], findings: _Findings) -> None:
    for key, written in _TEXTS:
        findings.take(key, _text(entry.get(written)))
    name = _text(entry.get("name"))
    if name is not None and name not in {place[-1], entry.get("id")}:
        findings.take("title", name)  # beside an id the name is for people
    lifecycle = entry.get("lifecycle")
    if isinstance(lifecycle, Mapping) and lifecycle.get("deprecated"):
        findings.take("maturity", Maturity.DEPRECATED)
    _read_values(document, place, entry, findings, CostSource.REGISTRY)
    costs = entry.get("cost")
    if isinstance(costs, Mapping):
        _read_cost(document, (*place, "cost"), costs, findings, CostSource.REGISTRY, whole=True)


def _read_values(
    document: Document,
    place: Place,
    entry: Mapping[str, Any],
    findings: _Findings,
    source: CostSource,
) -> None:
    findings.take("category", _stated(document, place, entry, "category", findings))
    maturity = entry.get("maturity")
    if maturity is not None:
        known = _MATURITIES.get("-".join(str(maturity).lower().replace("_", " ").split()))
        if known is None:
            error = Invalid(f"{maturity!r} is no maturity", hint=", ".join(Maturity).lower())
            findings.diagnostics.append(_unreadable(document, (*place, "maturity"), error))
        findings.take("maturity", known)
    for key, written in _times(entry):
        if "time" not in findings.values:
            findings.take("time", _parsed(document, (*place, key), written, duration.parse_duration, findings))
    for key in _MAINTAINERS:
        named = tuple(Maintainer(value=name, location=document.location((*place, key))) for name in _named(entry.get(key)))
        findings.values["maintainers"] = findings.values.get("maintainers", ()) + named
    _read_cost(document, place, entry, findings, source, whole=False)


def _times(entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The times that an entry may state; `setup_time_minutes: 5` says its unit in its name."""
    for key in _TIMES:
        yield key, entry.get(key)
        minutes = entry.get(f"{key}_minutes")
        yield f"{key}_minutes", f"{minutes} minutes" if isinstance(minutes, (int, float)) else minutes


def _named(written: Any) -> list[str]:
    """The names of a maintainer: a text, a list of them, or a map with a team, a name or addresses."""
    if isinstance(written, list):
        return [name for item in written for name in _named(item)]
    if isinstance(written, Mapping):
        return [name for key in _NAMES if (name := _text(written.get(key))) is not None]
    name = _text(written)
    return [] if name is None else [name]


def _read_cost(
    document: Document,
    place: Place,
    entry: Mapping[str, Any],
    findings: _Findings,
    source: CostSource,
    *,
    whole: bool,
) -> None:
    """`cost_estimate` below the entry, else (`whole`) the entry itself as a map of money or by its parts, else its band."""
    if "cost" in findings.values:
        return
    amounts = whole and any(str(key).startswith("estimated_") for key in entry)
    parts = entry.get("cost_breakdown") if whole else None
    candidates: list[tuple[Place, Any, Callable[[Any], money.Estimate], CostSource]] = [
        ((*place, "cost_estimate"), entry.get("cost_estimate"), lambda value: money.parse_money(value, findings.currency), source),
        (place, entry if amounts else None, lambda value: money.parse_money(value, findings.currency), source),
        ((*place, "cost_breakdown"), parts, lambda value: money.parse_parts(value, findings.currency), source),
        (
            (*place, "cost_category"),
            entry.get("cost_category"),
            lambda value: money.parse_band(value, findings.currency),
            CostSource.BAND,
        ),
    ]
    for where, written, parse, kind in candidates:
        if written is None:
            continue
        estimate = _parsed(document, where, written, parse, findings)
        problem = None if estimate else findings.diagnostics[-1].message
        findings.take("cost", Cost(estimate=estimate, problem=problem, source=kind, location=document.location(where)))
        return


def _parsed(document: Document, place: Place, written: Any, parse: Callable[[Any], T], findings: _Findings) -> T | None:
    if written is None:
        return None
    try:
        return parse(written)
    except Invalid as error:
        findings.diagnostics.append(_unreadable(document, place, error))
        return None


def _unreadable(document: Document, place: Place, error: Invalid) -> Diagnostic:
    message = f"{place[-1]}: {error.message}"
    return Diagnostic(
        severity=Severity.ERROR, code="COMPONENT_VALUE", message=message, hint=error.hint, location=document.location(place)
    )


def _broken(error: CatalogError, name: str) -> Diagnostic:
    location = error.location or SourceLocation(file=name, line=1)
    return Diagnostic(severity=Severity.ERROR, code="COMPONENT_FILE", message=error.message, hint=error.hint, location=location)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, (bool, Mapping, list)):
        return None
    return str(value).strip() or None
