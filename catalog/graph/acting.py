"""What the resolvers of mutations share: with what and for whom they act, and how a failure becomes a value of the payload."""

from collections.abc import Awaitable, Callable
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


def value(value: Any) -> Any:
    """What was given; absent is null here, since these inputs have no other reading of it."""
    return None if value is strawberry.UNSET else value


def require_admin(scope: Scope, what: str) -> None:
    """Raise Forbidden unless an admin asks."""
    if not scope.is_admin:
        raise Forbidden(f"only an admin may {what}")
