"""`catalog costs explain`: why a charge landed where it did."""

from __future__ import annotations

from typing import Any

import click

from catalog import errors
from catalog.cli import opening, output, running, settings

_COLUMNS = ("share", "amount", "currency", "tenant", "team", "environment", "stack", "instance", "service", "rule", "reason")


@click.command()
@click.argument("charge")
@output.format_option()
def explain(*, charge: str, format_: str) -> None:
    """Tell where a charge landed, and why: every way that was tried, in order, with what it came to.

    CHARGE is a charge's id, as the graph and exports tell it. The parts are what is stored; the ways are tried anew, with today's rules.
    """
    told = running.run(_explain(charge))
    if format_ in ("json", "yaml"):
        output.document(told, format_)
        return
    if format_ == "table":
        click.echo("\n".join(_lines(told)))
    output.rows(told["parts"], _COLUMNS, format_)


async def _explain(charge: str) -> dict[str, Any]:
    from catalog.cost import allocating, allocation  # noqa: PLC0415
    from catalog.store import allocations  # noqa: PLC0415

    async with opening.opened(settings.read(), "catalog costs explain") as database, database.connection() as connection:
        found = await allocations.explain(connection, charge)
        if found is None:
            raise errors.NotFound(f"there is no charge {charge!r}", hint="ids begin with crg_; the graph's charges tell them")
        rules, directory = await allocating.surroundings(connection)
    decision = allocation.decide(allocating.subject_of(found.document), rules, directory)
    return {
        "charge": _plain(found.charge) | {"tags": found.document["tags"]},
        "parts": [_plain({name: part[name] for name in _COLUMNS}) for part in found.parts],
        "ways": [{"way": way, "outcome": said} for way, said in decision.trail if said],
    }


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value if value is None or isinstance(value, str) else f"{value}" for name, value in row.items()}


def _lines(told: dict[str, Any]) -> list[str]:
    charge = told["charge"]
    about = ", ".join(str(charge[name]) for name in ("provider", "service_name", "resource_id") if charge[name])
    head = f"{charge['effective']} {charge['currency']} from {charge['period_start'][:10]}: {charge['category']}, {about}"
    return [head, *(f"  {one['way']}: {one['outcome']}" for one in told["ways"])]
