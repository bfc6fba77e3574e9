"""Reading on after a change gives what reading everything gives."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.stacks import estate
from catalog.stacks.manifests import MemoryCache
from catalog.stacks.resolved import ResolvedEstate
from catalog.stacks.tree import MemoryTree

CONFIG = b"""\
base_path: .
stacks: {base_path: stacks, included_paths: ["deploy/**/*"], name_pattern: "{stage}"}
components: {terraform: {base_path: components/terraform}}
workflows: {base_path: workflows}
templates: {settings: {enabled: true}}
"""

FILES = {
    "atmos.yaml": CONFIG,
    "components/terraform/vpc/main.tf": b"",
    "workflows/w.yaml": b"workflows: {w: {steps: []}}\n",
    "stacks/catalog/base.yaml": b"components: {terraform: {base: {metadata: {type: abstract}, vars: {x: 1}}}}\n",
    "stacks/catalog/vpc.yaml": b"import: [catalog/base]\ncomponents: {terraform: {vpc: {metadata: {inherits: [base]}}}}\n",
    "stacks/catalog/all/a.yaml": b"vars: {a: 1}\n",
    "stacks/deploy/dev.yaml": b"import: [catalog/vpc, 'catalog/all/*']\nvars: {stage: dev}\n",
    "stacks/deploy/prod.yaml": b"import: [catalog/vpc]\nvars: {stage: prod}\ncomponents: {terraform: {app: "
    b"{settings: {depends_on: {1: {component: vpc}}}}}}\n",
    "stacks/unused/u.yaml": b"vars: {}\n",
    "stacks/catalog/sized.yaml": b"import: ['catalog/size/{{ .size }}']\nvars: {x: '{{ .size }}', data: !include ./data.json}\n",
    "stacks/catalog/data.json": b'{"d": 1}',
    "stacks/catalog/size/1.yaml": b"vars: {s: one}\n",
    "stacks/catalog/size/2.yaml": b"vars: {s: two}\n",
    "stacks/deploy/sized.yaml": b"import: [{path: catalog/sized, context: {size: 1}}, catalog/vpc]\nvars: {stage: sized}\n",
    "stacks/deploy/local.yaml": b"import: [{path: catalog/sized, context: {size: 2}}, catalog/vpc, 'catalog/size/{{ .vars.x }}']\n"
    b"locals: {l: 1}\nvars: {stage: local, x: '{{ .locals.l }}'}\n",
}

PATHS = [
    *FILES,
    "stacks/catalog/all/b.yaml",
    "stacks/catalog/late.yaml",
    "stacks/catalog/late.yml",
    "stacks/deploy/more.yaml",
    "components/terraform/late/main.tf",
    "notes.md",
    "stacks/catalog/size/3.yaml",
]

CONTENTS = [
    None,
    b"",
    b"a: [\n",
    b"[1]\n",
    CONFIG,
    CONFIG.replace(b"{stage}", b"{tenant}"),
    b"vars: {stage: dev, y: 2}\n",
    b"vars: {stage: other}\ncomponents: {terraform: {vpc: {vars: {z: 1}}}}\n",
    b"import: [catalog/late]\nvars: {stage: late}\ncomponents: {terraform: {l: {}}}\n",
    b"import: [{path: catalog/late, skip_if_missing: true}]\nvars: {stage: skip}\ncomponents: {terraform: {l: {}}}\n",
    b"import: [catalog/vpc]\n",
    b"import: [catalog/base]\nterraform: {overrides: {vars: {o: 1}}}\n",
    b"components: {terraform: {base: {vars: {x: 2}}, vpc: {component: late}, app: {dependencies: {components: [{component: vpc}]}}}}\n",
    b"workflows: {v: {steps: [{command: x}]}}\n",
    CONFIG.replace(b"true", b"false"),
    b'{"d": 2}',
    b"vars: {x: '{{ .size }}!'}\n",
    b"import: [{path: catalog/sized, context: {size: 3, vars: {v: 1}}}]\nvars: {stage: three}\ncomponents: {terraform: {vpc: {}}}\n",
    b"import: [catalog/sized]\nvars: {stage: bare}\ncomponents: {terraform: {l: {}}}\n",
    b"locals: {a: '{{ .locals.b }}', b: '{{ .vars.y }}'}\nvars: {stage: dev, y: 3, x: '{{ .locals.a }}'}\ncomponents: {terraform: {vpc: {}}}\n",
    b"locals: {a: '{{ .locals.none }}'}\n",
    b"vars: {x: !include ../catalog/data.json, stage: dev}\ncomponents: {terraform: {vpc: {}}}\n",
    b"import: [catalog/size/1, 'catalog/size/{{ .vars.s }}', {path: 'catalog/size/{{ .vars.x }}', context: {vars: {x: 2}}}]\n",
]

EDITS = st.lists(st.dictionaries(st.sampled_from(PATHS), st.sampled_from(CONTENTS), min_size=1, max_size=3), min_size=1, max_size=4)


def assert_equal(one: ResolvedEstate, other: ResolvedEstate) -> None:
    for field in fields(ResolvedEstate):
        if field.compare:
            assert getattr(one, field.name) == getattr(other, field.name), field.name


def edited(files: dict[str, bytes], edit: dict[str, bytes | None]) -> dict[str, bytes]:
    merged: dict[str, bytes | None] = {**files, **edit}
    return {path: content for path, content in merged.items() if content is not None}


@settings(deadline=None)
@given(EDITS, st.booleans())
def test_reading_on_equals_reading_everything(edits: list[dict[str, bytes | None]], is_told: bool) -> None:
    """For any sequence of edits, told or found out, the incremental result equals the full one, provenance included."""
    files, cache = FILES, MemoryCache()
    found = estate.resolve(MemoryTree(files), cache=cache)
    for edit in edits:
        files = edited(files, edit)
        found = estate.resolve(MemoryTree(files), cache=cache, previous=found, changed=set(edit) if is_told else None)
        full = estate.resolve(MemoryTree(files))
        assert_equal(found, full)
        for stack in full.stacks:
            for item in stack.instances:
                where = (stack.name, item.type, item.name)
                assert found.provenance(*where, "vars.x") == full.provenance(*where, "vars.x")


def test_an_untouched_stack_is_the_same_object() -> None:
    """What a change can't reach isn't resolved again, so that whoever compares two readings sees it at a glance."""
    first = estate.resolve(MemoryTree(FILES))
    files = edited(FILES, {"stacks/catalog/all/a.yaml": b"vars: {a: 2}\n"})
    second = estate.resolve(MemoryTree(files), previous=first, changed=["stacks/catalog/all/a.yaml"])
    dev, prod = ({stack.name: stack for stack in found.stacks} for found in (first, second))
    assert dev["prod"] is prod["prod"]
    assert dev["dev"] is not prod["dev"]
    assert prod["dev"].vars == {"stage": "dev", "a": 2}


def test_other_rules_mean_reading_everything() -> None:
    """A strict reading takes nothing over from a lenient one."""
    lenient = estate.resolve(MemoryTree(FILES))
    strict = estate.resolve(MemoryTree(FILES), strict=True, previous=lenient, changed=[])
    assert all(one is not other for one, other in zip(lenient.stacks, strict.stacks, strict=True))
