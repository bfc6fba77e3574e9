"""`catalog describe`: resolved stacks and components, in the shapes and with the flags of `atmos describe`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from catalog import errors
from catalog.cli import output, program, reading

_FLAG: dict[str, Any] = {"type": bool, "default": True, "show_default": True, "is_flag": False, "flag_value": "true"}


@click.group()
def describe() -> None:
    """Print stacks or components as `atmos describe` does."""


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
@click.option("--process-templates", **_FLAG, help="Render Go templates.")
@click.option("--process-functions", **_FLAG, help="Evaluate YAML functions.")
@click.option("--skip", multiple=True, help="YAML functions to leave alone, without their `!`.")
@click.option("--file", "path", type=click.Path(path_type=Path, dir_okay=False), help="Write the result to a file.")
@output.format_option("yaml", ("yaml", "json", "ndjson"))
def stacks(*, estates: tuple[Path, ...], config_path: str | None, path: Path | None, format_: str, **filters: Any) -> None:
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
    _write(_stacks(chosen[0], config_path, filters), format_, path)


def _answer(estate: Path, config_path: str | None, filters: dict[str, Any]) -> dict[str, Any]:
    """One estate's line of a batch."""
    try:
        return {"estate": str(estate), "exit": 0, "stacks": _stacks(estate, config_path, filters)}
    except errors.CatalogError as error:
        return {"estate": str(estate), "exit": program.exit_code(error), "error": program.message(error)}


def _stacks(estate: Path, config_path: str | None, filters: dict[str, Any]) -> dict[str, Any]:
    from catalog.stacks import describe as room  # noqa: PLC0415

    resolved = reading.resolve(reading.Source(directory=estate, config_path=config_path), strict=True)
    return room.stacks(
        resolved,
        stack=filters["stack"],
        components=_listed(filters["components"]),
        component_types=_listed(filters["component_types"]),
        sections=_listed(filters["sections"]),
        include_empty_stacks=filters["include_empty_stacks"],
    )


@describe.command("component")
@click.argument("component")
@click.option("--stack", "-s", required=True, help="The stack.")
@reading.options
@click.option("--process-templates", **_FLAG, help="Render Go templates.")
@click.option("--process-functions", **_FLAG, help="Evaluate YAML functions.")
@click.option("--skip", multiple=True, help="YAML functions to leave alone, without their `!`.")
@click.option("--file", "path", type=click.Path(path_type=Path, dir_okay=False), help="Write the result to a file.")
@output.format_option("yaml", output.DOCUMENT_FORMATS)
def component(
    *, component: str, stack: str, estate: Path, config_path: str | None, path: Path | None, format_: str, **_: Any
) -> None:
    """Print one component of one stack, resolved."""
    from catalog.stacks import describe as room  # noqa: PLC0415

    resolved = reading.resolve(reading.Source(directory=estate, config_path=config_path), strict=True)
    _write(room.component(resolved, component, stack), format_, path)


def _write(value: Any, format_: str, path: Path | None) -> None:
    from catalog.stacks import describe as room  # noqa: PLC0415

    text = room.to_json(value) if format_ == "json" else output.yaml_text(value)
    if path is None:
        click.echo(text, nl=False)
        return
    output.save(text, path)


def _listed(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]
