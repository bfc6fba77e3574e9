"""`python -m catalog.engines.compile DIRECTORY [NAME …]`: compile engines into a cache, at the lowest priority."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from catalog.engines import cache

_ALL = ("hcl", "template", "yq", "rego")


def main(arguments: list[str]) -> int:
    """Compile the named engines, or all of them, and return the exit code."""
    if not arguments:
        print("usage: python -m catalog.engines.compile DIRECTORY [NAME …]", file=sys.stderr)  # noqa: T201 — a program's own word
        return 2
    os.nice(19)
    for name in arguments[1:] or _ALL:
        cache.prepare(name, Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
