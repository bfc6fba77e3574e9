"""Says what of a snapshot the next one may take over, so that everything else can go before the next one is made.

An edit that reaches every stack makes every one of them anew. Held beside each other, the two readings of a large estate would need
twice the memory; what was made of stacks that are no more is of no use to the next snapshot.
"""

from __future__ import annotations

from dataclasses import replace

from catalog.indexer.snapshot import Snapshot
from catalog.stacks.resolved import ResolvedEstate


def reusable(previous: Snapshot, resolved: ResolvedEstate) -> Snapshot:
    """What of the previous snapshot was made of stacks that are the very same in what is resolved now.

    It holds nothing of the estate that it was taken of, and is good for nothing but to be the `previous` of the next snapshot.
    """
    same = {id(stack) for stack in resolved.stacks}
    inputs, teams, manifests, declared, linked = previous.made_from
    links = {name: item for name, item in linked.links.items() if id(item.stack) in same}
    return replace(
        previous,
        parts={key: part for key, part in previous.parts.items() if id(part.made_from[0]) in same},
        made_from=(
            inputs,
            teams,
            manifests,
            {name: found for name, found in declared.items() if id(found[0]) in same},
            replace(linked, estate=resolved, links=links),
        ),
    )
