"""Writes docs/commands.md from the command's own help: `python docs/reference.py > docs/commands.md`. A test compares the two."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from catalog.cli import program

HEAD = """# The command

Written by `docs/reference.py` from what `--help` says.

Results go to stdout, talk to stderr. Exit codes: 0 done, 1 failed, 2 wrong use.

Commands on an estate's directory take `--estate DIR`, else the working directory. Commands through the graph act as the owner of
a token: `--token`, else `CATALOG_TOKEN`, else the file `CATALOG_HOME/token` that `catalog up` leaves; `CATALOG_URL` says where the
catalog is. Commands on the database open `CATALOG_DATABASE_URL`, else the embedded Postgres below `CATALOG_HOME` (`.catalog`).
"""


def text() -> str:
    """The whole page."""
    parts = [HEAD]
    for heading in dict.fromkeys(row[0] for row in program.COMMANDS.values()):
        parts.append(f"## {heading}\n")
        for name, row in program.COMMANDS.items():
            if row[0] == heading:
                command = program.program.get_command(click.Context(program.program), name)
                parts += [f"### catalog {path}\n\n```text\n{usage}```\n" for path, usage in commands(command, f"catalog {name}")]
    return "\n".join(parts)


def commands(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    """A command and those below it, each with its help."""
    context = click.Context(command, info_name=path, max_content_width=110, terminal_width=110)
    yield path.removeprefix("catalog "), command.get_help(context) + "\n"
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{path} {name}")


if __name__ == "__main__":
    sys.stdout.write(text())
