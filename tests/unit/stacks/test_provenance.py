"""Every value can say which files set it."""

from __future__ import annotations

import pytest

from catalog.engines.template import Engine
from catalog.stacks import estate
from catalog.stacks.provenance import parse
from catalog.stacks.resolved import ResolvedEstate
from catalog.stacks.tree import MemoryTree

FILES = {
    "atmos.yaml": "base_path: .\nstacks: {base_path: stacks, included_paths: ['deploy/*'], name_pattern: '{stage}'}\n",
    "stacks/catalog/base.yaml": """\
components:
  terraform:
    base:
      metadata: {type: abstract}
      vars:
        size: small
        tags: {team: base}
        list: [a, b]
""",
    "stacks/catalog/vpc.yaml": """\
import: [catalog/base]
terraform:
  backend_type: s3
  backend: {s3: {bucket: b}}
  vars: {size: typed}
components:
  terraform:
    vpc:
      metadata: {inherits: [base]}
      vars:
        size: catalog
""",
    "stacks/catalog/over.yaml": "terraform:\n  overrides:\n    vars: {size: over}\n",
    "stacks/deploy/dev.yaml": """\
import:
  - catalog/vpc
vars:
  stage: dev
  size: global
components:
  terraform:
    vpc:
      vars:
        size: own
        tags:
          "a.b": 1
    plain: {}
""",
    "stacks/deploy/prod.yaml": "import: [catalog/vpc, catalog/over]\nvars: {stage: prod}\ncomponents: {terraform: {vpc: {}}}\n",
}


@pytest.fixture(scope="module")
def resolved() -> ResolvedEstate:
    return estate.resolve(MemoryTree({path: text.encode() for path, text in FILES.items()}))


def test_all_layers_are_told_the_last_first(resolved: ResolvedEstate) -> None:
    """Value, place and layer of every word on a value, from the one that holds down to the lowest."""
    told = resolved.provenance("dev", "terraform", "vpc", "vars.size")
    assert [(entry.value, entry.layer, str(entry.location)) for entry in told] == [
        ("own", "component", "stacks/deploy/dev.yaml:10:9"),
        ("catalog", "component", "stacks/catalog/vpc.yaml:11:9"),
        ("small", "base", "stacks/catalog/base.yaml:6:9"),
        ("typed", "type", "stacks/catalog/vpc.yaml:5:10"),
        ("global", "global", "stacks/deploy/dev.yaml:5:3"),
    ]


def test_the_import_chain_is_told(resolved: ResolvedEstate) -> None:
    """From the top-level manifest down to the file that says it."""
    (told,) = resolved.provenance("dev", "terraform", "vpc", "vars.tags.team")
    assert told.import_chain == ("stacks/deploy/dev.yaml", "stacks/catalog/vpc.yaml", "stacks/catalog/base.yaml")
    assert told.layer == "base"


@pytest.mark.parametrize(
    ("path", "value", "location"),
    [
        ("vars.list[1]", "b", "stacks/catalog/base.yaml:8:19"),
        ("vars.tags.a.b", 1, "stacks/deploy/dev.yaml:12:11"),
        ("backend.bucket", "b", "stacks/catalog/vpc.yaml:4:18"),
        ("vars.stage", "dev", "stacks/deploy/dev.yaml:4:3"),
        ("metadata.inherits[0]", "base", "stacks/catalog/vpc.yaml:9:29"),
        ("workspace", "dev", "None"),
        ("backend.workspace_key_prefix", "vpc", "None"),
    ],
)
def test_any_path_is_answered(resolved: ResolvedEstate, path: str, value: object, location: str) -> None:
    """List items, keys with dots, backends below their type, and what Atmos computes."""
    told = resolved.provenance("dev", "terraform", "vpc", path)[0]
    assert (told.value, str(told.location)) == (value, location)


def test_overrides_are_the_highest_layer(resolved: ResolvedEstate) -> None:
    """An override in force is told, with its own place."""
    told = resolved.provenance("prod", "terraform", "vpc", "vars.size")[0]
    assert (told.value, told.layer, str(told.location)) == ("over", "overrides", "stacks/catalog/over.yaml:3:12")


@pytest.mark.parametrize("path", ["vars.none", "", "vars.list[9]"])
def test_what_is_not_there_has_no_provenance(resolved: ResolvedEstate, path: str) -> None:
    """Nothing is told of a path that the instance hasn't."""
    assert resolved.provenance("dev", "terraform", "vpc", path) == ()
    assert resolved.provenance("none", "terraform", "vpc", path) == ()


def test_every_leaf_of_the_variables_has_provenance(resolved: ResolvedEstate) -> None:
    """No value comes from nowhere."""
    for stack in resolved.stacks:
        for item in stack.instances:
            for key in item.sections["vars"]:
                assert resolved.provenance(stack.name, item.type, item.name, f"vars.{key}")[0].location is not None


def test_an_instance_is_placed_where_it_is_written_last(resolved: ResolvedEstate) -> None:
    """Its location is in the leaf-most manifest that mentions it."""
    places = {(stack.name, item.name): str(item.location) for stack in resolved.stacks for item in stack.instances}
    assert places["dev", "vpc"] == "stacks/deploy/dev.yaml:8:5"
    assert places["dev", "base"] == "stacks/catalog/base.yaml:3:5"


def test_paths_are_split_by_what_is_there() -> None:
    """A key that holds dots is found, the longest first."""
    assert parse("a.b.c[2].d", {"a.b": {"c": [0, 1, {"d": 1}]}}) == ("a.b", "c", 2, "d")
    assert parse("x.y", {}) == ("x", "y")


def test_what_templates_make_is_told_where_the_templates_stand(template_engine: Engine) -> None:
    """Values and keys of the file pass point into the file as it is written, whatever the context; a context's section at its file."""
    files = {
        "atmos.yaml": FILES["atmos.yaml"],
        "stacks/catalog/sized.yaml": """\
vars: {own: 1}
components:
  terraform:
    "{{ .name }}":
      vars:
        plain: 1
        size: "{{ .size }}"
        "{{ .name }}-tag": {k: "x-{{ .size }}"}
""",
        "stacks/catalog/text.yaml.tmpl": "components:\n  terraform:\n    {{ .name }}:\n      vars:\n{{ range .list }}        {{ . }}: 1\n{{ end }}",
        "stacks/deploy/dev.yaml": """\
import:
  - {path: catalog/sized, context: {name: one, size: 5, vars: {brought: 1}}}
  - {path: catalog/text, context: {name: two, list: [a, b]}}
vars: {stage: dev}
""",
    }
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    found = estate.resolve(tree, engine=template_engine)
    assert not found.diagnostics

    def told(component: str, path: str) -> list[str]:
        return [str(entry.location) for entry in found.provenance("dev", "terraform", component, path)]

    assert told("one", "vars.plain") == ["stacks/catalog/sized.yaml:6:9"]
    assert told("one", "vars.size") == ["stacks/catalog/sized.yaml:7:9"]
    assert told("one", "vars.one-tag.k") == ["stacks/catalog/sized.yaml:8:29"]
    assert told("one", "vars.brought") == ["stacks/catalog/sized.yaml:1:1"]
    instances = {item.name: item for stack in found.stacks for item in stack.instances}
    assert str(instances["one"].location) == "stacks/catalog/sized.yaml:4:5"
