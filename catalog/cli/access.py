"""`catalog principal` and `catalog token`: who may act, and with what; on the database itself, so there is always a way in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from catalog import errors
from catalog.cli import opening, output, running, settings

_ROLES = ("viewer", "requester", "approver", "admin")
_UNITS = {"d": 86400, "h": 3600, "m": 60}


@click.group()
def principal() -> None:
    """Add people and programs."""


@principal.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(_ROLES), required=True, help="What the grant allows; each role includes those before it.")
@click.option("--name", help="How it is shown. [default: the part before the @]")
@click.option("--service", is_flag=True, help="It is a program, not a person.")
@click.option("--team", "teams", multiple=True, help="Limit the grant to this team; may be repeated. [default: all]")
@click.option("--tenant", "tenants", multiple=True, help="Limit the grant to this tenant; may be repeated. [default: all]")
@click.option("--member", "members", multiple=True, help="Make it a member of this team; may be repeated.")
@output.format_option("table")
def add(*, format_: str, **given: Any) -> None:
    """Add a principal with one grant; adding the same again replaces its grant."""
    row = running.run(_add(**given))
    output.rows([row], ("email", "name", "kind", "role"), format_)


async def _add(
    *,
    email: str,
    role: str,
    name: str | None,
    service: bool,
    teams: tuple[str, ...],
    tenants: tuple[str, ...],
    members: tuple[str, ...],
) -> dict[str, Any]:
    from catalog.access import principals  # noqa: PLC0415
    from catalog.records import SYSTEM, PrincipalKind, Role  # noqa: PLC0415
    from catalog.store import audit  # noqa: PLC0415

    kind = PrincipalKind.SERVICE if service else PrincipalKind.PERSON
    async with opening.opened(settings.read(), "catalog access") as database, database.session() as session:
        made = await principals.add(
            session, email, Role(role.upper()), name=name, kind=kind, teams=teams, tenants=tenants, members=members
        )
        told = {"email": made.email, "role": role.upper(), "teams": teams, "tenants": tenants, "members": members}
        await audit.record(session, SYSTEM, "principal add", made.id, told)
        await session.commit()
        return {"id": made.id, "email": made.email, "name": made.name, "kind": made.kind, "role": role.upper()}


@click.group()
def token() -> None:
    """Create, list and revoke access tokens."""


@token.command("create")
@click.argument("email")
@click.option("--name", default="command line", show_default=True, help="What it is for; shown in lists.")
@click.option("--expires", metavar="DURATION", help="When it ends, as 30d or 12h. [default: never]")
@output.format_option("text", ("text", "json"))
def create(*, email: str, name: str, expires: str | None, format_: str) -> None:
    """Create a token for a principal and print it: this once, it is stored as a hash only."""
    secret = running.run(_create(email, name, None if expires is None else datetime.now(UTC) + duration(expires)))
    if format_ == "json":
        output.document({"token": secret}, "json")
    else:
        click.echo(secret)


async def _create(email: str, name: str, expires_at: datetime | None) -> str:
    from catalog.access import tokens  # noqa: PLC0415

    async with opening.opened(settings.read(), "catalog access") as database, database.session() as session:
        secret = await tokens.create(session, email, name=name, expires_at=expires_at)
        await session.commit()
        return secret


@token.command("list")
@click.option("--email", help="Only this principal's.")
@output.format_option()
def list_(*, email: str | None, format_: str) -> None:
    """List tokens: their first characters, never the secret."""
    output.rows(running.run(_list(email)), ("prefix", "email", "name", "kind", "created", "expires", "used", "revoked"), format_)


async def _list(email: str | None) -> list[dict[str, Any]]:
    from catalog.access import tokens  # noqa: PLC0415

    async with opening.opened(settings.read(), "catalog access") as database, database.session() as session:
        return [
            {
                "prefix": row.token.prefix,
                "email": row.email,
                "name": row.token.name,
                "kind": row.token.kind,
                "created": _time(row.token.created_at),
                "expires": _time(row.token.expires_at),
                "used": _time(row.token.last_used_at),
                "revoked": _time(row.token.revoked_at),
            }
            for row in await tokens.listed(session, email=email)
        ]


@token.command("revoke")
@click.argument("prefix")
def revoke(*, prefix: str) -> None:
    """Revoke the token that begins with PREFIX, as `token list` shows it."""
    running.run(_revoke(prefix))
    click.echo(f"revoked {prefix}", err=True)


async def _revoke(prefix: str) -> None:
    from catalog.access import tokens  # noqa: PLC0415

    async with opening.opened(settings.read(), "catalog access") as database, database.session() as session:
        await tokens.revoke(session, prefix)
        await session.commit()


def duration(text: str) -> timedelta:
    """Read `30d`, `12h` or `90m`; raises WrongUse for anything else."""
    number, unit = text[:-1], text[-1:]
    if not number.isdigit() or int(number) == 0 or unit not in _UNITS:
        raise errors.WrongUse(f"{text!r} is not a duration", hint="a number and d, h or m, as in 30d")
    return timedelta(seconds=int(number) * _UNITS[unit])


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
