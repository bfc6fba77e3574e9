"""What commands look up when they read an estate: with a real shell, git, files and terraform."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.cli.world import World
from catalog.errors import EstateError, UnknownStore
from catalog.stacks import atmos_config
from catalog.stacks.files import Files
from catalog.stacks.findings import Findings
from catalog.stacks.lookup import MASK, Target
from catalog.stacks.tree import DirectoryTree

STATE = {
    "version": 4,
    "outputs": {
        "id": {"value": "vpc-1", "type": "string"},
        "n": {"value": 5, "type": "number"},
        "password": {"value": "hunter22", "type": "string", "sensitive": True},
    },
}


def environment(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/nowhere", **more}


def world(directory: Path, configuration: str = "", **variables: str) -> World:
    base = "components: {terraform: {base_path: components}}\nstacks: {base_path: stacks, included_paths: ['**']}\n"
    directory.joinpath("atmos.yaml").write_text(configuration or base)
    found = World(directory, directory, environment(**variables))
    found.configured(atmos_config.load(Files(DirectoryTree(directory)), "", findings=Findings(strict=True), environment={}))
    return found


def target(**entry: Any) -> Target:
    return Target(component="vpc", stack="dev", entry={"component": "vpc", "workspace": "dev", "backend_type": "local", **entry})


def put(path: Path, text: str | dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text))


def git(directory: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=directory, check=True, capture_output=True)


def test_scripts_run_in_the_working_directory_with_the_environment(tmp_path: Path) -> None:
    """As in Atmos' own shell: bash's language, the process' variables, one level deeper."""
    put(tmp_path / "here", "x")
    found = world(tmp_path, A="b", ATMOS_SHLVL="2")
    assert found.execute("ls here; echo $A $ATMOS_SHLVL; [[ a == a ]] && echo yes", "!exec") == "here\nb 3\nyes\n"
    with pytest.raises(EstateError, match="subcommand exited with code 3"):
        found.execute("exit 3", "!exec")


def test_git_tells_facts_about_the_repository_around_the_working_directory(tmp_path: Path) -> None:
    """Root, commit and branch; host, owner and name from the remote's address."""
    git(tmp_path, "init", "-q", "-b", "trunk")
    directory = tmp_path / "estate"
    put(directory / "file", "x")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "first")
    found = world(directory)
    assert found.git("root") == str(tmp_path.resolve())
    assert found.git("branch") == "trunk"
    assert len(found.git("sha")) == 40
    assert found.git("url") == ""
    git(tmp_path, "checkout", "-q", "--detach")
    with pytest.raises(EstateError, match="git HEAD is detached"):
        world(directory).git("branch")


@pytest.mark.parametrize(
    ("address", "facts"),
    [
        ("git@github.com:acme/infra.git", "github.com acme infra"),
        ("https://github.com/acme/infra", "github.com acme infra"),
        ("ssh://git@gitlab.com/group/sub/proj.git", "gitlab.com group/sub proj"),
        ("https://user:token@dev.azure.com/org/proj/_git/repo", "dev.azure.com org repo"),
        ("https://git.example.org/team/app.git", "git.example.org team app"),
        ("git@bitbucket.org:team/r", "bitbucket.org team r"),
    ],
)
def test_remotes_of_many_forms_are_understood(tmp_path: Path, address: str, facts: str) -> None:
    """Host, owner and name; the address itself stays as it is."""
    git(tmp_path, "init", "-q")
    git(tmp_path, "remote", "add", "origin", address)
    found = world(tmp_path)
    assert " ".join(found.git(fact) for fact in ("host", "owner", "name")) == facts
    assert found.git("url") == address
    assert found.git("repository") == "/".join(facts.split()[1:])


def test_without_a_repository_no_fact_is_told(tmp_path: Path) -> None:
    """Atmos refuses, and so do we."""
    found = World(tmp_path, tmp_path, environment(GIT_CEILING_DIRECTORIES=str(tmp_path.parent)))
    for fact in ("root", "sha", "branch", "owner"):
        with pytest.raises(EstateError, match="failed to get local repository"):
            found.git(fact)
    git(tmp_path, "init", "-q")
    git(tmp_path, "remote", "add", "origin", "/some/where.git")
    with pytest.raises(EstateError, match="failed to get repository info: repository host '' not supported"):
        world(tmp_path).git("owner")


@pytest.mark.parametrize(
    ("place", "entry"),
    [
        ("components/vpc/terraform.tfstate.d/dev/terraform.tfstate", {}),
        ("components/vpc/terraform.tfstate", {"workspace": "default"}),
        ("components/vpc/states/own.tfstate", {"backend": {"path": "states/own.tfstate"}}),
        ("components/net/base/terraform.tfstate.d/dev/terraform.tfstate", {"component": "net/base", "backend_type": ""}),
        (".workdir/terraform/dev-vpc/terraform.tfstate.d/dev/terraform.tfstate", {"provision": {"workdir": {"enabled": True}}}),
        (
            "states/s.tfstate",
            {
                "provision": {"workdir": {"enabled": True}},
                "atmos_component": "a-b/c",
                "backend": {"path": "../../../states/s.tfstate"},
            },
        ),
    ],
)
def test_states_of_the_local_backend_are_read_where_terraform_keeps_them(tmp_path: Path, place: str, entry: dict[str, Any]) -> None:
    """One file for the default workspace, a directory for each other, or the configured path."""
    found = world(tmp_path)
    assert found.state(target(**entry)) is None
    put(tmp_path / place, STATE)
    assert world(tmp_path).state(target(**entry)) == {"id": "vpc-1", "n": 5.0, "password": "hunter22"}


def test_a_backend_that_atmos_can_not_read_is_refused(tmp_path: Path) -> None:
    """Atmos reads four."""
    with pytest.raises(EstateError, match="unsupported backend type: `http`"):
        world(tmp_path).state(target(backend_type="http"))


def test_outputs_are_those_of_the_codes_own_backend_and_sensitive_ones_are_masked(tmp_path: Path) -> None:
    """Unless Atmos writes the backend, the code's declaration counts; what it declares sensitive is never printed."""
    found = world(tmp_path)
    with pytest.raises(EstateError, match="failed to retrieve terraform outputs"):
        found.outputs(target())
    put(tmp_path / "components/vpc/main.tf", "")
    assert found.outputs(target(backend_type="s3")) == {}
    put(tmp_path / "components/vpc/terraform.tfstate.d/dev/terraform.tfstate", STATE)
    fresh = world(tmp_path)
    assert fresh.outputs(target(backend_type="s3")) == {"id": "vpc-1", "n": 5.0, "password": "hunter22"}
    assert fresh.mask("id vpc-1, password hunter22, encoded aHVudGVyMjI=") == f"id vpc-1, password {MASK}, encoded {MASK}"
    assert sorted(
        str(path.relative_to(tmp_path / "components")) for path in (tmp_path / "components").rglob("*") if path.is_file()
    ) == [
        "vpc/main.tf",
        "vpc/terraform.tfstate.d/dev/terraform.tfstate",
    ]


def test_a_command_that_is_not_there_fails_as_it_would_fail_to_start(tmp_path: Path) -> None:
    """A local state needs no program but the one that the component names."""
    put(tmp_path / "components/vpc/main.tf", "")
    with pytest.raises(EstateError, match='exec: "nonesuch": executable file not found'):
        world(tmp_path).outputs(target(command="nonesuch"))


@pytest.mark.parametrize("entry", [{"metadata": {"type": "abstract"}}, {"vars": {"enabled": False}}])
def test_components_that_are_never_applied_have_no_outputs(tmp_path: Path, entry: dict[str, Any]) -> None:
    """Nothing is run for an abstract component or one that is not enabled."""
    assert world(tmp_path).outputs(target(**entry)) == {}


def test_a_generated_backend_needs_its_type(tmp_path: Path) -> None:
    """Atmos writes the backend's file before it asks terraform."""
    put(tmp_path / "components/vpc/main.tf", "")
    found = world(tmp_path, "components: {terraform: {base_path: components, auto_generate_backend_file: true}}\n")
    with pytest.raises(EstateError, match="Component 'vpc' in stack 'dev' has an invalid 'backend_type' section"):
        found.outputs(target(backend_type=""))


@pytest.mark.terraform
def test_other_backends_are_read_by_terraform_in_a_directory_of_its_own(tmp_path: Path) -> None:
    """Any backend that terraform knows, by the manifests or by the code, and nothing is written beside the code."""
    if shutil.which("terraform") is None:
        pytest.skip("needs terraform")
    store = _Store()
    with store.served() as address:
        store.content = json.dumps({**STATE, "serial": 1, "lineage": "l", "terraform_version": "1.5.0"}).encode()
        put(tmp_path / "components/vpc/main.tf", f'terraform {{\n  backend "http" {{\n    address = "{address}"\n  }}\n}}\n')
        found = world(tmp_path)
        assert found.outputs(target(workspace="default", backend_type="http")) == {"id": "vpc-1", "n": 5.0, "password": "hunter22"}
        generated = "components: {terraform: {base_path: components, auto_generate_backend_file: true}}\n"
        by_manifest = world(tmp_path, generated)
        entry = {"workspace": "default", "backend_type": "http", "backend": {"address": address}}
        assert by_manifest.outputs(target(**entry)) == {"id": "vpc-1", "n": 5.0, "password": "hunter22"}
        assert [path.name for path in (tmp_path / "components/vpc").iterdir()] == ["main.tf"]


@pytest.mark.terraform
def test_a_backend_that_does_not_answer_is_told_in_terraforms_words(tmp_path: Path) -> None:
    """The program's own message says why."""
    if shutil.which("terraform") is None:
        pytest.skip("needs terraform")
    put(tmp_path / "components/vpc/main.tf", 'terraform {\n  backend "nonsense" {}\n}\n')
    with pytest.raises(EstateError, match="failed to retrieve terraform outputs: terraform init failed: exit status 1"):
        world(tmp_path).outputs(target())


class _Store:
    """A store of one file over HTTP, as terraform's http backend uses it."""

    content = b""

    def served(self) -> _Serving:
        return _Serving(self)


class _Serving:
    def __init__(self, store: _Store) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(store.content)

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self) -> str:
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_address[1]}/state.json"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def served() -> Iterator[tuple[_Store, str]]:
    store = _Store()
    with store.served() as address:
        yield store, address


def test_includes_and_datasources_are_downloaded(tmp_path: Path, served: tuple[_Store, str]) -> None:
    """What an address answers, by its type; a dead one is told."""
    store, address = served
    store.content = b'{"a": 1}'
    found = world(tmp_path)
    assert found.fetch(address) == b'{"a": 1}'
    assert found.datasource("d", address, ()) == {"a": 1.0}
    with pytest.raises(EstateError, match="failed to download"):
        found.fetch("http://127.0.0.1:9/x.yaml")
    with pytest.raises(EstateError, match="only http and https are read"):
        found.fetch("s3::bucket/x.yaml")


@pytest.mark.parametrize(
    ("name", "content", "value"),
    [
        ("d.json", '{"a": [1]}', {"a": [1.0]}),
        ("d.yaml", "a: 1\n", {"a": 1}),
        ("d.csv", "a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        ("d.toml", "a = 1\n", {"a": 1}),
        ("d.env", "A=1\n", {"A": "1"}),
        ("d.txt", "x", "x"),
        ("d", "x", "x"),
    ],
)
def test_datasources_are_files_beside_the_working_directory(tmp_path: Path, name: str, content: str, value: Any) -> None:
    """Read by their extension, or the type that the address names."""
    put(tmp_path / name, content)
    found = world(tmp_path)
    assert found.datasource("d", f"./{name}", ()) == value
    assert found.datasource("d", f"file:///{tmp_path / name}", ()) == value
    assert found.datasource("d", f"./{name}?type=text/plain", ()) == content


def test_datasources_that_are_not_there(tmp_path: Path) -> None:
    """A missing file is told by its alias; a variable that isn't set is empty."""
    found = world(tmp_path, A="x")
    with pytest.raises(EstateError, match="couldn't read datasource 'd'"):
        found.datasource("d", "./nowhere.json", ())
    assert found.datasource("d", "env:///A", ()) == "x"
    assert found.datasource("d", "env:B", ()) == ""


def test_stores_are_known_and_not_read(tmp_path: Path) -> None:
    """An unknown store, one for secrets, and one that can't be asked are three different answers."""
    found = world(
        tmp_path,
        "stores: {s: {type: redis, options: {url: 'redis://localhost'}}, v: {type: aws-ssm-parameter-store, secret: true, options: {region: us-east-1}}}\n",
    )
    with pytest.raises(UnknownStore, match="store 't' not found"):
        found.store("t", ("k",), "!store.get t k")
    with pytest.raises(EstateError, match='use !secret instead of !store: store "v"'):
        found.store("v", ("k",), "!store.get v k")
    with pytest.raises(KeyError):
        found.store("s", ("k",), "!store.get s k")


def test_secrets_are_masked_and_accounts_are_not_asked(tmp_path: Path) -> None:
    """No secret is retrieved, and nothing logs in."""
    found = world(tmp_path)
    assert found.secret("!secret A") == MASK
    with pytest.raises(EstateError, match="failed to get AWS caller identity"):
        found.aws("region")
    with pytest.raises(EstateError, match='resolve emulator "aws"'):
        found.emulator("aws", "url", "dev")


def test_files_outside_the_tree_are_read_where_atmos_reads_them(tmp_path: Path) -> None:
    """By absolute path or upwards from the tree's root."""
    put(tmp_path / "outside.txt", "x")
    inside = tmp_path / "estate"
    inside.mkdir()
    found = world(inside)
    assert found.file(str(tmp_path / "outside.txt")) == b"x"
    assert found.file("../outside.txt") == b"x"
    assert found.file("../nowhere.txt") is None
