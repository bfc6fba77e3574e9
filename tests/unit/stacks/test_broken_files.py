"""A broken file costs what it reaches and nothing else, and is told where it is broken."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.engines.template import Engine
from catalog.stacks import estate
from catalog.stacks.evaluation import Processing
from catalog.stacks.resolved import ResolvedEstate, ResolvedInstance
from catalog.stacks.tree import MemoryTree
from catalog.values import Severity

CONFIG = """\
base_path: .
stacks: {base_path: stacks, included_paths: ['deploy/**/*'], name_pattern: '{stage}'}
components: {terraform: {base_path: components/terraform}}
templates: {settings: {enabled: true, sprig: {enabled: true}}}
"""


def section(texts: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    # No functions within maps: Atmos loses a component that another manifest gives a number in the map's place.
    values = st.one_of(
        st.integers(0, 3),
        st.sampled_from(["plain", "!env HOME", *texts]),
        st.lists(st.integers(0, 3), max_size=2),
        st.dictionaries(st.sampled_from("kl"), st.sampled_from(["a", *(text for text in texts if text[0] != "!")]), max_size=2),
    )
    return st.dictionaries(st.sampled_from("xyz"), values, max_size=2)


PLAIN = section([])
OF_COMPONENTS = section(["{{ .vars.stage }}", "{{ .vars.stage | upper }}-x", "!template '{{ toJson .vars.stage }}'"])
OF_STACKS = section(["{{ .vars.stage }}", "{{ .vars.stage }}-x"])
OF_CONTEXTS = section(["{{ .size }}", "{{ .size }}-x", "!template {{ .size }}"])
COMPONENTS = ("a", "b", "c")

# What breaks a file whoever reads it, whatever else it holds.
MALFORMED = (
    b"vars: {stage: x\n",
    b"vars:\n\tx: 1\n",
    b"a: 1\na: 2\n",
    b"- a\n- b\n",
    b"a: *nowhere\n",
    b"just text\n",
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    b"\xff\xfe\x00\xd8",
    b"\x00" * 20,
    b"\xc3\x28: 1\n",
)
BREAKS = st.one_of(st.sampled_from(MALFORMED), st.sampled_from(["missing import", "unknown base"]))


@dataclass(frozen=True, kw_only=True)
class Estate:
    """Manifests as values, by their path below the stacks directory without extension."""

    manifests: dict[str, dict[str, Any]]
    has_contexts: bool

    def tree(self, broken: dict[str, bytes | str]) -> MemoryTree:
        files = {"atmos.yaml": CONFIG.encode()}
        for name, manifest in self.manifests.items():
            how = broken.get(name)
            written = json.dumps(_spoilt(name, manifest, how) if isinstance(how, str) else manifest, indent=1).encode()
            files[f"stacks/{name}.yaml"] = how if isinstance(how, bytes) else written
        return MemoryTree(files)

    def reached(self, name: str) -> set[str]:
        """The files that a manifest is made of, itself included."""
        below = {entry if isinstance(entry, str) else entry["path"] for entry in self.manifests[name].get("import", ())}
        return {name}.union(*map(self.reached, below))


def orphan(name: str) -> str:
    """The component that a file gets whose base is nowhere."""
    return f"orphan-of-{name.rpartition('/')[2]}"


def _spoilt(name: str, manifest: dict[str, Any], how: str) -> dict[str, Any]:
    if how == "missing import":
        return {**manifest, "import": [*manifest.get("import", ()), "catalog/nowhere"]}
    components = {**manifest["components"]["terraform"], orphan(name): {"metadata": {"inherits": ["none"]}}}
    return {**manifest, "components": {"terraform": components}}


@st.composite
def estates(draw: st.DrawFn) -> Estate:
    """One to five files that import each other downwards, and one to five stacks that import some of them."""
    manifests: dict[str, dict[str, Any]] = {}
    has_contexts, may_have_locals = draw(st.tuples(st.booleans(), st.booleans()))
    low = [f"{draw(st.sampled_from(['catalog', 'mixins']))}/f{number}" for number in range(draw(st.integers(1, 5)))]
    deploy = [f"deploy/s{number}" for number in range(draw(st.integers(1, 5)))]
    for number, name in enumerate([*low, *deploy]):
        is_stack = number >= len(low)
        names = draw(st.lists(st.sampled_from(low[:number]), unique=True, max_size=2)) if number else []
        has_locals = may_have_locals and draw(st.booleans())
        written = OF_COMPONENTS
        if has_contexts or may_have_locals:  # files are rendered as a whole, without the stack's variables
            written = OF_STACKS if is_stack else OF_CONTEXTS if has_contexts else PLAIN
        manifest: dict[str, Any] = {
            "import": [{"path": below, "context": {"size": draw(st.integers(1, 2))}} if has_contexts else below for below in names],
            "vars": {**draw(written), **({"stage": f"s{number}"} if is_stack else {})},
            "components": {
                "terraform": draw(
                    st.dictionaries(
                        st.sampled_from(COMPONENTS),
                        st.fixed_dictionaries({"vars": written}, optional={"metadata": st.just({"inherits": ["base"]})}),
                        min_size=is_stack,
                        max_size=2,
                    )
                )
            },
        }
        manifest["components"]["terraform"]["base"] = {"metadata": {"type": "abstract"}, "vars": draw(written)}
        if has_locals:
            manifest["locals"] = {"l": draw(st.sampled_from(["loc", 7, "{{ .locals.k }}"])), "k": "known"}
            manifest["vars"]["local"] = "{{ .locals.l }}"
        manifests[name] = manifest
    return Estate(manifests=manifests, has_contexts=has_contexts)


@st.composite
def broken_estates(draw: st.DrawFn) -> tuple[Estate, dict[str, bytes | str]]:
    found = draw(estates())
    return found, draw(st.dictionaries(st.sampled_from(sorted(found.manifests)), BREAKS, min_size=1, max_size=3))


@pytest.fixture(scope="module")
def engine(template_engine: Engine) -> Engine:
    return template_engine


def instances(found: ResolvedEstate) -> dict[str, dict[str, ResolvedInstance]]:
    """What each top-level manifest gives, by name."""
    given: dict[str, dict[str, ResolvedInstance]] = {}
    for stack in found.stacks:
        given[stack.manifest] = {item.name: item for item in stack.instances}
    return given


@pytest.mark.parametrize("mode", ["with the engine", "without it", "raw", "read on"])
@settings(max_examples=25)
@given(broken_estates())
def test_a_broken_file_costs_what_it_reaches(engine: Engine, mode: str, drawn: tuple[Estate, dict[str, bytes | str]]) -> None:
    """What reaches a broken file is named as broken and gives nothing; all the rest is exactly what it would be without it."""
    written, broken = drawn
    more: dict[str, Any] = {
        "with the engine": {"engine": engine},
        "without it": {},
        "raw": {"engine": engine, "processing": Processing(templates=False, functions=False)},
        "read on": {"engine": engine},
    }[mode]
    clean = estate.resolve(written.tree({}), **more)
    assert not clean.broken, clean.diagnostics
    assert not clean.broken_instances, clean.diagnostics
    found = estate.resolve(written.tree(broken), **more, previous=clean if mode == "read on" else None)

    files = {name for name, how in broken.items() if how != "unknown base"}
    orphaned = broken.keys() - files
    stacks = [name for name in written.manifests if name.startswith("deploy/")]
    gone = {name for name in stacks if written.reached(name) & files}
    assert found.broken == {f"stacks/{name}.yaml" for name in gone}
    lost = {(name, file) for name in stacks if name not in gone for file in written.reached(name) & orphaned}
    assert found.broken_instances == {(f"stacks/{name}.yaml", "terraform", orphan(file)) for name, file in lost}
    assert instances(found) == {name: given for name, given in instances(clean).items() if name not in found.broken}

    told = {item for item in found.diagnostics if item.severity in (Severity.ERROR, Severity.WARNING)} - {*clean.diagnostics}
    places = {item.location.file for item in told if item.location is not None and item.location.line}
    # One that imports another broken file is told once that one is sound; one that waits for a context, where it gets it.
    hidden = {
        name
        for name in files
        if broken[name] == "missing import" and (written.has_contexts or len(written.reached(name) & files) > 1)
    }
    assert {f"stacks/{name}.yaml" for name in (files - hidden) | {file for _, file in lost} | gone} <= places
    assert places <= {f"stacks/{name}.yaml" for name in {*broken, *gone}}
