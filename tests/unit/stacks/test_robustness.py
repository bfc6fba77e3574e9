"""Whatever a manifest holds, lenient reading answers and strict reading refuses in its own words."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

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
