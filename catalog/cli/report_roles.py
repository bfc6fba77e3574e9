"""`catalog report-role`: roles of the database that dashboards sign in with, each with the sight of one principal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from catalog.cli import opening, output, running, settings

if TYPE_CHECKING:
    from catalog.store.report_roles import Bound


@click.group("report-role")
def report_role() -> None:
    """Add roles of the database that read reports as a principal does."""


@report_role.command("add")
@click.argument("name")
@click.argument("email")
@output.format_option("text", ("text", "json"))
def add(*, name: str, email: str, format_: str) -> None:
    """Make the role NAME, which reads the views of the schema `report` as the principal EMAIL sees them, and print its password.

    The password is printed this once. What the role sees follows that principal's grants from then on; whoever holds no grant, or is
    disabled, sees nothing.
    """
    password = running.run(_add(name, email))
    if format_ == "json":
        output.document({"name": name, "password": password}, "json")
    else:
        click.echo(password)


async def _add(name: str, email: str) -> str:
    from catalog.store import report_roles  # noqa: PLC0415

    async with opening.opened(settings.read(), "catalog access") as database, database.transaction() as connection:
        return await report_roles.add(connection, name, email)


@report_role.command("list")
@output.format_option()
def list_(*, format_: str) -> None:
    """List the roles that read reports, and as whom."""
    output.rows(
        [{"name": one.name, "email": one.email, "disabled": one.disabled} for one in running.run(_list())],
        ("name", "email", "disabled"),
        format_,
    )


async def _list() -> list[Bound]:
    from catalog.store import report_roles  # noqa: PLC0415

    async with opening.opened(settings.read(), "catalog access") as database, database.connection() as connection:
        return await report_roles.listed(connection)


@report_role.command("remove")
@click.argument("name")
def remove(*, name: str) -> None:
    """Take the role NAME away."""
    running.run(_remove(name))
    click.echo(f"removed {name}", err=True)


async def _remove(name: str) -> None:
    from catalog.store import report_roles  # noqa: PLC0415

    async with opening.opened(settings.read(), "catalog access") as database, database.transaction() as connection:
        await report_roles.remove(connection, name)
