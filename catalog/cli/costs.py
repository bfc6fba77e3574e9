"""`catalog costs`: what things cost, and why."""

from __future__ import annotations

import click

from catalog.cli import cost_reports


@click.group()
def costs() -> None:
    """Report costs: what is expected beside what was charged."""


costs.add_command(cost_reports.report)
