"""`catalog schema`: the exported graph."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from catalog import errors
from catalog.cli import output

_FILE = click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default="schema.graphql",
    show_default=True,
    help="The exported file.",
)


@click.group()
def schema() -> None:
    """Export the graph's schema, or check the exported one."""


@schema.command()
@_FILE
@click.option("--stdout", is_flag=True, help="Print it instead of writing the file.")
def export(*, path: Path, stdout: bool) -> None:
    """Write the schema of this version in GraphQL's schema language."""
    import catalog.graph.schema as room  # noqa: PLC0415

    text = room.sdl()
    if stdout:
        click.echo(text, nl=False)
        return
    output.save([text], path)
    click.echo(f"wrote {path}", err=True)


@schema.command()
@_FILE
def check(*, path: Path) -> None:
    """Fail when the exported file is not this version's schema."""
    import catalog.graph.schema as room  # noqa: PLC0415

    try:
        exported = path.read_text(encoding="utf-8")
    except OSError as error:
        raise errors.Unavailable(f"can't read {path}: {error.strerror}", hint="`catalog schema export` writes it") from error
    current = room.sdl()
    if exported == current:
        return
    for line in difflib.unified_diff(exported.splitlines(), current.splitlines(), str(path), "this version", lineterm=""):
        click.echo(line)
    raise errors.CatalogError(f"{path} is stale", hint="`catalog schema export` writes it anew; look at the difference first")
