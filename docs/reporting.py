"""Writes the tables of docs/reporting.md from the comments on views: `python docs/reporting.py`. A test compares page and database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reporting.md"
SQL = ROOT / "catalog" / "store" / "migrations" / "versions" / "0001_report.sql"
HEADING = "## The views\n"
_COMMENT = re.compile(r"^comment on (view|column) report\.([\w.]+) is '((?:[^']|'')*)';$", re.MULTILINE)


def comments() -> Iterator[tuple[str, str]]:
    """What is said of each view and, as `view.column`, of each column, in the order of the views."""
    for _, name, text in _COMMENT.findall(SQL.read_text()):
        yield name, text.replace("''", "'")


def views() -> str:
    """The part of the page that is written from comments."""
    parts = [HEADING]
    for name, text in comments():
        view, _, column = name.partition(".")
        parts.append(f"| `{column}` | {text} |\n" if column else f"\n### report.{view}\n\n{text}\n\n| column | |\n| --- | --- |\n")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text().partition(HEADING)[0] + views())
