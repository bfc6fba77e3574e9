"""Results on stdout, in the format asked for: JSON, YAML, a table for people, CSV."""

from __future__ import annotations

import csv
import gc
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from catalog import errors

FORMATS = ("table", "json", "yaml", "csv")
DOCUMENT_FORMATS = ("yaml", "json")
_LOT = 1 << 18  # characters

Row = Mapping[str, Any]


def format_option(default: str = "table", choices: Sequence[str] = FORMATS) -> Callable[[Any], Any]:
    """The option `--format` (`-f`)."""
    return click.option(
        "--format",
        "-f",
        "format_",
        type=click.Choice(list(choices)),
        default=default,
        show_default=True,
        help="Format of the result.",
    )


def document(value: Any, format_: str) -> None:
    """Print one value as JSON or YAML."""
    click.echo(_DOCUMENTS[format_](value), nl=False)


def stream(pieces: Iterable[str]) -> None:
    """Print a text that comes in pieces, which may be larger than memory; what it is made of lives until the command ends."""
    gc.freeze()
    for lot in _lots(pieces):
        sys.stdout.write(lot)
    sys.stdout.flush()


def _lots(pieces: Iterable[str]) -> Iterator[str]:
    """Join pieces into lots worth a write each."""
    lot: list[str] = []
    size = 0
    for piece in pieces:
        lot.append(piece)
        size += len(piece)
        if size >= _LOT:
            yield "".join(lot)
            lot, size = [], 0
    yield "".join(lot)


def save(pieces: Iterable[str], path: Path) -> None:
    """Write a file that was asked for; raises Unavailable when it can't be written."""
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(_lots(pieces))
    except OSError as error:
        raise errors.Unavailable(f"can't write {path}: {error.strerror}") from error


def rows(values: Sequence[Row], columns: Sequence[str], format_: str, *, titled: bool = True) -> None:
    """Print rows: whole as JSON or YAML, their columns as a table or CSV; `titled` of False leaves the titles of CSV out.

    A column is a dotted path into the row, perhaps with a title before it: `owner:ownership.team.slug`. Without one the title is the
    path's last word, or for a thing's name the thing.
    """
    if format_ in _DOCUMENTS:
        document(list(values), format_)
        return
    titles, paths = zip(*map(_titled, columns), strict=True)
    cells = [[_cell(_at(row, path)) for path in paths] for row in values]
    printed = _TABLES[format_](titles, cells)
    click.echo(printed if titled else printed.partition("\n")[2], nl=False)


def _titled(column: str) -> tuple[str, str]:
    title, _, path = column.rpartition(":")
    words = path.removesuffix(".name").removesuffix(".slug").split(".")
    return title or words[-1], path


def json_text(value: Any) -> str:
    """JSON as people and programs both read it: indented, in the order given, a line break at the end."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n"


def yaml_text(value: Any) -> str:
    """YAML in the order given."""
    import yaml  # noqa: PLC0415 — only where it is asked for

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=120))


def table(titles: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """Cells in columns under their titles."""
    if not cells:
        return "" if not sys.stdout.isatty() else "(none)\n"
    widths = [max(len(title), *(len(row[i]) for row in cells)) for i, title in enumerate(titles)]
    lines = [[title.upper() for title in titles], *cells]
    return "".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines)


def _csv(titles: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(titles)
    writer.writerows(cells)
    return text.getvalue()


_DOCUMENTS: dict[str, Callable[[Any], str]] = {"json": json_text, "yaml": yaml_text}
_TABLES: dict[str, Callable[[Sequence[str], Sequence[Sequence[str]]], str]] = {"table": table, "csv": _csv}


def _at(row: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(row, Mapping):
            return None
        row = row.get(key)
    return row


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return " ".join(str(value).split())
