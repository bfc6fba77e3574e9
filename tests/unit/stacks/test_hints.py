"""What a person should know of files that read well, and what other programs' files look like."""

from __future__ import annotations

import pytest

from catalog.stacks import estate
from catalog.stacks.tree import MemoryTree
from catalog.values import Diagnostic, Severity

CONFIG = "stacks: {base_path: stacks, included_paths: ['deploy/*'], name_pattern: '{stage}'}\n"
STACK = "vars: {stage: dev}\ncomponents: {terraform: {vpc: {}}}\n"
SECRET = "s3cret-Value9"  # what no diagnostic may say


def diagnostics(stack: str = STACK, config: str = CONFIG, **files: str) -> tuple[Diagnostic, ...]:
    tree = {"atmos.yaml": config, "stacks/deploy/dev.yaml": stack, **files}
    return estate.resolve(MemoryTree({path: text.encode() for path, text in tree.items()})).diagnostics


def told(code: str, found: tuple[Diagnostic, ...]) -> list[str]:
    return [item.message for item in found if item.code == code]


def test_nothing_is_said_of_what_is_well() -> None:
    """An estate without peculiarities has no diagnostics."""
    assert diagnostics() == ()


@pytest.mark.parametrize(
    ("stack", "hint", "line"),
    [
        ("imports: [x]\n" + STACK, "Is `import` meant?", 1),
        (STACK + "mdetadata: {}\n", "Is `metadata` meant?", 3),
        (STACK + "setings: {}\n", "Is `settings` meant?", 3),
        ("vars: {stage: dev}\ncomponents:\n  terraform:\n    vpc:\n      componet: x\n", "Is `component` meant?", 5),
        ("vars: {stage: dev}\ncomponents:\n  terraform:\n    vpc:\n      mdetadata: {}\n", "Is `metadata` meant?", 5),
    ],
)
def test_a_misspelt_key_of_a_manifest(stack: str, hint: str, line: int) -> None:
    """A key that Atmos ignores or refuses is told with the one that is probably meant, where it stands."""
    found = [(item.hint, item.location.line) for item in diagnostics(stack) if item.severity is Severity.WARNING and item.location]
    assert (hint, line) in found


@pytest.mark.parametrize(
    ("config", "hint"),
    [
        (CONFIG.replace("name_pattern", "exclude_paths: ['x'], name_pattern"), "Is `excluded_paths` meant?"),
        (CONFIG + "templates: {settings: {evalutions: 2}}\n", "Is `evaluations` meant?"),
        (CONFIG + "imports: [x]\n", "Is `import` meant?"),
    ],
)
def test_a_misspelt_key_of_the_configuration(config: str, hint: str) -> None:
    """The same for atmos.yaml, whose unknown keys Atmos ignores too."""
    assert hint in [item.hint for item in diagnostics(config=config) if item.code == "UNKNOWN_KEY"]


@pytest.mark.parametrize(
    ("pattern", "dropped"),
    [
        ("{tenant}-{region}-{stage}", "`{region}`"),
        ("{stage}-app-{attributes}", "`app`, `{attributes}`"),
        ("{stage}_{tenant}", "`{stage}_{tenant}`"),
        ("{namespace}-{tenant}-{environment}-{stage}", None),
    ],
)
def test_parts_of_a_name_pattern_that_are_dropped(pattern: str, dropped: str | None) -> None:
    """What Atmos silently leaves out of names is told, at the pattern."""
    found = told("NAME_PATTERN", diagnostics(config=CONFIG.replace("{stage}", pattern)))
    assert found == ([] if dropped is None else [f"Atmos drops {dropped} of the name pattern '{pattern}'"])


def test_a_pattern_that_leaves_the_estate() -> None:
    """An absolute pattern finds what lies inside, with a warning instead of a walk over the disk."""
    config = CONFIG.replace("'deploy/*'", "'/**/dev*'")
    (item,) = diagnostics(config=config)
    assert (item.code, item.severity, item.location.line) == ("OUTSIDE", Severity.WARNING, 1)


@pytest.mark.parametrize(
    "entry",
    [
        f"password: {SECRET}",
        f"db: {{admin_password: {SECRET}}}",
        f"list: [{{apiKey: {SECRET}}}]",
        f"tokens: [{SECRET}]",
        f"GITHUB_TOKEN: {SECRET}",
        "password: admin",
    ],
)
def test_a_secret_in_the_open(entry: str) -> None:
    """Text under a key that names a secret is told with its place, and never with its value."""
    found = diagnostics(f"vars: {{stage: dev}}\ncomponents:\n  terraform:\n    vpc:\n      vars:\n        {entry}\n")
    (item,) = [item for item in found if item.code == "SECRET"]
    assert item.location.line == 6
    assert item.severity is Severity.WARNING
    assert SECRET not in repr(found)
    assert "admin" not in item.message.replace("admin_password", "")


@pytest.mark.parametrize(
    "entry",
    [
        "password: !secret DB",
        "password: '!store ssm x'",
        "password: '{{ .settings.x }}'",
        "password: /ssm/path",
        "password: arn:aws:secretsmanager:x",
        "password: op://vault/item",
        "password: ${PASSWORD}",
        "password: ''",
        "password: null",
        "password: true",
        "http_tokens: required",
        "secret_name: prod-db",
        "tokens: {unit: hours}",
    ],
)
def test_what_is_no_secret_in_the_open(entry: str) -> None:
    """References to secrets, options and empty values are none."""
    found = diagnostics(f"vars: {{stage: dev}}\ncomponents:\n  terraform:\n    vpc:\n      vars:\n        {entry}\n")
    assert told("SECRET", found) == []


def test_functions_that_wait_are_told_once_a_file() -> None:
    """One line names the functions that indexing doesn't evaluate, at the first; those that it does are not among them."""
    functions = ("a: !template x", "b: !exec date", "c: [!env HOME, !exec date]", "d: '!git.sha'", "e: !unset", "f: '!executive'")
    found = diagnostics(STACK + "settings:\n" + "".join(f"  {line}\n" for line in functions))
    found = [item for item in found if item.code == "DEFERRED"]
    assert [(item.message, item.severity, item.location.line) for item in found] == [
        (
            "indexing asks nobody for `!env`, `!exec`, `!git.sha`; what needs an answer from outside stays as written",
            Severity.INFO,
            5,
        )
    ]


def test_functions_that_nobody_evaluates() -> None:
    """What Atmos itself leaves as text in manifests is told."""
    found = told("DEFERRED", diagnostics(STACK + "settings: {a: !random 1 2, b: !cwd x}\n"))
    assert found == ["`!cwd`, `!random` is text to Atmos: it evaluates it in atmos.yaml alone"]


KUBERNETES = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n"


@pytest.mark.parametrize(
    ("files", "kind", "severity"),
    [
        ({"stacks/x.yaml": KUBERNETES}, "a Kubernetes manifest", Severity.WARNING),
        ({"stacks/x.yaml": "kind: Service\napiVersion: v1\nspec: {}\n"}, "a Kubernetes manifest", Severity.INFO),
        (
            {"stacks/x.yaml": KUBERNETES.replace("name: x", "name: {{ .Release.Name }}")},
            "a template of a Kubernetes manifest",
            Severity.WARNING,
        ),
        (
            {"stacks/x.yaml": "apiVersion: atmos/v1\nkind: AtmosVendorConfig\nspec: {}\n"},
            "a manifest of Atmos' vendoring",
            Severity.INFO,
        ),
        ({"stacks/x.yaml": "- hosts: all\n  tasks:\n    - ping:\n"}, "an Ansible playbook", Severity.WARNING),
        ({"stacks/x.yaml": "---\n# play\n- name: x\n  hosts: all\n"}, "an Ansible playbook", Severity.WARNING),
        (
            {"stacks/c/values.yaml": "replicas: 1\n", "stacks/c/Chart.yaml": "apiVersion: v2\n"},
            "a file of the Helm chart in stacks/c",
            Severity.INFO,
        ),
        (
            {"stacks/c/templates/x.yaml": "{{ if x }}\na: b\n{{ end }}\n", "stacks/c/Chart.yaml": "version: 1.0.0\n"},
            "a file of the Helm chart in stacks/c",
            Severity.WARNING,
        ),
        ({"stacks/x.yml": "on: push\njobs: {}\n"}, "a workflow of GitHub Actions", Severity.INFO),
        ({"stacks/x.yml": "a\0b"}, "binary data", Severity.WARNING),
    ],
)
def test_files_of_other_programs(files: dict[str, str], kind: str, severity: Severity) -> None:
    """YAML that is no manifest is told once, as what it looks like, and harms nobody; where Atmos would refuse it, it is a warning."""
    found = diagnostics(STACK, CONFIG, **files)
    assert (f"this looks like {kind}, not like a stack manifest", severity) in [(item.message, item.severity) for item in found]
    assert {item.code for item in found} == {"FOREIGN"}


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [\n", "just text\n"])
def test_broken_files_are_not_called_foreign(text: str) -> None:
    """What looks like nothing else is a manifest with a mistake in it."""
    found = diagnostics(STACK, CONFIG, **{"stacks/x.yaml": text})
    assert {item.code for item in found} == {"YAML"}


def test_strict_reading_says_nothing_of_it() -> None:
    """The commands that do what Atmos does keep quiet about what Atmos doesn't mind."""
    tree = MemoryTree(
        {"atmos.yaml": CONFIG.encode(), "stacks/deploy/dev.yaml": f"{STACK}settings: {{password: {SECRET}}}\n".encode()}
    )
    assert estate.resolve(tree, strict=True).diagnostics == ()
