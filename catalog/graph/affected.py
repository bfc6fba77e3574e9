"""What differs between two revisions of an estate."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry.types import Info

from catalog import values
from catalog.errors import Ambiguous, NotFound
from catalog.graph.acting import value
from catalog.graph.names import AffectedInstanceType
from catalog.graph.nodes import Connection
from catalog.graph.payloads import Listed
from catalog.indexer import comparing
from catalog.indexer.comparing import Difference
from catalog.records import Estate, Role
from catalog.store import estates
from catalog.store import requests as rows

if TYPE_CHECKING:
    from catalog.graph.acting import Acting


async def affected(
    info: Info[Any, Any],
    base: Annotated[str, strawberry.argument(description="What to compare with: a revision, branch or tag of its repository.")],
    head: Annotated[str, strawberry.argument(description="What to compare: another one.")],
    estate: Annotated[
        str | None, strawberry.argument(description="Of which estate; may be left out where there is one.")
    ] = strawberry.UNSET,
    first: Annotated[
        int | None, strawberry.argument(description="How many, from the beginning; 50 unless given.")
    ] = strawberry.UNSET,
    after: Annotated[str | None, strawberry.argument(description="Those after the edge of this cursor.")] = strawberry.UNSET,
    last: Annotated[int | None, strawberry.argument(description="How many, from the end.")] = strawberry.UNSET,
    before: Annotated[str | None, strawberry.argument(description="Those before the edge of this cursor.")] = strawberry.UNSET,
) -> Connection[AffectedInstanceType]:
    """Compare two revisions."""
    del first, after, last, before  # the page is cut where it is shown
    acting: Acting = info.context
    found = await _estate(acting, value(estate))
    ends = [await asyncio.to_thread(comparing.resolve, found, acting.config, revision) for revision in (base, head)]
    differences = await asyncio.to_thread(acting.readings.comparison, found, *ends)
    ids = {values.global_id("ComponentInstance", found.name, one.stack, one.kind, one.name): one for one in differences}
    async with acting.database.session() as session:
        known = await rows.instances(session, ids)
    seen = [_shown(key, one) for key, one in ids.items() if _sees(acting, known.get(key))]
    return Listed(value={"affected": seen})  # type: ignore[return-value]


async def _estate(acting: Acting, name: str | None) -> Estate:
    async with acting.database.session() as session:
        known = [one for one in await estates.all_of_them(session) if name in (None, one.name)]
    if not known or not acting.scope.grants:
        raise NotFound(f"there is no estate {name}" if name else "there is no estate", path=("estate",))
    if len(known) > 1:
        raise Ambiguous("there are several estates", candidates=tuple(one.name for one in known), hint="name one", path=("estate",))
    return known[0]


def _sees(acting: Acting, row: Any) -> bool:
    """What the index doesn't know belongs to nobody yet: only those who see everything see it."""
    if row is None:
        return acting.scope.is_unrestricted
    return acting.scope.admits(Role.VIEWER, tenant_id=row.tenant_id, team_id=row.team_id)


def _shown(instance_id: str, one: Difference) -> dict[str, Any]:
    return {
        "instanceId": instance_id,
        "stackName": one.stack,
        "componentType": one.kind,
        "componentName": one.name,
        "deleted": one.deleted,
        "reasons": list(one.reasons),
        "dependents": one.dependents,
    }
