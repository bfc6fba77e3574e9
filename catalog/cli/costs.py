"""`catalog costs`: what things cost, and why."""

from __future__ import annotations

import click

from catalog.cli import cost_explanations, cost_imports, cost_reports


@click.group()
def costs() -> None:
    """Import costs, and report them: what is expected beside what was charged."""


costs.add_command(cost_imports.import_)
costs.add_command(cost_imports.estimate)
costs.add_command(cost_reports.report)
costs.add_command(cost_explanations.explain)
