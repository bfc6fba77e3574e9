"""`catalog export`: whole lists of the graph as files, as the owner of a token sees them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import click

from catalog import errors
from catalog.cli import remote

FORMATS = ("csv", "ndjson", "parquet", "focus")
_FOCUS = ("csv", "parquet")


@click.command()
@click.argument("form", type=click.Choice(FORMATS), metavar="FORMAT")
@click.argument("name", required=False, metavar="[LIST]")
@click.option("--fields", help="Paths of fields, such as name,stack.name. [default: what a row holds itself]")
@click.option("--where", help='Which rows, as in the graph, in JSON: \'{"name": {"eq": "vpc"}}\'.')
@click.option(
    "--order", metavar="FIELD[:desc]", multiple=True, help="By what rows are ordered, as in the graph; may be given again."
)
@click.option(
    "--argument", "arguments", metavar="NAME=VALUE", multiple=True, help="Another argument of the list; may be given again."
)
@click.option(
    "--document",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="A document with one list, instead of LIST; - for stdin.",
)
@click.option("--variables", help="The document's variables, in JSON.")
@click.option("--as", "focus_form", type=click.Choice(_FOCUS), default="csv", show_default=True, help="What FOCUS is written as.")
@click.option(
    "--output", "-o", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write into this file. [default: stdout]"
)
@remote.options
def export(
    *,
    form: str,
    name: str | None,
    document: Path | None,
    variables: str | None,
    focus_form: str,
    target: Path | None,
    url: str | None,
    token: str | None,
    **given: Any,
) -> None:
    """Export a whole list of the graph as CSV, JSON lines or Parquet, or all charges as FOCUS.

    FORMAT is csv, ndjson, parquet or focus; LIST is a root field of the graph, such as componentInstances. Rows are those that the
    token's owner sees, all of one moment. A file is there as a whole or not at all.
    """
    parameters = _parameters(**given)
    if form == "focus":
        if name or document:
            raise errors.WrongUse("FOCUS has charges alone", hint="catalog export focus [--where …]")
        name, form = "focus", focus_form
    if (name is None) is (document is None):
        raise errors.WrongUse(
            "say which list, or give a document", hint="catalog export csv componentInstances --output instances.csv"
        )
    if form == "parquet" and target is None and sys.stdout.isatty():
        raise errors.WrongUse("Parquet is no text for a terminal", hint="--output FILE.parquet")
    if document is not None and parameters:
        raise errors.WrongUse("a document says itself which rows and fields", hint="leave the other options out")
    with remote.connect(url, token).exported(form, name, parameters, _asked(document, variables)) as parts, _Target(target) as file:
        for part in parts:
            file.write(part)


def _parameters(*, fields: str | None, where: str | None, order: Sequence[str], arguments: Sequence[str]) -> dict[str, str]:
    """What follows the list's name in the address."""
    parameters = {"fields": fields, "where": where, "orderBy": _order(order)}
    for argument in arguments:
        name, separator, value = argument.partition("=")
        if not separator:
            raise errors.WrongUse(f"{argument!r} is no argument", hint="--argument query=vpc")
        parameters[name] = value
    return {name: value for name, value in parameters.items() if value is not None}


def _order(given: Sequence[str]) -> str | None:
    if not given:
        return None
    split = (one.partition(":") for one in given)
    return json.dumps([{"field": field.upper(), "direction": direction.upper() or "ASC"} for field, _, direction in split])


def _asked(document: Path | None, variables: str | None) -> Mapping[str, Any] | None:
    if document is None:
        return None
    with click.open_file(str(document), encoding="utf-8") as file:
        text = file.read()
    try:
        return {"query": text, "variables": json.loads(variables) if variables else None}
    except ValueError as error:
        raise errors.WrongUse(f"--variables is not JSON: {error}") from error


class _Target:
    """A file that is there when all of it is written, or stdout."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def __enter__(self) -> IO[bytes]:
        if self._path is None:
            return sys.stdout.buffer
        self._part = self._path.with_name(f".{self._path.name}.part")
        try:
            self._file: IO[bytes] = self._part.open("wb")
        except OSError as error:
            raise errors.WrongUse(f"{self._path} can't be written: {error.strerror}") from error
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._path is None:
            sys.stdout.buffer.flush()
            return
        self._file.close()
        if kind is None:
            self._part.replace(self._path)
        else:
            self._part.unlink()
