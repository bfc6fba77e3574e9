"""`catalog list`: names in an estate's directory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalog.cli import output, reading

if TYPE_CHECKING:
    from catalog.stacks.resolved import ResolvedEstate


@click.group("list")
def list_() -> None:
    """List stacks, components, instances or workflows."""


def _read(estate: Path, config_path: str | None) -> ResolvedEstate:
    return reading.resolve(reading.Source(directory=estate, config_path=config_path), strict=False)


@list_.command("stacks")
@reading.options
@click.option("--component", "-c", help="Only stacks with this component.")
@output.format_option()
def stacks(*, estate: Path, config_path: str | None, component: str | None, format_: str) -> None:
    """List stacks with their manifests."""
    rows = [
        {"stack": each.name, "manifest": each.manifest, "instances": len(each.instances)}
        for each in _read(estate, config_path).stacks
        if component is None or any(component in {instance.name, instance.component} for instance in each.instances)
    ]
    output.rows(_sorted(rows), ("stack", "manifest", "instances"), format_)


@list_.command("components")
@reading.options
@click.option("--stack", "-s", help="Only those of this stack.")
@output.format_option()
def components(*, estate: Path, config_path: str | None, stack: str | None, format_: str) -> None:
    """List components: root modules, with how many instances use each."""
    counts: dict[tuple[str, str], int] = {}
    for each in _read(estate, config_path).stacks:
        for instance in each.instances if stack in {None, each.name} else ():
            if not instance.abstract:
                counts[instance.component, instance.type] = counts.get((instance.component, instance.type), 0) + 1
    rows = [{"component": name, "type": type_, "instances": count} for (name, type_), count in counts.items()]
    output.rows(_sorted(rows), ("component", "type", "instances"), format_)


@list_.command("instances")
@reading.options
@click.option("--stack", "-s", help="Only those of this stack.")
@click.option("--abstract", is_flag=True, help="Abstract ones too.")
@output.format_option()
def instances(*, estate: Path, config_path: str | None, stack: str | None, abstract: bool, format_: str) -> None:
    """List component instances, stack by stack."""
    rows = [
        {
            "stack": each.name,
            "name": instance.name,
            "type": instance.type,
            "component": instance.component,
            "enabled": instance.enabled,
            "abstract": instance.abstract,
        }
        for each in _read(estate, config_path).stacks
        if stack in {None, each.name}
        for instance in each.instances
        if abstract or not instance.abstract
    ]
    output.rows(_sorted(rows), ("stack", "name", "type", "component", "enabled"), format_)


@list_.command("workflows")
@reading.options
@click.option("--file", "-f", "file", help="Only those of this file.")
@click.option(
    "--format", "format_", type=click.Choice(output.FORMATS), default="table", show_default=True, help="Format of the result."
)
def workflows(*, estate: Path, config_path: str | None, file: str | None, format_: str) -> None:
    """List workflows with their files."""
    rows = [
        {"file": each.file, "workflow": each.name, "description": each.description}
        for each in _read(estate, config_path).workflows
        if file is None or file in {each.file, Path(each.file).name, Path(each.file).stem}
    ]
    output.rows(_sorted(rows), ("file", "workflow", "description"), format_)


def _sorted(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: [str(value) for value in row.values()])
