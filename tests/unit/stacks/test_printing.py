"""Text for people and for Terraform: values annotated with where they come from, and HCL."""

from __future__ import annotations

import pytest

from catalog.stacks import annotated, hcl_text
from catalog.stacks.resolved import ProvenanceEntry
from catalog.values import SourceLocation


def said(value: object, line: int, *chain: str) -> tuple[ProvenanceEntry, ...]:
    location = SourceLocation(file=chain[-1], line=line)
    return (ProvenanceEntry(value=value, location=location, import_chain=chain, layer="component"),)


def test_each_line_tells_who_set_it() -> None:
    """The sign and depth tell own, imported and computed values; a long line has its comment below; unset sections are left out."""
    told = {
        "vars": said({}, 2, "stacks/dev.yaml"),
        "vars.name": said("one", 3, "stacks/dev.yaml"),
        "vars.long": said("x" * 60, 4, "stacks/dev.yaml", "stacks/catalog/a.yaml"),
        "vars.made": said("{{ .vars.name }}", 5, "stacks/dev.yaml", "stacks/b.yaml", "stacks/c.yaml"),
        "vars.list": said([1], 6, "stacks/dev.yaml"),
    }
    sections = {"vars": {"name": "one", "long": "x" * 60, "made": "one", "list": [1]}, "backend": {}}
    text = annotated.annotated(sections, lambda path: told.get(path, ()), manifest="dev", stacks_path="stacks")
    assert text == (
        "# Provenance Legend:\n"
        "#   ● [1] Defined in parent stack\n"
        "#   ○ [N] Inherited/imported (N=2+ levels deep)\n"
        "#   ∴ Computed/templated\n"
        "\n"
        "# Stack: dev\n"
        "\n"
        "vars:                                             # ● [1] dev.yaml:2\n"
        "  list:                                           # ● [1] dev.yaml:6\n"
        "    - 1\n"
        f"  long: {'x' * 60}\n"
        "                                                  # ○ [2] catalog/a.yaml:4\n"
        "  made: one                                       # ∴ [3] c.yaml:5\n"
        "  name: one                                       # ● [1] dev.yaml:3\n"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (5, "5"),
        (1.5, "1.5"),
        ("a", '"a"'),
        ('x"y\n${z} %{q}', '"x\\"y\\n$${z} %%{q}"'),
        ([], "[]"),
        ({}, "{}"),
        ([1, "z", {"q": None}], '[1, "z", {\n  q = null\n}]'),
        ({"b c": 1, "a-d": {"e": [2]}}, '{\n  a-d = {\n    e = [2]\n  }\n  "b c" = 1\n}'),
    ],
)
def test_values_as_hcl(value: object, text: str) -> None:
    """Every kind of value is written as Terraform reads it, texts so that nothing in them is a template."""
    assert hcl_text.assignments({"v": value}) == f"v = {text}"


def test_files_of_assignments_look_as_atmos_writes_them() -> None:
    """One value after the other by key, with a blank line between, unaligned, without a line end."""
    assert hcl_text.assignments({"bucket": "b", "a": 1, "long_name": True}) == 'a = 1\n\nbucket = "b"\n\nlong_name = true'


def test_assignments_are_aligned_as_terraform_formats_them() -> None:
    """Equals signs stand below each other in a run of lines; a value of several lines ends the run and has its own."""
    assert hcl_text.backend("s3", {"bucket": "b", "e": True, "m": {"a": 1}, "workspace_key_prefix": "x"}) == (
        'terraform {\n  backend "s3" {\n    bucket = "b"\n    e      = true\n    m = {\n      a = 1\n    }\n'
        '    workspace_key_prefix = "x"\n  }\n}\n'
    )
