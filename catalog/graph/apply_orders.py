"""In which order the instances of a stack may be applied."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import strawberry

from catalog.errors import CatalogError, Invalid
from catalog.graph import names
from catalog.graph.payloads import Reference
from catalog.stacks import ordering
from catalog.store import instances
from catalog.store.instances import Deployed

if TYPE_CHECKING:
    from catalog.graph.acting import Acting

MOST = 1_000  # instances that one order shows
WEIGHT = 100  # rows that it counts for: few stacks deploy more


@strawberry.type(
    description="The order in which a stack's instances may be applied: real, enabled ones that the viewer sees. Only dependencies"
    " within the stack count."
)
class ApplyOrder:
    levels: list[list[names.ComponentInstanceType]] = strawberry.field(
        description="What may be applied side by side, level after level; each depends only on instances of earlier levels. What stands"
        " in a cycle, or depends on one, is in none."
    )
    truncated: bool = strawberry.field(description=f"Whether there are more than the {MOST:,} instances that are shown.")
    cycles: list[list[str]] = strawberry.field(
        description="One ring of names for each set of instances that depend on each other: each depends on the next, the last on the"
        " first."
    )


async def apply_order(acting: "Acting", rows: Sequence[Any]) -> Mapping[Any, ApplyOrder | CatalogError]:
    """Return the order of each stack."""
    found = await instances.deployed(acting.database.reader, acting.scope, [row.id for row in rows if row.revision is None])
    past = Invalid("the order of a stack is told of the present only", code="BAD_USER_INPUT", hint="leave out `asOf`")
    return {row: past if row.revision is not None else _ordered(found[row.id]) for row in rows}


def _ordered(found: Sequence[Deployed]) -> ApplyOrder:
    needs = {one.id: one.needs for one in found}
    name = {one.id: one.name for one in found}
    levels = ordering.levels(needs)
    before = accumulate(map(len, levels), initial=0)
    shown = [level[: max(0, MOST - count)] for level, count in zip(levels, before, strict=False)]
    return ApplyOrder(
        levels=[[Reference(id=identity) for identity in level] for level in shown if level],  # type: ignore[misc]
        truncated=sum(map(len, levels)) > MOST,
        cycles=[[name[identity] for identity in ring] for ring in ordering.rings(needs)],
    )
