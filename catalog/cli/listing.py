"""`catalog list`: names in an estate's directory, in the shapes and with the flags of `atmos list`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalog import errors
from catalog.cli import output, reading

if TYPE_CHECKING:
    from catalog.stacks.resolved import ResolvedEstate

FORMATS = ("table", "json", "yaml", "csv", "tsv")

# A column: its title, and the template of its cells.
Column = tuple[str, str]


@click.group("list")
def list_() -> None:
    """List stacks, components, instances or workflows."""


def _row_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which columns are shown, in which order and how."""
    for option in (
        click.option("--delimiter", help="What stands between columns in csv and tsv."),
        click.option("--sort", help="Columns to sort by, as stack:asc,component:desc."),
        click.option("--columns", multiple=True, help="Fields, or TITLE=TEMPLATE, separated by commas."),
        click.option(
            "--format",
            "-f",
            "format_",
            type=click.Choice(FORMATS),
            help="Format of the result. [default: the configuration's, else table]",
        ),
    ):
        command = option(command)
    return command


def _selector_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--labels", default="", help="Only what has all of these labels, as key=value, separated by commas."),
        click.option("--tags", default="", help="Only what has any of these tags, separated by commas."),
    ):
        command = option(command)
    return command


_TRI_STATE: dict[str, Any] = {"type": bool, "is_flag": False, "flag_value": "true"}


@list_.command("stacks")
@click.option("--component", "-c", help="Only stacks with this component.")
@_selector_options
@_row_options
@reading.options
def stacks(*, estate: Path, config_path: str | None, component: str | None, tags: str, labels: str, **shown: Any) -> None:
    """List stacks."""
    from catalog.stacks import inventory  # noqa: PLC0415

    resolved = _read(estate, config_path)
    wanted, pairs = reading.listed(tags), inventory.labels_of(labels)
    keep: inventory.Keep | None = None
    if wanted or pairs:
        keep = partial(inventory.has_selectors, tags=wanted, labels=pairs)
    columns = [("Stack", "{{ .stack }}"), *([("Component", "{{ .component }}")] if component else [])]
    _print_rows(
        resolved.config, inventory.stacks(resolved, component=component, keep=keep), columns, ["Stack"], ("stacks", "list"), shown
    )


@list_.command("components")
@click.option("--stack", "-s", help="Only those of stacks that match this pattern.")
@click.option("--type", "-t", "type_", default="real", show_default=True, help="real, abstract or all.")
@click.option("--enabled", **_TRI_STATE, help="Only enabled ones, or with false only disabled ones.")
@click.option("--locked", **_TRI_STATE, help="Only locked ones, or with false only unlocked ones.")
@click.option("--abstract", **reading.SWITCH, help="Abstract ones too.")
@_selector_options
@_row_options
@reading.options
def components(
    *, estate: Path, config_path: str | None, stack: str | None, type_: str, abstract: bool, tags: str, labels: str, **shown: Any
) -> None:
    """List components by name and type, with in how many stacks each is."""
    from catalog.stacks import inventory  # noqa: PLC0415

    resolved = _read(estate, config_path)
    kind = "all" if abstract and type_ == "real" else type_
    wanted, pairs = reading.listed(tags), inventory.labels_of(labels)
    states = {name: shown.pop(name) for name in ("enabled", "locked")}
    rows = [
        row
        for row in inventory.components(resolved, stack=stack)
        if kind in ("all", row["component_type"])
        and inventory.is_wanted(row, tags=wanted, labels=pairs)
        and all(state in (None, row[name]) for name, state in states.items())
    ]
    columns = [("Component", "{{ .component }}"), ("Type", "{{ .type }}"), ("Stacks", "{{ .stack_count }}")]
    _print_rows(resolved.config, rows, columns, ["Component"], ("list", "components"), shown)


@list_.command("instances")
@click.option("--stack", "-s", help="Only those of stacks that match this pattern.")
@click.option("--filter", "filter_", help="Only those for which a yq expression holds.")
@click.option("--abstract", **reading.SWITCH, help="Abstract ones too.")
@_selector_options
@_row_options
@reading.options
def instances(
    *,
    estate: Path,
    config_path: str | None,
    stack: str | None,
    filter_: str | None,
    abstract: bool,
    tags: str,
    labels: str,
    **shown: Any,
) -> None:
    """List component instances."""
    from catalog.stacks import describe, inventory  # noqa: PLC0415

    resolved = _read(estate, config_path)
    wanted, pairs = reading.listed(tags), inventory.labels_of(labels)
    engine = reading.engine() if filter_ else None
    rows = [
        row
        for row in inventory.instances(resolved, stack=stack)
        if (abstract or not row["abstract"])
        and inventory.is_wanted(row, tags=wanted, labels=pairs)
        and (engine is None or engine.query(str(filter_), describe.printable(row)) is True)
    ]
    columns = [("Component", "{{ .component }}"), ("Stack", "{{ .stack }}")]
    _print_rows(resolved.config, rows, columns, ["Component", "Stack"], ("list", "instances"), shown)


@list_.command("workflows")
@click.option("--file", "file", type=click.Path(path_type=Path), help="Only those of this file.")
@_row_options
@reading.options
def workflows(*, estate: Path, config_path: str | None, file: Path | None, **shown: Any) -> None:
    """List workflows with their files."""
    from catalog.stacks import workflows as room  # noqa: PLC0415

    files, config = reading.configuration(reading.Source(directory=estate, config_path=config_path))
    found = room.manifests(files, config) if file is None else _file(file)
    titles = ("File", "Workflow", "Description", "Steps")
    columns = [(title, f"{{{{ .{title.lower()} }}}}") for title in titles]
    _print_rows(config, room.listing(found), columns, ["File", "Workflow"], ("workflows", "list"), shown)


def _file(file: Path) -> dict[str, Any]:
    from catalog.stacks import workflows as room  # noqa: PLC0415

    if file.suffix not in (".yaml", ".yml"):
        raise errors.WrongUse(f"invalid workflow file extension: {file}")
    if not file.is_file():
        raise errors.NotFound(f"workflow file not found: {file}")
    value = room.manifest(file.read_bytes(), str(file))
    return {} if value is None else {str(file): value}


def _read(estate: Path, config_path: str | None) -> ResolvedEstate:
    """Read as Atmos does; where Atmos refuses the estate, list what can be read and say so on stderr."""
    source = reading.Source(directory=estate, config_path=config_path)
    try:
        return reading.resolve(source, strict=True, processing=reading.processing(process_functions=False), validate=False)
    except errors.EstateError as error:
        click.echo(f"catalog: {error.message.partition(chr(10))[0]}; what can be read is listed", err=True)
        return reading.resolve(source, strict=False)


def _print_rows(
    config: Any,
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
    order: Sequence[str],
    place: tuple[str, str],
    shown: dict[str, Any],
) -> None:
    """Print rows by columns: those asked for, else those of atmos.yaml, else the command's own."""
    from catalog.stacks import inventory  # noqa: PLC0415

    noun = next(part for part in place if part != "list")
    if not rows and noun != "instances":
        click.echo(f"No {noun} found", err=True)
        return
    settings = config.get(*place, otherwise={}) if config is not None else {}
    chosen = _columns(shown["columns"]) or _configured(settings) or columns
    titles = [title for title, _ in chosen]
    cells = _cells(rows, chosen)
    by = inventory.sorters(shown["sort"]) if shown["sort"] else [(title, False) for title in order if title in titles]
    if place == ("list", "instances") and not shown["sort"] and len(by) < len(order):
        by = []  # instances have an order only where both of its columns are shown
    format_ = shown["format_"] or _known_format(settings)
    click.echo(_FORMATTED[format_](titles, inventory.ordered(cells, titles, by), shown["delimiter"]), nl=False)


def _columns(written: Sequence[str]) -> list[Column]:
    """Read columns as they are asked for: `field`, or `Title={{ .template }}`."""
    return [_column(spec) for spec in reading.listed(written)]


def _column(spec: str) -> Column:
    title, equals, template = spec.partition("=")
    if equals and title.strip():
        return title.strip(), template.strip()
    name = spec.strip()
    return name[:1].upper() + name[1:], f"{{{{ .{name} }}}}"


def _configured(settings: Any) -> list[Column]:
    columns = settings.get("columns") if isinstance(settings, dict) else None
    return [
        (str(column["name"]), str(column["value"]))
        for column in (columns if isinstance(columns, list) else ())
        if isinstance(column, dict) and column.get("name") and column.get("value")
    ]


def _known_format(settings: Any) -> str:
    found = settings.get("format") if isinstance(settings, dict) else None
    return found if found in FORMATS else "table"


def _cells(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> list[list[str]]:
    from catalog.engines.rendering import Options  # noqa: PLC0415
    from catalog.stacks.templates import Templates  # noqa: PLC0415

    templates, options = Templates(reading.engine()), Options(missing="default")
    contexts = [{**row, "raw": row} for row in rows]
    return [[templates.render(template, title, context, options) for title, template in columns] for context in contexts]


def _objects(titles: Sequence[str], cells: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    return [dict(zip(titles, line, strict=True)) for line in cells]


def _json(titles: Sequence[str], cells: Sequence[Sequence[str]], _delimiter: str | None) -> str:
    from catalog.stacks import describe  # noqa: PLC0415

    return describe.to_json(_objects(titles, cells))


def _yaml(titles: Sequence[str], cells: Sequence[Sequence[str]], _delimiter: str | None) -> str:
    from catalog.stacks import describe  # noqa: PLC0415

    return describe.to_yaml(_objects(titles, cells))


def _csv(titles: Sequence[str], cells: Sequence[Sequence[str]], delimiter: str | None) -> str:
    return _joined([titles, *cells], delimiter or ",")


def _tsv(titles: Sequence[str], cells: Sequence[Sequence[str]], delimiter: str | None) -> str:
    return _joined([titles, *cells], delimiter or "\t")


def _table(titles: Sequence[str], cells: Sequence[Sequence[str]], _delimiter: str | None) -> str:
    """A table for people; what is piped on has no head and tabs between columns, as Atmos prints it."""
    if sys.stdout.isatty():
        return output.table([re.sub("_", " ", title) for title in titles], cells)
    return _joined(cells, "\t")


def _joined(lines: Sequence[Sequence[str]], delimiter: str) -> str:
    return "".join(delimiter.join(line) + "\n" for line in lines)


_FORMATTED: dict[str, Callable[[Sequence[str], Sequence[Sequence[str]], str | None], str]] = {
    "json": _json,
    "yaml": _yaml,
    "csv": _csv,
    "tsv": _tsv,
    "table": _table,
}
