"""Resolved estates written down by hand, for tests of what the indexer makes of them."""

from types import SimpleNamespace

import pytest

from catalog.stacks.resolved import ResolvedDependency, ResolvedEstate, ResolvedInstance, ResolvedManifest, ResolvedStack
from catalog.values import SourceLocation


def instance(
    stack,
    name,
    *,
    vars=None,  # noqa: A002 — Atmos' word
    metadata=None,
    settings=None,
    component=None,
    manifest=None,
    abstract=False,
    enabled=True,
    type="terraform",  # noqa: A002 — Atmos' word
    line=1,
    bases=(),
):
    component = component or name
    manifest = manifest or f"stacks/{stack}.yaml"
    sections = {
        "vars": vars or {}, "settings": settings or {}, "metadata": metadata or {}, "env": {}, "backend": {}, "component": component,
        "component_info": {"component_path": f"components/{type}/{component}", "component_type": type}, "atmos_stack": stack,
        "stack": stack, "workspace": stack, "backend_type": "local",
    }  # fmt: skip
    return ResolvedInstance(
        stack=stack, type=type, name=name, component=component, sections=sections, abstract=abstract, enabled=enabled, locked=False, bases=bases,
        manifest=manifest, location=SourceLocation(file=manifest, line=line),
    )  # fmt: skip


def stack(name, *instances, vars=None, metadata=None, settings=None):  # noqa: A002 — Atmos' word
    return ResolvedStack(
        name=name,
        manifest=f"stacks/{name}.yaml",
        vars=vars or {},
        settings=settings or {},
        metadata=metadata or {},
        instances=instances,
    )


def depends(source, target, via="dependencies.components[0]"):
    return ResolvedDependency(
        source=source, target=target, kind="DECLARED", via=via, location=SourceLocation(file="stacks/x.yaml", line=9)
    )


def estate(*stacks, dependencies=(), workflows=(), diagnostics=(), broken=(), broken_instances=(), extra_manifests=()):
    manifests = [
        ResolvedManifest(path=item.manifest, name=item.name, content_hash=f"hash of {item.name}", top_level=True, imports=())
        for item in stacks
    ]
    return ResolvedEstate(
        stacks=stacks, manifests=(*manifests, *extra_manifests), dependencies=tuple(dependencies), unresolved_dependencies={}, workflows=tuple(workflows),
        diagnostics=tuple(diagnostics), broken=frozenset(broken), broken_instances=frozenset(broken_instances),
        component_base_paths={"terraform": "components/terraform"}, provenance=lambda *_: (),
    )  # fmt: skip


@pytest.fixture
def written():
    """The functions above, by name."""
    return SimpleNamespace(instance=instance, stack=stack, depends=depends, estate=estate)
