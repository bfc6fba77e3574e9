"""Keeps exchange rates as the seeds say them; `catalog_rate` finds the one of a day."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal

import asyncpg

Row = tuple[str, str, date, Decimal]  # base, currency, day, rate


async def write(connection: asyncpg.Connection, rows: Collection[Row]) -> bool:
    """Keep exactly these rates, and tell whether they are other ones than before."""
    now = {tuple(row) for row in await connection.fetch("select base, currency, day, rate from exchange_rate")}
    if now == set(rows):
        return False
    await connection.execute("delete from exchange_rate")
    await connection.copy_records_to_table("exchange_rate", records=sorted(rows), columns=("base", "currency", "day", "rate"))
    return True
