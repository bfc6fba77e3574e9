"""Many thousand files that nobody would write: lenient reading always answers, strict reading refuses in its own words or answers.

`EXECUTIONS` says how many estates are read; `make soak` reads them.
"""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.engines.template import Engine
from catalog.errors import EstateError
from catalog.stacks import describe, estate
from catalog.stacks.tree import MemoryTree
from tests.unit.stacks.test_robustness import COMPONENT_KEYS, COMPONENTS, CONFIG, MANIFEST, ODD

pytestmark = pytest.mark.soak

# Estates that are read, each leniently and strictly.
EXECUTIONS = 24_000
NOISE = EXECUTIONS // 4
STRUCTURES = EXECUTIONS * 3 // 20
RENDERED = EXECUTIONS // 50
MUTATIONS = EXECUTIONS - NOISE - STRUCTURES - RENDERED

# A mutation is cheap to make and its seed tells all of it: hypothesis need not draw it byte by byte.
PER_EXAMPLE = 20

ATMOS = b"""\
base_path: .
stacks: {base_path: stacks, included_paths: ['deploy/**/*'], excluded_paths: ['**/_*'], name_pattern: '{tenant}-{stage}'}
components: {terraform: {base_path: components/terraform}, helmfile: {base_path: components/helmfile}}
workflows: {base_path: workflows}
templates: {settings: {enabled: true, evaluations: 2, sprig: {enabled: true}, gomplate: {enabled: true}}}
settings: {list_merge_strategy: append}
schemas: {atmos: {manifest: schema.json}}
env: {FROM_CONFIG: c}
"""
VALID: dict[str, bytes] = {
    "atmos.yaml": ATMOS,
    "stacks/catalog/base.yaml": b"""\
components:
  terraform:
    base:
      metadata: {type: abstract, component: vpc}
      vars: &shared {size: 3, zones: [a, b], at: 2024-01-02}
      settings: {spacelift: {workspace_enabled: true}}
      backend_type: s3
      backend: {s3: {bucket: b, key: k, encrypt: true}}
      remote_state_backend_type: static
      remote_state_backend: {static: {id: vpc-1, list: [1, 2]}}
    other: {metadata: {inherits: [base]}, vars: {<<: *shared, size: 4}}
""",
    "stacks/catalog/sized.yaml": b"""\
import:
  - path: 'catalog/{{ .kind }}'
    context: {size: '{{ .size }}'}
    skip_if_missing: true
locals: {a: '{{ .locals.b }}', b: '{{ .vars.own }}'}
vars:
  own: 1
  x: '{{ .locals.a }}-{{ .size }}'
  text: |
    several
      lines
terraform: {vars: {t: 1}, overrides: {vars: {o: !append [1]}}}
""",
    "stacks/deploy/dev.yaml": b"""\
import:
  - catalog/base
  - {path: catalog/sized, context: {size: 1, kind: base}}
  - 'mixins/*'
vars: {tenant: acme, stage: dev, 'a.b': [!env HOME, !unset ]}
settings: {depends_on: {1: {component: base, stage: dev}}}
components:
  terraform:
    app:
      metadata: {inherits: [base, other], enabled: true, name: app, labels: {a: b}}
      component: base
      vars: {id: !terraform.state other id, up: '{{ .vars.stage | upper }}', out: !terraform.output 'app acme-dev .list[0]'}
      hooks: {after: {events: [after-terraform-apply], command: store, outputs: {a: .id}}}
      dependencies: {components: [{component: other, stack: '{{ .stack }}'}]}
      generate: {"x.tf": {a: 1}}
    late: {vars: {asked: '{{ (atmos.Component "app" .stack).vars.id }}'}}
  helmfile: {chart: {vars: {n: 0x1F, f: 1.5e3, on: yes, none: ~}, command: helmfile}}
""",
    "stacks/mixins/m.yaml": b"vars: {m: {deep: {deeper: [{a: 1}, {b: !include ../../notes.json}]}}}\n",
    "notes.json": b'{"n": [1, 2, {"k": null}]}',
    "schema.json": b'{"type": "object", "properties": {"vars": {"type": "object"}}, "additionalProperties": true}',
    "workflows/w.yaml": b"workflows: {w: {description: d, steps: [{command: terraform plan app, type: atmos, stack: acme-dev}]}}\n",
}
FRAGMENTS = tuple(
    map(
        str.encode,
        (
            *(
                "{{",
                "}}",
                "{{ .vars.stage }}",
                "{{- end }}",
                "{{ range .x }}",
                '{{ template "a" . }}',
                "{{ .locals.a }}",
                "{{/*",
                "{{ . }}",
            ),
            *('{{ atmos.Component "app" .stack }}', '{{ getenv "HOME" }}', "{{ toYaml . | nindent 2 }}", '{{ define "a" }}'),
            *(
                "!env X",
                "!exec date",
                "!include ../deploy/dev.yaml",
                "!terraform.state app id",
                "!template '[1, {}]'",
                "!append [1]",
            ),
            *(
                "!include.raw x",
                "!store a/b c",
                "!unset",
                "!!binary aGk=",
                "!!set {a}",
                "!<tag:yaml.org,2002:int> x",
                "!repo-root",
                "!cwd",
            ),
            *(
                "&a",
                "*a",
                "*shared",
                "<<: *shared",
                "<<: [*a, {b: 1}]",
                "? ",
                "- ",
                ": ",
                "|",
                ">-",
                "---\n",
                "...\n",
                "%YAML 1.1\n",
                "#",
            ),
            *(
                "\n  ",
                "\t",
                "\r\n",
                "\0",
                "\ufeff",
                "\u2028",
                "[",
                "]",
                "{",
                "}",
                "[[[[[[",
                "'",
                '"',
                "\\",
                "0o17",
                "1e999",
                "-.inf",
                "9" * 30,
            ),
            *(
                "null",
                "~",
                "true",
                "[]",
                "{}",
                "'*'",
                "'**/*'",
                "'{a,b}'",
                "'../..'",
                "/etc/passwd",
                "2024-13-45",
                "inherits: [app]",
                "import: ",
            ),
            *(
                "metadata: ",
                "type: abstract",
                "component: app",
                "overrides: ",
                "locals: ",
                "vars: ",
                "context: ",
                "name: ",
                "settings: ",
            ),
        ),
    )
)
KEYS = st.sampled_from([*COMPONENT_KEYS, "locals", "import", "overrides"])


@pytest.fixture(scope="module")
def engine(engine_cache) -> Engine:
    return Engine(engine_cache, deadline=1.0)


def examples(number: int):
    return settings(max_examples=number, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def read(files: Mapping[str, bytes], engine: Engine | None = None) -> None:
    """Read an estate both ways, print it and ask where its values come from."""
    found = estate.resolve(MemoryTree(files), engine=engine)
    assert isinstance(found.diagnostics, tuple)
    describe.to_json(describe.stacks(found))
    for stack in found.stacks:
        for item in stack.instances[:2]:
            for path in ("vars.x", "vars", "settings.depends_on.1"):
                found.provenance(stack.name, item.type, item.name, path)
    with contextlib.suppress(EstateError):
        describe.to_json(describe.stacks(estate.resolve(MemoryTree(files), strict=True, engine=engine)))


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Flip bits, double, drop or move slices, and put in what means something to YAML or to templates."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((1, 2, 5, 20, 100)))
        match chance.randrange(6):
            case 0 if data:
                data[at % len(data)] ^= 1 << chance.randrange(8)
            case 1:
                data[at:at] = data[at:end] * chance.choice((1, 2, 30))
            case 2:
                del data[at:end]
            case 3:
                piece = data[at:end]
                del data[at:end]
                to = chance.randrange(len(data) + 1)
                data[to:to] = piece
            case 4:
                data[at:end] = chance.choice(FRAGMENTS)
            case _:
                data[at:at] = chance.choice(FRAGMENTS)
    return bytes(data)


def spoilt(seed: int) -> dict[str, bytes]:
    """The valid estate with one to three files mutated."""
    chance = random.Random(seed)
    files = dict(VALID)
    for path in chance.sample(sorted(files), chance.choice((1, 1, 1, 2, 3))):
        files[path] = mutated(files[path], chance)
    return files


def test_the_estate_that_is_mutated_is_sound(engine: Engine) -> None:
    """Else mutations would show nothing."""
    found = estate.resolve(MemoryTree(VALID), engine=engine)
    assert not found.broken, found.diagnostics
    assert not found.broken_instances
    assert {item.name for stack in found.stacks for item in stack.instances} == {"app", "base", "chart", "late", "other"}


@examples(NOISE)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)), st.sampled_from(sorted(VALID)))
def test_random_bytes(noise: bytes, path: str) -> None:
    """Any bytes in the place of any file."""
    read({**VALID, path: noise})


@examples(MUTATIONS // PER_EXAMPLE)
@given(st.integers(0, 2**48))
def test_mutations(seed: int) -> None:
    """Files that were sound before they were spoilt."""
    for number in range(PER_EXAMPLE):
        read(spoilt(seed + number))


@examples(RENDERED)
@given(st.integers(0, 2**48))
def test_mutations_with_templates_rendered(engine: Engine, seed: int) -> None:
    """The same with Go's templates."""
    read(spoilt(seed), engine)


@examples(STRUCTURES)
@given(
    CONFIG,
    st.sampled_from(["terraform", "helmfile", "packer", "other"]),
    st.dictionaries(KEYS, ODD, max_size=4),
    st.one_of(MANIFEST, st.builds(lambda found: {"components": found}, COMPONENTS)),
    st.dictionaries(KEYS, ODD, max_size=3),
)
def test_random_structures(config: object, kind: str, entry: object, other: object, section: dict[str, object]) -> None:
    """Well-formed values of any kind in every section: at the root, of a type, of a component and of the configuration."""
    manifest = {
        "import": ["catalog/a"],
        "vars": {"stage": "dev"},
        **section,
        kind: section,
        "components": {kind: {"a": entry, "b": {}}},
    }
    read(
        {
            "atmos.yaml": json.dumps(config).encode(),
            "stacks/catalog/a.yaml": json.dumps(other).encode(),
            "stacks/deploy/one.yaml": json.dumps(manifest).encode(),
        }
    )
