"""The commands beside `describe affected`, on one estate with templates and functions, as a person runs them in its directory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from catalog.cli import program

FILES = {
    "atmos.yaml": """\
base_path: .
stacks: {base_path: stacks, included_paths: ['deploy/*'], name_pattern: '{stage}'}
components: {terraform: {base_path: components/terraform}, helmfile: {base_path: components/helmfile}}
workflows: {base_path: workflows}
templates: {settings: {enabled: true}}
""",
    "stacks/base.yaml": """\
vars: {region: eu}
terraform:
  backend_type: s3
  backend: {s3: {bucket: 'state-{{ .vars.stage }}', key: 'a<b'}}
components:
  terraform:
    net/base: {metadata: {type: abstract, component: vpc}, vars: {cidr: 10.0.0.0/8}}
""",
    "stacks/deploy/dev.yaml": """\
import: [base]
vars: {stage: dev}
components:
  terraform:
    net:
      metadata: {component: vpc, inherits: [net/base], tags: [core]}
      vars: {name: '{{ .atmos_component }}', list: [1, 2]}
    app:
      vars: {size: !env 'NOT_SET 3'}
      dependencies: {components: [{component: net}]}
      settings: {owner: ops}
  helmfile: {chart: {settings: {depends_on: {1: {component: app}}}}}
""",
    "stacks/deploy/qa.yaml": """\
import: [base]
vars: {stage: qa}
components: {terraform: {net: {metadata: {component: vpc}}, broken: {vars: {x: !store nowhere a b}}}}
""",
    "components/terraform/vpc/main.tf": 'variable "name" {\n  type = string\n}\n\nmodule "m" {\n  source = "./m"\n}\n',
    "components/terraform/app/main.tf": "",
    "workflows/net.yaml": "name: net\nworkflows:\n  up: {description: d, steps: [{command: plan net}, {command: b, name: n, env: {A: 1}}]}\n",
}

Run = Callable[..., str]


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(estate: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run a command and return its exit code and what it says."""

    def run(*arguments: str) -> tuple[int, str]:
        code = program.run([*arguments])
        return code, capsys.readouterr().err

    return run


@pytest.fixture
def run(estate: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that succeeds and return its output."""

    def run_command(*arguments: str) -> str:
        code = program.run([*arguments])
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    return run_command


def test_a_component_is_described_with_what_manifests_define(run: Run) -> None:
    """Rendered and evaluated; nothing that Atmos computes is shown unless asked for."""
    found = json.loads(run("describe", "component", "net", "-s", "dev", "--format", "json"))
    assert list(found) == [
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
    assert found["vars"] == {"cidr": "10.0.0.0/8", "list": [1, 2], "name": "net", "region": "eu", "stage": "dev"}
    assert found["backend"]["bucket"] == "state-dev"


def test_a_query_sees_all_that_is_known_of_a_component(run: Run, estate: Path) -> None:
    """The workspace, where the code lies and what it says, where values come from, and which manifests are meant."""
    whole = json.loads(run("describe", "component", "net", "-s", "dev", "--query", ".", "--format", "json"))
    assert whole["workspace"] == "dev-net"
    assert (whole["deps"], whole["deps_all"]) == (["base", "deploy/dev"], ["base", "deploy/dev"])
    assert whole["imports"] == ["base"]
    info = whole["component_info"]
    assert info["component_path"] == str(estate / "components/terraform/vpc")
    assert info["terraform_config"]["variables"]["name"]["required"] is True
    assert info["terraform_config"]["modulecalls"]["m"]["source"] == "./m"
    assert [each["stack_file"] for each in whole["sources"]["vars"]["cidr"]["stack_dependencies"]] == ["base"]
    assert run("describe", "component", "net", "-s", "dev", "--query", ".vars.cidr") == "10.0.0.0/8\n\n"
    assert run("describe", "component", "net", "-s", "dev", "--query", ".workspace", "--format", "json") == '"dev-net"\n'


def test_lines_can_tell_where_they_come_from(run: Run) -> None:
    """With --provenance, files and lines stand beside the values, and what was computed is told apart."""
    lines = run("describe", "component", "net", "-s", "dev", "--provenance").splitlines()
    shown = {line.split(":")[0].strip(): line.partition("#")[2].strip() for line in lines if not line.startswith("#") and line}
    assert shown["cidr"].endswith("base.yaml:7")
    assert shown["name"].startswith("∴")
    assert shown["list"].startswith("●")


def test_a_manifest_may_name_the_stack(run: Run, refused: Callable[..., tuple[int, str]]) -> None:
    """By its path, which the entry then echoes; only Terraform's components are found so, as Atmos has it."""
    asked = ("describe", "component", "net", "--query", ".atmos_stack", "-s")
    assert run(*asked, "deploy/dev") == "deploy/dev\n\n"
    assert run(*asked, "dev") == "dev\n\n"
    assert refused(*asked, "ploy/dev") == (1, "catalog: could not find the stack 'ploy/dev'\n")
    code, words = refused("describe", "component", "chart", "-s", "deploy/dev")
    assert (code, "no config found for the component 'chart'" in words) == (1, True)
    code, words = refused("describe", "component", "none", "-s", "dev")
    assert (code, "Could not find the component `none` in the stack `dev`" in words) == (1, True)


def test_only_what_is_asked_for_is_evaluated(run: Run, refused: Callable[..., tuple[int, str]]) -> None:
    """A value that can't be had fails the whole description, but none that leaves it out, or the function."""
    code, words = refused("describe", "stacks")
    assert (code, "nowhere" in words) == (1, True)
    assert list(yaml.safe_load(run("describe", "stacks", "-s", "dev"))) == ["dev"]
    nets = yaml.safe_load(run("describe", "stacks", "--components", "net", "--components", "app", "--sections", "vars,metadata"))
    assert {name: list(stack["components"]["terraform"]) for name, stack in nets.items()} == {"dev": ["app", "net"], "qa": ["net"]}
    assert list(nets["qa"]["components"]["terraform"]["net"]) == ["metadata", "vars"]
    charts = json.loads(run("describe", "stacks", "--component-types", "helmfile", "--format", "json"))
    assert list(charts["dev"]["components"]["helmfile"]) == ["chart"]
    left = yaml.safe_load(run("describe", "stacks", "--skip", "store"))["qa"]["components"]["terraform"]["broken"]
    assert left["vars"]["x"] == "!store nowhere a b"
    raw = yaml.safe_load(run("describe", "stacks", "--process-functions=false", "--process-templates=false"))
    assert raw["dev"]["components"]["terraform"]["net"]["vars"]["name"] == "{{ .atmos_component }}"
    assert raw["dev"]["components"]["terraform"]["app"]["inheritance"] == []


def test_a_query_may_be_made_of_stacks(run: Run) -> None:
    """A yq expression finds its part, printed in either format."""
    asked = ("describe", "stacks", "--skip", "store", "--query")
    assert run(*asked, "keys") == "- dev\n- qa\n\n"
    assert json.loads(run(*asked, ".dev.components | keys", "--format", "json")) == ["helmfile", "terraform"]


def test_files_escape_what_atmos_escapes_in_files(run: Run, estate: Path) -> None:
    """A result may go to a file; there marks of HTML are escaped in JSON."""
    run("describe", "component", "net", "-s", "dev", "--format", "json", "--file", "out.json")
    text = (estate / "out.json").read_text()
    assert "a\\u003cb" in text
    assert "a<b" in run("describe", "component", "net", "-s", "dev", "--format", "json")


def test_dependents_are_found_across_types(run: Run, refused: Callable[..., tuple[int, str]]) -> None:
    """With their own dependents only where these are asked of, and settings on demand."""
    rows = json.loads(run("describe", "dependents", "net", "-s", "dev", "--skip", "store"))
    assert [(row["component"], row["dependents"], row["settings"]) for row in rows] == [("app", None, None)]
    rows = yaml.safe_load(run("describe", "dependents", "app", "-s", "dev", "--skip", "store", "--format", "yaml"))
    assert [(row["component"], row["component_type"], row["dependents"], row["settings"]) for row in rows] == [
        ("chart", "helmfile", [], {})
    ]
    rows = json.loads(run("describe", "dependents", "net", "-s", "dev", "--skip", "store", "--include-settings"))
    assert rows[0]["settings"] == {"owner": "ops"}
    assert refused("describe", "dependents", "none", "-s", "dev", "--skip", "store")[0] == 1


def test_workflows_are_described_as_atmos_prints_its_structures(run: Run) -> None:
    """As a list, a map, or whole, with names for steps that have none and fields in the order of the structure."""
    assert run("describe", "workflows") == "- file: net.yaml\n  workflow: up\n\n"
    assert run("describe", "workflows", "-o", "map", "--format", "json") == '{\n  "net.yaml": [\n    "up"\n  ]\n}\n'
    assert run("describe", "workflows", "-o", "all") == (
        "net.yaml:\n  name: net\n  workflows:\n    up:\n      description: d\n      steps:\n        - name: step1\n"
        '          command: plan net\n        - name: "n"\n          command: b\n          env:\n            A: "1"\n\n'
    )
    steps = json.loads(run("describe", "workflows", "-o", "all", "--format", "json"))["net.yaml"]["workflows"]["up"]["steps"]
    assert steps[0] == {"name": "step1", "command": "plan net", "when": None, "continue": None}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("stacks", "--format", "csv"), "Stack\ndev\nqa\n"),
        (("stacks", "--component", "app", "--format", "json"), '[\n  {\n    "Component": "app",\n    "Stack": "dev"\n  }\n]\n'),
        (("workflows", "--format", "tsv"), "File\tWorkflow\tDescription\tSteps\nnet.yaml\tup\td\t2\n"),
        (
            ("instances", "--stack", "dev", "--columns", "Name={{ .component }},Where={{ .stack }}", "--format", "csv"),
            "Name,Where\napp,dev\nchart,dev\nnet,dev\n",
        ),
        (("instances", "--tags", "core", "--format", "csv"), "Component,Stack\nnet,dev\n"),
    ],
)
def test_lists(run: Run, arguments: tuple[str, ...], expected: str) -> None:
    """In the formats and with the titles of Atmos."""
    assert run("list", *arguments).replace("\r\n", "\n") == expected


def test_generated_varfiles(run: Run, refused: Callable[..., tuple[int, str]], estate: Path) -> None:
    """Beside the component's code, or in the file that is named; never for what has no code."""
    run("terraform", "generate", "varfile", "net", "-s", "dev")
    written = json.loads((estate / "components/terraform/vpc/dev-net.terraform.tfvars.json").read_text())
    assert written == {"cidr": "10.0.0.0/8", "list": [1, 2], "name": "net", "region": "eu", "stage": "dev"}
    run("terraform", "generate", "varfile", "app", "-s", "dev", "-f", "app.json")
    assert json.loads((estate / "app.json").read_text())["size"] == "3"
    assert refused("terraform", "generate", "varfile", "chart", "-s", "dev")[0] == 1
    assert refused("terraform", "generate", "varfile", "broken", "-s", "qa")[0] == 1
    assert "Did you mean `dev`?" in refused("terraform", "generate", "varfile", "net", "-s", "deploy/dev")[1]


def test_generated_backends(run: Run, estate: Path) -> None:
    """One file for Terraform beside the code, by the backend's type; or one of each component, by a template of names."""
    run("terraform", "generate", "backend", "net", "-s", "dev")
    text = (estate / "components/terraform/vpc/backend.tf.json").read_text()
    assert json.loads(text)["terraform"]["backend"]["s3"]["bucket"] == "state-dev"
    assert "a\\u003cb" in text
    run("terraform", "generate", "backends", "--stacks", "dev", "--components", "net,app")
    assert (estate / "components/terraform/app/backend.tf").read_text() == (
        'terraform {\n  backend "s3" {\n    bucket               = "state-dev"\n    key                  = "a<b"\n'
        '    workspace_key_prefix = "app"\n  }\n}\n'
    )
    run(
        "terraform",
        "generate",
        "backends",
        "--stacks",
        "dev",
        "--file-template",
        "b/{stage}/{component}",
        "--format",
        "backend-config",
    )
    assert (estate / "b/dev/net").read_text() == 'bucket = "state-dev"\n\nkey = "a<b"\n\nworkspace_key_prefix = "vpc"'


def test_generated_varfiles_of_many(run: Run, estate: Path) -> None:
    """One file a component, named by a template with tokens, as assignments or JSON."""
    run("terraform", "generate", "varfiles", "--stacks", "dev", "--file-template", "v/{stage}/{component}-{region}.tfvars")
    assert (estate / "v/dev/app-eu.tfvars").read_text() == 'region = "eu"\n\nsize = "3"\n\nstage = "dev"'
    run(
        "terraform",
        "generate",
        "varfiles",
        "--components",
        "net",
        "--file-template",
        "j/{stage}/{component}.json",
        "--format",
        "json",
    )
    assert sorted(str(path.relative_to(estate)) for path in (estate / "j").rglob("*.json")) == ["j/dev/net.json", "j/qa/net.json"]
