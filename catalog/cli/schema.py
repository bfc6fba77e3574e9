"""`catalog schema`: the exported graph."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog import errors
from catalog.cli import output
from catalog.gitops import worktree

if TYPE_CHECKING:
    from catalog.graph import contract

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
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write.  [default: schema.graphql, or subgraph.graphql]",
)
@click.option("--stdout", is_flag=True, help="Print it instead of writing the file.")
@click.option(
    "--federation", is_flag=True, help="As a subgraph of Apollo Federation 2, as processes with CATALOG_FEDERATION=1 serve it."
)
def export(*, path: Path | None, stdout: bool, federation: bool) -> None:
    """Write the schema of this version in GraphQL's schema language."""
    from catalog.graph import federation as subgraph  # noqa: PLC0415
    from catalog.graph import schema as room  # noqa: PLC0415

    text = subgraph.sdl() if federation else room.sdl()
    if stdout:
        click.echo(text, nl=False)
        return
    path = path or Path("subgraph.graphql" if federation else "schema.graphql")
    output.save([text], path)
    click.echo(f"wrote {path}", err=True)


@schema.command()
@_FILE
@click.option(
    "--against",
    metavar="REF|FILE",
    help="What clients know: an exported file, or a revision that holds one. [default: the last tag before the commit at hand]",
)
@output.format_option("text", ("text", "json"))
def check(*, path: Path, against: str | None, format_: str) -> None:
    """Fail when the exported file is not this version's schema, or when this version breaks what clients know.

    Every difference is named with its place: those that break, those that are dangerous to a client that takes every case for known,
    and those that were announced. What is deprecated says what to use instead and until which day it stays; afterwards its removal
    breaks nothing. Exit 1 when the file is stale, when something breaks, or when something is deprecated without a day.
    """
    import catalog.graph.schema as room  # noqa: PLC0415
    from catalog.graph import contract  # noqa: PLC0415

    current = room.sdl()
    _check_export(path, current)
    known = _known(path, against)
    after = contract.read(current, str(path))
    found = contract.differences(contract.read(known.text, known.name), after, datetime.now(UTC).date()) if known else []
    undated = contract.undated(after)
    _REPORTS[format_](known, path, found, undated)
    broken = sum(difference.severity is contract.Severity.BREAKING for difference in found)
    if broken or undated:
        counted = {f"breaking since {known.name if known else ''}": broken, "deprecated without a day": len(undated)}
        told = ", ".join(f"{count} {what}" for what, count in counted.items() if count)
        raise errors.CatalogError(
            f"the schema holds what it may not: {told}",
            hint='deprecate first: @deprecated(reason: "Use x. Removed after DATE."), and remove after that day',
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A schema that clients know: where it was read, and its text."""

    name: str
    text: str


def _check_export(path: Path, current: str) -> None:
    """Raise CatalogError when the file is not the schema, and print how they differ."""
    exported = _text(path)
    if exported == current:
        return
    for line in difflib.unified_diff(exported.splitlines(), current.splitlines(), str(path), "this version", lineterm=""):
        click.echo(line, err=True)
    raise errors.CatalogError(f"{path} is stale", hint="`catalog schema export` writes it anew; look at the difference first")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise errors.Unavailable(f"can't read {path}: {error.strerror}", hint="`catalog schema export` writes it") from error


def _known(path: Path, against: str | None) -> _Known | None:
    """What to compare with; None where nothing was released yet."""
    if against is not None and Path(against).is_file():
        return _Known(name=against, text=_text(Path(against)))
    tree = worktree.WorkTree.around(path.absolute().parent)
    if tree is None:
        if against is None:
            return None
        raise errors.NotFound(f"{against} is no file, and {path} lies in no Git repository whose revision it could be")
    reference = against or tree.last_tag()
    if reference is None:
        return None
    place = path.resolve().relative_to(tree.root).as_posix()
    try:
        with tree.tree(tree.revision(reference)) as files:
            text = files.read(place).decode("utf-8")
    except FileNotFoundError as error:
        raise errors.NotFound(f"{reference} has no {place}", hint="--against names a file or another revision") from error
    return _Known(name=f"{reference}:{place}", text=text)


def _say(known: _Known | None, path: Path, found: Sequence[contract.Difference], undated: Sequence[str]) -> None:
    for difference in found:
        click.echo(f"{difference.severity:9}  {_where(known, path, difference)}  {difference.place}: {difference.message}")
    for place in undated:
        click.echo(f"undated    {path}  {place}: its deprecation doesn't say what to use and until when it stays")
    if known is None:
        click.echo("nothing is tagged as released yet: there is nothing to compare with", err=True)
    else:
        click.echo(f"compared with {known.name}: {len(found)} differences that clients may feel", err=True)


def _tell(known: _Known | None, path: Path, found: Sequence[contract.Difference], undated: Sequence[str]) -> None:
    rows = [asdict(difference) | {"location": _where(known, path, difference)} for difference in found]
    output.document({"against": known.name if known else None, "differences": rows, "undated": list(undated)}, "json")


def _where(known: _Known | None, path: Path, difference: contract.Difference) -> str:
    """The file and line of a difference: the old file's where it is gone."""
    name = known.name if known and difference.gone else str(path)
    return name if difference.line is None else f"{name}:{difference.line}"


_REPORTS = {"text": _say, "json": _tell}
