"""`catalog describe`: resolved stacks and components, in the shapes and with the flags of `atmos describe`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from catalog import errors
from catalog.cli import printing, program, reading
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
@click.option("--stack", "-s", help="Only this stack, by its name or its manifest's.")
@click.option("--components", help="Only these components, separated by commas.")
@click.option("--component-types", help="Only these types, separated by commas.")
@click.option("--sections", help="Only these sections of each component, separated by commas.")
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
            click.echo(json.dumps(_answer(estate, config_path, filters), ensure_ascii=False))
        return
    if len(chosen) > 1:
        raise errors.WrongUse("several estates can only be described with --format ndjson")
    printing.write(_stacks(chosen[0], config_path, filters), format_, path, query)


def _answer(estate: Path, config_path: str | None, filters: dict[str, Any]) -> dict[str, Any]:
    """One estate's line of a batch."""
    from catalog.stacks import describe as room  # noqa: PLC0415

    try:
        return {"estate": str(estate), "exit": 0, "stacks": room.printable(_stacks(estate, config_path, filters))}
    except errors.CatalogError as error:
        return {"estate": str(estate), "exit": program.exit_code(error), "error": program.message(error)}


def _stacks(estate: Path, config_path: str | None, filters: dict[str, Any]) -> dict[str, Any]:
    from catalog.stacks import describe as room  # noqa: PLC0415

    source = reading.Source(directory=estate, config_path=config_path)
    resolved = reading.resolve(source, strict=True, processing=reading.processing(**filters))
    return room.stacks(
        resolved,
        stack=filters["stack"],
        components=reading.listed(filters["components"]),
        component_types=reading.listed(filters["component_types"]),
        sections=reading.listed(filters["sections"]),
        include_empty_stacks=filters["include_empty_stacks"],
    )


@describe.command("component")
@click.argument("component")
@click.option("--stack", "-s", required=True, help="The stack, by its name or its manifest's path.")
@reading.options
@reading.processing_options
@printing.result_options("yaml")
def component(
    *,
    component: str,
    stack: str,
    estate: Path,
    config_path: str | None,
    query: str | None,
    path: Path | None,
    format_: str,
    **flags: Any,
) -> None:
    """Print one component of one stack, resolved.

    Without a query only the sections that a manifest can define; `--query .` shows all of them.
    """
    from catalog.stacks import describe as room  # noqa: PLC0415

    source = reading.Source(directory=estate, config_path=config_path)
    resolved = reading.resolve(source, strict=True, processing=reading.processing(**flags), validate=False)
    printing.write(room.component(resolved, component, stack, everything=query is not None), format_, path, query)


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

    source = reading.Source(directory=estate, config_path=config_path)
    resolved = reading.resolve(source, strict=True, processing=reading.processing(**flags), validate=False)
    found = Dependents.of(resolved, reading.integrations(resolved), include_settings=include_settings)
    printing.write(found.describe(component, stack), format_, path, query)
