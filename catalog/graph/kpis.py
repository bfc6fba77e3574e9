"""Measures of the platform, as the seeds define them, and what was measured."""

from datetime import date

import strawberry

from catalog.graph import enums, names
from catalog.graph.declarations import column, items, reads_from


@reads_from("kpi")
@strawberry.type(description="What the platform is measured by. `value` is null and `sampleSize` 0 where there is no data yet.")
class Kpi:
    name: str = column("name", "Its name, the same for good.")
    title: str = column("title", "Its title.")
    description: str = column("description", "What it says.")
    sql: str = column("statement", "The statement that measures it; empty where the seeds give none.")
    population: str = column("population", "What is counted; empty where the seeds don't say.")
    unit: str = column("unit", "The unit of its values.")
    direction: enums.KpiDirection = column("direction", "Which way it is better.")
    value: float | None = column(
        "value", "What was measured last, in the period where one is given; null where there is no data yet."
    )
    target: float | None = column("target", "Where it should be.")
    baseline: float | None = column("baseline", "Where it was before.")
    met: bool | None = column("met", "Whether the target is met; null where there is no data yet.")
    sample_size: int = column("sample_size", "How many were counted.")
    trend: list[names.KpiPointType] = items(
        "trend", "What it was, in the period where one is given: the last 366 points, the oldest first."
    )


@reads_from("kpi_point")
@strawberry.type(description="What a measure was once.")
class KpiPoint:
    at: date = column("at", "The day.")
    value: float | None = column("value", "What was measured.")
