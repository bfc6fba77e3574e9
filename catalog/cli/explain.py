"""`catalog explain COMPONENT -s STACK PATH`: which file and line set a value."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from catalog import errors
from catalog.cli import output, reading


@click.command()
@click.argument("component")
@click.argument("path")
@click.option("--stack", "-s", required=True, help="The stack.")
@click.option("--type", "type_", help="The component's type, when several have the name.")
@reading.options
@output.format_option("text", ("text", "json", "yaml"))
def explain(
    *, component: str, path: str, stack: str, type_: str | None, estate: Path, config_path: str | None, format_: str
) -> None:
    """Say which file and line set a value, and what it overrode.

    PATH is a value of the resolved component, as `vars.tags.owner` or `vars.zones[0]`. The last word comes first. Values are shown as
    they are written; what templates and functions make of the last stands before it.
    """
    from catalog.stacks import provenance  # noqa: PLC0415

    resolved = reading.resolve(reading.Source(directory=estate, config_path=config_path), strict=False)
    instance = reading.instance(resolved, stack, component, type_)
    entries = resolved.provenance(instance.stack, instance.type, instance.name, path)
    if not entries:
        raise errors.NotFound(
            f"nothing is set at {path} in {component} of {stack}", hint="`catalog describe component` prints it all"
        )
    evaluated = provenance.value(path, instance.sections)
    if format_ != "text":
        shown = [_plain(asdict(entry)) for entry in entries]
        shown[0]["evaluated"] = evaluated
        output.document(shown, format_)
        return
    if evaluated != entries[0].value:
        click.echo(f"= {output.json_text(evaluated).strip()}")
    for entry in entries:
        click.echo(f"{entry.location or '(computed)'}  [{entry.layer}]  {output.json_text(entry.value).strip()}")
        if len(entry.import_chain) > 1:
            click.echo(f"    by way of {' > '.join(entry.import_chain)}")


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "import_chain": list(entry["import_chain"])}
