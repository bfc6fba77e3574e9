"""Writes docs/diagnostics.md from the catalog's own table: `python docs/diagnostics.py > docs/diagnostics.md`. A test compares the two."""

from __future__ import annotations

import sys

from catalog.indexer.explanations import GROUPS

HEAD = """# Diagnostics

Written by `docs/diagnostics.py`. What reading an estate may find, by code: `Diagnostic.docsUrl` leads to the same words at
`/diagnostics` of a running catalog. A diagnostic says what, where and what to do; whatever it is about, the rest of the estate is there.
"""


def text() -> str:
    """The whole page."""
    parts = [HEAD]
    for heading, group in GROUPS.items():
        parts.append(f"## {heading}\n")
        parts += [f"### {code}\n\n{one.means} {one.remedy}\n" for code, one in group.items()]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(text())
