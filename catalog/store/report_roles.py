"""Roles of the database for dashboards: each reads the views of the schema `report` as one principal, and nothing else.

Roles belong to the whole server, what they are bound to belongs to one database. Passwords leave as SCRAM verifiers: neither the server
nor its log ever holds one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

import asyncpg

from catalog import errors

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_ROUNDS = 4096
_CREATE = "create role %I login nosuperuser nocreatedb nocreaterole nobypassrls inherit password %L"
_LISTED = """
select r.name, p.email, p.disabled_at is not null as disabled from report_role r join principal p on p.id = r.principal_id order by r.name
"""
_SETTINGS = {"default_transaction_read_only": "on", "search_path": "report", "statement_timeout": "60s", "timezone": "UTC"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A role and the principal whose sight it has."""

    name: str
    email: str
    disabled: bool


async def add(connection: asyncpg.Connection, name: str, email: str) -> str:
    """Make a role that reads as the principal of that e-mail address and return its password; in the caller's transaction.

    Raises Invalid, NotFound, Conflict, and Forbidden when the catalog's own role may not make roles.
    """
    if not _NAME.fullmatch(name) or name.startswith(("pg_", "catalog_")):
        raise errors.Invalid(f"{name!r} is no name for a role", hint="small letters, digits and _, such as grafana")
    principal = await connection.fetchval("select id from principal where email = $1", email)
    if principal is None:
        raise errors.NotFound(f"there is no principal {email}", hint="catalog principal add EMAIL --role viewer")
    password = secrets.token_urlsafe(24)
    try:
        await _run(connection, _CREATE, name, verifier(password))
        for setting, value in _SETTINGS.items():
            await _run(connection, f"alter role %I set {setting} = %L", name, value)
        await _run(connection, "grant catalog_report to %I", name)
        await _run(
            connection, "grant connect on database %2$I to %1$I", name, await connection.fetchval("select current_database()")
        )
    except asyncpg.DuplicateObjectError as error:
        raise errors.Conflict(f"the server has a role {name} already", hint="choose another name") from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise errors.Forbidden(
            "the catalog's own role may not make roles", hint="as an administrator: alter role … createrole"
        ) from error
    await connection.execute("insert into report_role (name, principal_id) values ($1, $2)", name, principal)
    return password


async def listed(connection: asyncpg.Connection) -> list[Bound]:
    """Return all roles of this database that read reports, by name."""
    rows = await connection.fetch(_LISTED)
    return [Bound(name=row["name"], email=row["email"], disabled=row["disabled"]) for row in rows]


async def remove(connection: asyncpg.Connection, name: str) -> None:
    """Take a role away; raises NotFound. Sessions that it has open see nothing from then on."""
    if await connection.fetchval("delete from report_role where name = $1 returning name", name) is None:
        raise errors.NotFound(f"no role {name} reads reports", hint="catalog report-role list")
    database = await connection.fetchval("select current_database()")
    await _run(connection, "revoke connect on database %2$I from %1$I", name, database)
    await _run(connection, "drop role %I", name)


async def _run(connection: asyncpg.Connection, statement: str, *names: str) -> None:
    """Run a statement that takes no parameters, with names and texts put in by the server's own quoting."""
    listed = ", ".join(f"${number}::text" for number in range(2, len(names) + 2))
    await connection.execute(await connection.fetchval(f"select format($1, {listed})", statement, *names))


def verifier(password: str, salt: bytes | None = None) -> str:
    """Return what a server keeps of a password (RFC 5802, SCRAM-SHA-256)."""
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)
    stored = hashlib.sha256(_keyed(salted, b"Client Key")).digest()
    shown = (base64.b64encode(part).decode() for part in (salt, stored, _keyed(salted, b"Server Key")))
    return "SCRAM-SHA-256${}:{}${}:{}".format(_ROUNDS, *shown)


def _keyed(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")
