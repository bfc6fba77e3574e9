"""What the documents say is true: each documented command and query is run, each link leads somewhere."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import outside
import pytest

from catalog.web import explorer

DOCUMENTS = sorted([outside.ROOT / "README.md", *(outside.ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REQUIRED = re.compile(r"\$(\w+): (?:ID|String)!")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def blocks(document: Path, language: str) -> list[str]:
    return [body for kind, body in FENCE.findall(document.read_text()) if kind == language]


def with_blocks(language: str) -> list:
    return [pytest.param(document, id=document.name) for document in DOCUMENTS if blocks(document, language)]


@pytest.mark.acceptance
@pytest.mark.parametrize("document", with_blocks("console"))
def test_documented_commands_work(catalog, document):
    """Every command of a console block succeeds, in the order of the document."""
    if "curl" in document.read_text() and shutil.which("curl") is None:
        pytest.skip("curl is not on this machine")
    lines = [line[2:] for body in blocks(document, "console") for line in body.splitlines() if line.startswith("$ ")]
    script = "\n".join(lines).replace("http://127.0.0.1:8000", catalog.url).replace(".catalog/", f"{catalog.home}/")
    env = outside.environment(catalog.home, catalog.port)
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", script],
        env=env,
        cwd=outside.ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.acceptance
@pytest.mark.parametrize("document", [given for given in with_blocks("graphql") if given.values[0].parent.name != "recipes"])
def test_documented_queries_work(catalog, document):
    """Every query of a document is one that the graph answers; what a reader fills in is refused, if at all, in the payload."""
    for query in blocks(document, "graphql"):
        answer = catalog.ask(query, dict.fromkeys(REQUIRED.findall(query), "filled in by the reader"))
        assert "errors" not in answer, query


@pytest.mark.acceptance
def test_examples_of_graphiql_work(catalog):
    """Every first tab of GraphiQL runs as it is, and its payloads report no errors."""
    for tab in explorer.tabs():
        variables = json.loads(tab.get("variables", "{}"))
        answer = catalog.ask(tab["query"], variables)
        assert "errors" not in answer, tab["query"]
        assert all(not value["errors"] for value in answer["data"].values() if "errors" in value), answer
    catalog.ok("cancel", str(answer["data"]["requestProvisioning"]["provisioningRequest"]["number"]))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(outside.ROOT)))
def test_links_lead_somewhere(document):
    """Every relative link of a document names a file of the repository."""
    targets = [target for target in LINK.findall(document.read_text()) if "://" not in target]
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_command_reference_is_current():
    """docs/commands.md is what the command's help says today."""
    made = subprocess.run([sys.executable, outside.ROOT / "docs" / "reference.py"], capture_output=True, text=True, check=True)
    assert (outside.ROOT / "docs" / "commands.md").read_text() == made.stdout, "python docs/reference.py > docs/commands.md"


def test_compose_file_is_valid():
    """docker-compose.yml holds to the Compose specification's schema."""
    done = subprocess.run(
        [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
        cwd=outside.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
