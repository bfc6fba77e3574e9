"""`catalog index --watch`: index estates whenever they have changed, and print each run, until told to stop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from catalog import errors
from catalog.cli import output, progress, running
from catalog.config import Config

if TYPE_CHECKING:
    from catalog.indexer.run import RunReport
    from catalog.records import Estate

Index = Callable[[str], Awaitable["RunReport"]]

_AGAIN = 5.0  # seconds until a run that could not begin is tried again


async def watch(estates: Sequence[Estate], config: Config, index: Index, show: Callable[[RunReport], None]) -> None:
    """Index each estate now and whenever it has changed, one run at a time, until Ctrl-C or SIGTERM; a run under way is finished.

    What a run can't read it reports, and what keeps one from beginning is said and tried again: neither ends the watch.
    """
    from catalog.indexer import watching  # noqa: PLC0415

    shutdown = running.shutdown_on_signals()
    changed = {estate.name: asyncio.Event() for estate in estates}
    one_at_a_time = asyncio.Lock()
    async with asyncio.TaskGroup() as tasks:
        for estate in estates:
            tasks.create_task(watching.watch(estate, config, changed[estate.name].set, shutdown))
            tasks.create_task(_follow(estate.name, changed[estate.name], index, show, one_at_a_time, shutdown))
        progress.say(f"watching {', '.join(changed)}; Ctrl-C stops it")
        await shutdown.wait()
        for event in changed.values():
            event.set()
    progress.say("stopped")


async def _follow(
    name: str, changed: asyncio.Event, index: Index, show: Callable[[RunReport], None], lock: asyncio.Lock, shutdown: asyncio.Event
) -> None:
    while not shutdown.is_set():
        await changed.wait()
        changed.clear()
        async with lock:
            if shutdown.is_set():
                return
            try:
                show(await index(name))
            except errors.CatalogError as error:
                progress.say(f"{name}: {error}; trying again in {_AGAIN:.0f} s")
                asyncio.get_running_loop().call_later(_AGAIN, changed.set)


def printer(row: Callable[[RunReport], Mapping[str, Any]], columns: Sequence[str], format_: str) -> Callable[[RunReport], None]:
    """What prints each run as it ends: a line for people, a line of JSON, a document of YAML, or a row of CSV under one heading."""
    begun = False

    def show(report: RunReport) -> None:
        nonlocal begun
        if format_ == "json":
            click.echo(json.dumps(row(report), ensure_ascii=False, default=str))
        elif format_ == "yaml":
            click.echo("---\n" + output.yaml_text(row(report)), nl=False)
        elif format_ == "csv":
            output.rows([row(report)], columns, format_, titled=not begun)
        else:
            click.echo(line(report))
        begun = True
        if report.error is not None or report.held_reason is not None:
            progress.say(f"{report.estate}: {report.error or held(report)}")

    return show


def line(report: RunReport) -> str:
    """One line on a run: what became of it, what it found, and how long it took."""
    found = [f"{report.diagnostics[name]} {name.lower()}s" for name in ("ERROR", "WARNING") if report.diagnostics.get(name)]
    what = (
        f"{report.stacks} stacks, {report.component_instances} instances:"
        f" {report.added} added, {report.changed} changed, {report.removed} removed"
    )
    where = f" at {report.revision[:12]}" if report.revision else ""
    return f"{report.estate}{where} {report.state}: {'; '.join([what, *found])} ({report.seconds:.2f} s)"


def held(report: RunReport) -> str:
    """Why a run is held, and what to do about it."""
    return f"{report.held_reason}; `catalog confirm {report.run_id}` lets it, or index with --confirmed"
