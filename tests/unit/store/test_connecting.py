"""Postgres URLs as people write them, and what is shown of them."""

from __future__ import annotations

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from catalog import errors
from catalog.store import connecting


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_every_usual_spelling_is_understood(scheme):
    """The driver's name in a URL is of no interest to the driver."""
    assert (
        connecting.address(f"{scheme}://u:p@h:5432/d?sslmode=require", application="x").url
        == "postgresql://u:p@h:5432/d?sslmode=require"
    )


@pytest.mark.parametrize("url", ["mysql://h/d", "h/d", "", "sqlite:///x.db"])
def test_other_urls_are_wrong_use(url):
    """Anything but a Postgres URL is refused, with an example."""
    with pytest.raises(errors.WrongUse) as caught:
        connecting.address(url, application="x")
    assert "postgresql://" in str(caught.value)


def test_passwords_are_not_shown():
    """Neither the shown form nor the address itself gives a password away."""
    address = connecting.address("postgresql://u:hunter2@h:1/d", application="x")
    assert address.shown == "postgresql://u:***@h:1/d"
    assert "hunter2" not in repr(address)


def test_the_password_may_stand_in_the_query():
    """A password that is a parameter of the URL is not shown either."""
    address = connecting.address("postgresql://h/d?user=u&password=hunter2&sslmode=require", application="x")
    assert address.shown == "postgresql://h/d?user=u&password=***&sslmode=require"


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (asyncpg.ConnectionDoesNotExistError("gone"), True),
        (asyncpg.AdminShutdownError("bye"), True),
        (asyncpg.CannotConnectNowError("starting"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (ConnectionResetError("reset"), True),
        (asyncpg.InterfaceError("cannot perform operation: another operation is in progress"), False),
        (asyncpg.UniqueViolationError("twice"), False),
        (DBAPIError("s", {}, Exception("x"), connection_invalidated=True), True),
        (DBAPIError("s", {}, Exception("x")), False),
    ],
)
def test_lost_connections_are_recognised(error, lost):
    """Only errors after which a new connection may work count as a loss."""
    assert connecting.is_lost(error) is lost


def test_other_errors_pass_as_they_are():
    """An error that is no loss of connection is not translated."""
    address = connecting.address("postgresql://h/d", application="x")
    with pytest.raises(asyncpg.UniqueViolationError), connecting.translating(address):
        raise asyncpg.UniqueViolationError("twice")
    with pytest.raises(errors.Unavailable, match="was lost"), connecting.translating(address):
        raise ConnectionResetError("reset")
