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
from catalog.stacks import describe, estate, globs, schema
from catalog.stacks.hints import ROOT_KEYS
from catalog.stacks.tree import MemoryTree
from catalog.values import Severity, SourceLocation

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


def read(files: dict[str, str | bytes]) -> estate.ResolvedEstate:
    """An estate with these files, read leniently."""
    written = {"atmos.yaml": TEMPLATED, **files}
    return estate.resolve(MemoryTree({path: text.encode() if isinstance(text, str) else text for path, text in written.items()}))


SOUND = {"stacks/deploy/sound.yaml": "vars: {stage: sound}\ncomponents: {terraform: {a: {}}}\n"}


def test_inheritance_ends_at_a_hundred_levels() -> None:
    """A component a hundred levels above its last base is there; those above it are lost, and told where they stand."""
    names = "\n".join(f"    c{number}: {{metadata: {{inherits: [c{number + 1}]}}}}" for number in range(102))
    found = read(
        {
            **SOUND,
            "stacks/deploy/dev.yaml": f"vars: {{stage: dev}}\ncomponents:\n  terraform:\n{names}\n    c102: {{vars: {{x: 1}}}}\n",
        }
    )
    lost = [(item.code, item.component, item.location.line) for item in found.diagnostics if item.location]
    assert lost == [("INHERITANCE", "c0", 4), ("INHERITANCE", "c1", 5)]
    assert found.broken_instances == {("stacks/deploy/dev.yaml", "terraform", name) for name in ("c0", "c1")}
    there = {item.name: item.sections["vars"] for item in found.stacks[0].instances}
    assert there == {f"c{number}": {"stage": "dev", "x": 1} for number in range(2, 103)}
    assert [stack.name for stack in found.stacks] == ["dev", "sound"]


def test_inheritance_ends_at_five_thousand_bases() -> None:
    """Thirty levels that each name the level below twice would visit a billion bases."""
    names = "\n".join(f"    c{number}: {{metadata: {{inherits: [c{number + 1}, c{number + 1}]}}}}" for number in range(30))
    manifest = f"vars: {{stage: dev}}\ncomponents:\n  terraform:\n{names}\n    c30: {{}}\n    beside: {{}}\n"
    found = read({**SOUND, "stacks/deploy/dev.yaml": manifest})
    assert {item.code for item in found.diagnostics if item.severity is Severity.ERROR} == {"INHERITANCE"}
    assert ("c0", 4) in [(item.component, item.location.line) for item in found.diagnostics if item.location]
    assert ("stacks/deploy/dev.yaml", "terraform", "c0") in found.broken_instances
    assert {"c29", "c30", "beside"} <= {item.name for item in found.stacks[0].instances}
    assert [stack.name for stack in found.stacks] == ["dev", "sound"]


@pytest.mark.parametrize("digits", [4_000, 4_001, 5_000, 200_000])
def test_a_number_too_long_to_count_with_is_text(digits: int) -> None:
    """As for Atmos, no integer or float is that long; Python would refuse it, or take its time."""
    for written in ("1" * digits, "0" + "7" * digits, "1_" * (digits // 2) + "1", "0b" + "1" * digits, "-" + "9" * digits):
        found = read({"stacks/deploy/dev.yaml": f"vars: {{stage: dev, n: {written}}}\ncomponents: {{terraform: {{a: {{}}}}}}\n"})
        assert found.diagnostics == ()
        assert found.stacks[0].instances[0].sections["vars"]["n"] == written


def test_a_manifest_of_more_than_ten_megabytes_is_not_indexed() -> None:
    """One byte less is read; strict reading, as Atmos, reads either."""
    start = b"vars: {stage: dev}\ncomponents: {terraform: {a: {}}}\n#"
    files = {**SOUND, "stacks/deploy/dev.yaml": start.ljust(10_000_000, b"x")}
    assert read(files).diagnostics == ()
    files["stacks/deploy/dev.yaml"] += b"x"
    found = read(files)
    assert [(item.code, item.location) for item in found.diagnostics] == [
        ("TOO_LARGE", SourceLocation(file="stacks/deploy/dev.yaml", line=1))
    ]
    assert found.broken == {"stacks/deploy/dev.yaml"}
    assert [stack.name for stack in found.stacks] == ["sound"]
    strict = MemoryTree({"atmos.yaml": TEMPLATED.encode(), "stacks/deploy/dev.yaml": files["stacks/deploy/dev.yaml"]})
    assert [stack.name for stack in estate.resolve(strict, strict=True).stacks] == ["dev"]


def test_a_manifest_is_merged_of_five_thousand_files_at_most() -> None:
    """Fourteen levels that each import the level below with two contexts would be 16,384 merges."""
    files: dict[str, str | bytes] = {
        f"stacks/catalog/c{number}.yaml": "import:\n"
        + "".join(f"  - {{path: catalog/c{number + 1}, context: {{k{number}: {choice}}}}}\n" for choice in range(2))
        for number in range(14)
    }
    files["stacks/catalog/c14.yaml"] = "vars: {a: 1}\n"
    files["stacks/deploy/dev.yaml"] = "import: [catalog/c0]\nvars: {stage: dev}\ncomponents: {terraform: {a: {}}}\n"
    found = read({**SOUND, **files})
    assert {item.code for item in found.diagnostics} == {"IMPORT_DEPTH", "IMPORT"}
    assert all(item.location and item.location.line for item in found.diagnostics)
    assert found.broken == {"stacks/deploy/dev.yaml"}
    assert [stack.name for stack in found.stacks] == ["sound"]


LONG = "a" * 200
PATTERNS = {
    "braces": ("{a,b}" * 30, False),
    "braces in braces": ("{a," * 500 + "b" + "}" * 500, False),
    "open braces": ("{a,b" * 500, False),
    "stars": ("*a" * 60 + "c", False),
    "stars that match": ("*a" * 60, True),
    "stars alone": ("*" * 200 + "c", False),
    "star folders": ("**/*a/" * 30 + "c", False),
}


@pytest.mark.parametrize(("pattern", "is_match"), PATTERNS.values(), ids=PATTERNS)
def test_a_pattern_that_would_take_exponential_time_takes_none(pattern: str, is_match: bool) -> None:
    """As an import it finds what it matches or nothing; the stack beside it is there."""
    files: dict[str, str | bytes] = {
        **SOUND,
        f"stacks/catalog/{LONG}.yaml": "vars: {x: 1}\n",
        f"stacks/catalog/{'aaaa/' * 40}b.yaml": "vars: {x: 2}\n",
        "stacks/deploy/dev.yaml": f"import: ['catalog/{pattern}']\nvars: {{stage: dev}}\ncomponents: {{terraform: {{a: {{}}}}}}\n",
    }
    found = read(files)
    assert globs.matches(pattern, LONG) is is_match
    assert not globs.matches(pattern, "aaaa/" * 40 + "b")
    assert found.broken == (frozenset() if is_match else {"stacks/deploy/dev.yaml"})
    assert [item.code for item in found.diagnostics] == ([] if is_match else ["IMPORT"])
    assert [stack.name for stack in found.stacks if stack.name != "dev"] == ["sound"]


def test_braces_make_a_thousand_choices_at_most() -> None:
    """512 are written out, 1,024 match nothing."""
    assert globs.matches("{a,b}" * 9, "a" * 9)
    assert not globs.matches("{a,b}" * 10, "a" * 10)


OVERRIDES = {
    "of the manifest": "overrides: {%s: %s}\ncomponents: {terraform: {a: {}}, helmfile: {sound: {}}}\n",
    "of a type": "terraform: {overrides: {%s: %s}}\ncomponents: {terraform: {a: {}}, helmfile: {sound: {}}}\n",
    "of a component": "components: {terraform: {a: {overrides: {%s: %s}}}}\n",
}


@pytest.mark.parametrize("value", ["true", "[1]", "7", "text", "~"])
@pytest.mark.parametrize("section", ["vars", "settings", "env", "auth", "hooks", "providers", "required_providers", "secrets"])
@pytest.mark.parametrize("written", OVERRIDES.values(), ids=OVERRIDES)
def test_overrides_of_a_wrong_kind_cost_the_component(written: str, section: str, value: str) -> None:
    """The component is lost and told, in Atmos' words in strict reading; the stack beside it is there."""
    files = {**SOUND, "stacks/deploy/dev.yaml": "vars: {stage: dev}\nsettings: {s: 1}\n" + written % (section, value)}
    found = read(files)
    assert ("stacks/deploy/dev.yaml", "terraform", "a") in found.broken_instances
    told = [item for item in found.diagnostics if item.code == "SECTION" and item.component == "a"]
    assert [item.location.file for item in told if item.location and item.location.line] == ["stacks/deploy/dev.yaml"]
    assert "sound" in [stack.name for stack in found.stacks]
    strict = MemoryTree({path: text.encode() for path, text in {"atmos.yaml": TEMPLATED, **files}.items()})
    words = rf"'components\.(terraform|helmfile)\..*\.overrides\.{section}' in the manifest 'deploy/dev'"
    with pytest.raises(EstateError, match=words):
        estate.resolve(strict, strict=True, validate=False)
