"""Reads what stands beside a component's code: `component.yaml`, a module registry, the README's first paragraph.

Three shapes of `component.yaml` are read: our own (`component:` or plain keys or `metadata:`), and a vendoring manifest
(`kind: ComponentVendorConfig`), which gives source and version. Registries are files named `module-registry.yaml`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from catalog.cost import duration, money
from catalog.errors import CatalogError, Invalid
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
NO_CODE = ComponentCode(input_schema={})

_MATURITIES = {
    "experimental": Maturity.EXPERIMENTAL, "alpha": Maturity.EXPERIMENTAL, "beta": Maturity.BETA, "preview": Maturity.BETA,
    "stable": Maturity.STABLE, "production": Maturity.STABLE, "ga": Maturity.STABLE, "deprecated": Maturity.DEPRECATED,
}  # fmt: skip
_LONGEST_DESCRIPTION = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentFacts:
    """A component as its directory describes it; `category`, `time` and `cost` are None where no file says anything readable."""

    type: str
    path: str
    code: ComponentCode = NO_CODE
    title: str | None = None
    description: str | None = None
    category: str | None = None
    time: int | None = None
    cost: Cost | None = None
    maturity: str | None = None
    maintainer: str | None = None
    source: str | None = None
    version: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(slots=True)
class _Findings:
    """What the files of one component say, the first word on each key first; and what can't be read."""

    currency: str
    values: dict[str, Any] = field(default_factory=dict)
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
    registry, diagnostics = _registries(tree, paths)
    found = {}
    for kind, path in components:
        findings = _Findings(currency)
        name = f"{path}/{FILE}"
        if name in present:
            _read_component_file(tree, name, findings)
        for document, place, entry in _registered(registry, path):
            _read_registry_entry(document, place, entry, findings)
        code = codes.get(path, NO_CODE)
        findings.take("description", _first_paragraph(code.readme))
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
    if value.get("kind") == "ComponentVendorConfig":
        _read_vendoring(value, findings)
        return
    key = next((key for key in ("component", "metadata") if isinstance(value.get(key), Mapping)), None)
    place: tuple[str | int, ...] = () if key is None else (key,)
    entry = value if key is None else value[key]
    for text in ("title", "description", "maintainer", "version", "source"):
        findings.take(text, _text(entry.get(text)))
    _read_values(document, place, entry, findings, CostSource.COMPONENT_METADATA)


def _read_vendoring(value: Mapping[str, Any], findings: _Findings) -> None:
    metadata, spec = value.get("metadata"), value.get("spec")
    source = spec.get("source") if isinstance(spec, Mapping) else None
    if isinstance(metadata, Mapping):
        findings.take("description", _text(metadata.get("description")))
    if isinstance(source, Mapping):
        findings.take("source", _text(source.get("uri")))
        findings.take("version", _text(source.get("version")))


Registered = tuple[Document, tuple[str | int, ...], Mapping[str, Any]]


def _registries(tree: Tree, paths: Iterable[str]) -> tuple[list[Registered], tuple[Diagnostic, ...]]:
    """Every entry of every registry of the tree."""
    entries: list[Registered] = []
    diagnostics = []
    for name in paths:
        if posixpath.basename(name) != REGISTRY:
            continue
        try:
            document = documents.load(tree.read(name), name)
        except CatalogError as error:
            diagnostics.append(_broken(error, name))
            continue
        modules = document.value.get("modules") if isinstance(document.value, Mapping) else None
        pairs = modules.items() if isinstance(modules, Mapping) else enumerate(modules) if isinstance(modules, list) else ()
        entries += [(document, ("modules", key), entry) for key, entry in pairs if isinstance(entry, Mapping)]
    return entries, tuple(diagnostics)


def _registered(registry: list[Registered], path: str) -> list[Registered]:
    """The entries about a component: those that name its path, else its directory's name."""
    name = posixpath.basename(path)
    by_path = [item for item in registry if _normal(item[2].get("path") or item[2].get("source_url")) == path]
    return by_path or [item for item in registry if name in {item[1][-1], item[2].get("id"), item[2].get("name")}]


def _normal(value: Any) -> str | None:
    return posixpath.normpath(value) if isinstance(value, str) and value else None


def _read_registry_entry(document: Document, place: tuple[str | int, ...], entry: Mapping[str, Any], findings: _Findings) -> None:
    for key, written in (("title", "display_name"), ("title", "title"), ("description", "description"), ("version", "version")):
        findings.take(key, _text(entry.get(written)))
    _read_values(document, place, entry, findings, CostSource.REGISTRY)
    costs = entry.get("cost")
    if isinstance(costs, Mapping):
        _read_cost(document, (*place, "cost"), costs, findings, CostSource.REGISTRY, whole=True)


def _read_values(
    document: Document,
    place: tuple[str | int, ...],
    entry: Mapping[str, Any],
    findings: _Findings,
    source: CostSource,
) -> None:
    findings.take("category", _text(entry.get("category")))
    maturity = entry.get("maturity")
    if maturity is not None:
        known = _MATURITIES.get(str(maturity).lower())
        if known is None:
            error = Invalid(f"{maturity!r} is no maturity", hint=", ".join(Maturity).lower())
            findings.diagnostics.append(_unreadable(document, (*place, "maturity"), error))
        findings.take("maturity", known)
    for key in ("provisioning_time", "deployment_time"):
        if "time" not in findings.values:
            findings.take("time", _parsed(document, (*place, key), entry.get(key), duration.parse_duration, findings))
    _read_cost(document, place, entry, findings, source, whole=False)


def _read_cost(
    document: Document,
    place: tuple[str | int, ...],
    entry: Mapping[str, Any],
    findings: _Findings,
    source: CostSource,
    *,
    whole: bool,
) -> None:
    """`cost_estimate` below the entry, else (`whole`) the entry itself as a map of money, else its band."""
    if "cost" in findings.values:
        return
    amounts = whole and any(str(key).startswith("estimated_") for key in entry)
    candidates: list[tuple[tuple[str | int, ...], Any, Callable[[Any], money.Estimate], CostSource]] = [
        ((*place, "cost_estimate"), entry.get("cost_estimate"), lambda value: money.parse_money(value, findings.currency), source),
        (place, entry if amounts else None, lambda value: money.parse_money(value, findings.currency), source),
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


def _parsed(
    document: Document, place: tuple[str | int, ...], written: Any, parse: Callable[[Any], T], findings: _Findings
) -> T | None:
    if written is None:
        return None
    try:
        return parse(written)
    except Invalid as error:
        findings.diagnostics.append(_unreadable(document, place, error))
        return None


def _unreadable(document: Document, place: tuple[str | int, ...], error: Invalid) -> Diagnostic:
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


_NO_PROSE = re.compile(r"\s*(?:#|<|!\[|\[!|\||```|---|===|[-*+]\s|\d+\.\s)")


def _first_paragraph(readme: str | None) -> str | None:
    """The first block of prose of a README: no heading, badge, table, list or markup."""
    for block in re.split(r"\n\s*\n", readme or ""):
        lines = block.strip().splitlines()
        if lines and _NO_PROSE.match(lines[0]):
            lines = lines[1:] if lines[0].lstrip().startswith("#") else []
        text = " ".join(line.strip() for line in lines if line.strip())
        if text and not _NO_PROSE.match(text):
            return text[:_LONGEST_DESCRIPTION]
    return None
