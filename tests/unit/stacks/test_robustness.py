"""Whatever a manifest holds, lenient reading answers and strict reading refuses in its own words."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.engines.template import Engine
from catalog.errors import EstateError
from catalog.stacks import describe, estate, schema
from catalog.stacks.hints import ROOT_KEYS
from catalog.stacks.tree import MemoryTree

COMPONENT_KEYS = [*sorted(schema.document()["$defs"]["terraform_component"]["oneOf"][1]["properties"]), "overrides"]
ODD = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.sampled_from(
            ["", "x", "a", "b", "s3", "{{ .vars.x }}", "!env X", "!include y", "catalog/a", "../x", "abstract", "append"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(["a", "b", "s3", "vars", "path", "component", "depends_on", "components", "1"]), inner, max_size=2
        ),
    ),
    max_leaves=6,
)
METADATA = st.dictionaries(
    st.sampled_from(["component", "inherits", "type", "name", "terraform_workspace", "labels", "depends_on"]), ODD, max_size=3
)
ENTRY = st.one_of(ODD, st.dictionaries(st.sampled_from(COMPONENT_KEYS), st.one_of(ODD, METADATA), max_size=4))
COMPONENTS = st.one_of(
    ODD,
    st.dictionaries(
        st.sampled_from(["terraform", "helmfile", "packer", "kubernetes", "helm", "container", "other"]),
        st.one_of(ODD, st.dictionaries(st.sampled_from(["a", "b", "x/y"]), ENTRY, max_size=2)),
        max_size=2,
    ),
)
MANIFEST = st.one_of(
    ODD,
    st.builds(
        lambda sections, components: {**sections, "components": components},
        st.dictionaries(st.sampled_from(ROOT_KEYS), st.one_of(ODD, st.just(["catalog/a"])), max_size=4),
        COMPONENTS,
    ),
)
CONFIG = st.fixed_dictionaries(
    {"stacks": st.just({"base_path": "stacks", "included_paths": ["deploy/*"], "name_pattern": "{stage}"})},
    optional={"settings": ODD, "components": ODD, "env": ODD, "auth": ODD, "integrations": ODD, "templates": ODD, "workflows": ODD},
)


@settings(deadline=None, max_examples=150)
@given(CONFIG, MANIFEST, MANIFEST, st.binary(max_size=40))
def test_nothing_in_a_manifest_breaks_the_reader(config: object, one: object, other: object, noise: bytes) -> None:
    """Any values of any types in any place: no exception but EstateError, and none at all leniently."""
    files = {
        "atmos.yaml": json.dumps(config).encode(),
        "stacks/catalog/a.yaml": json.dumps(other).encode(),
        "stacks/deploy/one.yaml": json.dumps(one).encode(),
        "stacks/deploy/two.yaml": noise,
    }
    found = estate.resolve(MemoryTree(files))
    described = describe.stacks(found)
    for stack in found.stacks:
        for item in stack.instances:
            assert described[stack.name]["components"][item.type][item.name]
            assert found.provenance(stack.name, item.type, item.name, "vars.a") is not None
    with contextlib.suppress(EstateError):
        describe.to_json(describe.stacks(estate.resolve(MemoryTree(files), strict=True)))


TEMPLATED = """\
base_path: .
stacks: {base_path: stacks, included_paths: ['deploy/**/*'], name_pattern: '{stage}'}
components: {terraform: {base_path: components/terraform}}
templates: {settings: {enabled: true, sprig: {enabled: true}}}
"""
LOOP = "{{ range until 20000 }}{{ range until 20000 }}{{ end }}{{ end }}"


def test_a_template_without_end_is_tried_once_and_told_wherever_it_stands(engine_cache: Path) -> None:
    """Each costs the engine's deadline once, however many stacks hold it; what is beside it is rendered."""
    files = {
        "atmos.yaml": TEMPLATED,
        "stacks/catalog/a.yaml": f"vars: {{size: '{{{{ .size }}}}{LOOP}'}}\n",
        **{
            f"stacks/deploy/s{number}.yaml": f"import: [{{path: catalog/a, context: {{size: {number}}}}}]\nvars: {{stage: s{number}}}\n"
            for number in range(20)
        },
        **{
            f"stacks/deploy/p{number}.yaml": f"vars: {{stage: p{number}, a: '{LOOP}', b: '{{{{ upper .vars.stage }}}}'}}\n"
            "components: {terraform: {c: {}}}\n"
            for number in range(20)
        },
    }
    engine = Engine(engine_cache, deadline=0.2)
    found = estate.resolve(MemoryTree({path: text.encode() for path, text in files.items()}), engine=engine)
    assert {item.location.file for item in found.diagnostics if "gave up" in item.message and item.location} == {
        "stacks/catalog/a.yaml",
        *(f"stacks/deploy/p{number}.yaml" for number in range(20)),
    }
    shown = [instance.sections["vars"] for stack in found.stacks for instance in stack.instances]
    assert shown == [{"stage": name, "a": LOOP, "b": name.upper()} for name in sorted(f"p{number}" for number in range(20))]


def test_an_estate_of_templates_without_end_costs_a_stated_number_of_deadlines(engine_cache: Path) -> None:
    """After the fifth, templates of the estate that need the engine are told and not rendered."""
    variables = ", ".join(f"v{number}: '{number}{LOOP}'" for number in range(8))
    files = {
        "atmos.yaml": TEMPLATED,
        "stacks/deploy/dev.yaml": f"vars: {{stage: dev, {variables}}}\ncomponents: {{terraform: {{c: {{}}}}}}\n",
    }
    engine = Engine(engine_cache, deadline=0.2)
    found = estate.resolve(MemoryTree({path: text.encode() for path, text in files.items()}), engine=engine)
    told = [item.message for item in found.diagnostics]
    assert sum("gave up" in message for message in told) == 5
    assert sum("not rendered, because 5 templates" in message for message in told) == 3


DOUBLED = {
    "contexts of text": "'{{ .k%d }}{{ .k%d }}'",
    "contexts of lists": "['{{ .k%d }}', '{{ .k%d }}']",
    "contexts of maps in maps": "{a: " * 60 + "['{{ .k%d }}', '{{ .k%d }}']" + "}" * 60,
}


@pytest.mark.parametrize("value", DOUBLED.values(), ids=DOUBLED)
def test_contexts_do_not_grow_without_end(value: str) -> None:
    """Sixty files that each double what they were given, or nest it, end in a diagnostic where it became too much."""
    files = {
        "atmos.yaml": TEMPLATED,
        **{
            f"stacks/catalog/c{number}.yaml": f"import:\n  - path: catalog/c{number + 1}\n"
            f"    context: {{k{number + 1}: {value % (number, number)}}}\nvars: {{a: '{{{{ .k{number} }}}}'}}\n"
            for number in range(60)
        },
        "stacks/catalog/c60.yaml": "{}\n",
        "stacks/deploy/dev.yaml": "import: [{path: catalog/c0, context: {k0: xxxxxxxx}}]\nvars: {stage: dev}\n",
    }
    found = estate.resolve(MemoryTree({path: text.encode() for path, text in files.items()}))
    assert [item.code for item in found.diagnostics] == ["SIZE", "IMPORT"]
    assert found.broken == {"stacks/deploy/dev.yaml"}


GROWING = {
    "text": ("x", "'{{ .locals.l%d }}{{ .locals.l%d }}'"),
    "lists": ("[x]", "['{{ .locals.l%d }}', '{{ .locals.l%d }}']"),
    "levels": ("[x]", "{a: " * 100 + "['{{ .locals.l%d }}', '{{ .locals.l%d }}']" + "}" * 100),
}


@pytest.mark.parametrize(("first", "next_one"), GROWING.values(), ids=GROWING)
def test_locals_do_not_grow_without_end(first: str, next_one: str) -> None:
    """The same within the locals of one file."""
    lines = "".join(f"  l{number + 1}: {next_one % (number, number)}\n" for number in range(60))
    files = {
        "atmos.yaml": TEMPLATED,
        "stacks/deploy/dev.yaml": f"vars: {{stage: dev, a: '{{{{ .locals.l60 }}}}'}}\nlocals:\n  l0: {first}\n{lines}",
    }
    found = estate.resolve(MemoryTree({path: text.encode() for path, text in files.items()}))
    assert [item.code for item in found.diagnostics] in (["SIZE"], ["LOCALS"])
    assert "more than" in found.diagnostics[0].message or "deeper than" in found.diagnostics[0].message


def test_a_file_does_not_copy_a_large_value_without_end() -> None:
    """Three thousand references to a list of thirty thousand are refused before they are made."""
    references = ", ".join(f"s{number}: '{{{{ .locals.l }}}}'" for number in range(3000))
    files = {
        "atmos.yaml": TEMPLATED,
        "stacks/deploy/dev.yaml": f"vars: {{stage: dev}}\nlocals: {{l: [{', '.join('x' * 30_000)}]}}\nsettings: {{{references}}}\n",
    }
    found = estate.resolve(MemoryTree({path: text.encode() for path, text in files.items()}))
    assert [item.code for item in found.diagnostics] == ["SIZE"]


def test_many_evaluations_do_not_double_a_text_without_end() -> None:
    """A text that holds itself twice is given up, once for all its instances."""
    names = ", ".join(f"c{number}: {{}}" for number in range(50))
    files = {
        "atmos.yaml": TEMPLATED.replace("enabled: true,", "enabled: true, evaluations: 60,", 1),
        "stacks/deploy/dev.yaml": "vars: {stage: dev, a: '{{ .vars.a }}{{ .vars.a }}'}\n"
        f"components: {{terraform: {{{names}}}}}\n",
    }
    found = estate.resolve(MemoryTree({path: text.encode() for path, text in files.items()}))
    assert {item.location.line for item in found.diagnostics if item.location} == {1}
    assert all("it makes more than" in item.message for item in found.diagnostics)
    assert len(found.stacks[0].instances) == 50
