"""The files that a component's declared secrets are kept in, where SOPS keeps them: a change there affects the component."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.engines.rendering import Options
from catalog.errors import EstateError
from catalog.stacks.files import join
from catalog.stacks.merging import EMPTY, Map
from catalog.stacks.resolved import ResolvedInstance
from catalog.stacks.templates import Templates

_OPTIONS = Options(gomplate=False)


def paths(instance: ResolvedInstance, providers: Mapping[str, Any], templates: Templates) -> list[str]:
    """Return the files of an instance's secrets, sorted; `providers` are those of atmos.yaml, `secrets.providers`."""
    return sorted(set(_paths(instance, providers, templates)))


def _paths(instance: ResolvedInstance, providers: Mapping[str, Any], templates: Templates) -> Iterator[str]:
    section = _map(instance.sections.get("secrets"))
    own = _map(section.get("providers"))
    for declared in _map(section.get("vars")).values():
        name = declared.get("sops") if isinstance(declared, dict) else None
        provider = own.get(name) or providers.get(name) if isinstance(name, str) else None
        if not isinstance(provider, dict):
            continue
        try:
            path = _path(instance, declared.get("scope"), _map(provider.get("spec")), templates)
        except EstateError:
            continue
        if path:
            yield path


def _path(instance: ResolvedInstance, scope: Any, spec: Map, templates: Templates) -> str:
    stack = "" if scope == "global" else instance.stack
    component = "" if scope in ("stack", "global") else instance.name
    file, folder = spec.get("file"), spec.get("path")
    if isinstance(file, str) and file:
        return templates.render(file, "sops-file", {"atmos_stack": stack, "atmos_component": component}, _OPTIONS)
    name = f"{stack}.{component}" if component else stack
    return join(folder if isinstance(folder, str) and folder else "secrets", f"{name}.enc.yaml")


def _map(value: Any) -> Map:
    return value if isinstance(value, dict) else EMPTY
