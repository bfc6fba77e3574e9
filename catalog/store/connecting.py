"""How a connection to Postgres is made, and how its failures become `Unavailable`: the one seam to asyncpg's errors.

Every connection speaks UTC, without the just-in-time compiler, and tells its process in `application_name`. Behind a pooler
(`pooled`) neither named statements nor session settings survive, so there are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from sqlalchemy.exc import DBAPIError

from catalog import errors

# A statement the size of a deep operation is cached too: asyncpg leaves out what is larger than 15 KB unless told otherwise.
STATEMENTS = 128
_TIMEOUT = 10.0  # seconds to connect
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
_REFUSED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError, asyncpg.ClientConfigurationError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a Postgres server is and how this process introduces itself. The URL may hold a password and never prints."""

    url: str = field(repr=False)
    application: str
    pooled: bool = False

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return shown(self.url)


def address(url: str, *, application: str, pooled: bool = False) -> Address:
    """Return an address from any usual spelling of a Postgres URL (`postgres://`, `postgresql+asyncpg://` …)."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in {"postgres", "postgresql"}:
        raise errors.WrongUse("CATALOG_DATABASE_URL is not a Postgres URL", hint="postgresql://user:password@host:5432/database")
    return Address(url=f"postgresql://{rest}", application=application, pooled=pooled)


def shown(url: str) -> str:
    """Return a URL with stars for its password, wherever it stands."""
    parts = urlsplit(url)
    netloc = parts.netloc
    if parts.password is not None:
        netloc = f"{parts.username}:***@{netloc.rpartition('@')[2]}"
    query = re.sub(r"(^|&)password=[^&]*", r"\1password=***", parts.query)
    return urlunsplit(parts._replace(netloc=netloc, query=query))


async def connect(address: Address, *, settings: Mapping[str, str] | None = None) -> asyncpg.Connection:
    """Open one connection; raises Unavailable, saying what is wrong, when the server doesn't answer or refuses."""
    session = {"timezone": "UTC", "jit": "off", "application_name": address.application, **(settings or {})}
    try:
        return await asyncpg.connect(
            address.url,
            timeout=_TIMEOUT,
            server_settings=None if address.pooled else session,
            statement_cache_size=0 if address.pooled else STATEMENTS,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
        )
    except (OSError, TimeoutError, asyncpg.InterfaceError, *_LOST) as error:
        raise errors.Unavailable(
            f"Postgres at {address.shown} doesn't answer: {_reason(error)}", hint="start it, or check CATALOG_DATABASE_URL"
        ) from error
    except _REFUSED as error:
        raise errors.Unavailable(
            f"Postgres at {address.shown} refuses: {_reason(error)}", hint="check CATALOG_DATABASE_URL"
        ) from error


def is_lost(error: BaseException) -> bool:
    """Whether an error means that the connection is gone and a new one may work."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_lost(error.orig.__cause__ or error.orig))
    if isinstance(error, asyncpg.InterfaceError):
        return "clos" in str(error) or "released" in str(error)
    return isinstance(error, (*_LOST, ConnectionError))


@contextmanager
def translating(address: Address) -> Iterator[None]:
    """Turn the loss of a connection inside the block into Unavailable; everything else passes."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError, ConnectionError) as error:
        if not is_lost(error):
            raise
        raise errors.Unavailable(
            f"the connection to Postgres at {address.shown} was lost: {_reason(error)}", hint="try again when the database is back"
        ) from error


def _reason(error: BaseException) -> str:
    return str(error).split("\n", 1)[0] or type(error).__name__
