"""Results as Atmos prints them: JSON and YAML in its own styles, whole or what a query finds in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from catalog.cli import output, reading


def result_options(default: str, choices: Sequence[str] = output.DOCUMENT_FORMATS) -> Callable[[Any], Any]:
    """The options that say how a result is printed: `query`, `path` and `format_`."""

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            output.format_option(default, choices),
            click.option("--file", "path", type=click.Path(path_type=Path, dir_okay=False), help="Write the result to a file."),
            click.option("--query", "-q", help="Print what a yq expression finds in the result."),
        ):
            command = option(command)
        return command

    return decorated


def write(
    value: Any, format_: str, path: Path | None, query: str | None = None, *, mask: Callable[[str], str] | None = None
) -> None:
    """Print a result, or what a yq expression finds in it, or write it to a file; `mask` takes secrets out of the text."""
    from catalog.stacks import describe, json_text  # noqa: PLC0415

    if query:
        value = reading.engine().query(query, describe.printable(describe.filled(value)))
    if format_ == "json":
        pieces = json_text.pieces(value, mask)
        pieces = pieces if path is None else json_text.in_file(pieces)
    else:
        text = describe.to_yaml(value)
        # Atmos ends YAML that it prints with an empty line.
        pieces = iter((text if mask is None else mask(text), "\n" if path is None else ""))
    if path is None:
        output.stream(pieces)
    else:
        output.save(pieces, path)


def write_text(text: str, path: Path | None) -> None:
    """Print a text, or write it to a file."""
    if path is None:
        output.stream([text])
    else:
        output.save([text], path)
