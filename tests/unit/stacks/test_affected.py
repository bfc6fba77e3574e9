"""What a change affects, and why, told as Atmos tells it: every reason on small estates in memory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catalog.errors import EstateError
from catalog.stacks import affected, estate
from catalog.stacks.affected import Changes, Options
from catalog.stacks.changes import changed_files
from catalog.stacks.integrations import Integrations
from catalog.stacks.resolved import ResolvedEstate
from catalog.stacks.templates import Templates
from catalog.stacks.tree import MemoryTree

CONFIG: dict[str, Any] = {
    "base_path": ".",
    "stacks": {"base_path": "stacks", "included_paths": ["deploy/*"], "name_pattern": "{stage}"},
    "components": {
        "terraform": {"base_path": "components/terraform"},
        "helmfile": {"base_path": "components/helmfile"},
        "kubernetes": {"base_path": "components/kubernetes"},
    },
}


def read(components: dict[str, Any], config: dict[str, Any] | None = None, stack: str = "dev", **stacks: Any) -> ResolvedEstate:
    """An estate of one stack, or of more."""
    files: dict[str, Any] = {"atmos.yaml": {**CONFIG, **(config or {})}}
    for name, found in {stack: components, **stacks}.items():
        files[f"stacks/deploy/{name}.yaml"] = {"vars": {"stage": name}, "components": found}
    tree = MemoryTree({path: json.dumps(value).encode() for path, value in files.items()})
    return estate.resolve(tree, strict=True, validate=False)


def compared(
    head: ResolvedEstate, base: ResolvedEstate, *files: str, modules: dict[str, list[str]] | None = None, **options: Any
) -> list[dict[str, Any]]:
    assert head.config is not None
    changes = Changes(files=files, directory="", modules=lambda folder: (modules or {}).get(folder, []))
    return affected.affected(head, base, changes, Integrations(config=head.config, templates=Templates()), Options(**options))


def reasons(found: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {record["component"]: record["affected_all"] for record in found}


def terraform(**components: Any) -> dict[str, Any]:
    return {"terraform": components}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, None),
        ({"vars": {"n": 1}}, {"vars": {"n": 2}}, ["stack.vars"]),
        # Types count: 1, 1.5 and true are different values, at any depth.
        ({"vars": {"n": [1]}}, {"vars": {"n": [True]}}, ["stack.vars"]),
        ({"env": {"A": "1"}}, {"env": {"A": "2"}}, ["stack.env"]),
        ({"metadata": {"locked": False}}, {"metadata": {"locked": True}}, ["stack.metadata"]),
        ({"settings": {"a": 1}}, {"settings": {"a": 2}}, ["stack.settings"]),
        ({"providers": {"aws": {}}}, {}, ["stack.providers"]),
        ({"required_version": "1"}, {"required_version": "2"}, ["stack.required_version"]),
        ({"command": "terraform"}, {"command": "tofu"}, ["stack.command"]),
        (
            {"backend_type": "local"},
            {"backend_type": "s3"},
            ["stack.backend", "stack.backend_type", "stack.remote_state_backend", "stack.remote_state_backend_type"],
        ),
        ({}, {"dependencies": {"tools": {"x": "1"}}}, ["stack.dependencies"]),
        # What is gone isn't compared, for sections that are only there when they hold something.
        ({"dependencies": {"tools": {"x": "1"}}}, {}, None),
        ({"hooks": {"a": {"command": "x"}}}, {"hooks": {"a": {"command": "y"}}}, None),
        ({"vars": {"n": 1}, "metadata": {"enabled": False}}, {"vars": {"n": 2}, "metadata": {"enabled": False}}, None),
        ({"vars": {"n": 1}, "metadata": {"type": "abstract"}}, {"vars": {"n": 2}, "metadata": {"type": "abstract"}}, None),
        ({"vars": {"n": 1}, "settings": {"a": 1}, "env": {"A": "1"}}, {"metadata": {"locked": True}}, "all"),
    ],
)
def test_sections_are_compared_as_atmos_compares_them(before: Any, after: Any, expected: Any) -> None:
    """A section that differs is a reason; reasons come in the order of the table, the first is the headline."""
    found = compared(read(terraform(vpc=after)), read(terraform(vpc=before)))
    if expected == "all":
        expected = ["stack.metadata", "stack.vars", "stack.env", "stack.settings"]
    assert reasons(found) == ({} if expected is None else {"vpc": expected})
    assert all(record["affected"] == record["affected_all"][0] for record in found)


def test_a_new_component_is_affected_by_all_that_it_has() -> None:
    """Nothing in the base is equal to it."""
    head, base = read(terraform(vpc={}, more={})), read(terraform(vpc={}))
    assert reasons(compared(head, base)) == {
        "more": ["stack.metadata", *(f"stack.{name}" for name in affected.SECTIONS if name != "dependencies"), "stack.settings"]
    }


def test_configured_sections_replace_the_list() -> None:
    """`describe.affected.sections` says what is compared; names that Atmos doesn't know are reasons too."""
    config = {"describe": {"affected": {"sections": ["hooks", "vars"]}}}
    head = read(terraform(vpc={"hooks": {"a": {"command": "x"}}, "vars": {"n": 2}, "env": {"A": "2"}}), config)
    base = read(terraform(vpc={"vars": {"n": 1}, "env": {"A": "1"}}), config)
    assert reasons(compared(head, base)) == {"vpc": ["stack.hooks", "stack.vars"]}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["components/terraform/vpc/main.tf"], {"vpc": ["component"], "other": ["component"]}),
        (["components/terraform/vpc/deep/readme.md"], {"vpc": ["component"], "other": ["component"]}),
        (["components/terraform/vpc-two/main.tf", "docs/x.md"], {}),
        (["components/terraform/lib/net/main.tf"], {"vpc": ["component.module"], "other": ["component.module"]}),
        # Modules elsewhere are called all the same, but Atmos looks below the base path only.
        (["modules/net/main.tf"], {}),
        (["components/helmfile/chart/values.yaml"], {"chart": ["component"]}),
        (["components/helmfile/vpc/values.yaml"], {}),
    ],
)
def test_code_affects_what_is_made_of_it(files: list[str], expected: dict[str, list[str]]) -> None:
    """A changed file affects every instance of the component in whose folder, or in a called module of which, it lies."""
    components = {**terraform(vpc={}, other={"metadata": {"component": "vpc"}}), "helmfile": {"chart": {}}}
    modules = {"components/terraform/vpc": ["components/terraform/lib/net", "modules/net", "git::https://x/y"]}
    assert reasons(compared(read(components), read(components), *files, modules=modules)) == expected


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        ({"dependencies": {"files": ["config/a.json"]}}, ["file", "config/a.json"]),
        ({"dependencies": {"files": ["config/*.json"]}}, ["file", "config/*.json"]),
        ({"dependencies": {"folders": ["src"]}}, ["folder", "src"]),
        ({"dependencies": {"components": [{"kind": "folder", "path": "./src"}]}}, ["folder", "./src"]),
        ({"settings": {"depends_on": {"1": {"file": "config/a.json"}}}}, ["file", "config/a.json"]),
        ({"settings": {"depends_on": {"1": {"folder": "src/deep"}}}}, ["folder", "src/deep"]),
        # The first hit is told, and the new style silences the old.
        ({"dependencies": {"files": ["no", "config/a.json"], "folders": ["src"]}}, ["file", "config/a.json"]),
        ({"dependencies": {"files": ["no"]}, "settings": {"depends_on": {"1": {"folder": "src"}}}}, None),
        ({"dependencies": {"folders": ["config/a"]}}, None),
        (
            {"secrets": {"vars": {"P": {"sops": "v"}}, "providers": {"v": {"kind": "sops/age", "spec": {"path": "sec"}}}}},
            ["secret.file", "sec/dev.vpc.enc.yaml"],
        ),
        (
            {
                "secrets": {
                    "vars": {"P": {"sops": "v"}},
                    "providers": {"v": {"spec": {"file": "sec/{{ .atmos_stack }}.{{ .atmos_component }}.enc.yaml"}}},
                }
            },
            ["secret.file", "sec/dev.vpc.enc.yaml"],
        ),
    ],
)
def test_declared_files_affect_their_component(component: dict[str, Any], expected: list[str] | None) -> None:
    """Files and folders that a component declares, and files of its secrets, are reasons, with the path as declared."""
    same = read(terraform(vpc=component))
    found = compared(same, same, "config/a.json", "src/deep/x.py", "sec/dev.vpc.enc.yaml")
    assert [[record["affected"], record.get("file") or record.get("folder")] for record in found] == (
        [] if expected is None else [expected]
    )


def test_a_file_is_named_only_as_the_headline() -> None:
    """Behind another reason the file that changed is a reason without its path, as in Atmos."""
    head = read(terraform(vpc={"vars": {"n": 2}, "dependencies": {"files": ["a"]}}))
    base = read(terraform(vpc={"vars": {"n": 1}, "dependencies": {"files": ["a"]}}))
    found = compared(head, base, "a")
    assert reasons(found) == {"vpc": ["stack.vars", "file"]}
    assert "file" not in found[0]


def test_what_is_gone_is_told_last() -> None:
    """Components and whole stacks that only the base has are deleted, abstract ones aside; disabled ones were there."""
    base = read(
        terraform(vpc={}, gone={"metadata": {"enabled": False}}, base={"metadata": {"type": "abstract"}}), old=terraform(last={})
    )
    found = compared(read(terraform(vpc={"vars": {"n": 1}})), base)
    assert [(each["stack_slug"], each["affected_all"], each.get("deletion_type"), each.get("stage")) for each in found] == [
        ("dev-vpc", ["stack.vars"], None, None),
        ("dev-gone", ["deleted"], "component", "dev"),
        ("old-last", ["deleted.stack"], "stack", "old"),
    ]


def test_kubernetes_and_helm_have_sections_of_their_own() -> None:
    """Manifests, charts and values are compared; taking `validate` away is a change, taking others away isn't."""
    before = {
        "kubernetes": {"app": {"manifests": [{"a": 1}]}, "checked": {"validate": {"enabled": False}}},
        "helm": {"web": {"chart": "x", "values": {"a": 1}}},
    }
    after = {
        "kubernetes": {"app": {"manifests": [{"a": 2}]}, "checked": {}},
        "helm": {"web": {"chart": "y", "values": {"a": 1}}},
    }
    assert reasons(compared(read(after), read(before))) == {
        "app": ["stack.manifests"],
        "checked": ["stack.validate"],
        "web": ["stack.chart"],
    }


def test_flags() -> None:
    """One stack can be asked for, locked components left out, settings shown."""
    before = terraform(vpc={"settings": {"a": 1}}, locked={"metadata": {"locked": True}})
    after = terraform(vpc={"settings": {"a": 2}}, locked={"metadata": {"locked": True}, "vars": {"n": 1}})
    head, base = read(after, qa=after), read(before, qa=before)
    assert [each["stack_slug"] for each in compared(head, base, stack="qa")] == ["qa-locked", "qa-vpc"]
    assert [each["stack_slug"] for each in compared(head, base, exclude_locked=True)] == ["dev-vpc", "qa-vpc"]
    shown = compared(head, base, include_settings=True, exclude_locked=True, stack="qa")
    assert shown[0]["settings"] == {"a": 2}


def after(component: str) -> dict[str, Any]:
    return {"settings": {"depends_on": {"1": {"component": component}}}}


def test_dependents_are_told_in_full_and_once() -> None:
    """Dependents come with theirs; an entry, or a dependent, that is also below another one is marked."""
    components = {"vpc": {}, "dns": after("vpc"), "acm": after("dns"), "app": {"settings": {"depends_on": {}}}}
    components["app"]["settings"]["depends_on"] = {"1": {"component": "vpc"}, "2": {"component": "acm"}}
    head = read(terraform(**{**components, "vpc": {"vars": {"n": 1}}, "acm": {**after("dns"), "vars": {"n": 1}}}))
    found = compared(head, read(terraform(**components)), include_dependents=True)

    def tree(records: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            each["component"] + ("*" if each["included_in_dependents"] else ""): tree(each["dependents"] or []) for each in records
        }

    assert tree(found) == {"acm*": {"app": {}}, "vpc": {"app*": {}, "dns": {"acm": {"app": {}}}}}


def test_dependents_in_a_circle_end() -> None:
    """Where dependencies go in a circle, which Atmos never leaves, each way ends where it comes back to itself."""
    head = read(terraform(a={**after("b"), "vars": {"n": 1}}, b=after("a")))
    found = compared(head, read(terraform(a=after("b"), b=after("a"))), include_dependents=True)
    assert [each["component"] for each in found[0]["dependents"]] == ["b"]
    assert [each["component"] for each in found[0]["dependents"][0]["dependents"]] == ["a"]
    assert found[0]["dependents"][0]["dependents"][0]["dependents"] == []


def spacelift(*, enabled: bool) -> dict[str, Any]:
    return {"settings": {"spacelift": {"workspace_enabled": enabled}}}


def test_the_admin_stack_of_what_is_affected() -> None:
    """With its flag, the Spacelift admin stack that settings select is told too; one without a workspace is refused."""
    selector = {"settings": {"spacelift": {"admin_stack_selector": {"component": "admin", "stage": "root"}}}}
    base = read(terraform(vpc=selector), root=terraform(admin=spacelift(enabled=True)))
    head = read(terraform(vpc={**selector, "vars": {"n": 1}}), root=terraform(admin=spacelift(enabled=True)))
    found = compared(head, base, include_spacelift_admin_stacks=True)
    assert [(each["stack_slug"], each["affected"]) for each in found] == [
        ("root-admin", "stack.settings.spacelift.admin_stack_selector"),
        ("dev-vpc", "stack.vars"),
    ]
    broken = read(terraform(vpc={**selector, "vars": {"n": 1}}), root=terraform(admin=spacelift(enabled=False)))
    with pytest.raises(EstateError, match="Spacelift workspace disabled"):
        compared(broken, base, include_spacelift_admin_stacks=True)


def test_the_matrix_of_a_workflow() -> None:
    """The matrix names stack, component, path and type of each entry."""
    found = compared(read(terraform(vpc={"vars": {"n": 1}})), read(terraform(vpc={})))
    entry = {"stack": "dev", "component": "vpc", "component_path": "components/terraform/vpc", "component_type": "terraform"}
    assert affected.matrix(found) == {"include": [entry]}


def test_changed_files_are_those_that_atmos_counts() -> None:
    """Texts that differ, come or go count; files that only moved, binary ones and empty ones that come or go don't."""
    head = {"same": b"1", "text": b"2", "binary": b"\0a", "new": b"n", "empty": b"", "moved": b"whole", "emptied": b""}
    base = {"same": b"1", "text": b"1", "binary": b"\0b", "old": b"o", "hollow": b"", "from": b"whole", "emptied": b"x"}
    assert changed_files(MemoryTree(head), MemoryTree(base)) == ["emptied", "new", "old", "text"]
