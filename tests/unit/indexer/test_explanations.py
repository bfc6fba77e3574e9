"""Every code that reading an estate can give is explained, and nothing else is."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

from catalog import errors
from catalog.indexer.explanations import EXPLANATIONS, GROUPS
from catalog.portal import pages

ROOT = Path(__file__).parents[3]
# Refusals of questions about an estate that was read: no diagnostic ever holds them.
OF_QUESTIONS = {"FLAG", "SORT", "SPACELIFT", "NOT_FOUND", "NOT_INDEXED", "NOT_RESOLVED"}
CODE = re.compile(r"[A-Z][A-Z_]+")


def _given(path: Path) -> Iterator[str]:
    """The codes that a module gives: as `code=`, behind a severity, as a default of `code`, or to a `report` of its own."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        found: list[ast.expr] = []
        if isinstance(node, ast.Call):
            found += [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            pairs = zip(node.args, node.args[1:], strict=False)
            found += [second for first, second in pairs if ast.unparse(first).startswith("Severity.")]
            if isinstance(node.func, ast.Name) and node.func.id == "report":
                found += node.args[:1]
        if isinstance(node, ast.FunctionDef):
            named = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            found += [default for argument, default in named if argument.arg == "code" and default is not None]
        if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == "CODE" for one in node.targets):
            found.append(node.value)
        constants = (one for value in found for one in ast.walk(value) if isinstance(one, ast.Constant))
        yield from (str(one.value) for one in constants if CODE.fullmatch(str(one.value)))


def _codes() -> set[str]:
    rooms = (path for room in ("stacks", "indexer", "engines") for path in (ROOT / "catalog" / room).glob("*.py"))
    kinds = [errors.EstateError, *errors.EstateError.__subclasses__()]
    return {code for path in rooms for code in _given(path)} | {kind.code for kind in kinds}


def test_every_code_is_explained() -> None:
    """Whatever code a diagnostic has, there are words about it."""
    assert _codes() - OF_QUESTIONS == set(EXPLANATIONS)


def test_no_code_is_explained_twice() -> None:
    """Each code stands in one group."""
    assert sum(map(len, GROUPS.values())) == len(EXPLANATIONS)


def test_every_code_has_an_anchor_on_the_page() -> None:
    """The address that a diagnostic gives leads to its own words."""
    page = pages.diagnostics()
    assert [code for code in EXPLANATIONS if f'id="{code}"' not in page] == []


def test_the_document_is_what_the_table_says() -> None:
    """docs/diagnostics.md is written anew whenever the table changes."""
    written = runpy.run_path(str(ROOT / "docs" / "diagnostics.py"))["text"]()
    assert (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8") == written
