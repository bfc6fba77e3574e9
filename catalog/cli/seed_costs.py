"""Imports the charges that the catalog's seeds bring: the CSV files below `costs/`, each once, as `catalog costs import` does.

A file that was imported before, by its name, is left alone: what people imported under that name since is the later word.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from catalog import errors
from catalog.config import Config

if TYPE_CHECKING:
    from catalog.cost.imports import Report
    from catalog.store.database import Database

DIRECTORY = "costs"
_ENDINGS = (".csv", ".csv.gz")


async def bring(config: Config, database: Database) -> tuple[list[Report], list[str]]:
    """Import the files that never were; return what became of them, and of those that can't be imported why."""
    from catalog.cost import imports  # noqa: PLC0415
    from catalog.records import CostFormat  # noqa: PLC0415
    from catalog.store import charges  # noqa: PLC0415

    reports, problems = [], []
    for path in _files(config):
        async with database.session() as session:
            if await charges.is_known(session, path.name):
                continue
            try:
                source = imports.Source(path=path, name=path.name, format=CostFormat.FOCUS_CSV)
                reports.append(await imports.take(session, source))
                await session.commit()
            except (errors.Invalid, errors.Unavailable) as error:
                problems.append(f"{path}: {error}")
    return reports, problems


def _files(config: Config) -> Sequence[Path]:
    if config.seeds is None or not (config.seeds / DIRECTORY).is_dir():
        return ()
    return sorted(path for path in (config.seeds / DIRECTORY).iterdir() if path.name.endswith(_ENDINGS))
