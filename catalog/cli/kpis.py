"""`catalog kpis`: what the platform is measured by."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from catalog import errors
from catalog.cli import opening, output, remote, settings

_KPIS = """
query Kpis($period: PeriodInput) {
  kpis(period: $period) {
    name title unit direction value target baseline met sampleSize population description sql trend { at value }
  }
}
"""
_COLUMNS = ("name", "value", "unit", "target", "baseline", "met", "sample:sampleSize", "title")


@click.group()
def kpis() -> None:
    """Show, measure and import what the platform is measured by."""


@kpis.command("list")
@output.format_option()
@remote.options
def list_(*, format_: str, url: str | None, token: str | None) -> None:
    """List the measures with their last values, where they stood before and where they should be.

    A measure without data has no value and a sample of 0.
    """
    found: list[dict[str, Any]] = remote.connect(url, token).ask(_KPIS)["kpis"]
    output.rows(found, _COLUMNS, format_)


@kpis.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False, exists=True))
def import_(*, files: tuple[Path, ...]) -> None:
    """Import what people measured, on the database: CSV files with the columns kpi, at, value and perhaps team.

    Of several values of a day the mean counts. What is imported takes the place of what is known of the same measure and day. A row that
    can't be read is told of and left out; then the exit code is 1.
    """
    from catalog.indexer import measurements  # noqa: PLC0415

    read = [measurements.read(path.read_bytes(), str(path)) for path in files]
    kept = asyncio.run(_keep([one for found, _ in read for one in found]))
    click.echo(f"{kept} points", err=True)
    faults = [fault for _, told in read for fault in told]
    for fault in faults:
        place = f"{fault.location.file}:{fault.location.line}: " if fault.location else ""
        click.echo(f"{place}{fault.message}{f' ({fault.hint})' if fault.hint else ''}", err=True)
    if faults:
        raise errors.Invalid(f"{len(faults)} rows or columns were left out", code="SEED_VALUE")


@kpis.command()
def measure() -> None:
    """Measure now what the catalog itself can; every index run that changes something does it too."""
    points = asyncio.run(_measure())
    for one in points:
        click.echo(f"{one.name}: {'no data' if one.value is None else format(one.value.normalize(), 'f')}")


async def _keep(measured: list[Any]) -> int:
    from catalog.indexer import kpi_rows  # noqa: PLC0415

    async with (
        opening.opened(settings.read(), "catalog kpis") as database,
        database.connection() as connection,
        connection.transaction(),
    ):
        return await kpi_rows.keep(connection, measured)


async def _measure() -> Any:
    from catalog.store import kpis as rows  # noqa: PLC0415

    async with (
        opening.opened(settings.read(), "catalog kpis") as database,
        database.connection() as connection,
        connection.transaction(),
    ):
        return await rows.measure(connection, datetime.now(UTC))
