"""The commands on an estate's directory, as a person runs them."""

import json

import pytest

from catalog.cli import program

CONFIG = "base_path: .\nstacks: {base_path: stacks, included_paths: ['*'], name_pattern: '{tenant}-{stage}'}\ncomponents: {terraform: {base_path: components}}\n"
BASE = "vars: {tenant: core}\ncomponents: {terraform: {vpc: {vars: {size: 1, name: x}}}}\n"
DEV = "import: [base/vpc]\nvars: {stage: dev}\ncomponents: {terraform: {vpc: {vars: {size: 2}}}}\n"


@pytest.fixture
def estate(tmp_path):
    """An estate of one stack that overrides what it imports."""
    (tmp_path / "stacks" / "base").mkdir(parents=True)
    (tmp_path / "atmos.yaml").write_text(CONFIG)
    (tmp_path / "stacks" / "base" / "vpc.yaml").write_text(BASE)
    (tmp_path / "stacks" / "dev.yaml").write_text(DEV)
    return tmp_path


@pytest.fixture
def run(estate, capsys):
    """Run a command on the estate and return (exit code, stdout, stderr)."""

    def run_command(*arguments):
        code = program.run([*arguments, "--estate", str(estate)])
        return code, *capsys.readouterr()

    return run_command


def test_describe_stacks(run):
    """Stacks are printed as Atmos prints them, in JSON."""
    code, out, _ = run("describe", "stacks", "--format", "json")
    assert code == 0
    assert json.loads(out)["core-dev"]["components"]["terraform"]["vpc"]["vars"] == {
        "tenant": "core",
        "stage": "dev",
        "size": 2,
        "name": "x",
    }


def test_the_configuration_may_be_chosen(run, estate):
    """`--config` reads other files in place of the estate's own, `--profile` lays a profile over whatever is read."""
    (estate / "other.yaml").write_text(CONFIG.replace("base_path: components", "base_path: code"))
    (estate / "profiles" / "ci").mkdir(parents=True)
    (estate / "profiles" / "ci" / "a.yaml").write_text("components: {terraform: {command: tofu}}\n")
    found = json.loads(run("describe", "stacks", "--config", "other.yaml", "--profile", "ci", "--format", "json")[1])
    vpc = found["core-dev"]["components"]["terraform"]["vpc"]
    assert (vpc["command"], vpc["component_info"]["component_path"]) == ("tofu", "code/vpc")
    code, _, err = run("describe", "stacks", "--profile", "none")
    assert (code, "Profile none does not exist" in err, "Profiles here: ci." in err) == (1, True, True)
    assert run("validate", "--profile", "none")[0] == 1
    assert run("validate", "--profile", "ci")[0] == 0


def test_describe_filters(run):
    """Only the sections, components and stacks that were asked for are printed."""
    assert json.loads(run("describe", "stacks", "--sections", "vars", "-s", "core-dev", "--format", "json")[1]) == {
        "core-dev": {"components": {"terraform": {"vpc": {"vars": {"tenant": "core", "stage": "dev", "size": 2, "name": "x"}}}}}
    }
    assert json.loads(run("describe", "stacks", "--components", "eks", "--format", "json")[1]) == {}


def test_describe_batch(estate, tmp_path, capsys):
    """Several estates in one run: one line each, a refused one with its exit code and error, the others unharmed."""
    broken = tmp_path / "broken"
    broken.mkdir()
    code = program.run(["describe", "stacks", "--format", "ndjson", "--estate", str(broken / "nowhere"), "--estate", str(estate)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert [line["exit"] for line in lines] == [2, 0]
    assert "nowhere" in lines[0]["error"]
    assert list(lines[1]["stacks"]) == ["core-dev"]


def test_describe_to_a_file(run, tmp_path):
    """--file writes the result and prints nothing."""
    code, out, _ = run("describe", "component", "vpc", "-s", "core-dev", "--format", "json", "--file", str(tmp_path / "out.json"))
    assert (code, out) == (0, "")
    assert json.loads((tmp_path / "out.json").read_text())["vars"]["size"] == 2


@pytest.mark.parametrize(
    ("arguments", "row"),
    [
        (["list", "stacks"], "core-dev"),
        (["list", "stacks", "--component", "vpc"], "core-dev,vpc"),
        (["list", "stacks", "--columns", "stack,Manifest={{ .manifest }}"], "core-dev,stacks/dev.yaml"),
        (["list", "components"], "vpc,terraform,1"),
        (["list", "instances"], "vpc,core-dev"),
    ],
)
def test_list(run, arguments, row):
    """Names are listed in the columns of Atmos, or in those asked for."""
    code, out, _ = run(*arguments, "--format", "csv")
    assert code == 0
    assert out.splitlines()[1:] == [row]


def test_explain(run):
    """The file and line that set a value come first, then what they overrode."""
    code, out, _ = run("explain", "vpc", "vars.size", "-s", "core-dev", "--format", "json")
    assert code == 0
    assert [(entry["location"]["file"], entry["location"]["line"], entry["value"]) for entry in json.loads(out)] == [
        ("stacks/dev.yaml", 3, 2),
        ("stacks/base/vpc.yaml", 2, 1),
    ]


def test_explain_shows_what_is_written_and_what_it_becomes(run, estate):
    """A templated value is shown as written, with what it is evaluated to before it."""
    (estate / "stacks" / "dev.yaml").write_text(
        "import: [base/vpc]\nvars: {stage: dev}\ncomponents: {terraform: {vpc: {vars: {size: 2, name: '{{ .vars.stage }}-x'}}}}\n"
    )
    (estate / "atmos.yaml").write_text(CONFIG + "templates: {settings: {enabled: true}}\n")
    lines = run("explain", "vpc", "vars.name", "-s", "core-dev")[1].splitlines()
    assert lines[0] == '= "dev-x"'
    assert lines[1].startswith("stacks/dev.yaml:3")
    assert lines[1].endswith('"{{ .vars.stage }}-x"')
    first, second = json.loads(run("explain", "vpc", "vars.name", "-s", "core-dev", "--format", "json")[1])
    assert (first["value"], first["evaluated"], second["value"]) == ("{{ .vars.stage }}-x", "dev-x", "x")


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain", "vpc", "vars.nothing", "-s", "core-dev"],
        ["explain", "eks", "vars", "-s", "core-dev"],
        ["describe", "component", "eks", "-s", "core-dev"],
    ],
)
def test_what_is_not_there_fails(run, arguments):
    """A name that isn't there ends with 1, a message on stderr, and nothing on stdout."""
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("catalog: ")


def test_validate(run, estate):
    """A sound estate passes; a broken manifest and a missing import are named with file and line, and fail it."""
    assert run("validate")[0] == 0
    (estate / "stacks" / "prod.yaml").write_text("vars:\n  a: [1\n")
    (estate / "stacks" / "test.yaml").write_text("import:\n  - base/nowhere\nvars: {stage: test}\n")
    code, out, err = run("validate", "--format", "json")
    assert code == 1
    errors = {item["file"]: item["line"] for item in json.loads(out) if item["severity"] == "ERROR"}
    assert set(errors) == {f"{estate}/stacks/prod.yaml", f"{estate}/stacks/test.yaml"}
    assert all(errors.values())
    assert "errors" in err


def test_validate_stacks_as_atmos(run, estate):
    """`validate stacks` says that all is well on stderr, and refuses what Atmos refuses, in its words, with exit 1."""
    assert run("validate", "stacks") == (0, "", "All stacks validated successfully\n")
    (estate / "stacks" / "base" / "other.yaml").write_text("components:\n  terraform:\n    vpc:\n      colour: red\n")
    (estate / "stacks" / "base" / "more.yaml").write_text("import: [nowhere]\n")
    code, out, err = run("validate", "stacks")
    assert (code, out) == (1, "")
    assert "stack import not found: import 'nowhere' in file 'base/more.yaml'" in err
    assert "• base/other.yaml:4:7: error: components.terraform.vpc: additionalProperties 'colour' not allowed" in err


def test_validate_evaluates_nothing(run, estate):
    """Checking runs no function: a stack whose function can't be evaluated is valid."""
    (estate / "stacks" / "prod.yaml").write_text(
        "vars: {tenant: core, stage: prod}\ncomponents: {terraform: {vpc: {vars: {x: !exec exit 3}}}}\n"
    )
    assert run("validate", "stacks")[0] == 0
    assert run("validate")[0] == 0
    assert run("describe", "stacks")[0] == 1


def test_validate_warns_of_what_atmos_refuses(run, estate):
    """What only the manifest schema refuses is a warning with its line and a hint, and fails nothing."""
    (estate / "stacks" / "dev.yaml").write_text(DEV.replace("{size: 2}", "{size: 2}, settigns: {}"))
    code, out, _ = run("validate", "--format", "json")
    (found,) = json.loads(out)
    assert code == 0
    assert (found["severity"], found["code"], found["line"], found["hint"]) == ("WARNING", "SCHEMA", 3, "Is `settings` meant?")


def test_a_schema_may_be_given(run, estate):
    """`validate stacks` checks by another schema when it is told to."""
    (estate / "rules.json").write_text('{"required": ["owner"]}')
    code, _, err = run("validate", "stacks", "--schemas-atmos-manifest", "rules.json")
    assert code == 1
    assert "(root): missing properties: 'owner'" in err
    assert run("validate", "--schemas-atmos-manifest", "rules.json")[0] == 2
    assert run("validate", "stacks", "--format", "json")[0] == 2


def test_list_instances_order(run, estate):
    """Instances come by component, then by stack; where one of these columns isn't shown, by stack as they are found."""
    (estate / "stacks" / "prod.yaml").write_text("vars: {tenant: core, stage: prod}\ncomponents: {terraform: {app: {}, vpc: {}}}\n")
    assert run("list", "instances", "--format", "csv")[1].split() == [
        "Component,Stack",
        "app,core-prod",
        "vpc,core-dev",
        "vpc,core-prod",
    ]
    assert run("list", "instances", "--format", "csv", "--columns", "component")[1].split() == ["Component", "vpc", "app", "vpc"]


def test_list_without_any(run, estate):
    """Where there is nothing to list, nothing is printed, and stderr says so; without a path of workflows that is an error."""
    assert run("list", "workflows", "--format", "json") == (0, "", "No workflows found\n")
    (estate / "atmos.yaml").write_text(CONFIG.removeprefix("base_path: .\n"))
    code, out, told = run("list", "workflows", "--format", "json")
    assert (code, out) == (1, "")
    assert "workflow directory does not exist" in told
