"""Diagnostics in each format."""

import json

import pytest

from catalog.cli import validate
from catalog.values import Diagnostic, Severity, SourceLocation

FOUND = [
    Diagnostic(
        severity=Severity.ERROR,
        code="IMPORT_MISSING",
        message="no such import: 100% gone",
        hint="create it",
        location=SourceLocation(file="stacks/a,b.yaml", line=3, column=5),
    ),
    Diagnostic(severity=Severity.INFO, code="NOTE", message="nothing in particular"),
]


def test_text_can_be_jumped_to():
    """A line begins with file:line:column, as compilers write it, and the hint follows."""
    assert validate._text(FOUND) == (
        "stacks/a,b.yaml:3:5: error: no such import: 100% gone [IMPORT_MISSING]\n    hint: create it\ninfo: nothing in particular [NOTE]\n"
    )


def test_github_escapes_what_ends_a_command():
    """Percent signs, line breaks, colons and commas can't break out of an annotation."""
    assert validate._github(FOUND) == (
        "::error file=stacks/a%2Cb.yaml,line=3,col=5,title=IMPORT_MISSING::no such import: 100%25 gone%0Acreate it\n"
        "::notice title=NOTE::nothing in particular\n"
    )


def test_sarif_names_rule_level_and_place():
    """SARIF carries each diagnostic with its rule, level and region."""
    run = json.loads(validate._sarif(FOUND))["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["IMPORT_MISSING", "NOTE"]
    assert [result["level"] for result in run["results"]] == ["error", "note"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "stacks/a,b.yaml"}, "region": {"startLine": 3, "startColumn": 5}}


@pytest.mark.parametrize("format_", ["text", "json", "sarif", "github"])
def test_every_format_bears_an_empty_list(format_):
    """An estate without diagnostics is written in every format too."""
    assert isinstance(validate._FORMATS[format_]([]), str)
