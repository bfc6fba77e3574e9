"""The configuration as commands get it: the process environment, read here and nowhere else."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import catalog
from catalog import config
from catalog.config import Config


def read() -> Config:
    """The configuration of this process; raises WrongUse naming the variable that doesn't hold.

    Without CATALOG_SEEDS the seeds are those of the working directory, else those of the checkout that this package runs from.
    """
    given = config.read(os.environ)
    return given if given.seeds else replace(given, seeds=_seeds_nearby())


def _seeds_nearby() -> Path | None:
    places = (Path.cwd() / "seeds", Path(catalog.__file__).resolve().parent.parent / "seeds")
    return next((place for place in places if (place / "estates.yaml").is_file()), None)


def environment() -> dict[str, str]:
    """A copy of the process environment, for those who must be handed one."""
    return dict(os.environ)
