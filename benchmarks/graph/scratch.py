"""A database of its own for a benchmark of the graph, and viewers of it who see all, a little and nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import synthetic

from catalog.config import Config
from catalog.records import SYSTEM, GrantScope, PrincipalKind, Role, Scope
from catalog.store import embedded, migrations
from catalog.store.database import Database


def viewer(name: str, *, tenants: tuple[str, ...] | None = None, teams: tuple[str, ...] | None = None) -> Scope:
    """A person with one grant, of some tenants and teams."""
    grant = GrantScope(
        role=Role.VIEWER,
        tenants=None if tenants is None else frozenset(tenants),
        teams=None if teams is None else frozenset(teams),
    )
    return Scope(principal_id=f"pri_{name}", name=name, email=None, kind=PrincipalKind.SERVICE, grants=(grant,))


NOBODY = Scope(principal_id="pri_nobody", name="nobody", email=None, kind=PrincipalKind.SERVICE, grants=())
VIEWERS = {
    "everything": SYSTEM,
    "a tenant": viewer("tenant", tenants=("ten_3",)),
    "a team": viewer("team", teams=("tea_4",)),
    "a team in a tenant": viewer("pair", tenants=("ten_3",), teams=("tea_4",)),
    "nothing": NOBODY,
}


@asynccontextmanager
async def filled(size: synthetic.Size) -> AsyncIterator[Database]:
    """Start a server, fill a database of that size, and throw both away at the end."""
    home = Path(tempfile.mkdtemp(prefix="catalog-bench-"))
    home.chmod(0o755)
    server = embedded.start(home)
    try:
        database = await Database.open(Config(home=home, database_url=server.url))
        await migrations.upgrade(database)
        await synthetic.fill(database, size)
        yield database
        await database.close()
    finally:
        server.close()
        shutil.rmtree(home, ignore_errors=True)
