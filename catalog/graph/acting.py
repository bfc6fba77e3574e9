"""What the resolvers of mutations share: with what and for whom they act, and how a failure becomes a value of the payload."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import strawberry

from catalog.config import Config
from catalog.errors import CatalogError, Forbidden
from catalog.graph.problems import problem
from catalog.indexer.provenance import Readings
from catalog.records import Scope
from catalog.store.database import Database

ERRORS = "What went wrong; of none: it is done."

P = TypeVar("P")

# The time limit of the operation at hand.
deadline: ContextVar[asyncio.Timeout | None] = ContextVar("deadline", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """What resolvers act with: the database, the configuration, who asks, and the readings of estates that this process keeps."""

    database: Database
    config: Config
    scope: Scope
    readings: Readings


async def done(payload: Callable[..., P], shown: str, work: Callable[[Acting], Awaitable[Any]], info: Any, **more: Any) -> P:
    """Do the work and return the payload: what it made under the name `shown`, or the expected failure in its `errors`."""
    try:
        made = await work(info.context)
    except CatalogError as error:
        failed = problem(error)
        if failed is None:
            raise
        return payload(**{shown: None, "errors": [failed], **more})
    return payload(**{shown: made, "errors": [], **more})


def allow(seconds: float) -> None:
    """Give the operation at hand so much time from now on: for a mutation whose work is as large as what it is given."""
    limit = deadline.get()
    if limit is not None:
        limit.reschedule(asyncio.get_running_loop().time() + seconds)


def value(value: Any) -> Any:
    """What was given; absent is null here, since these inputs have no other reading of it."""
    return None if value is strawberry.UNSET else value


def require_admin(scope: Scope, what: str) -> None:
    """Raise Forbidden unless an admin asks."""
    if not scope.is_admin:
        raise Forbidden(f"only an admin may {what}")
