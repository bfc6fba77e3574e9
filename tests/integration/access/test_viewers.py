"""Remembered viewers are as good as looked-up ones."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from catalog import errors
from catalog.access import principals, tokens, viewers
from catalog.records import Role

PATIENCE = 20  # seconds after which a test that waits has failed


@pytest.fixture
async def remembered(database, secret):  # the principal comes first: adding it is news
    """Viewers of a process that hears of changes."""
    process = viewers.Viewers(database)
    async with process.hearing():
        await until(database, lambda: process._hears)
        yield process


@pytest.fixture
async def secret(database):
    """A token of an approver."""
    async with database.session() as session:
        await principals.add(session, "ada@example.org", Role.APPROVER)
        made = await tokens.create(session, "ada@example.org", name="test")
        await session.commit()
    return made


async def until(database, holds):
    """Return when something holds that news from the database makes hold."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await database.ping()


async def change(database, statement, **values):
    """Change access behind everybody's back."""
    async with database.session() as session:
        await session.execute(text(statement), values)
        await session.commit()


async def test_a_viewer_is_looked_up_once(remembered, secret):
    """The second authentication of a token gives the very scope of the first."""
    first = await remembered.authenticate(secret)
    assert await remembered.authenticate(secret) is first
    assert first.email == "ada@example.org"


@pytest.mark.parametrize(
    "statement",
    [
        "update access_token set revoked_at = now() where hash = :hash",
        "update access_token set expires_at = now() where hash = :hash",
        "delete from access_token where hash = :hash",
        "update principal set disabled_at = now() where cast(:hash as bytea) is not null",
    ],
)
async def test_a_token_that_ends_is_forgotten(database, remembered, secret, statement):
    """Whoever ends a token, and however, every process forgets its viewer."""
    await remembered.authenticate(secret)
    await change(database, statement, hash=tokens.hashed(secret))
    await until(database, lambda: not remembered._known)
    with pytest.raises(errors.Unauthenticated):
        await remembered.authenticate(secret)


async def test_a_changed_grant_is_heard_of(database, remembered, secret):
    """A viewer whose grant changes has the new one."""
    assert (await remembered.authenticate(secret)).may(Role.APPROVER)
    async with database.session() as session:
        await principals.add(session, "ada@example.org", Role.VIEWER)
        await session.commit()
    await until(database, lambda: not remembered._known)
    assert not (await remembered.authenticate(secret)).may(Role.APPROVER)


async def test_nothing_is_remembered_unheard(database, secret):
    """Before changes can be heard of every authentication looks the token up."""
    deaf = viewers.Viewers(database)
    await deaf.authenticate(secret)
    assert not deaf._known


async def test_a_lost_connection_forgets(database, remembered, secret):
    """When the connection that hears of changes is lost, nothing is remembered until there is another."""
    await remembered.authenticate(secret)
    await change(database, "select pg_terminate_backend(pid, 5000) from pg_stat_activity where query like 'LISTEN%catalog_access%'")
    await until(database, lambda: not remembered._known)
    await until(database, lambda: remembered._hears)
    assert (await remembered.authenticate(secret)).email == "ada@example.org"


async def test_using_a_token_is_no_news(database, remembered, secret):
    """The note that a token was used makes nobody forget anything."""
    first = await remembered.authenticate(secret)
    before = remembered._changes
    await change(database, "update access_token set last_used_at = now()")
    await change(database, "select pg_notify('catalog_access', 'marker')")
    await until(database, lambda: remembered._changes > before)
    assert remembered._changes == before + 1
    assert first.email == "ada@example.org"
