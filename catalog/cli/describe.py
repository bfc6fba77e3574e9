"""`catalog describe`: resolved stacks and components, in the shapes and with the flags of `atmos describe`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from catalog import errors
from catalog.cli import computed, printing, program, reading
from catalog.cli.affected import affected


@click.group()
def describe() -> None:
    """Print stacks, components and what depends on them, as `atmos describe` does."""


describe.add_command(affected)


@describe.command("stacks")
@click.option(
    "--estate", "estates", type=click.Path(path_type=Path), multiple=True, help="The estate's directory; several with ndjson."
)
@click.option("--config-path", metavar="DIR", help="Where atmos.yaml lies, inside the estate.")
@reading.configuration_options
@click.option("--stack", "-s", help="Only this stack, by its name or its manifest's.")
@click.option("--components", multiple=True, help="Only these components, separated by commas.")
@click.option("--component-types", multiple=True, help="Only these types, separated by commas.")
@click.option("--sections", multiple=True, help="Only these sections of each component, separated by commas.")
@click.option("--include-empty-stacks", is_flag=True, help="Print stacks without components too.")
@reading.processing_options
@printing.result_options("yaml", ("yaml", "json", "ndjson"))
def stacks(
    *,
    estates: tuple[Path, ...],
    config_path: str | None,
    query: str | None,
    path: Path | None,
    format_: str,
    **filters: Any,
) -> None:
    """Print every stack with its components, resolved.

    Strict, as Atmos: an estate that Atmos refuses is refused. With `--format ndjson` several estates are described in one run, one
    line each, with an exit code and the stacks or the error.
    """
    chosen = estates or (Path(),)
    if format_ == "ndjson":
        for estate in chosen:
            click.echo(_line(estate, config_path, filters), nl=False)
        return
    if len(chosen) > 1:
        raise errors.WrongUse("several estates can only be described with --format ndjson")
    place = reading.place(reading.Source(directory=chosen[0], config_path=config_path))
    printing.write(_stacks(place, filters), format_, path, query, mask=place.mask)


def _line(estate: Path, config_path: str | None, filters: dict[str, Any]) -> str:
    """One estate's line of a batch."""
    from catalog.stacks import describe as room  # noqa: PLC0415

    try:
        place = reading.place(reading.Source(directory=estate, config_path=config_path))
        answer = {"estate": str(estate), "exit": 0, "stacks": room.printable(_stacks(place, filters))}
        return place.mask(json.dumps(answer, ensure_ascii=False)) + "\n"
    except errors.CatalogError as error:
        refused = {"estate": str(estate), "exit": program.exit_code(error), "error": program.message(error)}
        return json.dumps(refused, ensure_ascii=False) + "\n"


def _stacks(place: reading.Place, filters: dict[str, Any]) -> dict[str, Any]:
    from catalog.stacks import describe as room  # noqa: PLC0415

    wanted = room.Filter(
        stack=filters["stack"],
        components=reading.listed(filters["components"]),
        component_types=reading.listed(filters["component_types"]),
    )
    processing = replace(reading.processing(**filters), wanted=wanted.takes if wanted != room.Filter() else None)
    return room.stacks(
        place.resolve(processing=processing),
        wanted,
        sections=reading.listed(filters["sections"]),
        include_empty_stacks=filters["include_empty_stacks"],
    )


@describe.command("component")
@click.argument("component")
@click.option("--stack", "-s", required=True, help="The stack, by its name or its manifest's path.")
@reading.options
@reading.processing_options
@click.option("--provenance", **reading.SWITCH, help="Say on each line which file and line set it.")
@printing.result_options("yaml")
def component(
    *,
    component: str,
    stack: str,
    provenance: bool,
    estate: Path,
    config_path: str | None,
    query: str | None,
    path: Path | None,
    format_: str,
    **flags: Any,
) -> None:
    """Print one component of one stack, resolved.

    Without a query only the sections that a manifest can define; `--query .` shows all of them. With --provenance each line of YAML
    tells the file and line that set it.
    """
    from catalog.stacks import annotated  # noqa: PLC0415
    from catalog.stacks import describe as room  # noqa: PLC0415

    place = reading.place(reading.Source(directory=estate, config_path=config_path))
    resolved = place.resolve(processing=reading.processing(**flags), validate=False, lazy=True)
    found = room.component(resolved, reading.integrations(resolved), component, stack)
    if query is not None:
        sections = {**found.sections, **computed.sections(place, resolved, found)}
        printing.write(sections, format_, path, query, mask=place.mask)
        return
    sections = room.schema_keys(found.sections)
    if not provenance:
        printing.write(sections, format_, path, mask=place.mask)
        return
    stacks_path = str(resolved.config.get("stacks", "base_path", otherwise="")) if resolved.config else ""
    text = annotated.annotated(
        sections, room.asked(resolved, found), manifest=str(found.sections["atmos_stack_file"]), stacks_path=stacks_path
    )
    printing.write_text(place.mask(text), path)


@describe.command("dependents")
@click.argument("component")
@click.option("--stack", "-s", required=True, help="The stack, by its name.")
@click.option("--include-settings", is_flag=True, help="Print the settings of each dependent.")
@reading.options
@reading.processing_options
@printing.result_options("json")
def dependents(
    *,
    component: str,
    stack: str,
    include_settings: bool,
    estate: Path,
    config_path: str | None,
    query: str | None,
    path: Path | None,
    format_: str,
    **flags: Any,
) -> None:
    """List the components that depend on a component of a stack."""
    from catalog.stacks.dependents import Dependents  # noqa: PLC0415

    place = reading.place(reading.Source(directory=estate, config_path=config_path))
    resolved = place.resolve(processing=reading.processing(**flags), validate=False)
    found = Dependents.of(resolved, reading.integrations(resolved), include_settings=include_settings)
    printing.write(found.describe(component, stack), format_, path, query, mask=place.mask)


@describe.command("workflows")
@click.option(
    "--output",
    "-o",
    "shape",
    type=click.Choice(("list", "map", "all")),
    default="list",
    show_default=True,
    help="Names, names by file, or everything by file.",
)
@reading.options
@printing.result_options("yaml")
def workflows(*, shape: str, estate: Path, config_path: str | None, query: str | None, path: Path | None, format_: str) -> None:
    """Print the workflows of every workflow file."""
    from catalog.stacks import workflows as room  # noqa: PLC0415

    files, config = reading.configuration(reading.Source(directory=estate, config_path=config_path))
    if not config.get("workflows", "base_path"):
        raise errors.EstateError("'workflows.base_path' must be configured in 'atmos.yaml'")
    printing.write(room.described(room.manifests(files, config), shape, format_=format_), format_, path, query)
