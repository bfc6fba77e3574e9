"""The table of sections: which layers each one has, for which component types, and when it shows.

Read a row as: this key of a component's entry is merged from these scopes, the lowest first: the manifest's root (`g`), the
component type's section (`t`), the base chain (`b`), the component itself (`c`), the overrides in force (`o`). Walked once per
component; what doesn't fit a row (backend, metadata) has a module of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

BUILT_IN = ("terraform", "helmfile", "packer", "ansible", "kubernetes", "helm")
CUSTOM = ("container", "emulator")
DESCRIBED = (*BUILT_IN, *CUSTOM)

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One key: `kind` is map, text (the last non-empty wins) or any (merged when maps or lists are); `shown` even when empty.

    `scopes` holds for each component type the letters of its layers; types that aren't named don't have the section.
    """

    name: str
    scopes: Mapping[str, str] = field(repr=False)
    kind: str = "map"
    shown: bool = True


def _everywhere(scopes: str, **other: str) -> Mapping[str, str]:
    return {kind: other.get(kind, scopes) for kind in BUILT_IN}


SECTIONS = (
    Section(name="vars", scopes=_everywhere("gtbco")),
    Section(name="settings", scopes=_everywhere("gtbco")),
    Section(name="env", scopes=_everywhere("gtbco")),
    Section(name="auth", scopes=_everywhere("gtbco")),
    Section(name="hooks", scopes={"terraform": "gtbco", "helmfile": "bco", "kubernetes": "gtbco", "helm": "gtbco"}),
    Section(name="generate", scopes={"terraform": "gtbco", "kubernetes": "gtbco", "helm": "gtbco"}),
    Section(name="providers", scopes={"terraform": "tbco"}),
    # Accepted at type level by Atmos' schema, and ignored there by Atmos.
    Section(name="required_providers", scopes={"terraform": "bco"}),
    Section(name="required_version", scopes={"terraform": "bco"}, kind="text"),
    Section(name="command", scopes=_everywhere("tbco"), kind="text"),
    Section(name="dependencies", scopes=_everywhere("gtbc"), shown=False),
    Section(name="source", scopes={"terraform": "tbc", "helmfile": "bc", "packer": "bc", "kubernetes": "tbc", "helm": "tbc"}),
    Section(name="provision", scopes={"terraform": "tbc", "helmfile": "bc", "packer": "bc", "kubernetes": "tbc", "helm": "tbc"}),
    Section(name="locals", scopes=_everywhere("bc"), shown=False),
    Section(name="secrets", scopes=_everywhere("gbco", kubernetes="bco", helm="bco"), shown=False),
    Section(name="retry", scopes=_everywhere("bco"), shown=False),
    Section(name="test", scopes={"terraform": "bc"}, shown=False),
    Section(name="mocks", scopes={"terraform": "bc"}, shown=False),
    Section(name="plugins", scopes={"helm": "bc", "helmfile": "bc"}, kind="any", shown=False),
    Section(name="provider", scopes={"kubernetes": "tbc"}, kind="text", shown=False),
    Section(name="paths", scopes={"kubernetes": "tbc"}, kind="any", shown=False),
    Section(name="manifests", scopes={"kubernetes": "tbc"}, kind="any", shown=False),
    Section(name="validate", scopes={"kubernetes": "tbc"}, kind="any", shown=False),
    Section(name="render", scopes={"kubernetes": "tbc"}, shown=False),
    *(
        Section(name=name, scopes={"helm": "bc"}, kind="any", shown=False)
        for name in ("chart", "values", "values_files", "repositories", "render", "version", "repository", "namespace", "name")
    ),
)

# Sections that a base hands on by a rule of its own.
BACKENDS = ("backend_type", "backend", "remote_state_backend_type", "remote_state_backend")

# Metadata that may stand at a manifest's root.
GLOBAL_METADATA = frozenset({"labels", "tags", "custom", "enabled", "locked", "terraform_workspace_pattern"})
# Metadata that names one component and would harm every other.
IDENTITY_METADATA = frozenset({"component", "inherits", "type", "name", "terraform_workspace", "terraform_workspace_template"})


@cache
def rows(kind: str) -> dict[str, tuple[Section, str]]:
    """Return the same by name; of two rows of one name the first counts."""
    return {section.name: (section, scopes) for section, scopes in reversed(of_type(kind))}


@cache
def of_type(kind: str) -> tuple[tuple[Section, str], ...]:
    """Return a component type's sections, each with the letters of its layers."""
    return tuple((section, section.scopes[kind]) for section in SECTIONS if kind in section.scopes)
