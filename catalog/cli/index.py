"""`catalog index`: read estates into the database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from catalog import errors
from catalog.cli import opening, output, progress, running, settings, watching
from catalog.config import Config

if TYPE_CHECKING:
    from catalog.indexer.run import RunReport
    from catalog.store.database import Database

_COLUMNS = ("estate", "state", "revision", "stacks", "instances", "added", "changed", "removed", "unchanged", "errors", "warnings")


@click.command()
@click.argument("estates", nargs=-1, metavar="[ESTATE|DIR|URL]...")
@click.option(
    "--config-path", metavar="DIR", help="Where atmos.yaml lies, inside the estate: several of one repository are several estates."
)
@click.option(
    "--revision",
    metavar="R|A..B",
    help="A commit, tag or branch of a Git repository, or every commit after A up to B (A..: up to the branch); what the branch"
    " has left behind goes into the history. [default: where its branch is]",
)
@click.option("--watch", is_flag=True, help="Index whenever something has changed, and print each run, until Ctrl-C.")
@click.option("--confirmed", is_flag=True, help="Let the run remove more than the estate's limit.")
@output.format_option()
def index(
    *, estates: tuple[str, ...], config_path: str | None, revision: str | None, watch: bool, confirmed: bool, format_: str
) -> None:
    """Read estates into the database.

    Names estates that are known, directories (read as they lie there, never written), or addresses of Git repositories (cloned
    below CATALOG_HOME). Without any, every estate of the seeds. What can't be read becomes a diagnostic and keeps its last good
    version; exit 1 when a run failed or was held back.

    With --watch, directories are watched as they are written, repositories on this machine by their branches, remote ones by
    asking; what a run can't read never ends it.
    """
    if watch and revision is not None:
        raise errors.WrongUse("--watch follows the branch; it can't be had with --revision")
    reports = running.run(_index(estates, config_path, revision, watch=watch, confirmed=confirmed, format_=format_))
    if watch:
        return
    output.rows([_row(report) for report in reports], _COLUMNS, format_)
    failed = [report for report in reports if report.state != "SUCCEEDED"]
    for report in failed:
        progress.say(f"{report.estate}: {report.error or watching.held(report)}")
    if failed:
        raise errors.CatalogError(f"{len(failed)} of {len(reports)} runs did not succeed")


async def _index(
    targets: Sequence[str], config_path: str | None, revision: str | None, *, watch: bool, confirmed: bool, format_: str
) -> list[RunReport]:
    from catalog.engines import cache  # noqa: PLC0415
    from catalog.engines.template import Engine  # noqa: PLC0415
    from catalog.indexer import estates, run  # noqa: PLC0415
    from catalog.indexer.reading import Memory  # noqa: PLC0415

    config = settings.read()
    since, is_range, until = (revision or "").partition("..")
    async with opening.opened(config, "catalog index") as database:
        names = [
            await estates.register(database, config, target, config_path=config_path, revision=revision) for target in targets
        ] or await seeded(database, config)
        await asyncio.to_thread(cache.prepare, "hcl", config.cache)
        with progress.Bar() as bar:
            # Templates are compiled by the first one that needs it.
            options: dict[str, Any] = {"progress": bar, "templates": Engine(config.cache)}
            if watch:
                again = partial(run.index, database, config, confirmed=confirmed, memory=Memory(), **options)
                found = [await estates.find(database, name) for name in dict.fromkeys(names)]
                await watching.watch(found, config, again, watching.printer(_row, _COLUMNS, format_))
                return []
            if is_range:
                ranges = [run.index_range(database, config, name, since, until or None, **options) for name in names]
                return [report for reports in ranges async for report in reports]
            return [await run.index(database, config, name, revision=revision, confirmed=confirmed, **options) for name in names]


async def seeded(database: Database, config: Config) -> list[str]:
    """Register the estates of the seeds and name them; raises WrongUse when there are none."""
    from catalog.indexer import estates  # noqa: PLC0415

    names = list(await estates.register_seeds(database, config))
    if not names:
        raise errors.WrongUse(
            "there is no estate to index", hint="name a directory or the address of a Git repository, or write seeds/estates.yaml"
        )
    return names


def _row(report: RunReport) -> dict[str, Any]:
    return {
        "estate": report.estate,
        "state": report.state.value,
        "revision": report.revision,
        "manifests": report.manifests,
        "stacks": report.stacks,
        "instances": report.component_instances,
        "added": report.added,
        "changed": report.changed,
        "removed": report.removed,
        "unchanged": report.unchanged,
        "errors": report.diagnostics.get("ERROR", 0),
        "warnings": report.diagnostics.get("WARNING", 0),
        "backfill": report.backfill,
        "held_reason": report.held_reason,
        "run": report.run_id,
    }
