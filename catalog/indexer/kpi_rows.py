"""Writes what the seeds say of measures and what people measured, and measures what the catalog itself can."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from catalog.indexer import measurements
from catalog.indexer.measurements import Measurement
from catalog.indexer.seed_values import KpiSeed
from catalog.records import KpiDirection
from catalog.store import kpis

_DIRECTIONS = {"UP": KpiDirection.HIGHER_IS_BETTER, "DOWN": KpiDirection.LOWER_IS_BETTER}


async def settle(connection: asyncpg.Connection, said: Sequence[KpiSeed], measured: Sequence[Measurement], now: datetime) -> None:
    """Define the measures, keep what people measured, and measure the rest as of now."""
    await kpis.define(connection, [_said(one) for one in said])
    await kpis.measure(connection, now)
    await keep(connection, measured)


async def keep(connection: asyncpg.Connection, measured: Sequence[Measurement]) -> int:
    """Keep what people measured, and return how many points that is; what they say counts before what is measured that day."""
    points = [
        kpis.Point(name=one.kpi, at=one.at, value=one.value, sample_size=one.sample_size) for one in measurements.points(measured)
    ]
    await kpis.keep(connection, points)
    return len(points)


def _said(seed: KpiSeed) -> kpis.Said:
    return kpis.Said(
        name=seed.name,
        title=seed.title,
        description=seed.description,
        unit=seed.unit,
        population=seed.population,
        direction=None if seed.direction is None else _DIRECTIONS[seed.direction],
        baseline=seed.baseline,
        target=seed.target,
    )
