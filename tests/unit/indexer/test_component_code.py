"""Components' code is read from trees: parsed by the engine when it is there, and safely not when it isn't."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.engines import hcl
from catalog.engines.answers import Answers
from catalog.indexer import code
from catalog.stacks.tree import DirectoryTree, MemoryTree, OverlayTree
from catalog.values import Severity

VARIABLES = b"""
variable "name" {
  type        = string
  description = "What it is called."
}
variable "password" {
  type      = string
  default   = "hunter2"
  sensitive = true
}
"""

FILES = {
    "components/terraform/db/main.tf": b'resource "aws_db_instance" "this" {}\nmodule "labels" {\n  source = "../../modules/labels"\n}\n',
    "components/terraform/db/variables.tf": VARIABLES,
    "components/terraform/db/README.md": b"# A database\n",
    "components/terraform/db/policies/read.json": b"{}",
    "components/terraform/db/test/broken.tf": b'variable "inner" {',
    "components/terraform/db-replica/main.tf": b"",
    "components/modules/labels/main.tf": b'output "tags" {\n  value = {}\n}\n',
}
DIRECTORY = "components/terraform/db"


def with_change(path: str, content: bytes | None) -> OverlayTree:
    return OverlayTree(MemoryTree(FILES), {path: content})


def test_a_component_tells_inputs_readme_and_resource_types(hcl_engine: hcl.HclEngine) -> None:
    """What the graph shows of a component's code comes from its own directory, not from folders below or beside it."""
    found = code.read(MemoryTree(FILES), DIRECTORY, hcl_engine)

    assert [entry["name"] for entry in found.inputs] == ["name", "password"]
    assert found.inputs[0] == {
        "name": "name",
        "type": "string",
        "description": "What it is called.",
        "default": None,
        "required": True,
        "sensitive": False,
        "nullable": True,
        "deprecated": None,
        "validations": [],
    }
    assert (found.readme, found.resource_types, found.pending, found.diagnostics) == (
        "# A database\n",
        {"aws_db_instance": 1},
        False,
        (),
    )
    assert [entry["source"] for entry in found.modules] == ["../../modules/labels"]


def test_a_secret_default_is_in_neither_inputs_nor_schema(hcl_engine: hcl.HclEngine) -> None:
    """The default of a sensitive variable leaves the code nowhere."""
    found = code.read(MemoryTree(FILES), DIRECTORY, hcl_engine)

    assert found.sensitive == {"password"}
    assert "hunter2" not in repr(found)


def test_without_the_engine_code_is_pending_and_its_secrets_known() -> None:
    """An index that can't wait for the engine learns which variables to redact, and that it must come back."""
    found = code.read(MemoryTree(FILES), DIRECTORY)

    assert (found.pending, found.sensitive, found.inputs) == (True, {"password"}, ())
    assert found.readme == "# A database\n"


def test_what_was_parsed_once_needs_no_engine(hcl_engine: hcl.HclEngine, tmp_path: Path) -> None:
    """Answers are kept by content: the next process reads the same code without starting the engine."""
    parsed = code.read(MemoryTree(FILES), DIRECTORY, hcl_engine, Answers(tmp_path))

    assert code.read(MemoryTree(FILES), DIRECTORY, None, Answers(tmp_path)) == parsed


def test_the_source_hash_is_of_content_wherever_it_lies(tmp_path: Path) -> None:
    """A directory and a tree in memory with equal files have equal hashes, so reading elsewhere changes nothing."""
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)

    assert code.read(DirectoryTree(tmp_path), DIRECTORY).source_hash == code.read(MemoryTree(FILES), DIRECTORY).source_hash


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("components/terraform/db/variables.tf", True),
        ("components/terraform/db/policies/read.json", True),
        ("components/terraform/db/policies/write.json", True),
        ("components/modules/labels/main.tf", True),
        ("components/terraform/db-replica/main.tf", False),
        ("components/terraform/db/terraform.tfstate", False),
        ("components/terraform/db/dev-db.terraform.tfvars.json", False),
        ("components/terraform/db/.terraform/modules/modules.json", False),
    ],
)
def test_the_source_hash_covers_the_code_and_the_local_modules_it_calls(path: str, changes: bool) -> None:
    """Any file that can change what terraform does changes the hash; neighbours and what terraform writes don't."""
    before = code.read(MemoryTree(FILES), DIRECTORY).source_hash

    assert (code.read(with_change(path, b"# changed"), DIRECTORY).source_hash != before) is changes


def test_modules_that_call_each_other_are_followed_once() -> None:
    """A circle of local modules is hashed, not walked forever."""
    tree = MemoryTree({"a/main.tf": b'module "b" {\n source = "../b"\n}', "b/main.tf": b'module "a" {\n source = "../a"\n}'})

    assert code.read(tree, "a").source_hash


def test_broken_code_gives_a_diagnostic_with_its_place_and_keeps_secrets(hcl_engine: hcl.HclEngine) -> None:
    """A syntax error names file and line, costs no other input, and never uncovers a sensitive variable."""
    text = b'variable "token" {\n  type = = string\n  sensitive = true\n}\nvariable "x" {}\n'
    found = code.read(with_change("components/terraform/db/broken.tf", text), DIRECTORY, hcl_engine)

    assert "name" in {entry["name"] for entry in found.inputs}
    assert {"token", "password"} <= found.sensitive
    assert {(entry.severity, entry.code, str(entry.location).split(":")[:2][0]) for entry in found.diagnostics} == {
        (Severity.ERROR, "TERRAFORM_SYNTAX", "components/terraform/db/broken.tf")
    }


def test_code_that_the_engine_gives_up_on_is_a_diagnostic(engine_cache: Path) -> None:
    """One hopeless component is reported and read like one without an engine; the others are read."""
    engine = hcl.HclEngine(engine_cache)
    deep = b'variable "secret" {\n sensitive = true\n default = ' + b"[" * 200_000 + b"\n}\n"
    tree = with_change("components/terraform/deep/main.tf", deep)

    found = code.read_all(tree, ["components/terraform/deep", DIRECTORY], engine)

    assert [entry.code for entry in found["components/terraform/deep"].diagnostics] == ["TERRAFORM_ENGINE"]
    assert found["components/terraform/deep"].sensitive == {"secret"}
    assert not found["components/terraform/deep"].pending
    assert len(found[DIRECTORY].inputs) == 2


def test_an_absent_directory_is_empty_code(hcl_engine: hcl.HclEngine) -> None:
    """A component whose directory isn't there has no inputs, no hash and an empty schema."""
    found = code.read(MemoryTree(FILES), "components/terraform/none", hcl_engine)

    assert (found.inputs, found.source_hash, found.input_schema, found.pending) == ((), None, {}, False)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('variable "a" {\n  sensitive = true\n}\nvariable "b" {}\n', {"a"}),
        ("variable a {\n  sensitive=true\n}\n", {"a"}),
        ('variable "a" { sensitive = true }\n', {"a"}),
        ('variable "a" {\n  sensitive = false\n}\n', set()),
        ('variable "a" {\n  ephemeral = true\n}\n', {"a"}),
        ('variable "a" {\n  sensitive /* odd */ = true\n}\n', {"a"}),
        ('variable "a" {\n  description = "sensitive"\n}\n', {"a"}),
        ('variable "a" {\n  description = <<-EOT\n    variable "fake" {\n  EOT\n  sensitive = true\n}\n', {"a"}),
        ('/* old */ variable "a" {\n  sensitive = local.x\n}\n', {"a"}),
        ('\ufeffvariable "a" {\n  sensitive = true\n}\n', {"a"}),
        ('resource "x" "y" {\n  sensitive = true\n}\n', set()),
    ],
)
def test_possible_secrets_are_found_without_the_engine(text: str, names: set[str]) -> None:
    """The scan may name too many variables, never too few."""
    assert code.sensitive_names({"variables.tf": text.encode()}) == names


def test_possible_secrets_are_found_in_json_syntax() -> None:
    """Files named .tf.json are scanned by their structure; a broken one hides nothing that terraform could read."""
    text = b'{"variable": [{"a": {"sensitive": true}}, {"b": {"type": "string"}}, {"c": [{"sensitive": "${x}"}]}]}'

    assert code.sensitive_names({"v.tf.json": text, "broken.tf.json": b"{"}) == {"a", "c"}


@pytest.mark.shared
@pytest.mark.parametrize("estate", ["tf-atmos", "accelerator"])
def test_real_estates_are_read_whole(shared: Path, hcl_engine: hcl.HclEngine, estate: str) -> None:
    """No directory of a real estate is beyond reading, with the engine or without."""
    tree = DirectoryTree(shared / "parity" / "real" / estate)
    directories = {path.rpartition("/")[0] for path in tree.paths() if path.endswith(".tf")}

    parsed = code.read_all(tree, directories, hcl_engine)
    unread = code.read_all(tree, directories)

    assert {directory for directory, found in parsed.items() if found.diagnostics or found.pending} == set()
    assert all(found.sensitive <= unread[directory].sensitive for directory, found in parsed.items())
