"""Resolved estates print as Atmos prints them, and Terraform gets the files that Atmos would write."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from catalog.errors import EstateError
from catalog.stacks import describe, estate, scalars, varfile
from catalog.stacks.integrations import Integrations
from catalog.stacks.json_text import Record
from catalog.stacks.resolved import ResolvedEstate, ResolvedInstance
from catalog.stacks.templates import Templates
from catalog.stacks.tree import DirectoryTree, MemoryTree, OverlayTree, SubTree

FILES = {
    "atmos.yaml": """\
base_path: .
stacks: {base_path: stacks, included_paths: ['deploy/*'], name_pattern: '{stage}'}
components: {terraform: {base_path: components/terraform}, helmfile: {base_path: components/helmfile}}
""",
    "stacks/catalog/a.yaml": "import: [catalog/b]\n",
    "stacks/catalog/b.yaml": "terraform: {backend_type: s3, backend: {s3: {bucket: x}}}\n",
    "stacks/deploy/dev.yaml": """\
import: [catalog/a]
vars: {stage: dev, f: 1.0}
components:
  terraform:
    net/vpc: {metadata: {component: infra/vpc}}
    base: {metadata: {type: abstract, component: phys}}
    heir: {metadata: {inherits: [base]}}
    cloud: {backend_type: cloud, backend: {cloud: {organization: o, workspaces: {name: "x-{terraform_workspace}"}}}}
    named: {metadata: {component: infra/vpc, terraform_workspace: w}}
  helmfile: {app: {}}
""",
    "stacks/deploy/empty.yaml": "name: nothing\n",
    "stacks/deploy/prod.yaml": "vars: {stage: prod}\ncomponents: {terraform: {net/vpc: {metadata: {component: infra/vpc}}}}\n",
}


@pytest.fixture(scope="module")
def resolved() -> ResolvedEstate:
    return estate.resolve(MemoryTree({path: text.encode() for path, text in FILES.items()}))


def instance(resolved: ResolvedEstate, name: str, stack: str) -> ResolvedInstance:
    return next(each for found in resolved.stacks for each in found.instances if (each.name, found.name) == (name, stack))


def described(resolved: ResolvedEstate, name: str, stack: str) -> ResolvedInstance:
    assert resolved.config is not None
    return describe.component(resolved, Integrations(config=resolved.config, templates=Templates()), name, stack)


def shown(found: dict) -> list[str]:
    return sorted(
        f"{stack}/{kind}/{name}" for stack, entry in found.items() for kind, items in entry["components"].items() for name in items
    )


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"stack": "prod"}, ["prod/terraform/net/vpc"]),
        ({"stack": "deploy/prod"}, ["prod/terraform/net/vpc"]),
        ({"stack": "none"}, []),
        ({"components": ["infra/vpc"]}, ["dev/terraform/named", "dev/terraform/net/vpc", "prod/terraform/net/vpc"]),
        ({"components": ["heir"]}, ["dev/terraform/heir"]),
        ({"component_types": ["helmfile"]}, ["dev/helmfile/app"]),
    ],
)
def test_filters_keep_what_their_flags_keep(resolved: ResolvedEstate, filters: dict, expected: list[str]) -> None:
    """By stack or manifest name, by component or physical component, by type."""
    assert shown(describe.stacks(resolved, describe.Filter(**filters))) == expected


def test_sections_cut_entries_and_drop_empty_ones(resolved: ResolvedEstate) -> None:
    """Only these keys stay, and what has none of them disappears with its stack."""
    found = describe.stacks(resolved, sections=["workspace"])
    assert found["prod"]["components"] == {"terraform": {"net/vpc": {"workspace": "prod"}}}
    assert "helmfile" not in found["dev"]["components"]
    assert describe.stacks(resolved, sections=["none"]) == {}


def test_empty_stacks_are_told_on_demand(resolved: ResolvedEstate) -> None:
    """A manifest without components shows only when asked for."""
    assert "nothing" not in describe.stacks(resolved)
    assert describe.stacks(resolved, include_empty_stacks=True)["nothing"] == {"components": {}}


def test_a_component_is_described_with_its_imports_and_its_own_workspace(resolved: ResolvedEstate) -> None:
    """Unlike in `describe stacks` the workspace names the instance of another component."""
    found = described(resolved, "net/vpc", "dev").sections
    assert found["workspace"] == "dev-net-vpc"
    assert found["imports"] == ["catalog/a", "catalog/b"]
    assert sorted(describe.schema_keys(described(resolved, "heir", "deploy/dev").sections)) == [
        "backend",
        "component",
        "env",
        "hooks",
        "imports",
        "metadata",
        "overrides",
        "providers",
        "settings",
        "vars",
    ]


def test_an_unknown_component_is_not_found(resolved: ResolvedEstate) -> None:
    """In Atmos' words."""
    with pytest.raises(EstateError, match="Could not find the component `none` in the stack `dev`"):
        described(resolved, "none", "dev")


def test_sources_tell_who_has_a_word_on_each_key() -> None:
    """The component's own manifest comes before imports, components before bases, types before globals; each as written."""
    files = {
        "atmos.yaml": FILES["atmos.yaml"],
        "stacks/catalog/g.yaml": "vars: {a: g}\nterraform: {vars: {a: tf}, backend_type: s3, backend: {s3: {bucket: b}}}\n",
        "stacks/catalog/base.yaml": "components: {terraform: {base: {metadata: {type: abstract}, vars: {a: base, only: 1}}}}\n",
        "stacks/catalog/own.yaml": "components: {terraform: {vpc: {vars: {a: imported}}}}\n",
        "stacks/deploy/dev.yaml": """\
import: [catalog/g, catalog/base, catalog/own]
vars: {stage: dev, a: "{{ .vars.stage }}"}
env: {GONE: null}
components: {terraform: {vpc: {metadata: {inherits: [base]}, vars: {a: own}}}}
""",
    }
    resolved = estate.resolve(MemoryTree({path: text.encode() for path, text in files.items()}))
    found = described(resolved, "vpc", "dev").sections
    told = found["sources"]["vars"]["a"]
    assert (told["name"], told["final_value"]) == ("a", "own")
    assert [tuple(each.values()) for each in told["stack_dependencies"]] == [
        ("inline", "deploy/dev", "components.terraform.vars", "own"),
        ("import", "catalog/own", "components.terraform.vars", "imported"),
        ("import", "catalog/base", "components.terraform.vars", "base"),
        ("inline", "deploy/dev", "vars", "{{ .vars.stage }}"),
        ("import", "catalog/g", "terraform.vars", "tf"),
        ("import", "catalog/g", "vars", "g"),
    ]
    assert found["sources"]["env"] == {}
    assert found["sources"]["backend"]["bucket"]["stack_dependencies"][0]["stack_file_section"] == "terraform.backend.s3"
    assert found["deps"] == ["catalog/base", "catalog/g", "deploy/dev"]
    assert found["deps_all"] == ["catalog/base", "catalog/g", "catalog/own", "deploy/dev"]


def test_json_is_printed_as_atmos_prints_it() -> None:
    """Sorted, indented, no trailing zeros, characters as they are; infinities are refused."""
    assert describe.to_json({"b": 1.0, "a": ["<é>", 1.5]}) == '{\n  "a": [\n    "<é>",\n    1.5\n  ],\n  "b": 1\n}\n'
    with pytest.raises(EstateError, match=r"json: unsupported value: \+Inf"):
        describe.to_json({"a": float("inf")})


def test_yaml_is_filled_where_a_structure_of_atmos_has_nothing() -> None:
    """Null dependents and settings of a structure are an empty list and map, other nulls stay; a plain map keeps its nulls."""
    rows = [Record({"component": "c", "dependents": None, "settings": None, "vars": None, "inner": Record({"dependents": None})})]
    assert describe.to_yaml(rows) == (
        "- component: c\n  dependents: []\n  settings: {}\n  vars: null\n  inner:\n    dependents: []\n"
    )
    assert describe.to_yaml({"dependents": None}) == "dependents: null\n"


def test_yaml_shows_an_empty_inheritance_of_entries_alone() -> None:
    """An entry by itself or in a map of stacks; what a variable is called doesn't matter, and JSON keeps the null."""
    entry = {"atmos_component": "c", "inheritance": None, "vars": {"x": {"atmos_component": "c", "inheritance": None}}}
    filled = {**entry, "inheritance": []}
    assert describe.filled(entry) == filled
    assert describe.filled({"dev": {"components": {"terraform": {"c": entry}}}}) == {
        "dev": {"components": {"terraform": {"c": filled}}}
    }
    assert describe.filled({"atmos_component": "c"}) == {"atmos_component": "c"}
    assert describe.filled({"atmos_component": "c", "inheritance": ["b"]})["inheritance"] == ["b"]
    deep = {"a": {"b": {"c": {"d": {"e": entry}}}}}
    assert describe.filled(deep) == deep
    assert describe.to_json({"atmos_component": "c", "inheritance": None}).endswith('"inheritance": null\n}\n')
    assert entry["inheritance"] is None


def test_printable_values_are_what_the_json_text_holds() -> None:
    """Maps by key and structures in their order, whole floats as integers, moments as text; infinities are refused."""
    moment = scalars.timestamp("2024-01-02")
    value = {"b": [1.0, 1.5, 1e21, (True, None)], "a": Record({"z": moment, "c": "x"})}
    found = describe.printable(value)
    assert found == json.loads(describe.to_json(value))
    assert json.dumps(found) == '{"a": {"z": "2024-01-02T00:00:00Z", "c": "x"}, "b": [1, 1.5, 1e+21, [true, null]]}'
    for number in (float("inf"), float("-inf"), float("nan")):
        with pytest.raises(EstateError, match="json: unsupported value"):
            describe.printable([number])


def test_varfiles_are_named_by_the_physical_component(resolved: ResolvedEstate) -> None:
    """Context, the base's directories and the instance's last segment make the name; the variables are the text."""
    vpc = instance(resolved, "net/vpc", "dev")
    name, text = varfile.varfile(vpc)
    assert name == "dev-infra-vpc.terraform.tfvars.json"
    assert json.loads(text) == {"stage": "dev", "f": 1.0}
    assert varfile.planfile(vpc) == "dev-infra-vpc.planfile"
    assert varfile.working_directory(vpc, "components/terraform") == "components/terraform/infra/vpc"
    assert varfile.varfile(instance(resolved, "app", "dev"))[0] == "dev-app.helmfile.vars.yaml"


def test_an_inherited_component_counts_for_terraform(resolved: ResolvedEstate) -> None:
    """Commands find the code through inherited metadata too."""
    heir = instance(resolved, "heir", "dev")
    assert varfile.physical(heir) == "phys"
    assert varfile.workspace(heir) == "dev-heir"
    assert varfile.workspace(instance(resolved, "named", "dev")) == "w"


def test_backend_files_hold_the_backend(resolved: ResolvedEstate) -> None:
    """By type, the cloud block with its workspace filled in; a component without a type has none."""
    assert varfile.backend(instance(resolved, "net/vpc", "dev")) == (
        "backend.tf.json",
        {"terraform": {"backend": {"s3": {"bucket": "x", "workspace_key_prefix": "infra-vpc"}}}},
    )
    cloud = varfile.backend(instance(resolved, "cloud", "dev"))[1]["terraform"]["cloud"]
    assert cloud == {"organization": "o", "workspaces": {"name": "x-dev"}}
    kept = varfile.backend(instance(resolved, "cloud", "dev"), workspace="")[1]["terraform"]["cloud"]
    assert kept["workspaces"] == {"name": "x-{terraform_workspace}"}
    with pytest.raises(EstateError, match="'backend_type' is missing for the component"):
        varfile.backend(instance(resolved, "net/vpc", "prod"))


def test_a_backend_that_lacks_what_it_needs_is_refused() -> None:
    """In Atmos' words, with the instance in the hint."""
    files = {
        "atmos.yaml": FILES["atmos.yaml"],
        "stacks/deploy/dev.yaml": """\
vars: {stage: dev}
components:
  terraform:
    g: {backend_type: gcs, backend: {gcs: {x: 1}}}
    list: {backend_type: cloud, backend: {cloud: {tags: ["{terraform_workspace}", 5], "k-{stage}": "{mine}"}}}
""",
    }
    resolved = estate.resolve(MemoryTree({path: text.encode() for path, text in files.items()}))
    with pytest.raises(EstateError, match="bucket is required for gcs backend") as raised:
        varfile.backend(instance(resolved, "g", "dev"))
    assert raised.value.hint == "g in dev has none."
    assert varfile.backend(instance(resolved, "list", "dev"), workspace="w")[1]["terraform"]["cloud"] == {
        "tags": ["w", 5],
        "k-": "{mine}",
    }
    without = replace(instance(resolved, "g", "dev"), sections={"backend_type": "s3", "backend": None})
    with pytest.raises(EstateError, match="'backend' config is missing"):
        varfile.backend(without)
    with pytest.raises(EstateError, match="backend config is missing 'workspace_key_prefix'"):
        varfile.backend(replace(without, sections={"backend_type": "s3", "backend": {"bucket": "b"}}))


def test_code_lies_below_the_base_path_of_its_type(resolved: ResolvedEstate) -> None:
    """Of the physical component, or of a folder that is told."""
    assert varfile.code_directory(resolved, instance(resolved, "net/vpc", "dev")) == "components/terraform/infra/vpc"
    assert varfile.code_directory(resolved, instance(resolved, "app", "dev"), "other") == "components/helmfile/other"
    assert varfile.workspace(instance(resolved, "cloud", "dev")) == "dev"


def test_trees_look_alike(tmp_path) -> None:
    """A directory, its overlay and a part of it answer the same questions; links that lead outside are no part of it."""
    (tmp_path / "estate/a").mkdir(parents=True)
    (tmp_path / "estate/a/x.yaml").write_text("x")
    (tmp_path / "outside").write_text("secret")
    (tmp_path / "estate/link").symlink_to(tmp_path / "outside")
    tree = DirectoryTree(tmp_path / "estate")
    overlay = OverlayTree(tree, {"a/x.yaml": None, "a/y.yaml": b"y"})
    part = SubTree(overlay, "a")
    assert list(tree.paths()) == ["a/x.yaml"]
    assert list(overlay.paths()) == ["a/y.yaml"]
    assert (list(part.paths()), part.read("y.yaml"), part.fingerprint("y.yaml")) == (["y.yaml"], b"y", None)
    for reading, path in ((tree, "../outside"), (tree, "link"), (overlay, "a/x.yaml"), (MemoryTree({}), "x")):
        with pytest.raises(FileNotFoundError):
            reading.read(path)
