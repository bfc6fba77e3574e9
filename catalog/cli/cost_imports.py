"""`catalog costs import` and `catalog costs estimate`: what was billed, and what plans will cost, into the database."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalog import errors
from catalog.cli import opening, output, progress, running, settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from catalog.cost.imports import Report, Source

_FORMATS = {"infracost": "INFRACOST", "focus-csv": "FOCUS_CSV", "focus-parquet": "FOCUS_PARQUET", "opencost": "OPENCOST"}
_ENDINGS = ((".csv", "focus-csv"), (".csv.gz", "focus-csv"), (".parquet", "focus-parquet"))
_COLUMNS = ("file", "format", "rows", "accepted", "replaced", "rejected", "totals")
_SHOWN = 10  # rejected rows on a terminal
_LISTED = 100  # and in a document

_File = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=_File, metavar="FILE...")
@click.option(
    "--format-of", "kind", type=click.Choice(list(_FORMATS)), help="What the files are. [default: by .csv, .csv.gz or .parquet]"
)
@click.option(
    "--name", help="What the file is called, where a correction has another name than what it corrects. [default: its name]"
)
@click.option("--currency", default="USD", show_default=True, help="The currency of OpenCost, which doesn't say one.")
@click.option("--strict", is_flag=True, help="Import nothing of a file of which a row can't be taken.")
@click.option(
    "--rejected", type=click.Path(dir_okay=False, path_type=Path), help="Write every row that was not taken into this CSV file."
)
@output.format_option()
def import_(
    *,
    files: tuple[Path, ...],
    kind: str | None,
    name: str | None,
    currency: str,
    strict: bool,
    rejected: Path | None,
    format_: str,
) -> None:
    """Import files of costs: charges (FOCUS, OpenCost) or estimates (Infracost); plain or packed with gzip.

    A file counts as a whole or not at all, and importing it again changes nothing. What it says of a billing period replaces what the
    file of that name said of it before. Rows that don't hold are left out and told of; exit 1 when a file was not imported.
    """
    if name is not None and len(files) > 1:
        raise errors.WrongUse("--name is the name of one file", hint="import the files one by one")
    kinds = [kind or _guessed(path) for path in files]
    reports, failed = running.run(_import(list(zip(files, kinds, strict=True)), name, currency, rejected, strict=strict))
    output.rows(reports, _COLUMNS, format_)
    if failed:
        raise errors.CatalogError(f"{failed} of {len(files)} files were not imported")


def _guessed(path: Path) -> str:
    for ending, kind in _ENDINGS:
        if path.name.lower().endswith(ending):
            return kind
    raise errors.WrongUse(f"{path.name} may be anything", hint=f"say what it is: --format-of {'|'.join(_FORMATS)}")


async def _import(
    files: list[tuple[Path, str]], name: str | None, currency: str, rejected: Path | None, *, strict: bool
) -> tuple[list[dict[str, Any]], int]:
    from catalog.cost.imports import Source  # noqa: PLC0415
    from catalog.records import CostFormat  # noqa: PLC0415

    reports, failed = [], 0
    async with opening.opened(settings.read(), "catalog costs import") as database:
        with progress.Bar() as bar, _sheet(rejected) as sheet:
            for path, kind in files:
                source = Source(path=path, name=name or path.name, format=CostFormat(_FORMATS[kind]), currency=currency)
                try:
                    async with database.session() as session:
                        reports.append(await _one(session, source, bar, sheet, strict=strict))
                        await session.commit()
                except (errors.Invalid, errors.Unavailable) as error:
                    failed += 1
                    progress.say(f"{path}: {error}")
    return reports, failed


async def _one(session: AsyncSession, source: Source, bar: progress.Bar, sheet: Any, *, strict: bool) -> dict[str, Any]:
    from catalog.cost import imports  # noqa: PLC0415

    report = await imports.take(
        session, source, lambda done, total, what: bar(done >> 10, total >> 10, f"{source.path.name}: {what}")
    )
    listed: list[dict[str, Any]] = []
    async for row, column, reason in imports.rejected(session, report):
        if len(listed) < _LISTED:
            listed.append({"row": row, "column": column, "reason": reason})
        if sheet is not None:
            sheet.writerow((source.path, row, column, reason))
        elif len(listed) == _LISTED:
            break
    _tell(source, report, listed)
    if strict and report.rejected:
        raise errors.Invalid(
            f"{report.rejected} rows can't be taken", hint="nothing of the file was imported, since --strict is given"
        )
    totals = {currency: f"{amount:f}" for currency, amount in report.totals}
    return {
        "file": report.name,
        "format": source.format.value,
        "rows": report.rows,
        "accepted": report.accepted,
        "replaced": report.replaced,
        "rejected": report.rejected,
        "totals": totals,
        "rejectedRows": listed,
    }


def _tell(source: Source, report: Report, listed: list[dict[str, Any]]) -> None:
    for row in listed[:_SHOWN]:
        column = f", {row['column']}" if row["column"] else ""
        progress.say(f"{source.path}: row {row['row']}{column}: {row['reason']}")
    if report.rejected > _SHOWN:
        progress.say(f"{source.path}: {report.rejected - _SHOWN} more rows were not taken (--rejected FILE writes them all)")


@contextmanager
def _sheet(path: Path | None) -> Iterator[Any]:
    """A CSV file for rejected rows, where one is asked for; raises Unavailable when it can't be written."""
    if path is None:
        yield None
        return
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("file", "row", "column", "reason"))
            yield writer
    except OSError as error:
        raise errors.Unavailable(f"can't write {path}: {error.strerror}") from error


@click.command()
@click.argument("component")
@click.option("--stack", "-s", required=True, help="The stack of the instance.")
@click.option("--plan", required=True, type=_File, help="What `terraform show -json` printed of the instance's plan.")
@click.option("--price-book", required=True, type=_File, help="The prices, as YAML.")
@output.format_option()
def estimate(*, component: str, stack: str, plan: Path, price_book: Path, format_: str) -> None:
    """Estimate an instance from its plan, by a price book, and keep that as its estimate.

    Resources that the price book doesn't know are named, never counted as free.
    """
    row = running.run(_estimate(component, stack, plan, price_book))
    output.rows([row], ("component", "stack", "status", "monthly", "currency", "unsupported"), format_)


async def _estimate(component: str, stack: str, plan: Path, book: Path) -> dict[str, Any]:
    from catalog.cost import imports, price_book  # noqa: PLC0415

    prices = price_book.read(_document(book))
    said = _document(plan)
    if not isinstance(said, dict):
        raise errors.Invalid(f"{plan.name} is no plan", hint="save what `terraform show -json PLAN` prints")
    estimated = price_book.estimate(prices, said)
    async with opening.opened(settings.read(), "catalog costs estimate") as database, database.session() as session:
        await imports.keep(session, stack, component, estimated)
        await session.commit()
    return {
        "component": component,
        "stack": stack,
        "status": estimated.status.value,
        "monthly": None if estimated.monthly is None else f"{estimated.monthly:f}",
        "currency": estimated.currency,
        "unsupported": list(estimated.unsupported),
    }


def _document(path: Path) -> Any:
    """A YAML or JSON file as plain values; raises Invalid when it is neither, Unavailable when it can't be read."""
    import yaml  # noqa: PLC0415

    from catalog.cost import files  # noqa: PLC0415

    with files.opened(path) as file:
        text = files.whole(file)
    try:
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise errors.Invalid(f"{path.name} can't be read: {error}") from error
