"""The typed clients: generated from this version's schema as clients/README.md says, then used against a running catalog."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import outside
import pytest

from catalog.graph import schema

PATIENCE = 300  # seconds for packages to be fetched
ASKED = """query ($period: PeriodInput) {
  tenant(name: "plat") { title cost(period: $period) { currency estimated { amount } } }
  stacks(first: 20, where: {tenant: {name: {eq: "plat"}}}, orderBy: [{field: MONTHLY_COST, direction: DESC}]) {
    nodes { name environment { kind } cost(period: $period) { unknownInstances } }
  }
}"""


def run(directory: Path, *command, env=None) -> subprocess.CompletedProcess:
    """Run a program in a directory, with what the environment of this process has."""
    told = os.environ | (env or {})
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=PATIENCE, check=False, env=told)


def given(directory: Path, language: str) -> Path:
    """A copy of what generates a client, beside this version's schema and documents, as they lie in the repository."""
    (directory / "schema.graphql").write_text(schema.sdl())
    kept = shutil.ignore_patterns("node_modules", "generated", "dist", "catalog_client", ".mypy_cache")
    shutil.copytree(outside.ROOT / "clients" / language, directory / "clients" / language, ignore=kept)
    for documents in ("recipes", "examples"):
        shutil.copytree(outside.ROOT / "catalog" / "web" / documents, directory / "catalog" / "web" / documents)
    return directory / "clients" / language


def expected(catalog) -> list[str]:
    """What the examples print: the same question asked without them, then the codes of two wrong ones."""
    data = catalog.ask(ASKED, {"period": {"from": "2026-01-01", "to": "2026-02-01"}})["data"]
    cost = data["tenant"]["cost"]
    stacks = data["stacks"]["nodes"]
    assert stacks
    return [
        f"{data['tenant']['title']} {cost['estimated']['amount']} {cost['currency']}",
        *(f"{stack['name']} {stack['environment']['kind']} {stack['cost']['unknownInstances']}" for stack in stacks),
        "NOT_FOUND",
        "BAD_USER_INPUT",
    ]


def printed(done: subprocess.CompletedProcess) -> list[str]:
    """The lines of an example, without the signs of a list."""
    assert done.returncode == 0, done.stderr
    return [line.strip("[] '") for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def python_client(tmp_path_factory) -> Path:
    """The directory of the generated Python client."""
    directory = given(tmp_path_factory.mktemp("client"), "python")
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if uv is None:
        pytest.skip("uv is not on this machine")
    tool = (uv, "run", "--quiet", "--no-project", "--isolated", "--with-requirements", "requirements.txt", "ariadne-codegen")
    probed = run(directory, *tool, "--version")
    if probed.returncode:
        pytest.skip(f"uv can't install ariadne-codegen here: {probed.stderr[-500:]}")
    made = run(directory, *tool, "client", "--config", "codegen.toml")
    assert made.returncode == 0, made.stderr
    return directory


@pytest.fixture(scope="module")
def typescript_client(tmp_path_factory) -> Path:
    """The directory of the generated TypeScript client."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node.js is not on this machine")
    directory = given(tmp_path_factory.mktemp("client"), "typescript")
    installed = run(directory, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
    if installed.returncode:
        pytest.skip(f"npm can't install GraphQL Code Generator here: {installed.stderr[-500:]}")
    made = run(directory, "npm", "run", "--silent", "generate")
    assert made.returncode == 0, made.stdout + made.stderr
    return directory


@pytest.mark.acceptance
def test_python_client_asks(python_client, catalog):
    """The generated Python client gets typed answers, and refusals as errors."""
    env = {"CATALOG_URL": catalog.url, "CATALOG_TOKEN": catalog.token, "NO_PROXY": "127.0.0.1"}
    assert printed(run(python_client, sys.executable, "example.py", env=env)) == expected(catalog)


def test_python_client_is_typed(python_client):
    """mypy accepts the example strictly, and refuses a field that the schema doesn't have."""
    check = (sys.executable, "-m", "mypy", "--config-file", "mypy.ini")
    assert run(python_client, *check, "example.py").returncode == 0
    source = (python_client / "example.py").read_text()
    (python_client / "wrong.py").write_text(source.replace("cost.tenant.title", "cost.tenant.motto"))
    refused = run(python_client, *check, "wrong.py")
    assert refused.returncode == 1
    assert '"CostOfATenantTenant" has no attribute "motto"' in refused.stdout


@pytest.mark.acceptance
def test_typescript_client_asks(typescript_client, catalog):
    """The generated TypeScript client compiles strictly, gets typed answers, and refusals as errors."""
    built = run(typescript_client, "npm", "run", "--silent", "build")
    assert built.returncode == 0, built.stdout
    env = {"CATALOG_URL": catalog.url, "CATALOG_TOKEN": catalog.token}
    assert printed(run(typescript_client, "node", "dist/example.js", env=env)) == expected(catalog)


def test_typescript_client_is_typed(typescript_client):
    """A field that the schema doesn't have, or a variable that is missing, doesn't compile."""
    source = (typescript_client / "example.ts").read_text()
    wrong = source.replace("tenant?.title", "tenant?.motto").replace(
        "{ name: 'plat', period: { from: '2026-01-01'", "{ period: { from: '2026-01-01'"
    )
    (typescript_client / "wrong.ts").write_text(wrong)
    refused = run(typescript_client, "npx", "tsc", "--noEmit")
    (typescript_client / "wrong.ts").unlink()
    assert refused.returncode != 0
    assert "Property 'motto' does not exist" in refused.stdout
    assert "Property 'name' is missing" in refused.stdout
